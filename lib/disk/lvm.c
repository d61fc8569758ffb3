/* SPDX-License-Identifier: MIT */
#include "disk/lvm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disk/lvm_internal.h"

#define GROUPS_MAX 16u

struct taker {
	struct lvm *l;
	struct buf *notes;
	const char *name; /* of the disk */
};

static void group_fini(struct lvm_group *g)
{
	free(g->name);
	free(g->text);
}

static void note(struct taker *t, const struct err *err)
{
	buf_putf(t->notes, "%s: %s\n", t->name, err->text);
}

/* Keep the text if it is its group's newest. */
static void text_take(void *arg, struct str text)
{
	struct taker *t = arg;
	struct lvm *l = t->l;
	struct lvm_group g = {.name = NULL};
	struct err err = ERR_INIT;
	size_t i = 0;

	if (lvm_group_head(text, &g, &err) < 0) {
		note(t, &err);
		return;
	}
	while (i < l->n_groups && strcmp(l->group[i].id, g.id) != 0)
		i++;
	if (i == GROUPS_MAX) {
		err_set(&err, ERR_LIMIT, "LVM2: more than %u groups", GROUPS_MAX);
		note(t, &err);
	}
	if (i == GROUPS_MAX || (i < l->n_groups && l->group[i].seqno >= g.seqno)) {
		group_fini(&g);
		return;
	}
	g.text = xstrndup(text.p, text.n);
	g.n = text.n;
	if (i < l->n_groups) {
		group_fini(&l->group[i]);
	} else {
		GROW(l->group, l->n_groups, l->cap_groups);
		l->n_groups++;
	}
	l->group[i] = g;
}

static bool is_known(const struct lvm *l, const char *id)
{
	for (size_t i = 0; i < l->n_pvs; i++)
		if (!strcmp(l->pv[i].id, id))
			return true;
	return false;
}

static void physical_add(struct lvm *l, const struct window *w, size_t i, struct buf *notes)
{
	struct taker t = {.l = l, .notes = notes, .name = w->name};
	struct err err = ERR_INIT;
	struct lvm_pv pv;
	int rc = lvm_pv_read(w, &pv, text_take, &t, notes, &err);

	if (rc < 0)
		buf_putf(notes, "%s\n", err.text);
	if (rc)
		return;
	/* The other half of a mirror has the same. */
	if (is_known(l, pv.id) && !w->fixed)
		buf_putf(notes, "%s: LVM2: physical volume %s is there twice; the first is used\n",
		         w->name, pv.id);
	pv.given = i;
	GROW(l->pv, l->n_pvs, l->cap_pvs);
	l->pv[l->n_pvs++] = pv;
}

struct lvm *lvm_new(const struct window *w, size_t n, struct buf *notes)
{
	struct lvm *l = xcalloc(1, sizeof *l);

	for (size_t i = 0; i < n; i++)
		physical_add(l, &w[i], i, notes);
	for (size_t i = 0; i < l->n_groups; i++) {
		struct err err = ERR_INIT;

		if (lvm_group_read(l, &l->group[i], &err) < 0)
			buf_putf(notes, "%s: %s\n", l->group[i].name, err.text);
		/* Its volumes need it no more. */
		free(take(&l->group[i].text));
	}
	return l;
}

void lvm_free(struct lvm *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n_pvs; i++)
		free(l->pv[i].group);
	for (size_t i = 0; i < l->n_groups; i++)
		group_fini(&l->group[i]);
	for (size_t i = 0; i < l->n_logical; i++) {
		free(l->logical[i]->volume.name);
		free(l->logical[i]->volume.id);
		free(l->logical[i]->volume.trouble);
		free(l->logical[i]->segment);
		free(l->logical[i]->area);
		free(l->logical[i]);
	}
	free(l->pv);
	free(l->group);
	free(l->logical);
	free(l);
}

const struct lvm_volume *lvm_volume(const struct lvm *l, size_t i)
{
	return i < l->n_logical ? &l->logical[i]->volume : NULL;
}

bool lvm_is_physical(const struct lvm *l, size_t i, const char **group)
{
	for (size_t k = 0; k < l->n_pvs; k++)
		if (l->pv[k].given == i) {
			*group = l->pv[k].group ? l->pv[k].group : "";
			return true;
		}
	return false;
}

/* ---- bytes of a volume ---------------------------------------------------- */

/* The segment that has a byte of the volume. */
static const struct lvm_segment *segment_at(const struct lvm_logical *v, uint64_t off)
{
	size_t lo = 0, hi = v->n_segments;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->segment[mid].start <= off)
			lo = mid;
		else
			hi = mid;
	}
	return &v->segment[lo];
}

int lvm_logical_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	const struct lvm_logical *v = (const struct lvm_logical *)src;
	uint8_t *to = p;
	int rc = 0;

	while (rc == 0 && n) {
		const struct lvm_segment *s = segment_at(v, off);
		uint64_t in = off - s->start, turn = in / s->stripe, within = in % s->stripe;
		const struct lvm_area *a = &v->area[s->area + turn % s->n];
		size_t piece = (size_t)MIN(n, s->stripe - within);

		rc = window_read(a->w, to, piece, a->at + turn / s->n * s->stripe + within, err);
		to += piece;
		off += piece;
		n -= piece;
	}
	return rc;
}
