/* SPDX-License-Identifier: MIT */
#include "nix/signature.h"
#include "base/mem.h"
#include "base/show.h"

#include <string.h>

#include <openssl/evp.h>

#define BASE64_MAX 88

/* Exactly n bytes, in the one way that encodes them. */
static bool base64_decode(struct str text, uint8_t *out, size_t n)
{
	size_t len = (n + 2) / 3 * 4;
	uint8_t raw[BASE64_MAX / 4 * 3], again[BASE64_MAX + 1];

	if (text.n != len || len > BASE64_MAX)
		return false;
	if (EVP_DecodeBlock(raw, (const uint8_t *)text.p, (int)len) < (int)n)
		return false;
	EVP_EncodeBlock(again, raw, (int)n);
	if (memcmp(again, text.p, len) != 0)
		return false;
	memcpy(out, raw, n);
	return true;
}

static bool name_valid(struct str name)
{
	if (!name.n || name.n > SIGNATURE_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return false;
	return true;
}

/* name ":" base64 of n bytes. */
static bool split(struct str text, struct str *name, uint8_t *bytes, size_t n)
{
	*name = str_cut(&text, ':');
	return text.p && name_valid(*name) && base64_decode(text, bytes, n);
}

bool signature_formed(struct str sig)
{
	uint8_t bytes[SIGNATURE_LEN];
	struct str name;

	return split(sig, &name, bytes, sizeof bytes);
}

int public_key_parse(struct str text, struct public_key *out, struct err *err)
{
	struct public_key key = {0};
	char shown[SHOW_SIZE];
	struct str name;

	/* A secret key (seed and public key) is as long as a signature, so never show it. */
	if (signature_formed(text))
		return err_set(err, ERR_FORMAT, "this is a secret key; give the public key");
	if (!split(text, &name, key.key, sizeof key.key))
		return err_set(err, ERR_FORMAT,
		               "\"%s\" is not a public key; expected name:base64 with 44 "
		               "characters of base64",
		               show_str(text, shown));
	memcpy(key.name, name.p, name.n);
	*out = key;
	return 0;
}

void fingerprint_format(const struct narinfo *info, struct buf *out)
{
	char hash[HASH_NIX32_SIZE];

	buf_putf(out, "1;" STORE_DIR "/%.*s;%s;%llu;", STR_ARG(info->path.base),
	         hash_format_nix32(info->nar_hash, hash), (unsigned long long)info->nar_size);
	for (size_t i = 0; i < info->nrefs; i++) {
		buf_puts(out, i ? "," STORE_DIR "/" : STORE_DIR "/");
		buf_put(out, info->refs[i].p, info->refs[i].n);
	}
}

static bool verify(const uint8_t key[SIGNATURE_KEY_LEN], const uint8_t sig[SIGNATURE_LEN],
                   struct str message)
{
	EVP_PKEY *pkey =
	        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, SIGNATURE_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	          EVP_DigestVerify(ctx, sig, SIGNATURE_LEN, (const uint8_t *)message.p,
	                           message.n) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

bool signature_valid(struct str sig, struct str message, const struct public_key *keys, size_t n)
{
	uint8_t bytes[SIGNATURE_LEN];
	struct str name;

	if (!split(sig, &name, bytes, sizeof bytes))
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_is(name, keys[i].name) && verify(keys[i].key, bytes, message))
			return true;
	return false;
}
