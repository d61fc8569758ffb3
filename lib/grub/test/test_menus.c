/* SPDX-License-Identifier: MIT */
/*
 * Whole guests: each menus/NAME.disk (see fake.h) against menus/NAME.want.
 * "test_grub_menus FILE.disk" only prints the result.
 */
#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "grub/test/fake.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static char *dir;

static void look(struct str text, struct buf *out)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct err err = ERR_INIT;
	struct fake f;

	fake_init(&f, text);
	if (grub_menu_probe(&f.files, &grub_limits_default, &m, &err) < 0) {
		buf_putf(out, "error %d %s\n", err.code, err.text);
	} else {
		show_menu(&f, m, 0, out);
		buf_puts(out, "auto\n");
		if (grub_menu_auto(m, (struct str){NULL, 0}, &boot, &err) < 0)
			buf_putf(out, "    error %d %s\n", err.code, err.text);
		else
			show_boot(&f, &boot, "    ", out);
	}
	grub_boot_fini(&boot);
	fake_fini(&f);
}

static int one(const char *name)
{
	_cleanup_(buf_fini) struct buf disk = BUF_INIT, want = BUF_INIT, got = BUF_INIT;
	_free_ char *disk_path = xasprintf("%s/%s", dir, name);
	_free_ char *want_path = xasprintf("%s/%.*s.want", dir, (int)strlen(name) - 5, name);
	struct err err = ERR_INIT;

	assert_ok(io_read_file(AT_FDCWD, disk_path, 1 << 20, &disk, &err), &err);
	assert_ok(io_read_file(AT_FDCWD, want_path, 1 << 20, &want, &err), &err);
	look(buf_str(&disk), &got);
	if (strcmp(got.p, want.p) == 0)
		return 0;
	print_error("%s: expected\n%sbut it is\n%s", name, want.p, got.p);
	return 1;
}

static void menus(void **state)
{
	DIR *d = opendir(dir);
	unsigned count = 0;
	struct dirent *de;
	int wrong = 0;

	assert_non_null(d);
	while ((de = readdir(d))) {
		if (!str_ends(str_from(de->d_name), ".disk"))
			continue;
		wrong += one(de->d_name);
		count++;
	}
	closedir(d);
	assert_int_equal(wrong, 0);
	assert_true(count > 15);
}

static int print_one(const char *path)
{
	_cleanup_(buf_fini) struct buf disk = BUF_INIT, got = BUF_INIT;
	struct err err = ERR_INIT;

	if (io_read_file(AT_FDCWD, path, 1 << 20, &disk, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	look(buf_str(&disk), &got);
	fputs(got.p, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(menus)};

	if (argc == 2 && str_ends(str_from(argv[1]), ".disk"))
		return print_one(argv[1]);
	dir = argc == 2 ? argv[1] : (char[]){"menus"};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
