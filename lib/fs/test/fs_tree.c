/* SPDX-License-Identifier: MIT */
/*
 * Prints a file system for comparison by images.sh: its type, label and UUID, then
 * every path with its kind and, for a file, its size and CRC. Files are read twice:
 * in large pieces, and backwards in small pieces of odd sizes.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "disk/gpt.h"
#include "fs/fs.h"

#define PIECE (1u << 20)

struct names {
	char **v;
	size_t n, cap;
};

static void die(const struct err *err)
{
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static int name_add(void *arg, struct str name)
{
	struct names *l = arg;

	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = xstrndup(name.p, name.n);
	return 0;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void file_print(struct fs *fs, const char *path, uint64_t size, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *f = NULL;
	_free_ uint8_t *all = xmalloc(size);
	_free_ uint8_t *again = xmalloc(size);
	uint64_t holes = 0;
	size_t got;

	if (fs_file_open(fs, str_from(path), &f, err) < 0)
		die(err);
	for (uint64_t off = 0; off < size; off += got)
		if (fs_file_read(f, all + off, PIECE, off, &got, err) < 0)
			die(err);
	for (uint64_t end = size; end > 0;) {
		uint64_t m = MIN(end, 7777u + end % 60000);

		end -= m;
		if (fs_file_read(f, again + end, m, end, &got, err) < 0)
			die(err);
	}
	for (uint64_t off = 0, hole; off < size; off += hole ? hole : 1024) {
		hole = fs_file_hole(f, off);
		if (hole > size - off)
			die(err);
		for (uint64_t i = 0; i < hole; i++)
			if (all[off + i])
				printf("A HOLE WITH DATA ");
		holes += hole;
	}
	if (holes + fs_file_stored(f, 1) != size || fs_file_hole(f, size) != 0)
		printf("HOLES AND DATA ARE NOT ALL ");
	if (fs_file_size(f) != size || (size && memcmp(all, again, size) != 0))
		printf("THE TWO WAYS DIFFER ");
	printf("f %s %" PRIu64 " %08" PRIx32 "\n", path, size, gpt_crc(all, size));
}

static void tree_print(struct fs *fs, const char *path, unsigned depth)
{
	struct err err = ERR_INIT;
	struct buf target = BUF_INIT;
	struct names l = {0};
	struct fs_stat st;

	if (depth > 100 || fs_stat(fs, str_from(path), false, &st, &err) < 0)
		die(&err);
	if (st.kind == FS_LINK && fs_readlink(fs, str_from(path), &target, &err) < 0)
		die(&err);
	if (st.kind == FS_LINK)
		printf("l %s -> %s\n", path, target.p);
	if (st.kind == FS_FILE)
		file_print(fs, path, st.size, &err);
	buf_fini(&target);
	if (st.kind != FS_DIR)
		return;
	printf("d %s\n", *path ? path : "/");
	if (fs_list(fs, str_from(path), name_add, &l, &err) < 0)
		die(&err);
	if (l.n)
		qsort(l.v, l.n, sizeof *l.v, name_order);
	for (size_t i = 0; i < l.n; i++) {
		_free_ char *below = xasprintf("%s/%s", path, l.v[i]);

		tree_print(fs, below, depth + 1);
		free(l.v[i]);
	}
	free(l.v);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct source_fd src;
	struct window w;
	struct stat st;
	struct fs *fs;
	int rc, fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (argc < 2 || fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "usage: %s IMAGE [PATH]\n", argv[0]);
		return 2;
	}
	source_fd_init(&src, fd, argv[1]);
	w = window_over(&src.src, (uint64_t)st.st_size, "image");
	rc = fs_open(&w, &fs, &err);
	if (rc < 0)
		die(&err);
	if (rc == 1) {
		printf("unknown\n");
		return 0;
	}
	printf("%s %s %s%s\n", fs_type(fs), fs_label(fs), fs_uuid(fs),
	       fs_unclean(fs) ? " unclean" : "");
	tree_print(fs, argc > 2 ? argv[2] : "", 0);
	fs_free(fs);
	close(fd);
	return 0;
}
