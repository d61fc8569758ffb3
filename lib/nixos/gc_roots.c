/* SPDX-License-Identifier: MIT */
#include "nixos/gc_roots.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/store_path.h"

struct search {
	struct off_guest *off;
	const struct guest_state *in;
	bool *drop;
	struct gc_roots *out;
};

void gc_roots_fini(struct gc_roots *r)
{
	while (r->n)
		free(r->paths[--r->n]);
	while (r->n_stays)
		free(r->stays[--r->n_stays].why);
	free(r->paths);
	free(r->stays);
	*r = (struct gc_roots){.n = 0};
}

bool gc_roots_have(const struct gc_roots *r, const char *path)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->paths[i], path))
			return true;
	return false;
}

static void add(struct gc_roots *r, char *path)
{
	if (gc_roots_have(r, path)) {
		free(path);
		return;
	}
	GROW(r->paths, r->n, r->cap);
	r->paths[r->n++] = path;
}

/* Characters of a store path's name. */
static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("+-._?=", c));
}

/* Mark every store path that occurs anywhere in a text. */
static void add_text(struct gc_roots *r, const char *text)
{
	while (text && (text = strstr(text, STORE_DIR "/"))) {
		struct str base = {text + sizeof STORE_DIR, 0};
		struct store_path sp;

		while (in_name(base.p[base.n]))
			base.n++;
		text = base.p;
		if (store_path_is_base(base, &sp))
			add(r, store_path_format(&sp));
	}
}

static bool has_system(const struct generation *g, const char *toplevel)
{
	if (!strcmp(g->system.toplevel, toplevel))
		return true;
	for (size_t i = 0; i < g->system.n_specials; i++)
		if (!strcmp(g->system.specials[i].system.toplevel, toplevel))
			return true;
	return false;
}

static void stay(struct search *s, size_t i, const char *place, const char *what)
{
	struct gc_roots *r = s->out;
	struct buf why = BUF_INIT;

	str_escape(&why, str_from(place));
	buf_puts(&why, what);
	s->drop[i] = false;
	GROW(r->stays, r->n_stays, r->stays_cap);
	r->stays[r->n_stays++] = (struct gc_stay){s->in->profiles[0].v[i].number, buf_steal(&why)};
}

/*
 * Whether the booted system is among the generations to delete, and is removed from the menu, too.
 */
static bool goes(struct search *s, const struct booting_item *item)
{
	const struct booting *b = &s->off->booting;
	bool all = false;

	for (size_t i = 0; i < s->in->profiles[0].n && item->toplevel; i++) {
		if (!s->drop[i] || !has_system(&s->in->profiles[0].v[i], item->toplevel))
			continue;
		if (!item->title)
			stay(s, i, s->off->config.path, " boots it");
		else if (b->foreign)
			stay(s, i, b->menu_place,
			     " boots it, and domstrap does not write that menu");
		else
			all = true;
	}
	return all;
}

static int take_item(void *arg, const struct booting_item *item, struct err *err)
{
	struct search *s = arg;

	if (goes(s, item))
		return 0;
	if (item->toplevel)
		add(s->out, xstrdup(item->toplevel));
	for (size_t i = 0; i < item->n; i++)
		add_text(s->out, item->v[i]);
	return 0;
}

int gc_roots_find(struct off_guest *off, const struct guest_state *in, bool *drop,
                  struct gc_roots *out, struct err *err)
{
	struct search s = {.off = off, .in = in, .drop = drop, .out = out};

	for (size_t i = 0; i < in->profiles[0].n; i++) {
		const struct generation *g = &in->profiles[0].v[i];

		if (drop[i] && g->boots)
			stay(&s, i, off->booting.place, " boots it by default");
		else if (drop[i] && g->trial == GENERATION_TO_BE_TRIED)
			stay(&s, i, off->booting.place, " boots it at the next start");
		else if (drop[i] && g->trial == GENERATION_TRIED)
			stay(&s, i, off->booting.place, " has tried it; it is not confirmed yet");
	}
	return booting_each(off, &off->booting, &off->config, take_item, &s, err);
}
