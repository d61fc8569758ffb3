/* SPDX-License-Identifier: MIT */
/* The parent's side: it looks at no byte that a cache wrote, only at the child's messages. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "cache/narinfo_wire.h"
#include "cache/unpacker_internal.h"
#include "jail/jail_lines.h"

#define UNPACKER_MEMORY (1ull << 30)
#define UNPACKER_SECONDS 86400
#define PEER "the unpacking process"
#define STOP_MS 10000    /* for the answer to STOP */
#define ANSWER_MS 300000 /* for any other: a piece takes some milliseconds on a quiet machine */

static const struct wire_rule rules[] = {
        {0, UNPACKER_NEED, 8, 0},
        {0, UNPACKER_OUT, 8, 0},
        {0, UNPACKER_FAILED, WIRE_ERR_MAX, 0},
        {0, UNPACKER_STOPPED, 0, 0},
        {0, UNPACKER_NARINFO_IS, WIRE_BODY_MAX, 0},
        {0, UNPACKER_CACHE_INFO_IS, 8, 0},
};

struct line {
	struct wire wire;
	struct unpacker_memory *memory;
	bool taken;
};

struct unpacker {
	struct jail jail;
	struct unpacker_memory *memory;
	struct jail_lines ends;
	struct line lines[UNPACKER_LINES];
	pthread_mutex_t lock;
	pthread_cond_t given; /* a line is free */
	struct err end;       /* how the process ended early, or which rule it broke */
};

struct unpacking {
	struct stream stream;
	struct unpacker *unpacker;
	struct stream *src;
	char name[UNPACKER_NAME_MAX];
	struct line *line;
	bool started, src_ended, ended;
	unsigned asked;       /* slots for unpacked bytes that the child may fill */
	uint32_t sent, taken; /* slots with compressed bytes */
	unsigned out_next;
	const uint8_t *out; /* the slot being read: n bytes, pos of them are done */
	size_t pos, n;
};

/* ---- the process ------------------------------------------------------------ */

static int make_memory(struct unpacker *u, struct err *err)
{
	void *p = mmap(NULL, UNPACKER_LINES * sizeof *u->memory, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return err_sys(err, errno, "memory for unpacking");
	u->memory = p;
	return 0;
}

static int start(struct unpacker *u, struct err *err)
{
	struct unpacker_child child = {.memory = u->memory};
	struct jail_spec spec = {.role = JAIL_UNPACKER,
	                         .uid = JAIL_NOBODY,
	                         .memory = UNPACKER_MEMORY,
	                         .cpu = UNPACKER_SECONDS,
	                         .main = unpacker_main,
	                         .arg = &child};
	int rc = jail_lines_make(&u->ends, UNPACKER_LINES, &spec, err);

	_Static_assert(UNPACKER_LINES <= JAIL_LINES_MAX, "lines of a jail");
	for (size_t i = 0; i < u->ends.n; i++) {
		u->lines[i].wire.fd = u->ends.ours[i];
		child.line[i] = u->ends.given[i];
	}
	if (rc == 0)
		rc = jail_start(&spec, &u->jail, err);
	jail_lines_started(&u->ends);
	return rc;
}

int unpacker_start(struct unpacker **out, struct err *err)
{
	struct unpacker *u = xcalloc(1, sizeof *u);
	int rc;

	u->jail = (struct jail)JAIL_INIT;
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->given, NULL);
	rc = make_memory(u, err);
	for (size_t i = 0; rc == 0 && i < UNPACKER_LINES; i++) {
		u->lines[i].memory = &u->memory[i];
		u->lines[i].wire = (struct wire){
		        .fd = -1, .rules = rules, .rule_count = ARRAY_LEN(rules), .peer = PEER};
	}
	if (rc == 0)
		rc = start(u, err);
	if (rc < 0)
		unpacker_free(u);
	else
		*out = u;
	return rc;
}

void unpacker_free(struct unpacker *u)
{
	if (!u)
		return;
	jail_fini(&u->jail);
	jail_lines_fini(&u->ends);
	if (u->memory)
		munmap(u->memory, UNPACKER_LINES * sizeof *u->memory);
	pthread_mutex_destroy(&u->lock);
	pthread_cond_destroy(&u->given);
	free(u);
}

/* ---- lines ------------------------------------------------------------------ */

static struct line *find_free(struct unpacker *u)
{
	for (size_t i = 0; i < UNPACKER_LINES; i++)
		if (!u->lines[i].taken)
			return &u->lines[i];
	return NULL;
}

static struct line *take_line(struct unpacker *u)
{
	struct line *l;

