/* SPDX-License-Identifier: MIT */
#include "store/closure_wire.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "jail/wire.h"
#include "nix/store_path.h"

#define OUTPUT_ID_MAX 256u

static void put_text(struct buf *out, const char *s)
{
	wire_text_put(out, str_from(s ? s : ""));
}

static void put_info(const struct path_info *p, bool names_only, struct buf *out)
{
	static const struct path_info none = {0};
	const struct path_info *more = names_only ? &none : p;

	put_text(out, p->path);
	put_text(out, more->deriver);
	put_text(out, more->sigs);
	put_text(out, more->ca);
	buf_put(out, (const char *)more->nar_hash, HASH_SHA256_LEN);
	wire_u64_put(out, p->nar_size);
	wire_u64_put(out, (uint64_t)more->registration_time);
	wire_u32_put(out, more->ultimate);
	wire_u32_put(out, (uint32_t)more->noutputs);
	for (size_t i = 0; i < more->noutputs; i++) {
		put_text(out, more->outputs[i].id);
		put_text(out, more->outputs[i].path);
	}
}

static void put(const struct closure *c, bool names_only, struct buf *out)
{
	wire_u32_put(out, (uint32_t)c->n);
	for (size_t i = 0; i < c->n; i++)
		put_info(&c->paths[i], names_only, out);
	for (size_t i = 0; i < c->n; i++) {
		wire_u32_put(out, (uint32_t)c->paths[i].nrefs);
		for (size_t r = 0; r < c->paths[i].nrefs; r++)
			wire_u32_put(out, c->paths[i].refs[r]);
	}
}

void closure_put(const struct closure *c, struct buf *out)
{
	put(c, false, out);
}

void closure_put_names(const struct closure *c, struct buf *out)
{
	put(c, true, out);
}

/* ---- reading ---------------------------------------------------------------- */

/* NULL: empty, which is bad if it is needed. */
static char *get_text(struct bytes *b, size_t max, bool needed)
{
	struct str s = wire_text_get(b, max);

	if ((!s.n && needed) || (s.n && memchr(s.p, 0, s.n)))
		b->bad = true;
	return s.n && !b->bad ? xstrndup(s.p, s.n) : NULL;
}

static char *get_path(struct bytes *b, bool needed)
{
	char *path = get_text(b, STORE_PATH_MAX, needed);
	struct store_path sp;

	if (path && !store_path_is(str_from(path), &sp))
		b->bad = true;
	return path;
}

static void get_outputs(struct bytes *b, struct path_info *p)
{
	size_t n = wire_u32_get(b, CLOSURE_OUTPUTS_MAX);

	p->outputs = n ? xcalloc(n, sizeof *p->outputs) : NULL;
	p->noutputs = n;
	for (size_t i = 0; i < n; i++) {
		p->outputs[i].id = get_text(b, OUTPUT_ID_MAX, true);
		p->outputs[i].path = get_path(b, true);
	}
}

static void get_info(struct bytes *b, struct path_info *p)
{
	const uint8_t *hash;

	p->path = get_path(b, true);
	p->deriver = get_path(b, false);
	p->sigs = get_text(b, CLOSURE_SIGS_MAX, false);
	p->ca = get_text(b, CLOSURE_CA_MAX, false);
	hash = bytes_take(b, HASH_SHA256_LEN);
	if (hash)
		memcpy(p->nar_hash, hash, HASH_SHA256_LEN);
	p->nar_size = wire_u64_get(b, INT64_MAX);
	p->registration_time = (int64_t)wire_u64_get(b, INT64_MAX);
	p->ultimate = wire_u32_get(b, 1);
	get_outputs(b, p);
}

/* Ascending indices below n. */
static void get_refs(struct bytes *b, struct path_info *p, size_t n, size_t *left)
{
	size_t nrefs = wire_u32_get(b, (uint32_t)MIN(*left, bytes_left(b) / 4));

	*left -= nrefs;
	p->refs = nrefs ? xcalloc(nrefs, sizeof *p->refs) : NULL;
	p->nrefs = nrefs;
	for (size_t i = 0; i < nrefs; i++) {
		p->refs[i] = wire_u32_get(b, (uint32_t)n - 1);
		if (i && p->refs[i] <= p->refs[i - 1])
			b->bad = true;
	}
}

static void get(struct bytes *b, struct closure *c)
{
	/* A path has more than 64 bytes, so the size of b limits the memory. */
	size_t n = wire_u32_get(b, (uint32_t)MIN(CLOSURE_PATHS_MAX, b->n / 64)), left;

	c->paths = n ? xcalloc(n, sizeof *c->paths) : NULL;
	c->n = n;
	for (size_t i = 0; i < n && !b->bad; i++) {
		get_info(b, &c->paths[i]);
		if (!b->bad && i && strcmp(c->paths[i - 1].path, c->paths[i].path) >= 0)
			b->bad = true;
	}
	left = CLOSURE_REFS_MAX;
	for (size_t i = 0; i < n && !b->bad; i++)
		get_refs(b, &c->paths[i], n, &left);
}

int closure_get(struct str bytes, struct closure *out, struct err *err)
{
	struct bytes b = bytes_over(bytes.p, bytes.n);

	*out = (struct closure){0};
	get(&b, out);
	if (wire_end(&b))
		return 0;
	closure_fini(out);
	return err_set(err, ERR_CHILD, "an invalid closure from another process");
}
