/* SPDX-License-Identifier: MIT */
/* Files of binary caches; the samples were made by Nix. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "nix/cache_info.h"
#include "nix/content_address.h"
#include "nix/narinfo.h"
#include "nix/signature.h"

#define KEY "test-1:7FwsYd5Xh+R+mW4xT2Krg19fgTrwP8NwUkphq9KdYg0="
#define TOP "svfh75w9qw83dga83f4n1sm5lmhnwl7c"
#define SIG                                                                                        \
	"test-1:luYA/2Sr00kbfE3NFduJOJszbFFjxBcw+VykzhjGZWunSm819GCZpy6WIx1rhABKvdzEExcLxwP8jra/"  \
	"p4QgAw=="
#define HEAD                                                                                       \
	"StorePath: /nix/store/" TOP "-top\n"                                                      \
	"URL: nar/0h0794rvzhf8xpmh5bmrpbxhjrai1p8xmsq2icyzjgisv3sqbjwh.nar.xz\n"
#define HASHES                                                                                     \
	"FileHash: sha256:0h0794rvzhf8xpmh5bmrpbxhjrai1p8xmsq2icyzjgisv3sqbjwh\n"                  \
	"FileSize: 212\n"                                                                          \
	"NarHash: sha256:1q0k7d48v5pxfks00c8wmp122w9map2r5xsfm0fiakrvyhz1gdmf\n"                   \
	"NarSize: 216\n"
#define REFS "References: 9xhdf7mi5294qx6vrv6r40nrwjxk9qid-linked " TOP "-top\n"
#define GOOD HEAD "Compression: xz\n" HASHES REFS "Sig: " SIG "\n"
#define LINKED "9xhdf7mi5294qx6vrv6r40nrwjxk9qid"
#define LINKED_REST                                                                                \
	"StorePath: /nix/store/" LINKED "-linked\nURL: nar/x.nar\nCompression: none\n"             \
	"NarHash: sha256:0faq3bjwbwy49dkiicmr7gfd2zrdci58pz5qls6h6p9dp8wf8x9r\nNarSize: 128\n"

static void narinfo_fields(void **state)
{
	struct narinfo n;
	struct err err = ERR_INIT;

	assert_ok(narinfo_parse(STR(GOOD "Deriver: 90ysvscsph52rslb6xryjrz6fpp5956w-top.drv\n"),
	                        STR(TOP), &n, &err),
	          &err);
	assert_true(str_is(n.path.name, "top"));
	assert_true(str_is(n.compression, "xz"));
	assert_true(n.has_file_hash);
	assert_int_equal(n.file_size, 212);
	assert_int_equal(n.nar_size, 216);
	assert_int_equal(n.nrefs, 2);
	assert_true(str_is(n.refs[1], TOP "-top"));
	assert_true(str_is(n.deriver, "90ysvscsph52rslb6xryjrz6fpp5956w-top.drv"));
	assert_int_equal(n.nsigs, 1);
	assert_int_equal(n.ca.n, 0);
	narinfo_fini(&n);
}

/* As some caches write them: other line ends, full paths, blanks, duplicates. */
static void narinfo_deviations(void **state)
{
	static const char *const texts[] = {
	        HEAD HASHES "References: " TOP "-top  " LINKED "-linked " TOP "-top \n",
	        HEAD HASHES "References: /nix/store/" TOP "-top " LINKED "-linked\nNew: thing\n",
	        HEAD HASHES REFS "Deriver: unknown-deriver\r\nSig: a:b\nSig: a:b\n\n",
	};
	struct narinfo n;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_ok(narinfo_parse(str_from(texts[i]), STR(TOP), &n, &err), &err);
		assert_true(str_is(n.compression, "bzip2"));
		assert_int_equal(n.nrefs, 2);
		assert_true(str_is(n.refs[0], LINKED "-linked"));
		assert_int_equal(n.deriver.n, 0);
		assert_true(n.nsigs <= 1);
		narinfo_fini(&n);
	}
}

