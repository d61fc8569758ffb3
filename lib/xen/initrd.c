/* SPDX-License-Identifier: MIT */
#include "xen/initrd.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

#define HEADER 110
#define MAGIC_SIZE 6
#define NUMBERS 13
#define MODE 1
#define FILE_SIZE 6
#define NAME_SIZE 11
#define TRAILER "TRAILER!!!"
#define WASTE 16384

static const struct initrd_limits defaults = {INITRD_UNPACKED_MAX, INITRD_MEMORY_MAX,
                                              INITRD_ENTRIES_MAX};

/* One part: plain or compressed bytes, read sequentially. */
struct part {
	struct unpack *u;
	uint64_t pos; /* unpacked bytes read so far */
	uint8_t ahead[MAGIC_SIZE];
	size_t n_ahead;
};

struct lister {
	const struct initrd_limits *limits;
	initrd_fn *fn;
	void *arg;
	struct initrd_info *out;
	char name[INITRD_NAME_MAX];
};

static int part_read(struct lister *l, struct part *p, void *to, size_t n, size_t *got,
                     struct err *err)
{
	size_t m = MIN(n, p->n_ahead);
	int rc;

	memcpy(to, p->ahead, m);
	memmove(p->ahead, p->ahead + m, p->n_ahead - m);
	p->n_ahead -= m;
	rc = unpack_read(p->u, (uint8_t *)to + m, n - m, got, err);
	if (rc < 0)
		return rc;
	*got += m;
	p->pos += *got;
	l->out->unpacked += *got;
	if (l->out->unpacked > l->limits->unpacked)
		return err_set(err, ERR_LIMIT,
		               "initrd: more than %" PRIu64 " bytes when decompressed",
		               l->limits->unpacked);
	return 0;
}

static int part_need(struct lister *l, struct part *p, void *to, size_t n, struct err *err)
{
	size_t got = 0;
	int rc = part_read(l, p, to, n, &got, err);

	if (rc == 0 && got != n)
		return err_set(err, ERR_FORMAT, "initrd: cpio archive truncated at byte %" PRIu64,
		               p->pos);
	return rc;
}

static int part_skip(struct lister *l, struct part *p, uint64_t n, struct err *err)
{
	uint8_t waste[WASTE];
	int rc = 0;

	while (rc == 0 && n) {
		size_t m = (size_t)MIN(n, sizeof waste);

		rc = part_need(l, p, waste, m, err);
		n -= m;
	}
	return rc;
}

static uint64_t padding(uint64_t pos)
{
	return (4 - pos % 4) % 4;
}

static bool numbers_get(const uint8_t *p, uint64_t out[static NUMBERS])
{
	for (size_t i = 0; i < NUMBERS; i++)
		if (!str_u64((struct str){(const char *)p + 8 * i, 8}, 16, UINT32_MAX, &out[i]))
			return false;
	return true;
}

/* One entry: 0, 1 at the archive's end, 2 if fn ended the listing. */
static int entry_read(struct lister *l, struct part *p, struct err *err)
{
	uint64_t start = p->pos, v[NUMBERS];
	uint8_t head[HEADER];
	struct str name;
	int rc = part_need(l, p, head, sizeof head, err);

	if (rc < 0)
		return rc;
	if (memcmp(head, "07070", 5) != 0 || (head[5] != '1' && head[5] != '2') ||
	    !numbers_get(head + MAGIC_SIZE, v))
		return err_set(err, ERR_FORMAT, "initrd: no cpio header at byte %" PRIu64, start);
	if (!v[NAME_SIZE] || v[NAME_SIZE] > INITRD_NAME_MAX)
		return err_set(err, ERR_FORMAT, "initrd: cpio file name of %" PRIu64 " bytes",
		               v[NAME_SIZE]);
	if (++l->out->entries > l->limits->entries)
		return err_set(err, ERR_LIMIT, "initrd: more than %zu files", l->limits->entries);
	rc = part_need(l, p, l->name, (size_t)v[NAME_SIZE], err);
	if (rc == 0)
		rc = part_skip(l, p, padding(p->pos - start), err);
	if (rc < 0)
		return rc;
	name = (struct str){l->name, strnlen(l->name, (size_t)v[NAME_SIZE])};
	if (str_is(name, TRAILER))
		return 1;
	if (l->fn(l->arg, name, (uint32_t)v[MODE], v[FILE_SIZE]))
		return 2;
	return part_skip(l, p, v[FILE_SIZE] + padding(v[FILE_SIZE]), err);
}

