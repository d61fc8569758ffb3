/* SPDX-License-Identifier: MIT */
/* The small texts: nix32, hashes, store paths, channels. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "base/test/test.h"
#include "nix/channel.h"
#include "nix/hash.h"
#include "nix/nix32.h"
#include "nix/store_path.h"

#define D32 "0123456789abcdfghijklmnpqrsvwxyz"

/* Expected values are what nix-hash --to-base32 prints. */
static void nix32_known(void **state)
{
	uint8_t ones[32], count[20], got[32];
	char text[NIX32_LEN(32) + 1];

	memset(ones, 0xff, sizeof ones);
	nix32_encode(ones, 32, text);
	assert_string_equal(text, "1zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
	assert_true(nix32_decode(str_from(text), got, 32));
	assert_memory_equal(got, ones, 32);
	nix32_encode(ones, 20, text);
	assert_string_equal(text, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
	for (unsigned i = 0; i < sizeof count; i++)
		count[i] = (uint8_t)(i + 1);
	nix32_encode(count, 20, text);
	assert_string_equal(text, "2h9i448h1w70s30b184hh1q60l2060h1");
	assert_true(nix32_decode(str_from(text), got, 20));
	assert_memory_equal(got, count, 20);
}

/* The number of unused bits in the first digit depends on the length. */
static void nix32_lengths(void **state)
{
	uint8_t in[40], got[40];
	char text[NIX32_LEN(40) + 1];

	for (size_t n = 1; n <= sizeof in; n++) {
		unsigned spare = (unsigned)(NIX32_LEN(n) * 5 - n * 8);

		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(i * 73 + n);
		in[n - 1] |= 0x80;
		nix32_encode(in, n, text);
		assert_int_equal(strlen(text), NIX32_LEN(n));
		assert_true(nix32_decode(str_from(text), got, n));
		assert_memory_equal(got, in, n);
		text[0] = 'z';
		assert_int_equal(nix32_decode(str_from(text), got, n), spare == 0);
	}
}

static void nix32_refused(void **state)
{
	uint8_t got[20] = {42};
	static const char *const bad[] = {
	        "",
	        "2h9i448h1w70s30b184hh1q60l2060h",   /* short */
	        "2h9i448h1w70s30b184hh1q60l2060h11", /* long */
	        "2h9i448h1w70s30b184hh1q60l2060he",  /* e, o, t, u are not digits */
	        "2h9i448h1w70s30b184hh1q60l2060hA",
	        "2h9i448h1w70s30b184hh1q60l2060h\xc3",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(nix32_decode(str_from(bad[i]), got, 20));
	assert_false(nix32_decode((struct str){D32 "\0", 33}, got, 20));
	assert_false(nix32_decode((struct str){"\0" D32, 32}, got, 20));
	assert_int_equal(got[0], 42);
}

static void hashes(void **state)
{
	struct err err = ERR_INIT;
	uint8_t abc[HASH_SHA256_LEN], got[HASH_SHA256_LEN];
	char hex[HASH_HEX_SIZE], n32[HASH_NIX32_SIZE];
	struct sha256 h;

	sha256_of("abc", 3, abc);
	assert_string_equal(
	        hash_format_hex(abc, hex),
	        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(hash_format_nix32(abc, n32),
	                    "sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s");
	assert_ok(hash_parse(str_from(hex), got, &err), &err);
	assert_memory_equal(got, abc, sizeof abc);
	memset(got, 0, sizeof got);
	assert_ok(hash_parse(str_from(n32), got, &err), &err);
	assert_memory_equal(got, abc, sizeof abc);
	memset(got, 0, sizeof got);
	assert_ok(hash_parse(STR("sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), got, &err),
	          &err);
	assert_memory_equal(got, abc, sizeof abc);
	memset(got, 0, sizeof got);
	assert_ok(hash_parse(STR("sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), got, &err),
	          &err);
	assert_memory_equal(got, abc, sizeof abc);
	/* One context, one message after the other, in pieces. */
	sha256_init(&h);
	sha256_final(&h, got);
	assert_int_equal(got[0], 0xe3);
	sha256_update(&h, "a", 1);
	sha256_update(&h, "bc", 2);
	sha256_final(&h, got);
	assert_memory_equal(got, abc, sizeof abc);
	sha256_fini(&h);
}

static void hashes_refused(void **state)
{
	static const char *const bad[] = {
	        "",
	        "sha256:",
	        "sha256-",
	        "sha512:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s",
	        "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s",
	        "sha256:zb8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s",
	        "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
	        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015adx",
	        "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",  /* no = */
	        "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=", /* spare bits */
	        "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa==",
	        "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIA a0=",
	        "sha256-=ngWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
	};
	struct err err = ERR_INIT;
	uint8_t got[HASH_SHA256_LEN];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(hash_parse(str_from(bad[i]), got, &err), &err, ERR_FORMAT, bad[i]);
}

static void store_paths(void **state)
{
	_free_ char *long_name = NULL;
	_free_ char *again = NULL;
	struct err err = ERR_INIT;
	struct store_path sp;
	struct str rest;

	assert_ok(store_path_parse(STR("/nix/store/" D32 "-a+B._?=-9"), &sp, &err), &err);
	assert_true(str_is(sp.base, D32 "-a+B._?=-9"));
	assert_true(str_is(sp.digest, D32));
	assert_true(str_is(sp.name, "a+B._?=-9"));
	again = store_path_format(&sp);
	assert_string_equal(again, "/nix/store/" D32 "-a+B._?=-9");
	assert_ok(store_path_parse_base(STR(D32 "-.hidden"), &sp, &err), &err);
	assert_ok(store_path_parse_base(STR(D32 "-..a"), &sp, &err), &err);
	assert_ok(store_path_parse_base(STR(D32 "--"), &sp, &err), &err);
	long_name = xasprintf("/nix/store/" D32 "-%0*d", STORE_NAME_MAX, 0);
	assert_int_equal(strlen(long_name), STORE_PATH_MAX);
	assert_ok(store_path_parse(str_from(long_name), &sp, &err), &err);

	assert_ok(store_path_split(STR("/nix/store/" D32 "-y/bin/z"), &sp, &rest, &err), &err);
	assert_true(str_is(sp.name, "y"));
	assert_true(str_is(rest, "/bin/z"));
	assert_ok(store_path_split(STR("/nix/store/" D32 "-y"), &sp, &rest, &err), &err);
	assert_int_equal(rest.n, 0);
	assert_ok(store_path_split(STR("/nix/store/" D32 "-y/...a/.b"), &sp, &rest, &err), &err);
}

static void store_paths_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
	        {"", "must start with"},
	        {"nix/store/" D32 "-x", "must start with"},
	        {"/nix/store", "must start with"},
	        {"/nix/stores/" D32 "-x", "must start with"},
	        {"/nix/store/", "32 digits"},
	        {"/nix/store/.links", "32 digits"},
	        {"/nix/store/" D32, "32 digits"},
	        {"/nix/store/" D32 "_x", "32 digits"},
	        {"/nix/store/0" D32 "-x", "32 digits"},
	        {"/nix/store/" D32 "-", "empty"},
	        {"/nix/store/0123456789abcdefghijklmnpqrsvwxy-x", "without e"},
	        {"/nix/store/0123456789ABCDFGHIJKLMNPQRSVWXYZ-x", "without e"},
	        {"/nix/store/" D32 "-a b", "may only have"},
	        {"/nix/store/" D32 "-a\nb", "a\\x0ab"},
	        {"/nix/store/" D32 "-\xc3\xa4", "may only have"},
	        {"/nix/store/" D32 "-.", "is . or .."},
	        {"/nix/store/" D32 "-..", "is . or .."},
	        {"/nix/store/" D32 "-.-x", "starts with .-"},
	        {"/nix/store/" D32 "-..-", "starts with .-"},
	};
	_free_ char *long_name = xasprintf("/nix/store/" D32 "-%0*d", STORE_NAME_MAX + 1, 0);
	struct err err = ERR_INIT;
	struct store_path sp;
	struct str rest;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct str s = str_from(bad[i].text);

		assert_fails(store_path_parse(s, &sp, &err), &err, ERR_FORMAT, bad[i].words);
		assert_fails(store_path_split(s, &sp, &rest, &err), &err, ERR_FORMAT, bad[i].words);
	}
	assert_fails(store_path_parse(str_from(long_name), &sp, &err), &err, ERR_FORMAT, "211");
	assert_fails(store_path_parse(STR("/nix/store/" D32 "-x/y"), &sp, &err), &err, ERR_FORMAT,
	             "inside one");
	assert_fails(store_path_parse_base(STR("/nix/store/" D32 "-x"), &sp, &err), &err,
	             ERR_FORMAT, "32 digits");
	assert_fails(store_path_parse_base(STR(D32 "-x/y"), &sp, &err), &err, ERR_FORMAT,
	             "may only have");
	assert_fails(store_path_parse((struct str){"/nix/store/" D32 "-x\0y", 47}, &sp, &err), &err,
	             ERR_FORMAT, "may only have");
}

static void splits_refused(void **state)
{
	static const char *const bad[] = {
	        "/nix/store/" D32 "-x/",      "/nix/store/" D32 "-x//y",
	        "/nix/store/" D32 "-x/..",    "/nix/store/" D32 "-x/../../etc",
	        "/nix/store/" D32 "-x/a/./b", "/nix/store/" D32 "-x/a/.",
	};
	struct err err = ERR_INIT;
	struct store_path sp;
	struct str rest;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(store_path_split(str_from(bad[i]), &sp, &rest, &err), &err, ERR_FORMAT,
		             "empty, . or .. part");
	assert_fails(
	        store_path_split((struct str){"/nix/store/" D32 "-x/a\0b", 49}, &sp, &rest, &err),
	        &err, ERR_FORMAT, "part");
}

static void channels(void **state)
{
	static const struct {
		const char *version, *url;
	} rows[] = {
	        {"25.11.20251201.ccccccc", "https://channels.nixos.org/nixos-25.11"},
	        {"25.11", "https://channels.nixos.org/nixos-25.11"},
	        {"14.04.20140101.abcdef0", "https://channels.nixos.org/nixos-14.04"},
	        {"25.05beta807.abcdef0", "https://channels.nixos.org/nixos-25.05"},
	        {"23.05pre-git", "https://channels.nixos.org/nixos-unstable"},
	        {"24.05pre587.abcdef0", "https://channels.nixos.org/nixos-unstable"},
	        {"", NULL},
	        {"25", NULL},
	        {"25.1", NULL},
	        {"25.00.1", NULL},
	        {"25.13.1", NULL},
	        {"25.111", NULL},
	        {"25-11", NULL},
	        {"x5.11", NULL},
	        {"test", NULL},
	        {"25.11/../x", NULL},
	};
	char url[CHANNEL_URL_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool ok = channel_url(str_from(rows[i].version), url);

		assert_int_equal(ok, rows[i].url != NULL);
		if (ok)
			assert_string_equal(url, rows[i].url);
	}
}

static void shown(void **state)
{
	char long_text[1000], out[SHOW_SIZE];

	memset(long_text, 'a', sizeof long_text);
	assert_string_equal(show_str(STR("a\x1b[1m"), out), "a\\x1b[1m");
	assert_string_equal(show_str(STR(""), out), "");
	assert_int_equal(strlen(show_str((struct str){long_text, SHOW_SIZE - 1}, out)),
	                 SHOW_SIZE - 1);
	assert_false(str_ends(str_from(out), "..."));
	assert_int_equal(strlen(show_str((struct str){long_text, SHOW_SIZE}, out)), SHOW_SIZE - 1);
	assert_true(str_ends(str_from(out), "a..."));
	memset(long_text, 1, sizeof long_text);
	assert_true(str_ends(str_from(show_str((struct str){long_text, 1000}, out)), "..."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nix32_known),
	        cmocka_unit_test(nix32_lengths),
	        cmocka_unit_test(nix32_refused),
	        cmocka_unit_test(hashes),
	        cmocka_unit_test(hashes_refused),
	        cmocka_unit_test(store_paths),
	        cmocka_unit_test(store_paths_refused),
	        cmocka_unit_test(splits_refused),
	        cmocka_unit_test(channels),
	        cmocka_unit_test(shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
