/* SPDX-License-Identifier: MIT */
/* Paths, links, views and runs, with a simulated file system. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "fs/driver.h"
#include "fs/view.h"

struct entry {
	uint64_t dir, node;
	const char *name;
	enum fs_kind kind;
	const char *text; /* of a file, or a link's target */
};

/* Node 1 is the root; "down" contains itself. */
static const struct entry tree[] = {
        {1, 2, "etc", FS_DIR, NULL},
        {2, 3, "host", FS_FILE, "guest"},
        {1, 4, "abs", FS_LINK, "/etc/host"},
        {2, 5, "rel", FS_LINK, "../etc/./host"},
        {1, 6, "dir", FS_LINK, "etc/"},
        {1, 7, "loop", FS_LINK, "loop"},
        {1, 8, "ping", FS_LINK, "pong/x"},
        {1, 9, "pong", FS_LINK, "ping/x"},
        {1, 10, "up", FS_LINK, "../../../etc"},
        {1, 11, "void", FS_LINK, ""},
        {1, 12, "gone", FS_LINK, "/not/there"},
        {1, 13, "fifo", FS_OTHER, NULL},
        {1, 14, "down", FS_DIR, NULL},
        {14, 14, "down", FS_DIR, NULL},
};

static const struct entry *by_node(uint64_t node)
{
	for (size_t i = 0; i < ARRAY_LEN(tree); i++)
		if (tree[i].node == node)
			return &tree[i];
	return NULL;
}

static const char *text_of(uint64_t node)
{
	const struct entry *e = by_node(node);

	return e && e->text ? e->text : "";
}

static int fake_stat(struct fs *fs, uint64_t node, struct fs_stat *out, struct err *err)
{
	const struct entry *e = by_node(node);

	*out = (struct fs_stat){.kind = e ? e->kind : FS_DIR,
	                        .size = e && e->text ? strlen(e->text) : 0};
	return 0;
}

static int fake_map(struct fs *fs, uint64_t node, struct fs_map *out, struct err *err)
{
	struct fs_map m = FS_MAP_INIT;

	buf_puts(&m.inside, text_of(node));
	m.has_inside = true;
	m.size = m.inside.n;
	*out = m;
	return 0;
}

static int fake_readlink(struct fs *fs, uint64_t node, struct buf *out, struct err *err)
{
	buf_puts(out, text_of(node));
	return 0;
}

static unsigned lists; /* how often a directory was read */

static int fake_list(struct fs *fs, uint64_t dir, fs_entry_fn *fn, void *arg, struct err *err)
{
	lists++;
	for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
		const struct fs_entry ent = {.name = str_from(tree[i].name), .node = tree[i].node};

		if (tree[i].dir == dir && fn(arg, &ent))
			return 0;
	}
	return 0;
}

static void fake_free(struct fs *fs)
{
}

static const struct fs_ops fake_ops = {.free = fake_free,
                                       .stat = fake_stat,
                                       .map = fake_map,
                                       .readlink = fake_readlink,
                                       .list = fake_list};

static struct fs fake = {.ops = &fake_ops, .root = 1, .type = "fake", .w = {.name = "img"}};

static void found(void **state)
{
	static const char *const paths[] = {
	        "/etc/host",
	        "etc//host",
	        "/./etc/../etc/host",
	        "/../../etc/host",
	        "/abs",
	        "/etc/rel",
	        "/dir/host",
	        "/up/host",
	        "/dir/../dir/rel",
	        "/down/down/../../etc/host",
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct err err = ERR_INIT;
		struct fs_file *f;
		char text[8] = "";
		size_t got;

		assert_ok(fs_file_open(&fake, str_from(paths[i]), &f, &err), &err);
		assert_int_equal(fs_file_size(f), 5);
		assert_ok(fs_file_read(f, text, sizeof text, 1, &got, &err), &err);
		assert_int_equal(got, 4);
		assert_string_equal(text, "uest");
		assert_ok(fs_file_read(f, text, sizeof text, 5, &got, &err), &err);
		assert_int_equal(got, 0);
		fs_file_free(f);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *path;
		enum err_code code;
		const char *words;
	} bad[] = {
	        {"/none", ERR_NOENT, "img: /none: no such file"},
	        {"/etc/none/x", ERR_NOENT, "no such file"},
	        {"/etc/host/x", ERR_NOENT, "is not a directory"},
	        {"/gone", ERR_NOENT, "no such file"},
	        {"/loop", ERR_LIMIT, "more than 40 symbolic links"},
	        {"/ping", ERR_LIMIT, "more than 40 symbolic links"},
	        {"/void", ERR_FORMAT, "empty target"},
	        {"/etc", ERR_FORMAT, "not a regular file"},
	        {"/fifo", ERR_FORMAT, "not a regular file"},
	};
	char deep[FS_PATH_MAX + 8] = "";
	struct err err = ERR_INIT;
	struct fs_file *f;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(fs_file_open(&fake, str_from(bad[i].path), &f, &err), &err,
		             bad[i].code, bad[i].words);
	for (size_t i = 0; i < 200; i++)
		strcat(deep, "/down");
	assert_fails(fs_file_open(&fake, str_from(deep), &f, &err), &err, ERR_LIMIT,
	             "deeper than 128");
	memset(deep, '/', FS_PATH_MAX + 1);
	assert_fails(fs_file_open(&fake, str_from(deep), &f, &err), &err, ERR_LIMIT,
	             "path of 4097 bytes");
}