static int archive_read(struct lister *l, struct part *p, struct err *err)
{
	int rc;

	l->out->archives++;
	while ((rc = entry_read(l, p, err)) == 0)
		continue;
	return rc == 1 ? 0 : rc;
}

/* Skip zeros: 0 before an archive, 1 at the end of the part, 3 before other data. */
static int zeros_skip(struct lister *l, struct part *p, struct err *err)
{
	uint8_t c[4];
	size_t got = 0, zeros = 0;

	do {
		int rc = part_read(l, p, c, sizeof c, &got, err);

		if (rc < 0)
			return rc;
		if (got == 0)
			return 1;
		for (zeros = 0; zeros < got && !c[zeros]; zeros++)
			continue;
	} while (zeros == got);
	/* Keep the rest for the next read. */
	p->n_ahead = got - zeros;
	memcpy(p->ahead, c + zeros, p->n_ahead);
	p->pos -= p->n_ahead;
	l->out->unpacked -= p->n_ahead;
	return c[zeros] == '0' ? 0 : 3;
}

/* List one part. *used: its size in w. */
static int part_list(struct lister *l, const struct window *w, enum unpack_kind kind,
                     uint64_t *used, struct err *err)
{
	struct part p = {.n_ahead = 0};
	int rc = unpack_new(kind, w, (size_t)l->limits->memory, &p.u, err);

	if (rc < 0)
		return rc;
	while ((rc = zeros_skip(l, &p, err)) == 0 && (rc = archive_read(l, &p, err)) == 0)
		continue;
	if (rc == 3 && kind != UNPACK_NONE)
		rc = err_set(err, ERR_FORMAT, "initrd: no cpio archive in its %s-compressed part",
		             unpack_name(kind));
	*used = kind == UNPACK_NONE ? p.pos : unpack_used(p.u);
	unpack_free(p.u);
	return rc;
}

int initrd_list(const struct window *w, const struct initrd_limits *limits, initrd_fn *fn,
                void *arg, struct initrd_info *out, struct err *err)
{
	_free_ struct lister *l = xcalloc(1, sizeof *l);
	struct window rest = *w;
	int rc = 0;

	*l = (struct lister){
	        .limits = limits ? limits : &defaults, .fn = fn, .arg = arg, .out = out};
	*out = (struct initrd_info){.packing = UNPACK_NONE};
	while (rc >= 0 && rc != 2 && rest.size) {
		uint8_t magic[UNPACK_MAGIC_SIZE];
		size_t n = (size_t)MIN(rest.size, sizeof magic);
		enum unpack_kind kind;
		uint64_t used = 0;

		rc = window_read(&rest, magic, n, 0, err);
		if (rc < 0)
			return rc;
		kind = unpack_probe(magic, n);
		if (kind == UNPACK_UNKNOWN && (magic[0] == '0' || magic[0] == 0))
			kind = UNPACK_NONE;
		else if (kind == UNPACK_UNKNOWN || kind == UNPACK_NONE)
			return err_set(err, ERR_FORMAT,
			               "initrd: neither a cpio archive nor a supported compression "
			               "at byte %" PRIu64,
			               rest.start - w->start);
		if (kind != UNPACK_NONE)
			out->packing = kind;
		rc = part_list(l, &rest, kind, &used, err);
		if (rc >= 0 && (!used || used > rest.size))
			return err_set(err, ERR_FORMAT, "initrd: empty part");
		if (rc >= 0)
			rc = window_sub(&rest, used, rest.size - used, &rest, err) < 0
			             ? -(int)err->code
			             : rc;
	}
	return rc < 0 ? rc : 0;
}

bool initrd_module(struct str path, char out[static 64])
{
	static const char *const ends[] = {".ko", ".ko.xz", ".ko.gz", ".ko.zst"};
	struct str name = path;

	for (size_t i = path.n; i > 0 && path.p[i - 1] != '/'; i--)
		name = str_drop(path, i - 1);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i]);

		if (!str_ends(name, ends[i]) || name.n == n || name.n - n >= 64)
			continue;
		for (size_t k = 0; k < name.n - n; k++)
			out[k] = name.p[k] == '-' ? '_' : name.p[k];
		out[name.n - n] = 0;
		return true;
	}
	return false;
}
