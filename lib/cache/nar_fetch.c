/* SPDX-License-Identifier: MIT */
/*
 * Fetching one NAR, in layers, lowest first:
 *
 *     a download, a file of a cache, a kept download, or a local tree
 *     the file's size; a copy for the directory of downloads
 *     decompression, in another process
 *     the NAR's hash and size; the contents of a content-addressed path
 */
#include "base/bytes.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/walk_dir.h"
#include "cache/caches_internal.h"
#include "cache/nar_dump.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes that are copied, then hashed while they are in the CPU's cache. */
#define STEP (64u << 10)
/* The NAR of a single file: the offset of its contents, and the number of bytes after
 * them and their padding. */
#define CONTENTS_AT 96u
#define CONTENTS_TAIL 16u

struct nar_fetch {
	struct stream packed, unpacked; /* the file; the NAR, not yet checked */
	struct caches *caches;
	const struct path_info *info;
	struct offer *offer;
	const char *from; /* the cache, store or directory, for errors; borrowed */
	/* the lowest layer: one of these */
	struct cache_file *file;
	int kept; /* fd, or -1 */
	struct nar_dump *dump;
	/* the file */
	uint64_t file_got, file_max;
	int copy; /* fd, or -1 */
	struct unpacking *unpacking;
	/* the NAR */
	uint64_t nar_got;
	struct sha256 nar_sha, contents_sha;
	uint8_t head[CONTENTS_AT];
	bool ended;
};

static int mismatch(const struct nar_fetch *f, struct err *err, const char *what,
                    const uint8_t want[HASH_SHA256_LEN], const uint8_t got[HASH_SHA256_LEN])
{
	char want_text[HASH_NIX32_SIZE], got_text[HASH_NIX32_SIZE];

	return err_set(err, ERR_MISMATCH, "its %s is %s, expected %s", what,
	               hash_format_nix32(got, got_text), hash_format_nix32(want, want_text));
}

/* ---- the file --------------------------------------------------------------- */

static void keep_copy(struct nar_fetch *f, const void *p, size_t n)
{
	struct err err = ERR_INIT;

	if (f->copy < 0 || io_write(f->copy, f->caches->opt.dir, p, n, &err) == 0)
		return;
	io_close(&f->copy);
	caches_copy_failed(f->caches, &err);
}

static int end_file(struct nar_fetch *f, struct err *err)
{
	const struct offer *o = f->offer;

	if (f->file && o->file_size && f->file_got != o->file_size)
		return err_set(err, ERR_MISMATCH,
		               "its file has %" PRIu64 " bytes, expected %" PRIu64, f->file_got,
		               o->file_size);
	return 0;
}

static int read_file(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct nar_fetch *f = CONTAINER(s, struct nar_fetch, packed);
	int rc;

	if (f->dump)
		return nar_dump_read(f->dump, p, n, got, err);
	if (f->file)
		rc = cache_file_read(f->file, p, n, got, err);
	else
		rc = io_read(f->kept, "a kept download", p, n, got, err);
	if (rc < 0)
		return rc;
	f->file_got += *got;
	if (f->file_got > f->file_max)
		return err_set(err, ERR_LIMIT,
		               "its file is larger than expected, %" PRIu64 " bytes", f->file_max);
	if (*got == 0)
		return end_file(f, err);
	keep_copy(f, p, *got);
	return 0;
}

/* ---- the NAR ---------------------------------------------------------------- */

/* The NAR of a single file, up to the length of its contents. */
static const char lone_file[] = "\x0d\0\0\0\0\0\0\0nix-archive-1\0\0\0"
                                "\x01\0\0\0\0\0\0\0(\0\0\0\0\0\0\0"
                                "\x04\0\0\0\0\0\0\0type\0\0\0\0"
                                "\x07\0\0\0\0\0\0\0regular\0"
                                "\x08\0\0\0\0\0\0\0contents";

/* Hash the part of the next n bytes that belongs to the contents of a single file. */
static void hash_contents(struct nar_fetch *f, const uint8_t *p, size_t n)
{
	uint64_t from = f->nar_got, to = from + n;

	if (!f->offer->by_contents)
		return;
	for (uint64_t at = from; at < MIN(to, (uint64_t)CONTENTS_AT); at++)
		f->head[at] = p[at - from];
	if (to <= CONTENTS_AT)
		return;
	from = MAX(from, (uint64_t)CONTENTS_AT);
	to = MIN(to - CONTENTS_AT, get_le64(f->head + CONTENTS_AT - 8)) + CONTENTS_AT;
	if (from < to)
		sha256_update(&f->contents_sha, p + (from - f->nar_got), (size_t)(to - from));
}

