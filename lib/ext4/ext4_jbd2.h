/* SPDX-License-Identifier: MIT */
/* The journal's format, for ext4_journal.c and ext4_recover.c alone. */
#ifndef EXT4_EXT4_JBD2_H
#define EXT4_EXT4_JBD2_H

#include "ext4/ext4_journal.h"

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
/* Offsets in ext4's superblock, at 1024. */
#define SB_AT 1024u
#define SB_SIZE 1024u
#define SB_MTIME 44u
#define SB_MNT_COUNT 52u
#define SB_MAGIC 56u
#define SB_INCOMPAT 96u
#define SB_CSUM 1020u
#define SB_LOG_BLOCK 24u
#define SB_RO_COMPAT 100u
#define RECOVER 4u

static inline void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

/* In the place of the journal's UUID in the first tag. */
extern const uint8_t jbd2_our_uuid[16];

/* Where the blocks of a journal inside the file system are; the caller frees *out. */
int jbd2_map(const struct target *t, ext2_filsys fs, uint64_t **out, uint32_t *n, struct err *err);
/* Our mark, as the superblock sb would have it. */
void jbd2_mark_make(const uint8_t *sb, uint32_t sequence, uint8_t out[MARK_SIZE]);
/* Set or clear "needs recovery" in the file system's superblock; synced. */
int jbd2_set_recover(struct target *t, uint64_t base, bool on, struct err *err);
/* The journal's superblock, as j says; synced. */
int jbd2_write_super(struct ext4_journal *j, struct err *err);
/* The log is empty again; the file system clean. */
int jbd2_conclude(struct ext4_journal *j, struct err *err);

#endif
