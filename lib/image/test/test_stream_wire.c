/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/test/test.h"
#include "image/stream_wire.h"
#include "image/stream_wire_internal.h"
#include "jail/jail.h"

#define ITEMS 5u
#define LINES 4u

/*
 * Item i has i * 500,000 bytes. Item 3 fails half-way, the second time it is right; item 4 does not
 * exist.
 */
struct fake {
	struct stream_source src;
	struct store_item items[ITEMS];
	atomic_uint open, ordered, warned, cancelled;
	struct err warning;
};

struct reading {
	struct stream stream;
	size_t item, pos;
	bool again;
};

static uint64_t size_of(size_t i)
{
	return i * 500000u;
}

static uint8_t byte_of(size_t i, size_t pos)
{
	return (uint8_t)(pos * 7 + pos / 251 + i);
}

static struct fake *fake_of(const struct stream_source *src)
{
	return (struct fake *)(uintptr_t)src;
}

static int fake_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct reading *r = (struct reading *)s;
	uint8_t *out = p;

	if (r->item == 3 && !r->again && r->pos >= size_of(3) / 2)
		return err_set(err, ERR_MISMATCH, "bad\033 item");
	*got = MIN(n, size_of(r->item) - r->pos);
	*got = MIN(*got, (size_t)33333);
	for (size_t i = 0; i < *got; i++)
		out[i] = byte_of(r->item, r->pos + i);
	r->pos += *got;
	return 0;
}

static int fake_open(const struct stream_source *src, size_t i, bool again, struct stream **out,
                     struct err *err)
{
	struct reading *r;

	if (i == 4)
		return err_set(err, ERR_NOENT, "no such item");
	if (again && i != 3)
		return 1;
	r = xcalloc(1, sizeof *r);
	*r = (struct reading){{fake_read}, .item = i, .again = again};
	*out = &r->stream;
	atomic_fetch_add(&fake_of(src)->open, 1);
	return 0;
}

static void fake_close(const struct stream_source *src, struct stream *nar)
{
	free(nar);
	atomic_fetch_sub(&fake_of(src)->open, 1);
}

static int fake_refused(const struct stream_source *src, size_t i, struct stream *nar,
                        struct err *err)
{
	return err_prefix(err, "item %zu", i);
}

static bool fake_is_slow(const struct stream_source *src, size_t i)
{
	return false;
}

static void fake_order(const struct stream_source *src, const size_t *order, size_t n)
{
	atomic_store(&fake_of(src)->ordered, (unsigned)(n * 10 + order[0]));
}

static void fake_warn(const struct stream_source *src, const struct err *err)
{
	fake_of(src)->warning = *err;
	atomic_store(&fake_of(src)->warned, 1);
}

static void fake_cancel(const struct stream_source *src)
{
	atomic_store(&fake_of(src)->cancelled, 1);
}

static void fake_init(struct fake *f)
{
	static const char *const names[ITEMS] = {"a", "b", "c", "d", "e"};

	*f = (struct fake){.src = {.items = f->items,
	                           .n = ITEMS,
	                           .open = fake_open,
	                           .close = fake_close,
	                           .refused = fake_refused,
	                           .is_slow = fake_is_slow,
	                           .order = fake_order,
	                           .warn = fake_warn,
	                           .cancel = fake_cancel}};
	for (size_t i = 0; i < ITEMS; i++)
		f->items[i] = (struct store_item){.name = names[i], .nar_size = size_of(i)};
}

/* Both ends. */
struct both {
	struct fake fake;
	int server_fd[LINES], client_fd[LINES];
	struct stream_memory *memory;
	struct stream_server *server;
	struct stream_client *client;
	const struct stream_source *src;
};

static const bool slow[ITEMS] = {[2] = true};

static void both_init(struct both *b)
{
	struct err err = ERR_INIT;

	fake_init(&b->fake);
	assert_ok(stream_memory_new(LINES, &b->memory, &err), &err);
	for (size_t i = 0; i < LINES; i++) {
		int fd[2];

		assert_int_equal(jail_pair(fd, &err), 0);
		b->server_fd[i] = fd[0];
		b->client_fd[i] = fd[1];
	}
	assert_int_equal(
	        stream_serve(&b->fake.src, b->server_fd, b->memory, LINES, &b->server, &err), 0);
	b->client = stream_client_new(b->client_fd, b->memory, LINES, b->fake.items, ITEMS, slow);
	b->src = stream_client_source(b->client);
}

/* The server's result. */
static int both_fini(struct both *b)
{
	struct err err = ERR_INIT;
	int rc;

	for (size_t i = 0; i < LINES; i++)
		io_close(&b->client_fd[i]);
	rc = stream_serve_end(b->server, &err);
	for (size_t i = 0; i < LINES; i++)
		io_close(&b->server_fd[i]);
	stream_client_free(b->client);
	stream_memory_free(b->memory, LINES);
	assert_int_equal(atomic_load(&b->fake.open), 0);
	return rc;
}

/* All of a NAR; the number of bytes, or -ERR_*. */
static int64_t read_all(struct stream *nar, size_t item, struct err *err)
{
	uint8_t piece[5000];
	size_t got, pos = 0;
	int rc;

	while ((rc = stream_read(nar, piece, sizeof piece, &got, err)) == 0 && got)
		for (size_t i = 0; i < got; i++, pos++)
			if (piece[i] != byte_of(item, pos))
				return -1000;
	return rc < 0 ? rc : (int64_t)pos;
}

