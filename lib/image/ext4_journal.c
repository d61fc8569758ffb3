/* SPDX-License-Identifier: MIT */
#include "image/ext4_journal.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "image/ext4_disk.h"
#include "image/ext4_layout.h"
#include "image/target.h"

#include <string.h>

#define MAGIC 0xc03b3998u
#define DESCRIPTOR 1u
#define COMMIT 2u
#define SUPER_V2 4u
#define FEATURE_64BIT 2u

/* Offsets in the journal's superblock. */
#define JS_TYPE 4u
#define JS_BLOCKSIZE 12u
#define JS_MAXLEN 16u
#define JS_FIRST 20u
#define JS_SEQUENCE 24u
#define JS_START 28u
#define JS_ERRNO 32u
#define JS_COMPAT 36u
#define JS_INCOMPAT 40u
#define JS_RO_COMPAT 44u
#define JS_CSUM_TYPE 80u
#define JS_MARK 96u /* in what jbd2 calls padding */
#define JS_CSUM 252u
#define JS_WRITTEN 512u /* what we change is in its first sector */

/* The mark: text, commit's number, mount count and mount time. */
#define MARK_TEXT "domstrap"
#define MARK_SIZE 20u

#define TAG_SIZE 12u
#define TAG_ESCAPED 1u
#define TAG_SAME_UUID 2u
#define TAG_LAST 8u
#define HEAD 12u
#define TAGS_MAX ((EXT4_BLOCK - HEAD - 16) / TAG_SIZE)
/* In the place of the journal's UUID in the first tag. */
static const uint8_t our_uuid[16] = "domstrap change";

/* Offsets in ext4's superblock, at 1024. */
#define SB_AT 1024u
#define SB_SIZE 1024u
#define SB_MTIME 44u
#define SB_MNT_COUNT 52u
#define SB_MAGIC 56u
#define SB_INCOMPAT 96u
#define SB_CSUM 1020u
#define RECOVER 4u

#define JOURNAL_BLOCKS_MAX (1u << 20)
#define COPY_BLOCKS 64u

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

/* ---- the two superblocks -------------------------------------------------- */

static void super_flag(uint8_t *sb, bool on)
{
	uint32_t incompat = get_le32(sb + SB_INCOMPAT);

	put_le32(sb + SB_INCOMPAT, on ? incompat | RECOVER : incompat & ~RECOVER);
	put_le32(sb + SB_CSUM, ext4_crc32c(~0u, sb, SB_CSUM));
}

static int set_recover(struct target *t, uint64_t base, bool on, struct err *err)
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
	return target_read(j->target, j->super, sizeof j->super, j->base + j->map[0] * EXT4_BLOCK,
	                   err);
}

static int write_super(struct ext4_journal *j, struct err *err)
{
	put_be32(j->super + JS_SEQUENCE, j->sequence);
	put_be32(j->super + JS_START, j->start);
	return target_write_small(j->target, j->super, JS_WRITTEN, j->base + j->map[0] * EXT4_BLOCK,
	                          err);
}

static int write_super_synced(struct ext4_journal *j, struct err *err)
{
	int rc = write_super(j, err);

	return rc < 0 ? rc : target_sync(j->target, err);
}

static void make_mark(const uint8_t *sb, uint32_t sequence, uint8_t out[MARK_SIZE])
{
	memcpy(out, MARK_TEXT, 8);
	put_be32(out + 8, sequence);
	put_be32(out + 12, get_le16(sb + SB_MNT_COUNT));
	put_be32(out + 16, get_le32(sb + SB_MTIME));
}

/* ---- opening -------------------------------------------------------------- */

struct mapping {
	struct ext4_journal *j;
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
	if ((uint64_t)at != m->j->n || m->j->n >= JOURNAL_BLOCKS_MAX || *block >= m->limit ||
	    !*block) {
		m->bad = true;
		return BLOCK_ABORT;
	}
	m->j->map[m->j->n++] = *block;
	return 0;
}

static int map_journal(ext2_filsys fs, struct ext4_journal *j, struct err *err)
{
	struct mapping m = {.j = j, .limit = ext2fs_blocks_count(fs->super)};
	errcode_t code;

	if (!ext2fs_has_feature_journal(fs->super) || fs->super->s_journal_dev ||
	    !fs->super->s_journal_inum)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: a file system without a journal of its own cannot be changed "
		               "safely",
		               j->target->name);
	j->map = xcalloc(JOURNAL_BLOCKS_MAX, sizeof *j->map);
	code = ext2fs_block_iterate3(fs, fs->super->s_journal_inum, BLOCK_FLAG_READ_ONLY, NULL,
	                             map_block, &m);
	if (code || m.bad || j->n < 2)
		return err_set(err, ERR_FORMAT, "%s: its journal is damaged", j->target->name);
	return 0;
}

