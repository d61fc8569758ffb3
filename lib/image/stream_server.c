/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/pool.h"
#include "image/stream_wire.h"
#include "image/stream_wire_internal.h"

#define ORDER_MAX WIRE_BODY_MAX

enum {
	IDLE, /* and of the control line */
	OPEN,
};

static const struct wire_rule line_rules[] = {
        {IDLE, STREAM_OPEN, 8, OPEN},
        {OPEN, STREAM_READ, 0, OPEN},
        {OPEN, STREAM_REFUSED, WIRE_ERR_MAX, OPEN},
        {OPEN, STREAM_CLOSE, 0, IDLE},
};
static const struct wire_rule control_rules[] = {
        {IDLE, STREAM_ORDER, ORDER_MAX, IDLE},
        {IDLE, STREAM_WARN, WIRE_ERR_MAX, IDLE},
        {IDLE, STREAM_CANCEL, 0, IDLE},
};

struct line {
	struct stream_server *server;
	struct wire wire;
	pthread_t thread;
	struct stream *nar; /* NULL: none is open */
	size_t item;
	bool ended;        /* the open NAR, */
	struct err failed; /* or a read of it failed */
	struct stream_memory *memory;
	uint32_t piece; /* the next one to fill */
};

struct stream_server {
	const struct stream_source *src;
	struct line lines[STREAM_LINES_MAX];
	size_t n;
	pthread_mutex_t lock;
	bool *busy;        /* items that are open: a source opens each only once at a time */
	struct err broken; /* the first one of a line */
};

static int malformed(const struct line *l, struct err *err)
{
	return err_set(err, ERR_CHILD, "%s: an invalid request for a store path", l->wire.peer);
}

static int fail(struct line *l, const struct err *why, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_err_put(&body, why);
	return wire_send(&l->wire, STREAM_FAILED, buf_str(&body), err);
}

/* Whether this line may open the item. */
static bool take_item(struct stream_server *s, size_t item)
{
	bool free;

	pthread_mutex_lock(&s->lock);
	free = !s->busy[item];
	s->busy[item] = true;
	pthread_mutex_unlock(&s->lock);
	return free;
}

static void give_item(struct stream_server *s, size_t item)
{
	pthread_mutex_lock(&s->lock);
	s->busy[item] = false;
	pthread_mutex_unlock(&s->lock);
}

static int open_nar(struct line *l, const struct buf *body, struct err *err)
{
	const struct stream_source *src = l->server->src;
	struct bytes b = bytes_over(body->p, body->n);
	uint32_t item = wire_u32_get(&b, src->n ? (uint32_t)src->n - 1 : 0);
	bool again = wire_u32_get(&b, 1);
	struct err why = ERR_INIT;
	int rc;

	if (!wire_end(&b) || !src->n || !take_item(l->server, item))
		return malformed(l, err);
	l->nar = NULL;
	l->ended = false;
	l->failed = (struct err)ERR_INIT;
	l->item = item;
	rc = src->open(src, item, again, &l->nar, &why);
	if (rc == 0)
		return wire_send(&l->wire, STREAM_OPENED, STR(""), err);
	l->nar = NULL;
	give_item(l->server, item);
	return rc == 1 ? wire_send(&l->wire, STREAM_NONE, STR(""), err) : fail(l, &why, err);
}

static int read_nar(struct line *l, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint8_t *to = l->memory->piece[l->piece];
	size_t n = 0, got;
	int rc = 0;

	if (!l->nar)
		return malformed(l, err);
	while (rc == 0 && !l->ended && n < STREAM_PIECE && !l->failed.code) {
		rc = stream_read(l->nar, to + n, STREAM_PIECE - n, &got, &l->failed);
		n += rc == 0 ? got : 0;
		l->ended = rc == 0 && !got;
	}
	if (l->failed.code)
		return fail(l, &l->failed, err);
	wire_u32_put(&body, l->piece);
	wire_u32_put(&body, (uint32_t)n);
	l->piece = (l->piece + 1) % STREAM_PIECES;
	return wire_send(&l->wire, STREAM_DATA, buf_str(&body), err);
}

/* The client found that what it read is no valid NAR. */
static int refuse_nar(struct line *l, const struct buf *body, struct err *err)
{
	const struct stream_source *src = l->server->src;
	struct err why = ERR_INIT;

	if (!l->nar)
		return malformed(l, err);
	wire_err_get(buf_str(body), &why);
	src->refused(src, l->item, l->nar, &why);
	return fail(l, &why, err);
}