static int read_job(void *ctx, unsigned worker, size_t job, struct err *err)
{
	struct both *b = ctx;
	size_t item = worker;
	struct stream *nar;
	int64_t n;
	int rc = b->src->open(b->src, item, false, &nar, err);

	if (rc)
		return rc < 0 ? rc : err_set(err, ERR_NOENT, "none");
	n = read_all(nar, item, err);
	b->src->close(b->src, nar);
	if (n < 0 || (uint64_t)n != size_of(item))
		return err_set(err, ERR_MISMATCH, "item %zu: %lld bytes", item, (long long)n);
	return 0;
}

static void bytes_arrive_on_several_threads(void **state)
{
	struct both b;
	struct err err = ERR_INIT;

	(void)state;
	both_init(&b);
	assert_int_equal(pool_run(LINES - 1, 60, read_job, &b, &err), 0);
	assert_int_equal(both_fini(&b), 0);
}

static void errors_arrive(void **state)
{
	struct both b;
	struct err err = ERR_INIT;
	struct stream *nar;

	(void)state;
	both_init(&b);
	assert_int_equal(b.src->open(b.src, 4, false, &nar, &err), -ERR_NOENT);
	assert_string_equal(err.text, "no such item");
	assert_int_equal(b.src->open(b.src, 1, true, &nar, &err), 1);
	assert_int_equal(b.src->open(b.src, 3, false, &nar, &err), 0);
	assert_int_equal(read_all(nar, 3, &err), -ERR_MISMATCH);
	assert_string_equal(err.text, "bad? item");
	b.src->close(b.src, nar);
	assert_int_equal(b.src->open(b.src, 3, true, &nar, &err), 0);
	assert_int_equal(read_all(nar, 3, &err), (int64_t)size_of(3));
	b.src->close(b.src, nar);
	assert_int_equal(both_fini(&b), 0);
}

static void the_rest(void **state)
{
	static const size_t order[] = {2, 1};
	struct both b;
	struct err err = ERR_INIT, bad = ERR_INIT;
	struct stream *nar;
	uint8_t some[10];
	size_t got;

	(void)state;
	both_init(&b);
	assert_true(b.src->is_slow(b.src, 2));
	assert_false(b.src->is_slow(b.src, 1));
	/* A NAR that is not read to its end, twice on the same line. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(b.src->open(b.src, 2, false, &nar, &err), 0);
		assert_int_equal(stream_read(nar, some, sizeof some, &got, &err), 0);
		assert_int_equal(got, 10);
		b.src->close(b.src, nar);
	}
	assert_int_equal(b.src->open(b.src, 2, false, &nar, &err), 0);
	err_set(&bad, ERR_FORMAT, "no NAR");
	assert_int_equal(b.src->refused(b.src, 2, nar, &bad), -ERR_FORMAT);
	assert_string_equal(bad.text, "item 2: no NAR");
	b.src->close(b.src, nar);
	b.src->order(b.src, order, 2);
	b.src->warn(b.src, &bad);
	b.src->cancel(b.src);
	assert_int_equal(both_fini(&b), 0);
	assert_int_equal(atomic_load(&b.fake.ordered), 22);
	assert_int_equal(atomic_load(&b.fake.warned), 1);
	assert_string_equal(b.fake.warning.text, "item 2: no NAR");
	assert_int_equal(atomic_load(&b.fake.cancelled), 1);
}

/* A source opens an item once at a time. */
static void an_item_twice(void **state)
{
	struct both b;
	struct err err = ERR_INIT;
	struct stream *one, *two;

	(void)state;
	both_init(&b);
	assert_int_equal(b.src->open(b.src, 2, false, &one, &err), 0);
	assert_int_equal(b.src->open(b.src, 2, false, &two, &err), -ERR_CHILD);
	assert_int_equal(both_fini(&b), -ERR_CHILD);
}

/* A client that was taken over. */
static void invalid_requests(void **state)
{
	static const struct {
		size_t line;
		uint32_t type;
		struct str body;
	} cases[] = {
	        {1, STREAM_READ, {"", 0}},
	        {1, STREAM_CLOSE, {"", 0}},
	        {1, STREAM_OPEN, {"\5\0\0\0\0\0\0\0", 8}},
	        {1, STREAM_OPEN, {"\xff\xff\xff\xff\0\0\0\0", 8}},
	        {1, STREAM_OPEN, {"\1\0\0\0\2\0\0\0", 8}},
	        {1, STREAM_OPEN, {"\1\0\0\0", 4}},
	        {1, STREAM_OPEN, {"\1\0\0\0\0\0\0\0\0", 9}},
	        {1, STREAM_ORDER, {"", 0}},
	        {1, 99, {"", 0}},
	        {0, STREAM_OPEN, {"\1\0\0\0\0\0\0\0", 8}},
	        {0, STREAM_ORDER, {"\5\0\0\0", 4}},
	        {0, STREAM_ORDER, {"\1\0\0", 3}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct both b;
		struct err err = ERR_INIT;
		struct wire w;

		both_init(&b);
		w = (struct wire){.fd = b.client_fd[cases[i].line], .peer = "server"};
		/* The server may close the line after the head, before the body is sent. */
		(void)wire_send(&w, cases[i].type, cases[i].body, &err);
		assert_int_equal(both_fini(&b), -ERR_CHILD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(bytes_arrive_on_several_threads),
	        cmocka_unit_test(errors_arrive),
	        cmocka_unit_test(the_rest),
	        cmocka_unit_test(an_item_twice),
	        cmocka_unit_test(invalid_requests),
	};

	/* As in a jail. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
