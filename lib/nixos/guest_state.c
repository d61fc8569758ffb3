/* SPDX-License-Identifier: MIT */
#include "nixos/guest_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "nix/store_path.h"
#include "nixos/guest_fs.h"

#define PROFILES_MAX 1000u
#define SYSTEMS_BYTES_MAX (64u << 20)

/* ---- profiles ------------------------------------------------------------- */

/* "NAME-N-link": N, or 0. */
static unsigned generation_number(const char *entry, const char *profile)
{
	size_t n = strlen(profile);
	struct str s = str_from(entry);
	uint64_t v;

	if (strncmp(entry, profile, n) != 0 || entry[n] != '-' || !str_ends(s, "-link"))
		return 0;
	s = str_drop(s, n + 1);
	s.n -= MIN(s.n, strlen("-link"));
	return str_u64(s, 10, 1u << 30, &v) ? (unsigned)v : 0;
}

/* The store path that a profile's link leads to, by its text. */
static int read_target(struct off_guest_fs *fs, uint32_t ino, const char *name, char **out,
                       struct err *err)
{
	_cleanup_(buf_fini) struct buf target = BUF_INIT;
	struct store_path sp;
	int rc = guest_fs_readlink(fs, ino, &target, err);

	if (rc == 0)
		rc = store_path_parse(buf_str(&target), &sp, err);
	if (rc < 0)
		return err_prefix(err, "generation %s", name);
	*out = xstrndup(target.p, target.n);
	return 0;
}

/* Memory that one system takes, with its specialisations. */
static size_t weigh(const struct guest_system *s)
{
	size_t sum = sizeof *s + (s->params ? strlen(s->params) : 0);

	for (size_t i = 0; i < s->n_specials; i++)
		sum += weigh(&s->specials[i].system);
	return sum;
}

static int check_room(struct guest_state *in, const struct guest_system *s, struct err *err)
{
	in->bytes += weigh(s);
	if (in->bytes <= SYSTEMS_BYTES_MAX)
		return 0;
	return err_set(
	        err, ERR_LIMIT,
	        "more than %u bytes of kernel arguments in all generations and specialisations",
	        SYSTEMS_BYTES_MAX);
}

static int load_generation(struct off_guest_fs *fs, struct guest_state *in,
                           const struct ext4_entry *ent, unsigned number, struct generation *g,
                           struct err *err)
{
	char shown[SHOW_SIZE];
	_free_ char *toplevel = NULL;
	struct ext4_stat st;
	int rc = guest_fs_stat(fs, ent->ino, &st, err);

	*g = (struct generation){.number = number, .time = st.mtime};
	if (rc == 0)
		rc = read_target(fs, ent->ino, show_str(str_from(ent->name), shown), &toplevel,
		                 err);
	if (rc == 0)
		rc = guest_system_load(fs, toplevel, &g->system, err);
	if (rc == 0)
		rc = check_room(in, &g->system, err);
	return rc;
}