static void narinfo_refused(void **state)
{
	static const struct {
		const char *text, *words;
		enum err_code code;
	} cases[] = {
	        {"", "StorePath is missing", ERR_FORMAT},
	        {"<html>", "not a line", ERR_FORMAT},
	        {HEAD REFS, "NarHash is missing", ERR_FORMAT},
	        {GOOD "NarSize: 216\n", "duplicate", ERR_FORMAT},
	        {GOOD "URL: nar/y\n", "duplicate", ERR_FORMAT},
	        {"StorePath: /nix/store/" LINKED "-x\nURL: a\n" HASHES, "describes", ERR_MISMATCH},
	        {"StorePath: /nix/store/../" TOP "-top\nURL: a\n" HASHES, "not a store path",
	         ERR_FORMAT},
	        {HEAD HASHES "References: ../../etc\n", "not a store path", ERR_FORMAT},
	        {HEAD "NarHash: md5:00\nNarSize: 1\n", "NarHash", ERR_FORMAT},
	        {HEAD "NarHash: sha256:1q0k7d48v5pxfks00c8wmp122w9map2r5xsfm0fiakrvyhz1gdmf\n"
	              "NarSize: 0\n",
	         "NarSize", ERR_FORMAT},
	        {HEAD "NarHash: sha256:1q0k7d48v5pxfks00c8wmp122w9map2r5xsfm0fiakrvyhz1gdmf\n"
	              "NarSize: 99999999999999999999\n",
	         "NarSize", ERR_FORMAT},
	        {HEAD "NarHash: sha256:1q0k7d48v5pxfks00c8wmp122w9map2r5xsfm0fiakrvyhz1gdmf\n"
	              "NarSize: 100\nFileSize: 100000000\n",
	         "FileSize 100000000", ERR_FORMAT},
	};
	struct narinfo n;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_fails(narinfo_parse(str_from(cases[i].text), STR(TOP), &n, &err), &err,
		             cases[i].code, cases[i].words);
}

static void narinfo_urls_refused(void **state)
{
	static const char *const urls[] = {
	        "",
	        "/etc/passwd",
	        "../x",
	        "a/../../x",
	        "http://user:pw@elsewhere/x",
	        "http://",
	        "http:///x",
	        "https://h",
	        "https://@h/x",
	        "HTTP://h/x",
	        "s3://b/x",
	        "ftp://h/x",
	        ".",
	        "nar/.",
	        "./../x",
	        "./nar//x",
	        "//host/x",
	        "a//b",
	        "file:///x",
	        "a/%2e%2e/x",
	        "a/%2E./x",
	        "a b",
	        "a\\..\\x",
	        "a/\x01",
	        "nar/x#y",
	};
	struct narinfo n;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		_free_ char *text =
		        xasprintf("StorePath: /nix/store/" TOP "-top\nURL: %s\n" HASHES, urls[i]);

		assert_fails(narinfo_parse(str_from(text), STR(TOP), &n, &err), &err, ERR_FORMAT,
		             "URL");
	}
	assert_ok(narinfo_parse(STR("StorePath: /nix/store/" TOP "-top\n"
	                            "URL: a/b.nar?token=a/../b\n" HASHES),
	                        STR(TOP), &n, &err),
	          &err);
	narinfo_fini(&n);
}

static void narinfo_addresses_refused(void **state)
{
	static const char *const addresses[] = {
	        "foo:bar",
	        "text",
	        "text:sha256",
	        "text:sha1:iwjz551fyw0cxcjgf4l6c879zabd6wpm",
	        "fixed:",
	        "fixed:r:",
	        "fixed:sha1:x",
	        "fixed:sha3:iwjz551fyw0cxcjgf4l6c879zabd6wpm",
	        "fixed:sha256:iwjz551fyw0cxcjgf4l6c879zabd6wpm",
	        "fixed:r:r:sha1:iwjz551fyw0cxcjgf4l6c879zabd6wpm",
	        "fixed:sha1:iwjz551fyw0cxcjgf4l6c879zabd6wpm x",
	};
	struct narinfo n;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		_free_ char *text = xasprintf("%sCA: %s\n", GOOD, addresses[i]);

		assert_fails(narinfo_parse(str_from(text), STR(TOP), &n, &err), &err, ERR_FORMAT,
		             "not a content address");
	}
}

