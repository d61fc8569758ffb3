/* SPDX-License-Identifier: MIT */
/* The line between parent and fetcher, and the memory that they share. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "cache/http_wire.h"

/* ---- bodies ----------------------------------------------------------------- */

static void passes_on(void **state)
{
	struct body there = {0}, here = {0};
	struct body_store s = {0};
	struct err err = ERR_INIT;
	uint8_t in[100000], out[sizeof in];
	size_t done = 0, n = 0;

	assert_ok(body_store_init(&s, &err), &err);
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t at = 0; at < sizeof in;) {
		struct body_part part;

		assert_true(body_put(&there, &s, in + at, sizeof in - at, &part));
		assert_true(body_add(&here, &part));
		at += part.n;
	}
	assert_int_equal(here.waiting, sizeof in);
	while (here.waiting) {
		const uint8_t *p = body_peek(&here, &s, &n);

		n = MIN(n, (size_t)1000);
		memcpy(out + done, p, n);
		body_drop(&here, NULL, n);
		body_drop(&there, &s, n);
		done += n;
	}
	assert_memory_equal(in, out, sizeof in);
	assert_null(body_peek(&here, &s, &n));
	/* The piece that was read is reused before a new one is taken. */
	assert_int_equal(s.n_spare, 1);
	body_fini(&there, &s);
	assert_int_equal(s.n_spare, 2);
	assert_int_equal(s.used, 2);
	body_fini(&here, NULL);
	body_store_fini(&s);
}

static void refuses_parts(void **state)
{
	static const struct body_part bad[] = {
	        {7, 10, 0},            /* empty */
	        {7, 0, 10},            /* repeated */
	        {7, 20, 10},           /* after a gap */
	        {8, 10, 10},           /* not at the start of another piece */
	        {8, 0, 10},            /* before the previous piece is full */
	        {BODY_PIECES, 10, 10}, /* no such piece */
	        {7, 10, BODY_PIECE},   /* beyond the end of the piece */
	        {7, UINT32_MAX, 10},   /* sums that overflow */
	        {7, 10, UINT32_MAX},
	};
	struct body b = {0};
	struct body_part part = {7, 0, 10};

	assert_false(body_add(&b, &(struct body_part){7, 1, 10}));
	assert_true(body_add(&b, &part));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (body_add(&b, &bad[i]))
			fail_msg("part %zu", i);
	assert_int_equal(b.waiting, 10);
	part = (struct body_part){7, 10, BODY_PIECE - 10};
	assert_true(body_add(&b, &part));
	assert_false(body_add(&b, &(struct body_part){BODY_PIECES, 0, 1}));
	assert_false(body_add(&b, &(struct body_part){7, BODY_PIECE, 1}));
	/* A piece may be named twice: that affects only the fetcher's own data. */
	assert_true(body_add(&b, &(struct body_part){7, 0, 1}));
	body_fini(&b, NULL);
}

static void runs_out(void **state)
{
	struct body_store s = {0};
	struct err err = ERR_INIT;
	struct body b = {0};
	struct body_part part;

	assert_ok(body_store_init(&s, &err), &err);
	s.used = BODY_PIECES - 1;
	assert_true(body_put(&b, &s, "x", 1, &part));
	assert_int_equal(part.piece, BODY_PIECES - 1);
	b.end = BODY_PIECE;
	assert_false(body_put(&b, &s, "x", 1, &part));
	body_fini(&b, &s);
	body_store_fini(&s);
}

/* ---- messages ---------------------------------------------------------------- */

static struct str body_of(const struct buf *b)
{
	return str_drop(buf_str(b), WIRE_HEAD);
}

