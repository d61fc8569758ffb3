/* SPDX-License-Identifier: MIT */
/* Single files and links from memory, as walks of one entry. */
#include "base/mem.h"
#include "ext4/ext4_edit_in.h"

#include <string.h>

struct one_walk {
	struct walk walk;
	struct walk_entry entry;
	const char *bytes;
	size_t at;
	bool begun;
};

static int one_next(struct walk *w, struct walk_entry *ent, struct err *err)
{
	struct one_walk *o = (struct one_walk *)w;

	(void)err;
	if (o->begun)
		return 1;
	o->begun = true;
	*ent = o->entry;
	return 0;
}

static int one_read(struct walk *w, void *p, size_t n, size_t *got, struct err *err)
{
	struct one_walk *o = (struct one_walk *)w;

	(void)err;
	*got = MIN(n, (size_t)o->entry.size - o->at);
	memcpy(p, o->bytes + o->at, *got);
	o->at += *got;
	return 0;
}

static void one_free(struct walk *w)
{
	(void)w;
}

static const struct walk_ops one_ops = {.next = one_next, .read = one_read, .free = one_free};

int ext4_edit_add_file(struct ext4_edit *e, uint32_t dir, const char *name, uint32_t mode,
                       struct str bytes, struct err *err)
{
	struct one_walk o = {
	        .walk = {&one_ops},
	        .entry = {.kind = WALK_FILE, .size = bytes.n, .mode = mode, .mtime = e->time},
	        .bytes = bytes.p,
	};

	return ext4_edit_add(e, dir, name, &o.walk, err);
}

int ext4_edit_add_link(struct ext4_edit *e, uint32_t dir, const char *name, const char *target,
                       struct err *err)
{
	struct one_walk o = {
	        .walk = {&one_ops},
	        .entry = {.kind = WALK_LINK,
	                  .target = str_from(target),
	                  .mode = 0777,
	                  .mtime = e->time},
	};

	return ext4_edit_add(e, dir, name, &o.walk, err);
}
