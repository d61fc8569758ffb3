/* SPDX-License-Identifier: MIT */
/* What the files of update share, and restart uses: its options, and the change of a guest. */
#ifndef DOMSTRAP_UPDATE_IN_H
#define DOMSTRAP_UPDATE_IN_H

#include "base/pool.h"
#include "store/difference.h"
#include "editor/editor_system.h"
#include "nixos/enlarge.h"
#include "inspector/etc_place.h"
#include "nixos/system.h"
#include "source/nixos_files.h"
#include "host/guest_options.h"
#include "source/nix_build.h"
#include "source/source.h"

/* As given; strings are argv's. */
struct update_options {
	struct guest_options common;
	const char *system; /* or built as nix says */
	struct source_options source;
	struct nix_options nix;
	const char *configuration;    /* for /etc/nixos */
	const char *size, *boot_size; /* NULL: as it is */
	bool wipe;                    /* clear what they grow into */
	bool try;                     /* boot it once */
	unsigned limit;               /* of the menu; 0: as it is */
	bool verify;
	unsigned threads;
};

struct update {
	struct update_options req;
	struct editor *e;          /* in the jail: the guest */
	struct editor_system from; /* the new system */
	struct nixos_system system;
	uint64_t bytes;      /* of NARs that are missing */
	unsigned number;     /* of the generation */
	bool old_generation; /* the last one is this system already */
	unsigned ended;      /* the generation that was on trial until now; 0: none */
	struct differences diff;
	struct nixos_files nixos;
	enum etc_place etc; /* where the new system sees files in /etc */
	struct enlarge_watch watch;
	struct size_wish root_wish, boot_wish;
	struct enlarged old_root, old_boot;
	const atomic_bool *stop;
};

#define UPDATE_DEFAULTS {.verify = true, .threads = pool_threads()}

/* The options that say what is changed, for a struct that begins with a struct update_options. */
extern const struct option_row update_system_row[1], update_config_rows[2], update_rows[8];
#define UPDATE_GROUPS                                                                              \
	OPTION_GROUP(update_system_row, 0),                                                        \
	        OPTION_GROUP(source_rows, offsetof(struct update_options, source)),                \
	        OPTION_GROUP(update_config_rows, 0),                                               \
	        OPTION_GROUP(nix_rows, offsetof(struct update_options, nix)),                      \
	        OPTION_GROUP(update_rows, 0)

/* Whether the options ask for a change. */
bool update_wanted(const struct update_options *r);
/* Before anything is read: check the options, and parse sizes. -ERR_USAGE. */
int update_check(struct update *u, struct err *err);
/* Change the guest, which is off; update_build() came before. nixos_files_fini(&u->nixos) later. */
int update_run(struct update *u, struct err *err);

/* What was done, or with --dry-run would be. */
void update_report(const struct update *u);

/* update_size.c: --size and --boot-size, from the options. */
int update_sizes_parse(struct update *u, struct err *err);
/* --boot-size needs a /boot of its own. */
int update_check_boot(const struct update *u, struct err *err);
/* A dry run: what they would do. */
int update_check_sizes(struct update *u, struct err *err);
/* A separate commit, because the change of the root may not include the menu. */
int update_enlarge_boot(struct update *u, struct err *err);
/* After a failure. */
void update_enlarge_undo(const struct enlarged *old);

#endif