/* Less common fields, and unknown ones of older or newer versions. */
static void narinfo_taken(void **state)
{
	static const struct {
		const char *url;
		bool absolute;
	} urls[] = {
	        {"./nar/x.nar.xz", false},
	        {"nar/./x", false},
	        {"http://elsewhere/x", true},
	        {"https://elsewhere:8443/nar/x.nar?a=b:c@d", true},
	};
	struct narinfo n;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		_free_ char *text = xasprintf("StorePath: /nix/store/" TOP "-top\nURL: %s\n" HASHES
		                              "Compression: zst\nSystem: x\nProvenance: {}\n"
		                              "NarinfoVersion: 2\nNarinfoVersion: 3\n",
		                              urls[i].url);

		assert_ok(narinfo_parse(str_from(text), STR(TOP), &n, &err), &err);
		assert_true(str_is(n.url, urls[i].url));
		assert_true(str_is(n.compression, "zst"));
		assert_int_equal(narinfo_url_is_absolute(n.url), urls[i].absolute);
		narinfo_fini(&n);
	}
	assert_ok(narinfo_parse(STR("StorePath: /nix/store/" TOP "-top\nURL: a\n" HASHES
	                            "Compression: \n"),
	                        STR(TOP), &n, &err),
	          &err);
	assert_true(str_is(n.compression, "bzip2"));
	narinfo_fini(&n);
}

static void signatures(void **state)
{
	struct public_key keys[2];
	struct buf message = BUF_INIT;
	struct narinfo n;
	struct err err = ERR_INIT;

	assert_ok(public_key_parse(STR("cache.nixos.org-1:"
	                               "6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="),
	                           &keys[0], &err),
	          &err);
	assert_ok(public_key_parse(STR(KEY), &keys[1], &err), &err);
	assert_ok(narinfo_parse(STR(GOOD), STR(TOP), &n, &err), &err);
	fingerprint_format(&n, &message);
	assert_true(signature_valid(n.sigs[0], buf_str(&message), keys, 2));
	assert_false(signature_valid(n.sigs[0], buf_str(&message), keys, 1));
	memcpy(keys[0].name, "test-1", 7);
	assert_false(signature_valid(n.sigs[0], buf_str(&message), keys, 1));
	assert_false(signature_valid(STR("test-1:"), buf_str(&message), keys, 2));
	assert_false(signature_valid(STR(""), buf_str(&message), keys, 2));
	message.p[0] = '2';
	assert_false(signature_valid(n.sigs[0], buf_str(&message), keys, 2));
	buf_fini(&message);
	narinfo_fini(&n);
}

/* Made for this test only. */
#define SECRET                                                                                     \
	"test-1:GpC/aShmB4bJbbSxCl6UUjsD4YNQC+BLT8ZgdsBjCcQfaHI1dRBk/20Yg2ghSI3KVTwa/"             \
	"pXXpjDIHcfdSHVA3g=="

static void keys_refused(void **state)
{
	static const char *const texts[] = {
	        "",
	        "test-1",
	        ":7FwsYd5Xh+R+mW4xT2Krg19fgTrwP8NwUkphq9KdYg0=",
	        "test-1:7FwsYd5Xh+R+mW4xT2Krg19fgTrwP8NwUkphq9KdYg0",
	        "test-1:7FwsYd5Xh+R+mW4xT2Krg19fgTrwP8NwUkphq9KdYg1=",
	        "test-1:AAAA",
	        "te st:7FwsYd5Xh+R+mW4xT2Krg19fgTrwP8NwUkphq9KdYg0=",
	        KEY "=",
	        SECRET,
	};
	struct public_key key;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_fails(public_key_parse(str_from(texts[i]), &key, &err), &err, ERR_FORMAT,
		             "public key");
	/* The last one is secret. */
	assert_null(strstr(err.text, "GpC"));
}