static int check_super(struct ext4_journal *j, struct err *err)
{
	const uint8_t *s = j->super;
	const char *name = j->target->name;
	uint32_t maxlen = get_be32(s + JS_MAXLEN);

	if (get_be32(s) != MAGIC || get_be32(s + JS_BLOCKSIZE) != EXT4_BLOCK)
		return err_set(err, ERR_FORMAT, "%s: its journal's superblock is damaged", name);
	if (get_be32(s + JS_TYPE) != SUPER_V2)
		return err_set(err, ERR_UNSUPPORTED, "%s: its journal is of version 1", name);
	if (get_be32(s + JS_ERRNO))
		return err_set(err, ERR_FORMAT, "%s: its journal notes an error; run e2fsck -f",
		               name);
	j->first = get_be32(s + JS_FIRST);
	j->sequence = get_be32(s + JS_SEQUENCE);
	j->start = get_be32(s + JS_START);
	if (maxlen > j->n || j->first < 1 || j->first >= maxlen)
		return err_set(err, ERR_FORMAT, "%s: its journal's superblock is damaged", name);
	j->n = maxlen;
	return 0;
}

int ext4_journal_open(struct target *t, uint64_t base, ext2_filsys fs, struct ext4_journal *out,
                      struct err *err)
{
	struct ext4_journal j = {
	        .target = t, .base = base, .fs_blocks = ext2fs_blocks_count(fs->super)};
	int rc = map_journal(fs, &j, err);

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

size_t ext4_journal_room(const struct ext4_journal *j)
{
	size_t log = j->n - j->first;

	/* A commit, a block of zeros behind it, and the descriptors. */
	return log < 4 ? 0 : (log - 3) - (log - 3) / (TAGS_MAX + 1) - 1;
}

/* Log blocks on their way, gathered while they are contiguous. */
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
		rc = target_write_small(l->j->target, l->buf, l->n * EXT4_BLOCK,
		                        l->j->base + l->j->map[l->from] * EXT4_BLOCK, err);
	l->n = 0;
	l->from = l->at;
	return rc;
}

/* One zeroed block more; valid until the next call. */
static int log_block(struct log *l, uint8_t **out, struct err *err)
{
	int rc = 0;

	if (l->at >= l->j->n)
		return err_set(err, ERR_LIMIT, "%s: the change does not fit its journal",
		               l->j->target->name);
	if (l->n == COPY_BLOCKS || (l->n && l->j->map[l->at] != l->j->map[l->at - 1] + 1))
		rc = log_flush(l, err);
	*out = l->buf + l->n++ * EXT4_BLOCK;
	memset(*out, 0, EXT4_BLOCK);
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
			memcpy(p, our_uuid, sizeof our_uuid);
			p += sizeof our_uuid;
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
		memcpy(p, c[i].data, EXT4_BLOCK);
		if (looks_like_journal(p))
			put_be32(p, 0);
	}
	return rc;
}

static int write_log(struct ext4_journal *j, const struct ext4_change *c, size_t n, struct err *err)
{
	_free_ uint8_t *buf = xmalloc(COPY_BLOCKS * EXT4_BLOCK);
	struct log l = {.j = j, .at = j->first, .from = j->first, .buf = buf};
	uint8_t *p;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i += TAGS_MAX)
		rc = log_batch(&l, c + i, MIN(n - i, (size_t)TAGS_MAX), err);
	if (rc == 0)
		rc = log_block(&l, &p, err);
	if (rc == 0)
		put_head(p, COMMIT, j->sequence);
	/* Nothing older may look like the next commit. */
	if (rc == 0)
		rc = log_block(&l, &p, err);
	return rc < 0 ? rc : log_flush(&l, err);
}

/* ---- commit --------------------------------------------------------------- */

static int write_home(struct ext4_journal *j, const struct ext4_change *c, size_t n,
                      struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = target_write_small(j->target, c[i].data, EXT4_BLOCK,
		                        j->base + c[i].block * EXT4_BLOCK, err);
	return rc < 0 ? rc : target_sync(j->target, err);
}