static int check_contents(struct nar_fetch *f, struct err *err)
{
	uint64_t size = f->info->nar_size, len = get_le64(f->head + CONTENTS_AT - 8);
	uint8_t got[HASH_SHA256_LEN];

	if (!f->offer->by_contents)
		return 0;
	if (size < CONTENTS_AT + CONTENTS_TAIL || len > size ||
	    size != CONTENTS_AT + (len + 7) / 8 * 8 + CONTENTS_TAIL ||
	    memcmp(f->head, lone_file, CONTENTS_AT - 8) != 0)
		return err_set(err, ERR_MISMATCH,
		               "its content address is that of a single file, but its NAR is not a "
		               "single regular file");
	sha256_final(&f->contents_sha, got);
	if (memcmp(got, f->offer->contents, sizeof got) != 0)
		return mismatch(f, err, "content hash", f->offer->contents, got);
	return 0;
}

static int end_nar(struct nar_fetch *f, struct err *err)
{
	uint8_t got[HASH_SHA256_LEN];
	char name[128];
	int rc;

	if (f->nar_got != f->info->nar_size)
		return err_set(err, ERR_MISMATCH,
		               "its NAR has %" PRIu64 " bytes, expected %" PRIu64, f->nar_got,
		               f->info->nar_size);
	sha256_final(&f->nar_sha, got);
	if (memcmp(got, f->info->nar_hash, sizeof got) != 0)
		return mismatch(f, err, "NAR hash", f->info->nar_hash, got);
	rc = check_contents(f, err);
	if (rc == 0 && f->copy >= 0) {
		offer_dir_name(f->offer, f->info, name, sizeof name);
		cache_dir_keep(f->caches->dir, f->copy, name);
	}
	return rc;
}

static int unpack(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct nar_fetch *f = CONTAINER(s, struct nar_fetch, unpacked);

	if (f->unpacking)
		return stream_read(unpacking_stream(f->unpacking), p, n, got, err);
	return stream_read(&f->packed, p, n, got, err);
}

/* Check the next bytes of the NAR; n == 0: its end. */
static int check(struct nar_fetch *f, const void *p, size_t n, struct err *err)
{
	if (n == 0)
		return end_nar(f, err);
	if (n > f->info->nar_size - f->nar_got)
		return err_set(err, ERR_LIMIT, "its NAR is larger than expected, %" PRIu64 " bytes",
		               f->info->nar_size);
	sha256_update(&f->nar_sha, p, n);
	hash_contents(f, p, n);
	f->nar_got += n;
	return 0;
}

static int read_nar(struct nar_fetch *f, void *p, size_t n, size_t *got, struct err *err)
{
	int rc;

	n = MIN(n, STEP);
	/* At most one byte more than its size, to notice a longer NAR. */
	if (n > f->info->nar_size - f->nar_got)
		n = (size_t)(f->info->nar_size - f->nar_got) + 1;
	rc = stream_read(&f->unpacked, p, n, got, err);
	return rc < 0 ? rc : check(f, p, *got, err);
}

/* Stop using a supplier that failed FAILURES_MAX times, if there are others. */
static void blame(struct caches *c, size_t supplier)
{
	struct supplier *s = &c->suppliers[supplier];

	pthread_mutex_lock(&c->lock);
	s->out = ++s->failures >= FAILURES_MAX && c->n > 1;
	pthread_mutex_unlock(&c->lock);
}

static bool is_out(struct caches *c, size_t supplier)
{
	bool out;

	pthread_mutex_lock(&c->lock);
	out = c->suppliers[supplier].out;
	pthread_mutex_unlock(&c->lock);
	return out;
}

int nar_fetch_read(struct nar_fetch *f, void *p, size_t n, size_t *got, struct err *err)
{
	char name[128];
	int rc;

	*got = 0;
	if (f->ended)
		return 0;
	rc = read_nar(f, p, n, got, err);
	f->ended = rc == 0 && *got == 0;
	if (rc == 0 || rc == -ERR_INTERRUPTED)
		return rc;
	if (f->kept >= 0) {
		offer_dir_name(f->offer, f->info, name, sizeof name);
		cache_dir_drop(f->caches->dir, name);
	}
	/* Too long, truncated, damaged: none of them matches the narinfo. */
	if (rc == -ERR_LIMIT || rc == -ERR_FORMAT)
		err->code = ERR_MISMATCH;
	if (f->file && rc == -ERR_IO)
		blame(f->caches, f->offer->supplier);
	return err_prefix(err, "%s from %s", f->info->path, f->from);
}

