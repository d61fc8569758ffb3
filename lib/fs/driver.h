/* SPDX-License-Identifier: MIT */
/* The interface of a file system driver. Only fs.c and the drivers include this. */
#ifndef FS_DRIVER_H
#define FS_DRIVER_H

#include "fs/fs.h"

#define FS_HOLE UINT64_MAX

/* How the bytes of a run are packed. */
struct fs_pack {
	uint32_t packed;   /* bytes on the disk */
	uint32_t unpacked; /* bytes that they become */
	uint32_t skip;     /* of those, before the first of the run */
	uint8_t how;       /* the driver's; 0: not packed */
};

/* Contiguous bytes of a file: bytes at..at+n are at offset disk of the window. */
struct fs_run {
	uint64_t at;
	uint64_t n;
	uint64_t disk; /* FS_HOLE: they are zero */
	struct fs_pack pack;
};

/* Where a file's bytes are. Bytes outside all runs are zero. */
struct fs_map {
	uint64_t size; /* bytes of the file */
	struct fs_run *run;
	size_t n, cap;
	struct buf inside; /* the whole file, if has_inside is set */
	bool has_inside;
	size_t hint; /* the run that the last read ended in */
};

#define FS_MAP_INIT {.inside = BUF_INIT}

void fs_map_fini(struct fs_map *map);
/* Add the next run; joined with the last one if they are contiguous. */
int fs_map_add(const struct fs *fs, struct fs_map *map, struct fs_run run, struct err *err);
/* n bytes at off, which the file has. */
int fs_map_read(struct fs *fs, struct fs_map *map, void *p, size_t n, uint64_t off,
                struct err *err);
/* As fs_file_hole() and fs_file_stored(). */
uint64_t fs_map_hole(struct fs_map *map, uint64_t off);
uint64_t fs_map_stored(const struct fs_map *map, uint64_t unit);

/* A name in a directory; alias is a second name for the same (FAT), or empty. */
struct fs_entry {
	struct str name;
	struct str alias;
	uint64_t node;
};

typedef int fs_entry_fn(void *arg, const struct fs_entry *ent);

/* A node is the driver's number for a file. */
struct fs_ops {
	int (*stat)(struct fs *fs, uint64_t node, struct fs_stat *out, struct err *err);
	int (*map)(struct fs *fs, uint64_t node, struct fs_map *out, struct err *err);
	/* n bytes of a packed run, from its byte "from" on; NULL: it has none. */
	int (*unpack)(struct fs *fs, const struct fs_run *run, uint64_t from, void *p, size_t n,
	              struct err *err);
	int (*readlink)(struct fs *fs, uint64_t node, struct buf *out, struct err *err);
	/* Every entry, including "." and ".."; stops if fn returns nonzero. */
	int (*list)(struct fs *fs, uint64_t dir, fs_entry_fn *fn, void *arg, struct err *err);
	/* Bytes for files, and how many of them are free. */
	int (*space)(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err);
	/* The root of a subvolume by its number; NULL: there are none. */
	int (*subvol)(struct fs *fs, uint64_t id, uint64_t *node, struct err *err);
	/*
	 * Whether n bytes at off cannot be changed there: they are read from somewhere else, or
	 * have a checksum; NULL: never.
	 */
	bool (*moved)(const struct fs *fs, uint64_t off, uint64_t n);
	void (*free)(struct fs *fs);
};

#define FS_KNOWN 256 /* names that are remembered: paths are asked for again and again */

struct fs_known {
	uint64_t dir, node;
	char *name; /* NULL: empty slot */
};

/*
 * A directory on the way to something that is mounted in a view (view.c), named from its parent.
 * The view's root is the first.
 */
struct fs_point {
	char *name;
	struct fs *over; /* what is mounted here, borrowed; NULL: nothing */
	uint64_t node;   /* the directory of it that is seen */
	struct fs_point *child, *next;
};

/* The point of a name; NULL: there is none, or parent is NULL. */
const struct fs_point *fs_point_find(const struct fs_point *parent, struct str name);

struct fs_names;

/* The first member of every driver's struct. */
struct fs {
	const struct fs_ops *ops;
	struct window w;
	uint64_t root;
	uint64_t root2; /* where names that root does not have are looked for */
	bool has_root2;
	bool fold; /* names differ in more than the case of ASCII letters */
	bool unclean;
	char notice[512];
	const char *type, *family;
	char label[256];
	char uuid[40];
	struct fs_known known[FS_KNOWN]; /* path.c's own */
	struct fs_names *names;          /* directories that were read (names.c); NULL: not kept */
	struct fs_point *view;           /* of a view, its root; else NULL */
	uint32_t steps;                  /* components that were followed in a view */
};

/* The type in an inode's mode, with the numbers of Unix. */
enum fs_kind fs_kind_of(uint16_t mode);
void fs_uuid_set(struct fs *fs, const uint8_t u[static 16]);

/* The node of a name, through the directories that are kept: fs->names must be there. */
int fs_names_find(struct fs *fs, uint64_t dir, struct str name, uint64_t *node, struct err *err);
struct fs_names *fs_names_new(void);
void fs_names_free(struct fs_names *n);

/* 0 and *out, 1 not mine, or -ERR_*. */
int btrfs_probe(const struct window *w, struct fs **out, struct err *err);
int ext_probe(const struct window *w, struct fs **out, struct err *err);
int fat_probe(const struct window *w, struct fs **out, struct err *err);
int iso9660_probe(const struct window *w, struct fs **out, struct err *err);
int xfs_probe(const struct window *w, struct fs **out, struct err *err);

#endif
