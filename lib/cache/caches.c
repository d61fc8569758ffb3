/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/show.h"
#include "cache/caches_internal.h"
#include "cache/decompress.h"
#include "nix/content_address.h"
#include "nix/nix32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void caches_warn(const struct caches *c, const struct err *err)
{
	if (c->opt.warn)
		c->opt.warn(err->text);
}

void caches_elsewhere(struct caches *c, const struct err *err)
{
	struct buf text = BUF_INIT;

	buf_putf(&text, "%s; trying the next cache", err->text);
	if (c->opt.warn)
		c->opt.warn(text.p);
	buf_fini(&text);
}

/* ---- opening ---------------------------------------------------------------- */

static int add_supplier(struct caches *c, size_t given, struct err *err)
{
	const char *from = c->opt.from[given];
	struct supplier *s = &c->suppliers[c->n];
	int rc;

	if (c->n == CACHES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d caches", CACHES_MAX);
	*s = (struct supplier){.given = given};
	if (cache_is_url(from)) {
		rc = cache_new(from, c->http, c->unpacker, &s->cache, err);
		s->name = rc < 0 ? NULL : cache_name(s->cache);
	} else {
		rc = local_store_open(from, &s->local, err);
		s->name = from;
	}
	if (rc < 0)
		return rc;
	c->n++;
	return 0;
}

static int open_suppliers(struct caches *c, struct err *err)
{
	for (size_t i = 0; i < c->opt.n_from; i++) {
		int rc = add_supplier(c, i, err);

		if (rc == -ERR_USAGE || (rc < 0 && c->opt.n_from == 1))
			return rc;
		if (rc < 0)
			caches_warn(c, err);
	}
	return 0;
}

/* Query all caches at once; one that does not answer is not used. */
static int ask_infos(struct caches *c, struct err *err)
{
	size_t good = 0;
	int rc = 0, last = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->suppliers[i].cache)
			cache_begin_info(c->suppliers[i].cache);
	for (size_t i = 0; i < c->n; i++) {
		struct supplier *s = &c->suppliers[i];

		rc = s->cache ? cache_end_info(s->cache, err) : 0;
		if (rc == -ERR_INTERRUPTED || rc == -ERR_CHILD)
			return rc;
		s->out = rc < 0;
		if (s->out) {
			last = rc;
			if (c->opt.n_from > 1)
				caches_warn(c, err);
			continue;
		}
		s->priority = s->cache ? cache_priority(s->cache) : 0;
		good++;
	}
	if (good)
		return 0;
	return last < 0 ? last : err_set(err, ERR_NOENT, "no cache or store to read paths from");
}

static int by_priority(const void *a, const void *b)
{
	const struct supplier *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->given < y->given ? -1 : x->given > y->given;
}

static int open_dir(struct caches *c, struct err *err)
{
	int rc;

	if (!c->opt.dir || !c->http)
		return 0;
	rc = cache_dir_open(c->opt.dir, !c->opt.keeps_nothing, &c->dir, err);
	if (rc == -ERR_NOENT && c->opt.keeps_nothing)
		return 0;
	if (rc < 0)
		err_prefix(err, "the directory for downloads");
	if (rc == 0 || c->opt.dir_asked)
		return rc;
	caches_warn(c, err);
	return 0;
}

int caches_open(const struct caches_options *opt, struct caches **out, struct err *err)
{
	_cleanup_(caches_freep) struct caches *c = xcalloc(1, sizeof *c);
	bool remote = false;
	int rc = 0;

	c->opt = *opt;
	pthread_mutex_init(&c->lock, NULL);
	for (size_t i = 0; i < opt->n_from; i++)
		remote |= cache_is_remote(opt->from[i]);
	/* It is started first, because http has a thread. */
	rc = unpacker_start(&c->unpacker, err);
	if (rc == 0 && remote)
		rc = http_new(&opt->http, &c->http, err);
	if (rc == 0)
		rc = open_dir(c, err);
	if (rc == 0)
		rc = open_suppliers(c, err);
	if (rc == 0)
		rc = ask_infos(c, err);
	if (rc < 0)
		return rc;
	qsort(c->suppliers, c->n, sizeof *c->suppliers, by_priority);
	*out = take(&c);
	return 0;
}

void caches_free(struct caches *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_paths; i++)
		offer_fini(&c->offers[i]);
	for (size_t i = 0; i < c->n; i++) {
		cache_free(c->suppliers[i].cache);
		local_store_free(c->suppliers[i].local);
	}
	http_free(c->http);
	unpacker_free(c->unpacker);
	cache_dir_free(c->dir);
	pthread_mutex_destroy(&c->lock);
	free(c->offers);
	free(c->order);
	free(c);
}

void caches_freep(struct caches **c)
{
	caches_free(*c);
}

void caches_cancel(struct caches *c)
{
	if (c->http)
		http_cancel(c->http);
}

void caches_pause(struct caches *c)
{
	if (c->http)
		http_pause(c->http);
}

int caches_resume(struct caches *c, struct err *err)
{
	return c->http ? http_resume(c->http, err) : 0;
}

