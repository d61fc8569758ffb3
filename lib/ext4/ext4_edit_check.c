/* SPDX-License-Identifier: MIT */
/* Which file systems an edit can read, which it can write, and what to do about the others. */
#include "base/mem.h"
#include "disk/ext_super.h"
#include "ext4/ext4_edit_in.h"
#include "ext4/ext4_journal.h"

#include <string.h>

/*
 * Features that writing preserves. Directories and files that use casefold, encrypt, ea_inode or
 * inline_data are checked one by one.
 */
#define WRITE_INCOMPAT                                                                             \
	(EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |                          \
	 EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG |                             \
	 EXT4_FEATURE_INCOMPAT_CSUM_SEED | EXT2_FEATURE_INCOMPAT_META_BG |                         \
	 EXT4_FEATURE_INCOMPAT_LARGEDIR | EXT4_FEATURE_INCOMPAT_MMP |                              \
	 EXT4_FEATURE_INCOMPAT_EA_INODE | EXT4_FEATURE_INCOMPAT_CASEFOLD |                         \
	 EXT4_FEATURE_INCOMPAT_ENCRYPT)
#define WRITE_RO_COMPAT                                                                            \
	(EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |                 \
	 EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |                     \
	 EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM |               \
	 EXT4_FEATURE_RO_COMPAT_GDT_CSUM | EXT4_FEATURE_RO_COMPAT_PROJECT |                        \
	 EXT4_FEATURE_RO_COMPAT_VERITY)
#define HASH_MAX EXT2_HASH_TEA /* checksum types that need no key */

int edit_check_open(const char *name, const uint8_t *sb, errcode_t code, struct err *err)
{
	_cleanup_(buf_fini) struct buf names = BUF_INIT;
	struct ext_features f = {0};
	struct ext_super s;

	if (ext_super_parse(sb, UINT64_MAX, &s, err) < 0)
		return err_prefix(err, "%s", name);
	if (code == EXT2_ET_UNSUPP_FEATURE)
		f.incompat = s.features.incompat & ~EXT2_LIB_FEATURE_INCOMPAT_SUPP;
	else if (code == EXT2_ET_RO_UNSUPP_FEATURE)
		f.ro_compat = s.features.ro_compat & ~EXT2_LIB_FEATURE_RO_COMPAT_SUPP;
	else if (code == EXT2_ET_SB_CSUM_INVALID)
		return err_set(err, ERR_FORMAT, "%s: " EXT_SUPER_TORN, name);
	else
		return 0;
	ext_features_put(f, &names);
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: its ext4 has the feature %s, which domstrap does not support", name,
	               names.p);
}

int edit_check_state(const struct ext4_edit *e, struct err *err)
{
	const struct ext2_super_block *sb = e->fs->super;
	const char *name = e->target->name;

	if (!e->write)
		return 0;
	if (ext2fs_has_feature_journal_needs_recovery(e->fs->super))
		return ext4_journal_not_clean(e->target, e->base, err);
	if (sb->s_state & EXT2_ERROR_FS)
		return err_set(err, ERR_BUSY,
		               "%s: its file system is marked as having errors; run e2fsck -f",
		               name);
	if (!(sb->s_state & EXT2_VALID_FS))
		return ext4_journal_not_clean(e->target, e->base, err);
	if (sb->s_last_orphan || (sb->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT))
		return err_set(err, ERR_BUSY,
		               "%s: its file system has orphaned inodes; run e2fsck -p", name);
	return 0;
}

static int refuse(const struct ext4_edit *e, struct ext_features f, struct err *err)
{
	_cleanup_(buf_fini) struct buf names = BUF_INIT;
	_cleanup_(buf_fini) struct buf advice = BUF_INIT;

	ext_features_put(f, &names);
	if (!f.incompat && (f.ro_compat == EXT4_FEATURE_RO_COMPAT_QUOTA ||
	                    f.ro_compat == EXT4_FEATURE_RO_COMPAT_READONLY))
		buf_putf(&advice, "remove it with \"tune2fs -O ^%s\", or ", names.p);
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: its ext4 has the feature %s, which domstrap reads but does not write; "
	               "%schange the guest from inside, with nixos-rebuild",
	               e->target->name, names.p, advice.n ? advice.p : "");
}

/* MMP: the host that has it mounted writes to a block of its own. */
static int check_mmp(const struct ext4_edit *e, struct err *err)
{
	const struct ext2_super_block *sb = e->fs->super;
	_free_ uint8_t *block = xmalloc(e->fs->blocksize);
	const struct mmp_struct *mmp = (const struct mmp_struct *)(const void *)block;
	int rc;

	if (!ext2fs_has_feature_mmp(e->fs->super) || !sb->s_mmp_block)
		return 0;
	rc = ext4_overlay_read(e->overlay, block, e->fs->blocksize,
	                       sb->s_mmp_block * e->fs->blocksize, err);
	if (rc < 0)
		return rc;
	if (ext2fs_le32_to_cpu(mmp->mmp_magic) == EXT4_MMP_MAGIC &&
	    ext2fs_le32_to_cpu(mmp->mmp_seq) == EXT4_MMP_SEQ_CLEAN)
		return 0;
	return err_set(err, ERR_BUSY,
	               "%s: in use according to its multiple mount protection (mmp); if it is not, "
	               "run \"tune2fs -f -E clear_mmp\"",
	               e->target->name);
}

