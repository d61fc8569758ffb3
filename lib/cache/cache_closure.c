/* SPDX-License-Identifier: MIT */
/*
 * A closure from narinfos. Each path is a node, which is queried from one supplier
 * after the other, until one has it and can be trusted. Many queries run at once.
 */
#include "base/mem.h"
#include "base/show.h"
#include "cache/cache_nodes.h"
#include "nix/narinfo.h"
#include "nix/nix32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct str digest_of(const struct node *n)
{
	return (struct str){n->base, STORE_DIGEST_LEN};
}

/* ---- narinfos --------------------------------------------------------------- */

static int accept(struct search *s, uint32_t i, const struct narinfo *info, struct err *err)
{
	uint32_t *refs = xcalloc(info->nrefs, sizeof *refs);
	struct path_info *pi;
	int rc = 0;

	/* search_node() may move the nodes. */
	for (size_t r = 0; r < info->nrefs && rc == 0; r++)
		rc = str_eq(info->refs[r], info->path.base)
		             ? (refs[r] = i, 0)
		             : search_node(s, info->refs[r], i, &refs[r], err);
	pi = &s->nodes[i].info;
	pi->refs = refs;
	pi->nrefs = info->nrefs;
	path_info_set(pi, info);
	offer_set(&s->nodes[i].offer, info, s->nodes[i].supplier);
	return rc < 0 ? rc : search_settle(s, i, err);
}

/*
 * Parse a supplier's narinfo, and check that it is the node's and trusted. *bytes: what *out has
 * views into.
 */
static int judge(struct search *s, struct node *n, struct str text, struct buf *bytes,
                 struct narinfo *out, struct err *err)
{
	struct narinfo info;
	char shown[SHOW_SIZE];
	int rc = unpacker_narinfo(s->c->unpacker, text, digest_of(n), bytes, &info, err);

	if (rc < 0)
		return rc;
	if (strlen(n->base) > STORE_DIGEST_LEN && !str_is(info.path.base, n->base))
		rc = err_set(err, ERR_MISMATCH, "narinfo: describes %s",
		             show_str(info.path.base, shown));
	if (rc == 0)
		rc = caches_trust(s->c, &info, &n->offer, err);
	if (rc < 0)
		narinfo_fini(&info);
	else
		*out = info;
	return rc;
}

/* Use a kept narinfo. 1: there is none, or it is invalid. */
static int use_kept(struct search *s, uint32_t i, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT, bytes = BUF_INIT;
	struct narinfo info;
	char name[KEPT_NAME_SIZE];
	int rc;

	if (!s->c->dir)
		return 1;
	caches_kept_name(s->c, s->nodes[i].supplier, digest_of(&s->nodes[i]), name);
	if (cache_dir_read(s->c->dir, name, NARINFO_BYTES_MAX, &text) == 1)
		return 1;
	rc = judge(s, &s->nodes[i], buf_str(&text), &bytes, &info, err);
	if (rc == -ERR_CHILD)
		return rc;
	if (rc < 0) {
		cache_dir_drop(s->c->dir, name);
		return 1;
	}
	rc = accept(s, i, &info, err);
	s->nodes[i].offer.from_kept = true;
	narinfo_fini(&info);
	return rc;
}

/* ---- paths that need not be fetched ------------------------------------------- */

/* 1: the path is not one of them. */
static int use_have(struct search *s, uint32_t i, struct err *err)
{
	const struct closure *have = s->have;
	const struct path_info *info =
	        have ? closure_find_base(have, str_from(s->nodes[i].base)) : NULL;
	uint32_t *refs;
	int rc = 0;

	if (!info)
		return 1;
	refs = xcalloc(info->nrefs, sizeof *refs);
	for (size_t r = 0; r < info->nrefs && rc == 0; r++) {
		const struct path_info *to = &have->paths[info->refs[r]];

		if (to == info)
			refs[r] = i;
		else
			rc = search_node(s, str_from(to->path + strlen(STORE_DIR "/")), i, &refs[r],
			                 err);
	}
	path_info_copy(info, &s->nodes[i].info);
	s->nodes[i].info.refs = refs;
	s->nodes[i].info.nrefs = info->nrefs;
	return rc < 0 ? rc : search_settle(s, i, err);
}