static void close_nar(struct line *l)
{
	if (l->nar) {
		l->server->src->close(l->server->src, l->nar);
		give_item(l->server, l->item);
	}
	l->nar = NULL;
}

static int set_order(struct line *l, const struct buf *body, struct err *err)
{
	const struct stream_source *src = l->server->src;
	struct bytes b = bytes_over(body->p, body->n);
	_free_ size_t *order = xcalloc(src->n + 1, sizeof *order);
	size_t n = body->n / 4;

	if (n > src->n)
		return malformed(l, err);
	for (size_t i = 0; i < n; i++)
		order[i] = wire_u32_get(&b, (uint32_t)src->n - 1);
	if (!wire_end(&b))
		return malformed(l, err);
	src->order(src, order, n);
	return 0;
}

static void pass_on(struct line *l, const struct buf *body)
{
	struct err why = ERR_INIT;

	wire_err_get(buf_str(body), &why);
	l->server->src->warn(l->server->src, &why);
}

static int serve(struct line *l, uint32_t type, const struct buf *body, struct err *err)
{
	switch (type) {
	case STREAM_OPEN:
		return open_nar(l, body, err);
	case STREAM_READ:
		return read_nar(l, err);
	case STREAM_REFUSED:
		return refuse_nar(l, body, err);
	case STREAM_CLOSE:
		close_nar(l);
		return wire_send(&l->wire, STREAM_CLOSED, STR(""), err);
	case STREAM_ORDER:
		return set_order(l, body, err);
	case STREAM_WARN:
		pass_on(l, body);
		return 0;
	default:
		l->server->src->cancel(l->server->src);
		return 0;
	}
}

static void *serve_line(void *arg)
{
	struct line *l = arg;
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct err err = ERR_INIT;
	uint32_t type = 0;
	int rc;

	while ((rc = wire_recv(&l->wire, &type, &body, -1, NULL, &err)) == 0) {
		rc = serve(l, type, &body, &err);
		if (rc < 0)
			break;
	}
	close_nar(l);
	if (rc < 0) {
		pthread_mutex_lock(&l->server->lock);
		if (!l->server->broken.code)
			l->server->broken = err;
		pthread_mutex_unlock(&l->server->lock);
		/* The client must not wait for an answer. */
		(void)shutdown(l->wire.fd, SHUT_RDWR);
	}
	return NULL;
}

int stream_memory_new(size_t n, struct stream_memory **out, struct err *err)
{
	void *p = mmap(NULL, n * sizeof **out, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return err_sys(err, errno, "memory for store paths");
	*out = p;
	return 0;
}

void stream_memory_free(struct stream_memory *m, size_t n)
{
	if (m)
		munmap(m, n * sizeof *m);
}

int stream_serve(const struct stream_source *src, const int *fd, struct stream_memory *memory,
                 size_t n, struct stream_server **out, struct err *err)
{
	struct stream_server *s = xcalloc(1, sizeof *s);

	s->src = src;
	s->busy = xcalloc(src->n + 1, sizeof *s->busy);
	pthread_mutex_init(&s->lock, NULL);
	for (; s->n < n; s->n++) {
		struct line *l = &s->lines[s->n];
		int rc;

		*l = (struct line){.server = s,
		                   .memory = &memory[s->n],
		                   .wire = {.fd = fd[s->n],
		                            .rules = s->n ? line_rules : control_rules,
		                            .rule_count = s->n ? ARRAY_LEN(line_rules)
		                                               : ARRAY_LEN(control_rules),
		                            .peer = "the guest's process"}};
		rc = pool_thread(&l->thread, serve_line, l);
		if (rc == 0)
			continue;
		err_sys(err, rc, "a thread that reads store paths");
		(void)stream_serve_end(s, &(struct err)ERR_INIT);
		return -(int)err->code;
	}
	*out = s;
	return 0;
}

int stream_serve_end(struct stream_server *s, struct err *err)
{
	int rc;

	if (!s)
		return 0;
	/* What was sent before can still be received. */
	for (size_t i = 0; i < s->n; i++)
		(void)shutdown(s->lines[i].wire.fd, SHUT_RDWR);
	for (size_t i = 0; i < s->n; i++)
		pthread_join(s->lines[i].thread, NULL);
	rc = -(int)s->broken.code;
	if (rc < 0)
		*err = s->broken;
	pthread_mutex_destroy(&s->lock);
	free(s->busy);
	free(s);
	return rc < 0 ? -ERR_CHILD : 0;
}
