/* SPDX-License-Identifier: MIT */
/*
 * What Nix and NixOS keep inside a guest that is off: generations, the systems
 * that they are, the database. All of it is read from the guest's disk, and
 * checked.
 */
#ifndef DOMSTRAP_INSIDE_H
#define DOMSTRAP_INSIDE_H

#include "offline.h"
#include "store/closure.h"
#include "store/files.h"
#include "store/store_db.h"

#define INSIDE_GENERATIONS_MAX 10000u
#define INSIDE_PROFILES "/nix/var/nix/profiles"
#define INSIDE_DB "/nix/var/nix/db"

/* A system, as its boot menu entry wants it; strings owned. */
struct inside_system {
	char *toplevel;               /* a store path */
	char *init, *kernel, *initrd; /* the latter two NULL: it has none */
	char *params;
	char *version;        /* nixos-version; "" unknown */
	char *name;           /* configuration-name; "" none */
	char *kernel_version; /* "" unknown */
	struct inside_special *specials;
	size_t n_specials;
	bool etc_overlay; /* it says what its /etc is made of */
	bool broken;      /* parts of it are missing: it cannot be booted */
};

struct inside_special {
	char *name;
	struct inside_system system;
};

struct generation {
	unsigned number;
	int64_t time; /* of its link */
	struct inside_system system;
	bool current;        /* the profile points at it */
	bool boots;          /* by default; see booting.h */
	const char *special; /* its specialisation that does, borrowed from it; NULL: itself */
	uint64_t own_bytes;  /* of NARs that no other generation or root needs */
};

/* A profile's generations, oldest first. */
struct profile {
	char *name; /* NULL: the system's own */
	char *dir;  /* of its links */
	struct generation *v;
	size_t n;
};

struct inside {
	struct profile *profiles; /* the system's own first */
	size_t n_profiles;
	size_t bytes;      /* that all systems take */
	struct closure db; /* every valid path, see inside_load_db() */
	struct store_db_rest *db_rest;
	char *db_lost;     /* what of the database a new one would lack; NULL: nothing */
	struct err db_err; /* why db is empty; code 0: it is not */
};

/*
 * Read all but the database. -ERR_FORMAT where it breaks a rule, -ERR_NOENT where
 * it is no NixOS.
 */
int inside_load(struct offline *off, struct inside *out, struct err *err);
void inside_fini(struct inside *in);

/*
 * Read the database, for who needs it; db_err says where that failed. The others
 * give this error, and for who will write it, one that names what would be lost.
 */
void inside_load_db(struct offline *off, struct inside *in);
void inside_fini_db(struct inside *in);
int inside_need_db(const struct inside *in, struct err *err);
int inside_need_put_db(const struct inside *in, struct err *err);

/* Read one system. A missing part makes it "broken", which is no error. */
int inside_system_load(struct ext4_edit *e, const char *toplevel, struct inside_system *out,
                       struct err *err);
void inside_system_fini(struct inside_system *s);

/* The generation that the system's profile points at; NULL: none. */
struct generation *inside_current(const struct inside *in);
/* Set boots and special from what a booting has as its toplevel; NULL: nothing. */
void inside_mark_boots(struct inside *in, const char *toplevel);
/* The generation that boots by default; NULL: none of them. */
struct generation *inside_boots(const struct inside *in);
struct generation *inside_find(const struct inside *in, unsigned number);

/*
 * Which paths of the database something reaches: reached[i] is true. roots: see
 * inside_roots().
 */
void inside_reach(const struct closure *db, const char *toplevel, bool *reached);

/*
 * Mark what every root outside the system profile reaches, as Nix finds them:
 * other profiles, gcroots with their links, /nix/var/nix/profiles/per-user. direct: with
 * NIXROOT_DIRECT, which says of a generation that it boots, and is no other user of its paths.
 */
int inside_roots(struct offline *off, const struct inside *in, bool direct, bool *reached,
                 struct err *err);
/* Fill in own_bytes of the system's generations. */
int inside_sizes(struct offline *off, struct inside *in, struct err *err);

/*
 * Files of the guest's store, for whoever looks into one; store_files_fini()
 * ends it. Both are borrowed, spool_dir is for nameless files.
 */
struct inside_files {
	struct store_files files;
	struct offline *off;
	const char *spool_dir;
};
void inside_files_init(struct inside_files *f, struct offline *off, const char *spool_dir);

/*
 * Write the database anew from db and what in has beside it, and take its log
 * away. Errors as for inside_need_put_db().
 */
int inside_put_db(struct offline *off, const struct inside *in, const struct closure *db,
                  struct err *err);

#endif
