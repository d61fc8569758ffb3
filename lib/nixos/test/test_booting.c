/* SPDX-License-Identifier: MIT */
/* What a guest boots: its disks, its menu and its config; and what follows from that. */
#include "guest_make.h"

#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "nixos/follow.h"
#include "nixos/gc_roots.h"

#define GRUB_CFG "/boot/grub/grub.cfg"

/* ---- what boots by default ------------------------------------------------ */

static void check_boots(const struct guest_make *g, enum booting_kind kind, const char *toplevel)
{
	struct err err = ERR_INIT;
	struct off_guest off;

	assert_ok(guest_open(g, OFF_GUEST_LOOK, &off, &err), &err);
	assert_int_equal(off.booting.kind, kind);
	if (!toplevel)
		assert_null(off.booting.toplevel);
	else
		assert_string_equal(off.booting.toplevel, toplevel);
	off_guest_close(&off);
}

static void menus(void **state)
{
	for (enum guest_menu menu = GUEST_GRUB; menu <= GUEST_EXTLINUX; menu++) {
		struct guest_make g = {.generations = 3, .menu = menu};

		guest_make(&g);
		check_boots(&g, BOOTING_MENU, guest_system(3));
		guest_make_fini(&g);
	}
}

/* The config decides, in this order: its kernel, its init=, its entry. */
static void configs(void **state)
{
	_free_ char *init = xasprintf("quiet init=%s/init", guest_system(1));
	const struct booting_config kernel = {.path = "g.cfg", .kernel = "/k", .cmdline = init};
	const struct booting_config cmdline = {.path = "g.cfg", .cmdline = init};
	const struct booting_config entry = {.path = "g.cfg", .entry = "1>1"};
	const struct booting_config none = {.path = "g.cfg"};
	struct guest_make g = {.generations = 3};

	guest_make(&g);
	g.config = &none;
	check_boots(&g, BOOTING_MENU, guest_system(3));
	g.config = &kernel;
	check_boots(&g, BOOTING_CONFIG, guest_system(1));
	g.config = &cmdline;
	check_boots(&g, BOOTING_MENU, guest_system(1));
	/* The second of the submenu's generations, newest first. */
	g.config = &entry;
	check_boots(&g, BOOTING_MENU, guest_system(2));
	guest_make_fini(&g);
}

/* What the boot helper's arguments say; libxl puts its own --args before them. */
static void helper(void **state)
{
	char name[] = "domgrub", kernel[] = "/boot/k", cmdline[] = "quiet";
	char *args[] = {(char[]){"--entry=1"}, (char[]){"--entry"}, (char[]){"1>0"},
	                (char[]){"--args=debug"}};
	struct xlcfg_guest cfg = {.cmdline = cmdline, .guest_kernel = kernel};
	struct booting_config c = booting_config("g.cfg", &cfg);

	assert_string_equal(c.kernel, kernel);
	assert_true(c.in_guest);
	assert_string_equal(c.cmdline, "quiet");
	assert_null(c.entry);
	cfg = (struct xlcfg_guest){.cmdline = cmdline,
	                           .bootloader = name,
	                           .bootloader_args = args,
	                           .n_bootloader_args = ARRAY_LEN(args)};
	c = booting_config("g.cfg", &cfg);
	assert_null(c.kernel);
	assert_string_equal(c.cmdline, "debug");
	assert_string_equal(c.entry, "1>0");
}

/* An init= that names the profile is the system that its links lead to. */
static void profile_init(void **state)
{
	const struct booting_config config = {
	        .path = "g.cfg", .cmdline = "init=" GUEST_STATE_PROFILES "/system/init"};
	struct guest_make g = {.generations = 2, .config = &config};

	guest_make(&g);
	check_boots(&g, BOOTING_MENU, guest_system(2));
	guest_put_link(&g, 0, GUEST_STATE_PROFILES "/system", "system-1-link");
	check_boots(&g, BOOTING_MENU, guest_system(1));
	guest_put_link(&g, 0, GUEST_STATE_PROFILES "/system", "gone");
	check_boots(&g, BOOTING_MENU, NULL);
	guest_make_fini(&g);
}

/* ---- whether a change would be followed ----------------------------------- */

static void check_follow(const struct guest_make *g, enum err_code code, const char *words)
{
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_begin(g, OFF_GUEST_LOOK, &off, &in);
	if (code)
		assert_fails(follow_check(&off, &in, &err), &err, code, words);
	else
		assert_ok(follow_check(&off, &in, &err), &err);
	guest_end(&off, &in);
}

static void check_known(const struct guest_make *g, enum err_code code, const char *words)
{
	struct err err = ERR_INIT;
	struct off_guest off;

	assert_ok(guest_open(g, OFF_GUEST_LOOK, &off, &err), &err);
	if (code)
		assert_fails(follow_known(&off, &err), &err, code, words);
	else
		assert_ok(follow_known(&off, &err), &err);
	off_guest_close(&off);
}

static void no_menu(void **state)
{
	struct guest_make g = {.generations = 1, .menu = GUEST_MENU_NONE};
	const struct booting_config config = {.path = "g.cfg"};

	guest_make(&g);
	check_boots(&g, BOOTING_NOTHING, NULL);
	check_follow(&g, ERR_UNSUPPORTED, "give its xl config");
	check_known(&g, ERR_UNSUPPORTED, "give its xl config");
	g.config = &config;
	check_follow(&g, ERR_UNSUPPORTED, "the guest cannot boot");
	guest_make_fini(&g);
}

