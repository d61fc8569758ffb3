/* SPDX-License-Identifier: MIT */
/*
 * ISO 9660 with Rock Ridge or Joliet; for iso9660*.c alone. Numbers are stored twice, in both
 * orders of bytes: the first is little-endian (ECMA-119; IEEE P1281, P1282: SUSP, RRIP 1.12).
 *
 *     sector 16…    volume descriptors: kind 1 and 2 (Joliet's) have the root directory's record
 *     directory     records, none across the end of a sector; zeros are its rest
 *     record        length, …, first sector, bytes, date, flags, …, name; system use
 *     system use    { 2 letters, length, version, … }; CE says where more of them are
 *
 *     iso9660.c        descriptors, what fs.c asks for
 *     iso9660_dir.c    records and directories
 *     iso9660_use.c    Rock Ridge, in the system use field
 *
 * Rock Ridge comes before Joliet, as in Linux and GRUB. A node is the byte of the disk where its
 * record is; a file in several extents has a record for each, one behind the other.
 */
#ifndef FS_ISO9660_H
#define FS_ISO9660_H

#include "base/bytes.h"
#include "disk/iso.h"
#include "fs/driver.h"

#define ISO_RECORD_MAX 255u

struct iso9660 {
	struct fs fs;
	uint64_t blocks; /* of the volume, of ISO_SECTOR bytes */
	bool joliet, rock;
	size_t skip; /* bytes of each system use field that are not Rock Ridge's */
};

enum iso_flag {
	ISO_DIR = 2,
	ISO_ASSOCIATED = 4, /* another file with the same name: a resource fork */
	ISO_MORE = 0x80,    /* the next record has the same file's next extent */
};

/* It points into itself: not to be copied. */
struct iso_record {
	uint64_t at; /* the record's byte */
	uint64_t disk, size;
	unsigned flags;
	bool interleaved;
	int64_t mtime;
	uint8_t raw[ISO_RECORD_MAX];
	size_t n;         /* its length */
	struct str name;  /* in raw */
	struct bytes use; /* system use, in raw */
};

/* What Rock Ridge says of a record. */
struct iso_use {
	struct buf name, target;
	bool has_mode, has_mtime, is_link;
	bool name_on, target_on; /* the next entry goes on */
	bool moved;              /* a directory's second place, which is not listed */
	bool packed;             /* by zisofs */
	bool sparse;             /* "SF" */
	uint64_t child;          /* byte of the directory that this stands for; 0: none */
	uint32_t mode, uid, gid;
	int64_t mtime;
};

/* The record at a byte of the disk: 0; 1: the sector has no more; or -ERR_*. */
int iso_record_read(struct iso9660 *x, uint64_t at, struct iso_record *out, struct err *err);
/* The same for the one behind *r, which becomes it; in the next sector where r's has no more. */
int iso_record_next(struct iso9660 *x, struct iso_record *r, struct err *err);
int iso_dir_list(struct iso9660 *x, uint64_t node, fs_entry_fn *fn, void *arg, struct err *err);
/* Seconds since 1970 of year - 1900, month, day, hour, minute, second, zone in quarters of hours.
 */
int64_t iso_time(const uint8_t p[static 7]);

/* Read all of a record's system use; *out is freed by iso_use_fini(). */
int iso_use_read(struct iso9660 *x, const struct iso_record *r, struct iso_use *out,
                 struct err *err);
void iso_use_fini(struct iso_use *use);
/* From the root's own record: whether there is Rock Ridge. */
int iso_use_detect(struct iso9660 *x, const struct iso_record *root, struct err *err);

#endif
