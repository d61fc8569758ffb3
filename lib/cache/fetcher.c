/* SPDX-License-Identifier: MIT */
/* One thread with libcurl's multi interface. */
#include "cache/fetcher.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cache/curl_lazy.h"
#include "cache/http_transfer.h"

#define FETCHER_MEMORY (1ull << 30)
#define FETCHER_SECONDS (24 * 3600)
#define CA_BYTES_MAX (16u << 20)
#define POLL_MS 100
#define BACK_OFF_MS 250
#define RETRY_AFTER_MAX_S 60

/* ---- one transfer ----------------------------------------------------------- */

/* The next try begins with the original URL. */
static void forget_redirect(struct fetch *d)
{
	free(take(&d->to_url));
	free(take(&d->to_user));
	free(take(&d->to_password));
}

static void unlink_fetch(struct fetcher *f, struct fetch *d)
{
	*(d->prev ? &d->prev->next : &f->first) = d->next;
	*(d->next ? &d->next->prev : &f->last) = d->prev;
	body_fini(&d->body, f->store);
	forget_redirect(d);
	free(d->url);
	free(d->user);
	free(d->password);
	free(d);
}

static void end_transfer(struct fetcher *f, struct fetch *d)
{
	curl_multi_remove_handle(f->multi, d->easy);
	curl_easy_cleanup(d->easy);
	d->easy = NULL;
	fetch_pause(d, false);
	f->active--;
}

/* Report the end of a download, or its failure. */
static void say_end(struct fetcher *f, struct fetch *d)
{
	struct http_end end = {.id = d->id,
	                       .code = d->code,
	                       .why = str_from(d->why),
	                       .encoding = str_from(d->encoding)};

	d->state = READY;
	fetcher_tell(f);
	http_end_put(&f->line.out, &end);
}

static void begin_transfer(struct fetcher *f, struct fetch *d)
{
	d->easy = curl_easy_init();
	d->tries += !d->to_url;
	d->skip = d->arrived;
	d->headers = d->heard = d->since_bytes = 0;
	d->answered = false;
	d->late = IN_TIME;
	d->since = clock_ms();
	d->said[0] = d->encoding[0] = '\0';
	if (!d->easy) {
		fetch_fail(d, ERR_IO, "libcurl: cannot create a handle");
		say_end(f, d);
		return;
	}
	d->state = ACTIVE;
	f->active++;
	fetch_set_options(d);
	curl_multi_add_handle(f->multi, d->easy);
}

/* Worth another try? Errors of certificates, schemes and our own limits are not. */
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
	/* Object stores that do not allow listing return 403 for a missing file. */
	if (code == CURLE_HTTP_RETURNED_ERROR && (status == 404 || status == 403 || status == 410))
		return ERR_NOENT;
	return ERR_IO;
}

static void schedule_retry(struct fetch *d, curl_off_t after)
{
	int64_t wait = (int64_t)BACK_OFF_MS << MIN(d->tries - 1, 6u);

	/* Spread the retries over time. */
	wait += (int64_t)((uintptr_t)d / 64 % BACK_OFF_MS);
	if (after > 0)
		wait = MAX(wait, 1000 * MIN((int64_t)after, (int64_t)RETRY_AFTER_MAX_S));
	d->not_before = clock_ms() + wait;
	d->state = WAITING;
	d->moves = 0;
	forget_redirect(d);
}

/* Not left to libcurl, because the parent has the passwords. False: too many redirects. */
static bool follow(struct fetcher *f, struct fetch *d, const char *to)
{
	struct http_moved moved = {d->id, str_from(to)};

	if (++d->moves > HTTP_MOVES_MAX || moved.url.n > HTTP_URL_MAX)
		return false;
	forget_redirect(d);
	d->to_url = xstrdup(to);
	d->to_user = xstrdup("");
	d->to_password = xstrdup("");
	d->state = MOVED;
	fetcher_tell(f);
	http_moved_put(&f->line.out, &moved);
	return true;
}

