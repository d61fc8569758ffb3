/* SPDX-License-Identifier: MIT */
/* fs_replay IMAGE: prints its bytes as ext.c sees them, with the journal replayed; for
 * replay.sh. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/ext_replay.h"

#define PIECE 70000u /* not a multiple of the block size */

static int fail(const struct err *err)
{
	fprintf(stderr, "fs_replay: %s\n", err->text);
	return 1;
}

int main(int argc, char **argv)
{
	static uint8_t piece[PIECE], sb[EXT_SUPER_SIZE];
	struct err err = ERR_INIT;
	struct ext_replay *replay;
	struct source_fd src;
	struct ext_super super;
	struct window w;
	struct stat st;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 2;
	source_fd_init(&src, fd, argv[1]);
	w = window_over(&src.src, (uint64_t)st.st_size, argv[1]);
	if (window_read(&w, sb, sizeof sb, EXT_SUPER_AT, &err) < 0 ||
	    ext_super_parse(sb, w.size, &super, &err) != 0 ||
	    ext_replay_open(&w, &super, &replay, &err) < 0)
		return fail(&err);
	for (uint64_t off = 0; off < w.size; off += PIECE) {
		size_t n = w.size - off < PIECE ? (size_t)(w.size - off) : PIECE;

		if (window_read(&w, piece, n, off, &err) < 0)
			return fail(&err);
		if (fwrite(piece, 1, n, stdout) != n)
			return 1;
	}
	ext_replay_free(replay);
	return fflush(stdout) ? 1 : 0;
}
