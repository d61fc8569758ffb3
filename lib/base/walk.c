/* SPDX-License-Identifier: MIT */
#include "base/walk.h"

#include <string.h>

int walk_next(struct walk *w, struct walk_entry *ent, struct err *err)
{
	return w->ops->next(w, ent, err);
}

int walk_read(struct walk *w, void *p, size_t n, size_t *got, struct err *err)
{
	return w->ops->read(w, p, n, got, err);
}

int walk_fd(struct walk *w)
{
	return w->ops->fd ? w->ops->fd(w) : -1;
}

int walk_skip(struct walk *w, uint64_t n, struct err *err)
{
	return w->ops->skip(w, n, err);
}

void walk_free(struct walk *w)
{
	if (w)
		w->ops->free(w);
}

void walk_freep(struct walk **w)
{
	walk_free(*w);
}

bool walk_name_valid(struct str name)
{
	if (name.n == 0 || name.n > WALK_NAME_MAX)
		return false;
	if (str_is(name, ".") || str_is(name, ".."))
		return false;
	return !memchr(name.p, '/', name.n) && !memchr(name.p, '\0', name.n);
}