/* 0: it has ended. 1: it continues with another try or a redirect. */
static int judge(struct fetcher *f, struct fetch *d, CURLcode code)
{
	long status = 0;
	curl_off_t after = 0;
	char why[CURL_ERROR_SIZE + 256];
	_free_ char *to = NULL;
	const char *where = NULL;

	curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(d->easy, CURLINFO_RETRY_AFTER, &after);
	curl_easy_getinfo(d->easy, CURLINFO_REDIRECT_URL, &where);
	to = where ? xstrdup(where) : NULL;
	snprintf(why, sizeof why, "%s", d->said[0] ? d->said : curl_easy_strerror(code));
	end_transfer(f, d);
	if (d->code)
		return 0;
	if (code == CURLE_OK && status == 200 && d->skip == 0)
		return 0;
	if (code == CURLE_OK && to && follow(f, d, to))
		return 1;
	if (code == CURLE_OK && to) {
		snprintf(why, sizeof why, "Maximum (%u) redirects followed", HTTP_MOVES_MAX);
		code = CURLE_TOO_MANY_REDIRECTS;
	} else if (code == CURLE_OK) {
		snprintf(why, sizeof why, "unexpected HTTP status %ld", status);
		code = CURLE_WEIRD_SERVER_REPLY;
	}
	fetch_explain(d, code, status, why, sizeof why - 32);
	if (transient(code, status) && d->late != NO_ANSWER && d->tries < f->opt->tries) {
		schedule_retry(d, after);
		return 1;
	}
	if (d->tries > 1)
		snprintf(why + strlen(why), sizeof why - strlen(why), " (%u tries)", d->tries);
	fetch_fail(d, code_for(code, status), why);
	return 0;
}

static void finish_transfer(struct fetcher *f, struct fetch *d, CURLcode code)
{
	if (judge(f, d, code) == 0)
		say_end(f, d);
}

/* ---- the parent's messages --------------------------------------------------- */

static struct fetch *find(struct fetcher *f, uint32_t id)
{
	struct fetch *d = f->last;

	while (d && d->id != id)
		d = d->prev;
	return d;
}

static int on_get(struct fetcher *f, struct str body, struct err *err)
{
	struct fetch *d;
	struct http_get m;
	int rc = http_get_get(body, &m, err);

	if (rc < 0)
		return rc;
	d = xcalloc(1, sizeof *d);
	d->fetcher = f;
	d->id = m.id;
	d->url = xstrndup(m.url.p, m.url.n);
	d->user = xstrndup(m.user.p, m.user.n);
	d->password = xstrndup(m.password.p, m.password.n);
	d->limit = m.limit;
	d->window = (size_t)m.window;
	d->prev = f->last;
	*(f->last ? &f->last->next : &f->first) = d;
	f->last = d;
	return 0;
}

static int on_taken(struct fetcher *f, struct str body, struct err *err)
{
	struct fetch *d;
	uint64_t bytes;
	uint32_t id;
	int rc = http_taken_get(body, &id, &bytes, err);

	d = rc < 0 ? NULL : find(f, id);
	if (!d || bytes > d->body.waiting)
		return rc;
	body_drop(&d->body, f->store, (size_t)bytes);
	return 0;
}

static int on_login(struct fetcher *f, struct str body, struct err *err)
{
	struct http_login m;
	struct fetch *d;
	int rc = http_login_get(body, &m, err);

	d = rc < 0 ? NULL : find(f, m.id);
	if (!d || d->state != MOVED)
		return rc;
	free(d->to_user);
	free(d->to_password);
	d->to_user = xstrndup(m.user.p, m.user.n);
	d->to_password = xstrndup(m.password.p, m.password.n);
	d->state = WAITING;
	return 0;
}

static int on_done(struct fetcher *f, struct str body, struct err *err)
{
	struct fetch *d;
	uint32_t id;
	int rc = http_id_get(body, &id, err);

	d = rc < 0 ? NULL : find(f, id);
	if (!d)
		return rc;
	if (d->easy)
		end_transfer(f, d);
	unlink_fetch(f, d);
	fetcher_tell(f);
	http_id_put(&f->line.out, HTTP_GONE, id);
	return 0;
}

