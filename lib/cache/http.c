/* SPDX-License-Identifier: MIT */
/*
 * The net thread owns curl's handles; a download's other fields are protected by
 * the lock. Only the net thread frees a download.
 */
#include "base/mem.h"
#include "base/pool.h"
#include "cache/http_transfer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS 100
#define BACK_OFF_MS 250
#define RETRY_AFTER_MAX_S 60

static bool stopped(const struct http *h)
{
	return h->cancelled ||
	       (h->opt.stop && atomic_load_explicit(h->opt.stop, memory_order_relaxed));
}

/* ---- the net thread --------------------------------------------------------- */

static void unlink_download(struct http *h, struct download *d)
{
	*(d->prev ? &d->prev->next : &h->first) = d->next;
	*(d->next ? &d->next->prev : &h->last) = d->prev;
	body_fini(&d->body, &h->heap);
	sha256_fini(&d->sha);
	free(d->url);
	free(d->name);
	free(d);
}

static void end_transfer(struct http *h, struct download *d)
{
	curl_multi_remove_handle(h->multi, d->easy);
	curl_easy_cleanup(d->easy);
	d->easy = NULL;
	d->paused = d->resume = false;
	h->active--;
}

static void begin_transfer(struct http *h, struct download *d)
{
	d->easy = curl_easy_init();
	d->state = ACTIVE;
	d->tries++;
	d->skip = d->arrived;
	d->headers = d->heard = d->since_bytes = 0;
	d->answered = false;
	d->late = IN_TIME;
	d->since = http_now_ms();
	d->why[0] = d->encoding[0] = '\0';
	h->active++;
	if (!d->easy) {
		d->state = READY;
		h->active--;
		download_fail(d, ERR_IO, "libcurl: cannot create a handle");
		return;
	}
	download_set_options(d);
	curl_multi_add_handle(h->multi, d->easy);
}

/* Worth another try? Certificates, schemes and our own limits are not. */
static bool transient(CURLcode code, long status)
{
	switch (code) {
	case CURLE_HTTP_RETURNED_ERROR:
		return status == 408 || status == 425 || status == 429 || status >= 500;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static enum err_code code_for(CURLcode code, long status)
{
	/* Stores that cannot be listed say 403 for what they do not have. */
	if (code == CURLE_HTTP_RETURNED_ERROR && (status == 404 || status == 403 || status == 410))
		return ERR_NOENT;
	return ERR_IO;
}

static void schedule_retry(struct download *d, curl_off_t after)
{
	int64_t wait = (int64_t)BACK_OFF_MS << MIN(d->tries - 1, 6u);

	/* Not all at the same moment. */
	wait += (int64_t)((uintptr_t)d / 64 % BACK_OFF_MS);
	if (after > 0)
		wait = MAX(wait, 1000 * MIN((int64_t)after, (int64_t)RETRY_AFTER_MAX_S));
	d->not_before = http_now_ms() + wait;
	d->state = WAITING;
}

static void finish_transfer(struct http *h, struct download *d, CURLcode code)
{
	long status = 0;
	curl_off_t after = 0;
	char why[CURL_ERROR_SIZE + 256];

	curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(d->easy, CURLINFO_RETRY_AFTER, &after);
	snprintf(why, sizeof why, "%s", d->why[0] ? d->why : curl_easy_strerror(code));
	end_transfer(h, d);
	d->state = READY;
	if (d->err.code) /* our own verdict */
		return;
	if (code == CURLE_OK && status == 200 && d->skip == 0)
		return;
	if (code == CURLE_OK) {
		snprintf(why, sizeof why, "unexpected HTTP status %ld", status);
		code = CURLE_WEIRD_SERVER_REPLY;
	}
	download_explain(d, code, status, why, sizeof why - 32);
	if (transient(code, status) && d->late != NO_ANSWER && d->tries < h->opt.tries &&
	    !d->cancelled) {
		schedule_retry(d, after);
		return;
	}
	if (d->tries > 1)
		snprintf(why + strlen(why), sizeof why - strlen(why), " (%u tries)", d->tries);
	download_fail(d, code_for(code, status), why);
}

/* What the other threads asked for since the last turn. Locked. */
static void look_around(struct http *h)
{
	struct download *next;
	int64_t now = http_now_ms();

	for (struct download *d = h->first; d; d = next) {
		next = d->next;
		if (d->cancelled) {
			if (d->easy)
				end_transfer(h, d);
			unlink_download(h, d);
		} else if (d->state == WAITING && h->active < h->opt.jobs && now >= d->not_before) {
			begin_transfer(h, d);
		}
	}
}

/* Those that take too long have failed. */
static void end_late(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	for (struct download *d = h->first; d; d = d->next)
		if (d->easy && download_is_late(d)) {
			finish_transfer(h, d, CURLE_OPERATION_TIMEDOUT);
			h->finished++;
			pthread_cond_broadcast(&h->changed);
		}
	pthread_mutex_unlock(&h->lock);
}

/* Curl calls on_body() from within, which takes the lock: so without it. */
static void resume_paused(struct http *h)
{
	struct download *d;

	do {
		pthread_mutex_lock(&h->lock);
		for (d = h->first; d && !d->resume; d = d->next)
			;
		if (d)
			d->paused = d->resume = false;
		pthread_mutex_unlock(&h->lock);
		if (d && d->easy)
			curl_easy_pause(d->easy, CURLPAUSE_CONT);
	} while (d);
}

static void collect(struct http *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left))) {
		struct download *d = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &d);
		pthread_mutex_lock(&h->lock);
		finish_transfer(h, d, msg->data.result);
		h->finished++;
		pthread_cond_broadcast(&h->changed);
		pthread_mutex_unlock(&h->lock);
	}
}

