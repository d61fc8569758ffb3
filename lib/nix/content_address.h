/* SPDX-License-Identifier: MIT */
/*
 * Store paths that are named after their contents, so they need no signature.
 *
 *     ca = "text:sha256:" nix32         a file's contents, as builtins.toFile
 *        | "fixed:sha256:" nix32        a file's contents
 *        | "fixed:r:sha256:" nix32      its NAR
 *
 * Other hashes than SHA-256 ("fixed:" allows md5, sha1 and sha512), and a tree
 * that refers to itself, are well-formed but not checked here.
 */
#ifndef NIX_CONTENT_ADDRESS_H
#define NIX_CONTENT_ADDRESS_H

#include "base/err.h"
#include "nix/narinfo.h"

/*
 * Whether a text has that form. Signatures do not cover it, but Nix fails on a
 * database that holds a malformed one.
 */
bool ca_valid(struct str ca);

enum ca_proof {
	CA_UNPROVEN, /* says nothing that this program could check */
	CA_NAR,      /* the path is right if its NAR has the NAR hash */
	CA_FILE,     /* the path is right if it is a file with these contents */
};

/*
 * What the content address of a path proves. For CA_FILE the contents' hash is
 * in *file. -ERR_MISMATCH: the path is not the one of that content address.
 */
int ca_check(const struct narinfo *info, enum ca_proof *proof, uint8_t file[HASH_SHA256_LEN],
             struct err *err);

#endif
