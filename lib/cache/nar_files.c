/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "cache/nar_files.h"
#include "nix/derivation.h"
#include "nix/store_path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The paths that are read here, such as a kernel, have far fewer files. */
#define ENTRIES_MAX (1u << 20)
#define COPY_PIECE 65536u

/* A file, link or directory in a store path. */
struct entry {
	char *path; /* relative to the store path; "" is the store path itself */
	enum walk_kind kind;
	char *target;
	uint64_t at, size; /* of a file's contents in the NAR */
};

struct nar {
	int fd;                /* -1: not fetched */
	struct entry *entries; /* in byte order of path */
	size_t n, cap;
};

struct nar_files {
	struct store_files files;
	struct caches *caches;
	const struct closure *closure;
	const struct closure *have; /* not to be fetched; may be NULL */
	const char *dir;
	struct nar *nars; /* by number in the closure */
};

static void drop_index(struct nar *nar)
{
	for (size_t i = 0; i < nar->n; i++) {
		free(nar->entries[i].path);
		free(nar->entries[i].target);
	}
	free(nar->entries);
	nar->entries = NULL;
	nar->n = nar->cap = 0;
}

/* ---- fetching --------------------------------------------------------------- */

struct copying {
	struct nar_fetch *from;
	int to;
};

static int copy_read(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	struct copying *c = ctx;
	int rc = nar_fetch_read(c->from, p, n, got, err);

	if (rc < 0 || *got == 0)
		return rc;
	return io_write(c->to, "a temporary file", p, *got, err);
}

static int add_entry(struct nar *nar, const struct walk_entry *ent, const struct buf *path,
                     uint64_t at, struct err *err)
{
	if (nar->n == ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, "more than %u files", ENTRIES_MAX);
	GROW(nar->entries, nar->n, nar->cap);
	nar->entries[nar->n++] = (struct entry){
	        .path = xstrndup(buf_str(path).p, path->n),
	        .kind = ent->kind,
	        .target = ent->kind == WALK_LINK ? xstrndup(ent->target.p, ent->target.n) : NULL,
	        .at = at,
	        .size = ent->size,
	};
	return 0;
}

/* Append a name to a path: "a/b" becomes "a/b/c". */
static void descend(struct buf *path, struct str name)
{
	if (path->n)
		buf_puts(path, "/");
	buf_put(path, name.p, name.n);
}

static void ascend(struct buf *path)
{
	while (path->n && path->p[--path->n] != '/')
		;
	if (path->p)
		path->p[path->n] = '\0';
}

