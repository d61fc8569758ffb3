/* SPDX-License-Identifier: MIT */
/* Titles that a person can tell apart, as systemd-boot makes them. */
#include "base/mem.h"
#include "grub/bls.h"
#include "grub/texts.h"

#include <stdlib.h>
#include <string.h>

struct title {
	char *text;
	size_t i; /* index of its entry */
};

static int title_cmp(const void *a, const void *b)
{
	return strcmp(((const struct title *)a)->text, ((const struct title *)b)->text);
}

/* Mark entries whose title another one has too; returns whether there are any. */
static bool find_twins(struct grub_texts *titles, bool *twin)
{
	struct title *t = xcalloc(titles->n + 1, sizeof *t);
	bool any = false;

	for (size_t i = 0; i < titles->n; i++) {
		t[i] = (struct title){titles->v[i], i};
		twin[i] = false;
	}
	qsort(t, titles->n, sizeof *t, title_cmp);
	for (size_t i = 1; i < titles->n; i++)
		if (strcmp(t[i - 1].text, t[i].text) == 0)
			any = twin[t[i - 1].i] = twin[t[i].i] = true;
	free(t);
	return any;
}

/* What each round appends to a title; p NULL: nothing. */
static struct str mark(const struct bls_entry *e, unsigned round)
{
	struct str s = str_from(round == 0 ? e->version : round == 1 ? e->machine_id : e->id);

	if (round == 1)
		s.n = MIN(s.n, 8);
	return s;
}

void bls_titles(const struct bls_entries *all, struct grub_texts *out)
{
	_free_ bool *twin = xcalloc(all->n + 1, sizeof *twin);

	for (size_t i = 0; i < all->n; i++)
		texts_add(out, str_from(*all->v[i].title ? all->v[i].title : all->v[i].id));
	for (unsigned round = 0; round < 3 && find_twins(out, twin); round++)
		for (size_t i = 0; i < all->n; i++) {
			struct str s = mark(&all->v[i], round);
			char *old = out->v[i];

			if (!twin[i] || !s.n)
				continue;
			out->v[i] = xasprintf("%s (%.*s)", old, STR_ARG(s));
			free(old);
		}
}
