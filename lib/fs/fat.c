/* SPDX-License-Identifier: MIT */
/*
 * FAT12, FAT16 and FAT32 with long names, as Microsoft's "FAT: General Overview
 * of On-Disk Format" 1.03 has it. From the bottom up:
 *     boot sector    where everything is
 *     table          a file's clusters, as runs
 *     directories    short entries, and long names before them
 * A node is the byte at which a file's short entry lies; the root, which has
 * no entry, is 0.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "fs/driver.h"
#include "fs/fat_name.h"

#define BOOT_SIZE 512
#define DIR_MAX (65536u * FAT_ENTRY_SIZE) /* no directory is larger */
#define PIECE 4096

#define ATTR_LABEL 0x08
#define ATTR_DIR 0x10

struct fat {
	struct fs fs;
	unsigned bits;         /* 12, 16 or 32 */
	uint64_t cluster;      /* bytes */
	uint64_t table;        /* byte where the first table starts */
	uint64_t data;         /* byte where cluster 2 starts */
	uint32_t clusters;     /* number of clusters; the last is clusters + 1 */
	uint64_t root;         /* 12, 16: byte where the root directory starts */
	uint32_t root_size;    /* 12, 16: bytes */
	uint32_t root_cluster; /* 32 */
	uint64_t cached;       /* the byte of the table where piece starts */
	size_t cached_n;
	uint8_t piece[PIECE];
};

struct boot {
	uint32_t sector, per_cluster, reserved, tables, root_entries, sectors, table_sectors;
	uint32_t root_cluster, serial;
	bool wide;  /* FAT32's layout */
	bool named; /* serial is there */
};

/* n bytes (at most 4) of the table, from a buffer with the part that was read last. */
static int table_get(struct fat *f, uint64_t off, size_t n, uint32_t *out, struct err *err)
{
	uint64_t at = f->table + off;
	uint8_t b[4] = {0};

	if (!f->cached_n || at < f->cached || at + n > f->cached + f->cached_n) {
		size_t m = (size_t)MIN(f->fs.w.size - MIN(at, f->fs.w.size), PIECE);
		int rc;

		f->cached_n = 0;
		if (m < n)
			return err_set(err, ERR_FORMAT, "FAT ends at byte %" PRIu64, f->fs.w.size);
		rc = window_read(&f->fs.w, f->piece, m, at, err);
		if (rc < 0)
			return rc;
		f->cached = at;
		f->cached_n = m;
	}
	memcpy(b, f->piece + (at - f->cached), n);
	*out = get_le32(b);
	return 0;
}

static bool cluster_valid(const struct fat *f, uint32_t c)
{
	return c >= 2 && c - 2 < f->clusters;
}

static uint32_t table_mask(const struct fat *f)
{
	return f->bits == 32 ? 0x0fffffff : (1u << f->bits) - 1;
}

/* The table's entry for cluster c. */
static int cluster_get(struct fat *f, uint32_t c, uint32_t *out, struct err *err)
{
	uint64_t off = f->bits == 12 ? (uint64_t)c + c / 2 : (uint64_t)c * (f->bits / 8);
	uint32_t v = 0;
	int rc = table_get(f, off, f->bits == 32 ? 4 : 2, &v, err);

	if (rc < 0)
		return rc;
	if (f->bits == 12 && c % 2)
		v >>= 4;
	*out = v & table_mask(f);
	return 0;
}

/* The cluster after c: 0 and *out, or 1 at the end of the file. */
static int cluster_next(struct fat *f, uint32_t c, uint32_t *out, struct err *err)
{
	uint32_t v = 0;
	int rc = cluster_get(f, c, &v, err);

	if (rc < 0)
		return rc;
	if (v >= (table_mask(f) & ~7u)) /* ...FF8 to ...FFF */
		return 1;
	if (!cluster_valid(f, v))
		return err_set(err, ERR_FORMAT,
		               "cluster %" PRIu32 " is followed by %" PRIu32
		               ", expected 2 to %" PRIu32,
		               c, v, f->clusters + 1);
	*out = v;
	return 0;
}

/*
 * The chain from a cluster. size is the file's; a directory has none, so its
 * chain says how long it is, up to DIR_MAX.
 */
