/* SPDX-License-Identifier: MIT */
/* libcurl's callbacks in the fetcher, and the options of one transfer. */
#include "base/clock.h"
#include "base/mem.h"
#include "cache/http_transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REDIRECT_BYTES_MAX (1u << 20)
#define STALL_BYTES_PER_S 100u
#define HEADERS_MAX (64u << 10)
/* CURLE_TOO_LARGE of libcurl 8.6 and later; earlier versions return CURLE_OUT_OF_MEMORY
 * for a header line that is too long. */
#define TOO_LARGE 100

void fetch_fail(struct fetch *d, enum err_code code, const char *why)
{
	d->code = code;
	snprintf(d->why, sizeof d->why, "%s", why);
}

void fetch_pause(struct fetch *d, bool paused)
{
	if (paused != d->paused)
		d->fetcher->paused += paused ? 1 : -1u;
	d->paused = paused;
}

/* ---- time limits ---------------------------------------------------------------- */

bool fetch_is_late(struct fetch *d)
{
	const struct http_options *o = d->fetcher->opt;
	int64_t now = clock_ms(), waited = now - d->since;
	curl_off_t connected = 0;

	if (!d->answered) {
		/* Until then, libcurl watches connect_timeout. */
		curl_easy_getinfo(d->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
		if (!connected)
			d->since = now;
		else if (waited > 1000 * (int64_t)o->answer_timeout)
			d->late = NO_ANSWER;
		return d->late != IN_TIME;
	}
	/* While paused, the reader is slow, not the server. */
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

void fetch_explain(const struct fetch *d, CURLcode code, long status, char *why, size_t n)
{
	const struct http_options *o = d->fetcher->opt;

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

/* The value of a line "Name: value", the name in any case; false: another header. */
static bool header_value(struct str line, const char *name, struct str *out)
{
	struct str value = line, key = str_cut(&value, ':');

	if (!value.p || !str_is_nocase(key, name))
		return false;
	*out = str_trim(value);
	return true;
}

/* Each answer in a chain of redirects begins with a status line. */
static void look_at_header(struct fetch *d, struct str line)
{
	struct str value;

	if (str_starts(line, "HTTP/"))
		d->encoding[0] = '\0';
	else if (header_value(line, "content-encoding", &value))
		snprintf(d->encoding, sizeof d->encoding, "%.*s", STR_ARG(value));
}

static void hear(struct fetch *d, size_t n)
{
	if (!d->answered)
		d->since = clock_ms();
	d->answered = true;
	d->heard += n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *d = ctx;

	look_at_header(d, str_trim((struct str){p, size * n}));
	d->headers += size * n;
	if (d->headers > HEADERS_MAX) {
		fetch_fail(d, ERR_LIMIT, "the headers of the answer are too large");
		return 0;
	}
	return size * n;
}

void fetcher_tell(struct fetcher *f)
{
	if (f->pending.part.n)
		http_bytes_put(&f->line.out, &f->pending);
	f->pending.part.n = 0;
}

/* Report where the bytes are, in one message with those before them if they adjoin. */
static void tell(struct fetch *d, const struct body_part *part)
{
	struct fetcher *f = d->fetcher;
	struct body_part *last = &f->pending.part;

	if (last->n && f->pending.id == d->id && last->piece == part->piece &&
	    last->from + last->n == part->from) {
		last->n += part->n;
		return;
	}
	fetcher_tell(f);
	f->pending = (struct http_bytes){d->id, *part};
}

static bool keep(struct fetch *d, const char *p, size_t n)
{
	struct body_part part;

	for (; n; p += part.n, n -= part.n) {
		if (!body_put(&d->body, d->fetcher->store, p, n, &part)) {
			fetch_fail(d, ERR_LIMIT, "too much downloaded data is waiting to be read");
			return false;
		}
		d->arrived += part.n;
		tell(d, &part);
	}
	return true;
}

static size_t take_body(struct fetch *d, const char *p, size_t n)
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
		fetch_fail(d, ERR_LIMIT, why);
		return 0;
	}
	if (waiting && waiting + (n - drop) > d->window) {
		fetch_pause(d, true);
		return CURL_WRITEFUNC_PAUSE;
	}
	d->skip -= drop;
	return keep(d, p + drop, n - drop) ? n : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *d = ctx;
	long status = 0;

	curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
	hear(d, size * n);
	if (status == 200)
		return take_body(d, p, size * n);
	/* The text of a redirect is ignored. */
	if (status / 100 == 3 && d->heard <= REDIRECT_BYTES_MAX)
		return size * n;
	fetch_fail(d, ERR_IO, "the server sent neither the file nor an error status");
	return 0;
}

/* Certificates, in memory if possible because the jail may not see the file; password. */
static void set_files(struct fetch *d)
{
	const char *user = d->to_url ? d->to_user : d->user;
	const char *password = d->to_url ? d->to_password : d->password;
	const struct http_options *o = d->fetcher->opt;
	struct str ca = d->fetcher->ca;
	struct curl_blob blob = {(void *)(uintptr_t)ca.p, ca.n, CURL_BLOB_NOCOPY};

	if (ca.n)
		curl_easy_setopt(d->easy, CURLOPT_CAINFO_BLOB, &blob);
	else if (o->ca_file)
		curl_easy_setopt(d->easy, CURLOPT_CAINFO, o->ca_file);
	if (!*user && !*password)
		return;
	curl_easy_setopt(d->easy, CURLOPT_USERNAME, user);
	curl_easy_setopt(d->easy, CURLOPT_PASSWORD, password);
}

void fetch_set_options(struct fetch *d)
{
	CURL *c = d->easy;
	const struct http_options *o = d->fetcher->opt;
	/* A redirect must not lead from https to http. */
	bool secure = d->to_url && strncasecmp(d->url, "https:", 6) == 0;

	curl_easy_setopt(c, CURLOPT_URL, d->to_url ? d->to_url : d->url);
	curl_easy_setopt(c, CURLOPT_PRIVATE, d);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->said);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, d);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http,https");
	curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* Do not wait for a name server that does not answer. */
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L << 10);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)o->connect_timeout);
	curl_easy_setopt(c, CURLOPT_USERAGENT, o->agent);
	set_files(d);
}
