/* SPDX-License-Identifier: MIT */
#include "base/walk_dir.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DENTS_SIZE 32768
/* Of one directory. */
#define NAMES_MAX (16u << 20)

struct name {
	uint32_t off; /* in frame.arena, NUL-terminated */
	uint16_t len;
	uint8_t type; /* DT_* */
};

struct frame {
	int fd;
	struct buf arena;
	struct name *names;
	size_t n, cap, next;
};

struct walk_dir {
	struct walk walk;
	int dirfd;
	char *path;
	unsigned flags;
	bool started;
	int noatime; /* O_NOATIME, until it is refused once */
	size_t depth;
	struct frame frames[WALK_DEPTH_MAX];
	char *dents;
	/* the current file */
	int fd;
	uint64_t left;
	char target[WALK_TARGET_MAX + 1];
};

static struct walk_dir *self_of(struct walk *w)
{
	return (struct walk_dir *)w;
}

/* The full path of a name in the innermost directory, for error texts. */
static char *path_of(const struct walk_dir *d, const char *name)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, d->path);
	for (size_t i = 0; i + 1 < d->depth; i++) {
		const struct frame *f = &d->frames[i];

		buf_putf(&b, "/%s", f->arena.p + f->names[f->next - 1].off);
	}
	if (d->depth && name)
		buf_putf(&b, "/%s", name);
	return buf_steal(&b);
}

static int fail(const struct walk_dir *d, const char *name, const char *what, struct err *err)
{
	int saved = errno;
	_free_ char *path = path_of(d, name);

	return err_sys(err, saved, "%s: %s", path, what);
}

static _Thread_local const struct frame *sort_frame;

static int by_name(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(sort_frame->arena.p + x->off, sort_frame->arena.p + y->off);
}

static void add_name(struct frame *f, const struct dirent64 *de)
{
	size_t len = strlen(de->d_name);

	if (de->d_name[0] == '.' && (len == 1 || (len == 2 && de->d_name[1] == '.')))
		return;
	GROW(f->names, f->n, f->cap);
	f->names[f->n++] = (struct name){
	        .off = (uint32_t)f->arena.n, .len = (uint16_t)len, .type = de->d_type};
	buf_put(&f->arena, de->d_name, len + 1);
}

static int read_names(struct walk_dir *d, struct frame *f, const char *name, struct err *err)
{
	ssize_t got;

	f->n = f->next = 0;
	buf_reset(&f->arena);
	if (!d->dents)
		d->dents = xmalloc(DENTS_SIZE);
	while ((got = getdents64(f->fd, d->dents, DENTS_SIZE)) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *de = (const void *)(d->dents + at);

			add_name(f, de);
			at += de->d_reclen;
		}
		if (f->n > NAMES_MAX || f->arena.n > UINT32_MAX / 2)
			return err_set(err, ERR_LIMIT, "%s: directory with more than %u entries",
			               d->path, NAMES_MAX);
	}
	if (got < 0)
		return fail(d, name, "reading the directory", err);
	sort_frame = f;
	if (f->n > 1)
		qsort(f->names, f->n, sizeof *f->names, by_name);
	return 0;
}

static int enter(struct walk_dir *d, int at, const char *name, struct err *err)
{
	struct frame *f;
	int rc;

	if (d->depth == WALK_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "%s: directories nested deeper than %d", d->path,
		               WALK_DEPTH_MAX);
	f = &d->frames[d->depth];
	f->fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (f->fd < 0)
		return fail(d, name, "open", err);
	rc = read_names(d, f, name, err);
	if (rc < 0) {
		io_close(&f->fd);
		return rc;
	}
	d->depth++;
	return 0;
}

static int open_file(struct walk_dir *d, int at, const char *name, struct err *err)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	d->fd = openat(at, name, flags | d->noatime);
	if (d->fd < 0 && errno == EPERM && d->noatime) {
		d->noatime = 0; /* not the owner */
		d->fd = openat(at, name, flags);
	}
	if (d->fd < 0)
		return fail(d, name, "open", err);
	return 0;
}

static void set_meta(const struct walk_dir *d, const struct stat *st, struct walk_entry *ent)
{
	bool link = ent->kind == WALK_LINK;

	if (d->flags & WALK_DIR_CANONICAL) {
		bool x = ent->kind == WALK_DIR ||
		         (ent->kind == WALK_FILE && (st->st_mode & S_IXUSR));

		ent->mode = link ? 0777 : x ? 0555 : 0444;
		ent->uid = ent->gid = 0;
		ent->mtime = 1;
		return;
	}
	ent->mode = link ? 0777 : st->st_mode & 07777;
	ent->uid = st->st_uid;
	ent->gid = st->st_gid;
	ent->mtime = st->st_mtime;
}

static int visit_file(struct walk_dir *d, int at, const char *name, struct walk_entry *ent,
                      struct err *err)
{
	bool stat_only = d->flags & WALK_DIR_STAT;
	struct stat st;
	int rc;

	if (stat_only) {
		if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return fail(d, name, "stat", err);
	} else {
		rc = open_file(d, at, name, err);
		if (rc < 0)
			return rc;
		if (fstat(d->fd, &st) < 0)
			return fail(d, name, "stat", err);
	}
	if (!S_ISREG(st.st_mode)) {
		_free_ char *path = path_of(d, name);

		return err_set(err, ERR_MISMATCH, "%s: changed its type while it was read", path);
	}
	ent->kind = WALK_FILE;
	ent->size = d->left = (uint64_t)st.st_size;
	set_meta(d, &st, ent);
	return 0;
}

