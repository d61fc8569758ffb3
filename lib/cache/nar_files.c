/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "cache/caches_internal.h"
#include "cache/nar_files.h"
#include "cache/nar_index.h"
#include "nix/derivation.h"
#include "nix/store_path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_PIECE 65536u

struct nar {
	int fd; /* -1: not fetched */
	struct nar_index index;
};

struct nar_files {
	struct store_files files;
	struct caches *caches;
	const struct closure *closure;
	const struct closure *have; /* not to be fetched; may be NULL */
	const char *dir;
	struct nar *nars; /* by number in the closure */
};

/* ---- fetching --------------------------------------------------------------- */

struct copying {
	struct stream stream;
	struct nar_fetch *from;
	int to;
};

static int copy_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct copying *c = (struct copying *)s;
	int rc = nar_fetch_read(c->from, p, n, got, err);

	if (rc < 0 || *got == 0)
		return rc;
	return io_write(c->to, "a temporary file", p, *got, err);
}

/*
 * What another process makes of bytes. Neither a NAR nor a derivation is parsed here.
 */
static int make_index(struct nar_files *nf, const char *name, struct stream *src, struct buf *out,
                      struct err *err)
{
	struct unpacking *u = unpacking_new(nf->caches->unpacker, str_from(name), src);
	int rc = stream_all(unpacking_stream(u), NAR_INDEX_BYTES_MAX, out, err);

	unpacking_free(u);
	return rc;
}

/* last: the error for which it is fetched again, or NULL. */
static int fetch_once(struct nar_files *nf, size_t i, const struct err *last, struct nar *nar,
                      struct err *err)
{
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct copying c = {.stream = {copy_read}, .to = nar->fd};
	int rc = caches_fetch(nf->caches, i, last, &c.from, err);

	if (rc)
		return rc;
	if (last)
		caches_elsewhere(nf->caches, last);
	rc = make_index(nf, NAR_INDEX, &c.stream, &bytes, err);
	if (rc == 0)
		rc = nar_index_get(buf_str(&bytes), nf->closure->paths[i].nar_size, &nar->index,
		                   err);
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
		nar_index_fini(&nar.index);
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
		nar_index_fini(&nar.index);
		io_close(&nar.fd);
		return rc;
	}
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
	return strcmp(key, ((const struct nar_entry *)elem)->path);
}

static int find(struct store_files *f, const char *path, struct nar **nar, struct nar_entry **out,
                struct err *err)
{
	_free_ char *inside = NULL;
	struct str rest;
	int rc = enter((struct nar_files *)f, path, nar, &rest, err);

	if (rc < 0)
		return rc;
	inside = xstrndup(rest.p, rest.n);
	*out = bsearch(inside, (*nar)->index.entries, (*nar)->index.n, sizeof **out, against);
	if (!*out)
		return err_set(err, ERR_NOENT, "%s: no such file", path);
	return 0;
}

static int look(struct store_files *f, const char *path, enum walk_kind *kind, struct buf *target,
                struct err *err)
{
	struct nar_entry *e;
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
	struct nar_entry *e;
	struct nar *nar;
	int rc;

	rc = find(f, path, &nar, &e, err);
	if (rc == 0)
		rc = spool_open(((struct nar_files *)f)->dir, &copy, err);
	for (uint64_t done = 0; rc == 0 && done < e->size;) {
		int64_t got = io_pread(nar->fd, path, piece,
		                       (size_t)MIN(e->size - done, (uint64_t)COPY_PIECE),
		                       e->at + done, err);

		if (got < 0)
			return (int)got;
		rc = got ? io_write(copy, "a temporary file", piece, (size_t)got, err)
		         : err_set(err, ERR_IO, "%s: truncated", path);
		done += (uint64_t)got;
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
	struct nar_entry *e;
	struct nar *nar;
	size_t skip;
	int rc;

	rc = find(f, path, &nar, &e, err);
	if (rc < 0)
		return rc;
	skip = *e->path ? strlen(e->path) + 1 : 0;
	for (size_t i = 0; i < nar->index.n; i++) {
		const char *p = nar->index.entries[i].path;

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
		nar_index_fini(&nf->nars[i].index);
		io_close(&nf->nars[i].fd);
	}
	free(nf->nars);
	store_files_fini(&nf->files);
	free(nf);
}

static int find_outputs(struct store_files *f, struct path_info *info, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT, bytes = BUF_INIT;
	struct stream_bytes in;
	int rc = store_files_read(f, info->path, DERIVATION_BYTES_MAX, &text, err);

	if (rc < 0)
		return rc;
	rc = make_index((struct nar_files *)f, DRV_OUTPUTS, stream_over(&in, buf_str(&text)),
	                &bytes, err);
	if (rc == 0)
		rc = drv_outputs_get(buf_str(&bytes), info, err);
	return rc < 0 ? err_prefix(err, "%s", info->path) : 0;
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
		nar_index_fini(&nf->nars[i].index);
		io_close(&nf->nars[i].fd);
	}
	return rc;
}

bool nar_files_has(const struct store_files *f, size_t i, int *fd)
{
	*fd = ((const struct nar_files *)f)->nars[i].fd;
	return *fd >= 0;
}
