/* SPDX-License-Identifier: MIT */
/*
 * Files of test cases, which oracle.sh reads, too:
 *
 *     == NAME [differs]      deliberately differs from GRUB
 *     == NAME [disks]        needs the disks of test_script.c
 *     script
 *     --
 *     expected output
 */
#ifndef GRUB_TEST_CASES_H
#define GRUB_TEST_CASES_H

#include "base/str.h"

struct test_case {
	struct str name, script, want;
};

/* Cut the first case off *text; false at the end. */
static inline bool next_case(struct str *text, struct test_case *c)
{
	*c = (struct test_case){.name = {"", 0}};
	while (text->p && !str_starts(*text, "== "))
		(void)str_cut(text, '\n');
	if (!text->p)
		return false;
	c->name = str_drop(str_cut(text, '\n'), 3);
	c->script = (struct str){text->p, 0};
	while (text->p && !str_starts(*text, "--\n")) {
		struct str line = str_cut(text, '\n');

		c->script.n += line.n + 1;
	}
	(void)str_cut(text, '\n');
	c->want = (struct str){text->p ? text->p : "", 0};
	while (text->p && text->n && !str_starts(*text, "== ")) {
		struct str line = str_cut(text, '\n');

		c->want.n += line.n + 1;
	}
	return true;
}

#endif
