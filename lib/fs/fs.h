/* SPDX-License-Identifier: MIT */
/*
 * A guest's file systems, read only: nothing above a window can write. One
 * driver per kind (ext.c, fat.c, xfs.c) gives nodes, names and the places of a file's
 * bytes; paths, links and reading are done here once.
 *
 * Paths are absolute; empty and "." components mean nothing, ".." goes up and
 * stays at the root. Symbolic links are followed inside the file system only.
 */
#ifndef FS_FS_H
#define FS_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "disk/window.h"

#define FS_LINKS_MAX 40               /* links followed for one path, as Linux does */
#define FS_PATH_MAX 4096              /* bytes, of a path with its links put in */
#define FS_DEPTH_MAX 128              /* directories within each other */
#define FS_RUNS_MAX (1u << 18)        /* pieces that one file may be in */
#define FS_DIR_BYTES_MAX (256u << 20) /* bytes of one directory */

enum fs_kind {
	FS_FILE,
	FS_DIR,
	FS_LINK,
	FS_OTHER,
};

struct fs_stat {
	enum fs_kind kind;
	uint32_t mode; /* permission bits, 07777; FAT: 0755 and 0644 */
	uint32_t uid, gid;
	uint64_t size; /* bytes; of a link its target's length */
	int64_t mtime; /* seconds since 1970; 0 unknown */
};

struct fs;
struct fs_file;

/*
 * Open the file system in w, of whatever kind: *out is freed by fs_free(). w's
 * source must live as long. Returns 0, 1 where no driver knows it, or -ERR_*
 * where one does but cannot read it.
 */
int fs_open(const struct window *w, struct fs **out, struct err *err);
void fs_free(struct fs *fs);
void fs_freep(struct fs **fs);

/* As blkid prints them; "" where there is none. Borrowed from fs. */
const char *fs_type(const struct fs *fs);   /* "ext2", "ext3", "ext4", "vfat", "xfs" */
const char *fs_family(const struct fs *fs); /* as GRUB calls it: "ext2", "fat", "xfs" */
const char *fs_label(const struct fs *fs);
const char *fs_uuid(const struct fs *fs);
/* It was not unmounted. */
bool fs_unclean(const struct fs *fs);
/* How it is read where that is to be said, or "": with what its journal holds, or why not. */
const char *fs_notice(const struct fs *fs);
/* Bytes that it has for files, and how many of them are free. */
int fs_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err);

/* What path is, its last link followed or not. -ERR_NOENT: it is not there. */
int fs_stat(struct fs *fs, struct str path, bool follow, struct fs_stat *out, struct err *err);

/* A link's target, appended to *out. */
int fs_readlink(struct fs *fs, struct str path, struct buf *out, struct err *err);

/* Takes one name, borrowed for the call; nonzero ends the list. */
typedef int fs_name_fn(void *arg, struct str name);

/* The names in a directory, in no order, without "." and "..". */
int fs_list(struct fs *fs, struct str path, fs_name_fn *fn, void *arg, struct err *err);

/* Open a regular file: *out is freed by fs_file_free(), before fs is. */
int fs_file_open(struct fs *fs, struct str path, struct fs_file **out, struct err *err);
void fs_file_free(struct fs_file *f);
void fs_file_freep(struct fs_file **f);
uint64_t fs_file_size(const struct fs_file *f); /* bytes */

/*
 * Up to n bytes at off straight into p, fewer only at the end of the file;
 * *got says how many. Large n is fast: one read for each contiguous piece.
 */
int fs_file_read(struct fs_file *f, void *p, size_t n, uint64_t off, size_t *got, struct err *err);

/*
 * How many bytes from off on are zero because the file system keeps nothing for them (a hole, or
 * blocks that were reserved and never written). 0: off has a byte of the disk, or is at the end.
 * More of them may follow.
 */
uint64_t fs_file_hole(struct fs_file *f, uint64_t off);
/* Bytes of the file's pieces of unit bytes that are not all hole: what a copy with holes takes. */
uint64_t fs_file_stored(const struct fs_file *f, uint64_t unit);

/*
 * Where n bytes at off lie: *at is a byte of the window's source. 1: they are
 * not in one piece there (a hole, in the inode, or several pieces).
 */
int fs_file_where(const struct fs_file *f, uint64_t off, uint64_t n, uint64_t *at);

#endif
