/* SPDX-License-Identifier: MIT */
#include "editor/editor_system.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "editor/editor_child.h"
#include "editor/editor_wire.h"
#include "image/stream_add.h"
#include "nix/store_path.h"
#include "source/source.h"
#include "store/closure_wire.h"

static int bad_answer(struct err *err)
{
	return err_set(err, ERR_CHILD, "parent: an invalid answer");
}

/* ---- files ------------------------------------------------------------------ */

static struct editor_system *system_of(struct store_files *f)
{
	return (struct editor_system *)f;
}

/* The guest's own files, if it has the store path; else NULL. */
static struct store_files *own(struct store_files *f, const char *path)
{
	struct editor_system *s = system_of(f);
	struct store_path sp;
	struct str rest;

	if (!store_path_is_in(str_from(path), &sp, &rest))
		return NULL;
	return closure_find_base(&s->editor->in.db, sp.base) ? &s->there.files : NULL;
}

static int look(struct store_files *f, const char *path, enum walk_kind *kind, struct buf *target,
                struct err *err)
{
	struct store_files *there = own(f, path);
	_cleanup_(buf_fini) struct buf body = BUF_INIT, got = BUF_INIT;
	struct bytes b;
	struct str link;
	int rc;

	if (there)
		return there->ops->look(there, path, kind, target, err);
	wire_text_put(&body, str_from(path));
	rc = editor_ask(EDITOR_LOOK, buf_str(&body), &got, err);
	if (rc < 0)
		return rc;
	b = bytes_over(got.p, got.n);
	*kind = (enum walk_kind)wire_u32_get(&b, WALK_UP);
	link = wire_text_get(&b, EDITOR_PATH_MAX);
	if (!wire_end(&b))
		return bad_answer(err);
	buf_put(target, link.p, link.n);
	return 0;
}

static int read_file(struct store_files *f, const char *path, size_t limit, struct buf *out,
                     struct err *err)
{
	struct store_files *there = own(f, path);
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	if (there)
		return there->ops->read(there, path, limit, out, err);
	wire_u64_put(&body, limit);
	wire_text_put(&body, str_from(path));
	return editor_ask(EDITOR_READ, buf_str(&body), out, err);
}

/* ---- the closure ------------------------------------------------------------ */

static void tell_what_is_there(const struct closure *db)
{
	_cleanup_(buf_fini) struct buf names = BUF_INIT;
	struct str rest;

	closure_put_names(db, &names);
	for (rest = buf_str(&names); rest.n; rest = str_drop(rest, MIN(rest.n, EDITOR_PIECE_MAX)))
		editor_tell(EDITOR_HAVE, (struct str){rest.p, MIN(rest.n, EDITOR_PIECE_MAX)});
}

static int take_answer(struct editor_system *s, struct str answer, struct err *err)
{
	struct bytes b = bytes_over(answer.p, answer.n);
	uint32_t top = wire_u32_get(&b, CLOSURE_PATHS_MAX), n = wire_u32_get(&b, CLOSURE_PATHS_MAX);
	const uint8_t *slow = bytes_take(&b, n);
	int rc;

	if (!bytes_ok(&b))
		return bad_answer(err);
	rc = closure_get(str_drop(answer, b.pos), &s->closure, err);
	if (rc < 0)
		return rc;
	s->n_items = source_items(&s->closure, &s->editor->in.db, &s->items, &s->numbers);
	if (top >= s->closure.n || n != s->n_items)
		return bad_answer(err);
	s->toplevel = s->closure.paths[top].path;
	s->slow = xcalloc(n + 1, sizeof *s->slow);
	for (size_t i = 0; i < n; i++)
		s->slow[i] = slow[i];
	return 0;
}

int editor_system_open(struct editor *e, struct editor_system *s, struct err *err)
{
	static const struct store_files_ops ops = {.look = look, .read = read_file};
	_cleanup_(buf_fini) struct buf answer = BUF_INIT;
	int rc;

	*s = (struct editor_system){.files = {.ops = &ops, .root = xstrdup("")}, .editor = e};
	guest_state_files_init(&s->there, &e->off);
	tell_what_is_there(&e->in.db);
	rc = editor_ask(EDITOR_SOURCE, STR(""), &answer, err);
	return rc < 0 ? rc : take_answer(s, buf_str(&answer), err);
}

void editor_system_fini(struct editor_system *s)
{
	store_files_fini(&s->files);
	store_files_fini(&s->there.files);
	closure_fini(&s->closure);
	free(s->items);
	free(s->numbers);
	free(s->slow);
}

/* ---- paths ------------------------------------------------------------------ */

static int serve(bool on, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_u32_put(&body, on);
	return editor_ask(EDITOR_STREAM, buf_str(&body), NULL, err);
}

static int add(struct editor_system *s, unsigned threads, struct err *err)
{
	const struct editor_child *c = editor_child_data();
	struct ext4_edit *e = s->editor->off.root.edit;
	struct ui_progress *progress = ui_progress_shared();
	struct stream_fill_options opt = {.threads = threads,
	                                  .spool = c->spool,
	                                  .paths = &progress->paths,
	                                  .bytes = &progress->bytes};
	struct stream_client *client = stream_client_new(c->lines.given, c->memory, c->lines.n,
	                                                 s->items, s->n_items, s->slow);
	uint32_t dir;
	int rc = ext4_edit_find(e, STORE_DIR, true, &dir, err);

	for (size_t i = 0; i < s->n_items; i++)
		progress->total_bytes += s->items[i].nar_size;
	progress->total_paths = s->n_items;
	ui_progress_begin(progress);
	if (rc == 0)
		rc = stream_add(e, dir, stream_client_source(client), &opt, err);
	ui_progress_end();
	stream_client_free(client);
	return rc;
}

int editor_system_add(struct editor_system *s, unsigned threads, const atomic_bool *stop,
                      struct err *err)
{
	struct err ignored = ERR_INIT;
	int rc;

	if (!s->n_items)
		return 0;
	ext4_edit_writer(s->editor->off.root.edit)->stop = stop;
	rc = serve(true, err);
	if (rc < 0)
		return rc;
	rc = add(s, threads, err);
	if (serve(false, rc < 0 ? &ignored : err) < 0 && rc == 0)
		rc = -(int)err->code;
	return rc;
}