/* 1: the parent has closed the line. */
static int listen_to_parent(struct fetcher *f, struct err *err)
{
	uint32_t type = 0;
	struct str body;
	int rc = http_line_pull(&f->line, err);

	if (rc)
		return rc;
	while ((rc = http_line_next(&f->line, &type, &body, err)) == 0) {
		if (type == HTTP_GET)
			rc = on_get(f, body, err);
		else if (type == HTTP_TAKEN)
			rc = on_taken(f, body, err);
		else if (type == HTTP_LOGIN)
			rc = on_login(f, body, err);
		else
			rc = on_done(f, body, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

/* ---- the loop --------------------------------------------------------------- */

static void begin_waiting(struct fetcher *f)
{
	int64_t now = clock_ms();
	unsigned most = f->opt->jobs + f->paused;

	curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)most);
	for (struct fetch *d = f->first; d && f->active < most; d = d->next)
		if (d->state == WAITING && now >= d->not_before)
			begin_transfer(f, d);
}

/* Resume transfers whose windows have room again. */
static void resume_paused(struct fetcher *f)
{
	for (struct fetch *d = f->first; d; d = d->next)
		if (d->easy && d->paused && d->body.waiting <= d->window / 2) {
			fetch_pause(d, false);
			curl_easy_pause(d->easy, CURLPAUSE_CONT);
		}
}

static void collect(struct fetcher *f)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(f->multi, &left))) {
		struct fetch *d = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &d);
		finish_transfer(f, d, msg->data.result);
	}
}

/* End transfers that exceeded a time limit. */
static void end_late(struct fetcher *f)
{
	for (struct fetch *d = f->first; d; d = d->next)
		if (d->easy && fetch_is_late(d))
			finish_transfer(f, d, CURLE_OPERATION_TIMEDOUT);
}

static int run(struct fetcher *f)
{
	struct err err = ERR_INIT;
	int rc = 0, running;

	for (;;) {
		struct curl_waitfd line = {.fd = JAIL_PARENT, .events = CURL_WAIT_POLLIN};

		begin_waiting(f);
		resume_paused(f);
		curl_multi_perform(f->multi, &running);
		collect(f);
		end_late(f);
		fetcher_tell(f);
		rc = http_line_push(&f->line, &err);
		if (rc == 0 && f->line.out.n)
			line.events |= CURL_WAIT_POLLOUT;
		if (rc == 0)
			curl_multi_poll(f->multi, &line, 1, POLL_MS, NULL);
		if (rc == 0)
			rc = listen_to_parent(f, &err);
		if (rc)
			return rc < 0;
	}
}

/* ---- the process ------------------------------------------------------------ */

struct start {
	const struct http_options *opt;
	struct body_store *store;
	struct buf ca;
};

static int main_of_fetcher(void *arg)
{
	struct start *s = arg;
	struct fetcher f = {.opt = s->opt,
	                    .ca = buf_str(&s->ca),
	                    .store = s->store,
	                    .line.wire = {.fd = JAIL_PARENT,
	                                  .rules = http_parent_rules,
	                                  .rule_count = http_parent_rule_count,
	                                  .peer = "parent"}};
	int closed[2];

	/* Descriptors 1 and 2 are closed: occupy them, so that no connection gets one of them. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, closed) < 0)
		return 1;
	f.multi = curl_multi_init();
	if (!f.multi)
		return 1;
	return run(&f);
}

int fetcher_start(const struct http_options *opt, struct body_store *store, struct jail *out,
                  struct err *err)
{
	struct start s = {.opt = opt, .store = store, .ca = BUF_INIT};
	struct jail_spec spec = {.role = JAIL_FETCHER,
	                         .uid = JAIL_NOBODY,
	                         .memory = FETCHER_MEMORY,
	                         .cpu = FETCHER_SECONDS,
	                         .main = main_of_fetcher,
	                         .arg = &s};
	struct err ignored = ERR_INIT;
	/* Here, because it reads OpenSSL's configuration, too. */
	int rc = curl_lazy_load(err);

	if (rc < 0)
		return err_prefix(err, "downloads need libcurl");
	/* If this fails, libcurl reports it when it needs the file. */
	if (opt->ca_file)
		(void)io_read_file(AT_FDCWD, opt->ca_file, CA_BYTES_MAX, &s.ca, &ignored);
	rc = jail_start(&spec, out, err);
	buf_fini(&s.ca);
	return rc;
}
