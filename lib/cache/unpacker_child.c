/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cache/nar_index.h"
#include "cache/narinfo_wire.h"
#include "cache/unpacker_internal.h"

static const struct wire_rule rules[] = {
        {0, UNPACKER_STEP, UNPACKER_STEP_MAX, 0},
        {0, UNPACKER_STOP, 0, 0},
        {0, UNPACKER_NARINFO, UNPACKER_NARINFO_MAX, 0},
        {0, UNPACKER_CACHE_INFO, CACHE_INFO_BYTES_MAX, 0},
};

struct line {
	struct stream packed; /* what the parent gives */
	struct wire wire;
	struct unpacker_memory *memory;
	struct decompressor *decompressor; /* the stream: one of these, or none */
	struct nar_indexer *indexer;
	/* Slots with compressed bytes: given and read since the start; bytes of the next one. */
	uint32_t given, taken;
	size_t sizes[UNPACKER_IN_SLOTS], pos;
	bool ended;     /* no more will be given */
	unsigned slots; /* that may be filled */
	unsigned out;   /* the next one */
	bool over;      /* the stream has ended or failed: only STOP or a start come next */
	bool stopped;
};

/* Of a STEP. */
static int take_step(struct line *l, const struct buf *body, bool *start, struct buf *name,
                     struct err *err)
{
	struct bytes b = bytes_over(body->p, body->n);
	struct str s;

	*start = wire_u32_get(&b, 1);
	if (*start) {
		l->given = l->taken = l->slots = l->out = 0;
		l->pos = 0;
		l->over = false;
	}
	l->slots += wire_u32_get(&b, UNPACKER_OUT_SLOTS);
	for (size_t i = 0; i < UNPACKER_IN_SLOTS; i++) {
		size_t n = wire_u32_get(&b, sizeof l->memory->in[0]);

		if (n && l->given - l->taken < UNPACKER_IN_SLOTS)
			l->sizes[l->given++ % UNPACKER_IN_SLOTS] = n;
	}
	l->ended = wire_u32_get(&b, 1);
	s = wire_text_get(&b, UNPACKER_NAME_MAX);
	if (!wire_end(&b))
		return err_set(err, ERR_CHILD, "an invalid request");
	buf_reset(name);
	buf_put(name, s.p, s.n);
	return 0;
}

/* NEED or OUT. */
static int answer(struct line *l, uint32_t type, size_t n, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_u32_put(&body, l->taken);
	wire_u32_put(&body, (uint32_t)n);
	return wire_put(&l->wire, type, buf_str(&body), err);
}

/* Inside a stream, the next STEP. -ERR_INTERRUPTED: to stop, or the line is closed. */
static int get_step(struct line *l, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT, name = BUF_INIT;
	uint32_t type = 0;
	bool start;
	int rc = wire_get(&l->wire, &type, &body, err);

	if (rc == 1)
		return err_set(err, ERR_INTERRUPTED, "the line is closed");
	if (rc < 0)
		return rc;
	l->stopped = type == UNPACKER_STOP;
	if (l->stopped)
		return err_set(err, ERR_INTERRUPTED, "stopped");
	if (type != UNPACKER_STEP)
		return err_set(err, ERR_CHILD, "an invalid request");
	return take_step(l, &body, &start, &name, err);
}

/* More compressed bytes, for decompress_read(). */
static int read_in(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct line *l = CONTAINER(s, struct line, packed);
	uint32_t i;
	int rc = 0;

	*got = 0;
	while (rc == 0 && l->given == l->taken && !l->ended) {
		rc = answer(l, UNPACKER_NEED, 0, err);
		if (rc == 0)
			rc = get_step(l, err);
	}
	if (rc < 0 || l->given == l->taken)
		return rc;
	i = l->taken % UNPACKER_IN_SLOTS;
	*got = MIN(n, l->sizes[i] - l->pos);
	memcpy(p, l->memory->in[i] + l->pos, *got);
	l->pos += *got;
	if (l->pos == l->sizes[i]) {
		l->taken++;
		l->pos = 0;
	}
	return 0;
}

