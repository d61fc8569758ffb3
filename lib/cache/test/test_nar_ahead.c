/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "cache/nar_ahead.h"

/* A source of increasing bytes, which may fail, or hang until hold is unlocked. */
struct counting {
	struct stream stream;
	size_t at, size;
	size_t fail_at; /* 0: nowhere */
	atomic_size_t reads;
	pthread_mutex_t *hold; /* locked during each read; may be NULL */
};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

static int counting_read(struct stream *stream, void *p, size_t n, size_t *got, struct err *err)
{
	struct counting *c = (struct counting *)stream;

	atomic_fetch_add(&c->reads, 1);
	if (c->hold) {
		pthread_mutex_lock(c->hold);
		pthread_mutex_unlock(c->hold);
	}
	if (c->fail_at && c->at >= c->fail_at)
		return err_set(err, ERR_MISMATCH, "the source is bad at %zu", c->at);
	/* Odd lengths, so that pieces are not all full. */
	*got = MIN(MIN(n, c->size - c->at), 99991u);
	for (size_t i = 0; i < *got; i++)
		((uint8_t *)p)[i] = byte_at(c->at + i);
	c->at += *got;
	return 0;
}

struct checking {
	size_t seen, ends;
	size_t fail_at; /* 0: nowhere; SIZE_MAX: at the end */
	bool wrong;
};

static int check(void *ctx, const void *p, size_t n, struct err *err)
{
	struct checking *c = ctx;

	for (size_t i = 0; i < n; i++)
		c->wrong |= ((const uint8_t *)p)[i] != byte_at(c->seen + i);
	c->seen += n;
	c->ends += n == 0;
	if ((c->fail_at && c->seen > c->fail_at) || (n == 0 && c->fail_at == SIZE_MAX))
		return err_set(err, ERR_FORMAT, "the check says no");
	return 0;
}

/* Read to the end or the first error; *sum: the number of correct bytes. */
static int drain(struct nar_ahead *a, size_t step, size_t *sum, struct err *err)
{
	_free_ uint8_t *piece = xmalloc(step);
	size_t got;
	int rc;

	*sum = 0;
	while ((rc = nar_ahead_read(a, piece, step, &got, err)) == 0 && got) {
		for (size_t i = 0; i < got; i++)
			assert_int_equal(piece[i], byte_at(*sum + i));
		*sum += got;
	}
	return rc;
}

static struct nar_ahead *begin(struct counting *src, struct checking *chk, size_t pieces)
{
	struct nar_ahead *a;

	src->stream.read = counting_read;
	a = nar_ahead_new(&src->stream, check, chk, pieces);
	assert_non_null(a);
	return a;
}

static void all_of_it(void **state)
{
	static const size_t sizes[] = {0, 1, 99991, NAR_AHEAD_PIECE, 5000001};
	static const size_t steps[] = {700, 65536, 1u << 20};

	for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(steps); i++) {
		struct counting src = {.size = sizes[i % ARRAY_LEN(sizes)]};
		struct checking chk = {0};
		struct nar_ahead *a = begin(&src, &chk, 1 + i % 7);
		struct err err = ERR_INIT;
		size_t sum, got;
		uint8_t more;

		assert_ok(drain(a, steps[i / ARRAY_LEN(sizes)], &sum, &err), &err);
		assert_int_equal(sum, src.size);
		/* The end is reported again. */
		assert_ok(nar_ahead_read(a, &more, 1, &got, &err), &err);
		assert_int_equal(got, 0);
		nar_ahead_free(a);
		assert_int_equal(chk.seen, src.size);
		assert_int_equal(chk.ends, 1);
		assert_false(chk.wrong);
	}
}

static void bad_source(void **state)
{
	struct counting src = {.size = 5000000, .fail_at = 3000000};
	struct checking chk = {0};
	struct nar_ahead *a = begin(&src, &chk, 4);
	struct err err = ERR_INIT;
	size_t sum, got;
	uint8_t more;

	assert_fails(drain(a, 65536, &sum, &err), &err, ERR_MISMATCH, "source is bad at 30");
	assert_int_equal(sum, src.at);
	assert_fails(nar_ahead_read(a, &more, 1, &got, &err), &err, ERR_MISMATCH, "bad at 30");
	nar_ahead_free(a);
	assert_int_equal(chk.ends, 0);
}

static void bad_check(void **state)
{
	static const size_t wheres[] = {1, 2000000, SIZE_MAX};

	for (size_t i = 0; i < ARRAY_LEN(wheres); i++) {
		struct counting src = {.size = 5000000};
		struct checking chk = {.fail_at = wheres[i]};
		struct nar_ahead *a = begin(&src, &chk, 4);
		struct err err = ERR_INIT;
		size_t sum;

		assert_fails(drain(a, 65536, &sum, &err), &err, ERR_FORMAT, "check says no");
		/* Only checked bytes were returned. */
		assert_true(sum <= chk.seen && sum < wheres[i]);
		nar_ahead_free(a);
	}
}

/* It reads only as far ahead as allowed, and can be freed at any time. */
static void given_up(void **state)
{
	pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;
	struct counting src = {.size = 50000000, .hold = &hold};
	struct checking chk = {0};
	struct nar_ahead *a = begin(&src, &chk, 3);
	struct err err = ERR_INIT;
	uint8_t piece[16];
	size_t got;

	assert_ok(nar_ahead_read(a, piece, sizeof piece, &got, &err), &err);
	assert_int_equal(got, sizeof piece);
	while (atomic_load(&src.reads) < 3)
		;
	nar_ahead_free(a);
	assert_int_equal(atomic_load(&src.reads), 3);
	/* Freed while it waits for the first bytes. */
	pthread_mutex_lock(&hold);
	src.at = 0;
	chk = (struct checking){0};
	a = begin(&src, &chk, 3);
	while (atomic_load(&src.reads) < 4)
		;
	pthread_mutex_unlock(&hold);
	nar_ahead_free(a);
	assert_int_equal(chk.ends, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_of_it),
	        cmocka_unit_test(bad_source),
	        cmocka_unit_test(bad_check),
	        cmocka_unit_test(given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
