/* SPDX-License-Identifier: MIT */
/*
 * From the bottom up:
 *     blocks        of the journal, a ring
 *     checksums     depending on the journal's features
 *     transactions  descriptors and revocations, collected until the commit
 *     the log       transactions until the first incomplete one
 *     the result    for each block its newest contents that were not revoked
 */
#include "disk/jbd2.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_MAX 65536u

/* Kinds of blocks. */
#define DESCRIPTOR 1u
#define COMMIT 2u
#define SUPER_V1 3u
#define SUPER_V2 4u
#define REVOKE 5u
#define HEAD 12u /* magic, kind, transaction */

#define COMPAT_CHECKSUM 1u
#define INCOMPAT_64BIT 2u
#define INCOMPAT_ASYNC 4u
#define INCOMPAT_SUM2 8u
#define INCOMPAT_SUM3 0x10u
#define INCOMPAT_FAST 0x20u
#define INCOMPAT_KNOWN 0x3fu /* revocations, too */

#define TAG_ESCAPED 1u
#define TAG_SAME_UUID 2u
#define TAG_LAST 8u
#define TAG_UUID 16u
#define SUPER_SIZE 1024u
#define SUPER_SUM 252u
#define FAST_BLOCKS_USUAL 256u
#define FAST_HEAD 9u /* a fast commit's first tag */
/* Flags in a place's turn. Errors matter only if the transaction counts. */
#define WRONG_SUM 0x40000000u
#define WRONG_BLOCK 0x20000000u
#define TURN_MASK 0x1fffffffu

struct revoke {
	uint64_t block;
	uint32_t turn;
};

struct reading {
	const struct jbd2_journal *j;
	uint32_t compat, incompat;
	uint32_t first, last; /* blocks of the log; last is exclusive */
	uint32_t start, sequence, seed;
	uint32_t at, walked; /* the next block, and how many there were */
	uint64_t seconds;    /* of the last commit */
	bool bad_descriptor; /* in this transaction; it may be left from an older log */
	bool bad_revoke;
	uint32_t sum; /* of this transaction, if the journal has such checksums */
	struct jbd2_log log;
	size_t cap, whole; /* places; those of whole transactions */
	struct revoke *revokes;
	size_t n_revokes, revokes_cap, whole_revokes;
	uint8_t *block, *data;
};

/* ---- blocks --------------------------------------------------------------- */

static int read_at(const struct jbd2_journal *j, uint32_t at, uint8_t *out, struct err *err)
{
	if (at >= j->n)
		return err_set(err, ERR_FORMAT, "its journal has %u blocks, but block %u is needed",
		               j->n, at);
	return window_read(&j->w, out, j->block, j->map[at] * j->block, err);
}

/* The number of the log's next block; false after one round. */
static bool next_at(struct reading *r, uint32_t *out)
{
	*out = r->at;
	if (r->walked++ >= r->last - r->first)
		return false;
	if (++r->at == r->last)
		r->at = r->first;
	return true;
}

/* ---- sums ----------------------------------------------------------------- */

static bool has_sums(const struct reading *r)
{
	return r->incompat & (INCOMPAT_SUM2 | INCOMPAT_SUM3);
}

/* The checksum of a block; its own field, at an offset, counts as zeros. */
static bool own_sum_fits(uint8_t *p, size_t n, size_t at, uint32_t seed)
{
	uint32_t want = get_be32(p + at), is;
	uint8_t kept[4];

	memcpy(kept, p + at, 4);
	memset(p + at, 0, 4);
	is = crc32c(seed, p, n);
	memcpy(p + at, kept, 4);
	return is == want;
}

static bool block_sum_fits(const struct reading *r, uint8_t *p, size_t at)
{
	return !has_sums(r) || own_sum_fits(p, r->j->block, at, r->seed);
}

