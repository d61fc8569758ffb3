/* SPDX-License-Identifier: MIT */
#include "guest_make.h"

#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"

#define PROFILES GUEST_STATE_PROFILES
#define ROOTS "/nix/var/nix/gcroots"

static void reads(void **state)
{
	struct guest_make g = {.generations = 3};
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	assert_int_equal(in.n_profiles, 1);
	assert_int_equal(in.profiles[0].n, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct generation *v = &in.profiles[0].v[i];
		_free_ char *init = xasprintf("%s/init", guest_system(i + 1));
		_free_ char *kernel = xasprintf("%s/bzImage", guest_kernel(i + 1));
		_free_ char *initrd = xasprintf("%s/initrd", guest_initrd(i + 1));
		_free_ char *version = xasprintf("25.11.%u", i + 1);
		_free_ char *kernel_version = xasprintf("6.12.%u", i + 1);

		assert_int_equal(v->number, i + 1);
		assert_int_equal(v->time, GUEST_TIME);
		assert_string_equal(v->system.toplevel, guest_system(i + 1));
		assert_string_equal(v->system.init, init);
		assert_string_equal(v->system.kernel, kernel);
		assert_string_equal(v->system.initrd, initrd);
		assert_string_equal(v->system.version, version);
		assert_string_equal(v->system.kernel_version, kernel_version);
		assert_string_equal(v->system.params, "loglevel=4");
		assert_false(v->system.broken);
		assert_int_equal(v->current, i == 2);
		assert_int_equal(v->boots, i == 2);
	}
	assert_ptr_equal(guest_state_current(&in), &in.profiles[0].v[2]);
	assert_ptr_equal(guest_state_boots(&in), &in.profiles[0].v[2]);
	assert_ptr_equal(guest_state_find(&in, 2), &in.profiles[0].v[1]);
	assert_null(guest_state_find(&in, 4));
	guest_state_mark_boots(&in, guest_system(1));
	assert_ptr_equal(guest_state_boots(&in), &in.profiles[0].v[0]);
	guest_state_mark_boots(&in, guest_system(4));
	assert_null(guest_state_boots(&in));
	guest_end(&off, &in);
	guest_make_fini(&g);
}

/* ---- profiles ------------------------------------------------------------- */

static void other_profiles(void **state)
{
	struct guest_make g = {.generations = 2};
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	guest_put_link(&g, 0, PROFILES "/system-profiles/test-7-link", guest_system(1));
	guest_put_link(&g, 0, PROFILES "/system-profiles/test", "test-7-link");
	/* These are not generations. */
	guest_put_link(&g, 0, PROFILES "/system-0-link", "x");
	guest_put_link(&g, 0, PROFILES "/system-1x-link", "x");
	guest_put_link(&g, 0, PROFILES "/system-99999999999-link", "x");
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	assert_int_equal(in.n_profiles, 2);
	assert_int_equal(in.profiles[0].n, 2);
	assert_string_equal(in.profiles[1].name, "test");
	assert_int_equal(in.profiles[1].n, 1);
	assert_int_equal(in.profiles[1].v[0].number, 7);
	assert_true(in.profiles[1].v[0].current);
	guest_end(&off, &in);
	guest_make_fini(&g);
}

static void special(void **state)
{
	struct guest_make g = {.generations = 2};
	_free_ char *link = xasprintf("%s/specialisation/debug", guest_system(2));
	struct off_guest off;
	struct guest_state in;
	struct generation *v;

	guest_make(&g);
	guest_put_link(&g, 0, link, guest_system(1));
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	v = guest_state_find(&in, 2);
	assert_int_equal(v->system.n_specials, 1);
	assert_string_equal(v->system.specials[0].name, "debug");
	assert_string_equal(v->system.specials[0].system.toplevel, guest_system(1));
	/* The current generation's specialisation is preferred to an older generation. */
	guest_state_mark_boots(&in, guest_system(1));
	assert_ptr_equal(guest_state_boots(&in), v);
	assert_string_equal(v->special, "debug");
	guest_state_mark_boots(&in, guest_system(2));
	assert_null(v->special);
	guest_end(&off, &in);
	guest_make_fini(&g);
}

/* One change; then loading fails. */
static void check_damage(const char *path, const char *link, enum err_code code, const char *words)
{
	struct guest_make g = {.generations = 2};
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	if (link)
		guest_put_link(&g, 0, path, link);
	else
		guest_put_file(&g, 0, path, "text");
	assert_ok(guest_open(&g, OFF_GUEST_LOOK, &off, &err), &err);
	assert_fails(guest_state_load(&off, &in, &err), &err, code, words);
	off_guest_close(&off);
	guest_make_fini(&g);
}

static void damaged_links(void **state)
{
	check_damage(PROFILES "/system-2-link", "/etc/nowhere", ERR_FORMAT, "system-2-link");
	check_damage(PROFILES "/system-2-link", "/nix/store/short", ERR_FORMAT, "system-2-link");
	check_damage(PROFILES "/system-2-link", NULL, ERR_FORMAT, "system-2-link");
	check_damage(PROFILES "/system", NULL, ERR_FORMAT, "profile system");
	check_damage(PROFILES, "profiles", ERR_FORMAT, "profiles");
}