static void not_followed(void **state)
{
	struct buf target = BUF_INIT;
	struct err err = ERR_INIT;
	struct fs_stat st;

	assert_ok(fs_stat(&fake, STR("/abs"), false, &st, &err), &err);
	assert_int_equal(st.kind, FS_LINK);
	assert_ok(fs_stat(&fake, STR("/abs"), true, &st, &err), &err);
	assert_int_equal(st.kind, FS_FILE);
	assert_ok(fs_readlink(&fake, STR("/dir/rel"), &target, &err), &err);
	assert_string_equal(target.p, "../etc/./host");
	assert_fails(fs_readlink(&fake, STR("/etc"), &target, &err), &err, ERR_FORMAT,
	             "not a symbolic link");
	buf_fini(&target);
}

static void remembered(void **state)
{
	struct err err = ERR_INIT;
	struct fs_stat st;
	unsigned before;

	assert_ok(fs_stat(&fake, STR("/etc/host"), true, &st, &err), &err);
	before = lists;
	assert_ok(fs_stat(&fake, STR("/etc/host"), true, &st, &err), &err);
	assert_int_equal(lists, before);
	assert_fails(fs_stat(&fake, STR("/etc/hos"), true, &st, &err), &err, ERR_NOENT, "no such");
	assert_fails(fs_stat(&fake, STR("/host"), true, &st, &err), &err, ERR_NOENT, "no such");
}

#define RUN(at_, n_, disk_) {.at = (at_), .n = (n_), .disk = (disk_)}

/* A disk of 100 bytes; each has its offset as its value. */
static void runs(void **state)
{
	static const struct fs_run list[] = {RUN(10, 5, 50), RUN(15, 5, 55), RUN(20, 10, FS_HOLE),
	                                     RUN(40, 10, 0)};
	struct fs_map m = FS_MAP_INIT;
	struct err err = ERR_INIT;
	struct source_mem src;
	uint8_t disk[100], got[64];
	struct fs fs = {.ops = &fake_ops};

	for (size_t i = 0; i < sizeof disk; i++)
		disk[i] = (uint8_t)i;
	source_mem_init(&src, disk, sizeof disk);
	fs.w = window_over(&src.src, sizeof disk, "disk");
	m.size = 60;
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		assert_ok(fs_map_add(&fs, &m, list[i], &err), &err);
	assert_int_equal(m.n, 3); /* the first two are merged */
	memset(got, 0xff, sizeof got);
	assert_ok(fs_map_read(&fs, &m, got, 60, 0, &err), &err);
	for (size_t i = 0; i < 60; i++)
		assert_int_equal(got[i], i >= 10 && i < 20   ? i + 40
		                         : i >= 40 && i < 50 ? i - 40
		                                             : 0);
	for (size_t off = 60; off-- > 0;) {
		assert_ok(fs_map_read(&fs, &m, got, 1, off, &err), &err);
		assert_int_equal(got[0], off >= 10 && off < 20   ? off + 40
		                         : off >= 40 && off < 50 ? off - 40
		                                                 : 0);
	}
	for (size_t off = 60; off-- > 0;)
		assert_int_equal(fs_map_hole(&m, off), off < 10   ? 10 - off
		                                       : off < 20 ? 0
		                                       : off < 30 ? 30 - off
		                                       : off < 40 ? 40 - off
		                                       : off < 50 ? 0
		                                                  : 60 - off);
	assert_int_equal(fs_map_hole(&m, 60), 0);
	assert_int_equal(fs_map_hole(&m, 25), 5);
	assert_int_equal(fs_map_hole(&m, 45), 0);
	assert_int_equal(fs_map_stored(&m, 1), 20);
	assert_int_equal(fs_map_stored(&m, 8), 16 + 16);
	assert_int_equal(fs_map_stored(&m, 45), 90);
	m.size = 43; /* blocks beyond the end of the file are not counted */
	assert_int_equal(fs_map_stored(&m, 1), 13);
	assert_int_equal(fs_map_hole(&m, 41), 0);
	m.size = 5;
	assert_int_equal(fs_map_stored(&m, 1), 0);
	assert_int_equal(fs_map_hole(&m, 2), 3);
	assert_fails(fs_map_add(&fs, &m, (struct fs_run)RUN(49, 1, 0), &err), &err, ERR_FORMAT,
	             "out of order");
	assert_fails(fs_map_add(&fs, &m, (struct fs_run)RUN(50, 2, 99), &err), &err, ERR_FORMAT,
	             "beyond its end at 100");
	assert_fails(fs_map_add(&fs, &m, (struct fs_run)RUN(UINT64_MAX, 2, 0), &err), &err,
	             ERR_FORMAT, "out of order");
	fs_map_fini(&m);
}

