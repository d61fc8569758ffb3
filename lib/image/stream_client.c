/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/stream_wire.h"
#include "image/stream_wire_internal.h"

static const struct wire_rule rules[] = {
        {0, STREAM_OPENED, 0, 0},
        {0, STREAM_NONE, 0, 0},
        {0, STREAM_DATA, 8, 0},
        {0, STREAM_CLOSED, 0, 0},
        {0, STREAM_FAILED, WIRE_ERR_MAX, 0},
};

/* One NAR at a time. */
struct line {
	struct stream nar;
	struct wire wire;
	bool taken;
	const struct stream_memory *memory;
	unsigned reads;       /* under way */
	struct buf body;      /* of the last message */
	const uint8_t *piece; /* being read: n bytes, pos of them are done */
	size_t n, pos;
	bool ended;
};

struct stream_client {
	struct stream_source source;
	const bool *slow;
	struct line lines[STREAM_LINES_MAX]; /* the first is for control messages */
	size_t n;
	pthread_mutex_t lock; /* of "taken", and of writing to the control line */
};

static struct stream_client *client_of(const struct stream_source *src)
{
	return (struct stream_client *)(uintptr_t)((const char *)src -
	                                           offsetof(struct stream_client, source));
}

/* One answer. */
static int get(struct line *l, uint32_t *type, struct buf *body, struct err *err)
{
	int rc = wire_get(&l->wire, type, body, err);

	return rc == 1 ? err_set(err, ERR_CHILD, "%s: has closed its line", l->wire.peer) : rc;
}

static int ask_more(struct line *l, struct err *err)
{
	int rc = 0;

	while (rc == 0 && !l->ended && l->reads < STREAM_AHEAD) {
		rc = wire_put(&l->wire, STREAM_READ, STR(""), err);
		l->reads++;
	}
	return rc;
}

/* Where a DATA message's bytes are. */
static int use_piece(struct line *l, struct err *err)
{
	struct bytes b = bytes_over(l->body.p, l->body.n);

	l->piece = l->memory->piece[wire_u32_get(&b, STREAM_PIECES - 1)];
	l->n = wire_u32_get(&b, STREAM_PIECE);
	l->pos = 0;
	l->ended = !l->n;
	return wire_end(&b) ? 0 : err_set(err, ERR_CHILD, "%s: an invalid answer", l->wire.peer);
}

/* The next piece. */
static int next_piece(struct line *l, struct err *err)
{
	uint32_t type = 0;
	int rc = ask_more(l, err);

	if (rc == 0)
		rc = get(l, &type, &l->body, err);
	if (rc < 0)
		return rc;
	l->reads--;
	if (type == STREAM_DATA)
		return use_piece(l, err);
	l->ended = true;
	return type == STREAM_FAILED
	               ? wire_err_get(buf_str(&l->body), err)
	               : err_set(err, ERR_CHILD, "%s: an invalid answer", l->wire.peer);
}

static int nar_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct line *l = (struct line *)s;
	int rc = 0;

	if (l->pos == l->n && !l->ended)
		rc = next_piece(l, err);
	if (rc < 0)
		return rc;
	*got = MIN(n, l->n - l->pos);
	memcpy(p, l->piece + l->pos, *got);
	l->pos += *got;
	return ask_more(l, err);
}

static struct line *take_line(struct stream_client *c)
{
	struct line *found = NULL;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 1; i < c->n && !found; i++)
		if (!c->lines[i].taken)
			found = &c->lines[i];
	if (found)
		found->taken = true;
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void give_line(struct stream_client *c, struct line *l)
{
	pthread_mutex_lock(&c->lock);
	l->taken = false;
	pthread_mutex_unlock(&c->lock);
}

/* What was asked for still comes. */
static void close_line(struct stream_client *c, struct line *l)
{
	struct err ignored = ERR_INIT;
	uint32_t type = 0;
	int rc = wire_put(&l->wire, STREAM_CLOSE, STR(""), &ignored);

	while (rc == 0 && type != STREAM_CLOSED)
		rc = get(l, &type, &l->body, &ignored);
	l->reads = 0;
	l->n = l->pos = 0;
	give_line(c, l);
}

