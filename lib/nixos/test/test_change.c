/* SPDX-License-Identifier: MIT */
#include "guest_make.h"

#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "nixos/follow.h"
#include "nixos/menu_rewrite.h"

#define PENDING OFF_GUEST_PENDING_DIR "/" OFF_GUEST_PENDING

/* The generation's entry becomes the menu's default. */
static int commit(struct off_guest *off, const struct guest_state *in, unsigned number,
                  struct err *err)
{
	const struct menu_wish wish = {.current = guest_state_find(in, number)};

	return change_commit(off, in, &wish, err);
}

static int roll_back(struct off_guest *off, struct guest_state *in, unsigned number,
                     struct err *err)
{
	return change_default(off, in, guest_state_find(in, number), err);
}

/* The guest as the next command finds it, without a warning. */
static void check(const struct guest_make *g, unsigned n, unsigned boots, size_t paths)
{
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;
	struct generation *v;

	guest_begin(g, OFF_GUEST_READ, &off, &in);
	assert_null(guest_warning);
	assert_int_equal(in.profiles[0].n, n);
	for (size_t i = 0; i < n; i++)
		assert_false(in.profiles[0].v[i].system.broken);
	v = guest_state_current(&in);
	assert_non_null(v);
	assert_int_equal(v->number, boots);
	assert_ptr_equal(guest_state_boots(&in), v);
	assert_ok(follow_check(&off, &in, &err), &err);
	/* The default entry, and one for each generation. */
	assert_int_equal(off.booting.menu.n, n + 1);
	guest_state_load_db(&off, &in);
	assert_ok(guest_state_need_db(&in, &err), &err);
	assert_int_equal(in.db.n, paths);
	guest_end(&off, &in);
	guest_fsck(g);
}

/* ---- additions ------------------------------------------------------------ */

static void add_one(struct guest_make *g, unsigned n)
{
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_begin(g, OFF_GUEST_WRITE, &off, &in);
	guest_add_generation(&off, &in, n);
	assert_ok(commit(&off, &in, n, &err), &err);
	guest_end(&off, &in);
}

static void check_update(struct guest_make g)
{
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	check(&g, 2, 2, 7);
	add_one(&g, 3);
	check(&g, 3, 3, 10);
	guest_begin(&g, OFF_GUEST_WRITE, &off, &in);
	assert_ok(roll_back(&off, &in, 1, &err), &err);
	guest_end(&off, &in);
	check(&g, 3, 1, 10);
	add_one(&g, 4);
	check(&g, 4, 4, 13);
	guest_make_fini(&g);
}

static void one_disk(void **state)
{
	check_update((struct guest_make){.generations = 2});
}

static void partition(void **state)
{
	check_update((struct guest_make){.generations = 2, .partitioned = true});
}

static void two_disks(void **state)
{
	check_update((struct guest_make){.generations = 2, .separate_boot = true});
}

static void extlinux(void **state)
{
	check_update((struct guest_make){.generations = 2, .menu = GUEST_EXTLINUX});
}

/* Without a commit nothing of it is there. */
static void given_up(void **state)
{
	struct guest_make g = {.generations = 2};
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	guest_begin(&g, OFF_GUEST_WRITE, &off, &in);
	guest_add_generation(&off, &in, 3);
	guest_end(&off, &in);
	check(&g, 2, 2, 7);
	guest_make_fini(&g);
}

/* A system that lacks its kernel gets no menu. */
static void cannot_boot(void **state)
{
	struct guest_make g = {.generations = 2, .separate_boot = true};
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	guest_put_file(&g, 0, guest_kernel(1), NULL);
	guest_begin(&g, OFF_GUEST_WRITE, &off, &in);
	assert_fails(roll_back(&off, &in, 1, &err), &err, ERR_FORMAT, "could not boot");
	guest_end(&off, &in);
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	assert_int_equal(guest_state_current(&in)->number, 2);
	guest_end(&off, &in);
	guest_fsck(&g);
	guest_make_fini(&g);
}

/* The config boots another system, whatever menu and profile say. */
static void not_followed(void **state)
{
	_free_ char *cmdline = xasprintf("init=%s/init", guest_system(2));
	const struct booting_config config = {.path = "guest.cfg", .cmdline = cmdline};
	struct guest_make g = {.generations = 2, .config = &config};
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	guest_begin(&g, OFF_GUEST_WRITE, &off, &in);
	assert_fails(roll_back(&off, &in, 1, &err), &err, ERR_UNSUPPORTED,
	             "would not boot /nix/store/");
	guest_end(&off, &in);
	g.config = NULL;
	check(&g, 2, 2, 7);
	guest_make_fini(&g);
}

/* ---- removals ------------------------------------------------------------- */

struct removal {
	struct guest_state *in;
	unsigned number;
	size_t n_paths; /* its system first, then what only that needs */
};

