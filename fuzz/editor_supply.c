/* SPDX-License-Identifier: MIT */
/*
 * Requests of a malicious editor to its parent: { kind, le16 size, bytes }. Whatever it asks, files
 * are read only in paths of the new system that the guest lacks, as it said before the system was
 * opened, and the system is opened once.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "editor/editor_supply.h"
#include "editor/editor_wire.h"
#include "jail/jail.h"
#include "nix/store_path.h"
#include "source/source.h"
#include "store/closure_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NEW STORE_DIR "/00000000000000000000000000000001-new"
#define TOP STORE_DIR "/00000000000000000000000000000002-top"
#define REQUESTS_MAX 64

static const struct editor_supply *supply; /* the one that is tried */
static struct path_info paths[] = {{.path = (char[]){NEW}}, {.path = (char[]){TOP}}};

static void must(bool good)
{
	if (!good)
		abort();
}

/* ---- a system ---------------------------------------------------------------- */

static void must_be_allowed(const char *path)
{
	struct store_path sp;
	struct str rest;
	_free_ char *top = NULL;

	must(store_path_is_in(str_from(path), &sp, &rest));
	top = store_path_format(&sp);
	must(strcmp(top, NEW) == 0 || strcmp(top, TOP) == 0);
	must(!closure_find(&supply->have, top));
}

static int look(struct store_files *f, const char *path, enum walk_kind *kind, struct buf *target,
                struct err *err)
{
	(void)f;
	must_be_allowed(path);
	if (strstr(path, "missing"))
		return err_set(err, ERR_NOENT, "%s: no such file", path);
	*kind = strcmp(path, NEW) == 0 || strcmp(path, TOP) == 0 ? WALK_DIR : WALK_FILE;
	if (strstr(path, "link")) {
		*kind = WALK_LINK;
		buf_puts(target, TOP "/file");
	}
	return 0;
}

static int read_bytes(struct store_files *f, const char *path, size_t limit, struct buf *out,
                      struct err *err)
{
	(void)f;
	must_be_allowed(path);
	if (limit < 3)
		return err_set(err, ERR_LIMIT, "%s: too large", path);
	buf_puts(out, "abc");
	return 0;
}

static const struct store_files_ops ops = {.look = look, .read = read_bytes};
static struct store_files files = {.ops = &ops, .root = (char[]){""}};

static bool is_slow(const struct stream_source *src, size_t i)
{
	(void)src, (void)i;
	return false;
}

/* In place of source/source.c. */
int source_open(struct system_source *s, const struct source_options *opt,
                const struct source_request *req, struct err *err)
{
	(void)opt;
	must(!s->files && req->have == &supply->have);
	if (closure_find(req->have, TOP))
		return err_set(err, ERR_NOENT, "nothing to do");
	s->files = &files;
	s->closure = (struct closure){.paths = paths, .n = ARRAY_LEN(paths)};
	s->toplevel = TOP;
	s->n_items = closure_find(req->have, NEW) ? 1 : 2;
	s->stream.is_slow = is_slow;
	return 0;
}

void source_fini(struct system_source *s)
{
	*s = (struct system_source){0};
}

/* ---- requests ---------------------------------------------------------------- */

/* What the parent says is discarded, so that it never waits. */
static void discard(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		continue;
}

static void request(struct editor_supply *s, struct wire *line, int theirs, struct bytes *in)
{
	/* NARs are fuzz/stream_server's. */
	static const uint32_t kinds[] = {EDITOR_HAVE, EDITOR_SOURCE, EDITOR_LOOK, EDITOR_READ};
	uint32_t type = kinds[bytes_u8(in) % ARRAY_LEN(kinds)];
	size_t n = bytes_le16(in);
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct err err = ERR_INIT;

	n = MIN(n, bytes_left(in));
	if (n)
		buf_put(&body, bytes_take(in, n), n);
	(void)editor_supply_serve(s, type, &body, line, &err);
	discard(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct supply_options opt = {.threads = 1};
	struct editor_supply s = {.opt = &opt, .spool = -1, .said = BUF_INIT};
	struct bytes in = bytes_over(data, size);
	struct err err = ERR_INIT;
	struct wire line = {.peer = "editor"};
	int pair[2];

	must(jail_pair(pair, &err) == 0);
	line.fd = pair[0];
	supply = &s;
	for (int i = 0; i < REQUESTS_MAX && bytes_left(&in); i++)
		request(&s, &line, pair[1], &in);
	editor_supply_fini(&s);
	io_close(&pair[0]);
	io_close(&pair[1]);
	return 0;
}
