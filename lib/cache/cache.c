/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "cache/cache.h"
#include "cache/http.h"
#include "nix/cache_info.h"
#include "nix/narinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INFO "nix-cache-info"
#define INFO_WINDOW 65536u

struct cache {
	char *url;         /* without a trailing slash */
	char *name;        /* the same without credentials */
	struct http *http; /* NULL: a folder */
	struct unpacker *unpacker;
	int dirfd;
	unsigned priority;
	bool priority_given;
	struct cache_file *info;
};

struct cache_file {
	struct stream stream; /* of cache_file_read_all() */
	struct unpacker *unpacker;
	struct download *download; /* or, of a folder: */
	int fd;
	char *path;
	struct err failed; /* code 0: no */
};

bool cache_is_remote(const char *text)
{
	struct str s = str_from(text);

	return str_starts(s, "http://") || str_starts(s, "https://");
}

bool cache_is_url(const char *text)
{
	return strstr(text, "://") != NULL;
}

/* A URL without user name and password. */
static char *without_credentials(const char *url)
{
	const char *host = strstr(url, "://") + strlen("://");
	const char *end = host + strcspn(host, "/"), *at = NULL;
	char shown[SHOW_SIZE];

	for (const char *p = host; p < end; p++)
		if (*p == '@')
			at = p;
	if (!at)
		return xstrdup(show_str(str_from(url), shown));
	return xasprintf("%.*s%s", (int)(host - url), url, show_str(str_from(at + 1), shown));
}

/* Parameters of Nix's store URLs that do not affect reading. */
static const char *const no_matter[] = {
        "want-mass-query",   "compression",     "compression-level", "parallel-compression",
        "write-nar-listing", "local-nar-cache", "index-debug-info",  "path-info-cache-size",
        "system-features",   "secret-key",      "secret-keys",       "buffer-size",
};

static int set_parameter(struct cache *c, struct str name, struct str value, struct err *err)
{
	char shown[SHOW_SIZE];
	uint64_t v;

	for (size_t i = 0; i < ARRAY_LEN(no_matter); i++)
		if (str_is(name, no_matter[i]))
			return 0;
	if (str_is(name, "trusted") && !str_is(value, "true") && !str_is(value, "1"))
		return 0;
	if (str_is(name, "store") && str_is(value, STORE_DIR))
		return 0;
	if (str_is(name, "trusted"))
		return err_set(err, ERR_USAGE,
		               "%s: trusted=true is not supported, because it accepts unsigned "
		               "paths; use --trusted-key with its key, or --no-check-sigs",
		               c->name);
	if (!str_is(name, "priority"))
		return err_set(err, ERR_USAGE, "%s: unknown parameter \"%s\"", c->name,
		               show_str(name, shown));
	if (!str_u64(value, 10, CACHE_PRIORITY_MAX, &v))
		return err_set(err, ERR_USAGE, "%s: priority \"%s\" is not a number up to %u",
		               c->name, show_str(value, shown), CACHE_PRIORITY_MAX);
	c->priority = (unsigned)v;
	c->priority_given = true;
	return 0;
}

/* "name=value&name=value" */
static int set_parameters(struct cache *c, struct str query, struct err *err)
{
	int rc = 0;

	while (query.p && rc == 0) {
		struct str value = str_cut(&query, '&'), name = str_cut(&value, '=');

		if (name.n)
			rc = set_parameter(c, name, value, err);
	}
	return rc;
}

/* s3://BUCKET?region=R&endpoint=E: the message suggests a URL to use instead. */
static int refuse_s3(const char *url, struct err *err)
{
	struct str query = str_from(url + strlen("s3://")), place = str_cut(&query, '?');
	struct str region = STR("us-east-1"), endpoint = {0}, bucket;
	char b[SHOW_SIZE], p[SHOW_SIZE], r[SHOW_SIZE];

	while (query.p) {
		struct str value = str_cut(&query, '&'), name = str_cut(&value, '=');

		if (str_is(name, "region") && value.n)
			region = value;
		if (str_is(name, "endpoint"))
			endpoint = value;
	}
	bucket = str_cut(&place, '/');
	show_str(bucket, b);
	show_str(place, p);
	if (endpoint.n)
		return err_set(err, ERR_USAGE,
		               "s3://%s: not supported; a public bucket is at https://%s/%s%s%s", b,
		               show_str(endpoint, r), b, place.n ? "/" : "", p);
	return err_set(
	        err, ERR_USAGE,
	        "s3://%s: not supported; a public bucket is at https://%s.s3.%s.amazonaws.com%s%s",
	        b, b, show_str(region, r), place.n ? "/" : "", p);
}

