/* SPDX-License-Identifier: MIT */
/*
 * What Nix and NixOS keep inside a guest that is off: generations, the systems
 * that they are, the database. All of it is read from the guest's disk, and
 * checked.
 */
#ifndef NIXOS_GUEST_STATE_H
#define NIXOS_GUEST_STATE_H

#include "nixos/off_guest.h"
#include "store/closure.h"
#include "store/files.h"
#include "store/store_db.h"

#define GUEST_STATE_GENERATIONS_MAX 10000u
#define GUEST_STATE_PROFILES "/nix/var/nix/profiles"
#define GUEST_STATE_DB "/nix/var/nix/db"

/* A system, as its boot menu entry wants it; strings owned. */
struct guest_system {
	char *toplevel;               /* a store path */
	char *init, *kernel, *initrd; /* the latter two NULL: it has none */
	char *params;
	char *version;        /* nixos-version; "" unknown */
	char *name;           /* configuration-name; "" none */
	char *kernel_version; /* "" unknown */
	struct guest_special *specials;
	size_t n_specials;
	bool etc_overlay; /* it says what its /etc is made of */
	bool broken;      /* parts of it are missing: it cannot be booted */
};

struct guest_special {
	char *name;
	struct guest_system system;
};

enum generation_trial {
	GENERATION_NO_TRIAL,
	GENERATION_TO_BE_TRIED, /* the next start boots it, for once */
	GENERATION_TRIED,       /* it was started so, and nobody has confirmed it */
};

struct generation {
	unsigned number;
	int64_t time; /* of its link */
	struct guest_system system;
	bool current;                /* the profile points at it */
	bool boots;                  /* by default; see booting.h */
	enum generation_trial trial; /* see trial.h */
	bool activated;              /* the guest booted it last, or switched to it */
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

struct guest_state {
	struct profile *profiles; /* the system's own first */
	size_t n_profiles;
	size_t bytes;      /* that all systems take */
	struct closure db; /* every valid path, see guest_state_load_db() */
	struct store_db_rest *db_rest;
	char *db_lost;     /* what of the database a new one would lack; NULL: nothing */
	struct err db_err; /* why db is empty; code 0: it is not */
};

/*
 * Read all but the database. -ERR_FORMAT where it breaks a rule, -ERR_NOENT where
 * it is no NixOS.
 */
int guest_state_load(struct off_guest *off, struct guest_state *out, struct err *err);
void guest_state_fini(struct guest_state *in);

/*
 * Read the database, for who needs it; db_err says where that failed. The others
 * give this error, and for who will write it, one that names what would be lost.
 */
void guest_state_load_db(struct off_guest *off, struct guest_state *in);
void guest_state_fini_db(struct guest_state *in);
int guest_state_need_db(const struct guest_state *in, struct err *err);
int guest_state_need_put_db(const struct guest_state *in, struct err *err);

/* Read one system. A missing part makes it "broken", which is no error. */
int guest_system_load(struct off_guest_fs *fs, const char *toplevel, struct guest_system *out,
                      struct err *err);
void guest_system_fini(struct guest_system *s);

/* The generation that the system's profile points at; NULL: none. */
struct generation *guest_state_current(const struct guest_state *in);
/* Set boots and special from what a booting has as its toplevel; NULL: nothing. */
void guest_state_mark_boots(struct guest_state *in, const char *toplevel);
/* The generation that boots by default; NULL: none of them. */
struct generation *guest_state_boots(const struct guest_state *in);
struct generation *guest_state_find(const struct guest_state *in, unsigned number);

/*
 * Which paths of the database something reaches: reached[i] is true. roots: see
 * guest_state_roots().
 */
void guest_state_reach(const struct closure *db, const char *toplevel, bool *reached);

/*
 * Mark what every root outside the system profile reaches, as Nix finds them:
 * other profiles, gcroots with their links, /nix/var/nix/profiles/per-user. direct: with
 * NIXROOT_DIRECT, which says of a generation that it boots, and is no other user of its paths.
 */
int guest_state_roots(struct off_guest *off, const struct guest_state *in, bool direct,
                      bool *reached, struct err *err);
/* Fill in own_bytes of the system's generations. */
int guest_state_sizes(struct off_guest *off, struct guest_state *in, struct err *err);

/*
 * The files of the guest's store, with ops for look, read and list. off is borrowed;
 * store_files_fini() ends it.
 */
struct guest_state_files {
	struct store_files files;
	struct off_guest *off;
};
void guest_state_files_init(struct guest_state_files *f, struct off_guest *off);

/*
 * Write the database anew from db and what in has beside it, and take its log
 * away. Errors as for guest_state_need_put_db().
 */
int guest_state_put_db(struct off_guest *off, const struct guest_state *in,
                       const struct closure *db, struct err *err);

#endif
