/* SPDX-License-Identifier: MIT */
#include "nix/hash.h"
#include "nix/nix32.h"
#include "base/mem.h"
#include "base/show.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define PREFIX "sha256:"
#define BASE64_LEN 44

/* SHA-256 of a buffer fails only without memory. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

void sha256_init(struct sha256 *h)
{
	h->ctx = EVP_MD_CTX_new();
	must(h->ctx != NULL);
	must(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
}

void sha256_update(struct sha256 *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n));
}

void sha256_final(struct sha256 *h, uint8_t out[HASH_SHA256_LEN])
{
	must(EVP_DigestFinal_ex(h->ctx, out, NULL));
	must(EVP_DigestInit_ex(h->ctx, NULL, NULL));
}

void sha256_fini(struct sha256 *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

void sha256_of(const void *p, size_t n, uint8_t out[HASH_SHA256_LEN])
{
	_cleanup_(sha256_fini) struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, p, n);
	sha256_final(&h, out);
}

const char *hash_format_hex(const uint8_t hash[HASH_SHA256_LEN], char out[static HASH_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *o = out + strlen(PREFIX);

	memcpy(out, PREFIX, strlen(PREFIX));
	for (size_t i = 0; i < HASH_SHA256_LEN; i++) {
		*o++ = digits[hash[i] >> 4];
		*o++ = digits[hash[i] & 15];
	}
	*o = '\0';
	return out;
}

const char *hash_format_nix32(const uint8_t hash[HASH_SHA256_LEN], char out[static HASH_NIX32_SIZE])
{
	memcpy(out, PREFIX, strlen(PREFIX));
	nix32_encode(hash, HASH_SHA256_LEN, out + strlen(PREFIX));
	return out;
}

/* Nix writes only lower case. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 16;
}

static bool parse_hex(struct str s, uint8_t out[HASH_SHA256_LEN])
{
	if (s.n != 2 * HASH_SHA256_LEN)
		return false;
	for (size_t i = 0; i < HASH_SHA256_LEN; i++) {
		unsigned hi = hex_value(s.p[2 * i]), lo = hex_value(s.p[2 * i + 1]);

		if (hi > 15 || lo > 15)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static bool parse_base64(struct str s, uint8_t out[HASH_SHA256_LEN])
{
	uint8_t raw[BASE64_LEN / 4 * 3], again[BASE64_LEN + 1];

	if (s.n != BASE64_LEN)
		return false;
	if (EVP_DecodeBlock(raw, (const uint8_t *)s.p, BASE64_LEN) != sizeof raw)
		return false;
	/* libcrypto's decoder is lenient: require the form that it would write. */
	EVP_EncodeBlock(again, raw, HASH_SHA256_LEN);
	if (memcmp(again, s.p, BASE64_LEN) != 0)
		return false;
	memcpy(out, raw, HASH_SHA256_LEN);
	return true;
}

int hash_parse(struct str text, uint8_t out[HASH_SHA256_LEN], struct err *err)
{
	struct str digits = str_drop(text, strlen(PREFIX));
	uint8_t hash[HASH_SHA256_LEN];
	char shown[SHOW_SIZE];
	bool ok = false;

	if (str_starts(text, "sha256-"))
		ok = parse_base64(digits, hash);
	else if (str_starts(text, PREFIX))
		ok = parse_hex(digits, hash) || nix32_decode(digits, hash, sizeof hash) ||
		     parse_base64(digits, hash);
	if (!ok)
		return err_set(err, ERR_FORMAT,
		               "hash \"%s\": expected sha256: with 64 hexadecimal, 52 Nix base32 "
		               "or 44 base64 digits, or sha256- with 44 base64 digits",
		               show_str(text, shown));
	memcpy(out, hash, sizeof hash);
	return 0;
}