/* ---- local stores ------------------------------------------------------------ */

/* Copy what a store's database says of one path, unless it is known already. */
static int adopt(struct search *s, struct closure *from, size_t k, const uint32_t *numbers,
                 size_t supplier, struct err *err)
{
	struct node *n = &s->nodes[numbers[k]];

	if (n->state != ASKED_FOR)
		return 0;
	n->info = from->paths[k];
	from->paths[k] = (struct path_info){0};
	for (size_t r = 0; r < n->info.nrefs; r++)
		n->info.refs[r] = numbers[n->info.refs[r]];
	n->supplier = n->offer.supplier = supplier;
	return search_settle(s, numbers[k], err);
}

static int ask_store(struct search *s, uint32_t i, size_t supplier, struct err *err)
{
	struct local_store *store = s->c->suppliers[supplier].local;
	_cleanup_(closure_fini) struct closure sub = {0};
	_free_ char *found = NULL, *path = NULL;
	_free_ uint32_t *numbers = NULL;
	int rc = 0;

	if (strlen(s->nodes[i].base) == STORE_DIGEST_LEN)
		found = local_store_find(store, digest_of(&s->nodes[i]));
	path = found ? take(&found) : xasprintf(STORE_DIR "/%s", s->nodes[i].base);
	rc = local_store_closure(store, path, &sub, err);
	numbers = xcalloc(sub.n, sizeof *numbers);
	for (size_t k = 0; k < sub.n && rc == 0; k++) {
		const char *base = sub.paths[k].path + strlen(STORE_DIR "/");

		if (strcmp(sub.paths[k].path, path) == 0)
			numbers[k] = i;
		else
			rc = search_node(s, str_from(base), i, &numbers[k], err);
	}
	for (size_t k = 0; k < sub.n && rc == 0; k++)
		rc = adopt(s, &sub, k, numbers, supplier, err);
	return rc;
}

/* ---- asking ----------------------------------------------------------------- */

/* The supplier failed; try the next one. */
static void disappointed(struct search *s, struct node *n, const struct err *err)
{
	struct supplier *who = &s->c->suppliers[n->supplier];

	buf_puts(&n->said, n->said.n ? "; " : ": ");
	if (err->code == ERR_NOENT)
		buf_putf(&n->said, "not found in %s", who->name);
	else if (str_starts(str_from(err->text), who->name))
		buf_puts(&n->said, err->text);
	else
		buf_putf(&n->said, "%s: %s", who->name, err->text);
	if (!n->code || err->code != ERR_NOENT)
		n->code = (int)err->code;
	if (err->code == ERR_IO && ++who->failures == FAILURES_MAX)
		who->out = true;
	n->supplier++;
	n->state = ASKED_FOR;
}

static int nobody_has(const struct search *s, const struct node *n, struct err *err)
{
	err_set(err, n->code ? (enum err_code)n->code : ERR_NOENT, STORE_DIR "/%s%s%s%s%s", n->base,
	        n->needed_by == NOBODY ? "" : " (needed by ",
	        n->needed_by == NOBODY ? "" : s->nodes[n->needed_by].base,
	        n->needed_by == NOBODY ? "" : ")", n->said.n ? n->said.p : ": no caches to query");
	return -(int)err->code;
}

