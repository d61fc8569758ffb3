/* SPDX-License-Identifier: MIT */
#include "sparse.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

void sparse_skip(struct sparse *s, uint64_t n)
{
	s->size += n;
	s->skipped += n;
}

/* For most other data the first byte is enough. */
static bool all_zero(const char *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static int put(struct sparse *s, const char *p, size_t n, struct err *err)
{
	if (s->skipped && lseek(s->fd, (off_t)s->skipped, SEEK_CUR) < 0)
		return err_sys(err, errno, "output: seek");
	s->skipped = 0;
	return io_write(s->fd, "output", p, n, err);
}

int sparse_write(struct sparse *s, const char *p, size_t n, struct err *err)
{
	size_t data = 0; /* bytes at p that must be written */
	int rc = 0;

	while (rc == 0 && data < n) {
		size_t block = SPARSE_BLOCK - (size_t)(s->size % SPARSE_BLOCK);

		block = MIN(block, n - data);
		if (!all_zero(p + data, block)) {
			s->size += block;
			data += block;
			continue;
		}
		if (data)
			rc = put(s, p, data, err);
		sparse_skip(s, block);
		p += data + block;
		n -= data + block;
		data = 0;
	}
	return rc == 0 && data ? put(s, p, data, err) : rc;
}

int sparse_finish(struct sparse *s, struct err *err)
{
	if (s->skipped == 0)
		return 0;
	s->skipped--;
	return put(s, "", 1, err);
}