uint64_t caches_received(const struct caches *c)
{
	return c->http ? http_received(c->http) : 0;
}

/* ---- the directory of downloads ----------------------------------------------- */

void caches_copy_failed(struct caches *c, const struct err *err)
{
	struct err said = *err;
	bool first;

	pthread_mutex_lock(&c->lock);
	first = !c->dir_failed;
	c->dir_failed = true;
	pthread_mutex_unlock(&c->lock);
	if (!first)
		return;
	err_prefix(&said, "further downloads are not kept");
	caches_warn(c, &said);
}

int caches_begin_copy(struct caches *c)
{
	struct err err = ERR_INIT;
	bool failed;
	int fd = -1;

	pthread_mutex_lock(&c->lock);
	failed = c->dir_failed;
	pthread_mutex_unlock(&c->lock);
	if (c->dir && !failed && cache_dir_begin(c->dir, &fd, &err) < 0)
		caches_copy_failed(c, &err);
	return fd;
}

void caches_kept_name(const struct caches *c, size_t supplier, struct str digest,
                      char out[static KEPT_NAME_SIZE])
{
	uint8_t hash[HASH_SHA256_LEN];
	char text[NIX32_LEN(HASH_SHA256_LEN) + 1];
	struct buf b = BUF_INIT;

	buf_putf(&b, "%s %.*s", c->suppliers[supplier].name, STR_ARG(digest));
	sha256_of(b.p, b.n, hash);
	buf_fini(&b);
	nix32_encode(hash, sizeof hash, text);
	snprintf(out, KEPT_NAME_SIZE, "narinfo/%s.narinfo", text);
}

/* ---- offers ----------------------------------------------------------------- */

void offer_fini(struct offer *o)
{
	cache_file_free(o->ahead);
	free(o->url);
	free(o->compression);
	*o = (struct offer){0};
}

void offer_set(struct offer *o, const struct narinfo *info, size_t supplier)
{
	free(o->url);
	free(o->compression);
	o->supplier = supplier;
	o->from_kept = false;
	o->url = xstrndup(info->url.p, info->url.n);
	o->compression = xstrndup(info->compression.p, info->compression.n);
	o->file_size = info->file_size;
}

static int untrusted(const struct narinfo *info, struct err *err)
{
	struct buf names = BUF_INIT;
	char shown[SHOW_SIZE];

	for (size_t i = 0; i < info->nsigs; i++) {
		struct str rest = info->sigs[i], name = str_cut(&rest, ':');

		buf_putf(&names, "%s%s", i ? ", " : "", show_str(name, shown));
	}
	if (info->nsigs)
		err_set(err, ERR_MISMATCH, "no valid signature by a trusted key (signed by %s)",
		        names.p);
	else
		err_set(err, ERR_MISMATCH, "not signed");
	buf_fini(&names);
	return -ERR_MISMATCH;
}

int caches_trust(const struct caches *c, const struct narinfo *info, struct offer *o,
                 struct err *err)
{
	_cleanup_(buf_fini) struct buf message = BUF_INIT;
	enum ca_proof proof;
	int rc;

	o->by_contents = false;
	if (!c->opt.check_sigs)
		return 0;
	rc = ca_check(info, &proof, o->contents, err);
	if (rc < 0 || proof == CA_NAR)
		return rc;
	fingerprint_format(info, &message);
	for (size_t i = 0; i < info->nsigs; i++)
		if (signature_valid(info->sigs[i], buf_str(&message), c->opt.keys, c->opt.n_keys))
			return 0;
	if (proof != CA_FILE)
		return untrusted(info, err);
	o->by_contents = true;
	return 0;
}

bool caches_is_slow(const struct caches *c, size_t i)
{
	const char *name = c->offers[i].compression;

	return name && decompress_is_slow(str_from(name));
}

/* ---- narinfos ---------------------------------------------------------------- */

static int compare_str(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* As in Nix's database: sorted, separated by spaces. Invalid signatures are left out. */
static char *join_sigs(const struct narinfo *info)
{
	struct buf b = BUF_INIT;

	if (!info->nsigs)
		return NULL;
	qsort(info->sigs, info->nsigs, sizeof *info->sigs, compare_str);
	for (size_t i = 0; i < info->nsigs; i++) {
		if (!signature_formed(info->sigs[i]))
			continue;
		buf_puts(&b, b.n ? " " : "");
		buf_put(&b, info->sigs[i].p, info->sigs[i].n);
	}
	return b.n ? buf_steal(&b) : NULL;
}

static char *in_store(struct str base)
{
	return base.n ? xasprintf(STORE_DIR "/%.*s", STR_ARG(base)) : NULL;
}

void path_info_set(struct path_info *pi, const struct narinfo *info)
{
	pi->path = in_store(info->path.base);
	memcpy(pi->nar_hash, info->nar_hash, sizeof pi->nar_hash);
	pi->nar_size = info->nar_size;
	pi->deriver = in_store(info->deriver);
	pi->sigs = join_sigs(info);
	pi->ca = info->ca.n ? xstrndup(info->ca.p, info->ca.n) : NULL;
}
