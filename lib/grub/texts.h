/* SPDX-License-Identifier: MIT */
/* Lists of owned strings, as menus and argument vectors are made of. */
#ifndef GRUB_TEXTS_H
#define GRUB_TEXTS_H

#include "base/mem.h"
#include "grub/menu.h"

void texts_add(struct grub_texts *t, struct str s);
/* Take over a string that the caller owned. */
void texts_give(struct grub_texts *t, char *s);
void texts_copy(struct grub_texts *to, const struct grub_texts *from);
/* The texts from index "from" on, a blank between two, appended to *out. */
void texts_join(const struct grub_texts *t, size_t from, struct buf *out);
void texts_fini(struct grub_texts *t);

/* A string the caller owns. */
static inline char *str_dup(struct str s)
{
	return xstrndup(s.n ? s.p : "", s.n);
}

#endif