/* The log is empty again; the file system clean. */
static int conclude(struct ext4_journal *j, struct err *err)
{
	int rc;

	j->start = 0;
	j->sequence++;
	rc = write_super_synced(j, err);
	if (rc == 0)
		rc = set_recover(j->target, j->base, false, err);
	memset(j->super + JS_MARK, 0, MARK_SIZE);
	return rc < 0 ? rc : write_super(j, err);
}

static int mark(struct ext4_journal *j, struct err *err)
{
	uint8_t sb[SB_SIZE];
	int rc = target_read(j->target, sb, sizeof sb, j->base + SB_AT, err);

	if (rc < 0)
		return rc;
	/* The log is empty, so its features are ours to choose: no checksums,
	 * since order does for us what they do for the kernel. */
	put_be32(j->super + JS_COMPAT, 0);
	put_be32(j->super + JS_INCOMPAT, FEATURE_64BIT);
	put_be32(j->super + JS_RO_COMPAT, 0);
	j->super[JS_CSUM_TYPE] = 0;
	put_be32(j->super + JS_CSUM, 0);
	make_mark(sb, j->sequence, j->super + JS_MARK);
	return write_super_synced(j, err);
}

int ext4_journal_commit(struct ext4_journal *j, const struct ext4_change *changes, size_t n,
                        bool *happened, struct err *err)
{
	int rc = 0;

	*happened = false;
	if (n > ext4_journal_room(j))
		return err_set(err, ERR_LIMIT,
		               "%s: the change has %zu blocks, its journal has room for %zu",
		               j->target->name, n, ext4_journal_room(j));
	/* In the log, and as long as the log counts, the flag is set. */
	for (size_t i = 0; i < n; i++)
		if (changes[i].block == 0)
			super_flag(changes[i].data + SB_AT, true);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = target_reserve(j->target, j->base + changes[i].block * EXT4_BLOCK, EXT4_BLOCK,
		                    err);
	if (rc == 0)
		rc = write_log(j, changes, n, err);
	if (rc == 0)
		rc = mark(j, err);
	if (rc == 0)
		rc = set_recover(j->target, j->base, true, err);
	if (rc < 0)
		return rc;
	*happened = true;
	j->start = j->first;
	rc = write_super_synced(j, err);
	if (rc == 0)
		rc = write_home(j, changes, n, err);
	return rc < 0 ? rc : conclude(j, err);
}

/* ---- recovery ------------------------------------------------------------- */

static int read_log_block(struct ext4_journal *j, uint32_t at, uint8_t *out, struct err *err)
{
	if (at >= j->n)
		return err_set(err, ERR_FORMAT, "%s: its journal's log has no end",
		               j->target->name);
	return target_read(j->target, out, EXT4_BLOCK, j->base + j->map[at] * EXT4_BLOCK, err);
}

static int replay_block(struct ext4_journal *j, uint32_t at, uint64_t block, uint32_t flags,
                        struct err *err)
{
	uint8_t data[EXT4_BLOCK];
	int rc = read_log_block(j, at, data, err);

	if (rc < 0)
		return rc;
	if (block >= j->fs_blocks)
		return err_set(err, ERR_FORMAT, "%s: its journal's log leads out of it",
		               j->target->name);
	if (flags & TAG_ESCAPED)
		put_be32(data, MAGIC);
	return target_write_small(j->target, data, sizeof data, j->base + block * EXT4_BLOCK, err);
}

/* A descriptor at *at and the blocks behind it; or only their number. */
static int replay_batch(struct ext4_journal *j, const uint8_t *desc, uint32_t *at, bool write,
                        struct err *err)
{
	const uint8_t *p = desc + HEAD, *end = desc + EXT4_BLOCK;

	for (;;) {
		uint32_t flags;
		int rc = 0;

		if ((size_t)(end - p) < TAG_SIZE)
			return err_set(err, ERR_FORMAT, "%s: its journal's log is damaged",
			               j->target->name);
		flags = get_be32(p + 4) & 0xffff;
		if (write)
			rc = replay_block(j, *at, get_be32(p) | (uint64_t)get_be32(p + 8) << 32,
			                  flags, err);
		if (rc < 0)
			return rc;
		++*at;
		p += TAG_SIZE;
		if (!(flags & TAG_SAME_UUID)) {
			if ((size_t)(end - p) < sizeof our_uuid ||
			    memcmp(p, our_uuid, sizeof our_uuid) != 0)
				return err_set(err, ERR_BUSY, "%s: its journal's log is not ours",
				               j->target->name);
			p += sizeof our_uuid;
		}
		if (flags & TAG_LAST)
			return 0;
	}
}

