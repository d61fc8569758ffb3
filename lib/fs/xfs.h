/* SPDX-License-Identifier: MIT */
/*
 * XFS, read only; for xfs*.c alone. On disk everything is big-endian but the
 * checksums (XFS Algorithms & Data Structures, 3rd edition):
 *
 *     disk    = agcount groups of agblocks blocks; the last may be shorter
 *     ino     = group, block in it (agblklog bits), inode in that (inopblog bits)
 *     fsblock = group, block in it (agblklog bits)
 *     inode   = core (100 bytes; 176 in version 3), data fork, attribute fork
 *     fork    = the bytes themselves | extents | the root of a B+tree of extents
 *     extent  = 1 bit unwritten, 54 bits file block, 52 bits fsblock, 21 bits blocks
 *
 *     xfs.c         superblock, what fs.c asks for
 *     xfs_inode.c   inodes and their forks as maps
 *     xfs_dir.c     the three forms of directories
 *     xfs_log.c     whether the log has to be recovered
 */
#ifndef FS_XFS_H
#define FS_XFS_H

#include "base/bytes.h"
#include "fs/driver.h"

#define XFS_UUID_SIZE 16
#define XFS_BLOCK_MAX 65536u
#define XFS_INODE_MAX 2048u
#define XFS_LOG_BLOCK 512u /* what a log counts in, whatever the sectors are */

struct xfs {
	struct fs fs;
	uint32_t block, inode; /* bytes */
	uint32_t dir_block;    /* bytes of a directory's unit */
	uint64_t blocks, free_blocks;
	uint32_t group_blocks, groups;
	unsigned group_shift;      /* bits of a block's number in its group */
	unsigned block_inodes_log; /* inodes of a block, as a power of two */
	bool crc;                  /* version 5: metadata has checksums and says whose it is */
	bool ftype;                /* directory entries have a type */
	uint64_t log_start;        /* fsblock; 0: the log is on another disk */
	uint32_t log_blocks;
	uint8_t uuid[XFS_UUID_SIZE]; /* that metadata has */
};

enum xfs_format {
	XFS_FORMAT_LOCAL = 1,
	XFS_FORMAT_EXTENTS = 2,
	XFS_FORMAT_BTREE = 3,
};

struct xfs_inode {
	uint64_t number;
	uint16_t mode;
	uint32_t uid, gid;
	uint64_t size;
	int64_t mtime;
	uint32_t links; /* 0: not known */
	enum xfs_format format;
	uint64_t extents;
	uint8_t raw[XFS_INODE_MAX];
	const uint8_t *fork; /* into raw */
	size_t fork_size;
};

/* *out points into itself: not to be copied. */
int xfs_inode_read(struct xfs *x, uint64_t number, struct xfs_inode *out, struct err *err);
/* Runs of the data fork, which is not local; in bytes of the file and of the window. */
int xfs_inode_map(struct xfs *x, const struct xfs_inode *in, struct fs_map *out, struct err *err);
/* A link's target, which may be in the inode or in blocks. */
int xfs_inode_link(struct xfs *x, const struct xfs_inode *in, struct buf *out, struct err *err);
int xfs_dir_list(struct xfs *x, const struct xfs_inode *in, fs_entry_fn *fn, void *arg,
                 struct err *err);

/* Whether Linux would recover the log before it mounts; -ERR_FORMAT: it is no log. */
int xfs_log_dirty(struct xfs *x, bool *dirty, struct err *err);

/* The byte that an fsblock of n blocks begins at; -ERR_FORMAT outside of its group. */
int xfs_at(const struct xfs *x, uint64_t fsblock, uint64_t n, uint64_t *out, struct err *err);
/* Whether the checksum at byte "at" of n bytes is right. */
bool xfs_checksum_ok(const void *p, size_t n, size_t at);

/* Where a block of metadata with checksum has what it says of itself. */
struct xfs_label {
	size_t crc, uuid, owner, block; /* block: in units of 512 bytes */
};

/* A block of metadata that was read: an inode's, from a byte of the disk. */
struct xfs_block {
	const uint8_t *p;
	size_t n;
	uint64_t owner, disk;
};

/* 0, or -ERR_FORMAT: its label says something else. Without crc: 0. */
int xfs_label_check(const struct xfs *x, const struct xfs_block *b, const struct xfs_label *l,
                    struct err *err);

#endif
