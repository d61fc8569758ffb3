/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/texts.h"

void texts_give(struct grub_texts *t, char *s)
{
	GROW(t->v, t->n, t->cap);
	t->v[t->n++] = s;
}

void texts_add(struct grub_texts *t, struct str s)
{
	texts_give(t, str_dup(s));
}

void texts_copy(struct grub_texts *to, const struct grub_texts *from)
{
	for (size_t i = 0; i < from->n; i++)
		texts_add(to, str_from(from->v[i]));
}

void texts_join(const struct grub_texts *t, size_t from, struct buf *out)
{
	for (size_t i = from; i < t->n; i++) {
		if (i > from)
			buf_put(out, " ", 1);
		buf_puts(out, t->v[i]);
	}
}

void texts_fini(struct grub_texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i]);
	free(t->v);
	*t = (struct grub_texts){0};
}
