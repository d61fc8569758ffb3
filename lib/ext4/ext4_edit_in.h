/* SPDX-License-Identifier: MIT */
/* What the files of an edit share; see ext4_edit.h. */
#ifndef EXT4_EXT4_EDIT_IN_H
#define EXT4_EXT4_EDIT_IN_H

#include "base/u32_map.h"
#include "ext4/ext4_edit.h"
#include "ext4/ext4_overlay.h"
#include "ext4/ext4_space.h"
#include "ext4/target.h"

/* A directory in memory. */
struct edit_dir {
	uint32_t ino, parent;
	struct ext4_entry *v; /* by name */
	size_t n, cap;
	int64_t subdirs; /* gained or lost */
	bool changed;
	bool written; /* at least once */
	bool gone;
};

struct ext4_edit {
	struct target *target;
	uint64_t base;
	int64_t time;
	uint64_t size; /* of its place */
	bool write, flushed;
	/* Without a journal what goes waits until nothing leads to it: ext4_steps.c. */
	bool stepwise, releasing;
	struct edit_doomed {
		uint32_t ino;
		bool dir;
	} *doomed;
	size_t n_doomed, doomed_cap;
	uint64_t *later; /* blocks that are free when all is done */
	size_t n_later, later_cap;
	struct ext4_overlay *overlay;
	ext2_filsys fs;
	struct ext4_ids ids;
	struct ext4_layout layout; /* of its tables */
	struct ext4_space space;
	struct ext4_writer writer;
	struct ext4_stream *stream; /* for ext4_edit_add() */
	struct ext4_place next;
	struct edit_dir **dirs;
	size_t n_dirs, dir_cap, n_entries; /* entries: of all that were read */
	struct u32_map dir_of;             /* by inode, the last one that had it */
	uint64_t steps, read;              /* along paths; bytes of small files */
	char label[17];
	char notice[512];
};

/* The library's code as an error; the overlay's own is better. */
int edit_error(const struct ext4_edit *e, const char *what, uint32_t ino, errcode_t code,
               struct err *err);

/*
 * Why the library could not open it, where that is to be said in another way:
 * 0 where not. sb: its superblock.
 */
int edit_check_open(const char *name, const uint8_t *sb, errcode_t code, struct err *err);
/* Whether it may be written, and what of it is known. */
int edit_check_state(const struct ext4_edit *e, struct err *err);
int edit_check_features(const struct ext4_edit *e, struct err *err);
/* The same for an inode that is to be changed or taken away. */
int edit_check_inode(const struct ext4_edit *e, uint32_t ino, const struct ext2_inode_large *in,
                     struct err *err);
void edit_set_ids(struct ext4_edit *e);

/* Learn tables and free places anew. */
void edit_prepare(struct ext4_edit *e);

/* An inode in use, its number checked. */
int edit_inode(struct ext4_edit *e, uint32_t ino, struct ext2_inode_large *out, struct err *err);
int edit_put_inode(struct ext4_edit *e, uint32_t ino, struct ext2_inode_large *in, struct err *err);
void edit_touch(const struct ext4_edit *e, struct ext2_inode_large *in);
enum ext4_ftype edit_type(const struct ext2_inode_large *in);

/* The stream for what comes one by one. */
struct ext4_stream *edit_stream(struct ext4_edit *e);

/* Read a directory into *out, which edit_dir_fini() frees. */
int edit_dir_read(struct ext4_edit *e, uint32_t ino, struct edit_dir *out, struct err *err);
void edit_dir_fini(struct edit_dir *d);
/* The directory as this edit sees it; borrowed from e. */
int edit_dir_get(struct ext4_edit *e, uint32_t ino, struct edit_dir **out, struct err *err);
/* The index of a name, or where it would be; *found says which. */
size_t edit_dir_find(const struct edit_dir *d, const char *name, bool *found);
void edit_dir_drop(struct edit_dir *d, size_t i);
/* Write a directory into new blocks. */
int edit_dir_put(struct ext4_edit *e, struct edit_dir *d, struct err *err);
/* Bitmaps, descriptors, superblock into the overlay. */
int edit_flush(struct ext4_edit *e, struct err *err);
/* Commit step by step; see ext4_steps.c. */
int edit_commit_steps(struct ext4_edit *e, bool *happened, struct err *err);
/* What waited until then. */
int edit_release_doomed(struct ext4_edit *e, uint32_t ino, struct err *err);
void edit_free_later(struct ext4_edit *e);
/* Write all that changed. */
int edit_dirs_write(struct ext4_edit *e, struct err *err);

/* Take away one name's share of an inode, and what it holds if that was all. */
int edit_release(struct ext4_edit *e, uint32_t ino, uint64_t *bytes, unsigned depth,
                 struct err *err);
/* The blocks that an inode's contents take are free again. */
int edit_release_blocks(struct ext4_edit *e, uint32_t ino, struct ext2_inode_large *in,
                        struct err *err);

#endif
