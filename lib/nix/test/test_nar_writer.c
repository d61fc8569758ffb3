/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "nix/nar_hash.h"
#include "nix/test/nar_make.h"

#define X59 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
/* What "nix-store --dump" gives for tree[]: its length and its SHA-256. */
#define TREE_SIZE 1728
#define TREE_HASH "sha256:afcd5ef9d7390c9f841340f1dae04fe59d66fde983629678d5157100555e335f"

struct node {
	struct walk_entry ent;
	const char *data;
};

#define NAME(s) .name = {s, sizeof(s) - 1}
#define AFILE(s, m, d) {{WALK_FILE, NAME(s), .size = sizeof(d) - 1, .mode = m}, d}
#define ALINK(s, t) {{WALK_LINK, NAME(s), .target = {t, sizeof(t) - 1}, .mode = 0777}, NULL}
#define ADIR(s) {{WALK_DIR, NAME(s), .mode = 0755}, NULL}
#define AUP {{WALK_UP, .mode = 0}, NULL}

static const struct node tree[] = {
        ADIR(""),
        ADIR("dir"),
        AFILE("eight", 0644, "12345678"),
        ADIR("empty"),
        AUP,
        AUP,
        AFILE("empty", 0600, ""),
        AFILE("file", 0655, "hello\n"), /* executable for others is not executable */
        ALINK("l59", X59),
        ALINK("l60", X59 "x"),
        AFILE("run", 0755, "#!/bin/sh\n"),
        AUP,
};

static void put_buf(void *ctx, const void *p, size_t n)
{
	buf_put(ctx, p, n);
}

/* Data in pieces of at most step bytes. */
static void put_node(struct nar_writer *w, const struct node *node, size_t step)
{
	struct str s = {node->data, node->ent.size};
	struct err err = ERR_INIT;

	assert_ok(nar_writer_entry(w, &node->ent, &err), &err);
	while (s.n) {
		nar_writer_data(w, s.p, MIN(step, s.n));
		s = str_drop(s, MIN(step, s.n));
	}
}

static void like_nix(void **state)
{
	static const size_t steps[] = {1, 3, 4096};
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	uint8_t want[HASH_SHA256_LEN], got[HASH_SHA256_LEN];
	struct err err = ERR_INIT;
	struct nar_writer w;
	struct nar_hash h;
	uint64_t size;

	assert_ok(hash_parse(STR(TREE_HASH), want, &err), &err);
	nar_hash_init(&h);
	for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
		buf_reset(&out);
		nar_writer_init(&w, put_buf, &out);
		for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
			put_node(&w, &tree[i], steps[s]);
			put_node(&h.w, &tree[i], steps[s]);
		}
		assert_ok(nar_writer_finish(&w, &err), &err);
		assert_int_equal(out.n, TREE_SIZE);
		sha256_of(out.p, out.n, got);
		assert_memory_equal(got, want, sizeof want);
		assert_ok(nar_hash_final(&h, got, &size, &err), &err);
		assert_int_equal(size, TREE_SIZE);
		assert_memory_equal(got, want, sizeof want);
	}
	nar_hash_fini(&h);
}

/* Reading an archive and writing it again gives the same bytes. */
static void round_trip(void **state)
{
	_cleanup_(buf_fini) struct buf in = BUF_INIT, out = BUF_INIT;
	struct slow_source src;
	struct err err = ERR_INIT;
	struct walk_entry ent;
	struct nar_writer w;
	char data[777];
	size_t got;
	int rc;

	nar_writer_init(&w, put_buf, &in);
	for (size_t i = 0; i < ARRAY_LEN(tree); i++)
		put_node(&w, &tree[i], 99);
	assert_ok(nar_writer_finish(&w, &err), &err);
	src = (struct slow_source){.left = buf_str(&in), .step = 100};

	_cleanup_(walk_freep) struct walk *walk = nar_walk_new(source_over(&src));

	nar_writer_init(&w, put_buf, &out);
	while ((rc = walk_next(walk, &ent, &err)) == 0) {
		assert_ok(nar_writer_entry(&w, &ent, &err), &err);
		if (ent.kind != WALK_FILE)
			continue;
		do {
			assert_ok(walk_read(walk, data, sizeof data, &got, &err), &err);
			nar_writer_data(&w, data, got);
		} while (got);
	}
	assert_int_equal(rc, 1);
	assert_ok(nar_writer_finish(&w, &err), &err);
	assert_int_equal(in.n, out.n);
	assert_memory_equal(in.p, out.p, in.n);
}