/* Menus that cannot be evaluated, or not written. */
static void other_menus(void **state)
{
	_free_ char *own = xasprintf("menuentry \"own\" {\n  linux %s/bzImage init=%s/init\n}\n",
	                             guest_kernel(1), guest_system(1));
	struct guest_make g = {.generations = 2};
	_free_ char *was = NULL;

	guest_make(&g);
	check_follow(&g, 0, NULL);
	check_known(&g, 0, NULL);
	was = guest_read(&g, 0, GRUB_CFG);
	guest_put_file(&g, 0, GRUB_CFG, "if [ x = x ]; then\n");
	check_boots(&g, BOOTING_UNKNOWN, NULL);
	check_follow(&g, ERR_UNSUPPORTED, "cannot be evaluated");
	check_known(&g, ERR_UNSUPPORTED, "cannot be evaluated");
	/* Not NixOS's: it is known what boots, but nothing else can be made to. */
	guest_put_file(&g, 0, GRUB_CFG, own);
	check_boots(&g, BOOTING_MENU, guest_system(1));
	check_follow(&g, ERR_UNSUPPORTED, "run nixos-rebuild in it");
	check_known(&g, 0, NULL);
	/* At another place. */
	guest_put_file(&g, 0, GRUB_CFG, NULL);
	guest_put_file(&g, 0, "/grub/grub.cfg", was);
	check_boots(&g, BOOTING_MENU, guest_system(2));
	check_follow(&g, ERR_UNSUPPORTED, "not at NixOS's path");
	guest_make_fini(&g);
}

static void fixed_init(void **state)
{
	_free_ char *init = xasprintf("init=%s/init", guest_system(2));
	const struct booting_config config = {.path = "g.cfg", .cmdline = init};
	struct guest_make g = {.generations = 2, .config = &config};

	guest_make(&g);
	check_follow(&g, ERR_UNSUPPORTED, "to every entry");
	guest_make_fini(&g);
}

/* ---- roots ---------------------------------------------------------------- */

/* Which of 3 generations are dropped ("d") or stay ("s"), how many paths are roots, and whether the
 * first system is. */
static void check_roots(const struct guest_make *g, const char *want, size_t roots, bool first)
{
	_cleanup_(gc_roots_fini) struct gc_roots r = {.n = 0};
	bool drop[3] = {true, true, true};
	char got[4] = "ddd";
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_begin(g, OFF_GUEST_LOOK, &off, &in);
	assert_ok(follow_known(&off, &err), &err);
	assert_ok(gc_roots_find(&off, &in, drop, &r, &err), &err);
	for (size_t i = 0; i < 3; i++)
		got[i] = drop[i] ? 'd' : 's';
	assert_string_equal(got, want);
	assert_int_equal(r.n_stays > 0, strchr(want, 's') != NULL);
	assert_int_equal(r.n, roots);
	assert_int_equal(gc_roots_have(&r, guest_system(1)), first);
	guest_end(&off, &in);
}

static void roots(void **state)
{
	_free_ char *init = xasprintf("init=%s/init", guest_system(1));
	const struct booting_config config = {.path = "g.cfg", .kernel = "/k", .cmdline = init};
	static const char entry[] = "menuentry \"own\" {\n  linux %s/bzImage init=%s/init\n}\n";
	_free_ char *first = xasprintf(entry, guest_kernel(2), guest_system(2));
	_free_ char *second = xasprintf(entry, guest_kernel(1), guest_system(1));
	_free_ char *own = xasprintf("%s%s", first, second);
	struct guest_make g = {.generations = 3};

	guest_make(&g);
	/* What boots by default stays, with its kernel and initrd; the menu will not show the rest.
	 */
	check_roots(&g, "dds", 3, false);
	/* The config boots the first, whose menu entry stays. */
	g.config = &config;
	check_roots(&g, "sdd", 3, true);
	/* A menu that is not written keeps what it boots. */
	g.config = NULL;
	guest_put_file(&g, 0, GRUB_CFG, own);
	check_roots(&g, "ssd", 4, true);
	guest_make_fini(&g);
}

/* ---- disks ---------------------------------------------------------------- */

static void check_disks(const struct guest_make *g, enum err_code code, const char *words)
{
	struct err err = ERR_INIT;
	struct off_guest off;

	assert_fails(guest_open(g, OFF_GUEST_LOOK, &off, &err), &err, code, words);
}

static void disks(void **state)
{
	struct guest_make g = {.generations = 1, .separate_boot = true};
	struct guest_make other = {.generations = 1};
	struct err err = ERR_INIT;
	struct guest_make two;
	struct off_guest off;

	guest_make(&g);
	guest_make(&other);
	assert_ok(guest_open(&g, OFF_GUEST_LOOK, &off, &err), &err);
	assert_true(off.separate_boot);
	assert_string_equal(off.boot_dir, "");
	assert_ptr_equal(off.root.target, &off.targets[0]);
	assert_ptr_equal(off.boot.target, &off.targets[1]);
	off_guest_close(&off);
	/* Only the boot disk; two roots. */
	two = g;
	two.path[0] = g.path[1];
	two.n_disks = 1;
	check_disks(&two, ERR_NOENT, "no file system with a /nix/store");
	two = g;
	two.path[1] = other.path[0];
	check_disks(&two, ERR_UNSUPPORTED, "both have a /nix/store");
	guest_make_fini(&g);
	guest_make_fini(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(menus),      cmocka_unit_test(helper),
	        cmocka_unit_test(configs),    cmocka_unit_test(profile_init),
	        cmocka_unit_test(no_menu),    cmocka_unit_test(other_menus),
	        cmocka_unit_test(fixed_init), cmocka_unit_test(roots),
	        cmocka_unit_test(disks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
