/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "nixos/grubcfg.h"

#define SYS "/nix/store/11111111111111111111111111111111-nixos-system-x-25.11"
#define KERNEL "/nix/store/22222222222222222222222222222222-linux-6.12.40/bzImage"
#define INITRD "/nix/store/33333333333333333333333333333333-initrd-linux-6.12.40/initrd"

#define ENTRY {.init = SYS "/init", .kernel = KERNEL, .initrd = INITRD, .params = "loglevel=4"}

static const struct grub_special specials[] = {
        {.name = "debug", .configuration_name = "", .version = "25.11", .time = 1, .entry = ENTRY},
        {.name = "z", .configuration_name = "Named", .version = "25.11", .time = 1, .entry = ENTRY},
};

static const struct grub_generation generations[] = {
        {.number = 3, .time = 1759449600, .version = "25.11.3", .entry = ENTRY},
        {.number = 2,
         .time = 1759363200,
         .version = "25.11.2",
         .entry = ENTRY,
         .specials = specials,
         .n_specials = 2},
        {.number = 1, .time = 1, .version = "25.11.1", .entry = ENTRY},
};

static const struct grub_profile profile = {.generations = generations, .n = 3};

static const struct grub_place by_uuid_place = {
        .by = GRUB_BY_UUID, .boot_id = "B", .root_id = "R", .timeout = 5};

/* The form is valid until the next call. */
static struct grubcfg of(const struct grub_place *place)
{
	static struct grub_form form;

	grub_form_fini(&form);
	if (place)
		grub_form_new(place, &form);
	return (struct grubcfg){
	        .form = &form,
	        .limit = 100,
	        .current = &generations[0],
	        .profiles = &profile,
	        .n_profiles = 1,
	};
}

static struct grubcfg usual(void)
{
	return of(&by_uuid_place);
}

static void check(const struct grubcfg *cfg, const char *const *lines, const char *absent)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	const char *at;

	assert_ok(grubcfg_format(cfg, &out, &err), &err);
	at = out.p;
	for (; *lines; lines++) {
		const char *found = strstr(at, *lines);

		if (!found)
			fail_msg("no '%s' in, or not in this order in:\n%s", *lines, out.p);
		at = found + 1;
	}
	if (absent && strstr(out.p, absent))
		fail_msg("'%s' in:\n%s", absent, out.p);
	buf_fini(&out);
}

static void by_uuid(void **state)
{
	static const char *const lines[] = {
	        "\nsearch --set=drive1 --fs-uuid R\nsearch --set=drive2 --fs-uuid R\n",
	        "set default=0\n",
	        "set timeout=5\n",
	        "menuentry \"NixOS\" --class nixos --unrestricted {\nsearch --set=drive1 --fs-uuid "
	        "R\n",
	        "  linux "
	        "($drive2)/nix/store/22222222222222222222222222222222-linux-6.12.40/bzImage "
	        "init=" SYS "/init loglevel=4\n",
	        "  initrd ($drive2)/nix/store/33333333333333333333333333333333-initrd-",
	        "submenu \"NixOS - All configurations\" --class submenu {\n",
	        "menuentry \"NixOS - Configuration 3 (2025-10-03 - 25.11.3)\" --class nixos {\n",
	        "submenu \"> NixOS - Configuration 2 (2025-10-02 - 25.11.2)\" --class submenu {\n",
	        "menuentry \"NixOS - Configuration 2 - Default (2025-10-02 - 25.11.2)\" ",
	        "menuentry \"NixOS - Configuration 2 - (debug - 1970-01-01 - 25.11)\"  {\n",
	        "menuentry \"NixOS - Configuration 2 - Named\"  {\n",
	        "menuentry \"NixOS - Configuration 1 (1970-01-01 - 25.11.1)\" ",
	        NULL,
	};
	struct grubcfg cfg = usual();

	check(&cfg, lines, "kernels/");
}

