/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "cache/decompress.h"
#include "cache/decompress_codecs.h"

#include <string.h>

#define IN_SIZE (256u << 10)

struct decompressor {
	const struct codec *codec;
	struct nar_source src;
	struct state state;
	bool chosen;  /* codec is final: the first bytes were examined, or need not be */
	bool open;    /* state is initialized */
	bool started; /* some of the current stream was read */
	bool any;     /* a whole stream was read */
	struct io io;
	uint8_t in[IN_SIZE];
};

static const struct codec *find(struct str name)
{
	for (size_t i = 0; i < n_codecs; i++)
		if (str_is(name, codecs[i].name))
			return &codecs[i];
	return NULL;
}

static bool begins_with(const struct io *io, const struct codec *c)
{
	return c->magic_n && io->in_n >= c->magic_n && memcmp(io->in, c->magic, c->magic_n) == 0;
}

static const struct codec *find_magic(const struct io *io)
{
	for (size_t i = 0; i < n_codecs; i++)
		if (begins_with(io, &codecs[i]))
			return &codecs[i];
	return NULL;
}

bool decompress_is_slow(struct str name)
{
	const struct codec *c = find(name);

	return c && c->slow;
}

bool decompress_is_none(struct str name)
{
	const struct codec *c = find(name);

	return c && !c->step;
}

const char *decompress_suffix(struct str name)
{
	const struct codec *c = find(name);

	return c ? c->suffix : "";
}

struct decompressor *decompress_new(struct str name, struct nar_source src)
{
	/* Not xcalloc: the buffer needs no zeroing. */
	struct decompressor *d = xmalloc(sizeof *d);

	d->codec = find(name);
	d->src = src;
	/* These have no magic number. */
	d->chosen = d->codec && (!d->codec->step || !d->codec->magic_n);
	d->open = d->started = d->any = false;
	d->state.big = false;
	d->io = (struct io){0};
	return d;
}

void decompress_free(struct decompressor *d)
{
	if (d && d->open)
		d->codec->fini(&d->state);
	free(d);
}

/* Read more. A codec needs a stream's header whole, however small the pieces that arrive. */
static int refill(struct decompressor *d, struct err *err)
{
	size_t want = d->open ? 1 : CODEC_HEAD_MAX;

	while (d->io.in_n < want && !d->io.eof) {
		size_t got;
		int rc;

		if (d->io.in_n)
			memmove(d->in, d->io.in, d->io.in_n);
		d->io.in = d->in;
		rc = d->src.read(d->src.ctx, d->in + d->io.in_n, sizeof d->in - d->io.in_n, &got,
		                 err);
		if (rc < 0)
			return rc;
		d->io.in_n += got;
		d->io.eof = got == 0;
	}
	return 0;
}

/* By the first bytes, whatever the name, as libarchive does for Nix. */
static int choose(struct decompressor *d, struct err *err)
{
	const struct codec *seen = d->chosen ? NULL : find_magic(&d->io);

	if (seen)
		d->codec = seen;
	d->chosen = true;
	return d->codec ? 0
	                : err_set(err, ERR_UNSUPPORTED,
	                          "unknown compression: neither its name nor its first bytes match "
	                          "a supported one");
}

static int damaged(const struct decompressor *d, int rc, struct err *err)
{
	if (rc == -ERR_LIMIT)
		return err_set(err, ERR_UNSUPPORTED,
		               "decompressing the %s data needs too much memory; supported are %s",
		               d->codec->name, codec_bound(d->codec));
	return err_set(err, ERR_FORMAT, "the %s data is damaged", d->codec->name);
}

/* One step; at the end of a stream it is closed, and further data opens the next. */
static int step(struct decompressor *d, struct err *err)
{
	size_t in = d->io.in_n, out = d->io.out_n;
	int rc = 0;

	if (!d->open) {
		rc = d->codec->init(&d->state);
		d->open = rc == 0;
	}
	if (rc == 0)
		rc = d->codec->step(&d->state, &d->io);
	if (rc < 0)
		return damaged(d, rc, err);
	d->started |= d->io.in_n != in;
	if (rc == 1) {
		d->codec->fini(&d->state);
		d->open = d->started = false;
		d->any = true;
	} else if (d->io.eof && d->io.in_n == in && d->io.out_n == out) {
		return err_set(err, ERR_FORMAT, "the %s data is truncated", d->codec->name);
	}
	return 0;
}

int decompress_read(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	struct decompressor *d = ctx;

	if (d->codec && !d->codec->step)
		return d->src.read(d->src.ctx, p, n, got, err);
	d->io.out = p;
	d->io.out_n = n;
	while (d->io.out_n) {
		int rc = refill(d, err);

		if (rc < 0)
			return rc;
		if (!d->io.in_n && d->io.eof && !d->started && d->any)
			break;
		rc = choose(d, err);
		if (rc == 0)
			rc = step(d, err);
		if (rc < 0)
			return rc;
	}
	*got = n - d->io.out_n;
	return 0;
}
