/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/show.h"
#include "ext4/ext4_edit_in.h"

#include <string.h>
#include <sys/stat.h>

#define READ_PIECE (1u << 20)
/*
 * Directories and links on the way of all paths that are looked for: some ten
 * for each, and a guest with 10,000 generations has a million. Links that
 * lead through links could else keep us for hours.
 */
#define STEPS_MAX (1u << 22)
/* Limit for the sum of all small files that are read: 10,000 generations have some 50 MB. */
#define READ_MAX (128u << 20)

/* ---- inodes --------------------------------------------------------------- */

enum ext4_ftype edit_type(const struct ext2_inode_large *in)
{
	switch (in->i_mode & S_IFMT) {
	case S_IFREG:
		return EXT4_FT_FILE;
	case S_IFDIR:
		return EXT4_FT_DIR;
	case S_IFLNK:
		return EXT4_FT_LINK;
	default:
		return 0;
	}
}

int edit_inode(struct ext4_edit *e, uint32_t ino, struct ext2_inode_large *out, struct err *err)
{
	errcode_t code;

	if (ino < EXT2_ROOT_INO || ino > e->fs->super->s_inodes_count)
		return err_set(err, ERR_FORMAT, "%s: invalid inode number %u; run e2fsck -f",
		               e->target->name, ino);
	memset(out, 0, sizeof *out);
	code = ext2fs_read_inode_full(e->fs, ino, (struct ext2_inode *)out, sizeof *out);
	if (code)
		return edit_error(e, "reading it", ino, code, err);
	if (!out->i_links_count)
		return err_set(err, ERR_FORMAT,
		               "%s: inode %u has a name but is not in use; run "
		               "e2fsck -f",
		               e->target->name, ino);
	return 0;
}

int edit_put_inode(struct ext4_edit *e, uint32_t ino, struct ext2_inode_large *in, struct err *err)
{
	errcode_t code = ext2fs_write_inode_full(e->fs, ino, (struct ext2_inode *)in, sizeof *in);

	return code ? edit_error(e, "writing it", ino, code, err) : 0;
}

void edit_touch(const struct ext4_edit *e, struct ext2_inode_large *in)
{
	uint32_t epoch = (uint32_t)((e->time - (int32_t)e->time) >> 32) & 3;

	in->i_ctime = (uint32_t)e->time;
	in->i_ctime_extra = epoch;
	if (in->i_mtime == in->i_ctime)
		in->i_mtime_extra = epoch;
}

static int64_t full_time(uint32_t seconds, uint32_t extra)
{
	return (int64_t)(int32_t)seconds + ((int64_t)(extra & 3) << 32);
}

int ext4_edit_stat(struct ext4_edit *e, uint32_t ino, struct ext4_stat *out, struct err *err)
{
	struct ext2_inode_large in;
	int rc = edit_inode(e, ino, &in, err);

	if (rc < 0)
		return rc;
	*out = (struct ext4_stat){
	        .type = edit_type(&in),
	        .mode = in.i_mode & 07777u,
	        .links = in.i_links_count,
	        .size = EXT2_I_SIZE(&in),
	        .disk_bytes = ext2fs_inode_i_blocks(e->fs, (struct ext2_inode *)&in) * 512,
	        .mtime = full_time(in.i_mtime, in.i_mtime_extra),
	};
	return 0;
}

/* ---- contents ------------------------------------------------------------- */

static int open_file(struct ext4_edit *e, uint32_t ino, enum ext4_ftype type, ext2_file_t *out,
                     uint64_t *size, struct err *err)
{
	struct ext2_inode_large in;
	errcode_t code;
	int rc = edit_inode(e, ino, &in, err);

	if (rc < 0)
		return rc;
	if (edit_type(&in) != type)
		return err_set(err, ERR_FORMAT, "%s: inode %u is not a %s", e->target->name, ino,
		               type == EXT4_FT_FILE ? "regular file" : "link");
	code = ext2fs_file_open(e->fs, ino, 0, out);
	if (code)
		return edit_error(e, "opening it", ino, code, err);
	*size = EXT2_I_SIZE(&in);
	return 0;
}

static void file_close(ext2_file_t *f)
{
	if (*f)
		ext2fs_file_close(*f);
}

static int read_all(struct ext4_edit *e, uint32_t ino, ext2_file_t f, uint64_t size,
                    struct buf *out, struct err *err)
{
	_free_ char *piece = xmalloc(READ_PIECE);

	while (size) {
		unsigned got = 0;
		errcode_t code =
		        ext2fs_file_read(f, piece, (unsigned)MIN(size, (uint64_t)READ_PIECE), &got);

		if (code)
			return edit_error(e, "reading it", ino, code, err);
		if (!got)
			return err_set(err, ERR_FORMAT, "%s: inode %u ends early", e->target->name,
			               ino);
		buf_put(out, piece, got);
		size -= got;
	}
	return 0;
}

int ext4_edit_read(struct ext4_edit *e, uint32_t ino, size_t limit, struct buf *out,
                   struct err *err)
{
	_cleanup_(file_close) ext2_file_t f = NULL;
	uint64_t size;
	int rc = open_file(e, ino, EXT4_FT_FILE, &f, &size, err);

