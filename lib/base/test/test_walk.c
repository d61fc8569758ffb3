/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "base/walk_dir.h"
#include "base/walk_tree.h"

/* One line for each entry: kind, mode, name, size or target. */
static int list(struct walk *w, struct buf *out, bool contents, struct err *err)
{
	struct walk_entry ent;
	char data[64];
	size_t got;
	int rc;

	while ((rc = walk_next(w, &ent, err)) == 0) {
		if (ent.kind == WALK_UP) {
			buf_puts(out, "up\n");
			continue;
		}
		buf_putf(out, "%s %o %.*s",
		         ent.kind == WALK_DIR     ? "dir"
		         : ent.kind == WALK_LINK  ? "link"
		         : ent.kind == WALK_GRAFT ? "graft"
		                                  : "file",
		         ent.mode, STR_ARG(ent.name));
		if (ent.kind == WALK_LINK)
			buf_putf(out, " -> %.*s", STR_ARG(ent.target));
		if (ent.kind == WALK_FILE) {
			buf_putf(out, " %llu", (unsigned long long)ent.size);
			if (contents) {
				rc = walk_read(w, data, sizeof data, &got, err);
				if (rc < 0)
					return rc;
				buf_putf(out, " '%.*s'", (int)got, data);
			}
		}
		buf_puts(out, "\n");
	}
	return rc < 0 ? rc : 0;
}

static char dir[] = "/tmp/test_walk.XXXXXX";

static void put(const char *name, const char *text, mode_t mode)
{
	_free_ char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
	_free_ char *sub = NULL, *link = NULL;

	assert_non_null(mkdtemp(dir));
	sub = xasprintf("%s/d", dir);
	link = xasprintf("%s/d/l", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	put("b", "bee", 0600);
	put("a.sh", "", 0755);
	put("d/x", "xyz", 0644);
	put("\xff", "last", 0644);
	return symlink("../b", link);
}

static int tear_down(void **state)
{
	_free_ char *command = xasprintf("rm -rf %s", dir);

	return system(command);
}

static void directory(void **state)
{
	_cleanup_(walk_freep) struct walk *w = walk_dir_new(AT_FDCWD, dir, WALK_DIR_CANONICAL);
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_ok(list(w, &out, true, &err), &err);
	assert_string_equal(out.p, "dir 555 \n"
	                           "file 555 a.sh 0 ''\n"
	                           "file 444 b 3 'bee'\n"
	                           "dir 555 d\n"
	                           "link 777 l -> ../b\n"
	                           "file 444 x 3 'xyz'\n"
	                           "up\n"
	                           "file 444 \xff 4 'last'\n"
	                           "up\n");
	buf_fini(&out);
}

static void own_modes(void **state)
{
	_free_ char *path = xasprintf("%s/b", dir);
	_cleanup_(walk_freep) struct walk *w = walk_dir_new(AT_FDCWD, path, WALK_DIR_STAT);
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_ok(list(w, &out, false, &err), &err);
	assert_string_equal(out.p, "file 600  3\n");
	buf_fini(&out);
}

static void changes(void **state)
{
	_free_ char *path = xasprintf("%s/b", dir);
	static const struct {
		off_t size;
		const char *words;
	} cases[] = {{1, "became shorter"}, {9, "became longer"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(walk_freep) struct walk *w = walk_dir_new(AT_FDCWD, path, 0);
		struct walk_entry ent;
		struct err err = ERR_INIT;
		char data[64];
		size_t got;

		put("b", "bee", 0600);
		assert_ok(walk_next(w, &ent, &err), &err);
		assert_int_equal(truncate(path, cases[i].size), 0);
		assert_fails(walk_read(w, data, sizeof data, &got, &err), &err, ERR_MISMATCH,
		             cases[i].words);
		assert_non_null(strstr(err.text, path));
	}
	put("b", "bee", 0600);
}

static void refusals(void **state)
{
	_free_ char *fifo = xasprintf("%s/fifo", dir);
	_cleanup_(walk_freep) struct walk *w = walk_dir_new(AT_FDCWD, dir, 0);
	_cleanup_(walk_freep) struct walk *none = walk_dir_new(AT_FDCWD, "/nonexistent/x", 0);
	struct buf out = BUF_INIT;
	struct walk_entry ent;
	struct err err = ERR_INIT;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_fails(list(w, &out, true, &err), &err, ERR_FORMAT, "neither a regular file");
	assert_fails(walk_next(none, &ent, &err), &err, ERR_NOENT, "/nonexistent/x");
	unlink(fifo);
	buf_fini(&out);
}

static void memory(void **state)
{
	_cleanup_(tree_freep) struct tree *t = tree_new(0755, 7);
	_cleanup_(walk_freep) struct walk *w = NULL;
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	tree_link(t, "/z/l", "target");
	tree_file(t, "/a", 0600, "text", 4);
	tree_dir(t, "/z", 0700, 1, 2);
	tree_graft(t, "/m", 99, WALK_DIR);
	w = tree_walk(t);
	assert_ok(list(w, &out, true, &err), &err);
	assert_string_equal(out.p, "dir 755 \n"
	                           "file 600 a 4 'text'\n"
	                           "graft 755 m\n"
	                           "dir 700 z\n"
	                           "link 777 l -> target\n"
	                           "up\n"
	                           "up\n");
	buf_fini(&out);
}

/* Parts of a file that replace another file; owners and modes changed afterwards. */
static void memory_changes(void **state)
{
	_cleanup_(tree_freep) struct tree *t = tree_new(0755, 7);
	_cleanup_(walk_freep) struct walk *w = NULL;
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	struct walk_entry ent;
	enum walk_kind kind;
	FILE *file = tmpfile();

	assert_non_null(file);
	fputs("0123456789", file);
	fflush(file);
	tree_dir(t, "/d", 0755, 0, 0);
	tree_file(t, "/d/old", 0600, "text", 4);
	tree_host_part(t, "/d/old", 0640, fileno(file), 2, 3);
	tree_host_part(t, "/d/part", 0644, fileno(file), 7, 3);
	tree_link(t, "/d/to", "part");
	assert_true(tree_find(t, "/d", &kind) && kind == WALK_DIR);
	assert_true(tree_find(t, "/d/to", &kind) && kind == WALK_LINK);
	assert_false(tree_find(t, "/d/to/part", &kind));
	assert_false(tree_find(t, "/e", &kind));
	assert_true(tree_chmod(t, "/d/part", 0400));
	assert_false(tree_chmod(t, "/d/none", 0400));
	assert_true(tree_chown(t, "/d", 5, 6));
	assert_false(tree_chown(t, "/none", 5, 6));
	w = tree_walk(t);
	assert_ok(list(w, &out, true, &err), &err);
	assert_string_equal(out.p, "dir 755 \n"
	                           "dir 755 d\n"
	                           "file 640 old 3 '234'\n"
	                           "file 400 part 3 '789'\n"
	                           "link 777 to -> part\n"
	                           "up\n"
	                           "up\n");
	walk_free(w);
	w = tree_walk(t);
	for (int i = 0; i < 5; i++) {
		assert_ok(walk_next(w, &ent, &err), &err);
		assert_int_equal(ent.uid, i ? 5 : 0);
		assert_int_equal(ent.gid, i ? 6 : 0);
	}
	buf_fini(&out);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(directory), cmocka_unit_test(own_modes),
	        cmocka_unit_test(changes),   cmocka_unit_test(refusals),
	        cmocka_unit_test(memory),    cmocka_unit_test(memory_changes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
