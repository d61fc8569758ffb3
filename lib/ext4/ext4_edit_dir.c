/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ext4/ext4_dir.h"
#include "ext4/ext4_edit_in.h"
#include "ext4/ext4_piece.h"

#include <stdlib.h>
#include <string.h>

/* Directories in memory at the same time, and names in them. */
#define DIRS_MAX 65536u
#define ENTRIES_MAX (2 * EXT4_EDIT_ENTRIES_MAX)

/* ---- reading -------------------------------------------------------------- */

void edit_dir_fini(struct edit_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].name);
	free(d->v);
	*d = (struct edit_dir){0};
}

struct reading {
	struct ext4_edit *e;
	struct edit_dir *d;
	const char *bad; /* the rule that is broken */
	bool inside; /* in the inode; there libext2fs does not report which entries are "." and ".."
	              */
};

static const char *entry_fault(const struct reading *r, struct str name, uint32_t ino)
{
	if (!walk_name_valid(name))
		return "an invalid name";
	if (ino > r->e->fs->super->s_inodes_count)
		return "an inode number larger than the number of inodes";
	if (r->d->n >= EXT4_EDIT_ENTRIES_MAX)
		return "too many entries";
	return NULL;
}

static int take_entry(ext2_ino_t dir, int where, struct ext2_dir_entry *de, int offset, int size,
                      char *buf, void *arg)
{
	struct reading *r = arg;
	struct edit_dir *d = r->d;
	struct str name = {de->name, (size_t)ext2fs_dirent_name_len(de)};

	(void)dir;
	(void)offset;
	(void)size;
	(void)buf;
	if (r->inside ? str_is(name, ".") : where == DIRENT_DOT_FILE)
		return 0;
	if (r->inside ? str_is(name, "..") : where == DIRENT_DOT_DOT_FILE) {
		d->parent = de->inode;
		return 0;
	}
	r->bad = entry_fault(r, name, de->inode);
	if (r->bad)
		return DIRENT_ABORT;
	GROW(d->v, d->n, d->cap);
	d->v[d->n++] = (struct ext4_entry){
	        .name = xstrndup(name.p, name.n),
	        .ino = de->inode,
	        .type = (uint8_t)ext2fs_dirent_file_type(de),
	};
	return 0;
}

/* Without filetype in the entries, read the types from the inodes. */
static int read_types(struct ext4_edit *e, struct edit_dir *d, struct err *err)
{
	struct ext2_inode_large in;
	int rc = 0;

	for (size_t i = 0; i < d->n && rc == 0; i++) {
		rc = edit_inode(e, d->v[i].ino, &in, err);
		d->v[i].type = (uint8_t)edit_type(&in);
	}
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ext4_entry *)a)->name, ((const struct ext4_entry *)b)->name);
}

static int check_dir(const struct ext4_edit *e, const struct edit_dir *d, struct err *err)
{
	if (!d->parent || d->parent > e->fs->super->s_inodes_count)
		return err_set(err, ERR_FORMAT, "%s: directory %u has no '..'; run e2fsck -f",
		               e->target->name, d->ino);
	for (size_t i = 1; i < d->n; i++)
		if (by_name(&d->v[i - 1], &d->v[i]) == 0)
			return err_set(err, ERR_FORMAT,
			               "%s: directory %u has a duplicate name; run e2fsck -f",
			               e->target->name, d->ino);
	return 0;
}

int edit_dir_read(struct ext4_edit *e, uint32_t ino, struct edit_dir *out, struct err *err)
{
	struct edit_dir d = {.ino = ino};
	struct reading r = {.e = e, .d = &d};
	struct ext2_inode_large in;
	errcode_t code;
	int rc = edit_inode(e, ino, &in, err);

	if (rc < 0)
		return rc;
	if (edit_type(&in) != EXT4_FT_DIR)
		return err_set(err, ERR_NOENT, "%s: inode %u is not a directory", e->target->name,
		               ino);
	r.inside = in.i_flags & EXT4_INLINE_DATA_FL;
	code = ext2fs_dir_iterate2(e->fs, ino, 0, NULL, take_entry, &r);
	if (code)
		rc = edit_error(e, "reading the directory", ino, code, err);
	else if (r.bad)
		rc = err_set(err, ERR_FORMAT, "%s: directory %u has %s", e->target->name, ino,
		             r.bad);
	if (rc == 0 && !e->ids.types)
		rc = read_types(e, &d, err);
	if (rc == 0 && d.n)
		qsort(d.v, d.n, sizeof *d.v, by_name);
	if (rc == 0)
		rc = check_dir(e, &d, err);
	if (rc < 0) {
		edit_dir_fini(&d);
		return rc;
	}
	*out = d;
	return 0;
}

