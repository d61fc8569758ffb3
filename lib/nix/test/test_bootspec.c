/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "nix/bootspec.h"

#define S "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-"
#define V1 "\"org.nixos.bootspec.v1\":"
#define SP "\"org.nixos.specialisation.v1\":"
#define INIT "\"init\":\"" S "sys/init\""
#define TOP "\"toplevel\":\"" S "sys\""
#define LABEL "\"label\":\"NixOS 25.11 (Linux 6.12.40)\""
#define SYSTEM "\"system\":\"x86_64-linux\""
#define PARAMS "\"kernelParams\":[\"loglevel=4\",\"dyndbg=\\\"file a +p\\\"\"]"
#define CORE INIT "," TOP "," LABEL "," SYSTEM
#define ALL CORE "," PARAMS

static int parse(const char *text, struct bootspec *b, struct err *err)
{
	return bootspec_parse(text, strlen(text), b, err);
}

static void whole(void **state)
{
	struct err err = ERR_INIT;
	struct bootspec b;

	assert_ok(parse("{" V1 "{" ALL ",\"kernel\":\"" S "linux/bzImage\",\"initrd\":\"" S
	                "initrd/initrd\",\"initrdSecrets\":\"" S "secrets/run\"}," SP "{\"b\":{" V1
	                "{" ALL "}," SP "{}},\"a\":{" V1 "{" ALL "}}}}",
	                &b, &err),
	          &err);
	assert_string_equal(b.init, S "sys/init");
	assert_string_equal(b.toplevel, S "sys");
	assert_string_equal(b.label, "NixOS 25.11 (Linux 6.12.40)");
	assert_string_equal(b.system, "x86_64-linux");
	assert_string_equal(b.kernel, S "linux/bzImage");
	assert_string_equal(b.initrd, S "initrd/initrd");
	assert_string_equal(b.secrets, S "secrets/run");
	assert_int_equal(b.nparams, 2);
	assert_string_equal(b.params[0], "loglevel=4");
	assert_string_equal(b.params[1], "dyndbg=\"file a +p\"");
	assert_int_equal(b.nspecial, 2);
	assert_string_equal(b.special[0].name, "a");
	assert_string_equal(b.special[1].name, "b");
	assert_null(b.special[1].spec.kernel);
	bootspec_fini(&b);
}

static void least(void **state)
{
	static const char *const good[] = {
	        "{" V1 "{" CORE ",\"kernelParams\":[]}}",
	        "{" V1 "{" ALL ",\"extra\":{\"x\":[null]}},\"org.nixos.bootspec.v2\":7}",
	        " {\"x\":null," SP "{}," V1 "{" ALL "}}\n",
	};
	struct err err = ERR_INIT;
	struct bootspec b;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(parse(good[i], &b, &err), &err);
		assert_null(b.kernel);
		assert_null(b.initrd);
		assert_int_equal(b.nspecial, 0);
		bootspec_fini(&b);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *words;
	} bad[] = {
	        {"", ERR_FORMAT, "line"},
	        {"{", ERR_FORMAT, "line 1"},
	        {"[]", ERR_FORMAT, "not an object"},
	        {"7", ERR_FORMAT, "line 1"},
	        {"{}", ERR_UNSUPPORTED, "no org.nixos.bootspec.v1"},
	        {"{\"org.nixos.bootspec.v2\":{" ALL "}}", ERR_UNSUPPORTED, "v1"},
	        {"{" V1 "[]}", ERR_FORMAT, "v1 is not an object"},
	        {"{" V1 "null}", ERR_FORMAT, "v1 is not an object"},
	        {"{" V1 "{}}", ERR_FORMAT, "init is missing"},
	        {"{" V1 "{" ALL "}} x", ERR_FORMAT, "line 1"},
	        {"{" V1 "{" ALL "," LABEL "}}", ERR_FORMAT, "duplicate"},
	        {"{" V1 "{" ALL ",\"kernel\":null}}", ERR_FORMAT, "kernel is not a string"},
	        {"{" V1 "{" ALL ",\"kernel\":\"\"}}", ERR_FORMAT, "kernel: \"\" is not a store"},
	        {"{" V1 "{" ALL ",\"kernel\":\"/boot/x\"}}", ERR_FORMAT, "must start with"},
	        {"{" V1 "{" ALL ",\"initrd\":\"" S "x/../../../etc/x\"}}", ERR_FORMAT, ".. part"},
	        {"{" V1 "{" ALL ",\"initrd\":\"" S "x/a\\u0000b\"}}", ERR_FORMAT, "line 1"},
	        {"{" V1 "{" ALL ",\"initrd\":\"" S "x/a\\nb\"}}", ERR_FORMAT, "initrd has control"},
	        {"{" V1 "{" ALL ",\"initrd\":\"\xff\"}}", ERR_FORMAT, "decode byte"},
	        {"{" V1 "{" CORE "}}", ERR_FORMAT, "kernelParams is missing"},
	        {"{" V1 "{" CORE ",\"kernelParams\":{}}}", ERR_FORMAT, "not a list"},
	        {"{" V1 "{" CORE ",\"kernelParams\":[1]}}", ERR_FORMAT, "member of kernelParams"},
	        {"{" V1 "{" CORE ",\"kernelParams\":[\"a\\u001b\"]}}", ERR_FORMAT, "control"},
	        {"{" V1 "{" ALL "}," SP "[]}", ERR_FORMAT, "is not an object"},
	        {"{" V1 "{" ALL "}," SP "{\"a/b\":{}}}", ERR_FORMAT, "specialisation name \"a/b\""},
	        {"{" V1 "{" ALL "}," SP "{\"\":{}}}", ERR_FORMAT, "specialisation name \"\""},
	        {"{" V1 "{" ALL "}," SP "{\"a\\n\":{}}}", ERR_FORMAT, "a\\x0a"},
	        {"{" V1 "{" ALL "}," SP "{\"a\":{}}}", ERR_UNSUPPORTED, "\"a\": boot.json: no"},
	        {"{" V1 "{" ALL "}," SP "{\"a\":3}}", ERR_FORMAT, "not an object"},
	};
	struct err err = ERR_INIT;
	struct bootspec b;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(parse(bad[i].text, &b, &err), &err, bad[i].code, bad[i].words);
}

