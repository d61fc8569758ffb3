/* SPDX-License-Identifier: MIT */
#include "cache/nar_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "jail/wire.h"
#include "nix/derivation.h"
#include "nix/store_path.h"

#define OUTPUT_NAME_MAX 211u
#define PATH_BYTES_MAX (WALK_DEPTH_MAX * (WALK_NAME_MAX + 1u))

/* ---- reading ---------------------------------------------------------------- */

struct nar_indexer {
	struct stream *src;
	struct walk *walk; /* NULL: of a derivation */
	size_t entries;
	struct buf path; /* of the walk's last entry */
	struct buf out;  /* to be read, from pos on */
	size_t pos;
	bool ended;
};

struct nar_indexer *nar_indexer_new(struct str name, struct stream *src)
{
	struct nar_indexer *x = xcalloc(1, sizeof *x);

	x->src = src;
	if (str_is(name, NAR_INDEX))
		x->walk = nar_walk_new(src);
	return x;
}

void nar_indexer_free(struct nar_indexer *x)
{
	if (!x)
		return;
	walk_free(x->walk);
	buf_fini(&x->path);
	buf_fini(&x->out);
	free(x);
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

static int next_entry(struct nar_indexer *x, struct err *err)
{
	struct walk_entry ent;
	int rc = walk_next(x->walk, &ent, err);

	x->ended = rc == 1;
	if (rc)
		return rc < 0 ? rc : 0;
	if (ent.kind == WALK_UP) {
		ascend(&x->path);
		return 0;
	}
	if (x->entries++ == NAR_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, "more than %u files", NAR_ENTRIES_MAX);
	descend(&x->path, ent.name);
	wire_u32_put(&x->out, ent.kind);
	wire_text_put(&x->out, buf_str(&x->path));
	wire_text_put(&x->out, ent.kind == WALK_LINK ? ent.target : STR(""));
	wire_u64_put(&x->out, ent.kind == WALK_FILE ? nar_walk_offset(x->walk) : 0);
	wire_u64_put(&x->out, ent.kind == WALK_FILE ? ent.size : 0);
	if (ent.kind != WALK_DIR)
		ascend(&x->path);
	return 0;
}

static int put_output(void *ctx, const struct derivation_output *o, struct err *err)
{
	struct nar_indexer *x = ctx;

	if (!o->path.n)
		return 0;
	wire_text_put(&x->out, o->name);
	wire_text_put(&x->out, o->path);
	return 0;
}

static int all_outputs(struct nar_indexer *x, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = stream_all(x->src, DERIVATION_BYTES_MAX, &text, err);

	x->ended = true;
	return rc < 0 ? rc : derivation_outputs(buf_str(&text), put_output, x, err);
}

int nar_indexer_read(struct nar_indexer *x, void *p, size_t n, size_t *got, struct err *err)
{
	int rc = 0;

	while (rc == 0 && x->pos == x->out.n && !x->ended) {
		buf_reset(&x->out);
		x->pos = 0;
		rc = x->walk ? next_entry(x, err) : all_outputs(x, err);
	}
	if (rc < 0)
		return rc;
	*got = MIN(n, x->out.n - x->pos);
	if (*got)
		memcpy(p, x->out.p + x->pos, *got);
	x->pos += *got;
	return 0;
}

/* ---- checking --------------------------------------------------------------- */

static bool is_path(struct str s)
{
	if (!s.n)
		return true;
	while (s.p)
		if (!walk_name_valid(str_cut(&s, '/')))
			return false;
	return true;
}

static void get_entry(struct bytes *b, uint64_t nar_size, struct nar_index *x)
{
	uint32_t kind = wire_u32_get(b, WALK_DIR);
	struct str path = wire_text_get(b, PATH_BYTES_MAX);
	struct str target = wire_text_get(b, WALK_TARGET_MAX);
	uint64_t at = wire_u64_get(b, nar_size),
	         size = wire_u64_get(b, nar_size - MIN(at, nar_size));

	if (b->bad || !is_path(path) || (kind == WALK_LINK) != (target.n > 0) ||
	    (target.n && memchr(target.p, 0, target.n)) || x->n == NAR_ENTRIES_MAX) {
		b->bad = true;
		return;
	}
	GROW(x->entries, x->n, x->cap);
	x->entries[x->n++] = (struct nar_entry){
	        .path = xstrndup(path.p, path.n),
	        .kind = kind,
	        .target = target.n ? xstrndup(target.p, target.n) : NULL,
	        .at = at,
	        .size = size,
	};
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct nar_entry *)a)->path, ((const struct nar_entry *)b)->path);
}

int nar_index_get(struct str bytes, uint64_t nar_size, struct nar_index *out, struct err *err)
{
	struct bytes b = bytes_over(bytes.p, bytes.n);

	*out = (struct nar_index){0};
	while (bytes_left(&b) && !b.bad)
		get_entry(&b, nar_size, out);
	if (out->n > 1)
		qsort(out->entries, out->n, sizeof *out->entries, by_path);
	for (size_t i = 1; i < out->n; i++)
		if (strcmp(out->entries[i - 1].path, out->entries[i].path) == 0)
			b.bad = true;
	if (wire_end(&b) && out->n)
		return 0;
	nar_index_fini(out);
	return err_set(err, ERR_CHILD, "an invalid list of files from another process");
}

void nar_index_fini(struct nar_index *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->entries[i].path);
		free(x->entries[i].target);
	}
	free(x->entries);
	*x = (struct nar_index){0};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct drv_output *)a)->id, ((const struct drv_output *)b)->id);
}

int drv_outputs_get(struct str bytes, struct path_info *info, struct err *err)
{
	struct bytes b = bytes_over(bytes.p, bytes.n);

	while (bytes_left(&b) && !b.bad) {
		struct str name = wire_text_get(&b, OUTPUT_NAME_MAX);
		struct str path = wire_text_get(&b, STORE_PATH_MAX);
		struct store_path sp;

		if (b.bad || !name.n || memchr(name.p, 0, name.n) || !store_path_is(path, &sp) ||
		    info->noutputs == DERIVATION_OUTPUTS_MAX)
			return err_set(err, ERR_CHILD, "invalid outputs from another process");
		info->outputs =
		        xreallocarray(info->outputs, info->noutputs + 1, sizeof *info->outputs);
		info->outputs[info->noutputs++] = (struct drv_output){
		        .id = xstrndup(name.p, name.n), .path = xstrndup(path.p, path.n)};
	}
	if (info->noutputs > 1)
		qsort(info->outputs, info->noutputs, sizeof *info->outputs, by_name);
	return wire_end(&b) ? 0 : err_set(err, ERR_CHILD, "invalid outputs from another process");
}
