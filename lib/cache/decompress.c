/* SPDX-License-Identifier: MIT */
#include "cache/decompress.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/pull.h"

#define IN_SIZE (256u << 10)
#define MEMORY_USUAL (16u << 20)
#define MEMORY_MAX (72u << 20)
#define ZSTD_WINDOW_MAX (128u << 20) /* zstd's own limit, and what its highest level uses */

/* A compression of caches; codec NULL: the data as it is. */
static const struct way {
	const char *name, *suffix;
	const struct codec *codec;
	bool slow;
	const char *bound; /* of its memory */
} ways[] = {
        {"none", "", NULL, false, ""},
        {"xz", ".xz", &codec_xzs, true, "dictionaries of up to 64 MiB"},
        {"zstd", ".zst", &codec_zstd, false, "windows of up to 128 MiB"},
        {"bzip2", ".bz2", &codec_bzip2, true, "its standard settings"},
        {"gzip", ".gz", &codec_gzip, false, "its standard settings"},
        {"br", ".br", &codec_br, true, "its standard settings"},
        {"lz4", ".lz4", &codec_lz4, false, "its standard settings"},
        {"lzma", ".lzma", &codec_lzma, true, "dictionaries of up to 64 MiB"},
};

struct decompressor {
	const struct way *way;
	bool chosen; /* way is final: the first bytes were examined, or need not be */
	struct stream *src;
	struct pull pull;
	uint8_t in[IN_SIZE];
};

/* ---- much memory ------------------------------------------------------------ */

/*
 * Only one stream at a time may use more than MEMORY_USUAL, to limit the memory of
 * many threads. The holder never waits for another waiter, so this cannot deadlock.
 */
static sem_t big_turn;
static pthread_once_t big_once = PTHREAD_ONCE_INIT;

static void init_big_turn(void)
{
	sem_init(&big_turn, 0, 1);
}

static void take_big_turn(void)
{
	pthread_once(&big_once, init_big_turn);
	while (sem_wait(&big_turn) < 0)
		;
}

static void end_big_turn(void)
{
	sem_post(&big_turn);
}

/* ---- which ------------------------------------------------------------------ */

static const struct way *find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		if (str_is(name, ways[i].name))
			return &ways[i];
	return NULL;
}

static const struct way *find_magic(const struct codec_io *io)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const struct codec *c = ways[i].codec;

		if (c && c->magic_n && io->in_n >= c->magic_n &&
		    memcmp(io->in, c->magic, c->magic_n) == 0)
			return &ways[i];
	}
	return NULL;
}

bool decompress_is_slow(struct str name)
{
	const struct way *w = find(name);

	return w && w->slow;
}

bool decompress_is_none(struct str name)
{
	const struct way *w = find(name);

	return w && !w->codec;
}

const char *decompress_suffix(struct str name)
{
	const struct way *w = find(name);

	return w ? w->suffix : "";
}

/* By the first bytes, whatever the name, as libarchive does for Nix. */
static int choose(struct decompressor *d, struct err *err)
{
	const struct way *seen = d->chosen ? NULL : find_magic(&d->pull.io);

	if (seen)
		d->way = seen;
	d->chosen = true;
	if (!d->way)
		return err_set(err, ERR_UNSUPPORTED,
		               "unknown compression: neither its name nor its first bytes match "
		               "a supported one");
	d->pull.codec = d->way->codec;
	return 0;
}

/* ---- the stream ------------------------------------------------------------- */

struct decompressor *decompress_new(struct str name, struct stream *src)
{
	/* Not xcalloc: the buffer needs no zeroing. */
	struct decompressor *d = xmalloc(sizeof *d);

	d->way = find(name);
	d->src = src;
	/* These have no magic number. */
	d->chosen = d->way && (!d->way->codec || !d->way->codec->magic_n);
	d->pull = (struct pull){.memory = {.usual = MEMORY_USUAL,
	                                   .most = MEMORY_MAX,
	                                   .window = ZSTD_WINDOW_MAX,
	                                   .begin_big = take_big_turn,
	                                   .end_big = end_big_turn},
	                        .src = src,
	                        .in = d->in,
	                        .in_size = sizeof d->in};
	return d;
}

void decompress_free(struct decompressor *d)
{
	if (d)
		pull_fini(&d->pull);
	free(d);
}

int decompress_read(struct decompressor *d, void *p, size_t n, size_t *got, struct err *err)
{
	if (d->way && !d->way->codec)
		return stream_read(d->src, p, n, got, err);
	d->pull.io.out = p;
	d->pull.io.out_n = n;
	while (d->pull.io.out_n) {
		int rc = pull_fill(&d->pull, err);

		if (rc < 0)
			return rc;
		if (pull_at_end(&d->pull))
			break;
		rc = choose(d, err);
		if (rc == 0)
			rc = pull_step(&d->pull, err);
		if (rc == -ERR_LIMIT)
			return err_set(err, ERR_UNSUPPORTED,
			               "decompressing the %s data needs too much memory; supported "
			               "are %s",
			               d->way->name, d->way->bound);
		if (rc < 0)
			return rc;
	}
	*got = n - d->pull.io.out_n;
	return 0;
}
