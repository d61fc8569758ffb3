/* SPDX-License-Identifier: MIT */
/* The side of a look that is in the jail: it only reads, and says what it read. */
#ifndef DOMSTRAP_LOOK_CHILD_H
#define DOMSTRAP_LOOK_CHILD_H

#include "base/buf.h"
#include "fs/fs.h"
#include "jail/wire.h"
#include "look.h"
#include "look_wire.h"
#include "store/store_db.h"

enum look_message {
	LOOK_PIECE = 1, /* bytes of the answer, see look_wire.h */
	LOOK_END = 2,
	LOOK_ROWS = 3, /* store paths, see look_rows.c; before the answer */
	LOOK_FAILED,   /* text: there is no answer */
};

extern const struct wire_rule look_rules[];
extern const size_t look_rule_count;

/* What the child works with. */
struct look_child {
	struct wire *line;
	struct look_disks disks;
	unsigned wants; /* enum look_want */
	unsigned xen;   /* the host's, major << 16 | minor; 0 unknown */
	struct disks *d;
	struct grub_files *files; /* borrowed from d */
	struct buf notes;         /* trouble with the tables */
	size_t root;              /* the device that has /nix/store */
	bool has_root;
	struct err root_err;   /* why it is not known whether a device is that; code 0: none */
	json_t *kernels;       /* by name; borrowed from the answer */
	unsigned entries_left; /* of all menus */
};

/* For look_jail(): arg is a struct look_child. */
int look_main(void *arg);

#define LOOK_PIECE_MAX (1u << 20)
/* Append a store path; take what look_row_put() made into two lists. */
void look_row_put(struct buf *out, const struct path_info *info, bool missing);
int look_rows_get(const struct buf *body, json_t *paths, json_t *missing, struct err *err);

/* Parts of the answer; each returns a new reference. */
json_t *look_disks_json(struct look_child *c);
json_t *look_volumes_json(struct look_child *c);
/* 0 and *out, or -ERR_*: there is no menu. */
int look_menu_json(struct look_child *c, json_t **out, struct err *err);
int look_nixos_json(struct look_child *c, json_t **out, struct err *err);
/* Kernel and initrd that the host has. */
json_t *look_direct_json(struct look_child *c);
/* Look at a kernel, once for each name. */
void look_kernel_window(struct look_child *c, const struct window *w, const char *name);
/* The initrd's modules, added to those of the system. */
void look_initrd(const struct window *w, json_t *system);
/* What else of the system matters, through the guest's root. */
void look_guest_system(struct look_child *c, const char *init, const char *release, json_t *o);
/* Reads that file system. */
struct root_reader look_fs_reader(struct fs *fs);
/* "init" and "initFound", from the kernel's arguments; what look_etc() says of its system. */
int look_put_init(struct look_child *c, json_t *o, const char *args, struct err *err);

/* A text as JSON: UTF-8 as it is, else escaped. */
json_t *look_string(struct str s);
void look_set(json_t *o, const char *key, const char *text);
void look_set_number(json_t *o, const char *key, uint64_t v);

#endif
