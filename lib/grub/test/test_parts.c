/* SPDX-License-Identifier: MIT */
/* The small parts: devices, paths, environment blocks, versions, patterns. */
#include "base/mem.h"
#include "base/test/test.h"
#include "grub/device.h"
#include "grub/grubenv.h"
#include "grub/opts.h"
#include "grub/vercmp.h"

#include <string.h>

static const struct grub_device table[] = {
        {"hd0", NULL, {NULL}},
        {"hd0,msdos1", NULL, {NULL}},
        {"hd0,msdos5", NULL, {"md/boot", "mduuid/0011"}},
        {"hd1", NULL, {NULL}},
        {"hd1,gpt1", NULL, {NULL}},
        {"hd1,gpt2", NULL, {NULL}},
        {"hd2", "xvdz", {NULL}},
        {"hd2,msdos1", "xvdz", {NULL}},
        {"hd3", "xvda1", {NULL}},
        {"lvm/v--g-root", NULL, {"lvmid/A-B/C-D"}},
};

static const struct grub_files files = {.devices = table, .device_count = ARRAY_LEN(table)};

static void devices(void **state)
{
	static const struct {
		const char *name;
		const char *want; /* NULL: none */
	} cases[] = {
	        {"hd0", "hd0"},
	        {"(hd0)", "hd0"},
	        {"hd0,1", "hd0,msdos1"},
	        {"(hd0,msdos1)", "hd0,msdos1"},
	        {"hd0,5", "hd0,msdos5"},
	        {"hd1,2", "hd1,gpt2"},
	        {"hd1,gpt2", "hd1,gpt2"},
	        {"(xen/xvda)", "hd0"},
	        {"xen/xvda,msdos1", "hd0,msdos1"},
	        {"xen/xvda,1", "hd0,msdos1"},
	        {"(xen/xvdb,gpt1)", "hd1,gpt1"},
	        {"(xen/xvdz,1)", "hd2,msdos1"},
	        {"xen/xvda1", "hd3"},
	        {"hd3,1", "hd3"}, /* a disk without partitions */
	        {"(hd3,msdos1)", "hd3"},
	        {"(xen/xvda1,gpt7)", "hd3"},
	        {"(xen/xvda1,apple7)", NULL},
	        {"hd00", "hd0"},
	        {"xen/xvdc", NULL}, /* has another name */
	        {"hd0,gpt1", NULL},
	        {"hd1,msdos1", NULL},
	        {"hd0,2", NULL},
	        {"hd0,0", NULL},
	        {"hd0,", NULL},
	        {"hd0,msdos", NULL},
	        {"hd0,apple1", NULL},
	        {"hd0,msdos1,bsd1", NULL},
	        {"hd0,1x", NULL},
	        {"hd", NULL},
	        {"hd-1", NULL},
	        {"hd0 ", NULL},
	        {"hd4", NULL},
	        {"hd99999999999999999999", NULL},
	        {"hd0,99999999999999999999", NULL},
	        {"xvda", NULL},
	        {"fd0", NULL},
	        {"lvm/v--g-root", "lvm/v--g-root"},
	        {"(lvmid/A-B/C-D)", "lvm/v--g-root"},
	        {"md/boot", "hd0,msdos5"},
	        {"(mduuid/0011)", "hd0,msdos5"},
	        {"lvm/a-b", NULL},
	        {"lvm/v--g-root,1", NULL},
	        {"lvmid/A-B/C-E", NULL},
	        {"md/boo", NULL},
	        {"", NULL},
	        {"()", NULL},
	        {"(", NULL},
	        {"(hd0", NULL},
	        {"xen/", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		size_t dev = 99;
		int rc = device_find(&files, str_from(cases[i].name), 1, &dev, &err);

		if (cases[i].want && (rc < 0 || strcmp(table[dev].name, cases[i].want) != 0))
			fail_msg("%s: not %s: %s", cases[i].name, cases[i].want, err.text);
		if (!cases[i].want && rc != -ERR_NOENT)
			fail_msg("%s: %d %zu", cases[i].name, rc, dev);
	}
}

static void legacy_devices(void **state)
{
	struct err err = ERR_INIT;
	size_t dev;

	assert_ok(device_find(&files, STR("(hd0,0)"), 0, &dev, &err), &err);
	assert_string_equal(table[dev].name, "hd0,msdos1");
	assert_ok(device_find(&files, STR("(hd1,1)"), 0, &dev, &err), &err);
	assert_string_equal(table[dev].name, "hd1,gpt2");
	assert_ok(device_find(&files, STR("hd1"), 0, &dev, &err), &err);
	assert_string_equal(table[dev].name, "hd1");
	assert_fails(device_find(&files, STR("(hd1,2)"), 0, &dev, &err), &err, ERR_NOENT, "hd1,2");
}

static void paths(void **state)
{
	static const char *const cases[][2] = {
	        {"/", "/"},         {"//", "/"},       {"/a", "/a"},           {"//a//b/", "/a/b"},
	        {"/./a/.", "/a"},   {"/a/../b", "/b"}, {"/a/b/../../c", "/c"}, {"/..", "/"},
	        {"/../../a", "/a"}, {"/a/..", "/"},    {"/a/...", "/a/..."},   {"/.a", "/.a"},
	        {"/a b", "/a b"},   {"", "/"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf out = BUF_INIT;

		path_tidy(str_from(cases[i][0]), &out);
		assert_string_equal(out.p, cases[i][1]);
		assert_int_equal(out.n, strlen(out.p));
	}
}

static struct grub_files mutable_files = {.devices = table, .device_count = ARRAY_LEN(table)};

static void locating(void **state)
{
	static const struct {
		const char *name, *root, *dev, *path; /* dev NULL: refused */
	} cases[] = {
	        {"/a", "hd0,msdos1", "hd0,msdos1", "/a"},
	        {"(hd1,2)/a/../b", "hd0", "hd1,gpt2", "/b"},
	        {"(hd1,2)//kernels/x", "", "hd1,gpt2", "/kernels/x"},
	        {"(xen/xvdb,gpt1)/x", "", "hd1,gpt1", "/x"},
	        {"a", "hd0", NULL, "must start"},
	        {"(hd0)a", "hd0", NULL, "must start"},
	        {"(hd0)", "hd0", NULL, "must start"},
	        {"(hd0", "hd0", NULL, "without ')'"},
	        {"()/a", "hd0", NULL, "empty"},
	        {"/a", "", NULL, "empty"},
	        {"/a", "hd9", NULL, "no such device"},
	        {"(hd0)+1", "hd0", NULL, "must start"},
	        {"", "hd0", NULL, "must start"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf path = BUF_INIT;
		struct err err = ERR_INIT;
		size_t dev = 0;
		struct file_base base = {&mutable_files, str_from(cases[i].root), 1, SIZE_MAX};
		int rc = file_locate(&base, str_from(cases[i].name), &dev, &path, NULL, &err);

		if (!cases[i].dev) {
			assert_true(rc < 0);
			assert_non_null(strstr(err.text, cases[i].path));
			continue;
		}
		assert_ok(rc, &err);
		assert_string_equal(table[dev].name, cases[i].dev);
		assert_string_equal(path.p, cases[i].path);
	}
}

/* Partitions have file systems, and so has hd1 itself. */
static int probe(struct grub_files *f, size_t dev, struct grub_probe *out, struct err *err)
{
	*out = (struct grub_probe){.fs = "ext2"};
	return strchr(table[dev].name, ',') || dev == 3 ? 0 : err_set(err, ERR_NOENT, "none");
}

/* A disk with partitions means the partition with the menu. */
static void tables(void **state)
{
	static const struct grub_files_ops ops = {.probe = probe};
	static const struct {
		const char *name, *root;
		size_t home;
		const char *dev;
		bool moved;
	} cases[] = {
	        {"/a", "(hd0)", 2, "hd0,msdos5", true},
	        {"(hd0)/a", "hd1", 1, "hd0,msdos1", true},
	        {"(xen/xvda)/a", "", 1, "hd0,msdos1", true},
	        {"/a", "hd0,1", 2, "hd0,msdos1", false},
	        {"/a", "hd0", 4, "hd0", false}, /* the menu is on another disk */
	        {"/a", "hd1", 4, "hd1", false}, /* has a file system */
	        {"/a", "hd3", 8, "hd3", false},
	        {"/a", "hd0", SIZE_MAX, "hd0", false},
	};
	struct grub_files f = mutable_files;

	f.ops = &ops;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf path = BUF_INIT;
		struct file_base base = {&f, str_from(cases[i].root), 1, cases[i].home};
		struct err err = ERR_INIT;
		bool moved = false;
		size_t dev = 0;

		assert_ok(file_locate(&base, str_from(cases[i].name), &dev, &path, &moved, &err),
		          &err);
		assert_string_equal(table[dev].name, cases[i].dev);
		assert_int_equal(moved, cases[i].moved);
	}
}

static void make_block(struct buf *b, const char *lines, size_t size)
{
	buf_puts(b, "# GRUB Environment Block\n");
	buf_puts(b, lines);
	while (b->n < size)
		buf_puts(b, "#");
}

static void env_reading(void **state)
{
	static const char lines[] = "# WARNING: a comment\n"
	                            "a=1\n"
	                            "empty=\n"
	                            "no equal sign\n"
	                            "=no name\n"
	                            "b=x\\\\y\\\nz=w\n"
	                            "a=2\n";
	static const char *const want[][2] = {
	        {"a", "1"}, {"empty", ""}, {"b", "x\\y\nz=w"}, {"a", "2"}};
	_cleanup_(buf_fini) struct buf block = BUF_INIT, value = BUF_INIT;
	struct err err = ERR_INIT;
	size_t pos = 0, n = 0;
	struct str name;

	make_block(&block, lines, GRUBENV_SIZE);
	assert_ok(grubenv_check(buf_str(&block), &err), &err);
	for (; grubenv_next(buf_str(&block), &pos, &name, &value) == 0; n++) {
		assert_true(n < ARRAY_LEN(want));
		assert_true(str_is(name, want[n][0]));
		assert_true(str_is(buf_str(&value), want[n][1]));
	}
	assert_int_equal(n, ARRAY_LEN(want));
}

static void env_writing(void **state)
{
	static const struct {
		const char *lines, *name, *value, *want; /* want NULL: refused */
	} cases[] = {
	        {"", "a", "1", "a=1\n"},
	        {"a=1\n", "a", "22", "a=22\n"},
	        {"a=1\nb=2\n", "a", NULL, "b=2\n"},
	        {"a=1\nb=2\n", "b", "", "a=1\nb=\n"},
	        {"# note\na=1\n", "b", "2", "# note\na=1\nb=2\n"},
	        {"a=1\na=2\n", "a", "3", "a=3\n"},
	        {"a=1\n", "b", "x\\y\nz", "a=1\nb=x\\\\y\\\nz\n"},
	        {"a=1\n", "none", NULL, "a=1\n"},
	        {"a=1\nrubbish\n", "b", "2", "a=1\nb=2\n"},
	        {"a=1\nm=x\\\n", "b", "2", "a=1\nb=2\n"}, /* swallows the padding */
	        {"a=1\n", "", "2", NULL},
	        {"a=1\n", "b=c", "2", NULL},
	        {"a=1\n", "#b", "2", NULL},
	        {"a=1\n", "b\nc", "2", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf block = BUF_INIT, out = BUF_INIT, want = BUF_INIT;
		struct str value = {NULL, 0};
		struct err err = ERR_INIT;
		int rc;

		make_block(&block, cases[i].lines, GRUBENV_SIZE);
		if (cases[i].value)
			value = str_from(cases[i].value);
		rc = grubenv_format(buf_str(&block), str_from(cases[i].name), value, &out, &err);
		if (!cases[i].want) {
			assert_int_equal(rc, -ERR_FORMAT);
			continue;
		}
		assert_ok(rc, &err);
		make_block(&want, cases[i].want, GRUBENV_SIZE);
		assert_true(str_eq(buf_str(&out), buf_str(&want)));
	}
}

static void env_full(void **state)
{
	_cleanup_(buf_fini) struct buf block = BUF_INIT, out = BUF_INIT;
	struct err err = ERR_INIT;

	make_block(&block, "a=1\n", 40);
	assert_ok(grubenv_format(buf_str(&block), STR("a"), STR("123456789012"), &out, &err), &err);
	assert_int_equal(out.n, 40);
	assert_fails(grubenv_format(buf_str(&block), STR("a"), STR("1234567890123"), &out, &err),
	             &err, ERR_SPACE, "no room for a in the environment block of 40 bytes");
	assert_int_equal(out.n, 40);
	assert_fails(grubenv_check(STR("# GRUB Environment Bloc"), &err), &err, ERR_FORMAT,
	             "not an");
	assert_fails(
	        grubenv_check((struct str){"# GRUB Environment Block\n", GRUBENV_MAX + 1}, &err),
	        &err, ERR_LIMIT, "65537 bytes");
}

/* Each in the order of the specification, the oldest first. */
static void versions(void **state)
{
	static const char *const order[] = {
	        "~1",         "",      "-1",        "^1",    ".1",      "a",
	        "abc-5",      "0~rc1", "1.0.0~rc1", "1.0.0", "1.0.0-1", "1.0.0^a",
	        "1.0.0.1",    "1.0.1", "5.2",       "5.9.1", "5.10",    "5.14.0-70.el9",
	        "5.14.0-162", "122.1", "123~rc1-1", "123",   "123-3",   "123.1-1",
	        "123a",       "123a1", "124-1",     "9999",
	};

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		for (size_t j = 0; j < ARRAY_LEN(order); j++) {
			int c = version_cmp(str_from(order[i]), str_from(order[j]));

			if ((c > 0) - (c < 0) != (i > j) - (i < j))
				fail_msg("%s, %s: %d", order[i], order[j], c);
		}
	assert_int_equal(version_cmp(STR("1_2+3"), STR("1+2_3")), 0);
	assert_int_equal(version_cmp(STR("007"), STR("7")), 0);
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} cases[] = {
	        {"", "", true},
	        {"", "a", false},
	        {"*", "", true},
	        {"*", "abc", true},
	        {"a*c", "abbc", true},
	        {"a*c", "abbd", false},
	        {"a?c", "abc", true},
	        {"a?c", "ac", false},
	        {"[a-c]x", "bx", true},
	        {"[a-c]x", "dx", false},
	        {"[!a-c]x", "dx", true},
	        {"[]]", "]", true},
	        {"[a", "[a", true},
	        {"[a-]", "-", true},
	        {"*.conf", "a.conf", true},
	        {"*a*b*c", "xaxbxc", true},
	        {"*a*b*c", "xcxbxa", false},
	        {"a", "", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (glob_matches(str_from(cases[i].pattern), str_from(cases[i].text)) !=
		    cases[i].want)
			fail_msg("%s, %s", cases[i].pattern, cases[i].text);
}

/* Many stars must not take exponential time. */
static void pattern_time(void **state)
{
	char pattern[201], text[4001];

	for (size_t i = 0; i < 200; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	memset(text, 'a', 4000);
	text[4000] = pattern[200] = '\0';
	pattern[199] = 'b';
	assert_false(glob_matches(str_from(pattern), str_from(text)));
}

static void options(void **state)
{
	static const struct opt opts[] = {
	        {"file", 'f', OPT_FLAG}, {"set", 's', OPT_MAYBE}, {"hint", 'h', OPT_TEXT}};
	static const struct {
		const char *words, *want;
	} cases[] = {
	        {"x a -f b", "0() a b"},
	        {"x --set=v --file k", "1(v) 0() k"},
	        {"x --set v k", "1(v) k"},
	        {"x --set --file k", "1() 0() k"},
	        {"x -fs v k", "0() 1(v) k"},
	        {"x -sv k", "1(v) k"},
	        {"x --hint a --hint=b", "2(a) 2(b)"},
	        {"x -- -f --set", "-f --set"},
	        {"x - a", "- a"},
	        {"x --hint", "bad"},
	        {"x --fil a", "bad"},
	        {"x --file=a", "bad"},
	        {"x -fz", "0() bad"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(texts_fini) struct grub_texts argv = {0};
		_cleanup_(opts_fini) struct opts o = OPTS_OVER(&argv);
		_cleanup_(buf_fini) struct buf got = BUF_INIT;
		struct str rest = str_from(cases[i].words);
		struct err err = ERR_INIT;
		int opt;

		while (rest.p)
			texts_add(&argv, str_cut(&rest, ' '));
		while ((opt = opts_next(&o, opts, 3, &err)) >= 0 && opt < 3)
			buf_putf(&got, "%d(%.*s) ", opt, STR_ARG(o.value));
		if (opt < 0)
			buf_puts(&got, "bad ");
		else
			texts_join(&o.words, 0, &got);
		assert_true(str_is(str_trim(buf_str(&got)), cases[i].want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(devices),      cmocka_unit_test(legacy_devices),
	        cmocka_unit_test(paths),        cmocka_unit_test(locating),
	        cmocka_unit_test(tables),       cmocka_unit_test(env_reading),
	        cmocka_unit_test(env_writing),  cmocka_unit_test(env_full),
	        cmocka_unit_test(versions),     cmocka_unit_test(patterns),
	        cmocka_unit_test(pattern_time), cmocka_unit_test(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
