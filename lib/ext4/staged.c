/* SPDX-License-Identifier: MIT */
#include "ext4/staged.h"

static int staged_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	struct staged *s = (struct staged *)src;
	int rc = target_read(s->target, p, n, off, err);

	for (size_t i = 0; i < STAGED_EDITS_MAX && rc == 0; i++)
		if (s->edits[i])
			ext4_edit_cover(s->edits[i], p, n, off);
	return rc;
}

void staged_init(struct staged *s, struct target *target)
{
	*s = (struct staged){.src = {staged_read}, .target = target};
}
