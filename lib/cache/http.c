/* SPDX-License-Identifier: MIT */
/*
 * The parent's side of downloads. Only the fetcher, a process in a jail (fetcher.h), uses the
 * network. One thread reads its messages (http_listen.c); any thread may write to the line. A lock
 * protects the line and all fields of struct http and struct download.
 */
#include "cache/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cache/fetcher.h"
#include "cache/netrc.h"

/* Reads are reported to the fetcher after so many bytes, or a quarter of the window. */
#define TAKEN_BYTES (256u << 10)

static bool stopped(const struct http *h)
{
	return h->cancelled ||
	       (h->opt.stop && atomic_load_explicit(h->opt.stop, memory_order_relaxed));
}

/* ---- starting --------------------------------------------------------------- */

/* Passwords for hosts. The fetcher gets only those for the hosts that it must contact. */
static void read_netrc(struct http *h)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && *home ? NULL : getpwuid(geteuid());
	_free_ char *own = xasprintf("%s/.netrc", user ? user->pw_dir : home ? home : "");
	struct err ignored = ERR_INIT;

	(void)io_read_file(AT_FDCWD, h->opt.netrc ? h->opt.netrc : own, NETRC_BYTES_MAX, &h->netrc,
	                   &ignored);
}

static void destroy(struct http *h)
{
	while (h->first)
		http_unlink(h, h->first);
	jail_fini(&h->jail);
	body_store_fini(&h->store);
	http_line_fini(&h->line);
	io_close(&h->wake);
	buf_fini(&h->netrc);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static int start(struct http *h, struct err *err)
{
	int rc = body_store_init(&h->store, err);

	h->wake = eventfd(0, EFD_CLOEXEC);
	if (rc == 0 && h->wake < 0)
		rc = err_sys(err, errno, "eventfd");
	if (rc == 0)
		rc = fetcher_start(&h->opt, &h->store, &h->jail, err);
	if (rc < 0)
		return rc;
	read_netrc(h);
	h->line.wire = (struct wire){.fd = h->jail.fd,
	                             .rules = http_fetcher_rules,
	                             .rule_count = http_fetcher_rule_count,
	                             .peer = HTTP_PEER};
	return http_resume(h, err);
}

int http_resume(struct http *h, struct err *err)
{
	uint64_t woken;
	int rc;

	if (h->quit && read(h->wake, &woken, sizeof woken) < 0)
		return err_sys(err, errno, "eventfd");
	h->quit = false;
	rc = pool_thread(&h->thread, http_listen, h);
	return rc ? err_sys(err, rc, "cannot start a thread for downloads") : 0;
}

void http_pause(struct http *h)
{
	const uint64_t wake = 1;

	pthread_mutex_lock(&h->lock);
	h->quit = true;
	pthread_mutex_unlock(&h->lock);
	/* If this failed, the thread would look a moment later. */
	(void)!write(h->wake, &wake, sizeof wake);
	pthread_join(h->thread, NULL);
}

int http_new(const struct http_options *opt, struct http **out, struct err *err)
{
	struct http *h = xcalloc(1, sizeof *h);
	int rc;

	h->opt = *opt;
	h->jail = (struct jail)JAIL_INIT;
	h->wake = -1;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	rc = start(h, err);
	if (rc < 0)
		destroy(h);
	else
		*out = h;
	return rc;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	if (!h->quit)
		http_pause(h);
	destroy(h);
}

/* ---- for any thread ---------------------------------------------------------- */

/* Locked. Send what is in the line's buffer; the thread sends later what does not fit now. */
static void post(struct http *h)
{
	struct err ignored = ERR_INIT;

	/* The thread reports errors of the line. */
	if (!h->broken.code)
		(void)http_line_push(&h->line, &ignored);
}

/* Locked. */
static void ask(struct http *h, struct download *d)
{
	_free_ char *user = NULL, *password = NULL;
	struct http_get m = {
	        .id = d->id, .limit = d->limit, .window = d->window, .url = str_from(d->url)};

	netrc_for_url(buf_str(&h->netrc), m.url, &user, &password);
	m.user = str_from(user ? user : "");
	m.password = str_from(password ? password : "");
	if (m.url.n > HTTP_URL_MAX || m.user.n > HTTP_SECRET_MAX ||
	    m.password.n > HTTP_SECRET_MAX) {
		err_set(&d->err, ERR_LIMIT, "%s: its URL or its password is too long", d->name);
		d->ended = d->unasked = true;
		h->finished++;
		return;
	}
	http_get_put(&h->line.out, &m);
	post(h);
}

struct download *http_get(struct http *h, const char *url, const char *name, uint64_t limit,
                          size_t window)
{
	struct download *d = xcalloc(1, sizeof *d);

	d->http = h;
	d->url = xstrdup(url);
	d->name = xstrdup(name);
	d->limit = limit;
	d->window = window;
	pthread_mutex_lock(&h->lock);
	d->id = ++h->last_id;
	d->prev = h->last;
	*(h->last ? &h->last->next : &h->first) = d;
	h->last = d;
	ask(h, d);
	pthread_mutex_unlock(&h->lock);
	return d;
}

/* Locked. A short time, so that a stop is noticed. */
static void wait_a_moment(struct http *h)
{
	clock_wait(&h->changed, &h->lock, HTTP_POLL_MS * INT64_C(1000000));
}

/* Locked. Wait for bytes or the end. */
static int wait_for_bytes(struct download *d, struct err *err)
{
	struct http *h = d->http;

	while (!d->body.waiting && !d->ended && !h->broken.code) {
		if (stopped(h))
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		wait_a_moment(h);
	}
	if (h->broken.code && !d->ended) {
		*err = h->broken;
		return -(int)err->code;
	}
	if (d->ended && d->err.code) {
		*err = d->err;
		return -(int)d->err.code;
	}
	return 0;
}

/* Locked. */
static void drop_bytes(struct download *d, size_t n)
{
	struct http *h = d->http;

	body_drop(&d->body, NULL, n);
	d->taken += n;
	if (d->ended || d->taken < MIN((uint64_t)TAKEN_BYTES, d->window / 4))
		return;
	http_taken_put(&h->line.out, d->id, d->taken);
	d->taken = 0;
	post(h);
}

int download_read(struct download *d, void *p, size_t n, size_t *got, struct err *err)
{
	const uint8_t *from = NULL;
	size_t some;
	int rc;

	*got = 0;
	pthread_mutex_lock(&d->http->lock);
	rc = wait_for_bytes(d, err);
	if (rc == 0)
		from = body_peek(&d->body, &d->http->store, &some);
	pthread_mutex_unlock(&d->http->lock);
	if (!from)
		return rc;
	*got = MIN(n, some);
	memcpy(p, from, *got);
	pthread_mutex_lock(&d->http->lock);
	drop_bytes(d, *got);
	pthread_mutex_unlock(&d->http->lock);
	return 0;
}

const char *download_encoding(const struct download *d)
{
	return d->encoding;
}

bool download_ready(struct download *d)
{
	bool ready;

	pthread_mutex_lock(&d->http->lock);
	ready = d->ended || d->http->broken.code;
	pthread_mutex_unlock(&d->http->lock);
	return ready;
}

void download_free(struct download *d)
{
	struct http *h = d ? d->http : NULL;

	if (!d)
		return;
	pthread_mutex_lock(&h->lock);
	if (h->broken.code || d->unasked) {
		http_unlink(h, d);
	} else {
		d->freed = true;
		http_id_put(&h->line.out, HTTP_DONE, d->id);
		post(h);
	}
	pthread_mutex_unlock(&h->lock);
}

void http_wait(struct http *h, uint64_t *seen)
{
	pthread_mutex_lock(&h->lock);
	if (h->finished == *seen)
		wait_a_moment(h);
	*seen = h->finished;
	pthread_mutex_unlock(&h->lock);
}

void http_cancel(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	h->cancelled = true;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

uint64_t http_received(struct http *h)
{
	uint64_t n;

	pthread_mutex_lock(&h->lock);
	n = h->received;
	pthread_mutex_unlock(&h->lock);
	return n;
}