	if (rc < 0)
		return rc;
	if (size > limit)
		return err_set(err, ERR_LIMIT,
		               "%s: inode %u has %llu bytes, more than the limit of %zu",
		               e->target->name, ino, (unsigned long long)size, limit);
	if (size > READ_MAX - e->read)
		return err_set(err, ERR_LIMIT, "%s: more than %u bytes of small files in all",
		               e->target->name, READ_MAX);
	e->read += size;
	return read_all(e, ino, f, size, out, err);
}

int ext4_edit_read_path(struct ext4_edit *e, const char *path, size_t limit, struct buf *out,
                        struct err *err)
{
	char shown[SHOW_SIZE];
	uint32_t ino;
	int rc = ext4_edit_find(e, path, true, &ino, err);

	if (rc == 0)
		rc = ext4_edit_read(e, ino, limit, out, err);
	return rc < 0 ? err_prefix(err, "%s", show_str(str_from(path), shown)) : 0;
}

/* A link target that is not stored in the inode's i_block. */
static int read_long_link(struct ext4_edit *e, uint32_t ino, struct ext2_inode *in, size_t size,
                          struct buf *out, struct err *err)
{
	uint8_t block[EXT4_BLOCK];
	size_t inside = 0;
	blk64_t phys = 0;
	errcode_t code;
	int rc;

	if (size > MIN(e->fs->blocksize, EXT4_BLOCK))
		return err_set(err, ERR_FORMAT,
		               "%s: inode %u is a symbolic link longer than a block",
		               e->target->name, ino);
	if (in->i_flags & EXT4_INLINE_DATA_FL) {
		code = ext2fs_inline_data_size(e->fs, ino, &inside);
		if (!code && (inside < size || inside > sizeof block))
			code = EXT2_ET_INLINE_DATA_CANT_ITERATE;
		if (!code)
			code = ext2fs_inline_data_get(e->fs, ino, in, block, &inside);
		if (code)
			return edit_error(e, "reading the link", ino, code, err);
		buf_put(out, block, size);
		return 0;
	}
	code = ext2fs_bmap2(e->fs, ino, in, NULL, 0, 0, NULL, &phys);
	if (code || !phys)
		return edit_error(e, "reading the link", ino, code ? code : EXT2_ET_BAD_BLOCK_NUM,
		                  err);
	rc = ext4_overlay_read(e->overlay, block, size, phys * e->fs->blocksize, err);
	if (rc == 0)
		buf_put(out, block, size);
	return rc;
}

int ext4_edit_readlink(struct ext4_edit *e, uint32_t ino, struct buf *out, struct err *err)
{
	struct ext2_inode_large in;
	size_t at = out->n;
	int rc = edit_inode(e, ino, &in, err);
	uint64_t size;

	if (rc < 0)
		return rc;
	size = EXT2_I_SIZE(&in);
	if (edit_type(&in) != EXT4_FT_LINK || !size || size > WALK_TARGET_MAX)
		return err_set(err, ERR_FORMAT,
		               "%s: inode %u is not a symbolic link of 1 to %d bytes",
		               e->target->name, ino, WALK_TARGET_MAX);
	if (ext2fs_is_fast_symlink((struct ext2_inode *)&in)) {
		if (size >= sizeof in.i_block)
			return err_set(err, ERR_FORMAT, "%s: inode %u is an invalid symbolic link",
			               e->target->name, ino);
		buf_put(out, in.i_block, (size_t)size);
	} else {
		rc = read_long_link(e, ino, (struct ext2_inode *)&in, (size_t)size, out, err);
		if (rc < 0)
			return rc;
	}
	if (memchr(out->p + at, 0, out->n - at))
		return err_set(err, ERR_FORMAT, "%s: inode %u is a symbolic link with a NUL",
		               e->target->name, ino);
	return 0;
}

/* ---- a file as a walk ----------------------------------------------------- */

struct file_walk {
	struct walk walk;
	struct ext4_edit *e;
	uint32_t ino, mode;
	ext2_file_t file;
	uint64_t size;
	bool begun;
};

static int file_next(struct walk *w, struct walk_entry *ent, struct err *err)
{
	struct file_walk *fw = (struct file_walk *)w;

	(void)err;
	if (fw->begun)
		return 1;
	fw->begun = true;
	*ent = (struct walk_entry){
	        .kind = WALK_FILE, .size = fw->size, .mode = fw->mode, .mtime = fw->e->time};
	return 0;
}

static int file_read(struct walk *w, void *p, size_t n, size_t *got, struct err *err)
{
	struct file_walk *fw = (struct file_walk *)w;
	size_t done = 0;

	while (done < n) {
		unsigned m = 0;
		errcode_t code = ext2fs_file_read(fw->file, (char *)p + done,
		                                  (unsigned)MIN(n - done, (size_t)READ_PIECE), &m);

		if (code)
			return edit_error(fw->e, "reading it", fw->ino, code, err);
		if (!m)
			break;
		done += m;
	}
	*got = done;
	return 0;
}

