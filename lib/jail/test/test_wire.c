/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "jail/wire.h"

static const struct wire_rule rules[] = {
        {0, 1, 16, 1}, /* state 0: message 1 of up to 16 bytes leads to 1 */
        {1, 2, 0, 1},
        {1, 3, 1u << 20, 0},
};

static void pair_init(struct wire w[2])
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		w[i] = (struct wire){.fd = fd[i],
		                     .rules = rules,
		                     .rule_count = ARRAY_LEN(rules),
		                     .peer = "peer"};
}

static void pair_fini(struct wire w[2])
{
	close(w[0].fd);
	close(w[1].fd);
}

static void both_ways(void **state)
{
	struct buf body = BUF_INIT;
	struct err err = ERR_INIT;
	struct wire w[2];
	uint32_t type;

	pair_init(w);
	assert_ok(wire_send(&w[0], 1, STR("hello"), &err), &err);
	assert_ok(wire_get(&w[1], &type, &body, &err), &err);
	assert_int_equal(type, 1);
	assert_string_equal(body.p, "hello");
	assert_int_equal(w[1].state, 1);
	assert_ok(wire_put(&w[1], 1, STR(""), &err), &err);
	assert_ok(wire_recv(&w[0], &type, &body, 1000, NULL, &err), &err);
	assert_int_equal(body.n, 0);
	close(w[1].fd);
	assert_int_equal(wire_recv(&w[0], &type, &body, 1000, NULL, &err), 1);
	assert_fails(wire_send(&w[0], 1, STR("x"), &err), &err, ERR_CHILD, "peer: ");
	close(w[0].fd);
	buf_fini(&body);
}

static void refused(void **state)
{
	static const struct {
		uint32_t state, type, size;
		const char *words;
	} bad[] = {
	        {0, 2, 0, "message 2 is not allowed in state 0"},
	        {1, 1, 0, "message 1 is not allowed in state 1"},
	        {0, 1, 17, "message 1 of 17 bytes, larger than the limit of 16"},
	        {0, 1, UINT32_MAX, "limit of 16"},
	        {1, 2, 1, "limit of 0"},
	        {7, 1, 0, "state 7"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t head[WIRE_HEAD];
		struct buf body = BUF_INIT;
		struct err err = ERR_INIT;
		struct wire w[2];
		uint32_t type;

		pair_init(w);
		wire_head_put(head, bad[i].type, bad[i].size);
		assert_int_equal(write(w[1].fd, head, sizeof head), sizeof head);
		w[0].state = bad[i].state;
		assert_fails(wire_recv(&w[0], &type, &body, 1000, NULL, &err), &err, ERR_FORMAT,
		             bad[i].words);
		pair_fini(w);
		buf_fini(&body);
	}
}

/* A peer that is told to stop has some time for it. */
static void grace(void **state)
{
	atomic_bool stop = false;
	struct buf body = BUF_INIT;
	struct err err = ERR_INIT;
	struct wire w[2];
	uint32_t type;

	pair_init(w);
	w[0].stop = &stop;
	w[0].grace_ms = 50;
	assert_fails(wire_recv(&w[0], &type, &body, 20, NULL, &err), &err, ERR_CHILD, "timed out");
	atomic_store(&stop, true);
	assert_ok(wire_send(&w[1], 1, STR("abc"), &err), &err);
	assert_ok(wire_recv(&w[0], &type, &body, -1, NULL, &err), &err);
	assert_fails(wire_recv(&w[0], &type, &body, -1, NULL, &err), &err, ERR_CHILD,
	             "still runs 0 s after it was told to stop");
	pair_fini(w);
	buf_fini(&body);
}

static void silence(void **state)
{
	volatile bool stop = false;
	struct buf body = BUF_INIT;
	struct err err = ERR_INIT;
	struct wire w[2];
	uint32_t type;

	pair_init(w);
	assert_fails(wire_recv(&w[0], &type, &body, 20, &stop, &err), &err, ERR_CHILD, "timed out");
	assert_int_equal(write(w[1].fd, "\1\0\0\0\5\0\0\0abc", 11), 11);
	assert_fails(wire_recv(&w[0], &type, &body, 20, &stop, &err), &err, ERR_CHILD, "timed out");
	w[0].state = 0;
	assert_int_equal(write(w[1].fd, "\1\0\0\0\5\0\0\0abc", 11), 11);
	close(w[1].fd);
	/* "abc" was read as part of a head, so start again. */
	stop = true;
	assert_fails(wire_recv(&w[0], &type, &body, 1000, &stop, &err), &err, ERR_INTERRUPTED,
	             "signal");
	close(w[0].fd);
	pair_init(w);
	assert_int_equal(write(w[1].fd, "\1\0\0\0\5\0\0\0abc", 11), 11);
	close(w[1].fd);
	assert_fails(wire_recv(&w[0], &type, &body, 1000, NULL, &err), &err, ERR_CHILD,
	             "in the middle of a message");
	close(w[0].fd);
	buf_fini(&body);
}

static void fields(void **state)
{
	struct buf b = BUF_INIT;
	struct bytes in;
	struct str s;

	wire_text_put(&b, STR("text"));
	wire_u32_put(&b, 7);
	wire_u64_put(&b, 1ull << 40);
	in = bytes_over(b.p, b.n);
	s = wire_text_get(&in, 4);
	assert_true(str_is(s, "text"));
	assert_int_equal(wire_u32_get(&in, 7), 7);
	assert_false(wire_end(&in));
	assert_int_equal(wire_u64_get(&in, UINT64_MAX), 1ull << 40);
	assert_true(wire_end(&in));
	in = bytes_over(b.p, b.n);
	s = wire_text_get(&in, 3);
	assert_int_equal(s.n, 0);
	assert_false(bytes_ok(&in));
	in = bytes_over(b.p, 6);
	s = wire_text_get(&in, 100);
	assert_false(bytes_ok(&in));
	in = bytes_over(b.p + 8, 4);
	assert_int_equal(wire_u32_get(&in, 6), 0);
	assert_false(wire_end(&in));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(both_ways), cmocka_unit_test(refused), cmocka_unit_test(silence),
	        cmocka_unit_test(grace),     cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
