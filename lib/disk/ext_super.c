/* SPDX-License-Identifier: MIT */
#include "disk/ext_super.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

#define MAGIC 0xef53u
#define LOG_BLOCK_MAX 6u
#define INCOMPAT_RECOVER 4u
#define INCOMPAT_64BIT 0x80u

int ext_super_parse(const uint8_t *sb, uint64_t size, struct ext_super *out, struct err *err)
{
	uint32_t log = get_le32(sb + 24);
	struct ext_super s = {.blocks = get_le32(sb + 4)};

	if (get_le16(sb + 56) != MAGIC)
		return 1;
	s.features =
	        (struct ext_features){get_le32(sb + 92), get_le32(sb + 96), get_le32(sb + 100)};
	if (log > LOG_BLOCK_MAX)
		return err_set(err, ERR_FORMAT, "ext: blocks of 2^%" PRIu64 " bytes",
		               (uint64_t)log + 10);
	s.block = EXT_BLOCK_MIN << log;
	if (s.features.incompat & INCOMPAT_64BIT)
		s.blocks |= (uint64_t)get_le32(sb + 336) << 32;
	if (s.blocks > size / s.block)
		return err_set(err, ERR_FORMAT,
		               "ext: %" PRIu64 " blocks of %u bytes do not fit into %" PRIu64
		               " bytes",
		               s.blocks, s.block, size);
	s.unreplayed = s.features.incompat & INCOMPAT_RECOVER;
	*out = s;
	return 0;
}

/* ---- names ---------------------------------------------------------------- */

struct feature {
	uint32_t bit;
	const char *name;
};

static const struct feature compat[] = {
        {0x1, "dir_prealloc"},  {0x2, "imagic_inodes"},     {0x4, "has_journal"},
        {0x8, "ext_attr"},      {0x10, "resize_inode"},     {0x20, "dir_index"},
        {0x40, "lazy_bg"},      {0x100, "snapshot_bitmap"}, {0x200, "sparse_super2"},
        {0x400, "fast_commit"}, {0x800, "stable_inodes"},   {0x1000, "orphan_file"},
};

static const struct feature incompat[] = {
        {0x1, "compression"},  {0x2, "filetype"},       {0x4, "needs_recovery"},
        {0x8, "journal_dev"},  {0x10, "meta_bg"},       {0x40, "extent"},
        {0x80, "64bit"},       {0x100, "mmp"},          {0x200, "flex_bg"},
        {0x400, "ea_inode"},   {0x1000, "dirdata"},     {0x2000, "metadata_csum_seed"},
        {0x4000, "large_dir"}, {0x8000, "inline_data"}, {0x10000, "encrypt"},
        {0x20000, "casefold"},
};

static const struct feature ro_compat[] = {
        {0x1, "sparse_super"},       {0x2, "large_file"},       {0x8, "huge_file"},
        {0x10, "uninit_bg"},         {0x20, "dir_nlink"},       {0x40, "extra_isize"},
        {0x80, "snapshot"},          {0x100, "quota"},          {0x200, "bigalloc"},
        {0x400, "metadata_csum"},    {0x800, "replica"},        {0x1000, "read-only"},
        {0x2000, "project"},         {0x4000, "shared_blocks"}, {0x8000, "verity"},
        {0x10000, "orphan_present"},
};

/* Append one name; "left" names are still to come. */
static void put_name(struct buf *out, const char *name, unsigned *done, unsigned left)
{
	buf_putf(out, "%s%s", !*done ? "" : left ? ", " : " and ", name);
	++*done;
}

static unsigned count_bits(uint32_t v)
{
	unsigned n = 0;

	for (; v; v &= v - 1)
		n++;
	return n;
}

static const char *name_of(const struct feature *f, size_t n, uint32_t bit)
{
	for (size_t i = 0; i < n; i++)
		if (f[i].bit == bit)
			return f[i].name;
	return NULL;
}

void ext_features_put(struct ext_features f, struct buf *out)
{
	const struct {
		const struct feature *names;
		size_t n;
		uint32_t bits;
		char letter; /* e2fsprogs' letter for unknown features */
	} sets[] = {
	        {compat, ARRAY_LEN(compat), f.compat, 'C'},
	        {incompat, ARRAY_LEN(incompat), f.incompat, 'I'},
	        {ro_compat, ARRAY_LEN(ro_compat), f.ro_compat, 'R'},
	};
	unsigned left = 0, done = 0;

	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		left += count_bits(sets[i].bits);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		for (unsigned b = 0; b < 32; b++) {
			uint32_t bit = 1u << b;
			const char *name = name_of(sets[i].names, sets[i].n, bit);
			char unknown[16];

			if (!(sets[i].bits & bit))
				continue;
			snprintf(unknown, sizeof unknown, "FEATURE_%c%u", sets[i].letter, b);
			put_name(out, name ? name : unknown, &done, --left);
		}
	}
}