static int prune(struct off_guest *off, void *arg, struct err *err)
{
	const struct removal *r = arg;
	_free_ char *link = xasprintf("system-%u-link", r->number);
	_cleanup_(closure_fini) struct closure left = {0};
	const char *const paths[] = {guest_system(r->number), guest_kernel(r->number),
	                             guest_initrd(r->number)};
	_free_ bool *keep = xcalloc(r->in->db.n, sizeof *keep);
	struct ext4_edit *e = off->root.edit;
	uint64_t freed = 0;
	uint32_t dir;

	for (size_t i = 0; i < r->in->db.n; i++)
		keep[i] = true;
	assert_ok(ext4_edit_find(e, GUEST_STATE_PROFILES, true, &dir, err), err);
	assert_ok(ext4_edit_remove(e, dir, link, NULL, err), err);
	assert_ok(ext4_edit_find(e, "/nix/store", true, &dir, err), err);
	for (size_t i = 0; i < r->n_paths; i++) {
		const struct path_info *p = closure_find(&r->in->db, paths[i]);

		keep[p - r->in->db.paths] = false;
		assert_ok(ext4_edit_remove(e, dir, strrchr(paths[i], '/') + 1, &freed, err), err);
	}
	assert_true(freed >= 4096);
	closure_filter(&r->in->db, keep, &left);
	return guest_state_put_db(off, r->in, &left, err);
}

static bool gone(const char *path, void *arg)
{
	const struct removal *r = arg;

	return !strcmp(path, guest_system(r->number));
}

/* show: it stays in the list of generations, and so in the menu; its kernel stays, too. */
static int remove_one(struct off_guest *off, struct guest_state *in, unsigned number, bool show,
                      struct err *err)
{
	struct removal r = {.in = in, .number = number, .n_paths = show ? 1 : 3};
	const struct change_removal removal = {prune, gone, &r};
	struct profile *p = &in->profiles[0];
	const struct generation *shown;
	size_t kept = 0;

	guest_state_load_db(off, in);
	assert_ok(follow_known(off, err), err);
	for (size_t i = 0; i < p->n; i++)
		if (show || p->v[i].number != number)
			p->v[kept++] = p->v[i];
		else
			guest_system_fini(&p->v[i].system);
	p->n = kept;
	shown = guest_state_boots(in);
	return change_commit_removal(off, in, shown, &removal, err);
}

static void check_removal(struct guest_make g)
{
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;

	guest_make(&g);
	guest_begin(&g, OFF_GUEST_WRITE, &off, &in);
	assert_ok(remove_one(&off, &in, 1, false, &err), &err);
	guest_end(&off, &in);
	check(&g, 2, 3, 7);
	guest_make_fini(&g);
}

static void removal(void **state)
{
	check_removal((struct guest_make){.generations = 3});
	check_removal((struct guest_make){.generations = 3, .partitioned = true});
	check_removal((struct guest_make){.generations = 3, .menu = GUEST_EXTLINUX});
	check_removal((struct guest_make){.generations = 3, .separate_boot = true});
}

/* What the menu would still boot is not removed; the note of two disks goes again. */
static void removal_refused(void **state)
{
	for (unsigned two = 0; two < 2; two++) {
		struct guest_make g = {.generations = 3, .separate_boot = two};
		struct err err = ERR_INIT;
		struct off_guest off;
		struct guest_state in;

		guest_make(&g);
		guest_begin(&g, OFF_GUEST_WRITE, &off, &in);
		assert_fails(remove_one(&off, &in, 1, true, &err), &err, ERR_UNSUPPORTED,
		             "which is to be deleted");
		guest_end(&off, &in);
		check(&g, 3, 3, 10);
		guest_make_fini(&g);
	}
}

/* ---- interruptions -------------------------------------------------------- */

/* The root is at generation 1, with a note; the menu on the other disk still boots 2. */
static void make_interrupted(struct guest_make *g)
{
	guest_make(g);
	guest_put_link(g, 0, GUEST_STATE_PROFILES "/system", "system-1-link");
	guest_put_link(g, 0, PENDING, "menu-0");
}

static void interrupted(void **state)
{
	struct guest_make g = {.generations = 2, .separate_boot = true};
	struct off_guest off;
	struct guest_state in;

	make_interrupted(&g);
	guest_begin(&g, OFF_GUEST_READ, &off, &in);
	assert_non_null(guest_warning);
	assert_non_null(strstr(guest_warning, "the change is now complete"));
	assert_int_equal(guest_state_boots(&in)->number, 1);
	guest_end(&off, &in);
	check(&g, 2, 1, 7);
	guest_make_fini(&g);
}

/* Who only looks says so, and writes nothing. */
static void interrupted_look(void **state)
{
	struct guest_make g = {.generations = 2, .separate_boot = true};
	struct buf was[2], is;
	struct off_guest off;
	struct guest_state in;

	make_interrupted(&g);
	for (size_t i = 0; i < 2; i++)
		was[i] = guest_bytes(&g, i);
	guest_begin(&g, OFF_GUEST_LOOK, &off, &in);
	assert_non_null(guest_warning);
	assert_non_null(strstr(guest_warning, "to complete the change"));
	assert_int_equal(guest_state_current(&in)->number, 1);
	assert_int_equal(guest_state_boots(&in)->number, 2);
	guest_end(&off, &in);
	for (size_t i = 0; i < 2; i++) {
		is = guest_bytes(&g, i);
		assert_int_equal(is.n, was[i].n);
		assert_memory_equal(is.p, was[i].p, is.n);
		buf_fini(&is);
		buf_fini(&was[i]);
	}
	guest_make_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_disk),         cmocka_unit_test(partition),
	        cmocka_unit_test(two_disks),        cmocka_unit_test(extlinux),
	        cmocka_unit_test(given_up),         cmocka_unit_test(cannot_boot),
	        cmocka_unit_test(not_followed),     cmocka_unit_test(removal),
	        cmocka_unit_test(removal_refused),  cmocka_unit_test(interrupted),
	        cmocka_unit_test(interrupted_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
