/* SPDX-License-Identifier: MIT */
#include "codec/pull.h"

#include <inttypes.h>
#include <string.h>

static void close_stream(struct pull *p)
{
	p->codec->fini(&p->state);
	p->open = p->started = false;
}

void pull_fini(struct pull *p)
{
	if (p->open)
		close_stream(p);
}

int pull_fill(struct pull *p, struct err *err)
{
	size_t want = p->open ? 1 : CODEC_HEAD_MAX;

	/* A codec needs a stream's header whole, however small the pieces that arrive. */
	while (p->io.in_n < want && !p->io.eof) {
		size_t got;
		int rc;

		if (p->io.in_n)
			memmove(p->in, p->io.in, p->io.in_n);
		p->io.in = p->in;
		rc = stream_read(p->src, p->in + p->io.in_n, p->in_size - p->io.in_n, &got, err);
		if (rc < 0)
			return rc;
		p->io.in_n += got;
		p->fed += got;
		p->io.eof = got == 0;
	}
	return 0;
}

bool pull_at_end(const struct pull *p)
{
	return !p->io.in_n && p->io.eof && !p->started && p->any;
}

int pull_step(struct pull *p, struct err *err)
{
	size_t in = p->io.in_n, out = p->io.out_n;
	int rc = 0;

	if (!p->open) {
		p->state = (struct codec_state){.memory = &p->memory};
		rc = p->codec->init(&p->state);
		/* Also after a failure there is something to free. */
		p->open = true;
	}
	if (rc == 0)
		rc = p->codec->step(&p->state, &p->io);
	if (rc == -ERR_LIMIT)
		return err_set(err, ERR_LIMIT,
		               "decompressing the %s data needs more than the limit of %" PRIu64
		               " bytes of memory",
		               p->codec->name, p->memory.most);
	if (rc < 0)
		return err_set(err, ERR_FORMAT, "the %s data is damaged", p->codec->name);
	p->started |= p->io.in_n != in;
	if (rc == 1) {
		close_stream(p);
		p->any = true;
		return 1;
	}
	if (p->io.eof && p->io.in_n == in && p->io.out_n == out)
		return err_set(err, ERR_FORMAT, "the %s data is truncated", p->codec->name);
	return 0;
}

uint64_t pull_used(const struct pull *p)
{
	return p->fed - p->io.in_n;
}