/* Decode escapes such as "%20". Anything that is not an escape is left unchanged. */
static int unescape(char *path, const char *name, struct err *err)
{
	char *to = path;

	for (const char *p = path; *p; p++, to++) {
		uint64_t v;

		*to = *p;
		if (*p != '%' || strnlen(p, 3) < 3 || !str_u64((struct str){p + 1, 2}, 16, 255, &v))
			continue;
		if (v == 0)
			return err_set(err, ERR_USAGE, "%s: a path cannot contain a NUL", name);
		*to = (char)v;
		p += 2;
	}
	*to = '\0';
	return 0;
}

static int open_folder(struct cache *c, struct err *err)
{
	_free_ char *path = xstrdup(c->url + strlen("file://"));
	int rc = unescape(path, c->name, err);

	if (rc < 0)
		return rc;
	if (*path != '/')
		return err_set(err, ERR_USAGE, "%s: file:// requires an absolute path", c->name);
	c->dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->dirfd < 0)
		return err_sys(err, errno, "%s", c->name);
	return 0;
}

static int open_place(struct cache *c, struct http *http, struct err *err)
{
	if (cache_is_remote(c->url))
		c->http = http;
	else if (str_starts(str_from(c->url), "file://"))
		return open_folder(c, err);
	else
		return err_set(err, ERR_USAGE,
		               "%s: unsupported cache URL; expected file://, http:// or https://",
		               c->name);
	return 0;
}

int cache_new(const char *url, struct http *http, struct unpacker *unpacker, struct cache **out,
              struct err *err)
{
	struct cache *c = xcalloc(1, sizeof *c);
	struct str query = str_from(url), plain = str_cut(&query, '?');
	int rc;

	if (str_starts(str_from(url), "s3://")) {
		free(c);
		return refuse_s3(url, err);
	}
	c->url = xstrndup(plain.p, plain.n);
	c->unpacker = unpacker;
	c->dirfd = -1;
	c->priority = CACHE_PRIORITY_DEFAULT;
	while (strlen(c->url) > strlen("file:///") && str_ends(str_from(c->url), "/"))
		c->url[strlen(c->url) - 1] = '\0';
	c->name = without_credentials(c->url);
	rc = query.p ? set_parameters(c, query, err) : 0;
	if (rc == 0)
		rc = open_place(c, http, err);
	if (rc < 0)
		cache_free(c);
	else
		*out = c;
	return rc;
}

char *cache_shown(const char *text)
{
	return cache_is_url(text) ? without_credentials(text) : xstrdup(text);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	cache_file_free(c->info);
	io_close(&c->dirfd);
	free(c->url);
	free(c->name);
	free(c);
}

const char *cache_name(const struct cache *c)
{
	return c->name;
}

bool cache_remote(const struct cache *c)
{
	return c->http;
}

unsigned cache_priority(const struct cache *c)
{
	return c->priority;
}

void cache_begin_info(struct cache *c)
{
	c->info = cache_open(c, INFO, CACHE_INFO_BYTES_MAX, INFO_WINDOW);
}

int cache_end_info(struct cache *c, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct cache_info info;
	int rc = cache_file_read_all(c->info, CACHE_INFO_BYTES_MAX, &text, err);

	cache_file_free(c->info);
	c->info = NULL;
	if (rc == -ERR_NOENT)
		return err_prefix(err, "%s is not a binary cache", c->name);
	/* Errors of reading name the file already. */
	if (rc < 0)
		return rc;
	rc = unpacker_cache_info(c->unpacker, buf_str(&text), &info, err);
	if (rc < 0)
		return err_prefix(err, "%s", c->name);
	if (!c->priority_given)
		c->priority = info.priority;
	return 0;
}

/* ---- files ------------------------------------------------------------------ */

/* Symbolic links must not lead out of the cache's directory. */
static int open_beneath(int dirfd, const char *name)
{
	struct open_how how = {
	        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dirfd, name, &how, sizeof how);
}

static int open_in_folder(struct cache_file *f, const struct cache *c, const char *name,
                          uint64_t limit)
{
	struct stat st;

	f->fd = open_beneath(c->dirfd, name);
	if (f->fd < 0)
		return err_sys(&f->failed, errno, "%s", f->path);
	if (fstat(f->fd, &st) < 0)
		return err_sys(&f->failed, errno, "%s: stat", f->path);
	if (!S_ISREG(st.st_mode))
		return err_set(&f->failed, ERR_FORMAT, "%s: not a regular file", f->path);
	if ((uint64_t)st.st_size > limit)
		return err_set(&f->failed, ERR_LIMIT, "%s: %llu bytes, expected at most %llu bytes",
		               f->path, (unsigned long long)st.st_size, (unsigned long long)limit);
	return 0;
}

