/* SPDX-License-Identifier: MIT */
/* Converts the guest's generations to the input of the menu writers. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "nixos/menu_rewrite_internal.h"

void menu_rewrite_model_fini(struct menu_rewrite *m)
{
	for (size_t i = 0; i < m->n_profiles; i++)
		free(m->generations[i]);
	for (size_t i = 0; i < m->n_specials; i++)
		free(m->specials[i]);
	for (size_t i = 0; i < m->n_strings; i++)
		free(m->strings[i]);
	free(m->generations);
	free(m->profiles);
	free(m->specials);
	free(m->strings);
}

const char *menu_rewrite_keep(struct menu_rewrite *m, char *text)
{
	GROW(m->strings, m->n_strings, m->strings_cap);
	m->strings[m->n_strings++] = text;
	return text;
}

static int entry_of(struct menu_rewrite *m, const struct guest_system *s, struct grub_entry *out,
                    struct err *err)
{
	*out = (struct grub_entry){.toplevel = s->toplevel,
	                           .init = s->init,
	                           .kernel = s->broken ? NULL : s->kernel,
	                           .initrd = s->broken ? NULL : s->initrd,
	                           .params = s->params};
	return out->kernel && out->initrd ? m->fill(m, s, out, err) : 0;
}

static int convert(struct menu_rewrite *m, const struct generation *g, struct grub_generation *out,
                   struct err *err)
{
	const struct guest_system *s = &g->system;
	struct grub_special *list = xcalloc(s->n_specials + 1, sizeof *list);
	int rc;

	GROW(m->specials, m->n_specials, m->specials_cap);
	m->specials[m->n_specials++] = list;
	*out = (struct grub_generation){
	        .number = g->number,
	        .time = g->time,
	        .version = s->version,
	        .specials = list,
	        .n_specials = s->n_specials,
	};
	rc = entry_of(m, s, &out->entry, err);
	for (size_t i = 0; i < s->n_specials && rc == 0; i++) {
		const struct guest_system *special = &s->specials[i].system;

		list[i] = (struct grub_special){
		        .name = s->specials[i].name,
		        .configuration_name = special->name,
		        .version = special->version,
		        .time = 1, /* as everything in the store */
		};
		rc = entry_of(m, special, &list[i].entry, err);
	}
	return rc;
}

static int convert_profile(struct menu_rewrite *m, const struct profile *p, struct err *err)
{
	struct grub_generation *v = xcalloc(p->n + 1, sizeof *v);
	size_t n = 0;
	int rc = 0;

	m->generations[m->n_profiles] = v;
	for (size_t k = p->n; k > 0 && rc == 0; k--)
		rc = convert(m, &p->v[k - 1], &v[n++], err);
	m->profiles[m->n_profiles++] =
	        (struct grub_profile){.name = p->name, .generations = v, .n = n};
	return rc;
}

/* NixOS shows profiles whose names are words. */
static bool is_word(const char *name)
{
	for (; *name; name++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
		            *name))
			return false;
	return true;
}

int menu_rewrite_model(struct menu_rewrite *m, entry_fn *fill, void *arg, struct err *err)
{
	const struct guest_state *in = m->in;
	int rc = 0;

	m->fill = fill;
	m->arg = arg;
	m->profiles = xcalloc(in->n_profiles, sizeof *m->profiles);
	m->generations = xcalloc(in->n_profiles, sizeof *m->generations);
	for (size_t i = 0; i < in->n_profiles && rc == 0; i++)
		if (!in->profiles[i].name || is_word(in->profiles[i].name))
			rc = convert_profile(m, &in->profiles[i], err);
	return rc < 0 ? rc : convert(m, m->current, &m->default_system, err);
}

/*
 * The number of links of the profile with lower numbers than this, including those that gc will
 * delete.
 */
static int count_older(struct menu_rewrite *m, unsigned oldest, size_t *out, struct err *err)
{
	const struct ext4_entry *v;
	uint32_t dir;
	size_t n;
	int rc = ext4_edit_find(m->off->root.edit, GUEST_STATE_PROFILES, true, &dir, err);

	if (rc == 0)
		rc = ext4_edit_list(m->off->root.edit, dir, &v, &n, err);
	*out = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct str s = str_from(v[i].name);
		uint64_t number;

		if (!str_starts(s, "system-") || !str_ends(s, "-link"))
			continue;
		s = str_drop(s, strlen("system-"));
		s.n -= strlen("-link");
		*out += str_u64(s, 10, UINT32_MAX, &number) && number < oldest;
	}
	return rc;
}

int menu_rewrite_limit(struct menu_rewrite *m, size_t shown, unsigned oldest, size_t dflt,
                       size_t *out, struct err *err)
{
	size_t older = 0;
	int rc = m->limit || !shown ? 0 : count_older(m, oldest, &older, err);

	*out = m->limit ? m->limit : dflt;
	/* The menu shows only some of the generations: their number is its limit. */
	if (older)
		*out = shown;
	m->off->menu_limit = *out;
	return rc;
}
