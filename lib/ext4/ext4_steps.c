/* SPDX-License-Identifier: MIT */
/*
 * A commit without a journal, in steps that are each synced. At every moment a
 * name that was there, and still is, leads to its old or to its new file, whole;
 * and e2fsck -p repairs whatever a stop leaves:
 *
 *     superblock      "not unmounted", so that e2fsck looks
 *     bitmaps         all that is new is in use; nothing is free yet
 *     directories     with old and new names, of which the new ones lead to
 *                     inodes that are not there: e2fsck takes them away. A new
 *                     file under an old name has a name of its own for now
 *     inodes          of all that is new
 *     directories     such names change places, directory by directory: the
 *                     menu is the new one
 *     inodes          of all that is gone are cleared
 *     directories     as they shall be
 *     bitmaps, then the superblock: "unmounted"
 *
 * A directory changes by its inode, which is in one sector; its entries are in
 * new blocks each time.
 */
#include "base/mem.h"
#include "disk/ext_super.h"
#include "ext4/ext4_edit_in.h"

#include <string.h>

#define STEP_NAME ".domstrap-"

/* A directory that changes. */
struct step_dir {
	struct edit_dir *d;            /* as it shall be */
	struct edit_dir before, after; /* old and new entries; their names are borrowed */
	bool fresh;                    /* the directory is new */
	bool replaces;
};

struct steps {
	struct ext4_edit *e, *old;
	struct step_dir *dirs;
	size_t n;
	char **names; /* the temporary name; owned */
	size_t n_names, names_cap, next;
};

/* ---- what goes to the disk ------------------------------------------------ */

static int sync_all(const struct steps *s, struct err *err)
{
	return target_sync(s->e->target, err);
}

static bool in_table(const struct ext4_layout *lay, uint64_t block)
{
	for (uint32_t g = 0; g < lay->groups; g++)
		if (block >= lay->itable[g] && block - lay->itable[g] < lay->itable_blocks)
			return true;
	return false;
}

enum part { PART_SUPER, PART_MAPS, PART_TABLES };

static enum part part_of(const struct ext4_edit *e, uint64_t block)
{
	if (block == EXT_SUPER_AT / e->ids.block)
		return PART_SUPER;
	return in_table(&e->layout, block) ? PART_TABLES : PART_MAPS;
}

/* Write the changed blocks of one part, and sync. */
static int push(struct steps *s, enum part part, struct err *err)
{
	_free_ struct ext4_change *list = NULL;
	struct ext4_edit *e = s->e;
	size_t n = 0;
	int rc = ext4_overlay_changes(e->overlay, &list, &n, err);

	for (size_t i = 0; i < n && rc == 0; i++)
		if (part_of(e, list[i].block) == part)
			rc = target_write_small(e->target, list[i].data, e->ids.block,
			                        e->base + list[i].block * e->ids.block, err);
	return rc < 0 ? rc : sync_all(s, err);
}

static int push_inode(struct steps *s, uint32_t ino, struct err *err)
{
	struct ext4_edit *e = s->e;
	uint64_t off = ext4_inode_offset(&e->layout, ino);
	uint8_t raw[EXT4_INODE_SIZE_MAX];
	int rc = ext4_overlay_read(e->overlay, raw, e->ids.inode_size, off, err);

	if (rc == 0)
		rc = target_write_small(e->target, raw, e->ids.inode_size, e->base + off, err);
	return rc < 0 ? rc : sync_all(s, err);
}

/* Bitmaps and counts as they are now, into memory. */
static int gather(struct steps *s, struct err *err)
{
	return edit_flush(s->e, err);
}

/* ---- directories ---------------------------------------------------------- */

static void add_entry(struct edit_dir *to, const struct ext4_entry *ent, const char *name)
{
	GROW(to->v, to->n, to->cap);
	to->v[to->n] = *ent;
	to->v[to->n++].name = (char *)(uintptr_t)(name ? name : ent->name);
}

