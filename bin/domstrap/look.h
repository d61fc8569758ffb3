/* SPDX-License-Identifier: MIT */
/*
 * Reading a guest's disks for inspect, list, check and verify. A child in a jail
 * (jail/jail.h) reads them and sends the results as records with known fields (look_wire.h). The
 * parent has them as JSON, does not trust them, and reads them with the functions below.
 *
 *     look = { "disks": [ disk ], "volumes": [ volume ], "menu": menu | null, "menuError": text,
 *              "nixos": nixos | null, "nixosError": text, "kernels": { NAME: kernel },
 *              "unreadable": text,                  a read of a disk that failed
 *              "direct": start | null }        of files of the host: kernel, initrd, args…
 *
 * The members of each: see look_disks.c, look_menu.c, look_nixos.c, look_kernel.c and
 * look_system.c. Text of the guest that is not UTF-8 is escaped (str_escape).
 */
#ifndef DOMSTRAP_LOOK_H
#define DOMSTRAP_LOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/arguments.h"
#include "base/err.h"
#include "guest/disks.h"
#include "jail/jail.h"
#include "nixos/root_reader.h"

enum look_want {
	LOOK_PATHS = 1,   /* all paths of the Nix database, missing and unregistered ones */
	LOOK_KERNELS = 2, /* what the menu's kernels are */
	LOOK_SYSTEM = 4,  /* what the default entry's start needs */
	LOOK_SIZES = 8,   /* what each generation alone needs */
	LOOK_INITRD = 16, /* of the host: what is in it, without a kernel, too */
};

/* Disks that are open; the paths are borrowed from the arguments. */
struct look_disks {
	struct disk_spec spec[ARGUMENTS_DISKS_MAX];
	size_t n;
	struct disk_spec host[2]; /* files of the host; name NULL: none */
	const char *cmdline;      /* that goes with them; may be NULL */
	const char *config;       /* the xl config's path, and what it says; NULL: none */
	const struct xlcfg_guest *cfg;
};

enum {
	LOOK_HOST_KERNEL,
	LOOK_HOST_INITRD,
};

/*
 * What look_system.c says, into o; init is "TOPLEVEL/init". What could not be read is
 * "trouble" there.
 */
void look_system(const struct root_reader *r, const char *init, const char *release, json_t *o);

/* What look_etc.c says, into o. */
int look_etc(const struct root_reader *r, const char *init, json_t *o, struct err *err);

/* Open the raw ones of the disks; others are left out. */
int look_open(const struct arguments *a, struct look_disks *out, struct err *err);
void look_close(struct look_disks *d);

/*
 * wants: enum look_want. *out is for json_decref(). -ERR_CHILD: the child was
 * killed or sent invalid data. Problems of the disks are not errors; they are in *out.
 */
int look(const struct look_disks *d, unsigned wants, json_t **out, struct err *err);

/* A child that reads the disks. */
struct look_job {
	enum jail_role_id role;
	uint64_t memory;  /* bytes */
	unsigned seconds; /* of processor time */
	int (*main)(void *arg);
	void *arg;
	struct look_disks
	        *inside; /* a part of arg: becomes the disks with the jail's descriptors */
};

/* Start it in a jail. */
int look_jail(const struct look_job *job, const struct look_disks *d, struct jail *out,
              struct err *err);

/* A field of what came: "" where it is no text, 0 where it is no number >= 0. */
const char *look_text(const json_t *o, const char *key);
uint64_t look_number(const json_t *o, const char *key);
bool look_true(const json_t *o, const char *key);

/* Append a text of the guest's, escaped. */
void look_put(struct buf *b, const char *text);

#endif