static int fake_unpack(struct fs *fs, const struct fs_run *run, uint64_t from, void *p, size_t n,
                       struct err *err)
{
	memset(p, (int)(100 + run->pack.skip + from), n);
	return 0;
}

/* Packed runs are not joined, and only their packed bytes are on the disk. */
static void packed(void **state)
{
	static const struct fs_ops ops = {.unpack = fake_unpack};
	const struct fs_run whole = {.n = 50, .disk = 90, .pack = {10, 50, 0, 1}};
	const struct fs_run part = {.at = 50, .n = 50, .disk = 90, .pack = {10, 60, 5, 1}};
	const struct fs_run large = {.at = 100, .n = 1, .disk = 90, .pack = {11, 60, 5, 1}};
	struct fs_map m = FS_MAP_INIT;
	struct err err = ERR_INIT;
	uint8_t got[100];
	struct fs fs = {.ops = &ops, .w = {.size = 100}};

	m.size = sizeof got;
	assert_ok(fs_map_add(&fs, &m, whole, &err), &err);
	assert_ok(fs_map_add(&fs, &m, part, &err), &err);
	assert_fails(fs_map_add(&fs, &m, large, &err), &err, ERR_FORMAT, "beyond its end at 100");
	assert_int_equal(m.n, 2);
	assert_ok(fs_map_read(&fs, &m, got, 80, 20, &err), &err);
	for (size_t i = 0; i < 80; i++)
		assert_int_equal(got[i], i < 30 ? 120 : 105);
	assert_int_equal(fs_map_hole(&m, 60), 0);
	assert_int_equal(fs_map_stored(&m, 1), 100);
	fs_map_fini(&m);
}

/* ---- views ---------------------------------------------------------------- */

static int fake_subvol(struct fs *fs, uint64_t id, uint64_t *node, struct err *err)
{
	*node = id;
	return 0;
}

static const struct fs_ops second_ops = {.free = fake_free,
                                         .stat = fake_stat,
                                         .map = fake_map,
                                         .readlink = fake_readlink,
                                         .list = fake_list,
                                         .subvol = fake_subvol};

static struct fs second = {.ops = &second_ops, .root = 1, .w = {.name = "second"}};
static const struct fs_subvol all = {.id = 0};

/* Which file system a path leads to; NULL: it does not. */
static const struct fs *lies_on(struct fs *view, const char *path)
{
	struct fs_place at;
	struct err err = ERR_INIT;
	int rc = fs_find(view, str_from(path), true, &at, &err);

	if (rc < 0)
		assert_int_equal(rc, -ERR_NOENT);
	return rc < 0 ? NULL : at.fs;
}

static void mounted(void **state)
{
	struct fs *v = fs_view_new("guest");
	struct err err = ERR_INIT;
	struct fs_stat st;

	assert_ok(fs_stat(v, STR("/"), true, &st, &err), &err);
	assert_int_equal(st.kind, FS_DIR);
	assert_fails(fs_stat(v, STR("/etc"), true, &st, &err), &err, ERR_NOENT, "guest: /etc: no");
	/* A mount point that is in no file system. */
	assert_ok(fs_view_mount(v, STR("/a/b"), &second, &all, &err), &err);
	assert_ok(fs_stat(v, STR("/a"), true, &st, &err), &err);
	assert_int_equal(st.kind, FS_DIR);
	assert_ptr_equal(lies_on(v, "/a/b/etc/host"), &second);
	assert_ptr_equal(lies_on(v, "/a/b/../../a/b/etc/host"), &second);
	assert_ptr_equal(lies_on(v, "/a/b/etc/rel"), &second);
	assert_null(lies_on(v, "/a/b/abs")); /* from the root of the view */
	/* The root hides it; what is mounted later is in it. */
	assert_ok(fs_view_mount(v, STR("/"), &fake, &all, &err), &err);
	assert_null(lies_on(v, "/a"));
	assert_ok(fs_view_mount(v, STR("/etc"), &second, &all, &err), &err);
	assert_ptr_equal(lies_on(v, "/etc"), &second);
	assert_ptr_equal(lies_on(v, "/etc/etc/host"), &second);
	assert_null(lies_on(v, "/etc/host"));
	assert_null(lies_on(v, "/abs"));
	assert_fails(fs_view_mount(v, STR("//etc/"), &second,
	                           &(struct fs_subvol){.path = STR("dir")}, &err),
	             &err, ERR_NOENT, "not a directory"); /* it is a link */
	assert_ptr_equal(lies_on(v, "/etc/etc"), &second);
	assert_ok(fs_view_mount(v, STR("//etc/"), &second, &(struct fs_subvol){.id = 2}, &err),
	          &err);
	assert_ptr_equal(lies_on(v, "/etc/host"), &second);
	fs_free(v);
}

