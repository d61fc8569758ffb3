/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ext4/ext4_space.h"
#include "image/stream_add.h"
#include "image/stream_unit.h"

#include <stdlib.h>

/* Bytes of a NAR for name and tags of an inode, beside the contents. */
#define NAR_PER_INODE 1024u

/* Refuse before fetching if the paths cannot fit. from: the first free block and inode. */
static int check_room(const struct ext4_writer *w, const struct stream_source *src,
                      const struct ext4_place *from, struct err *err)
{
	uint64_t blocks = w->space->n_blocks - from->line, sum = 0;
	uint64_t inodes = w->space->n_inodes - from->ino;
	char want[16], have[16];

	for (size_t i = 0; i < src->n; i++)
		sum += src->items[i].nar_size;
	if (sum <= blocks * w->ids->block + inodes * NAR_PER_INODE)
		return 0;
	return err_set(err, ERR_SPACE, "%s: not enough space: NARs of %s to add, %s free",
	               w->target->name, str_human(sum, want),
	               str_human(blocks * w->ids->block, have));
}

/* Mark the used blocks and inodes as taken, and link the trees under their names. */
static int link_items(struct ext4_edit *e, const struct fill *f, struct err *err)
{
	const struct store_place *place = f->plan->place;
	int rc = 0;

	for (size_t pos = 0; pos < f->src->n && rc == 0; pos++) {
		const char *name = f->src->items[f->plan->order[pos]].name;
		struct ext4_place at;

		rc = ext4_edit_take(e, place[pos + 1].line - place[pos].line,
		                    place[pos + 1].ino - place[pos].ino, &at, err);
		if (rc < 0)
			return rc;
		ext4_edit_used(e, &at, at.line + f->tally[pos].blocks,
		               at.ino + (uint32_t)f->tally[pos].inodes);
		rc = ext4_edit_link(e, f->parent, name, &place[pos].object, err);
	}
	return rc;
}

int stream_add(struct ext4_edit *e, uint32_t dir, const struct stream_source *src,
               const struct stream_fill_options *opt, struct err *err)
{
	struct ext4_writer *w = ext4_edit_writer(e);
	_cleanup_(store_plan_fini) struct store_plan plan = {
	        .order = store_order(src->items, src->n)};
	struct fill f = {.w = w, .src = src, .opt = opt, .plan = &plan, .parent = dir};
	struct ext4_place from;
	int rc = ext4_edit_take(e, 0, 0, &from, err);

	if (rc == 0)
		rc = check_room(w, src, &from, err);
	if (rc < 0)
		return rc;
	plan.place = xcalloc(src->n + 1, sizeof *plan.place);
	plan.place[0] = (struct store_place){.line = from.line, .ino = from.ino};
	rc = stream_run(&f, err);
	if (rc == -ERR_SPACE)
		err_prefix(err, "%s", w->target->name);
	if (rc == 0)
		rc = link_items(e, &f, err);
	stream_fini(&f);
	return rc;
}
