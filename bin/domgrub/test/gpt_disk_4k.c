/* SPDX-License-Identifier: MIT */
/* Makes a disk image with sectors of 4096 bytes: a GPT with one partition, which
 * is the given image. usage: gpt_disk_4k PART DISK */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "disk/gpt.h"

#define SECTOR 4096
#define START 256

static int make(const char *part, int fd, struct err *err)
{
	struct buf head = BUF_INIT, tail = BUF_INIT, data = BUF_INIT;
	struct gpt_entry e = {.number = 1, .first = START, .type = {1}, .guid = {2}};
	struct gpt gpt = {.n = 1, .entry = &e};
	uint64_t sectors;
	int rc = io_read_file(AT_FDCWD, part, 1u << 30, &data, err);

	if (rc < 0)
		return rc;
	e.last = START + data.n / SECTOR - 1;
	sectors = e.last + 1 + 100;
	rc = gpt_format(&gpt, sectors, SECTOR, &head, &tail, err);
	if (rc == 0)
		rc = io_pwrite(fd, "disk", head.p, head.n, 0, err);
	if (rc == 0)
		rc = io_pwrite(fd, "disk", data.p, data.n, START * SECTOR, err);
	if (rc == 0)
		rc = io_pwrite(fd, "disk", tail.p, tail.n, sectors * SECTOR - tail.n, err);
	buf_fini(&head);
	buf_fini(&tail);
	buf_fini(&data);
	return rc;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int fd = argc == 3 ? open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;

	if (fd < 0)
		return 2;
	if (make(argv[1], fd, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return 0;
}
