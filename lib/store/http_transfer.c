/* SPDX-License-Identifier: MIT */
/* What curl calls in the net thread, and what it is told of one transfer. */
#include "store/http_transfer.h"
#include "base/mem.h"
#include "base/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REDIRECTS_MAX 5
#define STALL_BYTES_PER_S 100
#define HEADERS_MAX (64u << 10)

int download_fail(struct download *d, enum err_code code, const char *why)
{
	char reason[SHOW_SIZE];

	return err_set(&d->err, code, "%s: %s", d->name, show_str(str_from(why), reason));
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct download *d = ctx;

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

	/* First: who waits for all of it never reads, so a pause would have no end. */
	if (d->limit - d->arrived < n - drop) {
		snprintf(why, sizeof why,
		         "the answer is larger than it should be, %" PRIu64 " bytes", d->limit);
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
	if (status != 200) {
		download_fail(d, ERR_IO,
		              "the server answers neither with the file nor with an error");
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
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)o->stall_timeout);
	curl_easy_setopt(c, CURLOPT_USERAGENT, o->agent);
	if (o->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
}
