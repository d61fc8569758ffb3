/* SPDX-License-Identifier: MIT */
/* Parts of "domstrap verify". */
#ifndef DOMSTRAP_VERIFY_H
#define DOMSTRAP_VERIFY_H

#include <stdint.h>
#include <sys/types.h>

#include "ui/findings.h"
#include "host/arguments.h"
#include "nix/hash.h"

/* A store path, with its data in the guest's database. */
struct verify_path {
	char *path;
	uint8_t nar_hash[HASH_SHA256_LEN];
	uint64_t nar_size;
};

/* The file system with the store. */
struct verify_place {
	size_t disk;
	uint64_t start, size; /* bytes: of the file system */
	bool joined; /* it is part of a view (nixos/guest_root.h), which is to be found again */
};

struct verify_store {
	struct verify_place at;
	struct verify_path *paths; /* borrowed; they are put into another order */
	size_t n;
	unsigned processes; /* in jails, at most */
};

/* Compare every path with its NAR hash; what differs or cannot be read becomes a finding. */
int verify_hashes(const struct inspector_disks *d, const struct verify_store *s,
                  struct findings *out, struct err *err);

#define FSCKS_MAX 32

/* Runs of e2fsck, each in a jail with its disk alone. */
struct fsck {
	struct jail jail;
	int output; /* a nameless file */
	char *subject;
};

struct fscks {
	struct fsck v[FSCKS_MAX];
	size_t n;
};

/* Begin a look at one ext file system, read only. No e2fsck here: a finding says so. */
void fsck_start(struct fscks *all, const struct disk_spec *d, uint64_t start, const char *subject,
                struct findings *out);
/* Wait for all of them, and say what they found. */
void fsck_finish(struct fscks *all, struct findings *out);

#endif