static int chain_map(struct fat *f, uint32_t c, bool dir, struct fs_map *map, struct err *err)
{
	uint64_t limit = dir ? DIR_MAX : map->size;
	uint64_t at = 0;
	int rc = 0;

	if (limit && !cluster_valid(f, c))
		return err_set(err, ERR_FORMAT, "first cluster %" PRIu32 ", expected 2 to %" PRIu32,
		               c, f->clusters + 1);
	/* This ends loops, too: a file has no more clusters than its size needs. */
	while (at < limit && rc == 0) {
		rc = fs_map_add(&f->fs, map,
		                (struct fs_run){.at = at,
		                                .n = f->cluster,
		                                .disk = f->data + (uint64_t)(c - 2) * f->cluster},
		                err);
		if (rc == 0)
			at += f->cluster;
		if (rc == 0 && at < limit)
			rc = cluster_next(f, c, &c, err);
	}
	if (rc < 0)
		return rc;
	if (dir)
		map->size = at;
	else if (at < map->size)
		return err_set(err, ERR_FORMAT, "file of %" PRIu64 " bytes ends after %" PRIu64,
		               map->size, at);
	return 0;
}

static int entry_at(struct fat *f, uint64_t node, uint8_t out[static FAT_ENTRY_SIZE],
                    struct err *err)
{
	return window_read(&f->fs.w, out, FAT_ENTRY_SIZE, node, err);
}

static uint32_t entry_cluster(const struct fat *f, const uint8_t *e)
{
	return get_le16(e + 26) | (f->bits == 32 ? (uint32_t)get_le16(e + 20) << 16 : 0);
}

/*
 * Seconds since 1970 of FAT's local time, taken as UTC. The C library would read
 * the time zone's file, which cannot be opened in a jail.
 */
static int64_t entry_time(const uint8_t *e)
{
	unsigned t = get_le16(e + 22), d = get_le16(e + 24);
	int64_t year = 1980 + (d >> 9), month = d >> 5 & 15, day = d & 31, days;

	if (!day || month < 1 || month > 12)
		return 0;
	/* Years from March, so that the odd day comes last. */
	year -= month <= 2;
	month = (month + 9) % 12;
	days = 365 * year + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
	days -= 719468; /* 1970-01-01 */
	return days * 86400 + (t >> 11) * 3600 + (t >> 5 & 63) * 60 + (t & 31) * 2;
}

static int fat_stat(struct fs *fs, uint64_t node, struct fs_stat *out, struct err *err)
{
	uint8_t e[FAT_ENTRY_SIZE];
	int rc;

	*out = (struct fs_stat){.kind = FS_DIR, .mode = 0755};
	if (node == 0)
		return 0;
	rc = entry_at((struct fat *)fs, node, e, err);
	if (rc < 0)
		return rc;
	out->mtime = entry_time(e);
	if (e[11] & ATTR_DIR)
		return 0;
	out->kind = FS_FILE;
	out->mode = 0644;
	out->size = get_le32(e + 28);
	return 0;
}

static int root_map(struct fat *f, struct fs_map *map, struct err *err)
{
	if (f->bits == 32)
		return chain_map(f, f->root_cluster, true, map, err);
	map->size = f->root_size;
	return fs_map_add(&f->fs, map, (struct fs_run){.n = f->root_size, .disk = f->root}, err);
}

static int fat_map(struct fs *fs, uint64_t node, struct fs_map *out, struct err *err)
{
	struct fat *f = (struct fat *)fs;
	struct fs_map map = FS_MAP_INIT;
	uint8_t e[FAT_ENTRY_SIZE];
	int rc = 0;

	if (node != 0)
		rc = entry_at(f, node, e, err);
	if (rc < 0)
		return rc;
	/* ".." of a directory in the root is cluster 0: the root. */
	if (node == 0 || ((e[11] & ATTR_DIR) && entry_cluster(f, e) == 0)) {
		rc = root_map(f, &map, err);
	} else {
		map.size = get_le32(e + 28);
		rc = chain_map(f, entry_cluster(f, e), e[11] & ATTR_DIR, &map, err);
	}
	if (rc < 0) {
		fs_map_fini(&map);
		return rc;
	}
	*out = map;
	return 0;
}

