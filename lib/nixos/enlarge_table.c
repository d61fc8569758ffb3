/* SPDX-License-Identifier: MIT */
#include "nixos/enlarge_table.h"

#define SECTOR 512u

int enlarge_table_plan(struct target *t, uint64_t base, uint64_t disk, uint64_t want,
                       struct table_growth *out, struct err *err)
{
	struct source_fd src;
	struct window now;

	source_fd_init(&src, t->fd, t->name);
	now = window_over(&src.src, t->size, t->name);
	now.sector = t->sector ? t->sector : SECTOR;
	return table_grow(&now, disk, base, want, out, err);
}

int enlarge_table_write(struct target *t, const struct table_growth *c, struct err *err)
{
	int rc = 0;

	if (c->tail.n)
		rc = target_write_small(t, c->tail.p, c->tail.n, c->disk - c->tail.n, err);
	if (rc == 0 && c->tail.n)
		rc = target_sync(t, err);
	if (rc == 0)
		rc = target_write_small(t, c->head.p, c->head.n, 0, err);
	return rc < 0 ? rc : target_sync(t, err);
}

int enlarge_table_undo(struct target *t, const struct table_growth *c, struct err *err)
{
	return c->head.n ? target_write_small(t, c->was.p, c->was.n, 0, err) : 0;
}
