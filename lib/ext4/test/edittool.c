/* SPDX-License-Identifier: MIT */
/*
 * Makes one change to an ext4 file system, for tests. look: only read.
 *
 *     edittool IMAGE BASE [look]
 *         { add DIR NAME HOSTPATH | rm DIR NAME | mv DIR NAME TO | sweep DIR | mkdir PATH
 *         | cat PATH | ls DIR | grow BYTES }...
 */
#include "base/err.h"
#include "base/mem.h"
#include "base/walk_dir.h"
#include "ext4/ext4_edit.h"
#include "ext4/ext4_journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static struct err err;

static int cmd_ls(struct ext4_edit *e, const char *path)
{
	const struct ext4_entry *v;
	uint32_t ino;
	size_t n;
	int rc = ext4_edit_find(e, path, true, &ino, &err);

	if (rc == 0)
		rc = ext4_edit_list(e, ino, &v, &n, &err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		puts(v[i].name);
	return rc;
}

static int cmd_cat(struct ext4_edit *e, const char *path)
{
	struct buf b = BUF_INIT;
	int rc = ext4_edit_read_path(e, path, 64u << 20, &b, &err);

	if (rc == 0)
		fwrite(b.p, 1, b.n, stdout);
	buf_fini(&b);
	return rc;
}

static int cmd_add(struct ext4_edit *e, uint32_t dir, char **argv)
{
	_cleanup_(walk_freep) struct walk *walk = walk_dir_new(AT_FDCWD, argv[2], 0);

	return ext4_edit_add(e, dir, argv[1], walk, &err);
}

static int run(struct ext4_edit *e, char **argv, int *used)
{
	uint64_t bytes = 0;
	uint32_t dir;
	int rc;

	*used = 2;
	if (!strcmp(argv[0], "ls"))
		return cmd_ls(e, argv[1]);
	if (!strcmp(argv[0], "cat"))
		return cmd_cat(e, argv[1]);
	if (!strcmp(argv[0], "grow"))
		return ext4_edit_grow(e, strtoull(argv[1], NULL, 0), &err);
	if (!strcmp(argv[0], "mkdir"))
		return ext4_edit_mkdir(e, argv[1], 0755, &dir, &err);
	rc = ext4_edit_find(e, argv[1], true, &dir, &err);
	if (rc < 0)
		return rc;
	if (!strcmp(argv[0], "sweep"))
		return ext4_edit_sweep(e, dir, &bytes, &err);
	*used = 3;
	if (!strcmp(argv[0], "rm"))
		return ext4_edit_remove(e, dir, argv[2], &bytes, &err);
	*used = 4;
	if (!strcmp(argv[0], "mv"))
		return ext4_edit_rename(e, dir, argv[2], argv[3], &err);
	return cmd_add(e, dir, argv + 1);
}

int main(int argc, char **argv)
{
	static const char *const left_text[] = {"nothing", "undone", "finished", "unreplayed"};
	_cleanup_(ext4_edit_freep) struct ext4_edit *e = NULL;
	struct target t;
	uint64_t base;
	enum ext4_left left;
	bool happened = false, changes = false, write;
	int rc;

	if (argc < 3)
		return 2;
	base = strtoull(argv[2], NULL, 0);
	write = argc < 4 || strcmp(argv[3], "look") != 0;
	rc = target_open_existing(&t, argv[1], false, &err);
	if (rc == 0)
		rc = ext4_journal_recover(&t, base, t.size - base, write, &left, &err);
	if (rc == 0)
		fprintf(stderr, "left: %s\n", left_text[left]);
	if (rc == 0)
		rc = ext4_edit_open(&(struct ext4_edit_request){.target = &t,
		                                                .base = base,
		                                                .size = t.size - base,
		                                                .time = 1700000000,
		                                                .write = write},
		                    &e, &err);
	for (int i = write ? 3 : 4, used; i + 1 < argc && rc == 0; i += used) {
		changes = changes || (strcmp(argv[i], "ls") && strcmp(argv[i], "cat"));
		rc = run(e, argv + i, &used);
	}
	if (rc == 0 && changes)
		rc = ext4_edit_commit(e, &happened, &err);
	if (rc < 0)
		fprintf(stderr, "edittool: %s%s\n", err.text, happened ? " (it happened)" : "");
	target_fini(&t);
	return rc < 0 ? 1 : 0;
}
