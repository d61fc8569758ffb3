/* SPDX-License-Identifier: MIT */
/*
 * Directories that are kept in memory once they were read, sorted by name. A store has tens of
 * thousands of names, and each of a guest's generations asks for dozens of them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/walk.h"
#include "fs/driver.h"

/* Limits for the directories in memory, and for the names of one and of all. */
#define DIRS_MAX 65536u
#define SLOTS (2 * DIRS_MAX)
#define NAMES_MAX (1u << 20)
#define ALL_MAX (2 * NAMES_MAX)

struct dir {
	uint64_t node;
	struct fs_name *v;
	size_t n, cap;
};

struct fs_names {
	struct dir *dirs;
	size_t n, cap;
	size_t all;      /* names */
	uint32_t *slots; /* a hash table: 0, or 1 + the number of a directory */
};

struct fs_names *fs_names_new(void)
{
	struct fs_names *n = xcalloc(1, sizeof *n);

	n->slots = xcalloc(SLOTS, sizeof *n->slots);
	return n;
}

static void dir_fini(struct dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].name);
	free(d->v);
}

void fs_names_free(struct fs_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		dir_fini(&n->dirs[i]);
	free(n->dirs);
	free(n->slots);
	free(n);
}

/* Where a directory is, or would be. */
static uint32_t *slot_of(const struct fs_names *n, uint64_t node)
{
	uint64_t h = node * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(h >> 40) % SLOTS;

	while (n->slots[i] && n->dirs[n->slots[i] - 1].node != node)
		i = (i + 1) % SLOTS;
	return &n->slots[i];
}

struct reading {
	struct dir *d;
	const char *bad; /* the rule that is broken */
	bool too_many;
};

static int take_name(void *arg, const struct fs_entry *ent)
{
	struct reading *r = arg;
	struct dir *d = r->d;

	if (str_is(ent->name, ".") || str_is(ent->name, ".."))
		return 0;
	r->too_many = d->n == NAMES_MAX;
	if (!walk_name_valid(ent->name))
		r->bad = "an invalid name";
	if (r->bad || r->too_many)
		return 1;
	GROW(d->v, d->n, d->cap);
	d->v[d->n++] = (struct fs_name){xstrndup(ent->name.p, ent->name.n), ent->node};
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fs_name *)a)->name, ((const struct fs_name *)b)->name);
}

static int check(const struct dir *d, struct reading *r, struct err *err)
{
	for (size_t i = 1; i < d->n && !r->bad; i++)
		if (by_name(&d->v[i - 1], &d->v[i]) == 0)
			r->bad = "a duplicate name";
	if (r->bad)
		return err_set(err, ERR_FORMAT, "a directory has %s", r->bad);
	if (r->too_many)
		return err_set(err, ERR_LIMIT, "directory with more than %u entries", NAMES_MAX);
	return 0;
}

static int read_dir(struct fs *fs, struct dir *d, struct err *err)
{
	struct reading r = {.d = d};
	int rc = fs->ops->list(fs, d->node, take_name, &r, err);

	if (rc == 0 && d->n)
		qsort(d->v, d->n, sizeof *d->v, by_name);
	return rc < 0 ? rc : check(d, &r, err);
}

static int get(struct fs *fs, uint64_t node, const struct dir **out, struct err *err)
{
	struct fs_names *n = fs->names;
	uint32_t *slot = slot_of(n, node);
	struct dir d = {.node = node};
	int rc;

	if (*slot) {
		*out = &n->dirs[*slot - 1];
		return 0;
	}
	rc = read_dir(fs, &d, err);
	if (rc == 0 && (n->n == DIRS_MAX || d.n > ALL_MAX - n->all))
		rc = err_set(err, ERR_LIMIT, "more than %u directories, or %u names in them",
		             DIRS_MAX, ALL_MAX);
	if (rc < 0) {
		dir_fini(&d);
		return rc;
	}
	GROW(n->dirs, n->n, n->cap);
	n->dirs[n->n] = d;
	n->all += d.n;
	*out = &n->dirs[n->n++];
	*slot = (uint32_t)n->n;
	return 0;
}

int fs_names_find(struct fs *fs, uint64_t dir, struct str name, uint64_t *node, struct err *err)
{
	_free_ char *text = xstrndup(name.p, name.n);
	const struct fs_name key = {.name = text}, *found = NULL;
	const struct dir *d;
	int rc = get(fs, dir, &d, err);

	if (rc < 0)
		return rc;
	if (d->n && strlen(text) == name.n)
		found = bsearch(&key, d->v, d->n, sizeof *d->v, by_name);
	if (!found)
		return err_set(err, ERR_NOENT, "no such file or directory");
	*node = found->node;
	return 0;
}

int fs_place_names(const struct fs_place *at, const struct fs_name **out, size_t *n,
                   struct err *err)
{
	const struct dir *d;
	struct fs_stat st;
	int rc = fs_place_stat(at, &st, err);

	if (rc == 0 && st.kind != FS_DIR)
		rc = err_set(err, ERR_NOENT, "not a directory");
	if (rc < 0)
		return rc;
	*out = NULL;
	*n = 0;
	if (!at->fs || !at->fs->names)
		return 0;
	rc = get(at->fs, at->node, &d, err);
	if (rc < 0)
		return rc;
	*out = d->v;
	*n = d->n;
	return 0;
}