static bool tag_sum_fits(const struct reading *r, const uint8_t *tag, const uint8_t *data)
{
	uint8_t sequence[4];
	uint32_t sum;

	if (!has_sums(r))
		return true;
	for (int i = 0; i < 4; i++)
		sequence[i] = (uint8_t)(r->sequence >> (24 - 8 * i));
	sum = crc32c(crc32c(r->seed, sequence, 4), data, r->j->block);
	if (r->incompat & INCOMPAT_SUM3)
		return sum == get_be32(tag + 12);
	return (sum & 0xffff) == (uint32_t)(tag[4] << 8 | tag[5]);
}

/* ---- transactions --------------------------------------------------------- */

static size_t tag_size(const struct reading *r)
{
	if (r->incompat & INCOMPAT_SUM3)
		return 16;
	return 8 + (r->incompat & INCOMPAT_SUM2 ? 2u : 0u) +
	       (r->incompat & INCOMPAT_64BIT ? 4u : 0u);
}

/* The block of one tag is the next one in the log. 1: there is none. */
static int take_tag(struct reading *r, const uint8_t *tag, uint32_t flags, struct err *err)
{
	uint64_t block = get_be32(tag);
	uint32_t at, turn = r->log.transactions;
	int rc;

	if (!next_at(r, &at))
		return 1;
	if (r->incompat & INCOMPAT_64BIT)
		block |= (uint64_t)get_be32(tag + 8) << 32;
	/* Ignore descriptors of an older log. */
	if (r->bad_descriptor)
		return 0;
	if (has_sums(r) || r->compat & COMPAT_CHECKSUM) {
		rc = read_at(r->j, at, r->data, err);
		if (rc < 0)
			return rc;
		r->sum = crc32_be(r->sum, r->data, r->j->block);
		turn |= tag_sum_fits(r, tag, r->data) ? 0 : WRONG_SUM;
	}
	turn |= flags & TAG_ESCAPED ? JBD2_ESCAPED : 0;
	turn |= block >= r->j->fs_blocks ? WRONG_BLOCK : 0;
	GROW(r->log.v, r->log.n, r->cap);
	r->log.v[r->log.n++] = (struct jbd2_place){.block = block, .at = at, .turn = turn};
	return 0;
}

static int take_descriptor(struct reading *r, struct err *err)
{
	size_t size = tag_size(r), end = r->j->block - (has_sums(r) ? 4 : 0), at = HEAD;

	if (!block_sum_fits(r, r->block, r->j->block - 4))
		r->bad_descriptor = true;
	r->sum = crc32_be(r->sum, r->block, r->j->block);
	while (at + size <= end) {
		const uint8_t *tag = r->block + at;
		uint32_t flags = (uint32_t)(tag[6] << 8 | tag[7]);
		int rc = take_tag(r, tag, flags, err);

		if (rc != 0)
			return rc;
		at += size + (flags & TAG_SAME_UUID ? 0 : TAG_UUID);
		if (flags & TAG_LAST)
			break;
	}
	return 0;
}

static int take_revokes(struct reading *r, struct err *err)
{
	size_t size = r->incompat & INCOMPAT_64BIT ? 8 : 4, n = get_be32(r->block + HEAD);

	if (!block_sum_fits(r, r->block, r->j->block - 4) || n < HEAD + 4 ||
	    n > r->j->block - (has_sums(r) ? 4u : 0u)) {
		r->bad_revoke = true;
		return 0;
	}
	for (size_t at = HEAD + 4; at + size <= n; at += size) {
		const uint8_t *p = r->block + at;

		if (r->n_revokes == JBD2_REVOKES_MAX)
			return err_set(err, ERR_LIMIT, "its journal revokes more than %u blocks",
			               JBD2_REVOKES_MAX);
		GROW(r->revokes, r->n_revokes, r->revokes_cap);
		r->revokes[r->n_revokes++] =
		        (struct revoke){.block = size == 8 ? get_be64(p) : get_be32(p),
		                        .turn = r->log.transactions};
	}
	return 0;
}