static void *run(void *arg)
{
	struct http *h = arg;
	bool quit;

	do {
		int running;

		pthread_mutex_lock(&h->lock);
		look_around(h);
		quit = h->quit;
		pthread_mutex_unlock(&h->lock);
		resume_paused(h);
		curl_multi_perform(h->multi, &running);
		collect(h);
		end_late(h);
		if (!quit)
			curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL);
	} while (!quit);
	return NULL;
}

/* ---- what the others call --------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_new(const struct http_options *opt, struct http **out, struct err *err)
{
	struct http *h = xcalloc(1, sizeof *h);
	pthread_condattr_t attr;
	int rc;

	pthread_once(&once, init_curl);
	h->opt = *opt;
	h->multi = curl_multi_init();
	if (!h->multi) {
		free(h);
		return err_set(err, ERR_IO, "libcurl: cannot initialize");
	}
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)opt->jobs);
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->changed, &attr);
	pthread_condattr_destroy(&attr);
	rc = pool_thread(&h->thread, run, h);
	if (rc) {
		curl_multi_cleanup(h->multi);
		free(h);
		return err_sys(err, rc, "a thread for downloads");
	}
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->quit = true;
	for (struct download *d = h->first; d; d = d->next)
		d->cancelled = true;
	pthread_mutex_unlock(&h->lock);
	curl_multi_wakeup(h->multi);
	pthread_join(h->thread, NULL);
	look_around(h);
	curl_multi_cleanup(h->multi);
	body_heap_fini(&h->heap);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h);
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
	sha256_init(&d->sha);
	pthread_mutex_lock(&h->lock);
	d->prev = h->last;
	*(h->last ? &h->last->next : &h->first) = d;
	h->last = d;
	pthread_mutex_unlock(&h->lock);
	curl_multi_wakeup(h->multi);
	return d;
}

/* Locked. At most a moment, so that a stop is seen. */
static void wait_a_moment(struct http *h)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += POLL_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&h->changed, &h->lock, &until);
}

/* Locked. Something came, or the end. */
static int wait_for_bytes(struct download *d, struct err *err)
{
	struct http *h = d->http;

	while (!d->body.waiting && d->state != READY) {
		if (stopped(h) || d->stopped)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		wait_a_moment(h);
	}
	if (d->state == READY && d->err.code) {
		*err = d->err;
		return -(int)d->err.code;
	}
	return 0;
}

/* Locked. */
static void drop_bytes(struct download *d, size_t n)
{
	body_drop(&d->body, &d->http->heap, n);
	if (d->paused && !d->resume && d->body.waiting <= d->window / 2) {
		d->resume = true;
		curl_multi_wakeup(d->http->multi);
	}
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
		from = body_peek(&d->body, &some);
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

void download_hash(struct download *d, uint8_t out[HASH_SHA256_LEN])
{
	sha256_final(&d->sha, out);
}

const char *download_encoding(const struct download *d)
{
	return d->encoding;
}

bool download_ready(struct download *d)
{
	bool ready;

	pthread_mutex_lock(&d->http->lock);
	ready = d->state == READY;
	pthread_mutex_unlock(&d->http->lock);
	return ready;
}

void download_stop(struct download *d)
{
	pthread_mutex_lock(&d->http->lock);
	d->stopped = true;
	pthread_cond_broadcast(&d->http->changed);
	pthread_mutex_unlock(&d->http->lock);
}

void download_free(struct download *d)
{
	struct http *h;

	if (!d)
		return;
	h = d->http;
	pthread_mutex_lock(&h->lock);
	d->cancelled = true;
	pthread_mutex_unlock(&h->lock);
	curl_multi_wakeup(h->multi);
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
