/* SPDX-License-Identifier: MIT */
/* extlinux menus in NixOS's form, read and written again. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "nixos/extlinuxcfg.h"

#define S "/nix/store/"
#define K "22222222222222222222222222222222-linux-6.12"
#define I "33333333333333333333333333333333-initrd-linux-6.12"
#define T "44444444444444444444444444444444-trees"
#define TOP(c) S c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c "-nixos-system-x"

#define ENTRY(c)                                                                                   \
	{.toplevel = TOP(c),                                                                       \
	 .init = TOP(c) "/init",                                                                   \
	 .kernel = S K "/Image",                                                                   \
	 .initrd = S I "/initrd",                                                                  \
	 .params = "console=hvc0 quiet"}

static const struct grub_special specials[] = {
        {.name = "2b", .configuration_name = "", .version = "v2", .time = 1, .entry = ENTRY("4")},
        {.name = "9a", .configuration_name = "x", .version = "v2", .time = 1, .entry = ENTRY("5")},
        {.name = "a", .configuration_name = "", .version = "v2", .time = 1, .entry = ENTRY("6")},
        {.name = "c", .configuration_name = "", .version = "v2", .time = 1, .entry = ENTRY("7")},
};
/* In the order in which they are shown. */
static const size_t shown_order[] = {1, 0, 3, 2};

struct style {
	const char *header, *before, *after, *dir, *fdt;
	bool copies, special, trees, old, none; /* none: no generations are shown */
};

static const struct style plain = {
        .header = "# made by a test\nDEFAULT nixos-default\n\nMENU TITLE ---\nTIMEOUT 50\n",
        .before = "",
        .after = "",
        .dir = "../nixos/",
        .copies = true,
};

static void say_entry(const struct style *st, struct buf *b, const char *tag, const char *made,
                      const char *version, const struct grub_entry *e)
{
	const char *sep = st->copies ? "-" : "/";

	buf_putf(b, "\nLABEL nixos-%s\n", tag);
	if (made)
		buf_putf(b, "  MENU LABEL NixOS - Configuration %s (%s - %s)\n", tag, made,
		         version);
	else
		buf_puts(b, "  MENU LABEL NixOS - Default\n");
	buf_putf(b, "  LINUX %s" K "%sImage\n  INITRD %s" I "%sinitrd\n  APPEND ", st->dir, sep,
	         st->dir, sep);
	if (st->old)
		buf_putf(b, "systemConfig=%s ", e->toplevel);
	buf_putf(b, "init=%s %s\n", e->init, e->params);
	if (st->trees)
		buf_putf(b, "  %s %s" T "%s%s\n", st->fdt ? "FDT" : "FDTDIR", st->dir,
		         st->fdt ? "/" : "", st->fdt ? st->fdt : "");
}

static void say_generation(const struct style *st, struct buf *b, const struct grub_generation *g)
{
	_free_ char *made = xasprintf("2025-10-0%u 23:59", g->number);
	_free_ char *tag = xasprintf("%u%s", g->number, st->special ? "-default" : "");

	say_entry(st, b, tag, made, g->version, &g->entry);
	for (size_t i = 0; i < g->n_specials; i++) {
		const struct grub_special *s = &g->specials[shown_order[i]];
		_free_ char *name = xasprintf("%u-%s", g->number, s->name);
		struct grub_entry e = s->entry;

		say_entry(st, b, name, made, s->version, &e);
	}
}

static void check(const struct style *st)
{
	struct grub_generation v[] = {
	        {.number = 2, .time = 5, .version = "v2", .entry = ENTRY("2")},
	        {.number = 1, .time = 5, .version = "v1", .entry = ENTRY("1")},
	};
	struct grub_profile profile = {.generations = v, .n = 2};
	struct extlinux_form form;
	struct extlinuxcfg cfg = {.form = &form, .limit = st->none ? 0 : 20, .profile = &profile};
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 2 && st->trees; i++)
		v[i].entry.dtbs = S T;
	if (st->special) {
		v[0].specials = specials;
		v[0].n_specials = ARRAY_LEN(specials);
	}
	cfg.current = &v[0];
	buf_putf(&text, "%s%s", st->header, st->before);
	say_entry(st, &text, "default", NULL, NULL, &v[0].entry);
	for (size_t i = 0; i < 2 && !st->none; i++)
		say_generation(st, &text, &v[i]);
	buf_puts(&text, st->after);
	for (size_t round = 0; round < 2; round++) {
		assert_ok(extlinux_form_learn("menu", buf_str(&text), &form, &err), &err);
		assert_int_equal(form.shown, st->none ? 0 : 2);
		assert_int_equal(form.oldest, st->none ? 0 : 1);
		buf_reset(&again);
		assert_ok(extlinuxcfg_format(&cfg, &again, &err), &err);
		assert_string_equal(again.p, text.p);
		extlinux_form_fini(&form);
	}
	buf_fini(&text);
	buf_fini(&again);
}