/* The older kind: one checksum for the whole transaction, or none. */
static bool old_sum_fits(const struct reading *r)
{
	uint32_t found = get_be32(r->block + 16);
	bool unused = !r->block[12] && !r->block[13] && !found;

	return !(r->compat & COMPAT_CHECKSUM) || unused ||
	       (r->block[12] == 1 && r->block[13] == 4 && found == r->sum);
}

/* 0 the transaction counts, 1 the log ended before it, or -ERR_FORMAT. */
static int take_commit(struct reading *r, struct err *err)
{
	uint64_t seconds = get_be64(r->block + 48);
	bool right = !r->bad_descriptor && !r->bad_revoke && block_sum_fits(r, r->block, 16) &&
	             old_sum_fits(r);

	/* A commit older than the previous one is left from an earlier round of the log. */
	if (!right && (seconds < r->seconds || r->incompat & INCOMPAT_ASYNC))
		return 1;
	if (!right)
		return err_set(
		        err, ERR_FORMAT,
		        "the checksum of its journal's transaction %u is wrong; run e2fsck -f",
		        r->sequence);
	r->seconds = seconds;
	r->sum = ~0u;
	r->whole = r->log.n;
	r->whole_revokes = r->n_revokes;
	r->log.transactions++;
	r->sequence++;
	return 0;
}

/* ---- the log -------------------------------------------------------------- */

static int take_block(struct reading *r, struct err *err)
{
	uint32_t at;
	int rc;

	if (!next_at(r, &at))
		return 1;
	rc = read_at(r->j, at, r->block, err);
	if (rc < 0)
		return rc;
	if (get_be32(r->block) != JBD2_MAGIC || get_be32(r->block + 8) != r->sequence)
		return 1;
	switch (get_be32(r->block + 4)) {
	case DESCRIPTOR:
		return take_descriptor(r, err);
	case REVOKE:
		return take_revokes(r, err);
	case COMMIT:
		return take_commit(r, err);
	default:
		return 1;
	}
}

/* Fast commits: Linux logs them between two commits, in another format, after the log. */
static int refuse_fast(struct reading *r, struct err *err)
{
	int rc;

	if (!(r->incompat & INCOMPAT_FAST))
		return 0;
	rc = read_at(r->j, r->last, r->block, err);
	if (rc < 0)
		return rc;
	/* A head: tag, length, features, and the transaction that it follows. */
	if (get_le16(r->block) != FAST_HEAD || get_le32(r->block + 8) != r->sequence)
		return 0;
	return err_set(
	        err, ERR_UNSUPPORTED,
	        "its journal has fast commits (feature fast_commit), which are not supported");
}

static int read_super(struct reading *r, struct err *err)
{
	uint8_t *s = r->block;
	uint32_t kind, n, fast;
	int rc = read_at(r->j, 0, s, err);

	if (rc < 0)
		return rc;
	kind = get_be32(s + 4);
	n = get_be32(s + 16);
	if (get_be32(s) != JBD2_MAGIC || (kind != SUPER_V1 && kind != SUPER_V2) ||
	    get_be32(s + 12) != r->j->block)
		return err_set(err, ERR_FORMAT,
		               "its journal's superblock does not match the file system");
	if (kind == SUPER_V2) {
		r->compat = get_be32(s + 36);
		r->incompat = get_be32(s + 40);
	}
	if (r->incompat & ~INCOMPAT_KNOWN)
		return err_set(err, ERR_UNSUPPORTED, "its journal has unsupported features (%#x)",
		               r->incompat & ~INCOMPAT_KNOWN);
	r->seed = crc32c(~0u, s + 48, 16);
	if (has_sums(r) && (s[80] != 4 || !own_sum_fits(s, SUPER_SIZE, SUPER_SUM, ~0u)))
		return err_set(err, ERR_FORMAT,
		               "the checksum of its journal's superblock is wrong");
	r->first = get_be32(s + 20);
	r->sequence = get_be32(s + 24);
	r->start = get_be32(s + 28);
	fast = r->incompat & INCOMPAT_FAST ? get_be32(s + 84) : 0;
	if (r->incompat & INCOMPAT_FAST && !fast)
		fast = FAST_BLOCKS_USUAL;
	r->last = n > fast ? n - fast : 0;
	if (n > r->j->n || !r->first || r->first >= r->last ||
	    (r->start && (r->start < r->first || r->start >= r->last)))
		return err_set(err, ERR_FORMAT,
		               "its journal's superblock is invalid: log start %u in blocks %u to "
		               "%u of %u",
		               r->start, r->first, r->last, r->j->n);
	return 0;
}

