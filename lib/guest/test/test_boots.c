/* SPDX-License-Identifier: MIT */
/* What a menu can boot: every entry, the default, and entries that cannot be evaluated. */
#include "guest/boots.h"

#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "grub/test/fake.h"

static const char menu[] = "@device hd0,msdos1 ext2 - -\n"
                           "@touch /k1\n@touch /k2\n@touch /i2\n"
                           "@file /boot/grub/grub.cfg\n"
                           "set default=\"more>1\"\n"
                           "menuentry A --id a {\n linux /k1 init=/old init=/s1/init x\n}\n"
                           "menuentry gone {\n linux /k9 init=/s9/init\n}\n"
                           "submenu More --id more {\n"
                           " menuentry B {\n  linux /k2\n  initrd /i2 /i2\n }\n"
                           " menuentry C {\n  linux /k2 init=/s3/init\n  initrd /i2\n }\n"
                           "}\n";

static int read_text(const char *text, const char *more, struct boots *out, struct err *err)
{
	struct fake f;
	int rc;

	fake_init(&f, str_from(text));
	rc = boots_read(&f.files, more, NULL, out, err);
	fake_fini(&f);
	return rc;
}

static void every_entry(void **state)
{
	struct err err = ERR_INIT;
	struct boots b;

	assert_int_equal(read_text(menu, NULL, &b, &err), 0);
	assert_int_equal(b.dialect, BOOTS_GRUB);
	assert_string_equal(b.path, "/boot/grub/grub.cfg");
	assert_int_equal(b.n, 3);
	assert_string_equal(b.v[0].title, "A");
	assert_string_equal(b.v[0].kernel, "/k1");
	assert_string_equal(b.v[0].args, "init=/old init=/s1/init x");
	assert_string_equal(b.v[1].title, "More > B");
	assert_int_equal(b.v[1].n_initrds, 2);
	assert_string_equal(b.v[1].initrds[1], "/i2");
	assert_string_equal(b.v[2].title, "More > C");
	assert_null(b.why);
	assert_null(b.unknown);
	assert_string_equal(b.chosen.args, "init=/s3/init");
	boots_fini(&b);
}

static void the_config_adds(void **state)
{
	struct err err = ERR_INIT;
	struct boots b;
	struct str init;

	assert_int_equal(read_text(menu, "console=hvc0 init=/mine", &b, &err), 0);
	assert_string_equal(b.chosen.args, "init=/s3/init console=hvc0 init=/mine");
	init = boots_init(b.chosen.args);
	assert_true(str_is(init, "/mine"));
	assert_string_equal(b.v[1].args, "console=hvc0 init=/mine");
	boots_fini(&b);
	assert_null(boots_init("a b noinit=/x").p);
	assert_null(boots_init(NULL).p);
	assert_true(str_is(boots_init("init="), ""));
}

static void the_config_chooses(void **state)
{
	struct err err = ERR_INIT;
	struct fake f;
	struct boots b;

	fake_init(&f, str_from(menu));
	assert_int_equal(boots_read(&f.files, NULL, "0", &b, &err), 0);
	assert_string_equal(b.chosen.args, "init=/old init=/s1/init x");
	boots_fini(&b);
	assert_int_equal(boots_read(&f.files, NULL, "none", &b, &err), 0);
	assert_non_null(b.why);
	assert_int_equal(b.n, 3);
	boots_fini(&b);
	fake_fini(&f);
}

static void nothing_by_default(void **state)
{
	struct err err = ERR_INIT;
	struct boots b;

	assert_int_equal(read_text("@device hd0 ext2 - -\n@touch /k\n@file /extlinux.conf\n"
	                           "DEFAULT x\nLABEL x\n LINUX /none\nLABEL y\n LINUX /k\n",
	                           NULL, &b, &err),
	                 0);
	assert_int_equal(b.dialect, BOOTS_EXTLINUX);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.v[0].title, "y");
	assert_non_null(b.why);
	assert_null(b.chosen.kernel);
	boots_fini(&b);
}

static void no_menu(void **state)
{
	struct err err = ERR_INIT;
	struct boots b;

	assert_int_equal(read_text("@device hd0 ext2 - -\n@touch /k\n", NULL, &b, &err),
	                 -ERR_NOENT);
	assert_int_equal(read_text("@device hd0 ext2 - -\n@file /grub/grub.cfg\nif true; then\n",
	                           NULL, &b, &err),
	                 -ERR_FORMAT);
}

/* Three entries that each open their own menu: without a limit this never ends. */
static void circles_end(void **state)
{
	struct err err = ERR_INIT;
	struct boots b;

	assert_int_equal(read_text("@device hd0 ext2 - -\n@touch /k\n@file /boot/grub/grub.cfg\n"
	                           "set root=hd0\n"
	                           "menuentry 1 {\n configfile /boot/grub/grub.cfg\n}\n"
	                           "menuentry 2 {\n configfile /boot/grub/grub.cfg\n}\n"
	                           "menuentry 3 {\n configfile /boot/grub/grub.cfg\n}\n"
	                           "menuentry 4 {\n linux /k\n}\n",
	                           NULL, &b, &err),
	                 0);
	assert_non_null(b.unknown);
	assert_true(b.n > 0 && b.n <= BOOTS_ENTRIES_MAX);
	boots_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_entry),        cmocka_unit_test(the_config_adds),
	        cmocka_unit_test(nothing_by_default), cmocka_unit_test(no_menu),
	        cmocka_unit_test(circles_end),        cmocka_unit_test(the_config_chooses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