/* Query the next cache or store. A cache's answer is read later, in answer(). */
static int ask(struct search *s, uint32_t i, struct err *err)
{
	_free_ char *name = NULL;
	int there = use_have(s, i, err);

	if (there <= 0)
		return there;
	while (s->nodes[i].supplier < s->c->n) {
		struct node *n = &s->nodes[i];
		struct supplier *who = &s->c->suppliers[n->supplier];
		int rc;

		if (who->out) {
			n->supplier++;
			continue;
		}
		rc = who->local ? ask_store(s, i, n->supplier, err) : use_kept(s, i, err);
		if (rc == 0 || rc == -ERR_LIMIT || rc == -ERR_INTERRUPTED || rc == -ERR_CHILD)
			return rc;
		n = &s->nodes[i];
		if (rc < 0) {
			disappointed(s, n, err);
			continue;
		}
		name = xasprintf("%.*s.narinfo", STR_ARG(digest_of(n)));
		n->file = cache_open(who->cache, name, NARINFO_BYTES_MAX, NARINFO_WINDOW);
		n->state = ASKING;
		s->asking++;
		return 0;
	}
	return nobody_has(s, &s->nodes[i], err);
}

static int answer(struct search *s, uint32_t i, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT, bytes = BUF_INIT;
	struct node *n = &s->nodes[i];
	struct supplier *who = &s->c->suppliers[n->supplier];
	struct narinfo info;
	char name[KEPT_NAME_SIZE];
	int rc = cache_file_read_all(n->file, NARINFO_BYTES_MAX, &text, err);

	cache_file_free(n->file);
	n->file = NULL;
	s->asking--;
	if (rc == 0)
		rc = judge(s, n, buf_str(&text), &bytes, &info, err);
	if (rc == -ERR_INTERRUPTED || rc == -ERR_CHILD)
		return rc;
	if (rc < 0) {
		disappointed(s, n, err);
		return ask(s, i, err);
	}
	if (s->c->dir && cache_remote(who->cache)) {
		caches_kept_name(s->c, n->supplier, digest_of(n), name);
		cache_dir_write(s->c->dir, name, buf_str(&text));
	}
	rc = accept(s, i, &info, err);
	narinfo_fini(&info);
	return rc;
}

static bool stopped(const struct search *s)
{
	const atomic_bool *stop = s->c->opt.http.stop;

	return stop && atomic_load(stop);
}

/* Process answers, and begin further queries. *progress: anything happened. */
static int turn(struct search *s, bool *progress, struct err *err)
{
	size_t first = s->next;
	int rc = 0;

	*progress = false;
	for (size_t i = first; i < s->n && rc == 0; i++) {
		struct node *n = &s->nodes[i];

		if (n->state == KNOWN && i == s->next)
			s->next++;
		if (n->state == ASKED_FOR && s->asking < s->c->opt.http.jobs) {
			rc = ask(s, (uint32_t)i, err);
			*progress = true;
		} else if (n->state == ASKING && cache_file_ready(n->file)) {
			rc = answer(s, (uint32_t)i, err);
			*progress = true;
		}
	}
	return rc;
}

static int find_all(struct search *s, struct err *err)
{
	bool progress;

	while (s->known < s->n) {
		int rc = turn(s, &progress, err);

		if (rc < 0)
			return rc;
		if (stopped(s))
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (!progress && s->c->http)
			http_wait(s->c->http, &s->seen);
	}
	return 0;
}

/* ---- the whole -------------------------------------------------------------- */

/* The system's base name, or only its digest. */
static int parse_system(const char *system, struct str *out, struct err *err)
{
	struct store_path sp;
	uint8_t digest[20];

	if (nix32_decode(str_from(system), digest, sizeof digest)) {
		*out = str_from(system);
		return 0;
	}
	if (store_path_parse(str_from(system), &sp, err) < 0) {
		err_prefix(err,
		           "a system in a cache must be given as a store path or its 32 digits");
		err->code = ERR_USAGE;
		return -ERR_USAGE;
	}
	*out = sp.base;
	return 0;
}

int caches_closure(struct caches *c, const char *system, const struct closure *have,
                   struct closure *out, const char **toplevel, struct err *err)
{
	_cleanup_(search_fini) struct search s = {.c = c, .have = have};
	struct str base;
	uint32_t top;
	int rc = parse_system(system, &base, err);

	if (rc == 0)
		rc = search_node(&s, base, NOBODY, &top, err);
	if (rc == 0)
		rc = find_all(&s, err);
	return rc < 0 ? rc : search_gather(&s, out, toplevel, err);
}
