/* SPDX-License-Identifier: MIT */
/* Menus in the forms of NixOS's releases, read and written again. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "nixos/grubcfg.h"

#define S "/nix/store/"
#define K "22222222222222222222222222222222-linux-6.12"
#define I "33333333333333333333333333333333-initrd-linux-6.12"
#define TOP(c) S c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c "-nixos-system-x"

#define ENTRY(c)                                                                                   \
	{.toplevel = TOP(c),                                                                       \
	 .init = TOP(c) "/init",                                                                   \
	 .kernel = S K "/bzImage",                                                                 \
	 .initrd = S I "/initrd",                                                                  \
	 .params = "loglevel=4 quiet"}

static const struct grub_special specials[] = {
        {.name = "debug",
         .configuration_name = "",
         .version = "v2",
         .time = 1,
         .entry = ENTRY("4")},
        {.name = "z",
         .configuration_name = "Named",
         .version = "v2",
         .time = 1,
         .entry = ENTRY("5")},
};

/* The form of a release, and settings of a configuration. */
struct style {
	const char *header, *before, *after, *tail;
	const char *distro, *options, *sub_options, *submenu_options;
	const char *head, *dir;
	const char *mark;
	const char *secrets;         /* the default system's second initrd, with its directory */
	bool old;                    /* as before generations could be submenus */
	bool copies, special, other; /* specialisations; another profile */
};

static const struct style plain = {
        .header = "# made by a test\nset default=0\nset timeout=-1\n\n",
        .before = "",
        .after = "",
        .tail = "",
        .distro = "NixOS",
        .options = "--class nixos --unrestricted",
        .sub_options = "--class nixos",
        .submenu_options = "--class submenu ",
        .head = "search --set=drive1 --fs-uuid B\nsearch --set=drive2 --fs-uuid R\n",
        .dir = "($drive2)/nix/store/",
        .mark = "> ",
};

/* ---- the menu as the release writes it ------------------------------------ */

static void say_entry(const struct style *st, struct buf *b, const char *name, const char *options,
                      const struct grub_entry *e, const char *secrets)
{
	const char *sep = st->copies ? "-" : "/";

	buf_putf(b, "menuentry \"%s\" %s {\n%s", name, options, st->head);
	buf_putf(b, "  linux %s" K "%sbzImage ", st->dir, sep);
	if (st->old)
		buf_putf(b, "systemConfig=%s ", e->toplevel);
	buf_putf(b, "init=%s %s\n  initrd %s" I "%sinitrd%s%s\n}\n\n", e->init, e->params, st->dir,
	         sep, secrets ? " " : "", secrets ? secrets : "");
}

static void say_specials(const struct style *st, struct buf *b, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
		const struct grub_special *s = &specials[i];
		_free_ char *title = *s->configuration_name
		                             ? xasprintf("%s - %s", name, s->configuration_name)
		                             : xasprintf("%s - (%s - 1970-01-01 - %s)", name,
		                                         s->name, s->version);

		say_entry(st, b, title, "", &s->entry, NULL);
	}
}

static void say_generation(const struct style *st, struct buf *b, const struct grub_generation *g)
{
	bool nested = st->special && !st->old && g->n_specials;
	_free_ char *name = xasprintf("%s - Configuration %u", st->distro, g->number);
	_free_ char *title = xasprintf("%s%s (2025-10-0%u - %s)", name, nested ? " - Default" : "",
	                               g->number, g->version);

	if (nested)
		buf_putf(b, "submenu \"%s%s (2025-10-0%u - %s)\" --class submenu {\n", st->mark,
		         name, g->number, g->version);
	say_entry(st, b, title, st->sub_options, &g->entry, g->number == 2 ? st->secrets : NULL);
	if (nested) {
		say_specials(st, b, name);
		buf_puts(b, "}\n");
	}
}

static void say_menu(const struct style *st, struct buf *b, const struct grub_profile *profiles)
{
	_free_ char *title =
	        xasprintf("%s%s", st->distro, st->old || st->special ? " - Default" : "");

	buf_putf(b, "%s%s", st->header, st->before);
	say_entry(st, b, title, st->options, &profiles[0].generations[0].entry, st->secrets);
	if (st->special && !st->old)
		say_specials(st, b, st->distro);
	buf_puts(b, st->after);
	if (st->special && st->old)
		say_specials(st, b, st->distro);
	buf_putf(b, "submenu \"%s - All configurations\" %s{\n", st->distro, st->submenu_options);
	for (size_t i = 0; i < profiles[0].n; i++)
		say_generation(st, b, &profiles[0].generations[i]);
	buf_puts(b, "}\n");
	if (st->other) {
		buf_putf(b, "submenu \"%s - Profile 'test'\" %s{\n", st->distro,
		         st->submenu_options);
		say_generation(st, b, &profiles[1].generations[0]);
		buf_puts(b, "}\n");
	}
	buf_puts(b, st->tail);
}

