/* SPDX-License-Identifier: MIT */
/*
 * floor OUT PATH...: a lower bound on the time of a copy. Walks the trees, reads
 * every file and writes their contents one after the other to OUT: one thread,
 * 4 MiB pieces, O_DIRECT, synced at the end. No metadata, no hashes.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE (4u << 20)
#define BLOCK 4096u

static char *piece;
static size_t fill;
static int out;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void flush(void)
{
	size_t n = (fill + BLOCK - 1) / BLOCK * BLOCK;

	memset(piece + fill, 0, n - fill);
	if (n && write(out, piece, n) != (ssize_t)n)
		die("write");
	fill = 0;
}

static void copy(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		die(path);
	while ((n = read(fd, piece + fill, PIECE - fill)) > 0) {
		fill += (size_t)n;
		if (fill == PIECE)
			flush();
	}
	if (n < 0)
		die(path);
	close(fd);
}

int main(int argc, char **argv)
{
	FTSENT *ent;
	FTS *tree;

	if (argc < 3)
		return 2;
	out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
	if (out < 0)
		die(argv[1]);
	if (posix_memalign((void **)&piece, BLOCK, PIECE) != 0)
		return 1;
	tree = fts_open(argv + 2, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!tree)
		die(argv[2]);
	while ((ent = fts_read(tree)))
		if (ent->fts_info == FTS_F)
			copy(ent->fts_accpath);
	fts_close(tree);
	flush();
	if (fsync(out) < 0)
		die(argv[1]);
	return 0;
}