static void subvolumes(void **state)
{
	struct fs *v = fs_view_new("guest");
	const struct fs_subvol etc = {.path = STR("/etc")}, none = {.path = STR("x")};
	struct err err = ERR_INIT;

	assert_ok(fs_view_mount(v, STR("/"), &fake, &all, &err), &err);
	assert_ok(fs_view_mount(v, STR("/etc"), &second, &etc, &err), &err);
	assert_ptr_equal(lies_on(v, "/etc/host"), &second);
	assert_ptr_equal(lies_on(v, "/abs"), &second);
	assert_ptr_equal(lies_on(v, "/etc/../down"), &fake);
	assert_ok(fs_view_bind(v, STR("/down/deep/down"), STR("/dir"), &err), &err);
	assert_ptr_equal(lies_on(v, "/down/deep/down/host"), &second);
	assert_ptr_equal(lies_on(v, "/down/down"), &fake);
	assert_fails(fs_view_bind(v, STR("/x"), STR("/etc/host"), &err), &err, ERR_NOENT,
	             "not a directory");
	assert_fails(fs_view_mount(v, STR("/x"), &second, &none, &err), &err, ERR_NOENT, "no such");
	assert_fails(fs_view_mount(v, STR("/x"), &fake, &(struct fs_subvol){.id = 2}, &err), &err,
	             ERR_UNSUPPORTED, "no subvolumes");
	assert_fails(fs_view_mount(v, STR("x"), &second, &all, &err), &err, ERR_FORMAT,
	             "not a mount point");
	assert_fails(fs_view_mount(v, STR("/a/../x"), &second, &all, &err), &err, ERR_FORMAT,
	             "not a mount point");
	for (unsigned i = 3; i < FS_VIEW_MOUNTS_MAX; i++)
		assert_ok(fs_view_mount(v, STR("/etc"), &second, &etc, &err), &err);
	assert_fails(fs_view_mount(v, STR("/y"), &second, &all, &err), &err, ERR_LIMIT,
	             "more than 64 mounts");
	fs_free(v);
}

/* Directories are read once, and sorted. */
static void names(void **state)
{
	struct fs *v = fs_view_new("guest");
	struct err err = ERR_INIT;
	const struct fs_name *list;
	_free_ char *real = NULL;
	struct fs_place at;
	unsigned before;
	size_t n;

	assert_ok(fs_view_mount(v, STR("/mnt"), &second, &all, &err), &err);
	assert_ok(fs_find_real(v, STR("/mnt/down/.././dir/"), &at, &real, &err), &err);
	assert_string_equal(real, "/mnt/etc");
	before = lists;
	assert_ok(fs_find(v, STR("/mnt/etc"), true, &at, &err), &err);
	assert_ok(fs_place_names(&at, &list, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].name, "host");
	assert_string_equal(list[1].name, "rel");
	assert_int_equal(list[1].node, 5);
	assert_ok(fs_find(v, STR("/mnt"), true, &at, &err), &err);
	assert_ok(fs_place_names(&at, &list, &n, &err), &err);
	assert_int_equal(n, 11);
	assert_int_equal(lists, before);
	assert_ok(fs_find(v, STR("/mnt/etc/host"), true, &at, &err), &err);
	assert_fails(fs_place_names(&at, &list, &n, &err), &err, ERR_NOENT, "not a directory");
	fs_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(found),        cmocka_unit_test(refused),
	        cmocka_unit_test(not_followed), cmocka_unit_test(remembered),
	        cmocka_unit_test(runs),         cmocka_unit_test(packed),
	        cmocka_unit_test(mounted),      cmocka_unit_test(subvolumes),
	        cmocka_unit_test(names),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fs_free(&fake);
	fs_free(&second);
	return failed;
}