int edit_dir_get(struct ext4_edit *e, uint32_t ino, struct edit_dir **out, struct err *err)
{
	struct edit_dir d;
	uint32_t at;
	int rc;

	if (u32_map_get(&e->dir_of, ino, &at) && !e->dirs[at]->gone) {
		*out = e->dirs[at];
		return 0;
	}
	if (e->n_dirs >= DIRS_MAX)
		return err_set(err, ERR_LIMIT, "%s: more than %u directories to read",
		               e->target->name, DIRS_MAX);
	rc = edit_dir_read(e, ino, &d, err);
	if (rc < 0)
		return rc;
	if (d.n > ENTRIES_MAX - e->n_entries) {
		edit_dir_fini(&d);
		return err_set(err, ERR_LIMIT, "%s: more than %u names to read", e->target->name,
		               ENTRIES_MAX);
	}
	e->n_entries += d.n;
	u32_map_put(&e->dir_of, ino, (uint32_t)e->n_dirs);
	GROW(e->dirs, e->n_dirs, e->dir_cap);
	*out = e->dirs[e->n_dirs++] = xmalloc(sizeof d);
	**out = d;
	return 0;
}

static struct str name_of(const void *entry)
{
	return str_from(((const struct ext4_entry *)entry)->name);
}

size_t edit_dir_find(const struct edit_dir *d, const char *name, bool *found)
{
	return str_place(d->v, d->n, sizeof *d->v, name_of, str_from(name), found);
}

int ext4_edit_list(struct ext4_edit *e, uint32_t dir, const struct ext4_entry **out, size_t *n,
                   struct err *err)
{
	struct edit_dir *d;
	int rc = edit_dir_get(e, dir, &d, err);

	if (rc < 0)
		return rc;
	*out = d->v;
	*n = d->n;
	return 0;
}

int ext4_edit_lookup(struct ext4_edit *e, uint32_t dir, const char *name, struct ext4_entry *out,
                     struct err *err)
{
	struct edit_dir *d;
	bool found;
	int rc = edit_dir_get(e, dir, &d, err);
	size_t i;

	if (rc < 0)
		return rc;
	i = edit_dir_find(d, name, &found);
	if (!found)
		return err_set(err, ERR_NOENT, "%s: '%s' not found", e->target->name, name);
	*out = d->v[i];
	return 0;
}

/* ---- changing ------------------------------------------------------------- */

void edit_dir_drop(struct edit_dir *d, size_t i)
{
	d->subdirs -= d->v[i].type == EXT4_FT_DIR;
	free(d->v[i].name);
	memmove(d->v + i, d->v + i + 1, (d->n - i - 1) * sizeof *d->v);
	d->n--;
	d->changed = true;
}

int ext4_edit_link(struct ext4_edit *e, uint32_t dir, const char *name,
                   const struct ext4_object *obj, struct err *err)
{
	struct edit_dir *d;
	bool found;
	size_t i;
	int rc = edit_dir_get(e, dir, &d, err);

	if (rc < 0)
		return rc;
	i = edit_dir_find(d, name, &found);
	if (found) {
		rc = ext4_edit_remove(e, dir, name, NULL, err);
		if (rc < 0)
			return rc;
	}
	GROW(d->v, d->n, d->cap);
	memmove(d->v + i + 1, d->v + i, (d->n - i) * sizeof *d->v);
	d->v[i] = (struct ext4_entry){
	        .name = xstrdup(name), .ino = obj->ino, .type = (uint8_t)obj->type};
	d->n++;
	d->subdirs += obj->type == EXT4_FT_DIR;
	d->changed = true;
	return 0;
}

int ext4_edit_rename(struct ext4_edit *e, uint32_t dir, const char *from, const char *to,
                     struct err *err)
{
	struct ext4_entry ent;
	struct edit_dir *d;
	bool found;
	size_t i, k;
	int rc = edit_dir_get(e, dir, &d, err);