static int index_walk(struct nar *nar, struct walk *walk, struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct walk_entry ent;
	int rc;

	while ((rc = walk_next(walk, &ent, err)) == 0) {
		if (ent.kind == WALK_UP) {
			ascend(&path);
			continue;
		}
		descend(&path, ent.name);
		rc = add_entry(nar, &ent, &path, nar_walk_offset(walk), err);
		if (rc < 0)
			return rc;
		if (ent.kind != WALK_DIR)
			ascend(&path);
	}
	return rc < 0 ? rc : 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

/* last: the error for which it is fetched again, or NULL. */
static int fetch_once(struct nar_files *nf, size_t i, const struct err *last, struct nar *nar,
                      struct err *err)
{
	struct copying c = {.to = nar->fd};
	struct walk *walk;
	int rc = caches_fetch(nf->caches, i, last, &c.from, err);

	if (rc)
		return rc;
	if (last)
		caches_elsewhere(nf->caches, last);
	walk = nar_walk_new((struct nar_source){copy_read, &c});
	rc = index_walk(nar, walk, err);
	walk_free(walk);
	if (rc == -ERR_FORMAT)
		rc = nar_fetch_refused(c.from, err);
	nar_fetch_free(c.from);
	return rc;
}

static int fetch(struct nar_files *nf, size_t i, struct err *err)
{
	struct nar nar = {.fd = -1};
	struct err last = ERR_INIT;
	int rc = spool_open(nf->dir, &nar.fd, err), got;

	if (rc < 0)
		return rc;
	rc = fetch_once(nf, i, NULL, &nar, err);
	while (rc < 0 && rc != -ERR_INTERRUPTED && rc != -ERR_CHILD && rc != -ERR_SPACE) {
		last = *err;
		drop_index(&nar);
		if (lseek(nar.fd, 0, SEEK_SET) < 0 || ftruncate(nar.fd, 0) < 0)
			break;
		got = fetch_once(nf, i, &last, &nar, err);
		if (got == 1) {
			*err = last;
			break;
		}
		rc = got;
	}
	if (rc < 0) {
		drop_index(&nar);
		io_close(&nar.fd);
		return rc;
	}
	if (nar.n > 1)
		qsort(nar.entries, nar.n, sizeof *nar.entries, by_path);
	nf->nars[i] = nar;
	return 0;
}

/* ---- look-up ---------------------------------------------------------------- */

/* Fetch the NAR that a path leads into; *rest is the part of the path inside it. */
static int enter(struct nar_files *nf, const char *path, struct nar **nar, struct str *rest,
                 struct err *err)
{
	const struct path_info *info;
	_free_ char *top = NULL;
	struct store_path sp;
	size_t i;
	int rc = store_path_split(str_from(path), &sp, rest, err);

	if (rc < 0)
		return rc;
	top = store_path_format(&sp);
	info = closure_find(nf->closure, top);
	if (!info || (nf->have && closure_find(nf->have, top)))
		return err_set(err, ERR_NOENT, "%s is not in the closure", top);
	i = (size_t)(info - nf->closure->paths);
	if (nf->nars[i].fd < 0)
		rc = fetch(nf, i, err);
	*nar = &nf->nars[i];
	if (rest->n)
		*rest = str_drop(*rest, 1);
	return rc;
}

static int against(const void *key, const void *elem)
{
	return strcmp(key, ((const struct entry *)elem)->path);
}

static int find(struct store_files *f, const char *path, struct nar **nar, struct entry **out,
                struct err *err)
{
	_free_ char *inside = NULL;
	struct str rest;
	int rc = enter((struct nar_files *)f, path, nar, &rest, err);

	if (rc < 0)
		return rc;
	inside = xstrndup(rest.p, rest.n);
	*out = bsearch(inside, (*nar)->entries, (*nar)->n, sizeof **out, against);
	if (!*out)
		return err_set(err, ERR_NOENT, "%s: no such file", path);
	return 0;
}

static int look(struct store_files *f, const char *path, enum walk_kind *kind, struct buf *target,
                struct err *err)
{
	struct entry *e;
	struct nar *nar;
	int rc;

	rc = find(f, path, &nar, &e, err);
	if (rc < 0)
		return rc;
	*kind = e->kind;
	if (e->target)
		buf_puts(target, e->target);
	return 0;
}

/* Copies the contents to a file of their own, because in the NAR they are not at offset 0. */
static int open_file(struct store_files *f, const char *path, int *fd, uint64_t *size,
                     struct err *err)
{
	_close_ int copy = -1;
	char piece[COPY_PIECE];
	struct entry *e;
	struct nar *nar;
	int rc;

	rc = find(f, path, &nar, &e, err);
	if (rc == 0)
		rc = spool_open(((struct nar_files *)f)->dir, &copy, err);
	for (uint64_t done = 0; rc == 0 && done < e->size;) {
		size_t got;

		rc = io_pread(nar->fd, path, piece,
		              (size_t)MIN(e->size - done, (uint64_t)COPY_PIECE), e->at + done, &got,
		              err);
		if (rc == 0 && got == 0)
			rc = err_set(err, ERR_IO, "%s: truncated", path);
		if (rc == 0)
			rc = io_write(copy, "a temporary file", piece, got, err);
		done += got;
	}
	if (rc == 0)
		rc = spool_rewind(copy, err);
	if (rc < 0)
		return rc;
	*size = e->size;
	*fd = copy;
	copy = -1;
	return 0;
}

static int list(struct store_files *f, const char *path, struct buf *names, struct err *err)
{
	struct entry *e;
	struct nar *nar;
	size_t skip;
	int rc;

	rc = find(f, path, &nar, &e, err);
	if (rc < 0)
		return rc;
	skip = *e->path ? strlen(e->path) + 1 : 0;
	for (size_t i = 0; i < nar->n; i++) {
		const char *p = nar->entries[i].path;

		if (strlen(p) <= skip ||
		    (skip && (strncmp(p, e->path, skip - 1) != 0 || p[skip - 1] != '/')))
			continue;
		if (!strchr(p + skip, '/'))
			buf_put(names, p + skip, strlen(p + skip) + 1);
	}
	return 0;
}

static const struct store_files_ops ops = {.look = look, .open = open_file, .list = list};

struct store_files *nar_files_new(struct caches *c, const struct closure *closure,
                                  const struct closure *have, const char *dir)
{
	struct nar_files *nf = xcalloc(1, sizeof *nf);

	nf->files = (struct store_files){.ops = &ops, .root = xstrdup("")};
	nf->caches = c;
	nf->closure = closure;
	nf->have = have;
	nf->dir = dir;
	nf->nars = xcalloc(closure->n, sizeof *nf->nars);
	for (size_t i = 0; i < closure->n; i++)
		nf->nars[i].fd = -1;
	return &nf->files;
}

void nar_files_free(struct store_files *f)
{
	struct nar_files *nf = (struct nar_files *)f;

	if (!nf)
		return;
	for (size_t i = 0; i < nf->closure->n; i++) {
		drop_index(&nf->nars[i]);
		io_close(&nf->nars[i].fd);
	}
	free(nf->nars);
	store_files_fini(&nf->files);
	free(nf);
}

static int add_output(void *ctx, const struct derivation_output *o, struct err *err)
{
	struct path_info *info = ctx;

	if (!o->path.n)
		return 0;
	info->outputs = xreallocarray(info->outputs, info->noutputs + 1, sizeof *info->outputs);
	info->outputs[info->noutputs++] = (struct drv_output){
	        .id = xstrndup(o->name.p, o->name.n), .path = xstrndup(o->path.p, o->path.n)};
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct drv_output *)a)->id, ((const struct drv_output *)b)->id);
}