/* A name that is in neither list. */
static const char *name_for_now(struct steps *s, const struct edit_dir *a, const struct edit_dir *b)
{
	bool in_a, in_b;
	char *name;

	for (;;) {
		name = xasprintf(STEP_NAME "%zu", s->next++);
		edit_dir_find(a, name, &in_a);
		edit_dir_find(b, name, &in_b);
		if (!in_a && !in_b)
			break;
		free(name);
	}
	GROW(s->names, s->n_names, s->names_cap);
	return s->names[s->n_names++] = name;
}

/* Both lists are sorted by name. */
static void merge(struct steps *s, struct step_dir *sd, const struct edit_dir *old)
{
	const struct edit_dir *now = sd->d;
	size_t i = 0, k = 0;

	while (i < old->n || k < now->n) {
		const struct ext4_entry *a = i < old->n ? &old->v[i] : NULL;
		const struct ext4_entry *b = k < now->n ? &now->v[k] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);
		const char *name;

		i += order <= 0;
		k += order >= 0;
		if (order != 0 || a->ino == b->ino) {
			add_entry(&sd->before, order < 0 ? a : b, NULL);
			add_entry(&sd->after, order < 0 ? a : b, NULL);
			continue;
		}
		name = name_for_now(s, old, now);
		add_entry(&sd->before, a, NULL);
		add_entry(&sd->before, b, name);
		add_entry(&sd->after, b, NULL);
		add_entry(&sd->after, a, name);
		sd->replaces = true;
	}
}

/* Temporary names that an interrupted change left. */
static int drop_leftovers(struct steps *s, struct edit_dir *d, struct err *err)
{
	uint64_t ignored = 0;
	int rc = 0;

	for (size_t i = d->n; i-- > 0 && rc == 0;) {
		if (!str_starts(str_from(d->v[i].name), STEP_NAME))
			continue;
		rc = edit_release(s->e, d->v[i].ino, &ignored, 0, err);
		if (rc == 0)
			edit_dir_drop(d, i);
	}
	return rc;
}

static int plan_dir(struct steps *s, struct edit_dir *d, struct edit_dir *old, struct err *err)
{
	struct step_dir *sd = &s->dirs[s->n];
	struct ext2_inode in;
	errcode_t code = ext2fs_read_inode(s->old->fs, d->ino, &in);
	int rc;

	if (code)
		return edit_error(s->old, "reading it", d->ino, code, err);
	*sd = (struct step_dir){.d = d, .fresh = !in.i_links_count};
	s->n++;
	if (sd->fresh)
		return 0;
	rc = drop_leftovers(s, d, err);
	if (rc == 0)
		rc = edit_dir_read(s->old, d->ino, old, err);
	if (rc < 0)
		return rc;
	sd->before.ino = sd->after.ino = d->ino;
	sd->before.parent = sd->after.parent = d->parent;
	merge(s, sd, old);
	return 0;
}

static int plan(struct steps *s, struct edit_dir *olds, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->e->n_dirs && rc == 0; i++)
		if (s->e->dirs[i]->written && !s->e->dirs[i]->gone)
			rc = plan_dir(s, s->e->dirs[i], &olds[s->n], err);
	return rc;
}

/* ---- the steps ------------------------------------------------------------ */

static int put_valid(struct steps *s, bool valid, struct err *err)
{
	struct ext2_super_block *sb = s->e->fs->super;

	sb->s_state =
	        (uint16_t)(valid ? sb->s_state | EXT2_VALID_FS : sb->s_state & ~EXT2_VALID_FS);
	return gather(s, err);
}

/* First directories with old and new names, then the inodes of the new ones. */
static int add_new(struct steps *s, struct err *err)
{
	int rc = push(s, PART_SUPER, err);

	if (rc == 0)
		rc = push(s, PART_MAPS, err);
	/* Directories are in the order in which they were read: parents first. */
	for (size_t i = 0; i < s->n && rc == 0; i++)
		rc = push_inode(s, s->dirs[i].d->ino, err);
	return rc < 0 ? rc : push(s, PART_TABLES, err);
}

