/* SPDX-License-Identifier: MIT */
/*
 * What keeps store paths alive: profiles, and /nix/var/nix/gcroots with its
 * links (nix-store(1), "gc"). Links that lead nowhere keep nothing, as for Nix.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inside.h"
#include "nix/store_path.h"

#define GCROOTS "/nix/var/nix/gcroots"
#define DEPTH_MAX 32u

static int compare_path(const void *key, const void *elem)
{
	return strcmp(key, ((const struct path_info *)elem)->path);
}

static size_t index_of(const struct closure *db, const char *path)
{
	const struct path_info *p =
	        db->n ? bsearch(path, db->paths, db->n, sizeof *db->paths, compare_path) : NULL;

	return p ? (size_t)(p - db->paths) : SIZE_MAX;
}

static void push(const struct closure *db, size_t i, bool *reached, uint32_t *stack, size_t *n)
{
	(void)db;
	if (i == SIZE_MAX || reached[i])
		return;
	reached[i] = true;
	stack[(*n)++] = (uint32_t)i;
}

void inside_reach(const struct closure *db, const char *path, bool *reached)
{
	_free_ uint32_t *stack = xcalloc(db->n + 1, sizeof *stack);
	size_t n = 0;

	push(db, index_of(db, path), reached, stack, &n);
	while (n) {
		const struct path_info *p = &db->paths[stack[--n]];

		for (size_t i = 0; i < p->nrefs; i++)
			push(db, p->refs[i], reached, stack, &n);
		/* Nix's default, keep-derivations. */
		if (p->deriver)
			push(db, index_of(db, p->deriver), reached, stack, &n);
	}
}

struct finder {
	struct ext4_edit *e;
	const struct closure *db;
	bool *reached;
	const char *skip; /* the system's own profile, "DIR" of its links; NULL: none */
};

/* The store path that a text lies in. */
static bool reach_text(struct finder *f, struct str text)
{
	_free_ char *path = NULL;
	struct store_path sp;
	struct str rest;

	if (!store_path_is_in(text, &sp, &rest))
		return false;
	path = store_path_format(&sp);
	inside_reach(f->db, path, f->reached);
	return true;
}

/* Every link on the way may be the one that names a store path. */
static int follow(struct finder *f, const char *path, struct err *err)
{
	_free_ char *at = xstrdup(path);

	for (unsigned i = 0; i < EXT4_EDIT_LINKS_MAX; i++) {
		_cleanup_(buf_fini) struct buf target = BUF_INIT;
		char *slash = strrchr(at, '/'), *next;
		struct ext4_stat st;
		uint32_t ino;
		int rc = ext4_edit_find(f->e, at, false, &ino, err);

		if (rc == 0)
			rc = ext4_edit_stat(f->e, ino, &st, err);
		rc = err_absent(rc);
		if (rc)
			return rc < 0 ? rc : 0;
		if (st.type != EXT4_FT_LINK)
			return 0;
		rc = ext4_edit_readlink(f->e, ino, &target, err);
		if (rc < 0)
			return rc;
		if (reach_text(f, buf_str(&target)))
			return 0;
		next = target.p[0] == '/' ? xstrdup(target.p)
		                          : xasprintf("%.*s/%s", (int)(slash - at), at, target.p);
		free(at);
		at = next;
	}
	return 0;
}

static bool is_system_link(const struct finder *f, const char *dir, const char *name)
{
	if (!f->skip || strcmp(dir, f->skip) != 0)
		return false;
	if (!strcmp(name, "system"))
		return true;
	return str_starts(str_from(name), "system-") && str_ends(str_from(name), "-link");
}

static int scan(struct finder *f, const char *dir, unsigned depth, struct err *err);

static int scan_entry(struct finder *f, const char *dir, const struct ext4_entry *ent,
                      unsigned depth, struct err *err)
{
	_free_ char *path = xasprintf("%s/%s", dir, ent->name);
	_free_ char *as_store = NULL;
	struct ext4_stat st;
	int rc;

	if (is_system_link(f, dir, ent->name))
		return 0;
	rc = ext4_edit_stat(f->e, ent->ino, &st, err);
	if (rc < 0)
		return rc;
	switch ((int)st.type) {
	case EXT4_FT_DIR:
		return scan(f, path, depth + 1, err);
	case EXT4_FT_LINK:
		return follow(f, path, err);
	case EXT4_FT_FILE:
		/* A file named like a store path is a root, too. */
		as_store = xasprintf(STORE_DIR "/%s", ent->name);
		inside_reach(f->db, as_store, f->reached);
		return 0;
	default:
		return 0;
	}
}

static int scan(struct finder *f, const char *dir, unsigned depth, struct err *err)
{
	const struct ext4_entry *v;
	uint32_t ino;
	size_t n;
	int rc = ext4_edit_find(f->e, dir, true, &ino, err);

	if (rc == -ERR_NOENT)
		return 0;
	if (rc == 0 && depth > DEPTH_MAX)
		rc = err_set(err, ERR_LIMIT, "%s: directories nested deeper than %u", dir,
		             DEPTH_MAX);
	if (rc == 0)
		rc = ext4_edit_list(f->e, ino, &v, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = scan_entry(f, dir, &v[i], depth, err);
	return rc;
}

int inside_roots(struct offline *off, const struct inside *in, bool *reached, struct err *err)
{
	struct finder f = {
	        .e = off->root.edit, .db = &in->db, .reached = reached, .skip = INSIDE_PROFILES};
	int rc = scan(&f, INSIDE_PROFILES, 0, err);

	return rc < 0 ? rc : scan(&f, GCROOTS, 0, err);
}

int inside_sizes(struct offline *off, struct inside *in, struct err *err)
{
	const struct profile *p = &in->profiles[0];
	size_t n = in->db.n;
	_free_ bool *shared = xcalloc(n + 1, sizeof *shared);
	_free_ bool *mine = xcalloc(n + 1, sizeof *mine);
	_free_ uint32_t *users = xcalloc(n + 1, sizeof *users);
	int rc;

	if (in->db_err.code)
		return 0;
	rc = inside_roots(off, in, shared, err);
	if (rc < 0)
		return rc;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t g = 0; g < p->n; g++) {
			memset(mine, 0, n * sizeof *mine);
			inside_reach(&in->db, p->v[g].system.toplevel, mine);
			for (size_t i = 0; i < n; i++) {
				if (!mine[i])
					continue;
				if (pass == 0)
					users[i]++;
				else if (users[i] == 1 && !shared[i])
					p->v[g].own_bytes += in->db.paths[i].nar_size;
			}
		}
	}
	return 0;
}
