/* SPDX-License-Identifier: MIT */
/*
 * A guest's file systems, read-only. One driver per format (ext.c, btrfs.c …)
 * provides nodes, names and the positions of a file's bytes; paths, links and
 * reading are implemented here for all of them.
 *
 * Paths are absolute; empty and "." components are ignored, ".." of the root is
 * the root. Symbolic links are followed only inside the file system.
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
	uint64_t size;  /* bytes; of a link its target's length */
	int64_t mtime;  /* seconds since 1970; 0 unknown */
	uint32_t links; /* names that it has; 0 unknown */
};

struct fs;
struct fs_file;

/*
 * Open the file system in w: *out is freed by fs_free(), and w's source must
 * live as long. Returns 0; 1 if no driver recognizes it; or -ERR_* if one does
 * but cannot read it.
 */
int fs_open(const struct window *w, struct fs **out, struct err *err);
void fs_free(struct fs *fs);
void fs_freep(struct fs **fs);

/* As blkid prints them; "" if there is none. Borrowed from fs. */
const char *fs_type(const struct fs *fs);   /* "ext4", "vfat", "btrfs" … */
const char *fs_family(const struct fs *fs); /* as GRUB calls it: "ext2", "fat", "btrfs" … */
const char *fs_label(const struct fs *fs);
const char *fs_uuid(const struct fs *fs);
/* It was not unmounted. */
bool fs_unclean(const struct fs *fs);
/* A note for the user, or "": that it is read with its journal, or why not. */
const char *fs_notice(const struct fs *fs);
/* Bytes that it has for files, and how many of them are free. */
int fs_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err);

/* A file that a path led to: valid as long as fs, and what is mounted in it. */
struct fs_place {
	struct fs *fs; /* that it lies in; NULL: a directory that only has mount points */
	uint64_t node; /* the driver's number for it */
	const struct fs_point *point;
};

/* As fs_stat(). */
int fs_find(struct fs *fs, struct str path, bool follow, struct fs_place *out, struct err *err);
/* The same with links followed, and the path that it led to; the caller frees it. */
int fs_find_real(struct fs *fs, struct str path, struct fs_place *out, char **real,
                 struct err *err);
int fs_place_stat(const struct fs_place *at, struct fs_stat *out, struct err *err);
int fs_place_readlink(const struct fs_place *at, struct buf *out, struct err *err);
int fs_place_open(const struct fs_place *at, struct fs_file **out, struct err *err);

struct fs_name {
	char *name; /* 1..255 bytes without '/' */
	uint64_t node;
};

/*
 * The names in a directory of a file system that is mounted in a view, by byte order and each once;
 * borrowed from it. -ERR_FORMAT, -ERR_LIMIT. What is mounted below is not among them.
 */
int fs_place_names(const struct fs_place *dir, const struct fs_name **out, size_t *n,
                   struct err *err);

/* All of a small file, links followed, appended to out. -ERR_NOENT; -ERR_LIMIT: it is larger. */
int fs_read(struct fs *fs, struct str path, size_t limit, struct buf *out, struct err *err);

/* The type of path; follow: of the target of a last link. -ERR_NOENT: it does not exist. */
int fs_stat(struct fs *fs, struct str path, bool follow, struct fs_stat *out, struct err *err);

/* A link's target, appended to *out. */
int fs_readlink(struct fs *fs, struct str path, struct buf *out, struct err *err);

/* Gets one name, borrowed for the call; nonzero stops the list. */
typedef int fs_name_fn(void *arg, struct str name);

/* The names in a directory, unsorted, without "." and "..". */
int fs_list(struct fs *fs, struct str path, fs_name_fn *fn, void *arg, struct err *err);

/* Open a regular file: *out is freed by fs_file_free(), before fs is. */
int fs_file_open(struct fs *fs, struct str path, struct fs_file **out, struct err *err);
void fs_file_free(struct fs_file *f);
void fs_file_freep(struct fs_file **f);
uint64_t fs_file_size(const struct fs_file *f); /* bytes */

/*
 * Read up to n bytes at off into p, fewer only at the end of the file; *got is
 * the number. Large n is fast: one read for each contiguous piece.
 */
int fs_file_read(struct fs_file *f, void *p, size_t n, uint64_t off, size_t *got, struct err *err);

/*
 * The number of bytes from off on that are zero without data on the disk (a hole, or unwritten
 * blocks). 0: off has data, or is at the end. More holes may follow.
 */
uint64_t fs_file_hole(struct fs_file *f, uint64_t off);
/* The size of a sparse copy: pieces of unit bytes that are not entirely a hole. */
uint64_t fs_file_stored(const struct fs_file *f, uint64_t unit);

/*
 * The position of n bytes at off: *at is an offset in the window's source. 1: they
 * are not contiguous there (a hole, in the inode, packed, or several pieces), or cannot be changed
 * there.
 */
int fs_file_where(const struct fs_file *f, uint64_t off, uint64_t n, uint64_t *at);

#endif
