/* SPDX-License-Identifier: MIT */
/* The side of a look that is in the jail: it only reads, and says what it read. */
#ifndef INSPECTOR_CHILD_H
#define INSPECTOR_CHILD_H

#include "base/buf.h"
#include "fs/fs.h"
#include "jail/wire.h"
#include "inspector/inspector.h"
#include "inspector/inspector_wire.h"
#include "nixos/guest_root.h"
#include "store/store_db.h"

enum inspector_message {
	INSPECTOR_PIECE = 1, /* bytes of the answer, see inspector_wire.h */
	INSPECTOR_END = 2,
	INSPECTOR_ROWS = 3, /* store paths, see inspector_rows.c; before the answer */
	INSPECTOR_FAILED,   /* text: there is no answer */
};

extern const struct wire_rule inspector_rules[];
extern const size_t inspector_rule_count;

/* What the child works with. */
struct inspector_child {
	struct wire *line;
	struct inspector_disks disks;
	unsigned wants; /* enum inspector_want */
	unsigned xen;   /* the host's, major << 16 | minor; 0 unknown */
	struct disks *d;
	struct grub_files *files; /* borrowed from d */
	struct buf notes;         /* trouble with the tables */
	struct fs *root;          /* the one that has /nix/store, or a view; NULL: none. Borrowed */
	struct guest_root joined;
	struct err root_err;   /* why it is not known whether there is one; code 0: it is */
	json_t *kernels;       /* by name; borrowed from the answer */
	unsigned entries_left; /* of all menus */
};

/* For inspector_jail(): arg is a struct inspector_child. */
int inspector_main(void *arg);

#define INSPECTOR_PIECE_MAX (1u << 20)
/* Append a store path; take what inspector_row_put() made into two lists. */
void inspector_row_put(struct buf *out, const struct path_info *info, bool missing);
int inspector_rows_get(const struct buf *body, json_t *paths, json_t *missing, struct err *err);

/* Parts of the answer; each returns a new reference. */
json_t *inspector_disks_json(struct inspector_child *c);
json_t *inspector_volumes_json(struct inspector_child *c);
/* 0 and *out, or -ERR_*: there is no menu. */
int inspector_menu_json(struct inspector_child *c, json_t **out, struct err *err);
int inspector_nixos_json(struct inspector_child *c, json_t **out, struct err *err);
/* Kernel and initrd that the host has. */
json_t *inspector_direct_json(struct inspector_child *c);
/* Look at a kernel, once for each name. */
void inspector_kernel_window(struct inspector_child *c, const struct window *w, const char *name);
/* The initrd's modules, added to those of the system. */
void inspector_initrd(const struct window *w, json_t *system);
/* What else of the system matters, through the guest's root. */
void inspector_guest_system(struct inspector_child *c, const char *init, const char *release,
                            json_t *o);
/* Reads that file system. */
struct root_reader inspector_fs_reader(struct fs *fs);
/* "init" and "initFound", from the kernel's arguments; what inspector_etc() says of its system. */
int inspector_put_init(struct inspector_child *c, json_t *o, const char *args, struct err *err);

/* A text as JSON: UTF-8 as it is, else escaped. */
json_t *inspector_string(struct str s);
void inspector_set(json_t *o, const char *key, const char *text);
void inspector_set_number(json_t *o, const char *key, uint64_t v);

#endif
