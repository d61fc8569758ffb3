/* SPDX-License-Identifier: MIT */
/*
 * Reading and changing an ext4 file system that is damaged, with right checksums.
 *
 *     input = le16 what to do (see "steps"), patches of ext_image.h
 *
 * Nothing outside the file system is written; what was changed in an undamaged one can be read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/walk_tree.h"
#include "ext4/ext4_edit.h"
#include "ext4/ext4_journal.h"
#include "ext_image.h"

#define NAMES_MAX 48 /* that are visited */
#define DEPTH_MAX 6
#define READ_MAX (64u << 10)
#define TEXT "what was written"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- reading -------------------------------------------------------------- */

struct tour {
	struct ext4_edit *e;
	unsigned names;
};

static void read_file(struct ext4_edit *e, uint32_t ino)
{
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	_cleanup_(walk_freep) struct walk *w = NULL;
	struct err err = ERR_INIT;
	struct walk_entry ent;
	char piece[5000];
	size_t got;

	(void)ext4_edit_read(e, ino, READ_MAX, &out, &err);
	if (ext4_edit_walk(e, ino, 0644, &w, &err) < 0 || walk_next(w, &ent, &err))
		return;
	for (unsigned i = 0; i < 4; i++)
		if (walk_read(w, piece, sizeof piece, &got, &err) < 0 || !got)
			break;
}

static void visit(struct tour *t, uint32_t ino, unsigned depth);

static void visit_dir(struct tour *t, uint32_t dir, unsigned depth)
{
	const struct ext4_entry *v;
	uint32_t inos[NAMES_MAX];
	struct err err = ERR_INIT;
	struct ext4_entry again;
	size_t n;

	if (ext4_edit_list(t->e, dir, &v, &n, &err) < 0)
		return;
	/* What ext4_edit_list() gives is found, too. */
	for (size_t i = 0; i < n; i++)
		if (ext4_edit_lookup(t->e, dir, v[i].name, &again, &err) < 0 ||
		    again.ino != v[i].ino)
			abort();
	n = MIN(n, (size_t)NAMES_MAX);
	for (size_t i = 0; i < n; i++)
		inos[i] = v[i].ino;
	for (size_t i = 0; i < n; i++)
		visit(t, inos[i], depth + 1);
}

static void visit(struct tour *t, uint32_t ino, unsigned depth)
{
	_cleanup_(buf_fini) struct buf target = BUF_INIT;
	struct err err = ERR_INIT;
	struct ext4_stat st;

	if (depth > DEPTH_MAX || ++t->names > 4 * NAMES_MAX ||
	    ext4_edit_stat(t->e, ino, &st, &err) < 0)
		return;
	if (st.type == EXT4_FT_DIR)
		visit_dir(t, ino, depth);
	if (st.type == EXT4_FT_LINK)
		(void)ext4_edit_readlink(t->e, ino, &target, &err);
	if (st.type == EXT4_FT_FILE)
		read_file(t->e, ino);
}

static void look(struct ext4_edit *e)
{
	static const char *const paths[] = {"/nix/var/profiles/system/file", "/long",
	                                    "/nix/store/../store/deep", "/nix/store/b"};
	struct tour t = {.e = e};
	struct err err = ERR_INIT;

	visit(&t, 2, 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		_cleanup_(buf_fini) struct buf out = BUF_INIT;
		_free_ char *real = NULL;
		uint32_t ino;

		(void)ext4_edit_read_path(e, paths[i], READ_MAX, &out, &err);
		(void)ext4_edit_resolve(e, paths[i], &ino, &real, &err);
	}
}

/* ---- changing ------------------------------------------------------------- */

static int add_tree(struct ext4_edit *e, struct err *err)
{
	_cleanup_(tree_freep) struct tree *t = tree_new(0555, 1);
	_cleanup_(walk_freep) struct walk *w = NULL;
	uint32_t dir;
	int rc = ext4_edit_mkdir(e, "/nix/store", 0755, &dir, err);

	for (unsigned i = 0; i < 100; i++) {
		_free_ char *path = xasprintf("/some/file-with-a-name-%u", i);

		tree_file(t, path, 0444, TEXT, i % 2 ? strlen(TEXT) : 0);
	}
	tree_link(t, "/link", "some/file");
	w = tree_walk(t);
	return rc < 0 ? rc : ext4_edit_add(e, dir, "c", w, err);
}

static int add_file(struct ext4_edit *e, struct err *err)
{
	uint32_t dir;
	int rc = ext4_edit_mkdir(e, "/new/dir", 0755, &dir, err);

	return rc < 0 ? rc : ext4_edit_add_file(e, dir, "file", 0644, STR(TEXT), err);
}

static int add_link(struct ext4_edit *e, struct err *err)
{
	uint32_t dir;
	int rc = ext4_edit_find(e, "/nix/var/profiles", true, &dir, err);

	return rc < 0 ? rc : ext4_edit_add_link(e, dir, "system", "system-2-link", err);
}

static int add_many(struct ext4_edit *e, struct err *err)
{
	uint32_t dir;
	int rc = ext4_edit_find(e, "/many", true, &dir, err);

	return rc < 0 ? rc : ext4_edit_add_file(e, dir, "one more", 0644, STR(TEXT), err);
}

static int drop(struct ext4_edit *e, const char *path, const char *name, struct err *err)
{
	uint64_t freed = 0;
	uint32_t dir;
	int rc = ext4_edit_find(e, path, true, &dir, err);

	if (rc == 0)
		rc = err_absent(ext4_edit_remove(e, dir, name, &freed, err));
	return rc < 0 ? rc : 0;
}

