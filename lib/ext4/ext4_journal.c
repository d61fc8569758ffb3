/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/mem.h"
#include "disk/jbd2.h"
#include "ext4/ext4_disk.h"
#include "ext4/ext4_jbd2.h"
#include "ext4/ext4_layout.h"
#include "ext4/target.h"

#include <string.h>

#define COPY_BLOCKS 64u

const uint8_t jbd2_our_uuid[16] = "domstrap change";

/* ---- the two superblocks -------------------------------------------------- */

static void super_flag(uint8_t *sb, bool on)
{
	uint32_t incompat = get_le32(sb + SB_INCOMPAT);

	put_le32(sb + SB_INCOMPAT, on ? incompat | RECOVER : incompat & ~RECOVER);
	if (get_le32(sb + SB_RO_COMPAT) & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)
		put_le32(sb + SB_CSUM, ext4_crc32c(~0u, sb, SB_CSUM));
}

int jbd2_set_recover(struct target *t, uint64_t base, bool on, struct err *err)
{
	uint8_t sb[SB_SIZE];
	int rc = target_read(t, sb, sizeof sb, base + SB_AT, err);

	if (rc < 0)
		return rc;
	super_flag(sb, on);
	rc = target_write_small(t, sb, sizeof sb, base + SB_AT, err);
	return rc < 0 ? rc : target_sync(t, err);
}

static int read_super(struct ext4_journal *j, struct err *err)
{
	return target_read(j->target, j->super, sizeof j->super, j->base + j->map[0] * j->block,
	                   err);
}

static int write_super(struct ext4_journal *j, struct err *err)
{
	put_be32(j->super + JS_SEQUENCE, j->sequence);
	put_be32(j->super + JS_START, j->start);
	return target_write_small(j->target, j->super, JS_WRITTEN, j->base + j->map[0] * j->block,
	                          err);
}

int jbd2_write_super(struct ext4_journal *j, struct err *err)
{
	int rc = write_super(j, err);

	return rc < 0 ? rc : target_sync(j->target, err);
}

void jbd2_mark_make(const uint8_t *sb, uint32_t sequence, uint8_t out[MARK_SIZE])
{
	memcpy(out, MARK_TEXT, 8);
	put_be32(out + 8, sequence);
	put_be32(out + 12, get_le16(sb + SB_MNT_COUNT));
	put_be32(out + 16, get_le32(sb + SB_MTIME));
}

/* ---- opening -------------------------------------------------------------- */

struct mapping {
	uint64_t *map;
	uint32_t n;
	size_t cap;
	uint64_t limit;
	bool bad;
};

static int map_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t at, blk64_t ref, int ref_offset,
                     void *arg)
{
	struct mapping *m = arg;

	(void)fs;
	(void)ref;
	(void)ref_offset;
	if (at < 0)
		return 0;
	if ((uint64_t)at != m->n || m->n >= JBD2_BLOCKS_MAX || *block >= m->limit || !*block) {
		m->bad = true;
		return BLOCK_ABORT;
	}
	GROW(m->map, m->n, m->cap);
	m->map[m->n++] = *block;
	return 0;
}

int jbd2_map(const struct target *t, ext2_filsys fs, uint64_t **out, uint32_t *n, struct err *err)
{
	struct mapping m = {.limit = ext2fs_blocks_count(fs->super)};
	errcode_t code;

	if (!ext2fs_has_feature_journal(fs->super) || fs->super->s_journal_dev ||
	    !fs->super->s_journal_inum)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: a file system without an internal journal cannot be changed "
		               "safely; add one with \"tune2fs -O has_journal\"",
		               t->name);
	code = ext2fs_block_iterate3(fs, fs->super->s_journal_inum, BLOCK_FLAG_READ_ONLY, NULL,
	                             map_block, &m);
	if (code || m.bad || m.n < 2) {
		free(m.map);
		return err_set(err, ERR_FORMAT, "%s: its journal is invalid; run e2fsck -f",
		               t->name);
	}
	*out = m.map;
	*n = m.n;
	return 0;
}

