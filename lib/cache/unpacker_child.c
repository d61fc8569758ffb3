/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cache/unpacker_internal.h"

static const struct wire_rule rules[] = {
        {0, UNPACKER_STEP, UNPACKER_STEP_MAX, 0},
        {0, UNPACKER_STOP, 0, 0},
};

struct line {
	struct wire wire;
	struct unpacker_memory *memory;
	struct decompressor *decompressor;
	size_t pos, n; /* of memory->in */
	bool ended;
	bool stopped;
	uint32_t want;
};

/* The next request. -ERR_INTERRUPTED: to stop; 1: the line is closed. */
static int get_request(struct line *l, bool *start, struct buf *name, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = 0;
	struct bytes b;
	struct str s;
	size_t size;
	int rc = wire_get(&l->wire, &type, &body, err);

	if (rc)
		return rc;
	l->stopped = type == UNPACKER_STOP;
	if (l->stopped)
		return err_set(err, ERR_INTERRUPTED, "stopped");
	b = bytes_over(body.p, body.n);
	*start = wire_u32_get(&b, 1);
	size = wire_u32_get(&b, sizeof l->memory->in);
	/* Without new bytes those that are left are still to be read. */
	if (*start || size) {
		l->pos = 0;
		l->n = size;
	}
	l->ended = wire_u32_get(&b, 1);
	l->want = wire_u32_get(&b, sizeof l->memory->out);
	s = wire_text_get(&b, UNPACKER_NAME_MAX);
	if (!wire_end(&b))
		return err_set(err, ERR_CHILD, "an invalid request");
	buf_reset(name);
	buf_put(name, s.p, s.n);
	return 0;
}

/* More compressed bytes, for decompress_read(). */
static int read_in(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	struct line *l = ctx;
	_cleanup_(buf_fini) struct buf name = BUF_INIT;
	bool start;
	int rc = 0;

	while (rc == 0 && l->pos == l->n && !l->ended) {
		rc = wire_put(&l->wire, UNPACKER_NEED, STR(""), err);
		if (rc == 0)
			rc = get_request(l, &start, &name, err);
		if (rc == 1)
			rc = err_set(err, ERR_INTERRUPTED, "the line is closed");
	}
	if (rc < 0)
		return rc;
	*got = MIN(n, l->n - l->pos);
	memcpy(p, l->memory->in + l->pos, *got);
	l->pos += *got;
	return 0;
}

static void end_stream(struct line *l)
{
	decompress_free(l->decompressor);
	l->decompressor = NULL;
}

static int say_failed(struct line *l, const struct err *why, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_err_put(&body, why);
	return wire_put(&l->wire, UNPACKER_FAILED, buf_str(&body), err);
}

static int step(struct line *l, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct err why = ERR_INIT;
	size_t got = 0;
	int rc = decompress_read(l->decompressor, l->memory->out, l->want, &got, &why);

	if (rc < 0 && l->stopped)
		return 0;
	if (rc < 0)
		return say_failed(l, &why, err);
	wire_u32_put(&body, (uint32_t)got);
	return wire_put(&l->wire, UNPACKER_OUT, buf_str(&body), err);
}

static int serve(struct line *l, struct err *err)
{
	_cleanup_(buf_fini) struct buf name = BUF_INIT;
	bool start = false;
	int rc = get_request(l, &start, &name, err);

	if (rc == 0 && start) {
		end_stream(l);
		l->decompressor = decompress_new(buf_str(&name), (struct nar_source){read_in, l});
	}
	if (rc == 0)
		rc = l->decompressor ? step(l, err) : err_set(err, ERR_CHILD, "no stream");
	if (!l->stopped)
		return rc;
	end_stream(l);
	l->stopped = false;
	return wire_put(&l->wire, UNPACKER_STOPPED, STR(""), err);
}

static void *serve_line(void *arg)
{
	struct line *l = arg;
	struct err err = ERR_INIT;

	while (serve(l, &err) == 0)
		continue;
	/* The parent must not wait for an answer. */
	(void)shutdown(l->wire.fd, SHUT_RDWR);
	end_stream(l);
	return NULL;
}

int unpacker_main(void *arg)
{
	const struct unpacker_child *c = arg;
	struct line lines[UNPACKER_LINES];
	struct err err = ERR_INIT;
	pthread_t thread;
	size_t got;
	char end;

	for (size_t i = 0; i < UNPACKER_LINES; i++) {
		lines[i] = (struct line){.memory = &c->memory[i],
		                         .wire = {.fd = c->line[i],
		                                  .rules = rules,
		                                  .rule_count = ARRAY_LEN(rules),
		                                  .peer = "parent"}};
		if (pool_thread(&thread, serve_line, &lines[i]) != 0)
			return 1;
	}
	/* The parent says nothing here; it ends. */
	return io_read(JAIL_PARENT, "parent", &end, 1, &got, &err) < 0;
}
