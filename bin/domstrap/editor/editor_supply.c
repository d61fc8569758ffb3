/* SPDX-License-Identifier: MIT */
#include "editor/editor_supply.h"

#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "editor/editor_wire.h"
#include "nix/store_path.h"
#include "store/closure_wire.h"

#define THREADS_MAX (STREAM_LINES_MAX - 1u)

int editor_supply_start(struct editor_supply *s, const struct supply_options *opt,
                        struct jail_spec *spec, struct editor_child *c, struct err *err)
{
	int rc;

	*s = (struct editor_supply){.opt = opt, .spool = -1, .said = BUF_INIT};
	if (!opt)
		return 0;
	rc = spool_open(opt->spool_dir, &s->spool, err);
	if (rc == 0)
		rc = stream_memory_new(STREAM_LINES_MAX, &s->memory, err);
	c->memory = s->memory;
	if (rc == 0)
		rc = jail_lines_make(&s->lines, MIN(opt->threads, THREADS_MAX) + 1, spec, err);
	c->lines = s->lines;
	if (rc == 0)
		c->spool = jail_give(spec, JAIL_SPOOL, s->spool);
	return rc;
}

void editor_supply_forked(struct editor_supply *s)
{
	jail_lines_started(&s->lines);
	io_close(&s->spool);
}

/* ---- answers ---------------------------------------------------------------- */

static int invalid(struct err *err)
{
	return err_set(err, ERR_CHILD, "the guest's process: an invalid request");
}

/* Bytes in pieces, then OK; or the error. */
static int answer(struct wire *line, int rc, struct str bytes, const struct err *why,
                  struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	int sent = 0;

	if (rc < 0) {
		wire_err_put(&body, why);
		return wire_send(line, EDITOR_FAILED, buf_str(&body), err);
	}
	while (bytes.n && sent == 0) {
		struct str piece = {bytes.p, MIN(bytes.n, EDITOR_PIECE_MAX)};

		sent = wire_send(line, EDITOR_PIECE, piece, err);
		bytes = str_drop(bytes, piece.n);
	}
	return sent < 0 ? sent : wire_send(line, EDITOR_OK, STR(""), err);
}

static int hear_what_is_there(struct editor_supply *s, const struct buf *body, struct err *err)
{
	if (s->opened || body->n > EDITOR_HAVE_MAX - s->said.n)
		return invalid(err);
	buf_put(&s->said, body->p, body->n);
	return 0;
}

/* ---- the system ------------------------------------------------------------- */

static void put_system(const struct system_source *src, struct buf *out)
{
	size_t top = (size_t)(closure_find(&src->closure, src->toplevel) - src->closure.paths);

	wire_u32_put(out, (uint32_t)top);
	wire_u32_put(out, (uint32_t)src->n_items);
	for (size_t i = 0; i < src->n_items; i++)
		buf_u8(out, src->stream.is_slow(&src->stream, i));
	closure_put(&src->closure, out);
}

static int open_source(struct editor_supply *s, struct wire *line, struct err *err)
{
	const struct supply_options *o = s->opt;
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct err why = ERR_INIT;
	int rc;

	if (s->opened || closure_get(buf_str(&s->said), &s->have, err) < 0)
		return invalid(err);
	buf_fini(&s->said);
	s->opened = true;
	rc = source_open(&s->source, o->source,
	                 &(struct source_request){.system = o->system,
	                                          .spool_dir = o->spool_dir,
	                                          .have = &s->have,
	                                          .stop = o->stop},
	                 &why);
	s->source.verify = o->verify;
	if (rc == 0)
		put_system(&s->source, &bytes);
	return answer(line, rc, buf_str(&bytes), &why, err);
}

/* ---- files ------------------------------------------------------------------ */

/* A path in a store path that the guest lacks; the caller frees it. NULL: it is none. */
static char *take_path(const struct editor_supply *s, struct bytes *b)
{
	struct str path = wire_text_get(b, EDITOR_PATH_MAX);
	const struct system_source *src = &s->source;
	struct store_path sp;
	struct str rest;
	_free_ char *top = NULL;

	if (!wire_end(b) || !src->files || s->server || memchr(path.p, 0, path.n) ||
	    !store_path_is_in(path, &sp, &rest))
		return NULL;
	top = store_path_format(&sp);
	if (!closure_find(&src->closure, top) || closure_find(&s->have, top))
		return NULL;
	return xstrndup(path.p, path.n);
}

static int look_at(struct editor_supply *s, const struct buf *body, struct wire *line,
                   struct err *err)
{
	struct bytes b = bytes_over(body->p, body->n);
	_free_ char *path = take_path(s, &b);
	_cleanup_(buf_fini) struct buf target = BUF_INIT, bytes = BUF_INIT;
	enum walk_kind kind = WALK_FILE;
	struct err why = ERR_INIT;
	int rc;

	if (!path)
		return invalid(err);
	rc = store_files_look(s->source.files, path, &kind, &target, &why);
	wire_u32_put(&bytes, kind);
	wire_text_put(&bytes, buf_str(&target));
	return answer(line, rc, buf_str(&bytes), &why, err);
}

static int read_file(struct editor_supply *s, const struct buf *body, struct wire *line,
                     struct err *err)
{
	struct bytes b = bytes_over(body->p, body->n);
	uint64_t limit = wire_u64_get(&b, UINT64_MAX);
	_free_ char *path = take_path(s, &b);
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct err why = ERR_INIT;
	int rc;

	if (!path)
		return invalid(err);
	rc = store_files_read(s->source.files, path, (size_t)MIN(limit, EDITOR_READ_MAX), &bytes,
	                      &why);
	return answer(line, rc, buf_str(&bytes), &why, err);
}

/* ---- NARs ------------------------------------------------------------------- */

static int stream(struct editor_supply *s, const struct buf *body, struct wire *line,
                  struct err *err)
{
	struct bytes b = bytes_over(body->p, body->n);
	bool on = wire_u32_get(&b, 1);
	struct err why = ERR_INIT;
	int rc;

	if (!wire_end(&b) || !s->source.files || on == (s->server != NULL))
		return invalid(err);
	rc = on ? stream_serve(&s->source.stream, s->lines.ours, s->memory, s->lines.n, &s->server,
	                       &why)
	        : stream_serve_end(take(&s->server), &why);
	return answer(line, rc, STR(""), &why, err);
}

int editor_supply_serve(struct editor_supply *s, uint32_t type, const struct buf *body,
                        struct wire *line, struct err *err)
{
	if (!s->opt)
		return invalid(err);
	switch (type) {
	case EDITOR_HAVE:
		return hear_what_is_there(s, body, err);
	case EDITOR_SOURCE:
		return open_source(s, line, err);
	case EDITOR_LOOK:
		return look_at(s, body, line, err);
	case EDITOR_READ:
		return read_file(s, body, line, err);
	default:
		return stream(s, body, line, err);
	}
}

void editor_supply_fini(struct editor_supply *s)
{
	struct err ignored = ERR_INIT;

	editor_supply_forked(s);
	(void)stream_serve_end(s->server, &ignored);
	jail_lines_fini(&s->lines);
	stream_memory_free(s->memory, STREAM_LINES_MAX);
	source_fini(&s->source);
	closure_fini(&s->have);
	buf_fini(&s->said);
}