static int check_super(struct ext4_journal *j, struct err *err)
{
	const uint8_t *s = j->super;
	const char *name = j->target->name;
	uint32_t maxlen = get_be32(s + JS_MAXLEN);

	if (get_be32(s) != MAGIC || get_be32(s + JS_BLOCKSIZE) != j->block)
		return err_set(err, ERR_FORMAT,
		               "%s: its journal's superblock is invalid; run e2fsck -f", name);
	if (get_be32(s + JS_TYPE) != SUPER_V2)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: its journal has version 1, which is not supported", name);
	if (get_be32(s + JS_ERRNO))
		return err_set(err, ERR_FORMAT, "%s: its journal records an error; run e2fsck -f",
		               name);
	j->first = get_be32(s + JS_FIRST);
	j->sequence = get_be32(s + JS_SEQUENCE);
	j->start = get_be32(s + JS_START);
	if (maxlen > j->n || j->first < 1 || j->first >= maxlen)
		return err_set(err, ERR_FORMAT,
		               "%s: its journal's superblock is invalid; run e2fsck -f", name);
	j->n = maxlen;
	return 0;
}

int ext4_journal_open(struct target *t, uint64_t base, ext2_filsys fs, struct ext4_journal *out,
                      struct err *err)
{
	struct ext4_journal j = {
	        .target = t,
	        .base = base,
	        .fs_blocks = ext2fs_blocks_count(fs->super),
	        .block = fs->blocksize,
	};
	int rc = jbd2_map(t, fs, &j.map, &j.n, err);

	if (rc == 0)
		rc = read_super(&j, err);
	if (rc == 0)
		rc = check_super(&j, err);
	if (rc < 0) {
		free(j.map);
		return rc;
	}
	*out = j;
	return 0;
}

void ext4_journal_fini(struct ext4_journal *j)
{
	free(j->map);
	j->map = NULL;
}

/* ---- writing the log ------------------------------------------------------ */

/* Tags of a descriptor: the first has a UUID. */
static size_t tags_max(const struct ext4_journal *j)
{
	return (j->block - HEAD - 16) / TAG_SIZE;
}

size_t ext4_journal_room(const struct ext4_journal *j)
{
	size_t log = j->n - j->first;

	/* A commit block, a block of zeros after it, and the descriptor blocks. */
	return log < 4 ? 0 : (log - 3) - (log - 3) / (tags_max(j) + 1) - 1;
}

/* Log blocks to be written, collected while they are contiguous. */
struct log {
	struct ext4_journal *j;
	uint32_t at;   /* the next block of the journal */
	uint32_t from; /* where buf belongs */
	size_t n;
	uint8_t *buf; /* of COPY_BLOCKS */
};

static int log_flush(struct log *l, struct err *err)
{
	int rc = 0;

	if (l->n)
		rc = target_write_small(l->j->target, l->buf, l->n * l->j->block,
		                        l->j->base + l->j->map[l->from] * l->j->block, err);
	l->n = 0;
	l->from = l->at;
	return rc;
}

/* Adds a zeroed block; valid until the next call. */
static int log_block(struct log *l, uint8_t **out, struct err *err)
{
	int rc = 0;

	if (l->at >= l->j->n)
		return err_set(err, ERR_LIMIT, "%s: the change does not fit its journal",
		               l->j->target->name);
	if (l->n == COPY_BLOCKS || (l->n && l->j->map[l->at] != l->j->map[l->at - 1] + 1))
		rc = log_flush(l, err);
	*out = l->buf + l->n++ * l->j->block;
	memset(*out, 0, l->j->block);
	l->at++;
	return rc;
}

static void put_head(uint8_t *p, uint32_t type, uint32_t sequence)
{
	put_be32(p, MAGIC);
	put_be32(p + 4, type);
	put_be32(p + 8, sequence);
}

static bool looks_like_journal(const uint8_t *data)
{
	return get_be32(data) == MAGIC;
}

static void put_tags(uint8_t *p, const struct ext4_change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t flags = (i ? TAG_SAME_UUID : 0) | (i + 1 == n ? TAG_LAST : 0);

		if (looks_like_journal(c[i].data))
			flags |= TAG_ESCAPED;
		put_be32(p, (uint32_t)c[i].block);
		p[6] = (uint8_t)(flags >> 8);
		p[7] = (uint8_t)flags;
		put_be32(p + 8, (uint32_t)(c[i].block >> 32));
		p += TAG_SIZE;
		if (i == 0) {
			memcpy(p, jbd2_our_uuid, sizeof jbd2_our_uuid);
			p += sizeof jbd2_our_uuid;
		}
	}
}

static int log_batch(struct log *l, const struct ext4_change *c, size_t n, struct err *err)
{
	uint8_t *p;
	int rc = log_block(l, &p, err);

	if (rc < 0)
		return rc;
	put_head(p, DESCRIPTOR, l->j->sequence);
	put_tags(p + HEAD, c, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = log_block(l, &p, err);
		if (rc < 0)
			break;
		memcpy(p, c[i].data, l->j->block);
		if (looks_like_journal(p))
			put_be32(p, 0);
	}
	return rc;
}