static int drop_tree(struct ext4_edit *e, struct err *err)
{
	return drop(e, "/nix/store", "a", err);
}

static int drop_deep(struct ext4_edit *e, struct err *err)
{
	return drop(e, "/nix/store", "deep", err);
}

static int drop_many(struct ext4_edit *e, struct err *err)
{
	return drop(e, "/", "many", err);
}

static int drop_long(struct ext4_edit *e, struct err *err)
{
	return drop(e, "/", "long", err);
}

static int sweep(struct ext4_edit *e, struct err *err)
{
	uint64_t freed = 0;
	uint32_t dir;
	int rc = ext4_edit_find(e, "/nix/store", true, &dir, err);

	return rc < 0 ? rc : ext4_edit_sweep(e, dir, &freed, err);
}

static int grow(struct ext4_edit *e, struct err *err)
{
	int rc = ext4_edit_grow(e, ext4_edit_bytes(e) + (4u << 20), err);

	return rc < 0 ? rc : 0;
}

static int look_before(struct ext4_edit *e, struct err *err)
{
	look(e);
	return 0;
}

static int rename_file(struct ext4_edit *e, struct err *err)
{
	uint32_t dir;
	int rc = ext4_edit_find(e, "/nix/var/profiles/system", true, &dir, err);

	return rc < 0 ? rc : ext4_edit_rename(e, dir, "file", "other file", err);
}

/* Bit i of the first number: whether step i is done. Growing comes before all other changes. */
static int (*const steps[])(struct ext4_edit *e, struct err *err) = {
        grow,      look_before, add_tree,  add_file, add_link,    add_many,    drop_tree,
        drop_deep, drop_many,   drop_long, sweep,    look_before, rename_file,
};
enum { STAGE = 1 << 14, LOOK_ONLY = 1 << 15 };

static int open_image(const struct ext_image *image, bool write, struct ext4_edit **out,
                      struct err *err)
{
	struct target *t = (struct target *)(uintptr_t)&image->target;
	enum ext4_left left;
	int rc = ext4_journal_recover(t, image->base, image->size, write, &left, err);

	if (rc < 0)
		return rc;
	return ext4_edit_open(&(struct ext4_edit_request){.target = t,
	                                                  .base = image->base,
	                                                  .size = image->size,
	                                                  .time = EXT_IMAGE_TIME + 1,
	                                                  .write = write},
	                      out, err);
}

/* As the guest's menu is evaluated before the commit. */
static int stage(const struct ext_image *image, struct ext4_edit *e, struct err *err)
{
	struct target *t = (struct target *)(uintptr_t)&image->target;
	size_t blocks, room;
	uint8_t block[4096];
	int rc = ext4_edit_weigh(e, &blocks, &room, err);

	if (rc == 0)
		rc = ext4_edit_stage(e, err);
	for (unsigned i = 0; i < 64 && rc == 0; i++) {
		uint64_t off = image->base + i * sizeof block;

		rc = target_read(t, block, sizeof block, off, err);
		if (rc == 0)
			ext4_edit_cover(e, block, sizeof block, off);
	}
	return rc;
}

/* 1: it was committed. */
static int change(const struct ext_image *image, unsigned what, struct err *err)
{
	_cleanup_(ext4_edit_freep) struct ext4_edit *e = NULL;
	bool happened;
	int rc = open_image(image, true, &e, err);

	for (size_t i = 0; i < ARRAY_LEN(steps) && rc >= 0; i++)
		if (what & 1u << i)
			rc = steps[i](e, err);
	if (rc >= 0 && (what & STAGE))
		rc = stage(image, e, err);
	if (rc >= 0)
		rc = ext4_edit_commit(e, &happened, err);
	return rc < 0 ? rc : 1;
}

/* Of an undamaged image. */
static void must_have(struct ext4_edit *e, const char *path, const char *want)
{
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (ext4_edit_read_path(e, path, READ_MAX, &out, &err) < 0 ||
	    !str_eq(buf_str(&out), str_from(want)))
		abort();
}

static void look_again(const struct ext_image *image, unsigned what, bool whole)
{
	_cleanup_(ext4_edit_freep) struct ext4_edit *e = NULL;
	struct err err = ERR_INIT;

	if (open_image(image, false, &e, &err) < 0) {
		if (whole)
			abort();
		return;
	}
	look(e);
	/* sweep takes away what has no other name, and a tree that is dropped has no file. */
	if (!whole || (what & LOOK_ONLY))
		return;
	if (what & 1 << 3)
		must_have(e, "/new/dir/file", TEXT);
	if ((what & 1 << 2) && !(what & 1 << 10))
		must_have(e, "/nix/store/c/some/file-with-a-name-1", TEXT);
	if ((what & 1 << 5) && !(what & 1 << 8))
		must_have(e, "/many/one more", TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ext_image *image;
	struct err err = ERR_INIT;
	unsigned what;
	bool whole = size < 8; /* no patch is so short */
	int rc = 0;

	if (size < 2)
		return 0;
	what = data[0] | (unsigned)data[1] << 8;
	image = ext_image_patch(data + 2, size - 2);
	if (!(what & LOOK_ONLY))
		rc = change(image, what, &err);
	if (whole && rc < 0)
		abort();
	look_again(image, what, whole);
	ext_image_check();
	return 0;
}