static unsigned calls;

static void count_calls(void *ctx, const void *p, size_t n)
{
	calls++;
}

/* Many small files must not cause many calls. */
static void coalesces(void **state)
{
	const struct node root = ADIR(""), file = AFILE("name", 0444, "0123456789"), up = AUP;
	struct err err = ERR_INIT;
	struct nar_writer w;

	calls = 0;
	nar_writer_init(&w, count_calls, NULL);
	put_node(&w, &root, 1);
	for (unsigned i = 0; i < 1000; i++)
		put_node(&w, &file, 10);
	put_node(&w, &up, 1);
	assert_ok(nar_writer_finish(&w, &err), &err);
	assert_in_range(calls, 20, 60);
}

static void large_data(void **state)
{
	enum { SIZE = 100000 };
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	const struct node root = {{WALK_FILE, .mode = 0444, .size = SIZE}, NULL};
	_free_ char *data = xmalloc(SIZE);
	struct err err = ERR_INIT;
	struct nar_writer w;

	for (size_t i = 0; i < SIZE; i++)
		data[i] = (char)(i % 251);
	for (size_t step = 1; step <= SIZE; step = step * 3 + 1) {
		buf_reset(&out);
		nar_writer_init(&w, put_buf, &out);
		assert_ok(nar_writer_entry(&w, &root.ent, &err), &err);
		for (size_t at = 0; at < SIZE; at += step)
			nar_writer_data(&w, data + at, MIN(step, SIZE - at));
		assert_ok(nar_writer_finish(&w, &err), &err);
		assert_int_equal(out.n, 96 + SIZE + 16);
		assert_memory_equal(out.p + 96, data, SIZE);
	}
}

static void wrong_sizes(void **state)
{
	const struct node file = AFILE("", 0444, "abc"), empty = AFILE("", 0444, "");
	struct err err = ERR_INIT;
	struct nar_writer w;
	struct nar_hash h;
	uint8_t hash[HASH_SHA256_LEN];
	uint64_t size;

	nar_writer_init(&w, count_calls, NULL);
	assert_ok(nar_writer_entry(&w, &file.ent, &err), &err);
	nar_writer_data(&w, "ab", 2);
	assert_fails(nar_writer_finish(&w, &err), &err, ERR_MISMATCH, "1 bytes less");
	assert_fails(nar_writer_entry(&w, &file.ent, &err), &err, ERR_MISMATCH, "1 bytes less");
	nar_writer_init(&w, count_calls, NULL);
	assert_ok(nar_writer_entry(&w, &file.ent, &err), &err);
	nar_writer_data(&w, "abcd", 4);
	nar_writer_data(&w, "e", 1);
	assert_fails(nar_writer_finish(&w, &err), &err, ERR_MISMATCH, "2 bytes more");
	nar_hash_init(&h);
	assert_ok(nar_hash_entry(&h, &empty.ent, &err), &err);
	nar_hash_data(&h, "x", 1);
	assert_fails(nar_hash_final(&h, hash, &size, &err), &err, ERR_MISMATCH, "1 bytes more");
	/* A failure leaves the hasher ready for the next tree. */
	put_node(&h.w, &file, 3);
	assert_ok(nar_hash_final(&h, hash, &size, &err), &err);
	assert_int_equal(size, 96 + 8 + 16);
	nar_hash_fini(&h);
}

static void wrong_trees(void **state)
{
	const struct node file = AFILE("", 0444, "abc"), root = ADIR(""), up = AUP;
	struct err err = ERR_INIT;
	struct nar_writer w;

	nar_writer_init(&w, count_calls, NULL);
	assert_fails(nar_writer_finish(&w, &err), &err, ERR_USAGE, "before the tree is complete");
	assert_fails(nar_writer_entry(&w, &up.ent, &err), &err, ERR_USAGE, "without a directory");
	put_node(&w, &root, 1);
	assert_fails(nar_writer_finish(&w, &err), &err, ERR_USAGE, "before the tree is complete");
	put_node(&w, &up, 1);
	assert_fails(nar_writer_entry(&w, &up.ent, &err), &err, ERR_USAGE, "without a directory");
	assert_fails(nar_writer_entry(&w, &file.ent, &err), &err, ERR_USAGE, "after the end");
	assert_ok(nar_writer_finish(&w, &err), &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(like_nix),    cmocka_unit_test(round_trip),
	        cmocka_unit_test(coalesces),   cmocka_unit_test(large_data),
	        cmocka_unit_test(wrong_sizes), cmocka_unit_test(wrong_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
