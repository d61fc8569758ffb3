/* SPDX-License-Identifier: MIT */
#include "nixos/guest_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/u32_map.h"
#include "fs/fs_walk.h"

/* The limits of ext4_edit_read.c and ext4_edit_dir.c. */
#define READ_MAX (128u << 20)
#define PLACES_MAX (1u << 22)
/* A file of this size is asked how much of it is on the disk. */
#define SPARSE_MIN (1u << 20)

/* A directory's entries, with the numbers of the files. */
struct listing {
	struct ext4_entry *v; /* names are the file system's own */
	size_t n;
};

struct guest_view {
	struct fs *fs;
	struct fs_place *places; /* number 1 is the first */
	size_t n, cap;
	uint32_t *slots;       /* a hash table of numbers; 0: empty */
	size_t n_slots;        /* a power of two */
	struct u32_map listed; /* number of a directory: which listing it has */
	struct listing *lists;
	size_t n_lists, lists_cap;
	uint64_t read; /* bytes of small files */
};

struct guest_view *guest_view_new(struct fs *view)
{
	struct guest_view *v = xcalloc(1, sizeof *v);

	v->fs = view;
	v->n_slots = 1024;
	v->slots = xcalloc(v->n_slots, sizeof *v->slots);
	return v;
}

void guest_view_free(struct guest_view *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n_lists; i++)
		free(v->lists[i].v);
	free(v->lists);
	u32_map_fini(&v->listed);
	free(v->places);
	free(v->slots);
	free(v);
}

/* ---- numbers of files ----------------------------------------------------- */

static bool same(const struct fs_place *a, const struct fs_place *b)
{
	return a->fs == b->fs && a->node == b->node && a->point == b->point;
}

static uint32_t *slot_of(const struct guest_view *v, const struct fs_place *at)
{
	uint64_t h =
	        (at->node ^ (uintptr_t)at->fs << 7 ^ (uintptr_t)at->point) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(h >> 32) & (v->n_slots - 1);

	while (v->slots[i] && !same(&v->places[v->slots[i] - 1], at))
		i = (i + 1) & (v->n_slots - 1);
	return &v->slots[i];
}

static void grow_slots(struct guest_view *v)
{
	free(v->slots);
	v->n_slots *= 2;
	v->slots = xcalloc(v->n_slots, sizeof *v->slots);
	for (size_t i = 0; i < v->n; i++)
		*slot_of(v, &v->places[i]) = (uint32_t)i + 1;
}

static int number_of(struct guest_view *v, const struct fs_place *at, uint32_t *ino,
                     struct err *err)
{
	uint32_t *slot = slot_of(v, at);

	if (!*slot && v->n == PLACES_MAX)
		return err_set(err, ERR_LIMIT, "more than %u files to look at", PLACES_MAX);
	if (!*slot) {
		GROW(v->places, v->n, v->cap);
		v->places[v->n++] = *at;
		*slot = (uint32_t)v->n;
	}
	*ino = *slot;
	if (v->n * 2 > v->n_slots)
		grow_slots(v);
	return 0;
}

static const struct fs_place *place(const struct guest_view *v, uint32_t ino)
{
	return &v->places[ino - 1];
}

/* ---- what guest_fs.h asks for --------------------------------------------- */

int guest_view_find(struct guest_view *v, const char *path, bool follow, uint32_t *ino,
                    struct err *err)
{
	struct fs_place at;
	int rc = fs_find(v->fs, str_from(path), follow, &at, err);

	return rc < 0 ? rc : number_of(v, &at, ino, err);
}

int guest_view_resolve(struct guest_view *v, const char *path, uint32_t *ino, char **real,
                       struct err *err)
{
	_free_ char *found = NULL;
	struct fs_place at;
	int rc = fs_find_real(v->fs, str_from(path), &at, &found, err);

	if (rc == 0)
		rc = number_of(v, &at, ino, err);
	if (rc == 0)
		*real = take(&found);
	return rc;
}