/* Everything up to the commit; written home only once the whole was seen. */
static int replay(struct ext4_journal *j, bool write, struct err *err)
{
	uint32_t at = j->start;

	for (;;) {
		uint8_t block[EXT4_BLOCK];
		int rc = read_log_block(j, at++, block, err);

		if (rc < 0)
			return rc;
		if (get_be32(block) != MAGIC || get_be32(block + 8) != j->sequence)
			return err_set(err, ERR_FORMAT, "%s: its journal's log is damaged",
			               j->target->name);
		if (get_be32(block + 4) == COMMIT)
			return 0;
		if (get_be32(block + 4) != DESCRIPTOR)
			return err_set(err, ERR_BUSY, "%s: its journal's log is not ours",
			               j->target->name);
		rc = replay_batch(j, block, &at, write, err);
		if (rc < 0)
			return rc;
	}
}

static int not_clean(const struct target *t, uint64_t base, struct err *err)
{
	char offset[40] = "";

	if (base)
		snprintf(offset, sizeof offset, "?offset=%llu", (unsigned long long)base);
	return err_set(
	        err, ERR_BUSY,
	        "%s: its file system was not unmounted: the guest is running, or was killed. "
	        "Start the guest and shut it down, or, if nobody uses the disk: e2fsck -p "
	        "'%s%s'",
	        t->name, t->name, offset);
}

static int finish_left(struct ext4_journal *j, bool write, enum ext4_left *out, struct err *err)
{
	int rc = 0;

	*out = EXT4_LEFT_FINISHED;
	if (j->start) {
		rc = replay(j, false, err);
		if (rc == 0 && write)
			rc = replay(j, true, err);
		if (rc == 0 && write)
			rc = target_sync(j->target, err);
		return rc == 0 && write ? conclude(j, err) : rc;
	}
	if (j->sequence == get_be32(j->super + JS_MARK + 8))
		*out = EXT4_LEFT_UNDONE;
	if (!write)
		return 0;
	rc = set_recover(j->target, j->base, false, err);
	memset(j->super + JS_MARK, 0, MARK_SIZE);
	return rc < 0 ? rc : write_super_synced(j, err);
}

static int look(struct ext4_journal *j, const uint8_t *sb, bool write, enum ext4_left *out,
                struct err *err)
{
	uint32_t noted = get_be32(j->super + JS_MARK + 8);
	bool unclean = get_le32(sb + SB_INCOMPAT) & RECOVER, ours;
	uint8_t want[MARK_SIZE];

	make_mark(sb, noted, want);
	ours = memcmp(j->super + JS_MARK, want, sizeof want) == 0;
	if (ours && j->start)
		ours = j->start == j->first && j->sequence == noted;
	else if (ours)
		ours = j->sequence == noted || j->sequence == noted + 1;
	if (unclean && !ours)
		return not_clean(j->target, j->base, err);
	if (!ours || (!unclean && j->start))
		return 0;
	return finish_left(j, write, out, err);
}

/* Places in the file system are the same before and after any change of ours. */
#define OPEN_FLAGS (EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS | EXT2_FLAG_SOFTSUPP_FEATURES)

int ext4_journal_recover(struct target *t, uint64_t base, uint64_t size, bool write,
                         enum ext4_left *out, struct err *err)
{
	struct ext4_overlay *ov = ext4_overlay_new(t, base, size);
	struct ext4_journal j = {0};
	uint8_t sb[SB_SIZE];
	ext2_filsys fs = NULL;
	errcode_t code;
	int rc = target_read(t, sb, sizeof sb, base + SB_AT, err);

	*out = EXT4_LEFT_NOTHING;
	if (rc == 0 && get_le16(sb + SB_MAGIC) != EXT2_SUPER_MAGIC)
		rc = err_set(err, ERR_FORMAT, "%s: no ext4 file system at byte %llu", t->name,
		             (unsigned long long)base);
	if (rc == 0) {
		code = ext4_overlay_open(ov, OPEN_FLAGS, &fs);
		if (code)
			rc = err_set(err, ERR_FORMAT, "%s: its ext4 file system: %s", t->name,
			             error_message(code));
	}
	if (rc == 0)
		rc = ext4_journal_open(t, base, fs, &j, err);
	if (rc == 0)
		rc = look(&j, sb, write, out, err);
	ext4_journal_fini(&j);
	if (fs)
		ext2fs_free(fs);
	ext4_overlay_free(ov);
	return rc;
}