static int by_number(const void *a, const void *b)
{
	const struct generation *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Which one the profile itself points at. */
static int mark_current(struct off_guest_fs *fs, struct profile *p, uint32_t dir, const char *name,
                        struct err *err)
{
	_cleanup_(buf_fini) struct buf target = BUF_INIT;
	struct ext4_entry ent;
	unsigned number;
	int rc = guest_fs_lookup(fs, dir, name, &ent, err);

	if (rc == -ERR_NOENT)
		return 0;
	if (rc == 0)
		rc = guest_fs_readlink(fs, ent.ino, &target, err);
	if (rc < 0)
		return err_prefix(err, "profile %s", name);
	number = generation_number(str_base((char *)target.p), name);
	for (size_t i = 0; i < p->n; i++)
		p->v[i].current = p->v[i].number == number;
	return 0;
}

static int load_profile(struct off_guest_fs *fs, struct guest_state *in, const char *dir,
                        const char *name, struct profile *p, struct err *err)
{
	const struct ext4_entry *v;
	uint32_t ino;
	size_t n, cap = 0;
	int rc = guest_fs_find(fs, dir, true, &ino, err);

	if (rc == 0)
		rc = guest_fs_list(fs, ino, &v, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		unsigned number = generation_number(v[i].name, name);

		if (!number)
			continue;
		if (p->n == GUEST_STATE_GENERATIONS_MAX)
			return err_set(err, ERR_LIMIT, "more than %u generations",
			               GUEST_STATE_GENERATIONS_MAX);
		GROW(p->v, p->n, cap);
		rc = load_generation(fs, in, &v[i], number, &p->v[p->n++], err);
		/* Loading may have read more directories, so list this one again. */
		if (rc == 0)
			rc = guest_fs_list(fs, ino, &v, &n, err);
	}
	if (rc < 0)
		return rc;
	if (p->n)
		qsort(p->v, p->n, sizeof *p->v, by_number);
	return mark_current(fs, p, ino, name, err);
}

/* The profiles beside the system's own: each name once. */
static int load_others(struct off_guest_fs *fs, struct guest_state *in, struct err *err)
{
	static const char dir[] = GUEST_STATE_PROFILES "/system-profiles";
	const struct ext4_entry *v;
	uint32_t ino;
	size_t n;
	int rc = guest_fs_find(fs, dir, true, &ino, err);

	if (rc == -ERR_NOENT)
		return 0;
	if (rc == 0)
		rc = guest_fs_list(fs, ino, &v, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct profile *p = &in->profiles[in->n_profiles];

		if (str_ends(str_from(v[i].name), "-link"))
			continue;
		if (in->n_profiles == PROFILES_MAX)
			return err_set(err, ERR_LIMIT, "%s: more than %u profiles", dir,
			               PROFILES_MAX - 1);
		*p = (struct profile){.name = xstrdup(v[i].name), .dir = xstrdup(dir)};
		in->n_profiles++;
		rc = load_profile(fs, in, dir, p->name, p, err);
	}
	return rc;
}

/* ---- the whole ------------------------------------------------------------ */

int guest_state_load(struct off_guest *off, struct guest_state *out, struct err *err)
{
	struct guest_state in = {0};
	struct off_guest_fs *fs = &off->root;
	int rc;

	in.profiles = xcalloc(PROFILES_MAX, sizeof *in.profiles);
	in.profiles[in.n_profiles++].dir = xstrdup(GUEST_STATE_PROFILES);
	rc = load_profile(fs, &in, GUEST_STATE_PROFILES, "system", &in.profiles[0], err);
	if (rc == 0)
		rc = load_others(fs, &in, err);
	if (rc < 0) {
		guest_state_fini(&in);
		return err_prefix(err, "%s", off->root.target->name);
	}
	*out = in;
	return 0;
}

void guest_state_fini(struct guest_state *in)
{
	for (size_t i = 0; i < in->n_profiles; i++) {
		struct profile *p = &in->profiles[i];

		for (size_t k = 0; k < p->n; k++)
			guest_system_fini(&p->v[k].system);
		free(p->v);
		free(p->name);
		free(p->dir);
	}
	free(in->profiles);
	guest_state_fini_db(in);
	*in = (struct guest_state){0};
}

struct generation *guest_state_current(const struct guest_state *in)
{
	for (size_t i = 0; i < in->profiles[0].n; i++)
		if (in->profiles[0].v[i].current)
			return &in->profiles[0].v[i];
	return NULL;
}

struct generation *guest_state_find(const struct guest_state *in, unsigned number)
{
	for (size_t i = 0; i < in->profiles[0].n; i++)
		if (in->profiles[0].v[i].number == number)
			return &in->profiles[0].v[i];
	return NULL;
}

static bool is_system(struct generation *g, const char *toplevel)
{
	g->special = NULL;
	for (size_t i = 0; i < g->system.n_specials; i++)
		if (!strcmp(g->system.specials[i].system.toplevel, toplevel))
			g->special = g->system.specials[i].name;
	if (!strcmp(g->system.toplevel, toplevel))
		g->special = NULL;
	else if (!g->special)
		return false;
	return true;
}

/* Where several are the same system it is the profile's own, else the newest. */
void guest_state_mark_boots(struct guest_state *in, const char *toplevel)
{
	const struct profile *p = &in->profiles[0];
	struct generation *found = NULL;

	for (size_t i = 0; i < p->n; i++) {
		struct generation *g = &p->v[i];

		g->boots = false;
		if (toplevel && is_system(g, toplevel) && (!found || !found->current))
			found = g;
	}
	if (found)
		found->boots = true;
}

struct generation *guest_state_boots(const struct guest_state *in)
{
	for (size_t i = 0; i < in->profiles[0].n; i++)
		if (in->profiles[0].v[i].boots)
			return &in->profiles[0].v[i];
	return NULL;
}