struct dir {
	struct fat *f;
	struct fs_map *map;
	struct fat_longname l;
	struct buf name, alias;
	fs_entry_fn *fn;
	void *arg;
	char *label; /* out: 12 bytes for the volume's name, or NULL */
};

static uint64_t disk_of(struct fs_map *map, uint64_t off)
{
	for (size_t i = 0; i < map->n; i++)
		if (off >= map->run[i].at && off - map->run[i].at < map->run[i].n)
			return map->run[i].disk + (off - map->run[i].at);
	return 0;
}

static void label_take(const uint8_t *e, char *out)
{
	struct buf b = BUF_INIT;

	fat_shortname_trim(e, 11, &b);
	snprintf(out, 12, "%s", b.p ? b.p : "");
	buf_fini(&b);
}

/* One entry. 0: continue; 1: the directory or the listing by fn has ended. */
static int dir_entry(struct dir *d, const uint8_t *e, uint64_t off)
{
	struct fs_entry ent = {0};

	if (e[0] == 0)
		return 1;
	if (e[0] != 0xe5 && fat_longname_is(e)) {
		fat_longname_part(&d->l, e);
		return 0;
	}
	if (e[0] == 0xe5 || (e[11] & ATTR_LABEL)) {
		if (e[0] != 0xe5 && d->label && !*d->label)
			label_take(e, d->label);
		d->l.any = false;
		return 0;
	}
	buf_reset(&d->name);
	buf_reset(&d->alias);
	fat_shortname(e, &d->alias);
	fat_longname_take(&d->l, e, &d->name);
	ent.alias = buf_str(&d->alias);
	ent.name = d->name.n ? buf_str(&d->name) : ent.alias;
	ent.node = disk_of(d->map, off);
	return d->fn && d->fn(d->arg, &ent);
}

static int dir_read(struct dir *d, struct err *err)
{
	uint8_t piece[PIECE];

	for (uint64_t off = 0; off < d->map->size; off += sizeof piece) {
		size_t n = (size_t)MIN(d->map->size - off, sizeof piece);
		int rc = fs_map_read(&d->f->fs, d->map, piece, n, off, err);

		if (rc < 0)
			return rc;
		for (size_t at = 0; at + FAT_ENTRY_SIZE <= n; at += FAT_ENTRY_SIZE)
			if (dir_entry(d, piece + at, off + at))
				return 0;
	}
	return 0;
}

static int dir_list(struct fat *f, uint64_t node, fs_entry_fn *fn, void *arg, char *label,
                    struct err *err)
{
	_cleanup_(fs_map_fini) struct fs_map map = FS_MAP_INIT;
	struct dir d = {.f = f, .map = &map, .fn = fn, .arg = arg, .label = label};
	int rc = fat_map(&f->fs, node, &map, err);

	if (rc == 0)
		rc = dir_read(&d, err);
	buf_fini(&d.name);
	buf_fini(&d.alias);
	return rc;
}

static int fat_list(struct fs *fs, uint64_t dir, fs_entry_fn *fn, void *arg, struct err *err)
{
	return dir_list((struct fat *)fs, dir, fn, arg, NULL, err);
}

static int fat_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err)
{
	struct fat *f = (struct fat *)fs;
	uint64_t n = 0;

	for (uint32_t i = 0; i < f->clusters; i++) {
		uint32_t v = 0;
		int rc = cluster_get(f, i + 2, &v, err);

		if (rc < 0)
			return rc;
		n += v == 0;
	}
	*size = f->clusters * f->cluster;
	*unused = n * f->cluster;
	return 0;
}

static void fat_free(struct fs *fs)
{
	free(fs);
}

static void fat_freep(struct fat **f)
{
	free(*f);
}

static const struct fs_ops fat_ops = {
        .stat = fat_stat,
        .map = fat_map,
        .list = fat_list,
        .space = fat_space,
        .free = fat_free,
};

static bool power_of_two(uint32_t v)
{
	return v && !(v & (v - 1));
}