static int visit_link(struct walk_dir *d, int at, const char *name, struct walk_entry *ent,
                      struct err *err)
{
	ssize_t n = readlinkat(at, name, d->target, sizeof d->target);
	struct stat st = {0};

	if (n < 0)
		return fail(d, name, "readlink", err);
	if (n == 0 || n > WALK_TARGET_MAX) {
		_free_ char *path = path_of(d, name);

		return err_set(err, ERR_LIMIT,
		               "%s: symbolic link target of %zd bytes, expected 1 to %d", path, n,
		               WALK_TARGET_MAX);
	}
	if (!(d->flags & WALK_DIR_CANONICAL) && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(d, name, "stat", err);
	ent->kind = WALK_LINK;
	ent->target = (struct str){d->target, (size_t)n};
	set_meta(d, &st, ent);
	return 0;
}

static int visit_dir(struct walk_dir *d, int at, const char *name, struct walk_entry *ent,
                     struct err *err)
{
	struct stat st = {0};
	int rc = enter(d, at, name, err);

	if (rc < 0)
		return rc;
	if (!(d->flags & WALK_DIR_CANONICAL) && fstat(d->frames[d->depth - 1].fd, &st) < 0)
		return fail(d, name, "stat", err);
	ent->kind = WALK_DIR;
	set_meta(d, &st, ent);
	return 0;
}

static int visit(struct walk_dir *d, int at, const char *name, unsigned type,
                 struct walk_entry *ent, struct err *err)
{
	struct stat st;

	if (type == DT_UNKNOWN) {
		if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return fail(d, name, "stat", err);
		type = IFTODT(st.st_mode);
	}
	switch (type) {
	case DT_REG:
		return visit_file(d, at, name, ent, err);
	case DT_LNK:
		return visit_link(d, at, name, ent, err);
	case DT_DIR:
		return visit_dir(d, at, name, ent, err);
	default: {
		_free_ char *path = path_of(d, name);

		return err_set(err, ERR_FORMAT,
		               "%s: neither a regular file, a directory nor a symbolic link", path);
	}
	}
}

static int dir_next(struct walk *w, struct walk_entry *ent, struct err *err)
{
	struct walk_dir *d = self_of(w);
	struct frame *f;
	struct name *nm;

	io_close(&d->fd);
	*ent = (struct walk_entry){.name = {"", 0}};
	if (!d->started) {
		d->started = true;
		return visit(d, d->dirfd, d->path, DT_UNKNOWN, ent, err);
	}
	if (!d->depth)
		return 1;
	f = &d->frames[d->depth - 1];
	if (f->next == f->n) {
		io_close(&f->fd);
		d->depth--;
		ent->kind = WALK_UP;
		return 0;
	}
	nm = &f->names[f->next++];
	ent->name = (struct str){f->arena.p + nm->off, nm->len};
	return visit(d, f->fd, ent->name.p, nm->type, ent, err);
}

static int changed(const struct walk_dir *d, const char *how, struct err *err)
{
	const struct frame *f = d->depth ? &d->frames[d->depth - 1] : NULL;
	_free_ char *path = path_of(d, f ? f->arena.p + f->names[f->next - 1].off : NULL);

	return err_set(err, ERR_MISMATCH, "%s: became %s while it was read", path, how);
}

/*
 * Asks for one byte more than is left if the buffer has room, so that a file that
 * has grown is noticed without another read(2).
 */
static int dir_read(struct walk *w, void *p, size_t n, size_t *got, struct err *err)
{
	struct walk_dir *d = self_of(w);
	size_t done = 0;

	while (done < n && d->left) {
		size_t ask = MIN((uint64_t)(n - done), d->left + 1);
		ssize_t r = read(d->fd, (char *)p + done, ask);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(err, errno, "%s: read", d->path);
		if (r == 0)
			return changed(d, "shorter", err);
		if ((uint64_t)r > d->left)
			return changed(d, "longer", err);
		done += (size_t)r;
		d->left -= (uint64_t)r;
	}
	*got = done;
	return 0;
}

static int dir_fd(struct walk *w)
{
	return self_of(w)->fd;
}

static int dir_skip(struct walk *w, uint64_t n, struct err *err)
{
	struct walk_dir *d = self_of(w);

	if (n > d->left)
		return changed(d, "shorter", err);
	if (lseek(d->fd, (off_t)n, SEEK_CUR) < 0)
		return err_sys(err, errno, "%s: seek", d->path);
	d->left -= n;
	return 0;
}

static void dir_free(struct walk *w)
{
	struct walk_dir *d = self_of(w);

	io_close(&d->fd);
	for (size_t i = 0; i < WALK_DEPTH_MAX; i++) {
		if (i < d->depth)
			io_close(&d->frames[i].fd);
		buf_fini(&d->frames[i].arena);
		free(d->frames[i].names);
	}
	free(d->dents);
	free(d->path);
	free(d);
}

static const struct walk_ops dir_ops = {
        .next = dir_next,
        .read = dir_read,
        .fd = dir_fd,
        .skip = dir_skip,
        .free = dir_free,
};

struct walk *walk_dir_new(int dirfd, const char *path, unsigned flags)
{
	struct walk_dir *d = xcalloc(1, sizeof *d);

	d->walk.ops = &dir_ops;
	d->dirfd = dirfd;
	d->path = xstrdup(path);
	d->flags = flags;
	d->noatime = O_NOATIME;
	d->fd = -1;
	return &d->walk;
}
