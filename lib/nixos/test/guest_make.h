/* SPDX-License-Identifier: MIT */
/*
 * A small NixOS guest on disks in memory, for tests. Generation N is a system with a kernel and an
 * initrd of its own, and a library that all of them need:
 *
 *     /nix/store/0…-glibc, 0…1N-linux-6.12.N/bzImage, 0…2N-initrd-linux-6.12.N/initrd,
 *     0…3N-nixos-system-t-25.11.N/{init,kernel,initrd,kernel-params,nixos-version}
 *
 * Everything is written with this program's own writers. A failure ends the test.
 */
#ifndef NIXOS_TEST_GUEST_MAKE_H
#define NIXOS_TEST_GUEST_MAKE_H

#include "base/walk_tree.h"
#include "nixos/change.h"

#define GUEST_TIME 1759449600 /* 2025-10-03, of all files */
#define GUEST_SYSTEMS_MAX 20
#define GUEST_GLIBC "/nix/store/00000000000000000000000000000000-glibc"

enum guest_menu {
	GUEST_GRUB,     /* as NixOS writes it: by UUID */
	GUEST_EXTLINUX, /* kernels in the store */
	GUEST_MENU_NONE,
};

/* The first fields say what to make. */
struct guest_make {
	unsigned generations; /* the last one is current, and boots */
	bool separate_boot;   /* the second disk is /boot; with copied kernels */
	bool partitioned;
	enum guest_menu menu;
	const struct booting_config *config; /* NULL: there is none */

	int fd[2];
	char *path[2]; /* in /proc; any process can open them */
	size_t n_disks;
	uint64_t base; /* of the file systems */
};

void guest_make(struct guest_make *g);
void guest_make_fini(struct guest_make *g);

/* Store paths; n is 1 to GUEST_SYSTEMS_MAX. */
const char *guest_system(unsigned n);
const char *guest_kernel(unsigned n);
const char *guest_initrd(unsigned n);

/* The closure of systems 1 to n. */
void guest_closure(unsigned n, struct closure *out);
/* Add system n's paths, without its generation. */
void guest_add_system(struct ext4_edit *e, unsigned n);
/* Add the generation of system n, also to the database; make it current. */
void guest_add_generation(struct off_guest *off, struct guest_state *in, unsigned n);

/* A disk's file system for changes; guest_commit() ends it. */
struct guest_disk {
	struct target t;
	struct ext4_edit *e;
};
void guest_edit(const struct guest_make *g, size_t disk, struct guest_disk *d);
void guest_commit(struct guest_disk *d);
/* One such change. text NULL: it is removed. */
void guest_put_link(const struct guest_make *g, size_t disk, const char *path, const char *target);
void guest_put_file(const struct guest_make *g, size_t disk, const char *path, const char *text);
/* The contents of a file, which the caller frees. */
char *guest_read(const struct guest_make *g, size_t disk, const char *path);

/* Everything of the disks, to compare. */
struct buf guest_bytes(const struct guest_make *g, size_t disk);

/* Opens the guest; the text of the last warning is kept. arg is a guest_make. */
extern const char *guest_warning;
int guest_open(const void *arg, enum off_guest_mode mode, struct off_guest *out, struct err *err);
void guest_close(struct off_guest *off);
/* guest_open() and change_begin(), which must succeed. */
void guest_begin(const struct guest_make *g, enum off_guest_mode mode, struct off_guest *off,
                 struct guest_state *in);
void guest_end(struct off_guest *off, struct guest_state *in);

/* e2fsck, where it is installed, finds nothing wrong. */
void guest_fsck(const struct guest_make *g);

#endif