/* A boot sector has no reliable signature of FAT, so every field must be valid. */
static bool boot_get(const uint8_t *p, struct boot *out)
{
	struct boot b = {.sector = get_le16(p + 11),
	                 .per_cluster = p[13],
	                 .reserved = get_le16(p + 14),
	                 .tables = p[16],
	                 .root_entries = get_le16(p + 17),
	                 .sectors = get_le16(p + 19),
	                 .table_sectors = get_le16(p + 22)};

	if (p[0] != 0xeb && p[0] != 0xe9)
		return false;
	if (b.sector < 512 || b.sector > 4096 || !power_of_two(b.sector))
		return false;
	if (!power_of_two(b.per_cluster) || !b.reserved || !b.tables || b.tables > 4)
		return false;
	if (p[21] != 0xf0 && p[21] < 0xf8)
		return false;
	if (!b.sectors)
		b.sectors = get_le32(p + 32);
	b.wide = b.table_sectors == 0;
	if (b.wide) {
		b.table_sectors = get_le32(p + 36);
		b.root_cluster = get_le32(p + 44);
	}
	b.named = p[b.wide ? 66 : 38] == 0x29 || p[b.wide ? 66 : 38] == 0x28;
	b.serial = get_le32(p + (b.wide ? 67 : 39));
	if (!b.sectors || !b.table_sectors || (!b.wide && !b.root_entries))
		return false;
	*out = b;
	return true;
}

static int layout(struct fat *f, const struct boot *b, struct err *err)
{
	uint64_t root = ((uint64_t)b->root_entries * FAT_ENTRY_SIZE + b->sector - 1) / b->sector;
	uint64_t tables = (uint64_t)b->tables * b->table_sectors;
	uint64_t data = b->reserved + tables + root;
	uint64_t clusters, need;

	if (data > b->sectors || (uint64_t)b->sectors * b->sector > f->fs.w.size)
		return err_set(err, ERR_FORMAT,
		               "FAT: %" PRIu32 " sectors of %" PRIu32 " bytes, %" PRIu64
		               " of them before the data area, do not fit into %" PRIu64 " bytes",
		               b->sectors, b->sector, data, f->fs.w.size);
	clusters = (b->sectors - data) / b->per_cluster;
	f->bits = b->wide ? 32 : clusters < 4085 ? 12 : 16;
	need = ((clusters + 2) * f->bits + 7) / 8;
	if (clusters > 0x0ffffff5 || need > (uint64_t)b->table_sectors * b->sector)
		return err_set(err, ERR_FORMAT,
		               "FAT%u: %" PRIu64 " clusters, too many for a table of %" PRIu32
		               " sectors",
		               f->bits, clusters, b->table_sectors);
	f->clusters = (uint32_t)clusters;
	f->cluster = (uint64_t)b->per_cluster * b->sector;
	f->table = (uint64_t)b->reserved * b->sector;
	f->root = (b->reserved + tables) * b->sector;
	f->root_size = b->root_entries * FAT_ENTRY_SIZE;
	f->root_cluster = b->root_cluster;
	f->data = data * b->sector;
	return 0;
}

int fat_probe(const struct window *w, struct fs **out, struct err *err)
{
	_cleanup_(fat_freep) struct fat *f = NULL;
	uint8_t sector[BOOT_SIZE];
	struct boot b;
	int rc;

	if (w->size < BOOT_SIZE)
		return 1;
	rc = window_read(w, sector, sizeof sector, 0, err);
	if (rc < 0)
		return rc;
	if (!boot_get(sector, &b))
		return 1;
	f = xcalloc(1, sizeof *f);
	f->fs = (struct fs){
	        .ops = &fat_ops, .w = *w, .fold = true, .type = "vfat", .family = "fat"};
	rc = layout(f, &b, err);
	if (rc < 0)
		return rc;
	if (b.named)
		snprintf(f->fs.uuid, sizeof f->fs.uuid, "%04X-%04X", b.serial >> 16,
		         b.serial & 0xffff);
	rc = dir_list(f, 0, NULL, NULL, f->fs.label, err);
	if (rc < 0)
		return err_prefix(err, "FAT%u: root directory", f->bits);
	*out = &take(&f)->fs;
	return 0;
}