static int client_open(const struct stream_source *src, size_t i, bool again, struct stream **out,
                       struct err *err)
{
	struct stream_client *c = client_of(src);
	struct line *l = take_line(c);
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = 0;
	int rc;

	if (!l)
		return err_set(err, ERR_LIMIT, "more NARs are read at once than there are lines");
	l->ended = false;
	wire_u32_put(&body, (uint32_t)i);
	wire_u32_put(&body, again);
	rc = wire_put(&l->wire, STREAM_OPEN, buf_str(&body), err);
	if (rc == 0)
		rc = get(l, &type, &l->body, err);
	if (rc == 0 && type == STREAM_FAILED)
		rc = wire_err_get(buf_str(&l->body), err);
	if (rc == 0 && type == STREAM_OPENED) {
		*out = &l->nar;
		return ask_more(l, err);
	}
	close_line(c, l);
	return rc < 0 ? rc : 1;
}

static void client_close(const struct stream_source *src, struct stream *nar)
{
	close_line(client_of(src), (struct line *)nar);
}

static int client_refused(const struct stream_source *src, size_t i, struct stream *nar,
                          struct err *err)
{
	struct line *l = (struct line *)nar;
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = 0;
	int rc;

	wire_err_put(&body, err);
	rc = wire_put(&l->wire, STREAM_REFUSED, buf_str(&body), err);
	/* After the reads that are under way. */
	for (unsigned left = l->reads + 1; rc == 0 && left; left--)
		rc = get(l, &type, &l->body, err);
	l->reads = 0;
	l->ended = true;
	l->pos = l->n;
	return rc < 0 ? rc : wire_err_get(buf_str(&l->body), err);
}

static bool client_is_slow(const struct stream_source *src, size_t i)
{
	return client_of(src)->slow[i];
}

/* ---- the control line ------------------------------------------------------- */

static void tell(const struct stream_source *src, uint32_t type, const struct buf *body)
{
	struct stream_client *c = client_of(src);
	struct err ignored = ERR_INIT;

	pthread_mutex_lock(&c->lock);
	(void)wire_put(&c->lines[0].wire, type, buf_str(body), &ignored);
	pthread_mutex_unlock(&c->lock);
}

static void client_order(const struct stream_source *src, const size_t *order, size_t n)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		wire_u32_put(&body, (uint32_t)order[i]);
	tell(src, STREAM_ORDER, &body);
}

static void client_warn(const struct stream_source *src, const struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_err_put(&body, err);
	tell(src, STREAM_WARN, &body);
}

static void client_cancel(const struct stream_source *src)
{
	tell(src, STREAM_CANCEL, &(struct buf)BUF_INIT);
}

struct stream_client *stream_client_new(const int *fd, const struct stream_memory *memory, size_t n,
                                        const struct store_item *items, size_t n_items,
                                        const bool *slow)
{
	struct stream_client *c = xcalloc(1, sizeof *c);

	c->source = (struct stream_source){
	        .items = items,
	        .n = n_items,
	        .open = client_open,
	        .close = client_close,
	        .refused = client_refused,
	        .is_slow = client_is_slow,
	        .order = client_order,
	        .warn = client_warn,
	        .cancel = client_cancel,
	};
	c->slow = slow;
	c->n = n;
	pthread_mutex_init(&c->lock, NULL);
	for (size_t i = 0; i < n; i++)
		c->lines[i] = (struct line){.nar = {nar_read},
		                            .memory = &memory[i],
		                            .wire = {.fd = fd[i],
		                                     .rules = rules,
		                                     .rule_count = ARRAY_LEN(rules),
		                                     .peer = "parent"}};
	return c;
}

const struct stream_source *stream_client_source(const struct stream_client *c)
{
	return &c->source;
}

void stream_client_free(struct stream_client *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		buf_fini(&c->lines[i].body);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