#define FOREIGN                                                                                    \
	"\nlabel memtest\n\tmenu label Memtest\n\tkernel ../memtest\n\n# remark\n"                 \
	"LABEL nixos-rescue\n  LINUX ../nixos/rescue\n  APPEND init=/bin/sh\n"

static void settings(void **state)
{
	struct style st = plain;

	check(&st);
	st.header = "UI menu.c32\nTIMEOUT 0\nDEFAULT memtest\nPROMPT 1\n";
	st.before = FOREIGN;
	check(&st);
	st.after = FOREIGN;
	check(&st);
	st.dir = "/nix/store/";
	st.copies = false;
	check(&st);
	st.dir = "/@root/nix/store/";
	st.none = true;
	check(&st);
	st = plain;
	st.trees = true;
	check(&st);
	st.fdt = "vendor/board.dtb";
	check(&st);
	st = plain;
	st.special = true;
	check(&st);
	st = plain;
	st.old = true;
	check(&st);
}

static void knowledge(void **state)
{
	static const char text[] =
	        "default nixos-12\nLABEL nixos-default\nMENU LABEL Xos - Default\nLINUX ../nixos/" K
	        "-Image\nINITRD ../nixos/" I "-initrd\nAPPEND init=" TOP("1") "/init a\n" FOREIGN;
	struct grub_generation g = {
	        .number = 3, .time = 86399, .version = "v", .entry = ENTRY("1")};
	struct grub_profile profile = {.generations = &g, .n = 1};
	struct extlinux_form form;
	struct extlinuxcfg cfg = {.form = &form, .limit = 20, .current = &g, .profile = &profile};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	const char **copies;

	assert_ok(extlinux_form_learn("menu", str_from(text), &form, &err), &err);
	assert_true(extlinux_form_mentions(&form, "rescue"));
	assert_false(extlinux_form_mentions(&form, "resc"));
	assert_ok(extlinuxcfg_format(&cfg, &out, &err), &err);
	/* The default is NixOS's again, and generations follow it. */
	assert_true(!strncmp(out.p, "DEFAULT nixos-default\n\nLABEL nixos-default\n", 43));
	assert_non_null(strstr(out.p, "LABEL nixos-3\n  MENU LABEL Xos - Configuration 3 "
	                              "(1970-01-01 23:59 - v)\n"));
	assert_int_equal(extlinuxcfg_copies(&cfg, &copies), 2);
	assert_string_equal(copies[0], S K "/Image");
	free(copies);
	g.entry.params = "a\nLABEL b";
	assert_fails(extlinuxcfg_format(&cfg, &out, &err), &err, ERR_FORMAT, "one line");
	extlinux_form_fini(&form);
	buf_fini(&out);
}

#define DEFAULT_ENTRY(kernel, rest)                                                                \
	"LABEL nixos-default\nMENU LABEL NixOS - Default\nLINUX " kernel "\nINITRD ../nixos/" I    \
	"-initrd\nAPPEND init=" TOP("1") "/init\n" rest

static void refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	        {"", "it has no label nixos-default"},
	        {"LABEL linux\nLINUX /vmlinuz\n", "it has no label nixos-default"},
	        {"LABEL nixos-default", "it has no label nixos-default"},
	        {"LABEL nixos-default\nMENU LABEL NixOS - Default\nLINUX ../nixos/" K
	         "-Image\nINITRD /initrd\nAPPEND init=" TOP("1") "/init\n",
	         "in another directory"},
	        {"LABEL nixos-default\nAPPEND init=/sbin/init\n", "it has no label nixos-default"},
	        {DEFAULT_ENTRY("/vmlinuz", ""), "outside the store"},
	        {DEFAULT_ENTRY("../nixos/" K "-Image", "MENU DEFAULT\n"), "does not write"},
	        {DEFAULT_ENTRY("../nixos/" K "-Image", "FDT ../x.dtb\n"), "device tree"},
	        {DEFAULT_ENTRY("../nixos/" K "-Image", DEFAULT_ENTRY("../nixos/" K "-Image", "")),
	         "twice"},
	        {"LABEL nixos-default\nMENU LABEL x\nLINUX ../nixos/" K "-Image\nINITRD ../nixos/" I
	         "-initrd\nAPPEND init=" TOP("1") "/init\n",
	         "title"},
	        {DEFAULT_ENTRY("../nixos/" K "-Image",
	                       "LABEL nixos-1\nAPPEND init=" TOP("1") "/init\n"),
	         "label nixos-1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct extlinux_form form;
		struct err err = ERR_INIT;

		assert_fails(extlinux_form_learn("menu", str_from(bad[i].text), &form, &err), &err,
		             ERR_UNSUPPORTED, bad[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(settings),
	        cmocka_unit_test(knowledge),
	        cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