int nar_fetch_refused(struct nar_fetch *f, struct err *err)
{
	struct err other = ERR_INIT;
	uint8_t rest[4096];
	size_t got = 1;
	int rc = 0;

	while (rc == 0 && got)
		rc = nar_fetch_read(f, rest, sizeof rest, &got, &other);
	if (rc == 0)
		return err_prefix(err, "%s from %s", f->info->path, f->from);
	*err = other;
	return rc;
}

void nar_fetch_free(struct nar_fetch *f)
{
	if (!f)
		return;
	unpacking_free(f->unpacking);
	cache_file_free(f->file);
	nar_dump_free(f->dump);
	io_close(&f->kept);
	io_close(&f->copy);
	sha256_fini(&f->nar_sha);
	sha256_fini(&f->contents_sha);
	free(f);
}

/* ---- opening ---------------------------------------------------------------- */

static void open_local(struct nar_fetch *f, const struct supplier *s)
{
	_free_ char *path = local_store_real_path(s->local, f->info->path);

	f->dump = nar_dump_new(walk_dir_new(AT_FDCWD, path, WALK_DIR_CANONICAL));
	f->from = *s->name ? s->name : "/";
}

static void open_cache(struct nar_fetch *f, const struct supplier *s)
{
	struct offer *o = f->offer;

	f->file_max = offer_file_limit(o, f->info);
	f->from = s->name;
	f->file = offer_take_ahead(f->caches, o);
	if (!f->file)
		f->file = cache_open(s->cache, o->url, f->file_max,
		                     (size_t)MIN(f->file_max, (uint64_t)NAR_WINDOW));
	if (cache_remote(s->cache))
		f->copy = caches_begin_copy(f->caches);
	f->unpacking = unpacking_new(f->caches->unpacker, str_from(o->compression), &f->packed);
}

/* 1: it was not kept. */
static int open_kept(struct nar_fetch *f)
{
	char name[128];

	if (!f->caches->dir || !f->offer->compression)
		return 1;
	offer_dir_name(f->offer, f->info, name, sizeof name);
	f->kept = cache_dir_get(f->caches->dir, name);
	if (f->kept < 0)
		return 1;
	f->from = f->caches->opt.dir;
	f->file_max = narinfo_file_max(f->info->nar_size);
	f->unpacking =
	        unpacking_new(f->caches->unpacker, str_from(f->offer->compression), &f->packed);
	return 0;
}

/* Ask another supplier. 1: it does not have the NAR. */
static int ask_other(struct nar_fetch *f, size_t supplier, struct err *err)
{
	const struct supplier *s = &f->caches->suppliers[supplier];
	int rc = 1;

	if (!is_out(f->caches, supplier))
		rc = caches_ask_other(f->caches, f->info, f->offer, supplier, err);
	if (rc == 0 && s->local)
		open_local(f, s);
	else if (rc == 0)
		open_cache(f, s);
	return rc;
}

/*
 * The next source: the kept download, then the supplier of the offer, then the other
 * suppliers. If the offer came from a kept narinfo, its supplier is asked again, too: it
 * may have another file by now.
 */
static int open_next(struct nar_fetch *f, struct err *err)
{
	struct caches *c = f->caches;
	struct offer *o = f->offer;
	int rc = 1;

	while (rc == 1 && o->next < c->n + 2) {
		size_t turn = o->next++;
		const struct supplier *s = &c->suppliers[o->supplier];

		if (turn == 0)
			rc = open_kept(f);
		else if (turn == 1 && s->local)
			open_local(f, s), rc = 0;
		else if (turn == 1) {
			rc = is_out(c, o->supplier);
			if (!rc)
				open_cache(f, s);
		} else if (turn - 2 != o->supplier || o->from_kept)
			rc = ask_other(f, turn - 2, err);
	}
	return rc;
}

int caches_fetch(struct caches *c, size_t i, bool again, struct nar_fetch **out, struct err *err)
{
	struct nar_fetch *f = xcalloc(1, sizeof *f);
	int rc;

	f->packed.read = read_file;
	f->unpacked.read = unpack;
	f->caches = c;
	f->info = &c->paths[i];
	f->offer = &c->offers[i];
	f->kept = f->copy = -1;
	sha256_init(&f->nar_sha);
	sha256_init(&f->contents_sha);
	pthread_mutex_lock(&c->lock);
	f->offer->opened = true;
	pthread_mutex_unlock(&c->lock);
	if (!again)
		f->offer->next = 0;
	rc = open_next(f, err);
	if (rc) {
		nar_fetch_free(f);
		return rc;
	}
	*out = f;
	return 0;
}
