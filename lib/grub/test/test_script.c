/* SPDX-License-Identifier: MIT */
/*
 * The output of scripts (scripts.cases), the output of menus' default entries
 * (entries.cases), and valid and invalid GRUB script (syntax.cases, one line each
 * after "+ " or "- ").
 */
#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "grub/command.h"
#include "grub/parse.h"
#include "grub/test/cases.h"
#include "grub/test/fake.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char *dir;

static const char disks[] = "@device hd0 ext2 1111-AAAA first\n"
                            "@file /etc/passwd\n"
                            "root:x:0:0::/:/bin/sh\n"
                            "@file /etc/hostname\n"
                            "guest\n"
                            "@file /empty\n"
                            "@device hd1\n"
                            "@device hd1,msdos1 ext2 2222-bbbb second one\n"
                            "@touch /vmlinuz\n"
                            "@device hd1,gpt2 fat 3333-CCCC\n";

/* Compare the output of reading the menu, or (enter) of running its default entry. */
static int one(const struct test_case *c, bool enter)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	_cleanup_(buf_fini) struct buf got = BUF_INIT;
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct err err = ERR_INIT;
	struct fake f;
	int rc;

	fake_init(&f, STR(disks));
	rc = grub_menu_parse(&f.files, &grub_limits_default, GRUB_SCRIPT, c->script, &m, &err);
	if (rc < 0)
		buf_putf(&got, "%s\n", err.text);
	else
		buf_put(&got, m->output.p, m->output.n);
	if (rc == 0 && enter) {
		(void)grub_menu_auto(m, (struct str){NULL, 0}, &boot, &err);
		buf_put(&got, boot.output.p, boot.output.n);
	}
	grub_boot_fini(&boot);
	fake_fini(&f);
	if (str_eq(buf_str(&got), c->want))
		return 0;
	print_error("%.*s: expected\n%.*sbut it is\n%s", STR_ARG(c->name), STR_ARG(c->want),
	            got.p ? got.p : "");
	for (size_t i = 0; m && i < m->warnings.n; i++)
		print_error("warning: %s\n", m->warnings.v[i]);
	return 1;
}

static void read_cases(const char *name, struct buf *text)
{
	_free_ char *path = xasprintf("%s/%s", dir, name);
	struct err err = ERR_INIT;

	assert_ok(io_read_file(AT_FDCWD, path, 1 << 20, text, &err), &err);
}

static void run_cases(const char *name, bool enter, unsigned least)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	unsigned count = 0;
	struct test_case c;
	struct str rest;
	int wrong = 0;

	read_cases(name, &text);
	rest = buf_str(&text);
	for (; next_case(&rest, &c); count++)
		wrong += one(&c, enter);
	assert_int_equal(wrong, 0);
	assert_true(count >= least);
}

static void scripts(void **state)
{
	run_cases("scripts.cases", false, 190);
}

static void entries(void **state)
{
	run_cases("entries.cases", true, 25);
}

/* "\n" in a line of syntax.cases is a newline. */
static void unfold(struct str line, struct buf *out)
{
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\\' && i + 1 < line.n && line.p[i + 1] == 'n') {
			buf_puts(out, "\n");
			i++;
		} else {
			buf_put(out, line.p + i, 1);
		}
	}
}

static bool parses(struct str text, struct err *err)
{
	_cleanup_(parse_fini) struct parser ps;

	parse_init(&ps, "test", text, &grub_limits_default);
	for (;;) {
		_cleanup_(script_putp) struct script *s = NULL;
		int rc = parse_next(&ps, &s, err);

		if (rc)
			return rc == 1;
	}
}

static void syntax(void **state)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct str rest;
	int wrong = 0;

	read_cases("syntax.cases", &text);
	rest = buf_str(&text);
	while (rest.p) {
		_cleanup_(buf_fini) struct buf script = BUF_INIT;
		struct str line = str_cut(&rest, '\n');
		struct err err = ERR_INIT;

		if (!str_starts(line, "+ ") && !str_starts(line, "- "))
			continue;
		unfold(str_drop(line, 2), &script);
		if (parses(buf_str(&script), &err) == (line.p[0] == '+'))
			continue;
		print_error("%.*s: %s\n", STR_ARG(line), err.code ? err.text : "accepted");
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void table_in_order(void **state)
{
	size_t n;
	const struct command *c = command_table(&n);

	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(c[i - 1].name, c[i].name) < 0);
	for (size_t i = 0; i < n; i++)
		assert_ptr_equal(command_find(str_from(c[i].name)), &c[i]);
}

/* For oracle.sh: status 0 if the file is valid GRUB script. */
static int check(const char *path)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	if (io_read_file(AT_FDCWD, path, 1 << 20, &text, &err) < 0)
		return 2;
	return parses(buf_str(&text), &err) ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(scripts),
	        cmocka_unit_test(entries),
	        cmocka_unit_test(syntax),
	        cmocka_unit_test(table_in_order),
	};

	if (argc == 3 && strcmp(argv[1], "check") == 0)
		return check(argv[2]);
	dir = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
