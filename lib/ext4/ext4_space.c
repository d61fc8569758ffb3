/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ext4/ext4_overlay.h"
#include "ext4/ext4_space.h"

void ext4_space_fini(struct ext4_space *sp)
{
	free(sp->block_runs);
	free(sp->inode_runs);
	*sp = (struct ext4_space){0};
}

void ext4_space_add_blocks(struct ext4_space *sp, uint64_t phys, uint64_t n)
{
	GROW(sp->block_runs, sp->n_block_runs, sp->block_cap);
	sp->block_runs[sp->n_block_runs++] =
	        (struct ext4_block_run){.line = sp->n_blocks, .phys = phys, .n = n};
	sp->n_blocks += n;
}

void ext4_space_add_inodes(struct ext4_space *sp, uint32_t ino, uint32_t n)
{
	GROW(sp->inode_runs, sp->n_inode_runs, sp->inode_cap);
	sp->inode_runs[sp->n_inode_runs++] =
	        (struct ext4_inode_run){.place = sp->n_inodes, .ino = ino, .n = n};
	sp->n_inodes += n;
}

/* The run that contains a position. */
static size_t block_run_of(const struct ext4_space *sp, uint64_t line)
{
	size_t lo = 0, hi = sp->n_block_runs;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (sp->block_runs[mid].line <= line)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

uint64_t ext4_space_block(const struct ext4_space *sp, uint64_t line, uint64_t *run)
{
	const struct ext4_block_run *r;

	/* The end of the line is in no run; nothing is written there. */
	if (line >= sp->n_blocks) {
		*run = UINT64_MAX / 2;
		return 0;
	}
	r = &sp->block_runs[block_run_of(sp, line)];
	*run = r->n - (line - r->line);
	return r->phys + (line - r->line);
}

uint64_t ext4_space_breaks(const struct ext4_space *sp, uint64_t line, uint64_t n)
{
	if (!n || line >= sp->n_blocks)
		return 0;
	return block_run_of(sp, MIN(line + n, sp->n_blocks) - 1) - block_run_of(sp, line);
}

uint32_t ext4_space_ino(const struct ext4_space *sp, uint32_t place, uint32_t *run)
{
	size_t lo = 0, hi = sp->n_inode_runs;
	const struct ext4_inode_run *r;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (sp->inode_runs[mid].place <= place)
			lo = mid;
		else
			hi = mid;
	}
	r = &sp->inode_runs[lo];
	*run = r->n - (place - r->place);
	return r->ino + (place - r->place);
}

int ext4_space_write_inodes(const struct ext4_space *sp, uint32_t place, const void *p, size_t n,
                            uint64_t off, struct err *err)
{
	if (place < sp->pristine)
		return ext4_overlay_write_under(sp->overlay, p, n, off, err);
	return ext4_overlay_write(sp->overlay, p, n, off, err);
}
