/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/io.h"
#include "base/mem.h"
#include "ext4/ext4_inodes.h"

#include <string.h>
#include <sys/stat.h>

#define PIECE_INODES 4096u

void ext4_writer_init(struct ext4_writer *w, struct target *t, uint64_t base,
                      const struct ext4_ids *ids, const struct ext4_layout *lay)
{
	*w = (struct ext4_writer){.target = t, .base = base, .ids = ids, .layout = lay};
	w->gdt_area = lay->gdt_area;
	w->spool = -1;
	w->dirs = xcalloc(lay->groups, sizeof *w->dirs);
}

void ext4_writer_init_open(struct ext4_writer *w, struct target *t, uint64_t base,
                           const struct ext4_ids *ids, uint32_t gdt_area, int spool)
{
	*w = (struct ext4_writer){
	        .target = t, .base = base, .ids = ids, .gdt_area = gdt_area, .spool = spool};
}

void ext4_writer_fini(struct ext4_writer *w)
{
	free(w->dirs);
	w->dirs = NULL;
}

static int to_spool(struct ext4_writer *w, uint32_t first, uint32_t n, const uint8_t *raw,
                    struct err *err)
{
	return io_pwrite(w->spool, "the inodes' file", raw, (size_t)n * w->ids->inode_size,
	                 (uint64_t)(first - 1) * w->ids->inode_size, err);
}

int ext4_write_inodes(struct ext4_writer *w, uint32_t first, uint32_t n, const uint8_t *raw,
                      struct err *err)
{
	const struct ext4_layout *lay = w->layout;

	if (!lay)
		return to_spool(w, first, n, raw, err);
	while (n) {
		uint32_t left = lay->inodes_per_group - (first - 1) % lay->inodes_per_group;
		uint32_t m = MIN(left, n);
		int rc = target_write_small(w->target, raw, (size_t)m * w->ids->inode_size,
		                            w->base + ext4_inode_offset(lay, first), err);

		if (rc < 0)
			return rc;
		raw += (size_t)m * w->ids->inode_size;
		first += m;
		n -= m;
	}
	return 0;
}

static void count_dirs(struct ext4_writer *w, uint32_t first, uint32_t n, const uint8_t *raw)
{
	for (uint32_t i = 0; i < n; i++)
		if (S_ISDIR(get_le16(raw + (size_t)i * w->ids->inode_size)))
			w->dirs[(first + i - 1) / w->layout->inodes_per_group]++;
}

int ext4_writer_settle(struct ext4_writer *w, const struct ext4_layout *lay, uint32_t inodes,
                       struct err *err)
{
	_free_ uint8_t *raw = xmalloc((size_t)PIECE_INODES * w->ids->inode_size);
	int rc = 0;

	w->layout = lay;
	w->dirs = xcalloc(lay->groups, sizeof *w->dirs);
	for (uint32_t first = 1, n; first <= inodes && rc == 0; first += n) {
		int64_t got;

		n = MIN(PIECE_INODES, inodes - first + 1);
		got = io_pread(w->spool, "the inodes' file", raw, (size_t)n * w->ids->inode_size,
		               (uint64_t)(first - 1) * w->ids->inode_size, err);
		if (got < 0)
			return (int)got;
		memset(raw + got, 0, (size_t)n * w->ids->inode_size - (size_t)got);
		count_dirs(w, first, n, raw);
		rc = ext4_write_inodes(w, first, n, raw, err);
	}
	return rc;
}
