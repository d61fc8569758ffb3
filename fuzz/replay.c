/* SPDX-License-Identifier: MIT */
/* A main() for fuzz targets: runs the target on every file of a corpus directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (64u << 20)

static int replay(int dirfd, const char *name)
{
	struct err err = ERR_INIT;
	struct buf in = BUF_INIT;

	if (io_read_file(dirfd, name, INPUT_MAX, &in, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)buf_str(&in).p, in.n);
	buf_fini(&in);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	struct dirent *de;
	DIR *dir;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	dir = opendir(argv[1]);
	if (!dir) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		if (replay(dirfd(dir), de->d_name))
			return 1;
		count++;
	}
	closedir(dir);
	printf("%u inputs replayed\n", count);
	return count ? 0 : 1; /* an empty corpus is an error */
}
