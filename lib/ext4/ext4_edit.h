/* SPDX-License-Identifier: MIT */
/*
 * Reading and changing an existing ext4 file system without mounting it. This
 * edit's own reads see changes at once; on the disk they all become visible
 * together, by ext4_edit_commit().
 *
 *     ext4_edit.c       opening, free space, commit
 *     ext4_edit_dir.c   directories: entries in memory, written whole
 *     ext4_edit_read.c  files, links, paths
 *     ext4_edit_put.c   small things from memory
 *     ext4_edit_free.c  removing trees
 *     ext4_steps.c      a commit without a journal
 *     ext4_grow.c       growing
 *     ext4_overlay.c    changed blocks
 *     ext4_journal.c    the atomic commit
 *
 * New trees are written to free blocks and inodes at once, where nothing refers to
 * them. The file system is untrusted, and its data is checked before it is used.
 * Paths are absolute; links are followed inside the file system, "/x" from its
 * root.
 */
#ifndef EXT4_EXT4_EDIT_H
#define EXT4_EXT4_EDIT_H

#include "base/buf.h"
#include "ext4/ext4_writer.h"

#define EXT4_EDIT_LINKS_MAX 40
#define EXT4_EDIT_PATH_MAX 4096
#define EXT4_EDIT_ENTRIES_MAX (1u << 20) /* of one directory */

struct ext4_edit;

/* Where a file system is, and what to open it for. */
struct ext4_edit_request {
	struct target *target; /* borrowed */
	uint64_t base, size;   /* its part of the target, which it may not fill */
	int64_t time;          /* what counts as now, seconds since 1970 */
	bool write;
};

/*
 * Open a file system, after ext4_journal_recover(). One that was not unmounted is read as Linux
 * would see it after it replayed the journal, and not written. -ERR_UNSUPPORTED: features that this
 * program does not know (to write: does not write); -ERR_BUSY: it needs
 * e2fsck; -ERR_FORMAT.
 */
int ext4_edit_open(const struct ext4_edit_request *req, struct ext4_edit **out, struct err *err);
void ext4_edit_free(struct ext4_edit *e);
void ext4_edit_freep(struct ext4_edit **e);

/* Borrowed from e. */
/* A note for the user, or "": that it is read with its journal, or why not. */
const char *ext4_edit_notice(const struct ext4_edit *e);
bool ext4_edit_has_journal(const struct ext4_edit *e);
const char *ext4_edit_label(const struct ext4_edit *e);
const struct ext4_ids *ext4_edit_ids(const struct ext4_edit *e);
uint64_t ext4_edit_free_bytes(const struct ext4_edit *e);
/* Its size, which may be less than that of its part of the disk. */
uint64_t ext4_edit_bytes(const struct ext4_edit *e);

/* ---- reading -------------------------------------------------------------- */

struct ext4_stat {
	enum ext4_ftype type; /* 0: neither file, directory nor link */
	uint32_t mode;        /* permission bits */
	uint32_t links;
	uint64_t size;
	uint64_t disk_bytes; /* that it takes */
	int64_t mtime;
};

/* The inode of a path; follow: of the target of a last link. -ERR_NOENT, -ERR_FORMAT. */
int ext4_edit_find(struct ext4_edit *e, const char *path, bool follow, uint32_t *ino,
                   struct err *err);
/* The same, and the path of what it led to, without links; the caller frees it. */
int ext4_edit_resolve(struct ext4_edit *e, const char *path, uint32_t *ino, char **real,
                      struct err *err);
int ext4_edit_stat(struct ext4_edit *e, uint32_t ino, struct ext4_stat *out, struct err *err);
/* Append a link's target, at most WALK_TARGET_MAX bytes without a NUL. */
int ext4_edit_readlink(struct ext4_edit *e, uint32_t ino, struct buf *out, struct err *err);
/* Append a file of at most limit bytes; over it is -ERR_LIMIT. */
int ext4_edit_read(struct ext4_edit *e, uint32_t ino, size_t limit, struct buf *out,
                   struct err *err);
