/* SPDX-License-Identifier: MIT */
/* What is where in a NAR, between two processes. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "cache/nar_index.h"
#include "jail/wire.h"
#include "nix/test/nar_make.h"

#define NAR_SIZE 1000u
#define PATH "/nix/store/9xhdf7mi5294qx6vrv6r40nrwjxk9qid-a"

/* All that an indexer says of some bytes, in small pieces. */
static int read_all(const char *name, struct str in, struct buf *out, struct err *err)
{
	struct slow_source src = {.left = in, .step = 7};
	struct nar_indexer *x = nar_indexer_new(str_from(name), source_over(&src));
	char piece[5];
	size_t got = 1;
	int rc = 0;

	while (rc == 0 && got) {
		rc = nar_indexer_read(x, piece, sizeof piece, &got, err);
		if (rc == 0)
			buf_put(out, piece, got);
	}
	nar_indexer_free(x);
	return rc;
}

static void a_nar(void **state)
{
	_cleanup_(buf_fini) struct buf nar = BUF_INIT, bytes = BUF_INIT;
	_cleanup_(nar_index_fini) struct nar_index x = {0};
	struct err err = ERR_INIT;
	static const char *const paths[] = {"", "b", "b/c", "b/d", "e"};

	put_words(&nar,
	          "nix-archive-1 ( type directory entry ( name b node ( type directory entry "
	          "( name c node ( type regular contents hello ) ) entry ( name d node ( type "
	          "directory ) ) ) ) entry ( name e node ( type symlink target b/c ) ) )");
	assert_ok(read_all(NAR_INDEX, buf_str(&nar), &bytes, &err), &err);
	assert_ok(nar_index_get(buf_str(&bytes), nar.n, &x, &err), &err);
	assert_int_equal(x.n, ARRAY_LEN(paths));
	for (size_t i = 0; i < x.n; i++)
		assert_string_equal(x.entries[i].path, paths[i]);
	assert_int_equal(x.entries[2].kind, WALK_FILE);
	assert_int_equal(x.entries[2].size, 5);
	assert_memory_equal(nar.p + x.entries[2].at, "hello", 5);
	assert_int_equal(x.entries[3].kind, WALK_DIR);
	assert_string_equal(x.entries[4].target, "b/c");
}

static void no_nar(void **state)
{
	_cleanup_(buf_fini) struct buf nar = BUF_INIT, bytes = BUF_INIT;
	struct err err = ERR_INIT;

	put_words(&nar,
	          "nix-archive-1 ( type directory entry ( name .. node ( type directory ) ) )");
	assert_int_equal(read_all(NAR_INDEX, buf_str(&nar), &bytes, &err), -ERR_FORMAT);
	assert_int_equal(read_all(NAR_INDEX, STR(""), &bytes, &err), -ERR_FORMAT);
}

/* An entry as a process that was taken over could send it. */
struct entry {
	uint32_t kind;
	const char *path, *target;
	uint64_t at, size;
};

static void put_entry(struct buf *out, const struct entry *e)
{
	wire_u32_put(out, e->kind);
	wire_text_put(out, str_from(e->path));
	wire_text_put(out, str_from(e->target));
	wire_u64_put(out, e->at);
	wire_u64_put(out, e->size);
}

static void entries_refused(void **state)
{
	static const struct entry good = {WALK_FILE, "a", "", 96, 5};
	static const struct entry bad[] = {
	        {WALK_UP, "b", "", 0, 0},
	        {99, "b", "", 0, 0},
	        {WALK_FILE, "a", "", 96, 5}, /* twice */
	        {WALK_FILE, "../b", "", 0, 0},
	        {WALK_FILE, "/b", "", 0, 0},
	        {WALK_FILE, "b/", "", 0, 0},
	        {WALK_FILE, "b//c", "", 0, 0},
	        {WALK_FILE, "b/.", "", 0, 0},
	        {WALK_FILE, "b", "c", 0, 0},
	        {WALK_LINK, "b", "", 0, 0},
	        {WALK_FILE, "b", "", NAR_SIZE + 1, 0},
	        {WALK_FILE, "b", "", 0, NAR_SIZE + 1},
	        {WALK_FILE, "b", "", 1, NAR_SIZE},
	        {WALK_FILE, "b", "", UINT64_MAX, 2},
	};
	struct nar_index x;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(buf_fini) struct buf bytes = BUF_INIT;

		put_entry(&bytes, &good);
		assert_ok(nar_index_get(buf_str(&bytes), NAR_SIZE, &x, &err), &err);
		nar_index_fini(&x);
		put_entry(&bytes, &bad[i]);
		if (nar_index_get(buf_str(&bytes), NAR_SIZE, &x, &err) != -ERR_CHILD)
			fail_msg("entry %zu is accepted", i);
	}
	assert_int_equal(nar_index_get(STR(""), NAR_SIZE, &x, &err), -ERR_CHILD);
}

static void outputs(void **state)
{
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct path_info info = {0};
	struct err err = ERR_INIT;

	assert_ok(read_all(DRV_OUTPUTS,
	                   STR("Derive([(\"out\",\"" PATH "\",\"\",\"\"),(\"dev\",\"" PATH
	                       "-dev\",\"\",\"\"),(\"doc\",\"\",\"\",\"\")],[],[])"),
	                   &bytes, &err),
	          &err);
	assert_ok(drv_outputs_get(buf_str(&bytes), &info, &err), &err);
	assert_int_equal(info.noutputs, 2);
	assert_string_equal(info.outputs[0].id, "dev");
	assert_string_equal(info.outputs[1].path, PATH);
	for (size_t i = 0; i < info.noutputs; i++) {
		free(info.outputs[i].id);
		free(info.outputs[i].path);
	}
	free(info.outputs);
	assert_int_equal(read_all(DRV_OUTPUTS, STR("Derive(["), &bytes, &err), -ERR_FORMAT);
}

static void outputs_refused(void **state)
{
	static const char *const bad[][2] = {{"", PATH}, {"out", "/etc/passwd"}, {"out", ""}};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
		struct path_info info = {0};

		wire_text_put(&bytes, str_from(bad[i][0]));
		wire_text_put(&bytes, str_from(bad[i][1]));
		assert_int_equal(drv_outputs_get(buf_str(&bytes), &info, &err), -ERR_CHILD);
		assert_null(info.outputs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_nar),           cmocka_unit_test(no_nar),
	        cmocka_unit_test(entries_refused), cmocka_unit_test(outputs),
	        cmocka_unit_test(outputs_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
