/* SPDX-License-Identifier: MIT */
/* Checks the fetcher's messages. The bytes of bodies are verified by their readers. */
#include "cache/http_internal.h"

#include <poll.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "cache/netrc.h"

/* libcurl may deliver data beyond the window. */
#define WINDOW_SLACK (1u << 20)

void http_unlink(struct http *h, struct download *d)
{
	*(d->prev ? &d->prev->next : &h->first) = d->next;
	*(d->next ? &d->next->prev : &h->last) = d->prev;
	body_fini(&d->body, NULL);
	free(d->url);
	free(d->name);
	free(d);
}

/* ---- the fetcher's messages: locked ------------------------------------------ */

static struct download *find(struct http *h, uint32_t id)
{
	struct download *d = h->last;

	while (d && d->id != id)
		d = d->prev;
	return d;
}

static int refuse(const struct download *d, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "%s%s%s", d ? d->name : "", d ? ": " : "", what);
}

static int on_bytes(struct http *h, struct str body, struct err *err)
{
	struct download *d;
	struct http_bytes m;
	int rc = http_bytes_get(body, &m, err);

	if (rc < 0)
		return rc;
	d = find(h, m.id);
	if (!d || d->ended || m.part.n > d->limit - d->arrived ||
	    d->body.waiting + m.part.n > d->window + WINDOW_SLACK || !body_add(&d->body, &m.part))
		return refuse(d, "unexpected data", err);
	d->arrived += m.part.n;
	h->received += m.part.n;
	return 0;
}

static int on_end(struct http *h, struct str body, struct err *err)
{
	char why[SHOW_SIZE], encoding[SHOW_SIZE];
	struct download *d;
	struct http_end m;
	int rc = http_end_get(body, &m, err);

	if (rc < 0)
		return rc;
	d = find(h, m.id);
	if (!d || d->ended)
		return refuse(d, "unexpected end", err);
	d->ended = true;
	if (m.code)
		err_set(&d->err, m.code, "%s: %s", d->name, show_str(m.why, why));
	show_str(m.encoding, encoding);
	memcpy(d->encoding, encoding, strnlen(encoding, sizeof d->encoding - 1));
	h->finished++;
	return 0;
}

static int on_gone(struct http *h, struct str body, struct err *err)
{
	struct download *d;
	uint32_t id;
	int rc = http_id_get(body, &id, err);

	if (rc < 0)
		return rc;
	d = find(h, id);
	if (!d || !d->freed)
		return refuse(d, "unexpected removal", err);
	http_unlink(h, d);
	return 0;
}

/* Whatever URL the fetcher names, it gets only the password of the netrc file for that host. */
static int on_moved(struct http *h, struct str body, struct err *err)
{
	_free_ char *user = NULL, *password = NULL;
	struct http_login login = {0};
	struct http_moved m;
	struct download *d;
	int rc = http_moved_get(body, &m, err);

	if (rc < 0)
		return rc;
	d = find(h, m.id);
	if (!d || d->ended || d->moves++ >= HTTP_MOVES_MAX * h->opt.tries)
		return refuse(d, "unexpected redirect", err);
	netrc_for_redirect(buf_str(&h->netrc), str_from(d->url), m.url, &user, &password);
	login.id = d->id;
	if (user && strlen(user) <= HTTP_SECRET_MAX && strlen(password) <= HTTP_SECRET_MAX) {
		login.user = str_from(user);
		login.password = str_from(password);
	}
	http_login_put(&h->line.out, &login);
	return 0;
}

static int handle(struct http *h, uint32_t type, struct str body, struct err *err)
{
	int rc;

	if (type == WIRE_BROKEN)
		return jail_broken(body, HTTP_PEER, err);
	if (type == HTTP_BYTES)
		rc = on_bytes(h, body, err);
	else if (type == HTTP_END)
		rc = on_end(h, body, err);
	else if (type == HTTP_MOVED)
		rc = on_moved(h, body, err);
	else
		rc = on_gone(h, body, err);
	return rc < 0 ? err_prefix(err, "%s", HTTP_PEER) : 0;
}

int http_heed(struct http *h, struct err *err)
{
	uint32_t type = 0;
	struct str body;
	int rc;

	while ((rc = http_line_next(&h->line, &type, &body, err)) == 0) {
		rc = handle(h, type, body, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

/* 1: the fetcher closed the line. */
static int exchange(struct http *h, struct err *err)
{
	int rc = http_line_pull(&h->line, err);

	if (rc)
		return 1;
	rc = http_heed(h, err);
	pthread_cond_broadcast(&h->changed);
	if (rc == 0 && http_line_push(&h->line, err) < 0)
		return 1;
	return rc;
}

/* ---- its end ---------------------------------------------------------------- */

static void break_off(struct http *h, int rc, struct err *err)
{
	if (rc == 1 && jail_reap(&h->jail, HTTP_PEER, err) == 0)
		err_set(err, ERR_CHILD, "%s: ended early", HTTP_PEER);
	err->code = ERR_CHILD;
	pthread_mutex_lock(&h->lock);
	jail_fini(&h->jail);
	h->broken = *err;
	h->finished++;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

void *http_listen(void *arg)
{
	struct http *h = arg;
	struct err err = ERR_INIT;
	bool quit = false, more = false;
	int rc = 0;

	while (rc == 0 && !quit) {
		struct pollfd p[] = {
		        {.fd = h->line.wire.fd, .events = (short)(POLLIN | (more ? POLLOUT : 0))},
		        {.fd = h->wake, .events = POLLIN}};

		(void)poll(p, ARRAY_LEN(p), HTTP_POLL_MS);
		pthread_mutex_lock(&h->lock);
		rc = exchange(h, &err);
		quit = h->quit;
		more = h->line.out.n;
		pthread_mutex_unlock(&h->lock);
	}
	if (!quit)
		break_off(h, rc, &err);
	return NULL;
}