/* n times text, separated by commas. */
static void repeat(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_putf(b, "%s%s", i ? "," : "", text);
}

static void limits(void **state)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct bootspec b;

	for (size_t over = 0; over < 2; over++) {
		buf_reset(&text);
		buf_puts(&text, "{" V1 "{" CORE ",\"kernelParams\":[");
		repeat(&text, "\"a\"", BOOTSPEC_PARAMS_MAX + over);
		buf_puts(&text, "]}}");
		if (over)
			assert_fails(parse(text.p, &b, &err), &err, ERR_LIMIT, "1025 kernelParams");
		else
			assert_ok(parse(text.p, &b, &err), &err);
		if (!over)
			bootspec_fini(&b);
	}
	for (size_t over = 0; over < 2; over++) {
		buf_reset(&text);
		buf_putf(&text, "{" V1 "{" CORE ",\"kernelParams\":[\"%0*d\"]}}",
		         (int)(BOOTSPEC_TEXT_MAX + over), 0);
		if (over)
			assert_fails(parse(text.p, &b, &err), &err, ERR_LIMIT, "4097 bytes");
		else
			assert_ok(parse(text.p, &b, &err), &err);
		if (!over)
			bootspec_fini(&b);
	}
	buf_reset(&text);
	memset(buf_zeros(&text, BOOTSPEC_BYTES_MAX + 1), ' ', BOOTSPEC_BYTES_MAX + 1);
	assert_fails(bootspec_parse(text.p, text.n, &b, &err), &err, ERR_LIMIT, "4194305 bytes");
}

static void nesting(void **state)
{
	struct err err = ERR_INIT;
	struct bootspec b;

	for (unsigned depth = 0; depth <= BOOTSPEC_DEPTH_MAX + 1; depth++) {
		_cleanup_(buf_fini) struct buf text = BUF_INIT;

		buf_puts(&text, "{" V1 "{" ALL "}");
		for (unsigned i = 0; i < depth; i++)
			buf_puts(&text, "," SP "{\"a\":{" V1 "{" ALL "}");
		buf_puts(&text, "," SP "{}");
		for (unsigned i = 0; i < depth; i++)
			buf_puts(&text, "}}");
		buf_puts(&text, "}");
		if (depth > BOOTSPEC_DEPTH_MAX) {
			assert_fails(parse(text.p, &b, &err), &err, ERR_LIMIT, "deeper than 4");
		} else {
			assert_ok(parse(text.p, &b, &err), &err);
			bootspec_fini(&b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whole),  cmocka_unit_test(least),   cmocka_unit_test(refused),
	        cmocka_unit_test(limits), cmocka_unit_test(nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