static void end_stream(struct line *l)
{
	decompress_free(take(&l->decompressor));
	nar_indexer_free(take(&l->indexer));
}

static void begin_stream(struct line *l, struct str name)
{
	end_stream(l);
	l->packed.read = read_in;
	if (str_is(name, NAR_INDEX) || str_is(name, DRV_OUTPUTS))
		l->indexer = nar_indexer_new(name, &l->packed);
	else
		l->decompressor = decompress_new(name, &l->packed);
}

/* Fill the next slot, or up to the stream's end. */
static int read_stream(struct line *l, size_t *n, struct err *err)
{
	uint8_t *slot = l->memory->out[l->out];
	size_t size = sizeof l->memory->out[0], got = 1;
	int rc = 0;

	l->out = (l->out + 1) % UNPACKER_OUT_SLOTS;
	for (*n = 0; rc == 0 && got && *n < size; *n += got) {
		uint8_t *to = slot + *n;
		size_t room = size - *n;

		got = 0;
		rc = l->indexer ? nar_indexer_read(l->indexer, to, room, &got, err)
		                : decompress_read(l->decompressor, to, room, &got, err);
	}
	return rc;
}

static int say_failed(struct line *l, const struct err *why, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_err_put(&body, why);
	return wire_put(&l->wire, UNPACKER_FAILED, buf_str(&body), err);
}

/* Fill a slot. */
static int fill(struct line *l, struct err *err)
{
	struct err why = ERR_INIT;
	size_t got = 0;
	int rc = read_stream(l, &got, &why);

	if (rc < 0 && l->stopped)
		return 0;
	l->slots--;
	l->over = rc < 0 || got < sizeof l->memory->out[0];
	return rc < 0 ? say_failed(l, &why, err) : answer(l, UNPACKER_OUT, got, err);
}

static int step(struct line *l, const struct buf *request, struct err *err)
{
	_cleanup_(buf_fini) struct buf name = BUF_INIT;
	bool start = false;
	int rc = take_step(l, request, &start, &name, err);

	if (rc < 0)
		return rc;
	if (start)
		begin_stream(l, buf_str(&name));
	if (!l->decompressor && !l->indexer)
		return err_set(err, ERR_CHILD, "no stream");
	while (rc == 0 && l->slots && !l->over && !l->stopped)
		rc = fill(l, err);
	return rc;
}

static int parse_narinfo(struct line *l, const struct buf *request, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	_cleanup_(narinfo_fini) struct narinfo info = {0};
	struct str text = buf_str(request), digest = {text.p, MIN(text.n, STORE_DIGEST_LEN)};
	struct err why = ERR_INIT;

	if (narinfo_parse(str_drop(text, digest.n), digest, &info, &why) < 0)
		return say_failed(l, &why, err);
	narinfo_put(&info, &body);
	return wire_put(&l->wire, UNPACKER_NARINFO_IS, buf_str(&body), err);
}

static int parse_cache_info(struct line *l, const struct buf *request, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct cache_info info;
	struct err why = ERR_INIT;

	if (cache_info_parse(buf_str(request), &info, &why) < 0)
		return say_failed(l, &why, err);
	wire_u32_put(&body, info.priority);
	wire_u32_put(&body, info.want_mass_query);
	return wire_put(&l->wire, UNPACKER_CACHE_INFO_IS, buf_str(&body), err);
}

static int serve(struct line *l, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = 0;
	int rc = wire_get(&l->wire, &type, &body, err);

	if (rc)
		return rc;
	l->stopped = type == UNPACKER_STOP;
	if (type == UNPACKER_NARINFO)
		return parse_narinfo(l, &body, err);
	if (type == UNPACKER_CACHE_INFO)
		return parse_cache_info(l, &body, err);
	if (type == UNPACKER_STEP)
		rc = step(l, &body, err);
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