/* The same by path, links followed. */
int ext4_edit_read_path(struct ext4_edit *e, const char *path, size_t limit, struct buf *out,
                        struct err *err);
/* A file as a walk of one entry, with the mode given; e must outlive it. */
int ext4_edit_walk(struct ext4_edit *e, uint32_t ino, uint32_t mode, struct walk **out,
                   struct err *err);

struct ext4_entry {
	char *name;
	uint32_t ino;
	uint8_t type; /* as in the directory: enum ext4_ftype or something else */
};

/* By byte order of name; borrowed from e, valid until the directory changes. */
int ext4_edit_list(struct ext4_edit *e, uint32_t dir, const struct ext4_entry **out, size_t *n,
                   struct err *err);
/* The entry of a name; -ERR_NOENT. */
int ext4_edit_lookup(struct ext4_edit *e, uint32_t dir, const char *name, struct ext4_entry *out,
                     struct err *err);

/* ---- changing ------------------------------------------------------------- */

/*
 * Grow the file system to this size, before anything else is changed. 0; 1: it has
 * this size already; -ERR_LIMIT: too large for its descriptors; -ERR_UNSUPPORTED.
 */
int ext4_edit_grow(struct ext4_edit *e, uint64_t bytes, struct err *err);

/*
 * Add a tree under a name; an existing file or tree of that name is removed.
 * -ERR_SPACE if it does not fit.
 */
int ext4_edit_add(struct ext4_edit *e, uint32_t dir, const char *name, struct walk *walk,
                  struct err *err);
/* The same for a file or a link that is in memory. */
int ext4_edit_add_file(struct ext4_edit *e, uint32_t dir, const char *name, uint32_t mode,
                       struct str bytes, struct err *err);
int ext4_edit_add_link(struct ext4_edit *e, uint32_t dir, const char *name, const char *target,
                       struct err *err);
/* Give an entry another name in its directory. -ERR_NOENT, -ERR_EXISTS, -ERR_LIMIT: no such name.
 */
int ext4_edit_rename(struct ext4_edit *e, uint32_t dir, const char *from, const char *to,
                     struct err *err);
/* Remove a name and its tree; adds the freed bytes to *bytes, if that is not NULL. */
int ext4_edit_remove(struct ext4_edit *e, uint32_t dir, const char *name, uint64_t *bytes,
                     struct err *err);
/* Remove the names in a directory whose files have no other name (Nix's .links). */
int ext4_edit_sweep(struct ext4_edit *e, uint32_t dir, uint64_t *bytes, struct err *err);
/* Open a directory; create it and its parents if necessary. */
int ext4_edit_mkdir(struct ext4_edit *e, const char *path, uint32_t mode, uint32_t *ino,
                    struct err *err);

/*
 * For trees that several threads write (see ext4_writer.h): reserve blocks and
 * inodes; then report the used part, and add the trees' names.
 */
int ext4_edit_take(struct ext4_edit *e, uint64_t blocks, uint64_t inodes, struct ext4_place *out,
                   struct err *err);
void ext4_edit_used(struct ext4_edit *e, const struct ext4_place *from, uint64_t line_end,
                    uint32_t ino_end);
struct ext4_writer *ext4_edit_writer(struct ext4_edit *e);
int ext4_edit_link(struct ext4_edit *e, uint32_t dir, const char *name,
                   const struct ext4_object *obj, struct err *err);

/*
 * Prepare all changes in memory for the commit; after this nothing more can be
 * changed. ext4_edit_cover() applies them to n bytes that were read from the target
 * at off, so that they are as after the commit.
 */
int ext4_edit_stage(struct ext4_edit *e, struct err *err);
void ext4_edit_cover(struct ext4_edit *e, void *p, size_t n, uint64_t off);
/*
 * Commit all changes. After a failure *happened says whether they were committed;
 * then the next ext4_journal_recover() completes them.
 */
int ext4_edit_commit(struct ext4_edit *e, bool *happened, struct err *err);
/* The number of blocks of the commit, and the maximum for the journal. */
int ext4_edit_weigh(struct ext4_edit *e, size_t *blocks, size_t *room, struct err *err);

#endif
