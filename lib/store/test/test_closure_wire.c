/* SPDX-License-Identifier: MIT */
#include "jail/wire.h"
#include "store/closure_wire.h"
#include "store/test/sample.h"

static void comes_back(void **state)
{
	_cleanup_(closure_fini) struct closure c = {0}, got = {0}, none = {0};
	_cleanup_(buf_fini) struct buf one = BUF_INIT, two = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	sample_closure(&c);
	closure_put(&c, &one);
	assert_int_equal(closure_get(buf_str(&one), &got, &err), 0);
	assert_int_equal(got.n, c.n);
	assert_string_equal(got.paths[3].path, P_TOP);
	assert_int_equal(got.paths[3].nrefs, 3);
	assert_int_equal(got.paths[3].refs[2], 3);
	assert_int_equal(got.paths[1].noutputs, 2);
	assert_string_equal(got.paths[0].ca, c.paths[0].ca);
	assert_null(got.paths[3].ca);
	closure_put(&got, &two);
	assert_int_equal(one.n, two.n);
	assert_memory_equal(one.p, two.p, one.n);
	buf_reset(&one);
	closure_put(&none, &one);
	closure_fini(&got);
	assert_int_equal(closure_get(buf_str(&one), &got, &err), 0);
	assert_int_equal(got.n, 0);
}

static void names_alone(void **state)
{
	_cleanup_(closure_fini) struct closure c = {0}, got = {0};
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	sample_closure(&c);
	closure_put_names(&c, &b);
	assert_int_equal(closure_get(buf_str(&b), &got, &err), 0);
	assert_string_equal(got.paths[0].path, P_DEP);
	assert_int_equal(got.paths[2].nar_size, 122);
	assert_int_equal(got.paths[3].nrefs, 3);
	assert_null(got.paths[0].ca);
	assert_null(got.paths[3].deriver);
	assert_int_equal(got.paths[1].noutputs, 0);
}

/* No byte may be missing, and whatever a byte becomes, memory and rules are kept. */
static void damaged(void **state)
{
	_cleanup_(closure_fini) struct closure c = {0};
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	sample_closure(&c);
	closure_put(&c, &b);
	for (size_t n = 0; n < b.n; n++) {
		_cleanup_(closure_fini) struct closure got = {0};

		assert_int_equal(closure_get((struct str){b.p, n}, &got, &err), -ERR_CHILD);
	}
	for (size_t i = 0; i < b.n; i++) {
		_cleanup_(closure_fini) struct closure got = {0};

		b.p[i] ^= 0xff;
		if (closure_get(buf_str(&b), &got, &err) == 0)
			for (size_t k = 0; k < got.n; k++)
				for (size_t r = 0; r < got.paths[k].nrefs; r++)
					assert_true(got.paths[k].refs[r] < got.n);
		b.p[i] ^= 0xff;
	}
}

static void refused(const struct closure *c)
{
	_cleanup_(closure_fini) struct closure got = {0};
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	closure_put(c, &b);
	assert_int_equal(closure_get(buf_str(&b), &got, &err), -ERR_CHILD);
}

static void against_the_rules(void **state)
{
	_cleanup_(closure_fini) struct closure c = {0};
	char elsewhere[] = "/etc/shadow", *path;
	struct path_info first;

	(void)state;
	sample_closure(&c);
	c.paths[3].refs[1] = 0; /* twice */
	refused(&c);
	c.paths[3].refs[1] = 1;
	c.paths[3].refs[2] = 4; /* beyond */
	refused(&c);
	c.paths[3].refs[2] = 3;
	first = c.paths[0];
	c.paths[0] = c.paths[2]; /* out of order */
	refused(&c);
	c.paths[0] = first;
	path = c.paths[0].path;
	c.paths[0].path = elsewhere;
	refused(&c);
	c.paths[0].path = path;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(comes_back),
	        cmocka_unit_test(names_alone),
	        cmocka_unit_test(damaged),
	        cmocka_unit_test(against_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