static int find_outputs(struct store_files *f, struct path_info *info, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = store_files_read(f, info->path, DERIVATION_BYTES_MAX, &text, err);

	if (rc < 0)
		return rc;
	rc = derivation_outputs(buf_str(&text), add_output, info, err);
	if (rc < 0)
		return err_prefix(err, "%s", info->path);
	if (info->noutputs > 1)
		qsort(info->outputs, info->noutputs, sizeof *info->outputs, by_id);
	return 0;
}

int nar_files_outputs(struct store_files *f, struct closure *closure, struct err *err)
{
	struct nar_files *nf = (struct nar_files *)f;
	int rc = 0;

	for (size_t i = 0; i < closure->n && rc == 0; i++) {
		struct path_info *info = &closure->paths[i];

		/* A local store has told them already. */
		if (info->noutputs || !str_ends(str_from(info->path), ".drv") ||
		    (nf->have && closure_find(nf->have, info->path)))
			continue;
		rc = find_outputs(f, info, err);
		/* There may be thousands, so they are not kept. */
		drop_index(&nf->nars[i]);
		io_close(&nf->nars[i].fd);
	}
	return rc;
}

bool nar_files_has(const struct store_files *f, size_t i, int *fd)
{
	*fd = ((const struct nar_files *)f)->nars[i].fd;
	return *fd >= 0;
}