	pthread_mutex_lock(&u->lock);
	while (!(l = find_free(u)))
		pthread_cond_wait(&u->given, &u->lock);
	l->taken = true;
	pthread_mutex_unlock(&u->lock);
	return l;
}

static void give_line(struct unpacker *u, struct line *l)
{
	pthread_mutex_lock(&u->lock);
	l->taken = false;
	pthread_cond_signal(&u->given);
	pthread_mutex_unlock(&u->lock);
}

/*
 * After an error of the process it is not asked again: the first error is that of all requests from
 * now on. It is killed if it still runs, so that no thread waits for it.
 */
static int broken(struct unpacker *u, bool line_closed, struct err *err)
{
	struct err how = ERR_INIT;

	pthread_mutex_lock(&u->lock);
	if (!u->end.code) {
		if (line_closed && jail_reap(&u->jail, PEER, &how) < 0)
			*err = how;
		jail_end(&u->jail, true);
		u->end = *err;
		u->end.code = ERR_CHILD;
	}
	*err = u->end;
	pthread_mutex_unlock(&u->lock);
	return -ERR_CHILD;
}

static int put(struct unpacker *u, struct line *l, uint32_t type, struct str body, struct err *err)
{
	return wire_send(&l->wire, type, body, err) < 0 ? broken(u, true, err) : 0;
}

/* The next message; that the line is closed is an error, too. */
static int get(struct unpacker *u, struct line *l, int64_t wait_ms, uint32_t *type,
               struct buf *body, struct err *err)
{
	int rc = wire_recv(&l->wire, type, body, wait_ms, NULL, err);

	if (rc == 1)
		err_set(err, ERR_CHILD, "%s: ended early", PEER);
	return rc ? broken(u, rc == 1, err) : 0;
}

/* What the process said instead of an answer: the error of the data, or nonsense. */
static int get_failed(struct unpacker *u, uint32_t type, const struct buf *body, struct err *err)
{
	int rc = -ERR_CHILD;

	if (type == UNPACKER_FAILED)
		rc = wire_err_get(buf_str(body), err);
	else
		err_set(err, ERR_CHILD, "%s: an unexpected answer", PEER);
	return rc == -ERR_CHILD ? broken(u, false, err) : rc;
}

/* ---- texts ------------------------------------------------------------------ */

/* One request and its answer, whose type must be "wanted". */
static int ask(struct unpacker *u, uint32_t type, struct str text, uint32_t wanted, struct buf *out,
               struct err *err)
{
	struct line *l = take_line(u);
	uint32_t said = 0;
	int rc = put(u, l, type, text, err);

	if (rc == 0)
		rc = get(u, l, ANSWER_MS, &said, out, err);
	give_line(u, l);
	if (rc == 0 && said != wanted)
		rc = get_failed(u, said, out, err);
	return rc;
}

int unpacker_narinfo(struct unpacker *u, struct str text, struct str digest, struct buf *bytes,
                     struct narinfo *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf request = BUF_INIT;
	int rc;

	/* The line could not take it. */
	if (text.n > NARINFO_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "narinfo: %zu bytes, more than the limit of %u",
		               text.n, NARINFO_BYTES_MAX);
	buf_put(&request, digest.p, digest.n);
	buf_put(&request, text.p, text.n);
	rc = ask(u, UNPACKER_NARINFO, buf_str(&request), UNPACKER_NARINFO_IS, bytes, err);
	if (rc < 0)
		return rc;
	return narinfo_get(buf_str(bytes), digest, out, err) < 0 ? broken(u, false, err) : 0;
}

int unpacker_cache_info(struct unpacker *u, struct str text, struct cache_info *out,
                        struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct bytes b;
	int rc = ask(u, UNPACKER_CACHE_INFO, text, UNPACKER_CACHE_INFO_IS, &body, err);

	if (rc < 0)
		return rc;
	b = bytes_over(body.p, body.n);
	out->priority = wire_u32_get(&b, CACHE_PRIORITY_MAX);
	out->want_mass_query = wire_u32_get(&b, 1);
	if (wire_end(&b))
		return 0;
	err_set(err, ERR_CHILD, "%s: an invalid answer", PEER);
	return broken(u, false, err);
}

/* ---- streams ---------------------------------------------------------------- */

/* Fill a slot as far as there are bytes. */
static int fill_slot(struct unpacking *s, uint8_t *slot, size_t size, uint32_t *n, struct err *err)
{
	size_t got = 0;
	int rc = 0;

	for (*n = 0; rc == 0 && !s->src_ended && *n < size; *n += (uint32_t)got) {
		got = 0;
		rc = stream_read(s->src, slot + *n, size - *n, &got, err);
		s->src_ended = rc == 0 && !got;
	}
	return rc;
}