static void file_free(struct walk *w)
{
	struct file_walk *fw = (struct file_walk *)w;

	ext2fs_file_close(fw->file);
	free(fw);
}

int ext4_edit_walk(struct ext4_edit *e, uint32_t ino, uint32_t mode, struct walk **out,
                   struct err *err)
{
	static const struct walk_ops ops = {
	        .next = file_next, .read = file_read, .free = file_free};
	struct file_walk *fw;
	ext2_file_t f;
	uint64_t size;
	int rc = open_file(e, ino, EXT4_FT_FILE, &f, &size, err);

	if (rc < 0)
		return rc;
	fw = xcalloc(1, sizeof *fw);
	*fw = (struct file_walk){
	        .walk = {&ops}, .e = e, .ino = ino, .mode = mode, .file = f, .size = size};
	*out = &fw->walk;
	return 0;
}

/* ---- paths ---------------------------------------------------------------- */

/* A path while it is resolved: the directories so far, and the rest of the path. */
struct way {
	struct ext4_edit *e;
	uint32_t *stack; /* the directories, beginning with the root */
	size_t depth, cap;
	struct buf real; /* names since the root, each after a slash */
	struct buf rest;
	unsigned links;
};

static void go_up(struct way *w)
{
	if (w->depth == 1)
		return;
	w->depth--;
	while (w->real.n && w->real.p[--w->real.n] != '/')
		;
	w->real.p[w->real.n] = 0;
}

static void go_down(struct way *w, uint32_t ino, struct str name)
{
	GROW(w->stack, w->depth, w->cap);
	w->stack[w->depth++] = ino;
	buf_putf(&w->real, "/%.*s", STR_ARG(name));
}

/* Put a link's target before the rest of the path. */
static int follow_link(struct way *w, uint32_t ino, struct str rest, struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	int rc;

	if (++w->links > EXT4_EDIT_LINKS_MAX)
		return err_set(err, ERR_FORMAT, "more than %d symbolic links", EXT4_EDIT_LINKS_MAX);
	rc = ext4_edit_readlink(w->e, ino, &path, err);
	if (rc < 0)
		return rc;
	if (path.p[0] == '/') {
		w->depth = 1;
		buf_reset(&w->real);
	}
	buf_puts(&path, "/");
	buf_put(&path, rest.p, rest.n);
	if (path.n > EXT4_EDIT_PATH_MAX)
		return err_set(err, ERR_LIMIT,
		               "longer than %d bytes after symbolic links are followed",
		               EXT4_EDIT_PATH_MAX);
	buf_reset(&w->rest);
	buf_put(&w->rest, path.p, path.n);
	return 0;
}

static int one_step(struct way *w, bool follow, struct err *err)
{
	_free_ char *all = xstrndup(w->rest.p, w->rest.n);
	struct str rest = str_from(all), name = str_cut(&rest, '/');
	_free_ char *copy = xstrndup(name.p, name.n);
	struct ext4_entry ent;
	struct ext4_stat st;
	int rc;

	if (w->e->steps++ >= STEPS_MAX)
		return err_set(err, ERR_LIMIT, "%s: more than %u path components to follow",
		               w->e->target->name, STEPS_MAX);
	buf_reset(&w->rest);
	if (rest.p)
		buf_put(&w->rest, rest.p, rest.n);
	if (!name.n || str_is(name, "."))
		return 0;
	if (str_is(name, "..")) {
		go_up(w);
		return 0;
	}
	rc = ext4_edit_lookup(w->e, w->stack[w->depth - 1], copy, &ent, err);
	if (rc == 0)
		rc = ext4_edit_stat(w->e, ent.ino, &st, err);
	if (rc < 0)
		return rc;
	if (st.type == EXT4_FT_LINK && (follow || w->rest.n))
		return follow_link(w, ent.ino, buf_str(&w->rest), err);
	go_down(w, ent.ino, name);
	return 0;
}

static int find(struct ext4_edit *e, const char *path, bool follow, uint32_t *ino, char **real,
                struct err *err)
{
	struct way w = {.e = e};
	char shown[SHOW_SIZE];
	int rc = 0;

	GROW(w.stack, w.depth, w.cap);
	w.stack[w.depth++] = EXT2_ROOT_INO;
	buf_puts(&w.real, "");
	buf_puts(&w.rest, path);
	while (w.rest.n && rc == 0)
		rc = one_step(&w, follow, err);
	if (rc == 0) {
		*ino = w.stack[w.depth - 1];
		if (real)
			*real = w.real.n ? xstrndup(w.real.p, w.real.n) : xstrdup("/");
	} else {
		err_prefix(err, "%s", show_str(str_from(path), shown));
	}
	free(w.stack);
	buf_fini(&w.real);
	buf_fini(&w.rest);
	return rc;
}

int ext4_edit_find(struct ext4_edit *e, const char *path, bool follow, uint32_t *ino,
                   struct err *err)
{
	return find(e, path, follow, ino, NULL, err);
}

int ext4_edit_resolve(struct ext4_edit *e, const char *path, uint32_t *ino, char **real,
                      struct err *err)
{
	return find(e, path, true, ino, real, err);
}