static void content_addresses(void **state)
{
	static const struct {
		const char *digest, *text;
		enum ca_proof proof;
	} cases[] = {
	        {LINKED,
	         LINKED_REST "CA: text:sha256:0fa6vcqh0lf7n0blr8psdvd84mnl2d0a7724hl029m5xbjsr70wh",
	         CA_FILE},
	        {"mkaprdbshi79vngdviyi6b1dkbkin418",
	         "StorePath: /nix/store/mkaprdbshi79vngdviyi6b1dkbkin418-t.nix\nURL: x\nNarSize: "
	         "280\n"
	         "NarHash: sha256:0p8cybilaasi36987ph3ff9w6yw46r3v1v3avjxzz7s8rzspsw51\n"
	         "CA: fixed:sha256:11wczd8bz7scd656kw9jazprrb640pcqijs6apgjxqbv5462hav1",
	         CA_FILE},
	        {"vjx6g6im3wzk8gf218j6nqr0daq66nr0",
	         "StorePath: /nix/store/vjx6g6im3wzk8gf218j6nqr0daq66nr0-t.nix\nURL: x\nNarSize: "
	         "280\n"
	         "NarHash: sha256:0p8cybilaasi36987ph3ff9w6yw46r3v1v3avjxzz7s8rzspsw51\n"
	         "CA: fixed:r:sha256:0p8cybilaasi36987ph3ff9w6yw46r3v1v3avjxzz7s8rzspsw51",
	         CA_NAR},
	        {LINKED, LINKED_REST, CA_UNPROVEN},
	        {LINKED, LINKED_REST "CA: fixed:sha1:iwjz551fyw0cxcjgf4l6c879zabd6wpm",
	         CA_UNPROVEN},
	        {LINKED, LINKED_REST "CA:", CA_UNPROVEN},
	};
	static const char *const lies[] = {
	        "CA: fixed:r:sha256:0faq3bjwbwy49dkiicmr7gfd2zrdci58pz5qls6h6p9dp8wf8x9r",
	        "CA: fixed:r:sha256:0fa6vcqh0lf7n0blr8psdvd84mnl2d0a7724hl029m5xbjsr70wh",
	        "CA: fixed:sha256:0fa6vcqh0lf7n0blr8psdvd84mnl2d0a7724hl029m5xbjsr70wh",
	        "CA: text:sha256:0faq3bjwbwy49dkiicmr7gfd2zrdci58pz5qls6h6p9dp8wf8x9r",
	        "References: " TOP
	        "-top\nCA: text:sha256:0fa6vcqh0lf7n0blr8psdvd84mnl2d0a7724hl029m5xbjsr70wh",
	};
	uint8_t file[HASH_SHA256_LEN];
	enum ca_proof proof;
	struct narinfo n;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(
		        narinfo_parse(str_from(cases[i].text), str_from(cases[i].digest), &n, &err),
		        &err);
		assert_ok(ca_check(&n, &proof, file, &err), &err);
		assert_int_equal(proof, cases[i].proof);
		narinfo_fini(&n);
	}
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		_free_ char *text = xasprintf(LINKED_REST "%s\n", lies[i]);

		assert_ok(narinfo_parse(str_from(text), STR(LINKED), &n, &err), &err);
		assert_fails(ca_check(&n, &proof, file, &err), &err, ERR_MISMATCH,
		             "content address");
		narinfo_fini(&n);
	}
}

static void cache_infos(void **state)
{
	struct cache_info info;
	struct err err = ERR_INIT;

	assert_ok(cache_info_parse(STR("StoreDir: /nix/store"), &info, &err), &err);
	assert_int_equal(info.priority, 50);
	assert_ok(cache_info_parse(STR("StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 40\n"),
	                           &info, &err),
	          &err);
	assert_int_equal(info.priority, 40);
	assert_true(info.want_mass_query);
	assert_ok(cache_info_parse(STR(""), &info, &err), &err);
	assert_fails(cache_info_parse(STR("StoreDir: /gnu/store\n"), &info, &err), &err,
	             ERR_UNSUPPORTED, "/gnu/store");
	assert_fails(cache_info_parse(STR("Priority: -1\n"), &info, &err), &err, ERR_FORMAT,
	             "Priority");
	assert_fails(cache_info_parse(STR("<html>\n"), &info, &err), &err, ERR_FORMAT, "line");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(narinfo_fields),
	        cmocka_unit_test(narinfo_deviations),
	        cmocka_unit_test(narinfo_refused),
	        cmocka_unit_test(narinfo_urls_refused),
	        cmocka_unit_test(narinfo_addresses_refused),
	        cmocka_unit_test(narinfo_taken),
	        cmocka_unit_test(signatures),
	        cmocka_unit_test(keys_refused),
	        cmocka_unit_test(content_addresses),
	        cmocka_unit_test(cache_infos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
