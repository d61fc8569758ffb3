/* SPDX-License-Identifier: MIT */
/* The paths of a system as trees and as NARs. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/walk_dir.h"
#include "cache/nar_dump.h"
#include "cache/nar_files.h"
#include "nix/store_path.h"
#include "source/source.h"
#include "ui/ui.h"

/* ---- trees of a local store ------------------------------------------------ */

static struct walk *walk_item(const struct system_source *s, size_t i, bool stat_only)
{
	const struct path_info *info = &s->closure.paths[s->numbers[i]];
	_free_ char *path = local_store_real_path(s->store, info->path);

	return walk_dir_new(AT_FDCWD, path, WALK_DIR_CANONICAL | (stat_only ? WALK_DIR_STAT : 0));
}

static struct walk *tree_open(const struct store_source *trees, size_t i, bool stat_only)
{
	return walk_item(
	        (const void *)((const char *)trees - offsetof(struct system_source, trees)), i,
	        stat_only);
}

/* A NAR that is open, wherever it comes from. */
struct open_nar {
	struct stream stream;
	void (*close)(struct open_nar *nar);
	struct nar_fetch *fetch; /* NULL: it is not fetched now */
};

/* ---- NARs of a local store -------------------------------------------------- */

struct local_nar {
	struct open_nar nar;
	const struct store_item *item;
	struct nar_dump *dump;
	bool verify;
	struct sha256 hash;
	uint64_t size;
};

static int check_nar(struct local_nar *l, struct err *err)
{
	uint8_t got[HASH_SHA256_LEN];

	if (l->verify)
		sha256_final(&l->hash, got);
	return store_item_check(l->item, l->size, l->verify ? got : NULL, err);
}

static int local_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct local_nar *l = (struct local_nar *)s;
	int rc = nar_dump_read(l->dump, p, n, got, err);

	if (rc == 0 && l->verify)
		sha256_update(&l->hash, p, *got);
	l->size += rc == 0 ? *got : 0;
	if (rc == 0 && (!*got || l->size > l->item->nar_size))
		rc = check_nar(l, err);
	return rc < 0 ? err_prefix(err, "/nix/store/%s", l->item->name) : 0;
}

static void local_close(struct open_nar *nar)
{
	struct local_nar *l = (struct local_nar *)nar;

	nar_dump_free(l->dump);
	sha256_fini(&l->hash);
	free(l);
}

static void local_open(const struct system_source *s, size_t i, struct stream **out)
{
	struct local_nar *l = xcalloc(1, sizeof *l);

	l->nar = (struct open_nar){{local_read}, local_close, NULL};
	l->item = &s->items[i];
	l->dump = nar_dump_new(walk_item(s, i, false));
	l->verify = s->verify;
	sha256_init(&l->hash);
	*out = &l->nar.stream;
}

/* ---- NARs of caches --------------------------------------------------------- */

/* A NAR that was fetched earlier because files in it were needed. */
struct kept_nar {
	struct open_nar nar;
	int fd;
	uint64_t at;
};

static int kept_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct kept_nar *k = (struct kept_nar *)s;
	int64_t some = io_pread(k->fd, "a temporary file", p, n, k->at, err);

	if (some < 0)
		return (int)some;
	*got = (size_t)some;
	k->at += *got;
	return 0;
}

static struct system_source *source_of(const struct stream_source *stream)
{
	return (struct system_source *)(uintptr_t)((const char *)stream -
	                                           offsetof(struct system_source, stream));
}

static void kept_close(struct open_nar *nar)
{
	free(nar);
}

static int fetched_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	return nar_fetch_read(((struct open_nar *)s)->fetch, p, n, got, err);
}

static void fetched_close(struct open_nar *nar)
{
	nar_fetch_free(nar->fetch);
	free(nar);
}

static int cache_open(struct system_source *s, size_t i, bool again, struct stream **out,
                      struct err *err)
{
	struct nar_fetch *fetch;
	struct open_nar *nar;
	int fd, rc;