/* ---- read and written again ----------------------------------------------- */

static void learn(const char *text, struct grub_form *form)
{
	struct err err = ERR_INIT;

	assert_ok(grub_form_learn("menu", str_from(text), form, &err), &err);
}

static void write_again(const struct style *st, const char *text,
                        const struct grub_profile *profiles, struct buf *out)
{
	struct grub_form form;
	struct err err = ERR_INIT;
	struct grub_generation current;
	struct grubcfg cfg = {.form = &form, .limit = 100, .profiles = profiles};

	learn(text, &form);
	current = profiles[0].generations[0];
	cfg.current = &current;
	cfg.n_profiles = st->other ? 2 : 1;
	assert_ok(grubcfg_format(&cfg, out, &err), &err);
	grub_form_fini(&form);
}

static void check(const struct style *st)
{
	const char *secrets = st->secrets ? strrchr(st->secrets, '/') + 1 : NULL;
	/* The date differs from the time: it must be taken from the menu. */
	struct grub_generation v[] = {
	        {.number = 2, .time = 5, .version = "v2", .entry = ENTRY("2")},
	        {.number = 1, .time = 5, .version = "v1", .entry = ENTRY("1")},
	};
	struct grub_generation other = {
	        .number = 7, .time = 5, .version = "v7", .entry = ENTRY("7")};
	struct grub_profile profiles[] = {{.generations = v, .n = 2},
	                                  {.name = "test", .generations = &other, .n = 1}};
	struct buf text = BUF_INIT, again = BUF_INIT;

	v[0].entry.secrets = secrets;
	if (st->special) {
		v[0].specials = specials;
		v[0].n_specials = ARRAY_LEN(specials);
	}
	say_menu(st, &text, profiles);
	write_again(st, text.p, profiles, &again);
	assert_string_equal(again.p, text.p);
	buf_reset(&text);
	write_again(st, again.p, profiles, &text);
	assert_string_equal(text.p, again.p);
	buf_fini(&text);
	buf_fini(&again);
}

#define EXTRA                                                                                      \
	"menuentry \"Memtest\" { linux16 ($drive1)/memtest.bin; }\n# a remark\n"                   \
	"submenu 'NixOS tools' {\n\tmenuentry \"NixOS - Rescue\" {\n\t\tchainloader +1\n\t}\n}\n"

static void settings(void **state)
{
	struct style st = plain;

	check(&st);
	st.header =
	        "\npassword joe secret\nset superusers=\"joe root\"\n        set root=(hd0)\n"
	        "if [ \"${x}\" ]; then\n  set default=\"${saved_entry}\"\nfi\n"
	        "function savedefault {\n    if [ -z \"${boot_once}\"]; then\n    true\n    fi\n}\n"
	        "\n\n";
	check(&st);
	st.head = "  savedefault\n\n  root (hd0)\n  if true; then\n    set a=\"b }\"\n  fi\n\n";
	st.dir = "/kernels/";
	st.copies = true;
	check(&st);
	st.dir = "($drive1)//kernels/";
	st.distro = "My Linux 3";
	st.options = st.sub_options = st.submenu_options = "";
	check(&st);
	st.before = EXTRA;
	check(&st);
	st.after = st.tail = EXTRA;
	check(&st);
	st.other = true;
	check(&st);
	st.secrets = "($drive1)//kernels/22222222222222222222222222222222-nixos-system-x-secrets";
	check(&st);
	st.special = true;
	check(&st);
	st.mark = "";
	check(&st);
}

static void releases(void **state)
{
	struct style st = plain;

	st.special = true;
	check(&st);
	st.special = false;
	st.old = true;
	st.options = "--unrestricted";
	st.sub_options = st.submenu_options = "";
	check(&st);
	st.after = EXTRA;
	check(&st);
	st.special = true;
	check(&st);
	st.after = "";
	check(&st);
	st.secrets = "($drive1)/boot/kernels/initrd-secrets";
	check(&st);
}

/* A menu that domstrap itself wrote is read, too. */
static void own(void **state)
{
	static const struct grub_place places[] = {
	        {.by = GRUB_BY_UUID, .root_id = "R", .timeout = 5},
	        {.by = GRUB_BY_LABEL, .root_id = "R", .copy_kernels = true},
	        {.by = GRUB_PROVIDED, .separate_boot = true, .copy_kernels = true},
	        {.by = GRUB_PROVIDED},
	};
	static const struct grub_generation g = {
	        .number = 1, .time = 1, .version = "v", .entry = ENTRY("1")};
	static const struct grub_profile profile = {.generations = &g, .n = 1};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct buf text = BUF_INIT, again = BUF_INIT;
		struct grub_form form;
		struct grubcfg cfg = {.form = &form,
		                      .limit = 1,
		                      .current = &g,
		                      .profiles = &profile,
		                      .n_profiles = 1};
		struct err err = ERR_INIT;

		grub_form_new(&places[i], &form);
		assert_ok(grubcfg_format(&cfg, &text, &err), &err);
		grub_form_fini(&form);
		write_again(&plain, text.p, &profile, &again);
		assert_string_equal(again.p, text.p);
		buf_fini(&text);
		buf_fini(&again);
	}
}

