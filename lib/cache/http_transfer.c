/* SPDX-License-Identifier: MIT */
/* What curl calls in the net thread, and what it is told of one transfer. */
#include "base/mem.h"
#include "base/show.h"
#include "cache/http_transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define REDIRECTS_MAX 5
#define STALL_BYTES_PER_S 100u
#define HEADERS_MAX (64u << 10)
/* CURLE_TOO_LARGE of libcurl 8.6 and later; before it a header line that is too long
 * was CURLE_OUT_OF_MEMORY. */
#define TOO_LARGE 100

int download_fail(struct download *d, enum err_code code, const char *why)
{
	char reason[SHOW_SIZE];

	return err_set(&d->err, code, "%s: %s", d->name, show_str(str_from(why), reason));
}

int64_t http_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- time limits ---------------------------------------------------------------- */

bool download_is_late(struct download *d)
{
	const struct http_options *o = &d->http->opt;
	int64_t now = http_now_ms(), waited = now - d->since;
	curl_off_t connected = 0;

	if (!d->answered) {
		/* Until it is connected libcurl watches: connect_timeout. */
		curl_easy_getinfo(d->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
		if (!connected)
			d->since = now;
		else if (waited > 1000 * (int64_t)o->answer_timeout)
			d->late = NO_ANSWER;
		return d->late != IN_TIME;
	}
	/* Nobody takes what is there: that is not the server's fault. */
	if (!d->paused && waited <= 1000 * (int64_t)o->stall_timeout)
		return false;
	if (!d->paused &&
	    d->heard - d->since_bytes < STALL_BYTES_PER_S * (uint64_t)o->stall_timeout)
		d->late = STALLED;
	d->since = now;
	d->since_bytes = d->heard;
	return d->late != IN_TIME;
}

static const char *netrc_of(const struct http_options *o)
{
	return o->netrc ? o->netrc : "~/.netrc";
}

void download_explain(const struct download *d, CURLcode code, long status, char *why, size_t n)
{
	const struct http_options *o = &d->http->opt;

	if (d->late == NO_ANSWER)
		snprintf(why, n, "no answer in %u s (answer-timeout in domstrap.conf)",
		         o->answer_timeout);
	else if (d->late == STALLED)
		snprintf(why, n,
		         "less than %u bytes a second in %u s (stall-timeout in "
		         "domstrap.conf)",
		         STALL_BYTES_PER_S, o->stall_timeout);
	else if ((code == CURLE_OUT_OF_MEMORY || code == TOO_LARGE) && !d->answered)
		snprintf(why, n, "a header line of the answer is over 100 KB");
	else if (status == 401)
		snprintf(why, n,
		         "HTTP status 401: user name and password required; add a line \"machine "
		         "HOST login USER password PASSWORD\" to %s, or USER:PASSWORD@ before the "
		         "URL's host",
		         netrc_of(o));
}

/* ---- what curl calls --------------------------------------------------------- */

/* "Name: value", of any case; false: another one. */
static bool header_value(struct str line, const char *name, struct str *out)
{
	struct str value = line, key = str_cut(&value, ':');

	if (!value.p || key.n != strlen(name) || strncasecmp(key.p, name, key.n) != 0)
		return false;
	*out = str_trim(value);
	return true;
}

/* Each answer of a chain of redirections begins with its own status line. */
static void look_at_header(struct download *d, struct str line)
{
	struct str value;

	if (str_starts(line, "HTTP/"))
		d->encoding[0] = '\0';
	else if (header_value(line, "content-encoding", &value))
		snprintf(d->encoding, sizeof d->encoding, "%.*s", STR_ARG(value));
}

static void hear(struct download *d, size_t n)
{
	if (!d->answered)
		d->since = http_now_ms();
	d->answered = true;
	d->heard += n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct download *d = ctx;

	look_at_header(d, str_trim((struct str){p, size * n}));
	d->headers += size * n;
	if (d->headers > HEADERS_MAX) {
		pthread_mutex_lock(&d->http->lock);
		download_fail(d, ERR_LIMIT, "the headers of the answer are too large");
		pthread_mutex_unlock(&d->http->lock);
		return 0;
	}
	return size * n;
}

static size_t take_body(struct download *d, const char *p, size_t n)
{
	size_t drop = (size_t)MIN(d->skip, (uint64_t)n), waiting = d->body.waiting;
	char why[96];

	/*
	 * Check the limit first: a caller that waits for the whole body never drains it, so a
	 * pause would deadlock.
	 */
	if (d->limit - d->arrived < n - drop) {
		snprintf(why, sizeof why, "the answer is larger than expected, %" PRIu64 " bytes",
		         d->limit);
		download_fail(d, ERR_LIMIT, why);
		return 0;
	}
	if (waiting && waiting + (n - drop) > d->window) {
		d->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	d->skip -= drop;
	body_put(&d->body, &d->http->heap, p + drop, n - drop);
	d->arrived += n - drop;
	d->http->received += n;
	if (!waiting)
		pthread_cond_broadcast(&d->http->changed);
	return n;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct download *d = ctx;
	uint64_t before = d->arrived;
	long status = 0;
	size_t took, fresh;

	curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
	pthread_mutex_lock(&d->http->lock);
	hear(d, size * n);
	if (status != 200) {
		download_fail(d, ERR_IO, "the server sent neither the file nor an error status");
		took = 0;
	} else if (d->cancelled) {
		took = 0;
	} else {
		took = take_body(d, p, size * n);
	}
	pthread_mutex_unlock(&d->http->lock);
	/* Here and not by who unpacks it, which takes longer. */
	fresh = (size_t)(d->arrived - before);
	sha256_update(&d->sha, p + (size * n - fresh), fresh);
	return took;
}

void download_set_options(struct download *d)
{
	CURL *c = d->easy;
	const struct http_options *o = &d->http->opt;
	bool secure = strncasecmp(d->url, "https:", 6) == 0;

	curl_easy_setopt(c, CURLOPT_URL, d->url);
	curl_easy_setopt(c, CURLOPT_PRIVATE, d);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->why);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, d);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* Nobody waits for a name server that does not answer. */
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L << 10);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)o->connect_timeout);
	if (o->netrc)
		curl_easy_setopt(c, CURLOPT_NETRC_FILE, o->netrc);
	curl_easy_setopt(c, CURLOPT_USERAGENT, o->agent);
	if (o->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
}
