/* SPDX-License-Identifier: MIT */
/* Private keys of SSH servers. Keys of ssh-keygen are tested in test/build. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "nixos/ssh_key.h"

/* The parts of a key file; the secret itself is never read. */
struct recipe {
	const char *magic, *cipher, *type, *private_type;
	uint32_t count, check;
};

static const struct recipe good = {
        .magic = "openssh-key-v1",
        .cipher = "none",
        .type = "ssh-ed25519",
        .private_type = "ssh-ed25519",
        .count = 1,
        .check = 7,
};

static void put_be32(struct buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_u8(b, (uint8_t)(v >> shift));
}

static void put_text(struct buf *b, const char *s, size_t n)
{
	put_be32(b, (uint32_t)n);
	buf_put(b, s, n);
}

static char *make(const struct recipe *r)
{
	struct buf b = BUF_INIT, public = BUF_INIT, half = BUF_INIT, text = BUF_INIT;
	char *line;

	put_text(&public, r->type, strlen(r->type));
	put_text(&public, "0123456789abcdef0123456789abcdef", 32);
	put_be32(&half, 7);
	put_be32(&half, r->check);
	put_text(&half, r->private_type, strlen(r->private_type));
	buf_put(&b, r->magic, strlen(r->magic) + 1);
	put_text(&b, r->cipher, strlen(r->cipher));
	put_text(&b, "none", 4);
	put_text(&b, "", 0);
	put_be32(&b, r->count);
	put_text(&b, public.p, public.n);
	put_text(&b, half.p, half.n);
	line = xmalloc(b.n * 2 + 8);
	EVP_EncodeBlock((unsigned char *)line, (const unsigned char *)b.p, (int)b.n);
	buf_puts(&text, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t i = 0; i < strlen(line); i += 70)
		buf_putf(&text, "%.70s\n", line + i);
	buf_puts(&text, "-----END OPENSSH PRIVATE KEY-----\n");
	buf_fini(&b);
	buf_fini(&public);
	buf_fini(&half);
	free(line);
	return buf_steal(&text);
}

static void types(void **state)
{
	static const struct {
		const char *name, *type;
	} cases[] = {
	        {"ssh-ed25519", "ed25519"},
	        {"ssh-rsa", "rsa"},
	        {"ecdsa-sha2-nistp256", "ecdsa"},
	        {"ecdsa-sha2-nistp521", "ecdsa"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct recipe r = good;
		_free_ char *text = NULL, *commented = NULL, *longer = NULL;
		struct ssh_key k;

		r.type = r.private_type = cases[i].name;
		text = make(&r);
		assert_ok(ssh_key_parse(str_from(text), &k, &err), &err);
		assert_string_equal(k.type, cases[i].type);
		assert_memory_equal(k.line, cases[i].name, strlen(cases[i].name));
		commented = xasprintf("%s somebody", k.line);
		longer = xasprintf("%sx", k.line);
		assert_true(ssh_key_matches(&k, str_from(k.line)));
		assert_true(ssh_key_matches(&k, str_from(commented)));
		assert_false(ssh_key_matches(&k, str_from(longer)));
		assert_false(ssh_key_matches(&k, STR("ssh-ed25519 AAAA")));
		ssh_key_fini(&k);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *magic, *cipher, *type, *private_type;
		uint32_t count, check;
		enum err_code code;
		const char *words;
	} cases[] = {
	        {"openssh-key-v2", "none", "ssh-rsa", "ssh-rsa", 1, 7, ERR_FORMAT, "malformed"},
	        {"openssh-key-v1", "aes256-ctr", "ssh-rsa", "ssh-rsa", 1, 7, ERR_UNSUPPORTED,
	         "passphrase"},
	        {"openssh-key-v1", "none", "ssh-dss", "ssh-dss", 1, 7, ERR_UNSUPPORTED, "ecdsa"},
	        {"openssh-key-v1", "none", "sk-ssh-ed25519@openssh.com", "x", 1, 7, ERR_UNSUPPORTED,
	         "ecdsa"},
	        {"openssh-key-v1", "none", "ssh-rsa", "ssh-ed25519", 1, 7, ERR_FORMAT,
	         "do not match"},
	        {"openssh-key-v1", "none", "ssh-rsa", "ssh-rsa", 1, 8, ERR_FORMAT, "do not match"},
	        {"openssh-key-v1", "none", "ssh-rsa", "ssh-rsa", 2, 7, ERR_FORMAT, "malformed"},
	};
	struct err err = ERR_INIT;
	struct ssh_key k;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct recipe r = {cases[i].magic,        cases[i].cipher, cases[i].type,
		                   cases[i].private_type, cases[i].count,  cases[i].check};
		_free_ char *text = make(&r);

		assert_fails(ssh_key_parse(str_from(text), &k, &err), &err, cases[i].code,
		             cases[i].words);
	}
}

static void other_texts(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *words;
	} cases[] = {
	        {"", ERR_FORMAT, "not a private"},
	        {"hello\n", ERR_FORMAT, "not a private"},
	        {"ssh-ed25519 AAAA me\n", ERR_FORMAT, "public key"},
	        {"-----BEGIN RSA PRIVATE KEY-----\n", ERR_UNSUPPORTED, "ssh-keygen -p"},
	        {"-----BEGIN OPENSSH PRIVATE KEY-----\n", ERR_FORMAT, "truncated"},
	        {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", ERR_FORMAT, "truncated"},
	        {"-----BEGIN OPENSSH PRIVATE KEY-----\n====\n-----END OPENSSH PRIVATE KEY-----\n",
	         ERR_FORMAT, "malformed"},
	        {"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!!\n-----END OPENSSH PRIVATE KEY-----\n",
	         ERR_FORMAT, "base64"},
	};
	struct err err = ERR_INIT;
	struct ssh_key k;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_fails(ssh_key_parse(str_from(cases[i].text), &k, &err), &err, cases[i].code,
		             cases[i].words);
}

/* Truncated anywhere, it is an error, and nothing is read beyond its end. */
static void cut(void **state)
{
	_free_ char *text = make(&good);
	struct err err = ERR_INIT;
	struct ssh_key k;

	for (size_t n = 0; n < strlen(text) - 1; n++) {
		_free_ char *part = xstrndup(text, n);

		assert_true(ssh_key_parse((struct str){part, n}, &k, &err) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(types),
	        cmocka_unit_test(refused),
	        cmocka_unit_test(other_texts),
	        cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
