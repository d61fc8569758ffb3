/* SPDX-License-Identifier: MIT */
/*
 * SHA-256, and the ways Nix writes it down.
 *
 *     hash = "sha256:" 64 hex digits      the database
 *          | "sha256:" 52 nix32 digits    narinfos, content addresses
 *          | "sha256:" 44 base64 digits   some caches
 *          | "sha256-" 44 base64 digits   SRI
 */
#ifndef NIX_HASH_H
#define NIX_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define HASH_SHA256_LEN 32
/* "sha256:", 64 digits, NUL. */
#define HASH_HEX_SIZE 72
/* "sha256:", 52 digits, NUL. */
#define HASH_NIX32_SIZE 60

/* A digest being computed, with libcrypto's context. For one thread at a time. */
struct sha256 {
	void *ctx;
};

/* Ready for a first message. End with sha256_fini(). */
void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *p, size_t n);
/* Give the digest; h is then ready for the next message. */
void sha256_final(struct sha256 *h, uint8_t out[HASH_SHA256_LEN]);
void sha256_fini(struct sha256 *h);
/* The digest of n bytes. */
void sha256_of(const void *p, size_t n, uint8_t out[HASH_SHA256_LEN]);

/* Format with "sha256:" in front; return out. */
const char *hash_format_hex(const uint8_t hash[HASH_SHA256_LEN], char out[static HASH_HEX_SIZE]);
const char *hash_format_nix32(const uint8_t hash[HASH_SHA256_LEN],
                              char out[static HASH_NIX32_SIZE]);
/* Any of these forms, strictly. 0, or -ERR_FORMAT and out untouched. */
int hash_parse(struct str text, uint8_t out[HASH_SHA256_LEN], struct err *err);

#endif