/* Bytes that a file takes, so that what is mostly a hole is known; a small one: its size. */
static int disk_bytes(const struct fs_place *at, uint64_t size, uint64_t *out, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *f = NULL;
	int rc;

	*out = size;
	if (size < SPARSE_MIN)
		return 0;
	rc = fs_place_open(at, &f, err);
	if (rc == 0)
		*out = fs_file_stored(f, 1);
	return rc;
}

int guest_view_stat(struct guest_view *v, uint32_t ino, struct ext4_stat *out, struct err *err)
{
	static const enum ext4_ftype types[] = {[FS_FILE] = EXT4_FT_FILE,
	                                        [FS_DIR] = EXT4_FT_DIR,
	                                        [FS_LINK] = EXT4_FT_LINK,
	                                        [FS_OTHER] = 0};
	struct fs_stat st;
	int rc = fs_place_stat(place(v, ino), &st, err);

	if (rc < 0)
		return rc;
	*out = (struct ext4_stat){.type = types[st.kind],
	                          .mode = st.mode,
	                          .links = st.links,
	                          .size = st.size,
	                          .mtime = st.mtime};
	return st.kind == FS_FILE ? disk_bytes(place(v, ino), st.size, &out->disk_bytes, err) : 0;
}

int guest_view_readlink(struct guest_view *v, uint32_t ino, struct buf *out, struct err *err)
{
	size_t at = out->n;
	int rc = fs_place_readlink(place(v, ino), out, err);

	if (rc < 0)
		return rc;
	if (out->n == at || out->n - at > WALK_TARGET_MAX || memchr(out->p + at, 0, out->n - at))
		return err_set(err, ERR_FORMAT,
		               "not a symbolic link of 1 to %d bytes without a NUL",
		               WALK_TARGET_MAX);
	return 0;
}

int guest_view_read(struct guest_view *v, uint32_t ino, size_t limit, struct buf *out,
                    struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *f = NULL;
	uint64_t size;
	size_t got;
	int rc = fs_place_open(place(v, ino), &f, err);

	if (rc < 0)
		return rc;
	size = fs_file_size(f);
	if (size > limit)
		return err_set(err, ERR_LIMIT, "%llu bytes, more than the limit of %zu",
		               (unsigned long long)size, limit);
	if (size > READ_MAX - v->read)
		return err_set(err, ERR_LIMIT, "more than %u bytes of small files in all",
		               READ_MAX);
	v->read += size;
	return fs_file_read(f, buf_zeros(out, (size_t)size), (size_t)size, 0, &got, err);
}

int guest_view_walk(struct guest_view *v, uint32_t ino, struct walk **out, struct err *err)
{
	return fs_walk_at(place(v, ino), out, err);
}

int guest_view_list(struct guest_view *v, uint32_t dir, const struct ext4_entry **out, size_t *n,
                    struct err *err)
{
	struct fs_place at = *place(v, dir), file;
	struct listing l = {.v = NULL};
	const struct fs_name *names;
	uint32_t which;
	int rc = 0;

	if (!u32_map_get(&v->listed, dir, &which)) {
		rc = fs_place_names(&at, &names, &l.n, err);
		l.v = rc < 0 ? NULL : xcalloc(l.n + 1, sizeof *l.v);
		for (size_t i = 0; rc == 0 && i < l.n; i++) {
			file = (struct fs_place){.fs = at.fs, .node = names[i].node};
			l.v[i].name = names[i].name;
			rc = number_of(v, &file, &l.v[i].ino, err);
		}
		if (rc < 0) {
			free(l.v);
			return rc;
		}
		which = (uint32_t)v->n_lists;
		GROW(v->lists, v->n_lists, v->lists_cap);
		v->lists[v->n_lists++] = l;
		u32_map_put(&v->listed, dir, which);
	}
	*out = v->lists[which].v;
	*n = v->lists[which].n;
	return 0;
}
