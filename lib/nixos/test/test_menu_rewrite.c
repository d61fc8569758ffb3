/* SPDX-License-Identifier: MIT */
/* The menu of a guest, written again: what is not of a generation stays. */
#include "guest_make.h"

#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "nixos/menu_rewrite.h"

#define OWN_GRUB "menuentry \"own\" {\n  chainloader +1\n}\n"
#define OWN_EXTLINUX "LABEL own\n  LINUX /own/kernel\n"

/* A guest that is open, and the text of its menu; valid until the next call. */
struct opened {
	struct guest_make g;
	const char *path; /* of the menu in the boot file system */
	struct off_guest off;
	struct guest_state in;
	struct buf text;
};

static void begin(struct opened *o, const char *own)
{
	size_t disk = o->g.separate_boot ? 1 : 0;
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	_free_ char *was = NULL;

	guest_make(&o->g);
	was = guest_read(&o->g, disk, o->path);
	buf_putf(&text, "%s%s", was, own);
	guest_put_file(&o->g, disk, o->path, text.p);
	guest_begin(&o->g, OFF_GUEST_WRITE, &o->off, &o->in);
}

static void end(struct opened *o)
{
	buf_fini(&o->text);
	guest_end(&o->off, &o->in);
	guest_make_fini(&o->g);
}

static const char *rewrite(struct opened *o, unsigned number, unsigned limit)
{
	const struct menu_wish wish = {.current = guest_state_find(&o->in, number), .limit = limit};
	struct err err = ERR_INIT;

	buf_fini(&o->text);
	o->text = (struct buf)BUF_INIT;
	assert_ok(menu_rewrite(&o->off, &o->in, &wish, &err), &err);
	assert_ok(ext4_edit_read_path(o->off.boot.edit, o->path, 1u << 20, &o->text, &err), &err);
	buf_u8(&o->text, 0);
	return o->text.p;
}

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

/* How many entries boot the system. */
static unsigned boots(const char *text, unsigned n)
{
	_free_ char *init = xasprintf("init=%s/init", guest_system(n));

	return count(text, init);
}

static void check_menu(struct opened *o, const char *own)
{
	const char *text;

	begin(o, own);
	/* The default entry, and each generation's. */
	text = rewrite(o, 1, 0);
	assert_int_equal(count(text, own), 1);
	assert_int_equal(boots(text, 1), 2);
	assert_int_equal(boots(text, 2), 1);
	assert_int_equal(boots(text, 3), 1);
	text = rewrite(o, 2, 0);
	assert_int_equal(boots(text, 1), 1);
	assert_int_equal(boots(text, 2), 2);
	/* The newest generations, and the default. */
	text = rewrite(o, 1, 2);
	assert_int_equal(count(text, own), 1);
	assert_int_equal(boots(text, 1), 1);
	assert_int_equal(boots(text, 2), 1);
	assert_int_equal(boots(text, 3), 1);
	/* Fewer are not shown again, unless that is asked for. */
	text = rewrite(o, 3, 0);
	assert_int_equal(boots(text, 1), 0);
	assert_int_equal(boots(text, 3), 2);
	text = rewrite(o, 3, 100);
	assert_int_equal(boots(text, 1), 1);
	end(o);
}

static void grub(void **state)
{
	struct opened o = {.g = {.generations = 3}, .path = "/boot/grub/grub.cfg"};

	check_menu(&o, OWN_GRUB);
}

static void grub_on_boot(void **state)
{
	struct opened o = {.g = {.generations = 3, .separate_boot = true},
	                   .path = "/grub/grub.cfg"};

	check_menu(&o, OWN_GRUB);
}

static void extlinux(void **state)
{
	struct opened o = {.g = {.generations = 3, .menu = GUEST_EXTLINUX},
	                   .path = "/boot/extlinux/extlinux.conf"};

	check_menu(&o, OWN_EXTLINUX);
}

/* Written again for the same generations, a menu is the same. */
static void same(void **state)
{
	struct opened o = {.g = {.generations = 3}, .path = "/boot/grub/grub.cfg"};
	_cleanup_(buf_fini) struct buf was = BUF_INIT;
	struct err err = ERR_INIT;

	begin(&o, OWN_GRUB);
	assert_ok(ext4_edit_read_path(o.off.boot.edit, o.path, 1u << 20, &was, &err), &err);
	buf_u8(&was, 0);
	assert_string_equal(rewrite(&o, 3, 0), was.p);
	end(&o);
}

/* ---- copied kernels ------------------------------------------------------- */

static bool has_copy(struct opened *o, unsigned n)
{
	_free_ char *path = xasprintf("/kernels/%s-bzImage", strrchr(guest_kernel(n), '/') + 1);
	struct err err = ERR_INIT;
	uint32_t ino;

	return ext4_edit_find(o->off.boot.edit, path, false, &ino, &err) == 0;
}

static void copies(void **state)
{
	struct opened o = {.g = {.generations = 3, .separate_boot = true},
	                   .path = "/grub/grub.cfg"};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	_free_ char *path = xasprintf("/kernels/%s-bzImage", strrchr(guest_kernel(4), '/') + 1);
	struct err err = ERR_INIT;

	begin(&o, OWN_GRUB);
	guest_add_generation(&o.off, &o.in, 4);
	(void)rewrite(&o, 4, 2);
	assert_false(has_copy(&o, 1));
	assert_false(has_copy(&o, 2));
	assert_true(has_copy(&o, 3));
	assert_true(has_copy(&o, 4));
	assert_ok(ext4_edit_read_path(o.off.boot.edit, path, 100, &text, &err), &err);
	assert_true(str_is(buf_str(&text), "kernel 4\n"));
	end(&o);
}

/* ---- what is not written -------------------------------------------------- */

static void check_refused(struct opened *o, const char *own, const char *words)
{
	struct err err = ERR_INIT;

	begin(o, own);
	assert_fails(menu_rewrite_check(&o->off, &err), &err, ERR_UNSUPPORTED, words);
	end(o);
}

static void refused(void **state)
{
	struct opened o = {.g = {.generations = 2}, .path = "/boot/grub/grub.cfg"};

	/* A second list of generations is nobody's form. */
	check_refused(&o,
	              "submenu \"NixOS - All configurations\" --class submenu {\n}\n"
	              "submenu \"NixOS - All configurations\" --class submenu {\n}\n",
	              "run nixos-rebuild in it");
}

static void none(void **state)
{
	struct guest_make g = {.generations = 1, .menu = GUEST_MENU_NONE};
	struct err err = ERR_INIT;
	struct off_guest off;
	struct guest_state in;
	struct menu_wish wish;

	guest_make(&g);
	guest_begin(&g, OFF_GUEST_WRITE, &off, &in);
	wish = (struct menu_wish){.current = guest_state_find(&in, 1)};
	assert_int_equal(menu_rewrite_check(&off, &err), 1);
	assert_int_equal(menu_rewrite(&off, &in, &wish, &err), 1);
	guest_end(&off, &in);
	guest_make_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(grub), cmocka_unit_test(grub_on_boot), cmocka_unit_test(extlinux),
	        cmocka_unit_test(same), cmocka_unit_test(copies),       cmocka_unit_test(refused),
	        cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