static int switch_names(struct steps *s, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->n && rc == 0; i++) {
		if (!s->dirs[i].replaces)
			continue;
		rc = edit_dir_put(s->e, &s->dirs[i].after, err);
		if (rc == 0)
			rc = gather(s, err);
		if (rc == 0)
			rc = push(s, PART_MAPS, err);
		if (rc == 0)
			rc = push_inode(s, s->dirs[i].d->ino, err);
	}
	return rc;
}

/* Files first: files must not remain when their directory is removed. */
static int clear_old(struct steps *s, struct err *err)
{
	struct ext4_edit *e = s->e;
	bool dir;
	int rc = 0;

	e->releasing = true;
	for (size_t i = 0; i < e->n_doomed && rc == 0; i++)
		if (!e->doomed[i].dir)
			rc = edit_release_doomed(e, e->doomed[i].ino, err);
	if (rc == 0)
		rc = push(s, PART_TABLES, err);
	for (size_t i = 0; i < e->n_doomed && rc == 0; i++) {
		dir = e->doomed[i].dir;
		if (dir)
			rc = edit_release_doomed(e, e->doomed[i].ino, err);
		if (dir && rc == 0)
			rc = push_inode(s, e->doomed[i].ino, err);
	}
	e->releasing = false;
	return rc;
}

static int settle_dirs(struct steps *s, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->n && rc == 0; i++)
		if (!s->dirs[i].fresh)
			rc = edit_dir_put(s->e, s->dirs[i].d, err);
	if (rc == 0)
		rc = gather(s, err);
	if (rc == 0)
		rc = push(s, PART_MAPS, err);
	for (size_t i = 0; i < s->n && rc == 0; i++)
		rc = push_inode(s, s->dirs[i].d->ino, err);
	return rc;
}

static int finish(struct steps *s, struct err *err)
{
	int rc;

	edit_free_later(s->e);
	rc = put_valid(s, true, err);
	if (rc == 0)
		rc = push(s, PART_MAPS, err);
	if (rc == 0)
		rc = push(s, PART_TABLES, err);
	return rc < 0 ? rc : push(s, PART_SUPER, err);
}

static int run(struct steps *s, struct edit_dir *olds, bool *happened, struct err *err)
{
	int rc = plan(s, olds, err);

	for (size_t i = 0; i < s->n && rc == 0; i++)
		if (!s->dirs[i].fresh)
			rc = edit_dir_put(s->e, &s->dirs[i].before, err);
	if (rc == 0)
		rc = put_valid(s, false, err);
	if (rc == 0)
		rc = sync_all(s, err); /* contents, which nothing refers to yet */
	if (rc < 0)
		return rc;
	*happened = true;
	rc = add_new(s, err);
	if (rc == 0)
		rc = switch_names(s, err);
	if (rc == 0)
		rc = clear_old(s, err);
	if (rc == 0)
		rc = settle_dirs(s, err);
	if (rc == 0)
		rc = finish(s, err);
	return rc < 0 ? err_prefix(err, "%s has no journal: run e2fsck -p on it",
	                           s->e->target->name)
	              : 0;
}

int edit_commit_steps(struct ext4_edit *e, bool *happened, struct err *err)
{
	_cleanup_(ext4_edit_freep) struct ext4_edit *old = NULL;
	struct steps s = {.e = e};
	struct edit_dir *olds;
	const struct ext4_edit_request req = {
	        .target = e->target, .base = e->base, .size = e->size, .time = e->time};
	int rc = ext4_edit_open(&req, &old, err);

	if (rc < 0)
		return rc;
	s.old = old;
	s.dirs = xcalloc(e->n_dirs + 1, sizeof *s.dirs);
	olds = xcalloc(e->n_dirs + 1, sizeof *olds);
	rc = run(&s, olds, happened, err);
	for (size_t i = 0; i < s.n; i++) {
		free(s.dirs[i].before.v);
		free(s.dirs[i].after.v);
		edit_dir_fini(&olds[i]);
	}
	for (size_t i = 0; i < s.n_names; i++)
		free(s.names[i]);
	free(s.names);
	free(s.dirs);
	free(olds);
	return rc;
}
