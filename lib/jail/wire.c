/* SPDX-License-Identifier: MIT */
#include "jail/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

#define SMALL 512u /* bytes of a message that is copied to be sent at once */

void wire_head_put(uint8_t out[static WIRE_HEAD], uint32_t type, uint32_t size)
{
	put_le32(out, type);
	put_le32(out + 4, size);
}

int wire_head_get(struct wire *w, const uint8_t in[static WIRE_HEAD], uint32_t *type,
                  uint32_t *size, struct err *err)
{
	uint32_t t = get_le32(in), n = get_le32(in + 4);

	for (size_t i = 0; i < w->rule_count; i++) {
		const struct wire_rule *r = &w->rules[i];

		if (r->state != w->state || r->type != t)
			continue;
		if (n > r->limit || n > WIRE_BODY_MAX)
			return err_set(err, ERR_FORMAT,
			               "%s: message %u of %u bytes, larger than the limit of %u",
			               w->peer, t, n, MIN(r->limit, WIRE_BODY_MAX));
		w->state = r->next;
		*type = t;
		*size = n;
		return 0;
	}
	return err_set(err, ERR_FORMAT, "%s: message %u is not allowed in state %u", w->peer, t,
	               w->state);
}

void wire_text_put(struct buf *out, struct str s)
{
	buf_le32(out, (uint32_t)s.n);
	buf_put(out, s.p, s.n);
}

struct str wire_text_get(struct bytes *b, size_t max)
{
	uint32_t n = bytes_le32(b);
	const uint8_t *p;

	if (n > max)
		b->bad = true;
	p = bytes_take(b, n);
	return p ? (struct str){(const char *)p, n} : (struct str){"", 0};
}

void wire_u32_put(struct buf *out, uint32_t v)
{
	buf_le32(out, v);
}

uint32_t wire_u32_get(struct bytes *b, uint32_t max)
{
	uint32_t v = bytes_le32(b);

	if (v > max)
		b->bad = true;
	return b->bad ? 0 : v;
}

void wire_u64_put(struct buf *out, uint64_t v)
{
	buf_le64(out, v);
}

uint64_t wire_u64_get(struct bytes *b, uint64_t max)
{
	uint64_t v = bytes_le64(b);

	if (v > max)
		b->bad = true;
	return b->bad ? 0 : v;
}

bool wire_end(const struct bytes *b)
{
	return bytes_ok(b) && bytes_left(b) == 0;
}

