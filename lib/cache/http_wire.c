/* SPDX-License-Identifier: MIT */
#include "cache/http_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

#define PULL_BYTES 16384u
#define GET_MAX (HTTP_URL_MAX + 2 * HTTP_SECRET_MAX + 64)
#define END_MAX (HTTP_WHY_MAX + HTTP_ENCODING_MAX + 64)
#define BYTES_SIZE 16u

const struct wire_rule http_fetcher_rules[] = {
        {0, HTTP_BYTES, BYTES_SIZE, 0},
        {0, HTTP_END, END_MAX, 0},
        {0, HTTP_GONE, 4, 0},
        {0, HTTP_MOVED, HTTP_URL_MAX + 8, 0},
        {0, WIRE_BROKEN, ERR_TEXT_MAX, 0},
};
const size_t http_fetcher_rule_count = ARRAY_LEN(http_fetcher_rules);

const struct wire_rule http_parent_rules[] = {
        {0, HTTP_GET, GET_MAX, 0},
        {0, HTTP_TAKEN, 12, 0},
        {0, HTTP_DONE, 4, 0},
        {0, HTTP_LOGIN, 2 * HTTP_SECRET_MAX + 12, 0},
};
const size_t http_parent_rule_count = ARRAY_LEN(http_parent_rules);

/* ---- messages --------------------------------------------------------------- */

static size_t begin(struct buf *out, uint32_t type)
{
	size_t at = out->n;

	wire_head_put(buf_zeros(out, WIRE_HEAD), type, 0);
	return at;
}

/* Fill in the size, now that the body is complete. */
static void end(struct buf *out, size_t at)
{
	put_le32(out->p + at + 4, (uint32_t)(out->n - at - WIRE_HEAD));
}

static struct bytes over(struct str body)
{
	return bytes_over(body.p, body.n);
}

static int ended(const struct bytes *b, const char *what, struct err *err)
{
	return wire_end(b) ? 0 : err_set(err, ERR_FORMAT, "malformed message \"%s\"", what);
}

void http_get_put(struct buf *out, const struct http_get *m)
{
	size_t at = begin(out, HTTP_GET);

	wire_u32_put(out, m->id);
	wire_u64_put(out, m->limit);
	wire_u64_put(out, m->window);
	wire_text_put(out, m->url);
	wire_text_put(out, m->user);
	wire_text_put(out, m->password);
	end(out, at);
}

int http_get_get(struct str body, struct http_get *m, struct err *err)
{
	struct bytes b = over(body);

	m->id = wire_u32_get(&b, UINT32_MAX);
	m->limit = wire_u64_get(&b, UINT64_MAX);
	m->window = wire_u64_get(&b, SIZE_MAX);
	m->url = wire_text_get(&b, HTTP_URL_MAX);
	m->user = wire_text_get(&b, HTTP_SECRET_MAX);
	m->password = wire_text_get(&b, HTTP_SECRET_MAX);
	return ended(&b, "get", err);
}

void http_taken_put(struct buf *out, uint32_t id, uint64_t bytes)
{
	size_t at = begin(out, HTTP_TAKEN);

	wire_u32_put(out, id);
	wire_u64_put(out, bytes);
	end(out, at);
}

int http_taken_get(struct str body, uint32_t *id, uint64_t *bytes, struct err *err)
{
	struct bytes b = over(body);

	*id = wire_u32_get(&b, UINT32_MAX);
	*bytes = wire_u64_get(&b, UINT64_MAX);
	return ended(&b, "taken", err);
}

void http_bytes_put(struct buf *out, const struct http_bytes *m)
{
	size_t at = begin(out, HTTP_BYTES);

	wire_u32_put(out, m->id);
	wire_u32_put(out, m->part.piece);
	wire_u32_put(out, m->part.from);
	wire_u32_put(out, m->part.n);
	end(out, at);
}

int http_bytes_get(struct str body, struct http_bytes *m, struct err *err)
{
	struct bytes b = over(body);

	m->id = wire_u32_get(&b, UINT32_MAX);
	m->part.piece = wire_u32_get(&b, BODY_PIECES - 1);
	m->part.from = wire_u32_get(&b, BODY_PIECE);
	m->part.n = wire_u32_get(&b, BODY_PIECE);
	return ended(&b, "bytes", err);
}