/* ---- the result ----------------------------------------------------------- */

static uint32_t turn_of(const struct jbd2_place *p)
{
	return p->turn & TURN_MASK;
}

static int by_block(const void *a, const void *b)
{
	const struct jbd2_place *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return (turn_of(x) > turn_of(y)) - (turn_of(x) < turn_of(y));
}

static int by_revoked(const void *a, const void *b)
{
	const struct revoke *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return (x->turn > y->turn) - (x->turn < y->turn);
}

/*
 * Keep the newest of each block, unless it is revoked in that transaction or a
 * later one. Older ones must be valid, too: Linux replays them all, in order.
 */
static int settle(struct reading *r, struct err *err)
{
	struct jbd2_place *v = r->log.v;
	int64_t revoked = -1; /* the last turn that revokes this block */
	size_t kept = 0, at = 0;

	r->log.n = r->whole;
	r->n_revokes = r->whole_revokes;
	if (r->log.n)
		qsort(v, r->log.n, sizeof *v, by_block);
	if (r->n_revokes)
		qsort(r->revokes, r->n_revokes, sizeof *r->revokes, by_revoked);
	for (size_t i = 0; i < r->log.n; i++) {
		if (i == 0 || v[i].block != v[i - 1].block)
			revoked = -1;
		for (; at < r->n_revokes && r->revokes[at].block <= v[i].block; at++)
			if (r->revokes[at].block == v[i].block)
				revoked = r->revokes[at].turn;
		if (turn_of(&v[i]) <= revoked)
			continue;
		if (v[i].turn & (WRONG_SUM | WRONG_BLOCK))
			return err_set(err, ERR_FORMAT,
			               "its journal has an invalid block %llu: %s; run e2fsck -f",
			               (unsigned long long)v[i].block,
			               v[i].turn & WRONG_SUM ? "wrong checksum"
			                                     : "beyond the end of the file system");
		/* v[kept - 1] is for this block only if it is older. */
		if (kept && v[kept - 1].block == v[i].block)
			kept--;
		v[kept++] = v[i];
	}
	r->log.n = kept;
	return 0;
}

static int read_log(struct reading *r, struct err *err)
{
	int rc = read_super(r, err);

	r->at = r->start;
	r->sum = ~0u;
	if (rc < 0)
		return rc;
	while (r->start && rc == 0)
		rc = take_block(r, err);
	if (rc >= 0)
		rc = refuse_fast(r, err);
	return rc < 0 ? rc : settle(r, err);
}

int jbd2_log_read(const struct jbd2_journal *j, struct jbd2_log *out, struct err *err)
{
	struct reading r = {.j = j, .log = {.journal = *j}};
	int rc;

	if (j->block < SUPER_SIZE || j->block > BLOCK_MAX || j->n > JBD2_BLOCKS_MAX)
		return err_set(err, ERR_LIMIT, "a journal of %u blocks of %u bytes", j->n,
		               j->block);
	r.block = xmalloc(j->block);
	r.data = xmalloc(j->block);
	rc = read_log(&r, err);
	free(r.block);
	free(r.data);
	free(r.revokes);
	if (rc < 0) {
		jbd2_log_fini(&r.log);
		return rc;
	}
	*out = r.log;
	return 0;
}

void jbd2_log_fini(struct jbd2_log *log)
{
	free(log->v);
	*log = (struct jbd2_log)JBD2_LOG_INIT;
}