/*
 * A file of another server, as Nix allows: its NAR hash is signed. That server does
 * not get the cache's password. An https cache must not refer to http, nor a directory
 * to the network.
 */
static void open_elsewhere(struct cache_file *f, const struct cache *c, const char *url,
                           uint64_t limit, size_t window)
{
	if (!c->http)
		err_set(&f->failed, ERR_UNSUPPORTED,
		        "%s: a URL in a file:// cache must be relative", f->path);
	else if (str_starts(str_from(c->url), "https:") && !str_starts(str_from(url), "https:"))
		err_set(&f->failed, ERR_UNSUPPORTED, "%s: an https:// cache refers to http://",
		        f->path);
	else
		f->download = http_get(c->http, url, f->path, limit, window);
}

struct cache_file *cache_open(struct cache *c, const char *name, uint64_t limit, size_t window)
{
	struct cache_file *f = xcalloc(1, sizeof *f);
	char shown[SHOW_SIZE];

	f->unpacker = c->unpacker;
	f->fd = -1;
	if (narinfo_url_is_absolute(str_from(name))) {
		f->path = xstrdup(show_str(str_from(name), shown));
		open_elsewhere(f, c, name, limit, window);
		return f;
	}
	f->path = xasprintf("%s/%s", c->name, show_str(str_from(name), shown));
	if (c->http) {
		_free_ char *url = xasprintf("%s/%s", c->url, name);

		f->download = http_get(c->http, url, f->path, limit, window);
	} else {
		(void)open_in_folder(f, c, name, limit);
	}
	return f;
}

void cache_file_free(struct cache_file *f)
{
	if (!f)
		return;
	download_free(f->download);
	io_close(&f->fd);
	free(f->path);
	free(f);
}

int cache_file_read(struct cache_file *f, void *p, size_t n, size_t *got, struct err *err)
{
	if (f->download)
		return download_read(f->download, p, n, got, err);
	if (f->failed.code) {
		*err = f->failed;
		return -(int)err->code;
	}
	return io_read(f->fd, f->path, p, n, got, err);
}

bool cache_file_ready(struct cache_file *f)
{
	return !f->download || download_ready(f->download);
}

/* ---- small files, whole --------------------------------------------------------- */

static int file_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	return cache_file_read(CONTAINER(s, struct cache_file, stream), p, n, got, err);
}

/* RFC 9110, section 8.4.1; NULL: nothing to do; "": not known. */
static const char *encoding_of(const struct cache_file *f)
{
	static const char *const names[][2] = {
	        {"", NULL},       {"identity", NULL}, {"none", NULL},
	        {"gzip", "gzip"}, {"x-gzip", "gzip"}, {"br", "br"},
	        {"zstd", "zstd"}, {"xz", "xz"},       {"bzip2", "bzip2"},
	};
	const char *said = f->download ? download_encoding(f->download) : "";

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(said, names[i][0]) == 0)
			return names[i][1];
	return "";
}

/* Object stores may send files compressed as they are stored, even if that was not requested. */
static int unpack_text(const struct cache_file *f, size_t limit, struct buf *text, struct err *err)
{
	_cleanup_(buf_fini) struct buf packed = *text;
	const char *name = encoding_of(f);
	struct stream_bytes bytes;
	struct unpacking *u;
	char shown[SHOW_SIZE];
	int rc;

	*text = (struct buf)BUF_INIT;
	if (!*name)
		return err_set(err, ERR_UNSUPPORTED, "%s: Content-Encoding \"%s\" is not supported",
		               f->path, show_str(str_from(download_encoding(f->download)), shown));
	u = unpacking_new(f->unpacker, str_from(name), stream_over(&bytes, buf_str(&packed)));
	rc = stream_all(unpacking_stream(u), limit, text, err);
	unpacking_free(u);
	return rc < 0 ? err_prefix(err, "%s: Content-Encoding %s", f->path, name) : 0;
}

int cache_file_read_all(struct cache_file *f, size_t limit, struct buf *out, struct err *err)
{
	int rc;

	f->stream.read = file_read;
	rc = stream_all(&f->stream, limit, out, err);

	return rc == 0 && encoding_of(f) ? unpack_text(f, limit, out, err) : rc;
}