static int check_shape(const struct ext4_edit *e, struct err *err)
{
	const struct ext2_super_block *sb = e->fs->super;
	const char *name = e->target->name;
	uint32_t first = e->fs->blocksize == 1024;

	/* Where libext2fs's bitmaps begin; it copies other groups past their end. */
	if (sb->s_first_data_block != first)
		return err_set(err, ERR_FORMAT,
		               "%s: its first data block is %u instead of %u; run e2fsck -f", name,
		               sb->s_first_data_block, first);
	if (EXT2_INODE_SIZE(sb) < 128 || EXT2_INODE_SIZE(sb) > e->fs->blocksize)
		return err_set(err, ERR_UNSUPPORTED, "%s: its ext4 has inodes of %u bytes", name,
		               EXT2_INODE_SIZE(sb));
	if (ext2fs_has_feature_dir_index(e->fs->super) && sb->s_def_hash_version % 3 > HASH_MAX)
		return err_set(
		        err, ERR_UNSUPPORTED,
		        "%s: its directories use hash version %u, which domstrap does not support",
		        name, sb->s_def_hash_version);
	if (ext2fs_has_feature_journal(e->fs->super) && (sb->s_journal_dev || !sb->s_journal_inum))
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: its journal is on another device, which domstrap does not "
		               "write; move it inside with \"tune2fs -O ^has_journal\" and then "
		               "\"tune2fs -O has_journal\"",
		               name);
	return 0;
}

int edit_check_features(const struct ext4_edit *e, struct err *err)
{
	const struct ext2_super_block *sb = e->fs->super;
	struct ext_features unknown = {
	        .incompat = sb->s_feature_incompat & ~WRITE_INCOMPAT,
	        .ro_compat = sb->s_feature_ro_compat & ~WRITE_RO_COMPAT,
	};
	int rc;

	if (e->fs->blocksize > EXT4_BLOCK)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: its ext4 has blocks of %u bytes; domstrap supports 1024, 2048 "
		               "and 4096",
		               e->target->name, e->fs->blocksize);
	if (!e->write)
		return 0;
	if (unknown.incompat || unknown.ro_compat)
		return refuse(e, unknown, err);
	rc = check_shape(e, err);
	return rc < 0 ? rc : check_mmp(e, err);
}

void edit_set_ids(struct ext4_edit *e)
{
	struct ext2_super_block *sb = e->fs->super;

	memcpy(e->ids.uuid, sb->s_uuid, 16);
	memcpy(e->ids.hash_seed, sb->s_hash_seed, 16);
	e->ids.csum_seed = e->fs->csum_seed;
	e->ids.block = e->fs->blocksize;
	e->ids.inode_size = EXT2_INODE_SIZE(sb);
	e->ids.hash = sb->s_def_hash_version % 3;
	if (sb->s_flags & EXT2_FLAGS_UNSIGNED_HASH)
		e->ids.hash += 3;
	e->ids.csum = ext2fs_has_feature_metadata_csum(sb);
	e->ids.extents = ext2fs_has_feature_extents(sb);
	e->ids.types = ext2fs_has_feature_filetype(sb);
	e->ids.index = ext2fs_has_feature_dir_index(sb);
	memcpy(e->label, sb->s_volume_name, 16);
}

/* ---- single inodes -------------------------------------------------------- */

int edit_check_inode(const struct ext4_edit *e, uint32_t ino, const struct ext2_inode_large *in,
                     struct err *err)
{
	static const struct {
		uint32_t flag;
		const char *feature;
	} flags[] = {
	        {EXT4_ENCRYPT_FL, "encrypt"},
	        {EXT4_CASEFOLD_FL, "casefold"},
	        {EXT4_INLINE_DATA_FL, "inline_data"},
	        {EXT4_EA_INODE_FL, "ea_inode"},
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (in->i_flags & flags[i].flag)
			return err_set(err, ERR_UNSUPPORTED,
			               "%s: inode %u uses the feature %s, which domstrap does not "
			               "write; change the guest from inside, with nixos-rebuild",
			               e->target->name, ino, flags[i].feature);
	/* Extended attributes may be in inodes that several files share and count. */
	if (ext2fs_has_feature_ea_inode(e->fs->super) &&
	    ext2fs_file_acl_block(e->fs, (struct ext2_inode *)(uintptr_t)in))
		return err_set(
		        err, ERR_UNSUPPORTED,
		        "%s: inode %u has extended attributes and the feature ea_inode, which "
		        "domstrap does not write; change the guest from inside, with nixos-rebuild",
		        e->target->name, ino);
	return 0;
}
