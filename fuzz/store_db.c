/* SPDX-License-Identifier: MIT */
/*
 * A database of arbitrary bytes, queried for the closure of a path in it. The
 * result must be the same after it is written and read again.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/store_path.h"
#include "store/store_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRIES 4

static void again(const struct closure *c, const char *path)
{
	_cleanup_(store_db_freep) struct store_db *db = NULL;
	_cleanup_(closure_fini) struct closure got = {0};
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct err err = ERR_INIT;

	if (store_db_build(c, 1, &bytes, &err) < 0)
		abort();
	if (store_db_open_bytes("again", bytes.p, bytes.n, &db, &err) < 0)
		abort();
	if (store_db_closure(db, path, &got, &err) < 0 || got.n != c->n)
		abort();
	for (size_t i = 0; i < got.n; i++) {
		if (strcmp(got.paths[i].path, c->paths[i].path) != 0 ||
		    got.paths[i].nrefs != c->paths[i].nrefs)
			abort();
	}
}

static void ask(struct store_db *db, const char *path)
{
	_cleanup_(closure_fini) struct closure c = {0};
	struct err err = ERR_INIT;

	if (store_db_closure(db, path, &c, &err) < 0)
		return;
	if (!closure_find(&c, path))
		abort();
	again(&c, path);
}

/* All data, as for a guest: it can be written, and read again with the same result. */
static void everything(struct store_db *db)
{
	_cleanup_(store_db_rest_freep) struct store_db_rest *rest = NULL;
	_cleanup_(store_db_freep) struct store_db *second = NULL;
	_cleanup_(closure_fini) struct closure all = {0}, same = {0};
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct err err = ERR_INIT;

	if (store_db_all(db, &all, &err) < 0 || store_db_rest(db, &rest, &err) < 0 ||
	    store_db_rebuild(&all, rest, &bytes, &err) < 0)
		return;
	if (store_db_open_bytes("again", bytes.p, bytes.n, &second, &err) < 0 ||
	    store_db_all(second, &same, &err) < 0 || all.n != same.n)
		abort();
}

static bool path_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("/+._?=-", c));
}

/*
 * The next store path in the bytes, or NULL; *from is moved past it. In a row, the
 * hash "sha256:..." follows the path directly.
 */
static char *next_path(struct str *from)
{
	static const char prefix[] = STORE_DIR "/";
	const char *at = from->n ? memmem(from->p, from->n, prefix, sizeof prefix - 1) : NULL;
	struct str path;

	if (!at)
		return NULL;
	*from = str_drop(*from, (size_t)(at - from->p));
	path = (struct str){at, 0};
	while (path.n < from->n && path.n < STORE_PATH_MAX && path_char(at[path.n]))
		path.n++;
	*from = str_drop(*from, path.n);
	if (str_ends(path, "sha256"))
		path.n -= strlen("sha256");
	return xstrndup(path.p, path.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_fini) struct buf copy = BUF_INIT;
	_cleanup_(store_db_freep) struct store_db *db = NULL;
	struct str rest = {(const char *)data, size};
	struct err err = ERR_INIT;

	buf_put(&copy, data, size);
	if (store_db_open_bytes("fuzz", copy.p, copy.n, &db, &err) < 0)
		return 0;
	everything(db);
	for (unsigned i = 0; i < TRIES; i++) {
		_free_ char *path = next_path(&rest);

		if (!path)
			break;
		ask(db, path);
	}
	return 0;
}