static int write_log(struct ext4_journal *j, const struct ext4_change *c, size_t n, struct err *err)
{
	_free_ uint8_t *buf = xmalloc(COPY_BLOCKS * (size_t)j->block);
	struct log l = {.j = j, .at = j->first, .from = j->first, .buf = buf};
	uint8_t *p;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i += tags_max(j))
		rc = log_batch(&l, c + i, MIN(n - i, tags_max(j)), err);
	if (rc == 0)
		rc = log_block(&l, &p, err);
	if (rc == 0)
		put_head(p, COMMIT, j->sequence);
	/* An older block must not be mistaken for the next commit. */
	if (rc == 0)
		rc = log_block(&l, &p, err);
	return rc < 0 ? rc : log_flush(&l, err);
}

/* ---- commit --------------------------------------------------------------- */

/* The number of changes from c on that are contiguous. */
static size_t neighbours(const struct ext4_change *c, size_t n)
{
	size_t m = 1;

	while (m < n && m < COPY_BLOCKS && c[m].block == c[0].block + m)
		m++;
	return m;
}

static int reserve_home(struct ext4_journal *j, const struct ext4_change *c, size_t n,
                        struct err *err)
{
	int rc = 0;

	for (size_t i = 0, m; i < n && rc == 0; i += m) {
		m = neighbours(c + i, n - i);
		rc = target_reserve(j->target, j->base + c[i].block * j->block, m * j->block, err);
	}
	return rc;
}

static int write_home(struct ext4_journal *j, const struct ext4_change *c, size_t n,
                      struct err *err)
{
	_free_ uint8_t *buf = xmalloc(COPY_BLOCKS * (size_t)j->block);
	int rc = 0;

	for (size_t i = 0, m; i < n && rc == 0; i += m) {
		m = neighbours(c + i, n - i);
		for (size_t k = 0; k < m; k++)
			memcpy(buf + k * j->block, c[i + k].data, j->block);
		rc = target_write_small(j->target, buf, m * j->block,
		                        j->base + c[i].block * j->block, err);
	}
	return rc < 0 ? rc : target_sync(j->target, err);
}

int jbd2_conclude(struct ext4_journal *j, struct err *err)
{
	int rc;

	j->start = 0;
	j->sequence++;
	rc = jbd2_write_super(j, err);
	if (rc == 0)
		rc = jbd2_set_recover(j->target, j->base, false, err);
	memset(j->super + JS_MARK, 0, MARK_SIZE);
	return rc < 0 ? rc : write_super(j, err);
}

static int mark(struct ext4_journal *j, struct err *err)
{
	uint8_t sb[SB_SIZE];
	int rc = target_read(j->target, sb, sizeof sb, j->base + SB_AT, err);

	if (rc < 0)
		return rc;
	/*
	 * The log is empty, so we may choose its features. We need no checksums: our writes are
	 * synced in order.
	 */
	put_be32(j->super + JS_COMPAT, 0);
	put_be32(j->super + JS_INCOMPAT, FEATURE_64BIT);
	put_be32(j->super + JS_RO_COMPAT, 0);
	j->super[JS_CSUM_TYPE] = 0;
	put_be32(j->super + JS_CSUM, 0);
	jbd2_mark_make(sb, j->sequence, j->super + JS_MARK);
	return jbd2_write_super(j, err);
}

int ext4_journal_commit(struct ext4_journal *j, const struct ext4_change *changes, size_t n,
                        bool *happened, struct err *err)
{
	int rc = 0;

	*happened = false;
	if (n > ext4_journal_room(j))
		return err_set(
		        err, ERR_LIMIT,
		        "%s: the change has %zu blocks, but its journal has room for only %zu",
		        j->target->name, n, ext4_journal_room(j));
	/* The flag (needs_recovery) is set in the log, and as long as the log is valid. */
	for (size_t i = 0; i < n; i++)
		if (changes[i].block == SB_AT / j->block)
			super_flag(changes[i].data + SB_AT % j->block, true);
	rc = reserve_home(j, changes, n, err);
	if (rc == 0)
		rc = write_log(j, changes, n, err);
	if (rc == 0)
		rc = mark(j, err);
	if (rc == 0)
		rc = jbd2_set_recover(j->target, j->base, true, err);
	if (rc < 0)
		return rc;
	*happened = true;
	j->start = j->first;
	rc = jbd2_write_super(j, err);
	if (rc == 0)
		rc = write_home(j, changes, n, err);
	return rc < 0 ? rc : jbd2_conclude(j, err);
}
