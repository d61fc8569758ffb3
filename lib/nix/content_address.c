/* SPDX-License-Identifier: MIT */
#include "nix/content_address.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/show.h"
#include "nix/nix32.h"

#include <string.h>

#define DIGEST_BYTES 20

/* hash name ":" nix32 */
static bool digest_valid(struct str text)
{
	static const struct {
		const char *name;
		size_t bytes;
	} hashes[] = {{"md5", 16}, {"sha1", 20}, {"sha256", 32}, {"sha512", 64}};
	struct str digits = text, name = str_cut(&digits, ':');
	uint8_t bytes[64];

	for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
		if (str_is(name, hashes[i].name))
			return digits.p && nix32_decode(digits, bytes, hashes[i].bytes);
	return false;
}

bool ca_valid(struct str ca)
{
	static const char text[] = "text:", fixed[] = "fixed:", tree[] = "fixed:r:";

	if (str_starts(ca, "text:sha256:"))
		return digest_valid(str_drop(ca, strlen(text)));
	if (str_starts(ca, tree))
		return digest_valid(str_drop(ca, strlen(tree)));
	return str_starts(ca, fixed) && digest_valid(str_drop(ca, strlen(fixed)));
}

/* The digits of a path of this type and content: a SHA-256, folded. */
static void path_digits(struct str type, const uint8_t hash[HASH_SHA256_LEN], struct str name,
                        char out[static STORE_DIGEST_LEN + 1])
{
	uint8_t full[HASH_SHA256_LEN], folded[DIGEST_BYTES] = {0};
	char hex[HASH_HEX_SIZE];
	struct buf b = BUF_INIT;

	buf_putf(&b, "%.*s:%s:" STORE_DIR ":%.*s", STR_ARG(type), hash_format_hex(hash, hex),
	         STR_ARG(name));
	sha256_of(b.p, b.n, full);
	buf_fini(&b);
	for (size_t i = 0; i < sizeof full; i++)
		folded[i % DIGEST_BYTES] ^= full[i];
	nix32_encode(folded, sizeof folded, out);
}

/* "text" or "source", and what it refers to. */
static void put_type(struct buf *b, const char *type, const struct narinfo *info)
{
	buf_puts(b, type);
	for (size_t i = 0; i < info->nrefs; i++)
		buf_putf(b, ":" STORE_DIR "/%.*s", STR_ARG(info->refs[i]));
}

static void fixed_file_digits(const struct narinfo *info, const uint8_t hash[HASH_SHA256_LEN],
                              char out[static STORE_DIGEST_LEN + 1])
{
	uint8_t inner[HASH_SHA256_LEN];
	char hex[HASH_HEX_SIZE];
	struct buf b = BUF_INIT;

	buf_putf(&b, "fixed:out:%s:", hash_format_hex(hash, hex));
	sha256_of(b.p, b.n, inner);
	buf_fini(&b);
	path_digits(STR("output:out"), inner, info->path.name, out);
}

static bool refers_to_itself(const struct narinfo *info)
{
	for (size_t i = 0; i < info->nrefs; i++)
		if (str_eq(info->refs[i], info->path.base))
			return true;
	return false;
}

/* Compare the path's own digits with the expected ones. */
static int compare(const struct narinfo *info, const char *digits, struct err *err)
{
	char shown[SHOW_SIZE], ca[SHOW_SIZE];

	if (str_is(info->path.digest, digits))
		return 0;
	return err_set(err, ERR_MISMATCH,
	               "%s is not the path of its content address %s: that is %s",
	               show_str(info->path.base, shown), show_str(info->ca, ca), digits);
}

int ca_check(const struct narinfo *info, enum ca_proof *proof, uint8_t file[HASH_SHA256_LEN],
             struct err *err)
{
	static const char text[] = "text:", fixed[] = "fixed:", tree[] = "fixed:r:";
	bool is_text = str_starts(info->ca, text), is_tree = str_starts(info->ca, tree);
	size_t skip = strlen(is_text ? text : is_tree ? tree : fixed);
	char digits[STORE_DIGEST_LEN + 1];
	struct buf type = BUF_INIT;
	struct err other = ERR_INIT;
	uint8_t hash[HASH_SHA256_LEN];

	*proof = CA_UNPROVEN;
	if ((!is_text && !str_starts(info->ca, fixed)) ||
	    hash_parse(str_drop(info->ca, skip), hash, &other) < 0 || refers_to_itself(info))
		return 0;
	if (is_tree && memcmp(hash, info->nar_hash, sizeof hash) != 0)
		return err_set(err, ERR_MISMATCH, "the content address of %.*s is not its NAR hash",
		               STR_ARG(info->path.base));
	if (is_text || is_tree) {
		put_type(&type, is_text ? "text" : "source", info);
		path_digits(buf_str(&type), hash, info->path.name, digits);
	} else if (info->nrefs) {
		return 0;
	} else {
		fixed_file_digits(info, hash, digits);
	}
	buf_fini(&type);
	if (compare(info, digits, err) < 0)
		return -(int)err->code;
	*proof = is_tree ? CA_NAR : CA_FILE;
	memcpy(file, hash, sizeof hash);
	return 0;
}
