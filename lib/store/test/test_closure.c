/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "nix/store_path.h"
#include "store/test/sample.h"

static const char *found(const struct closure *c, const char *base)
{
	const struct path_info *p = closure_find_base(c, str_from(base));

	return p ? p->path : "nothing";
}

static void finds_by_base_and_by_digits(void **state)
{
	_cleanup_(closure_fini) struct closure c = {0};
	static const struct {
		const char *base, *path;
	} cases[] = {
	        {"00000000000000000000000000000000-dep", P_DEP},
	        {"33333333333333333333333333333333-top", P_TOP},
	        {"00000000000000000000000000000000", P_DEP},
	        {"11111111111111111111111111111111", P_DRV},
	        {"33333333333333333333333333333333", P_TOP},
	        {"", "nothing"},
	        {"0000000000000000000000000000000", "nothing"},
	        {"00000000000000000000000000000000-", "nothing"},
	        {"00000000000000000000000000000000-de", "nothing"},
	        {"00000000000000000000000000000000-depp", "nothing"},
	        {"00000000000000000000000000000001", "nothing"},
	        {"4444444444444444444444444444444z", "nothing"},
	};

	(void)state;
	sample_closure(&c);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(found(&c, cases[i].base), cases[i].path);
	assert_null(closure_find_base(&(struct closure){0}, STR("x")));
}

static void copies_all_but_references(void **state)
{
	_cleanup_(closure_fini) struct closure c = {0};
	struct path_info copy;

	(void)state;
	sample_closure(&c);
	path_info_copy(&c.paths[3], &copy);
	assert_string_equal(copy.path, P_TOP);
	assert_string_equal(copy.deriver, P_DRV);
	assert_string_equal(copy.sigs, c.paths[3].sigs);
	assert_ptr_not_equal(copy.sigs, c.paths[3].sigs);
	assert_null(copy.ca);
	assert_int_equal(copy.nrefs, 0);
	path_info_fini(&copy);
	path_info_copy(&c.paths[1], &copy);
	assert_int_equal(copy.noutputs, 2);
	assert_string_equal(copy.outputs[1].path, P_TOP);
	path_info_fini(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(finds_by_base_and_by_digits),
	        cmocka_unit_test(copies_all_but_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
