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
	const struct boots_settings set = {.more = more, .writes = true};
	int rc;

	fake_init(&f, str_from(text));
	rc = boots_read(&f.files, &set, out, err);
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
	assert_true(
	        str_is(boots_argument("root=/dev/a rootflags=b root=/dev/c", "root="), "/dev/c"));
}

static void the_config_chooses(void **state)
{
	struct boots_settings set = {.entry = "0"};
	struct err err = ERR_INIT;
	struct fake f;
	struct boots b;

	fake_init(&f, str_from(menu));
	assert_int_equal(boots_read(&f.files, &set, &b, &err), 0);
	assert_string_equal(b.chosen.args, "init=/old init=/s1/init x");
	boots_fini(&b);
	set.entry = "none";
	assert_int_equal(boots_read(&f.files, &set, &b, &err), 0);
	assert_non_null(b.why);
	assert_int_equal(b.n, 3);
	boots_fini(&b);
	fake_fini(&f);
}

#define ONCE                                                                                       \
	"@device hd0,msdos1 ext2 - -\n@touch /k1\n@touch /k2\n@file /boot/grub/grub.cfg\n"         \
	"if [ -s $prefix/grubenv ]; then load_env; fi\n"                                           \
	"if [ \"${next_entry}\" ]; then\n set default=\"${next_entry}\"\n set next_entry=\n"       \
	" save_env next_entry\nelse\n set default=0\nfi\n"                                         \
	"menuentry A {\n linux /k1 init=/s1/init\n}\n"                                             \
	"submenu More {\n menuentry 'B (1)' {\n  linux /k2 init=/s2/init\n }\n}\n"

static void one_start_only(void **state)
{
	static const char block[] = ONCE "@env /boot/grub/grubenv\nnext_entry=More>B (1)\nx=y\n";
	struct boots_settings set = {.more = "quiet"};
	struct err err = ERR_INIT;
	struct fake f;
	struct boots b;

	assert_int_equal(read_text(block, "quiet", &b, &err), 0);
	assert_true(b.once);
	assert_string_equal(b.next.args, "init=/s2/init quiet");
	assert_string_equal(b.chosen.args, "init=/s1/init quiet");
	boots_fini(&b);
	/* A boot helper that does not write boots it each time. */
	fake_init(&f, str_from(block));
	assert_int_equal(boots_read(&f.files, &set, &b, &err), 0);
	assert_false(b.once);
	assert_string_equal(b.chosen.args, "init=/s2/init quiet");
	boots_fini(&b);
	fake_fini(&f);
	/* Nothing is chosen for once; and an entry that is not there. */
	assert_int_equal(read_text(ONCE "@env /boot/grub/grubenv\nnext_entry=\n", NULL, &b, &err),
	                 0);
	assert_false(b.once);
	assert_string_equal(b.next.args, "init=/s1/init");
	boots_fini(&b);
	assert_int_equal(
	        read_text(ONCE "@env /boot/grub/grubenv\nnext_entry=Less\n", NULL, &b, &err), 0);
	assert_string_equal(b.next.args, "init=/s1/init");
	assert_string_equal(b.chosen.args, "init=/s1/init");
	boots_fini(&b);
}

#define COUNTED(fs, left)                                                                          \
	"@device hd0,msdos1 " fs " - -\n@touch /k1\n@touch /k2\n"                                  \
	"@file /loader/entries/a.conf\nlinux /k1\noptions good\n"                                  \
	"@file /loader/entries/b+" left ".conf\nlinux /k2\noptions new\n"

static void counted_start(const char *text, bool once, const char *next, const char *chosen)
{
	struct err err = ERR_INIT;
	struct boots b;

	assert_int_equal(read_text(text, NULL, &b, &err), 0);
	assert_int_equal(b.dialect, BOOTS_BLS);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.once, once);
	assert_string_equal(b.next.args, next);
	assert_string_equal(b.chosen.args, chosen);
	boots_fini(&b);
}

/* The start after the last try boots the next entry. */
static void tries_are_counted(void **state)
{
	struct boots_settings set = {.writes = false};
	struct err err = ERR_INIT;
	struct fake f;
	struct boots b;

	counted_start(COUNTED("ext2", "3"), true, "new", "new");
	counted_start(COUNTED("ext2", "1-2"), true, "new", "good");
	counted_start(COUNTED("ext2", "0-3"), false, "good", "good");
	counted_start(COUNTED("fat", "1-2"), false, "new", "new");
	fake_init(&f, str_from(COUNTED("ext2", "1")));
	assert_int_equal(boots_read(&f.files, &set, &b, &err), 0);
	assert_string_equal(b.chosen.args, "new");
	boots_fini(&b);
	/* The entry that the config chooses stays. */
	set = (struct boots_settings){.entry = "b", .writes = true};
	assert_int_equal(boots_read(&f.files, &set, &b, &err), 0);
	assert_true(b.once);
	assert_string_equal(b.chosen.args, "new");
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
	        cmocka_unit_test(one_start_only),     cmocka_unit_test(tries_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