static void shapes(void **state)
{
	static const char *const label[] = {"search --set=drive1 --label B\n",
	                                    "  linux ($drive1)//kernels/2222", NULL};
	static const char *const provided[] = {"unrestricted {\n  linux /kernels/2222",
	                                       "-linux-6.12.40-bzImage init=", NULL};
	static const char *const copied[] = {"linux ($drive1)/boot/kernels/2222", NULL};
	static const char *const plain[] = {"linux /nix/store/2222", NULL};
	struct grub_place place = by_uuid_place;
	struct grubcfg cfg;

	place.by = GRUB_BY_LABEL;
	place.separate_boot = place.copy_kernels = true;
	cfg = of(&place);
	check(&cfg, label, "drive2");
	place.by = GRUB_PROVIDED;
	cfg = of(&place);
	check(&cfg, provided, "search");
	place = by_uuid_place;
	place.copy_kernels = true;
	cfg = of(&place);
	check(&cfg, copied, "drive2");
	place = by_uuid_place;
	place.by = GRUB_PROVIDED;
	cfg = of(&place);
	check(&cfg, plain, "search");
}

static void limit(void **state)
{
	static const char *const lines[] = {"Configuration 3", "Configuration 2", NULL};
	struct grub_place place = by_uuid_place;
	struct grubcfg cfg = usual();
	const char **copies;

	cfg.limit = 2;
	check(&cfg, lines, "Configuration 1 ");
	assert_int_equal(grubcfg_copies(&cfg, &copies), 0);
	free(copies);
	place.copy_kernels = true;
	cfg = of(&place);
	cfg.limit = 2;
	assert_int_equal(grubcfg_copies(&cfg, &copies), 2);
	assert_string_equal(copies[0], KERNEL);
	assert_string_equal(copies[1], INITRD);
	free(copies);
}

static void hostile(void **state)
{
	static const char *const bad[] = {"a\"b", "a\nb", "a$(x)", "a`b", "a\\b"};
	struct grub_generation g = generations[0];
	struct grub_profile p = {.generations = &g, .n = 1};
	struct grubcfg cfg = usual();
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	cfg.current = &g;
	cfg.profiles = &p;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		g.version = bad[i];
		assert_fails(grubcfg_format(&cfg, &out, &err), &err, ERR_FORMAT,
		             "cannot be written");
	}
	g.version = "1";
	g.entry.params = "a\n}\nmenuentry x {";
	assert_fails(grubcfg_format(&cfg, &out, &err), &err, ERR_FORMAT, "kernel parameters");
	buf_fini(&out);
	of(NULL);
}

static void entry_is(const struct grubcfg *cfg, unsigned number, const char *want)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(grubcfg_entry(cfg, number, &out, &err), want ? 0 : 1);
	assert_string_equal(out.p ? out.p : "", want ? want : "");
	buf_fini(&out);
}

/* The path that next_entry has for a generation; of one with specialisations, by its number. */
static void paths(void **state)
{
	char before[] = "menuentry \"x\" {\n  true\n}\nif true; then\n  set a=b\nfi\n";
	char distro[] = "a>b>>";
	struct grub_piece pieces[] = {{.kind = GRUB_PROFILE, .before = before}};
	struct grubcfg cfg = usual();
	struct grub_form kept = *cfg.form;

	entry_is(&cfg, 3,
	         "NixOS - All configurations>NixOS - Configuration 3 (2025-10-03 - 25.11.3)");
	entry_is(&cfg, 2,
	         "NixOS - All configurations>1>"
	         "NixOS - Configuration 2 - Default (2025-10-02 - 25.11.2)");
	entry_is(&cfg, 4, NULL);
	cfg.limit = 1;
	entry_is(&cfg, 2, NULL);
	cfg.limit = 2;
	kept.pieces = pieces;
	kept.n = 1;
	kept.distro = distro;
	cfg.form = &kept;
	entry_is(&cfg, 2,
	         "a>>b>>>> - All configurations>2>"
	         "a>>b>>>> - Configuration 2 - Default (2025-10-02 - 25.11.2)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(by_uuid), cmocka_unit_test(shapes),  cmocka_unit_test(limit),
	        cmocka_unit_test(paths),   cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