static void both_ways(void **state)
{
	struct http_get get, get_in = {3, 1ull << 40, 65536, STR("http://x"), STR("u"), STR("")};
	struct http_bytes bytes, bytes_in = {4, {5, 6, 7}};
	struct http_end end, end_in = {8, ERR_NOENT, STR("no"), STR("gzip")};
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	uint64_t taken;
	uint32_t id;

	http_get_put(&b, &get_in);
	assert_ok(http_get_get(body_of(&b), &get, &err), &err);
	assert_true(get.id == 3 && get.limit == 1ull << 40 && get.window == 65536 &&
	            str_is(get.url, "http://x") && str_is(get.user, "u") && !get.password.n);
	buf_reset(&b);
	http_bytes_put(&b, &bytes_in);
	assert_ok(http_bytes_get(body_of(&b), &bytes, &err), &err);
	assert_memory_equal(&bytes, &bytes_in, sizeof bytes);
	buf_reset(&b);
	http_end_put(&b, &end_in);
	assert_ok(http_end_get(body_of(&b), &end, &err), &err);
	assert_true(end.id == 8 && end.code == ERR_NOENT && str_is(end.why, "no") &&
	            str_is(end.encoding, "gzip"));
	assert_fails(http_end_get((struct str){b.p + WIRE_HEAD, b.n - WIRE_HEAD - 1}, &end, &err),
	             &err, ERR_FORMAT, "malformed message \"end\"");
	buf_reset(&b);
	end_in.code = ERR_MISMATCH;
	http_end_put(&b, &end_in);
	assert_fails(http_end_get(body_of(&b), &end, &err), &err, ERR_FORMAT, "malformed");
	buf_reset(&b);
	http_taken_put(&b, 9, 10);
	assert_ok(http_taken_get(body_of(&b), &id, &taken, &err), &err);
	assert_true(id == 9 && taken == 10);
	buf_reset(&b);
	http_id_put(&b, HTTP_GONE, 11);
	assert_ok(http_id_get(body_of(&b), &id, &err), &err);
	assert_int_equal(id, 11);
	buf_fini(&b);
}

static void never_waits(void **state)
{
	static struct http_line a, b;
	struct err err = ERR_INIT;
	uint32_t type = 0, sent = 0, came = 0, id;
	struct str body;
	int fd[2], rc = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	a.wire = (struct wire){.fd = fd[0], .peer = "b"};
	b.wire = (struct wire){.fd = fd[1],
	                       .rules = http_fetcher_rules,
	                       .rule_count = http_fetcher_rule_count,
	                       .peer = "a"};
	/* More than a socket buffers. */
	while (sent < 100000)
		http_id_put(&a.out, HTTP_GONE, sent++);
	assert_ok(http_line_push(&a, &err), &err);
	assert_true(a.out.n > 0);
	while (came < sent && rc == 0) {
		assert_ok(http_line_push(&a, &err), &err);
		assert_ok(http_line_pull(&b, &err), &err);
		while ((rc = http_line_next(&b, &type, &body, &err)) == 0) {
			assert_ok(http_id_get(body, &id, &err), &err);
			assert_int_equal(id, came++);
		}
		assert_int_equal(rc, 1);
		rc = 0;
	}
	assert_int_equal(a.out.n, 0);
	/* No data is not an error. A message that the rules do not allow is one. */
	assert_ok(http_line_pull(&b, &err), &err);
	http_id_put(&a.out, HTTP_GET, 1);
	assert_ok(http_line_push(&a, &err), &err);
	assert_ok(http_line_pull(&b, &err), &err);
	assert_fails(http_line_next(&b, &type, &body, &err), &err, ERR_FORMAT, "not allowed");
	close(fd[0]);
	assert_int_equal(http_line_pull(&b, &err), 1);
	http_id_put(&b.out, HTTP_DONE, 1);
	assert_fails(http_line_push(&b, &err), &err, ERR_CHILD, "a: ");
	close(fd[1]);
	http_line_fini(&a);
	http_line_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(passes_on),   cmocka_unit_test(refuses_parts),
	        cmocka_unit_test(runs_out),    cmocka_unit_test(both_ways),
	        cmocka_unit_test(never_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
