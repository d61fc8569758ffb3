/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ext4/ext4_count.h"
#include "ext4/ext4_dir.h"
#include "ext4/ext4_layout.h"

struct ext4_counter {
	const struct ext4_ids *ids;
	size_t depth;
	struct ext4_dir dirs[WALK_DEPTH_MAX];
};

struct ext4_counter *ext4_counter_new(const struct ext4_ids *ids)
{
	struct ext4_counter *c = xcalloc(1, sizeof *c);

	c->ids = ids;
	return c;
}

void ext4_counter_free(struct ext4_counter *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < WALK_DEPTH_MAX; i++)
		ext4_dir_fini(&c->dirs[i]);
	free(c);
}

void ext4_counter_freep(struct ext4_counter **c)
{
	ext4_counter_free(*c);
}

static int count_entry(struct ext4_counter *c, const struct walk_entry *ent, struct ext4_tally *sum,
                       struct err *err)
{
	uint64_t blocks;

	if (c->depth)
		ext4_dir_add(&c->dirs[c->depth - 1], ent->name, 0, EXT4_FT_FILE);
	if (!ent->handle)
		sum->inodes++;
	switch (ent->kind) {
	case WALK_FILE:
		blocks = (ent->size + c->ids->block - 1) / c->ids->block;
		sum->blocks += blocks + ext4_map_blocks(c->ids, blocks);
		sum->bytes += ent->size;
		return 0;
	case WALK_LINK:
		sum->blocks += ent->target.n > EXT4_LINK_INLINE;
		return 0;
	case WALK_DIR:
		if (c->depth == WALK_DEPTH_MAX)
			return err_set(err, ERR_LIMIT, "directories nested deeper than %d",
			               WALK_DEPTH_MAX);
		ext4_dir_reset(&c->dirs[c->depth++]);
		return 0;
	default:
		return 0;
	}
}

int ext4_count_tree(struct ext4_counter *c, struct walk *walk, struct ext4_tally *sum,
                    struct err *err)
{
	c->depth = 0;
	do {
		struct walk_entry ent;
		uint64_t blocks;
		int rc = walk_next(walk, &ent, err);

		if (rc)
			return rc < 0 ? rc : 0;
		if (ent.kind != WALK_UP) {
			rc = count_entry(c, &ent, sum, err);
			if (rc < 0)
				return rc;
			continue;
		}
		rc = ext4_dir_pack(&c->dirs[--c->depth], c->ids, &blocks, err);
		if (rc < 0)
			return rc;
		sum->blocks += blocks;
	} while (c->depth);
	return 0;
}
