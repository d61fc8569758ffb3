/* SPDX-License-Identifier: MIT */
/*
 * Signatures of store paths: ed25519, of the path's fingerprint.
 *
 *     key         = name ":" base64 of 32 bytes
 *     signature   = name ":" base64 of 64 bytes
 *     fingerprint = "1;" path ";" NAR hash in nix32 ";" NAR size ";"
 *                   references: whole paths in byte order, commas between
 */
#ifndef NIX_SIGNATURE_H
#define NIX_SIGNATURE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "nix/narinfo.h"

#define SIGNATURE_KEY_LEN 32
#define SIGNATURE_LEN 64
#define SIGNATURE_NAME_MAX 128

struct public_key {
	char name[SIGNATURE_NAME_MAX + 1];
	uint8_t key[SIGNATURE_KEY_LEN];
};

/* 0, or -ERR_FORMAT. */
int public_key_parse(struct str text, struct public_key *out, struct err *err);

/* Whether a text has the form of a signature, by any key. */
bool signature_formed(struct str sig);

/* Append what is signed. */
void fingerprint_format(const struct narinfo *info, struct buf *out);

/*
 * Whether sig is a valid signature of the message by one of the n keys. false
 * also for a malformed signature, or one by another key.
 */
bool signature_valid(struct str sig, struct str message, const struct public_key *keys, size_t n);

#endif