/* ---- values taken from the menu ------------------------------------------- */

static void knowledge(void **state)
{
	static const struct grub_generation v[] = {
	        {.number = 12, .time = 5, .version = "v2", .entry = ENTRY("2")},
	        {.number = 9, .time = 5, .version = "v1", .entry = ENTRY("1")},
	};
	static const struct grub_profile profiles[] = {{.generations = v, .n = 2}};
	struct style st = plain;
	struct buf text = BUF_INIT;
	struct grub_form form;

	st.before = "menuentry x { initrd /kernels/mine ; }\n";
	st.secrets = "($drive1)/boot/kernels/a-secrets";
	say_menu(&st, &text, profiles);
	learn(text.p, &form);
	assert_int_equal(form.shown, 2);
	assert_int_equal(form.oldest, 9);
	assert_string_equal(form.secrets_dir, "($drive1)/boot/kernels/");
	assert_string_equal(grub_form_init(&form, TOP("2") "/init")->secrets, "a-secrets");
	assert_null(grub_form_init(&form, TOP("1") "/init")->secrets);
	assert_null(grub_form_init(&form, TOP("3") "/init"));
	assert_non_null(grub_form_number(&form, NULL, 9, TOP("1") "/init"));
	assert_null(grub_form_number(&form, NULL, 9, TOP("2") "/init"));
	assert_null(grub_form_number(&form, "test", 9, TOP("1") "/init"));
	assert_true(grub_form_mentions(&form, "mine"));
	assert_false(grub_form_mentions(&form, "min"));
	assert_false(grub_form_mentions(&form, "a-secrets"));
	grub_form_fini(&form);
	buf_fini(&text);
}

#define FINE "\nlinux " S K "/bzImage init=" TOP("1") "/init a\ninitrd " S I "/initrd\n"
#define ALL "submenu \"NixOS - All configurations\" {\ntrue\n}\n"
#define WITH(body) "menuentry \"NixOS\" {" body "}\n" ALL

static void refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	        {"", "it has no submenu"},
	        {"menuentry 'Debian GNU/Linux' {\n  linux /vmlinuz\n  initrd /initrd.img\n}\n",
	         "it has no submenu"},
	        {"menuentry \"NixOS\" {" FINE "}\n", "it has no submenu"},
	        {ALL, "it has no entry 'NixOS'"},
	        {"menuentry 'NixOS' {" FINE "}\n" ALL, "it has no entry 'NixOS'"},
	        {"if true; then\n" WITH(FINE), "the text ends"},
	        {"set x='\n" WITH(FINE), "line "},
	        {WITH("\nlinux /vmlinuz init=" TOP("1") "/init\ninitrd /initrd\n"),
	         "has a kernel outside the store"},
	        {WITH("\nlinux " S K "/bzImage\ninitrd " S I "/initrd\n"), "has no init="},
	        {WITH("\nlinux " S K "/bzImage init=/sbin/init\ninitrd " S I "/initrd\n"),
	         "has no init="},
	        {WITH("\nlinux " S K "/bzImage init=" TOP("1") "/init\n"), "no initrd"},
	        {WITH("\ninitrd " S I "/initrd\nlinux " S K "/bzImage init=" TOP("1") "/init\n"),
	         "no \"linux\" line before"},
	        {WITH("\nlinux " S K "/bzImage init=" TOP("1") "/init\ninitrd /boot" S I
	                                                       "/initrd\n"),
	         "in another directory"},
	        {WITH(FINE FINE), "two \"linux\" lines"},
	        {WITH("\nmultiboot " S "x/xen.gz\nmodule " S K "/bzImage\n"), "hypervisor"},
	        {WITH("linux " S K "/bzImage init=" TOP("1") "/init\ninitrd " S I "/initrd\n"),
	         "on its first line"},
	        {"menuentry \"NixOS\" {" FINE "}\nsubmenu \"NixOS - All configurations\" {\n"
	         "submenu \"> NixOS - Configuration 3 (x)\" {\nmenuentry \"other\" {" FINE
	         "}\nset x=y\n}\n}\n",
	         "does not belong to a generation"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct grub_form form;
		struct err err = ERR_INIT;

		assert_fails(grub_form_learn("menu", str_from(bad[i].text), &form, &err), &err,
		             ERR_UNSUPPORTED, bad[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(settings),  cmocka_unit_test(releases), cmocka_unit_test(own),
	        cmocka_unit_test(knowledge), cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
