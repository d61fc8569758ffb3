/* SPDX-License-Identifier: MIT */
/* Completes or drops a change that was interrupted: see ext4_journal.h. */
#include "base/bytes.h"
#include "base/mem.h"
#include "ext4/ext4_jbd2.h"
#include "ext4/ext4_layout.h"
#include "ext4/target.h"

#include <stdio.h>
#include <string.h>

static int read_log_block(struct ext4_journal *j, uint32_t at, uint8_t *out, struct err *err)
{
	if (at >= j->n)
		return err_set(err, ERR_FORMAT, "%s: its journal's log has no commit block",
		               j->target->name);
	return target_read(j->target, out, j->block, j->base + j->map[at] * j->block, err);
}

static int replay_block(struct ext4_journal *j, uint32_t at, uint64_t block, uint32_t flags,
                        bool write, struct err *err)
{
	uint8_t data[EXT4_BLOCK];
	int rc = read_log_block(j, at, data, err);

	if (rc < 0)
		return rc;
	if (block >= j->fs_blocks)
		return err_set(
		        err, ERR_FORMAT,
		        "%s: its journal's log names block %llu, but the file system has only %llu",
		        j->target->name, (unsigned long long)block,
		        (unsigned long long)j->fs_blocks);
	if (!write)
		return 0;
	if (flags & TAG_ESCAPED)
		put_be32(data, MAGIC);
	return target_write_small(j->target, data, j->block, j->base + block * j->block, err);
}

/* A descriptor at *at and the blocks after it: write them, or only check them. */
static int replay_batch(struct ext4_journal *j, const uint8_t *desc, uint32_t *at, bool write,
                        struct err *err)
{
	const uint8_t *p = desc + HEAD, *end = desc + j->block;

	for (;;) {
		uint32_t flags;
		int rc;

		if ((size_t)(end - p) < TAG_SIZE)
			return err_set(err, ERR_FORMAT, "%s: its journal's log is invalid",
			               j->target->name);
		flags = get_be32(p + 4) & 0xffff;
		rc = replay_block(j, *at, get_be32(p) | (uint64_t)get_be32(p + 8) << 32, flags,
		                  write, err);
		if (rc < 0)
			return rc;
		++*at;
		p += TAG_SIZE;
		if (!(flags & TAG_SAME_UUID)) {
			if ((size_t)(end - p) < sizeof jbd2_our_uuid ||
			    memcmp(p, jbd2_our_uuid, sizeof jbd2_our_uuid) != 0)
				return err_set(err, ERR_BUSY,
				               "%s: its journal's log was not written by domstrap",
				               j->target->name);
			p += sizeof jbd2_our_uuid;
		}
		if (flags & TAG_LAST)
			return 0;
	}
}

/* All blocks up to the commit. They are written to their places only after all were read. */
static int replay(struct ext4_journal *j, bool write, struct err *err)
{
	uint32_t at = j->start;

	for (;;) {
		uint8_t block[EXT4_BLOCK];
		int rc = read_log_block(j, at++, block, err);

		if (rc < 0)
			return rc;
		if (get_be32(block) != MAGIC || get_be32(block + 8) != j->sequence)
			return err_set(err, ERR_FORMAT, "%s: its journal's log is invalid",
			               j->target->name);
		if (get_be32(block + 4) == COMMIT)
			return 0;
		if (get_be32(block + 4) != DESCRIPTOR)
			return err_set(err, ERR_BUSY,
			               "%s: its journal's log was not written by domstrap",
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
int ext4_journal_not_clean(const struct target *t, uint64_t base, struct err *err)
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
	        "%s: its file system was not cleanly unmounted: the guest is running, or was "
	        "killed. Start the guest and shut it down, or, if the disk is not in use, run: %s",
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
		*out = EXT4_LEFT_UNREPLAYED;
	if (!ours || (!unclean && j->start))
		return 0;
	return finish_left(j, write, out, err);
}

/* Our changes never move the file system's structures, such as the journal. */
#define OPEN_FLAGS (EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS | EXT2_FLAG_SOFTSUPP_FEATURES)

int ext4_journal_super(struct target *t, uint64_t base, uint64_t size, uint8_t *sb,
                       struct ext_super *out, struct err *err)
{
	int rc = -ERR_FORMAT;

	if (size >= SB_AT + SB_SIZE)
		rc = target_read(t, sb, SB_SIZE, base + SB_AT, err);
	if (size >= SB_AT + SB_SIZE && rc < 0)
		return rc;
	if (rc == 0)
		rc = ext_super_parse(sb, size, out, err);
	if (rc == 0)
		return 0;
	return rc < 0 && size >= SB_AT + SB_SIZE
	               ? err_prefix(err, "%s", t->name)
	               : err_set(err, ERR_FORMAT, "%s: no ext4 file system at byte %llu", t->name,
	                         (unsigned long long)base);
}

/* A file system, and its superblock. */
struct place {
	struct target *target;
	uint64_t base, size;
	uint8_t sb[SB_SIZE];
	struct ext_super super;
};

/* Check that the journal belongs to this file system and lies inside it. */
static int look_inside(const struct place *p, bool write, enum ext4_left *out, struct err *err)
{
	struct ext4_overlay *ov = ext4_overlay_new(p->target, p->base, p->size, p->super.block);
	struct err none = ERR_INIT;
	struct ext4_journal j = {0};
	ext2_filsys fs = NULL;
	bool ours = false;
	int rc = 0;

	*out = p->super.unreplayed ? EXT4_LEFT_UNREPLAYED : EXT4_LEFT_NOTHING;
	if (ext4_overlay_open(ov, OPEN_FLAGS, &fs))
		fs = NULL;
	/*
	 * A journal that cannot be read may contain a change; a journal in a form that we never
	 * write does not.
	 */
	if (ext4_overlay_error(ov)->code == ERR_IO) {
		*err = *ext4_overlay_error(ov);
		rc = -(int)err->code;
	} else if (fs) {
		rc = ext4_journal_open(p->target, p->base, fs, &j, &none);
		ours = rc == 0;
		if (rc == -ERR_IO)
			*err = none;
		else
			rc = 0;
	}
	if (ours) {
		*out = EXT4_LEFT_NOTHING;
		/* A change that enlarges the file system writes beyond its old end. */
		j.fs_blocks = p->size / j.block;
		rc = look(&j, p->sb, write, out, err);
		ext4_journal_fini(&j);
	}
	if (fs)
		ext2fs_free(fs);
	ext4_overlay_free(ov);
	return rc;
}

int ext4_journal_recover(struct target *t, uint64_t base, uint64_t size, bool write,
                         enum ext4_left *out, struct err *err)
{
	struct place p = {.target = t, .base = base, .size = size};
	int rc = ext4_journal_super(t, base, size, p.sb, &p.super, err);

	*out = EXT4_LEFT_NOTHING;
	if (rc < 0)
		return rc;
	if (p.super.block > EXT4_BLOCK)
		return 0;
	return look_inside(&p, write, out, err);
}