	i = s->numbers[i];
	if (nar_files_has(s->files, i, &fd)) {
		struct kept_nar *k = xcalloc(1, sizeof *k);

		*k = (struct kept_nar){{{kept_read}, kept_close, NULL}, fd, 0};
		*out = &k->nar.stream;
		return 0;
	}
	rc = caches_fetch(s->caches, i, again, &fetch, err);
	if (rc)
		return rc;
	nar = xcalloc(1, sizeof *nar);
	*nar = (struct open_nar){{fetched_read}, fetched_close, fetch};
	*out = &nar->stream;
	return 0;
}

/* ---- either ----------------------------------------------------------------- */

static int stream_open(const struct stream_source *stream, size_t i, bool again,
                       struct stream **out, struct err *err)
{
	struct system_source *s = source_of(stream);

	if (s->caches)
		return cache_open(s, i, again, out, err);
	if (again)
		return 1;
	local_open(s, i, out);
	return 0;
}

static void stream_close(const struct stream_source *stream, struct stream *nar)
{
	((struct open_nar *)nar)->close((struct open_nar *)nar);
}

static int stream_refused(const struct stream_source *stream, size_t i, struct stream *nar,
                          struct err *err)
{
	struct nar_fetch *fetch = ((struct open_nar *)nar)->fetch;

	return fetch ? nar_fetch_refused(fetch, err)
	             : err_prefix(err, "/nix/store/%s", stream->items[i].name);
}

static bool stream_is_slow(const struct stream_source *stream, size_t i)
{
	const struct system_source *s = source_of(stream);

	return s->caches && caches_is_slow(s->caches, s->numbers[i]);
}

static void stream_order(const struct stream_source *stream, const size_t *order, size_t n)
{
	struct system_source *s = source_of(stream);
	_free_ size_t *wanted = xcalloc(n, sizeof *wanted);
	size_t kept = 0;
	int fd;

	if (!s->caches)
		return;
	for (size_t i = 0; i < n; i++)
		if (!nar_files_has(s->files, s->numbers[order[i]], &fd))
			wanted[kept++] = s->numbers[order[i]];
	caches_order(s->caches, wanted, kept);
}

static void stream_warn(const struct stream_source *stream, const struct err *err)
{
	if (source_of(stream)->caches)
		caches_elsewhere(source_of(stream)->caches, err);
	else
		ui_warn("%s", err->text);
}

static void stream_cancel(const struct stream_source *stream)
{
	if (source_of(stream)->caches)
		caches_cancel(source_of(stream)->caches);
}

size_t source_items(const struct closure *c, const struct closure *have, struct store_item **items,
                    size_t **numbers)
{
	size_t n = 0;

	*items = xcalloc(c->n + 1, sizeof **items);
	*numbers = xcalloc(c->n + 1, sizeof **numbers);
	for (size_t i = 0; i < c->n; i++) {
		const struct path_info *p = &c->paths[i];
		struct store_item *item = &(*items)[n];

		if (have && closure_find(have, p->path))
			continue;
		item->name = p->path + strlen(STORE_DIR "/");
		item->nar_size = p->nar_size;
		memcpy(item->nar_hash, p->nar_hash, HASH_SHA256_LEN);
		(*numbers)[n++] = i;
	}
	return n;
}

void source_list(struct system_source *s, const struct closure *have)
{
	s->n_items = source_items(&s->closure, have, &s->items, &s->numbers);
	s->trees = (struct store_source){.items = s->items, .n = s->n_items, .open = tree_open};
	s->stream = (struct stream_source){
	        .items = s->items,
	        .n = s->n_items,
	        .open = stream_open,
	        .close = stream_close,
	        .refused = stream_refused,
	        .is_slow = stream_is_slow,
	        .order = stream_order,
	        .warn = stream_warn,
	        .cancel = stream_cancel,
	};
}