void http_end_put(struct buf *out, const struct http_end *m)
{
	size_t at = begin(out, HTTP_END);

	wire_u32_put(out, m->id);
	wire_u32_put(out, m->code);
	wire_text_put(out, m->why);
	wire_text_put(out, m->encoding);
	end(out, at);
}

int http_end_get(struct str body, struct http_end *m, struct err *err)
{
	struct bytes b = over(body);

	m->id = wire_u32_get(&b, UINT32_MAX);
	m->code = (enum err_code)wire_u32_get(&b, ERR_CHILD);
	m->why = wire_text_get(&b, HTTP_WHY_MAX);
	m->encoding = wire_text_get(&b, HTTP_ENCODING_MAX);
	if (m->code != ERR_NONE && m->code != ERR_NOENT && m->code != ERR_LIMIT &&
	    m->code != ERR_IO)
		b.bad = true;
	return ended(&b, "end", err);
}

void http_moved_put(struct buf *out, const struct http_moved *m)
{
	size_t at = begin(out, HTTP_MOVED);

	wire_u32_put(out, m->id);
	wire_text_put(out, m->url);
	end(out, at);
}

int http_moved_get(struct str body, struct http_moved *m, struct err *err)
{
	struct bytes b = over(body);

	m->id = wire_u32_get(&b, UINT32_MAX);
	m->url = wire_text_get(&b, HTTP_URL_MAX);
	return ended(&b, "moved", err);
}

void http_login_put(struct buf *out, const struct http_login *m)
{
	size_t at = begin(out, HTTP_LOGIN);

	wire_u32_put(out, m->id);
	wire_text_put(out, m->user);
	wire_text_put(out, m->password);
	end(out, at);
}

int http_login_get(struct str body, struct http_login *m, struct err *err)
{
	struct bytes b = over(body);

	m->id = wire_u32_get(&b, UINT32_MAX);
	m->user = wire_text_get(&b, HTTP_SECRET_MAX);
	m->password = wire_text_get(&b, HTTP_SECRET_MAX);
	return ended(&b, "login", err);
}

void http_id_put(struct buf *out, uint32_t type, uint32_t id)
{
	size_t at = begin(out, type);

	wire_u32_put(out, id);
	end(out, at);
}

int http_id_get(struct str body, uint32_t *id, struct err *err)
{
	struct bytes b = over(body);

	*id = wire_u32_get(&b, UINT32_MAX);
	return ended(&b, "done", err);
}

/* ---- the line --------------------------------------------------------------- */

static void drop(struct buf *b, size_t n)
{
	if (n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

int http_line_push(struct http_line *l, struct err *err)
{
	size_t done = 0;

	while (done < l->out.n) {
		ssize_t r = send(l->wire.fd, l->out.p + done, l->out.n - done,
		                 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && errno == EAGAIN)
			break;
		if (r < 0)
			return err_set(err, ERR_CHILD, "%s: %s", l->wire.peer, strerror(errno));
		done += (size_t)r;
	}
	drop(&l->out, done);
	return 0;
}

int http_line_pull(struct http_line *l, struct err *err)
{
	char some[PULL_BYTES];
	ssize_t r;

	drop(&l->in, l->pos);
	l->pos = 0;
	do
		r = recv(l->wire.fd, some, sizeof some, MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	buf_put(&l->in, some, r > 0 ? (size_t)r : 0);
	if (r < 0 && errno == EAGAIN)
		return 0;
	if (r < 0 && errno != ECONNRESET)
		return err_set(err, ERR_CHILD, "%s: %s", l->wire.peer, strerror(errno));
	return r > 0 ? 0 : 1;
}

int http_line_next(struct http_line *l, uint32_t *type, struct str *body, struct err *err)
{
	size_t left = l->in.n - l->pos;
	const char *p = l->in.p + l->pos;
	uint32_t size;
	int rc;

	if (left < WIRE_HEAD)
		return 1;
	rc = wire_head_get(&l->wire, (const uint8_t *)p, type, &size, err);
	if (rc < 0)
		return rc;
	if (left - WIRE_HEAD < size)
		return 1;
	*body = (struct str){p + WIRE_HEAD, size};
	l->pos += WIRE_HEAD + size;
	return 0;
}

void http_line_fini(struct http_line *l)
{
	buf_fini(&l->in);
	buf_fini(&l->out);
}