	if (rc < 0)
		return rc;
	k = edit_dir_find(d, to, &found);
	if (!walk_name_valid(str_from(to)))
		return err_set(err, ERR_LIMIT, "%s: '%s' cannot be a name", e->target->name, to);
	if (found)
		return err_set(err, ERR_EXISTS, "%s: '%s' already exists", e->target->name, to);
	i = edit_dir_find(d, from, &found);
	if (!found)
		return err_set(err, ERR_NOENT, "%s: '%s' not found", e->target->name, from);
	ent = d->v[i];
	free(ent.name);
	ent.name = xstrdup(to);
	k -= k > i;
	memmove(d->v + i, d->v + i + 1, (d->n - i - 1) * sizeof *d->v);
	memmove(d->v + k + 1, d->v + k, (d->n - 1 - k) * sizeof *d->v);
	d->v[k] = ent;
	d->changed = true;
	return 0;
}

int ext4_edit_remove(struct ext4_edit *e, uint32_t dir, const char *name, uint64_t *bytes,
                     struct err *err)
{
	uint64_t ignored = 0;
	struct edit_dir *d;
	bool found;
	size_t i;
	int rc = edit_dir_get(e, dir, &d, err);

	if (rc < 0)
		return rc;
	i = edit_dir_find(d, name, &found);
	if (!found)
		return err_set(err, ERR_NOENT, "%s: '%s' not found", e->target->name, name);
	rc = edit_release(e, d->v[i].ino, bytes ? bytes : &ignored, 0, err);
	if (rc < 0)
		return rc;
	edit_dir_drop(d, i);
	return 0;
}

/* ---- writing -------------------------------------------------------------- */

/* A directory's new blocks, which nothing refers to yet, and their map. */
static int write_blocks(struct ext4_edit *e, const struct ext4_dir *pack, uint64_t blocks,
                        uint8_t map[60], uint64_t *total, struct err *err)
{
	struct ext4_stream *s = edit_stream(e);
	struct ext4_place from = e->next;
	int rc;

	ext4_stream_start(s, from.line, from.ino);
	rc = ext4_piece_dir(s, pack, blocks, map, total, err);
	if (rc == 0)
		rc = ext4_stream_flush(s, err);
	if (rc < 0)
		return rc;
	e->next.line = ext4_stream_line(s);
	ext4_edit_used(e, &from, e->next.line, e->next.ino);
	return 0;
}

static void set_links(struct ext2_inode_large *in, int64_t subdirs)
{
	int64_t links = in->i_links_count;

	/* dir_nlink: 1 means "too many to count". */
	if (links != 1)
		links += subdirs;
	in->i_links_count = links > 65000 || links < 2 ? 1 : (uint16_t)links;
}

int edit_dir_put(struct ext4_edit *e, struct edit_dir *d, struct err *err)
{
	_cleanup_(ext4_dir_fini) struct ext4_dir pack = {0};
	struct ext2_inode_large in;
	uint64_t blocks, total;
	uint8_t map[60];
	int rc = edit_inode(e, d->ino, &in, err);

	if (rc == 0)
		rc = edit_check_inode(e, d->ino, &in, err);
	if (rc < 0)
		return rc;
	pack.ino = d->ino;
	pack.parent = d->parent;
	pack.generation = in.i_generation;
	for (size_t i = 0; i < d->n; i++)
		ext4_dir_add(&pack, str_from(d->v[i].name), d->v[i].ino,
		             (enum ext4_ftype)d->v[i].type);
	rc = ext4_dir_pack(&pack, &e->ids, &blocks, err);
	if (rc == 0)
		rc = write_blocks(e, &pack, blocks, map, &total, err);
	if (rc == 0)
		rc = edit_release_blocks(e, d->ino, &in, err);
	if (rc < 0)
		return rc;
	memcpy(in.i_block, map, sizeof map);
	in.i_flags &= ~(uint32_t)(EXT4_EXTENTS_FL | EXT2_INDEX_FL);
	if (e->ids.extents)
		in.i_flags |= EXT4_EXTENTS_FL;
	if (e->ids.index && blocks > 1)
		in.i_flags |= EXT2_INDEX_FL;
	in.i_size = (uint32_t)(blocks * e->ids.block);
	in.i_size_high = 0;
	ext2fs_iblk_add_blocks(e->fs, (struct ext2_inode *)&in, total);
	set_links(&in, d->subdirs);
	d->subdirs = 0;
	in.i_mtime = (uint32_t)e->time;
	edit_touch(e, &in);
	return edit_put_inode(e, d->ino, &in, err);
}

int edit_dirs_write(struct ext4_edit *e, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < e->n_dirs && rc == 0; i++) {
		if (e->dirs[i]->gone || !e->dirs[i]->changed)
			continue;
		rc = edit_dir_put(e, e->dirs[i], err);
		e->dirs[i]->changed = false;
		e->dirs[i]->written = true;
	}
	return rc;
}