static int send_all(struct wire *w, const uint8_t *p, size_t n, struct err *err)
{
	while (n) {
		ssize_t r = send(w->fd, p, n, MSG_NOSIGNAL);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(err, ERR_CHILD, "%s: %s", w->peer, strerror(errno));
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

/* Head and body in one piece, so that the receiver is woken once. Returns the bytes in out. */
static size_t join(uint32_t type, struct str body, uint8_t out[static SMALL])
{
	if (body.n > SMALL - WIRE_HEAD)
		return 0;
	wire_head_put(out, type, (uint32_t)body.n);
	if (body.n)
		memcpy(out + WIRE_HEAD, body.p, body.n);
	return WIRE_HEAD + body.n;
}

int wire_send(struct wire *w, uint32_t type, struct str body, struct err *err)
{
	uint8_t small[SMALL];
	size_t n = join(type, body, small);
	int rc;

	if (n)
		return send_all(w, small, n, err);
	wire_head_put(small, type, (uint32_t)body.n);
	rc = send_all(w, small, WIRE_HEAD, err);
	return rc < 0 ? rc : send_all(w, (const uint8_t *)body.p, body.n, err);
}

/* The limit after a stop. */
static int check_grace(struct wire *w, struct err *err)
{
	if (!w->stop || !atomic_load(w->stop))
		return 0;
	if (!w->stop_ms)
		w->stop_ms = clock_ms();
	if (clock_ms() - w->stop_ms < w->grace_ms)
		return 0;
	return err_set(err, ERR_CHILD, "%s: still runs %lld s after it was told to stop", w->peer,
	               (long long)w->grace_ms / 1000);
}

/* Whether to go on; a peer that sends without end must not prevent this. */
static int check_limits(struct wire *w, int64_t left, const volatile bool *stop, struct err *err)
{
	if (stop && *stop)
		return err_set(err, ERR_INTERRUPTED, "stopped by a signal");
	if (left == 0)
		return err_set(err, ERR_CHILD, "%s: timed out", w->peer);
	return check_grace(w, err);
}

/* Milliseconds left; -1: without limit. */
static int64_t time_left(int64_t end_ms)
{
	return end_ms < 0 ? -1 : MAX(end_ms - clock_ms(), (int64_t)0);
}

/* Wait until there is something to read, or a second at most. */
static int wait_for(struct wire *w, int64_t left, struct err *err)
{
	struct pollfd p = {.fd = w->fd, .events = POLLIN};

	/* A signal may come just before poll(): look again each second. */
	if (poll(&p, 1, left < 0 || left > 1000 ? 1000 : (int)left) < 0 && errno != EINTR)
		return err_sys(err, errno, "%s: poll", w->peer);
	return 0;
}

/* All n bytes; 1: the other end closed before the first. */
static int recv_all(struct wire *w, uint8_t *p, size_t n, int64_t end_ms, const volatile bool *stop,
                    struct err *err)
{
	size_t done = 0;

	while (done < n) {
		int64_t left = time_left(end_ms);
		int rc = check_limits(w, left, stop, err);
		ssize_t r;

		if (rc < 0)
			return rc;
		r = recv(w->fd, p + done, n - done, MSG_DONTWAIT);
		if (r < 0 && (errno == EINTR || errno == EAGAIN)) {
			rc = wait_for(w, left, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if ((r == 0 || (r < 0 && errno == ECONNRESET)) && done == 0)
			return 1;
		if (r <= 0)
			return err_set(err, ERR_CHILD, "%s: ended in the middle of a message",
			               w->peer);
		done += (size_t)r;
	}
	return 0;
}

int wire_recv(struct wire *w, uint32_t *type, struct buf *body, int64_t wait_ms,
              const volatile bool *stop, struct err *err)
{
	int64_t end_ms = wait_ms < 0 ? -1 : clock_ms() + wait_ms;
	uint8_t head[WIRE_HEAD];
	uint32_t size;
	int rc = recv_all(w, head, sizeof head, end_ms, stop, err);

	buf_reset(body);
	if (rc != 0)
		return rc;
	rc = wire_head_get(w, head, type, &size, err);
	if (rc < 0)
		return rc;
	rc = recv_all(w, buf_zeros(body, size), size, end_ms, stop, err);
	if (rc == 1)
		return err_set(err, ERR_CHILD, "%s: ended in the middle of a message", w->peer);
	return rc;
}

int wire_put(struct wire *w, uint32_t type, struct str body, struct err *err)
{
	uint8_t small[SMALL];
	size_t n = join(type, body, small);
	int rc;

	if (n)
		return io_write(w->fd, w->peer, small, n, err);
	wire_head_put(small, type, (uint32_t)body.n);
	rc = io_write(w->fd, w->peer, small, WIRE_HEAD, err);
	return rc < 0 ? rc : io_write(w->fd, w->peer, body.p, body.n, err);
}

int wire_put_pieces(struct wire *w, uint32_t type, struct str bytes, size_t most, struct err *err)
{
	int rc = 0;

	while (bytes.n && rc == 0) {
		struct str piece = {bytes.p, MIN(bytes.n, most)};

		rc = wire_put(w, type, piece, err);
		bytes = str_drop(bytes, piece.n);
	}
	return rc;
}

int wire_get(struct wire *w, uint32_t *type, struct buf *body, struct err *err)
{
	uint8_t head[WIRE_HEAD];
	uint32_t size;
	size_t got;
	int rc = io_read(w->fd, w->peer, head, sizeof head, &got, err);

	buf_reset(body);
	if (rc < 0)
		return rc;
	if (got == 0)
		return 1;
	if (got < sizeof head)
		return err_set(err, ERR_FORMAT, "%s: truncated message", w->peer);
	rc = wire_head_get(w, head, type, &size, err);
	if (rc == 0)
		rc = io_read(w->fd, w->peer, buf_zeros(body, size), size, &got, err);
	if (rc == 0 && got < size)
		return err_set(err, ERR_FORMAT, "%s: truncated message", w->peer);
	return rc;
}
