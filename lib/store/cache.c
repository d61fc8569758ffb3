/* SPDX-License-Identifier: MIT */
#include "store/cache.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "nix/cache_info.h"
#include "store/http.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INFO "nix-cache-info"
#define INFO_WINDOW 65536u

struct cache {
	char *url;         /* without a slash at its end */
	char *name;        /* the same without credentials */
	struct http *http; /* NULL: a folder */
	int dirfd;
	unsigned priority;
	bool priority_given;
	struct cache_file *info;
};

struct cache_file {
	struct download *download; /* or, of a folder: */
	int fd;
	struct sha256 sha;
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

/* A URL without what may be a password in it. */
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

/* "priority=N" */
static int set_parameters(struct cache *c, struct str query, struct err *err)
{
	char shown[SHOW_SIZE];
	uint64_t v;

	if (!str_starts(query, "priority=") ||
	    !str_u64(str_drop(query, strlen("priority=")), 10, CACHE_PRIORITY_MAX, &v))
		return err_set(err, ERR_USAGE,
		               "%s?%s: the one parameter that is known is priority=N", c->name,
		               show_str(query, shown));
	c->priority = (unsigned)v;
	c->priority_given = true;
	return 0;
}

/* Take "%20" for a blank, as in any URL. What is no escape stands for itself. */
static int unescape(char *path, const char *name, struct err *err)
{
	char *to = path;

	for (const char *p = path; *p; p++, to++) {
		uint64_t v;

		*to = *p;
		if (*p != '%' || strnlen(p, 3) < 3 || !str_u64((struct str){p + 1, 2}, 16, 255, &v))
			continue;
		if (v == 0)
			return err_set(err, ERR_USAGE, "%s: there is no NUL in a path", name);
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
		return err_set(err, ERR_USAGE, "%s: file:// wants an absolute path", c->name);
	c->dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->dirfd < 0)
		return err_sys(err, errno, "%s", c->name);
	return 0;
}

int cache_new(const char *url, struct http *http, struct cache **out, struct err *err)
{
	struct cache *c = xcalloc(1, sizeof *c);
	struct str query = str_from(url), plain = str_cut(&query, '?');
	int rc;

	c->url = xstrndup(plain.p, plain.n);
	c->dirfd = -1;
	c->priority = CACHE_PRIORITY_DEFAULT;
	while (strlen(c->url) > strlen("file:///") && str_ends(str_from(c->url), "/"))
		c->url[strlen(c->url) - 1] = '\0';
	c->name = without_credentials(c->url);
	rc = query.p ? set_parameters(c, query, err) : 0;
	if (rc == 0 && cache_is_remote(url))
		c->http = http;
	else if (rc == 0 && str_starts(str_from(url), "file://"))
		rc = open_folder(c, err);
	else if (rc == 0)
		rc = err_set(err, ERR_USAGE, "%s: a cache is file://, http:// or https://%s",
		             c->name,
		             str_starts(str_from(url), "s3://")
		                     ? "; a public bucket has an https:// address too"
		                     : "");
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
	int rc = cache_file_read_all(c->info, &text, err);

	cache_file_free(c->info);
	c->info = NULL;
	if (rc == 0 && cache_info_parse(buf_str(&text), &info, err) < 0)
		return err_prefix(err, "%s", c->name);
	if (rc == -ERR_NOENT)
		return err_prefix(err, "%s is no binary cache", c->name);
	/* What could not be read says so itself. */
	if (rc < 0)
		return rc;
	if (!c->priority_given)
		c->priority = info.priority;
	return 0;
}

/* ---- files ------------------------------------------------------------------ */

/* Links in a folder may not lead out of it. */
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
		return err_set(&f->failed, ERR_LIMIT,
		               "%s: %llu bytes, larger than it should be, %llu bytes", f->path,
		               (unsigned long long)st.st_size, (unsigned long long)limit);
	return 0;
}

struct cache_file *cache_open(struct cache *c, const char *name, uint64_t limit, size_t window)
{
	struct cache_file *f = xcalloc(1, sizeof *f);
	char shown[SHOW_SIZE];

	f->fd = -1;
	sha256_init(&f->sha);
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
	sha256_fini(&f->sha);
	free(f->path);
	free(f);
}

int cache_file_read(struct cache_file *f, void *p, size_t n, size_t *got, struct err *err)
{
	int rc;

	if (f->download)
		return download_read(f->download, p, n, got, err);
	if (f->failed.code) {
		*err = f->failed;
		return -(int)err->code;
	}
	rc = io_read(f->fd, f->path, p, n, got, err);
	if (rc == 0)
		sha256_update(&f->sha, p, *got);
	return rc;
}

void cache_file_hash(struct cache_file *f, uint8_t out[HASH_SHA256_LEN])
{
	if (f->download)
		download_hash(f->download, out);
	else
		sha256_final(&f->sha, out);
}

void cache_file_stop(struct cache_file *f)
{
	if (f->download)
		download_stop(f->download);
}

bool cache_file_ready(struct cache_file *f)
{
	return !f->download || download_ready(f->download);
}

int cache_file_read_all(struct cache_file *f, struct buf *out, struct err *err)
{
	char piece[16384];
	size_t got;
	int rc;

	do {
		rc = cache_file_read(f, piece, sizeof piece, &got, err);
		if (rc < 0)
			return rc;
		buf_put(out, piece, got);
	} while (got);
	return 0;
}