/* Let it fill so many slots more, and fill those that it has read. */
static int step(struct unpacking *s, unsigned slots, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct unpacker_memory *m = s->line->memory;
	int rc = 0;

	wire_u32_put(&body, !s->started);
	wire_u32_put(&body, slots);
	for (size_t i = 0; i < UNPACKER_IN_SLOTS; i++) {
		uint8_t *in = m->in[s->sent % UNPACKER_IN_SLOTS];
		uint32_t n = 0;

		if (s->sent - s->taken < UNPACKER_IN_SLOTS && !s->src_ended && rc == 0)
			rc = fill_slot(s, in, sizeof m->in[0], &n, err);
		wire_u32_put(&body, n);
		s->sent += n > 0;
	}
	wire_u32_put(&body, s->src_ended);
	wire_text_put(&body, str_from(s->name));
	if (rc < 0)
		return rc;
	s->started = true;
	s->asked += slots;
	return put(s->unpacker, s->line, UNPACKER_STEP, buf_str(&body), err);
}

/* NEED or OUT. */
static int take_answer(struct unpacking *s, uint32_t type, const struct buf *body, struct err *err)
{
	const struct unpacker_memory *m = s->line->memory;
	struct bytes b = bytes_over(body->p, body->n);
	uint32_t taken = wire_u32_get(&b, UINT32_MAX), n = wire_u32_get(&b, sizeof m->out[0]);

	if (!wire_end(&b) || s->sent - taken > UNPACKER_IN_SLOTS || !s->asked) {
		err_set(err, ERR_CHILD, "%s: an invalid answer", PEER);
		return broken(s->unpacker, false, err);
	}
	s->taken = taken;
	if (type == UNPACKER_NEED)
		return step(s, 0, err);
	s->asked--;
	s->out = m->out[s->out_next];
	s->out_next = (s->out_next + 1) % UNPACKER_OUT_SLOTS;
	s->pos = 0;
	s->n = n;
	s->ended = n < sizeof m->out[0];
	return 0;
}

/* The next slot. */
static int unpack(struct unpacking *s, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = UNPACKER_NEED;
	int rc;

	if (!s->line)
		s->line = take_line(s->unpacker);
	rc = step(s, UNPACKER_OUT_SLOTS - s->asked, err);
	while (rc == 0 && type == UNPACKER_NEED) {
		rc = get(s->unpacker, s->line, ANSWER_MS, &type, &body, err);
		if (rc == 0 && type != UNPACKER_NEED && type != UNPACKER_OUT)
			rc = get_failed(s->unpacker, type, &body, err);
		if (rc == 0)
			rc = take_answer(s, type, &body, err);
	}
	return rc;
}

static int read_unpacked(struct stream *stream, void *p, size_t n, size_t *got, struct err *err)
{
	struct unpacking *s = (struct unpacking *)stream;
	int rc = 0;

	if (decompress_is_none(str_from(s->name)))
		return stream_read(s->src, p, n, got, err);
	if (s->pos == s->n && !s->ended)
		rc = unpack(s, err);
	if (rc < 0)
		return rc;
	/* The bytes may change at any time: they are looked at only in the copy. */
	*got = MIN(n, s->n - s->pos);
	memcpy(p, s->out + s->pos, *got);
	s->pos += *got;
	return 0;
}

struct unpacking *unpacking_new(struct unpacker *u, struct str name, struct stream *src)
{
	struct unpacking *s = xcalloc(1, sizeof *s);

	s->stream.read = read_unpacked;
	s->unpacker = u;
	s->src = src;
	memcpy(s->name, name.p, MIN(name.n, sizeof s->name - 1));
	return s;
}

struct stream *unpacking_stream(struct unpacking *s)
{
	return &s->stream;
}

/* End the stream. Answers to what it was asked before may come first. */
static void stop(struct unpacking *s)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct err ignored = ERR_INIT; /* the next request has it, too */
	struct unpacker *u = s->unpacker;
	unsigned left = s->asked + UNPACKER_IN_SLOTS + 1;
	uint32_t type = 0;
	int rc = put(u, s->line, UNPACKER_STOP, STR(""), &ignored);

	while (rc == 0 && type != UNPACKER_STOPPED && left--)
		rc = get(u, s->line, STOP_MS, &type, &body, &ignored);
	if (rc == 0 && type != UNPACKER_STOPPED)
		(void)get_failed(u, type, &body, &ignored);
}

void unpacking_free(struct unpacking *s)
{
	if (!s)
		return;
	if (s->line) {
		stop(s);
		give_line(s->unpacker, s->line);
	}
	free(s);
}
