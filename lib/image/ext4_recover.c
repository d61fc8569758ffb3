/* SPDX-License-Identifier: MIT */
/* What an interrupted change left in the journal: see ext4_journal.h. */
#include "base/bytes.h"
#include "base/mem.h"
#include "image/ext4_jbd2.h"
#include "image/ext4_layout.h"
#include "image/target.h"

#include <stdio.h>
#include <string.h>

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
			if ((size_t)(end - p) < sizeof jbd2_our_uuid ||
			    memcmp(p, jbd2_our_uuid, sizeof jbd2_our_uuid) != 0)
				return err_set(err, ERR_BUSY, "%s: its journal's log is not ours",
				               j->target->name);
			p += sizeof jbd2_our_uuid;
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

/*
 * e2fsck finds a file system inside a file with "?offset=", but loses it while
 * it replays the journal (1.47.0), so that there a loop device is the way.
 */
static int not_clean(const struct target *t, uint64_t base, struct err *err)
{
	_free_ char *advice = NULL;

	if (t->is_device && base)
		advice = xasprintf("e2fsck -p on its partition at byte %llu",
		                   (unsigned long long)base);
	else if (base)
		advice = xasprintf("losetup -o %llu -f --show %s, e2fsck -p on that device, "
		                   "losetup -d",
		                   (unsigned long long)base, t->name);
	else
		advice = xasprintf("e2fsck -p %s", t->name);
	return err_set(
	        err, ERR_BUSY,
	        "%s: its file system was not unmounted: the guest is running, or was killed. "
	        "Start the guest and shut it down, or, if nobody uses the disk: %s",
	        t->name, advice);
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
		return rc == 0 && write ? jbd2_conclude(j, err) : rc;
	}
	if (j->sequence == get_be32(j->super + JS_MARK + 8))
		*out = EXT4_LEFT_UNDONE;
	if (!write)
		return 0;
	rc = jbd2_set_recover(j->target, j->base, false, err);
	memset(j->super + JS_MARK, 0, MARK_SIZE);
	return rc < 0 ? rc : jbd2_write_super(j, err);
}

static int look(struct ext4_journal *j, const uint8_t *sb, bool write, enum ext4_left *out,
                struct err *err)
{
	uint32_t noted = get_be32(j->super + JS_MARK + 8);
	bool unclean = get_le32(sb + SB_INCOMPAT) & RECOVER, ours;
	uint8_t want[MARK_SIZE];

	jbd2_mark_make(sb, noted, want);
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
	/* A change that lets the file system grow writes behind its old end. */
	j.fs_blocks = size / EXT4_BLOCK;
	if (rc == 0)
		rc = look(&j, sb, write, out, err);
	ext4_journal_fini(&j);
	if (fs)
		ext2fs_free(fs);
	ext4_overlay_free(ov);
	return rc;
}