/* A system without some of its parts is shown, but cannot boot. */
static void check_missing(const char *path, bool broken, bool kernel)
{
	struct guest_make g = {.generations = 2};
	struct off_guest off;
	struct guest_state in;
	struct generation *v;

	guest_make(&g);
	guest_put_file(&g, 0, path, NULL);
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	v = guest_state_find(&in, 1);
	assert_non_null(v);
	assert_string_equal(v->system.toplevel, guest_system(1));
	assert_int_equal(v->system.broken, broken);
	assert_int_equal(v->system.kernel != NULL, kernel);
	assert_false(guest_state_find(&in, 2)->system.broken);
	guest_end(&off, &in);
	guest_make_fini(&g);
}

static void missing_parts(void **state)
{
	_free_ char *init = xasprintf("%s/init", guest_system(1));

	check_missing(guest_system(1), true, false);
	check_missing(init, true, true);
	check_missing(guest_kernel(1), false, false);
}

static void no_profile(void **state)
{
	struct guest_make g = {.generations = 1};
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	guest_put_file(&g, 0, PROFILES "/system", NULL);
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	assert_null(guest_state_current(&in));
	guest_end(&off, &in);
	guest_put_file(&g, 0, PROFILES, NULL);
	assert_ok(guest_open(&g, OFF_GUEST_LOOK, &off, &err), &err);
	assert_fails(guest_state_load(&off, &in, &err), &err, ERR_NOENT, "profiles");
	off_guest_close(&off);
	guest_make_fini(&g);
}

/* ---- the database --------------------------------------------------------- */

static void database(void **state)
{
	struct guest_make g = {.generations = 2};
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;
	bool reached[7] = {false};
	const struct closure *db = &in.db;

	guest_make(&g);
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	guest_state_load_db(&off, &in);
	assert_ok(guest_state_need_put_db(&in, &err), &err);
	assert_int_equal(db->n, 7);
	assert_string_equal(db->paths[0].path, GUEST_GLIBC);
	assert_string_equal(db->paths[6].path, guest_system(2));
	assert_int_equal(db->paths[6].nrefs, 3);
	guest_state_reach(db, guest_system(1), reached);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(reached[i], i != 2 && i != 4 && i != 6);
	assert_ok(guest_state_sizes(&off, &in, &err), &err);
	/* The library is of both; kernel, initrd and system are its own. */
	assert_int_equal(in.profiles[0].v[0].own_bytes, 2000 + 4000 + 6000);
	assert_int_equal(in.profiles[0].v[1].own_bytes, 3000 + 5000 + 7000);
	guest_end(&off, &in);
	guest_make_fini(&g);
}

static void check_database(const char *path, const char *text, enum err_code code,
                           const char *words)
{
	struct guest_make g = {.generations = 1};
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	guest_put_file(&g, 0, path, text);
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	guest_state_load_db(&off, &in);
	assert_fails(guest_state_need_put_db(&in, &err), &err, code, words);
	guest_end(&off, &in);
	guest_make_fini(&g);
}

static void bad_databases(void **state)
{
	check_database(GUEST_STATE_DB "/db.sqlite", "no database", ERR_FORMAT, "database");
	check_database(GUEST_STATE_DB "/db.sqlite", NULL, ERR_NOENT, "db.sqlite");
	check_database(GUEST_STATE_DB "/db.sqlite-journal", "begun", ERR_BUSY, "unfinished");
	check_database(GUEST_STATE_DB "/schema", "11\n", ERR_UNSUPPORTED, "schema \"11\"");
}

/* ---- roots ---------------------------------------------------------------- */

/* Which of the 7 paths the roots outside the system's profile reach: library, kernels, initrds,
 * systems. */
static void check_roots(const struct guest_make *g, const char *want)
{
	bool reached[7] = {false};
	char got[8] = "-------";
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_begin(g, OFF_GUEST_LOOK, &off, &in);
	guest_state_load_db(&off, &in);
	assert_int_equal(in.db.n, 7);
	assert_ok(guest_state_roots(&off, &in, true, reached, &err), &err);
	for (size_t i = 0; i < 7; i++)
		got[i] = reached[i] ? 'x' : '-';
	assert_string_equal(got, want);
	guest_end(&off, &in);
}

static void roots(void **state)
{
	struct guest_make g = {.generations = 2};
	_free_ char *inside = xasprintf("%s/bzImage", guest_kernel(1));
	_free_ char *named = xasprintf(ROOTS "/deep/er%s", strrchr(guest_initrd(1), '/'));

	guest_make(&g);
	check_roots(&g, "-------");
	/* Links that lead nowhere, or round in circles, keep nothing. */
	guest_put_link(&g, 0, ROOTS "/a", "/gone");
	guest_put_link(&g, 0, ROOTS "/b", "b");
	guest_put_link(&g, 0, ROOTS "/up", "..");
	check_roots(&g, "-------");
	/* Over another link, to a file in a path. */
	guest_put_link(&g, 0, "/home/result", inside);
	guest_put_link(&g, 0, ROOTS "/auto/x", "/home/result");
	check_roots(&g, "-x-----");
	guest_put_file(&g, 0, named, "");
	check_roots(&g, "-x-x---");
	guest_put_link(&g, 0, PROFILES "/per-user/root/channels-1-link", guest_system(2));
	check_roots(&g, "xxxxx-x");
	guest_make_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads),         cmocka_unit_test(other_profiles),
	        cmocka_unit_test(special),       cmocka_unit_test(damaged_links),
	        cmocka_unit_test(missing_parts), cmocka_unit_test(no_profile),
	        cmocka_unit_test(database),      cmocka_unit_test(bad_databases),
	        cmocka_unit_test(roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
