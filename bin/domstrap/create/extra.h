/* SPDX-License-Identifier: MIT */
/*
 * Files and SSH keys that the user adds to a new guest. Keys must not be in the store, which every
 * user can read.
 */
#ifndef DOMSTRAP_EXTRA_H
#define DOMSTRAP_EXTRA_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/walk_tree.h"
#include "nixos/ssh_key.h"
#include "ui/text_list.h"

#define HOST_KEYS_MAX 3 /* one of each type */

/* As given. */
struct extra_options {
	struct text_list files;           /* directories */
	struct text_list chowns;          /* PATH:UID:GID */
	struct text_list chmods;          /* PATH:MODE */
	struct text_list host_keys;       /* files */
	struct text_list authorized_keys; /* files, or keys */
};

extern const struct option_row extra_rows[5];

struct extra_host_key {
	struct ssh_key key;
	struct buf private;
	char *public; /* the line of its .pub */
};

/* The checked options, with the keys. Zeroed: none. */
struct extra {
	const struct extra_options *opt;
	struct extra_host_key host_keys[HOST_KEYS_MAX];
	size_t n_host_keys;
	struct buf authorized;
	int spool; /* unnamed file with the contents; 0: none */
};

/* Check what can be checked before the guest is known. opt is borrowed. */
int extra_load(const struct extra_options *opt, struct extra *out, struct err *err);
/*
 * Read the private keys. Only after the process for the network was started, because that has a
 * copy of this one's memory.
 */
int extra_load_keys(struct extra *x, struct err *err);
/* Whether there are files that other users of this host must not read. */
bool extra_is_secret(const struct extra *x);
/* The name of an option whose file goes below /etc, or NULL. Borrowed. */
const char *extra_in_etc(const struct extra *x);
/*
 * Put it into the root's tree, which borrows from *x. etc: the directory for what is
 * for /etc. separate_boot: /boot is another disk. spool_dir is for a nameless file.
 */
int extra_put(struct extra *x, struct tree *root, const char *etc, bool separate_boot,
              const char *spool_dir, struct err *err);
void extra_fini(struct extra *x);

#endif
