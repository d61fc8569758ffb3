/* SPDX-License-Identifier: MIT */
#include "fs/iso9660.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "disk/utf16.h"

#define FIRST 16u /* sector of the volume descriptors */
#define DESCRIPTORS_MAX 64u
#define EXTENTS_MAX 4096u /* of a file; each has up to 4 GiB */
#define LABEL_BYTES 32u
#define ROOT_AT 156u /* its record, in a descriptor */
#define TARGET_BYTES_MAX 4096u

/* ---- what fs.c asks for ----------------------------------------------------- */

static int record_read(struct iso9660 *x, uint64_t node, struct iso_record *r, struct err *err)
{
	int rc = iso_record_read(x, node, r, err);

	return rc == 1 ? err_set(err, ERR_FORMAT, "no directory record at byte %" PRIu64, node)
	               : rc;
}

/* Bytes of a file, from its first record on, and where they are if map is not NULL. */
static int extents_walk(struct iso9660 *x, struct iso_record *r, struct fs_map *map, uint64_t *size,
                        struct err *err)
{
	uint64_t first = r->at;

	*size = 0;
	for (unsigned i = 0; i < EXTENTS_MAX; i++) {
		struct fs_run run = {.at = *size, .n = r->size, .disk = r->disk};
		int rc = map ? fs_map_add(&x->fs, map, run, err) : 0;

		*size += r->size;
		if (rc < 0 || !(r->flags & ISO_MORE))
			return rc;
		rc = iso_record_next(x, r, err);
		if (rc == 1 || (rc == 0 && r->flags & ISO_DIR))
			rc = err_set(err, ERR_FORMAT, "file at byte %" PRIu64 " lacks its end",
			             first);
		if (rc < 0)
			return rc;
	}
	return err_set(err, ERR_LIMIT, "file of more than %u extents", EXTENTS_MAX);
}

static int iso_stat(struct fs *fs, uint64_t node, struct fs_stat *out, struct err *err)
{
	_cleanup_(iso_use_fini) struct iso_use use = {.name = BUF_INIT};
	struct iso9660 *x = (struct iso9660 *)fs;
	struct iso_record r;
	struct fs_stat st;
	int rc = record_read(x, node, &r, err);

	if (rc == 0)
		rc = iso_use_read(x, &r, &use, err);
	if (rc < 0)
		return rc;
	st = (struct fs_stat){.kind = r.flags & ISO_DIR ? FS_DIR : FS_FILE,
	                      .mode = r.flags & ISO_DIR ? 0755 : 0644,
	                      .size = r.size,
	                      .mtime = use.has_mtime ? use.mtime : r.mtime};
	if (use.has_mode && !(r.flags & ISO_DIR))
		st.kind = S_ISDIR(use.mode) ? FS_OTHER : fs_kind_of((uint16_t)use.mode);
	if (use.has_mode) {
		st.mode = use.mode & 07777;
		st.uid = use.uid;
		st.gid = use.gid;
	}
	if (st.kind == FS_LINK)
		st.size = use.target.n;
	if (st.kind == FS_FILE)
		rc = extents_walk(x, &r, NULL, &st.size, err);
	if (rc == 0)
		*out = st;
	return rc;
}

static int iso_map(struct fs *fs, uint64_t node, struct fs_map *out, struct err *err)
{
	_cleanup_(iso_use_fini) struct iso_use use = {.name = BUF_INIT};
	_cleanup_(fs_map_fini) struct fs_map map = FS_MAP_INIT;
	struct iso9660 *x = (struct iso9660 *)fs;
	struct iso_record r;
	int rc = record_read(x, node, &r, err);

	if (rc == 0)
		rc = iso_use_read(x, &r, &use, err);
	if (rc == 0 && (use.packed || use.sparse || r.interleaved))
		rc = err_set(err, ERR_UNSUPPORTED, "%s, which is not supported",
		             use.packed   ? "packed by zisofs"
		             : use.sparse ? "a sparse file of Rock Ridge"
		                          : "an interleaved file");
	if (rc == 0)
		rc = extents_walk(x, &r, &map, &map.size, err);
	if (rc < 0)
		return rc;
	*out = map;
	map = (struct fs_map)FS_MAP_INIT;
	return 0;
}

static int iso_readlink(struct fs *fs, uint64_t node, struct buf *out, struct err *err)
{
	_cleanup_(iso_use_fini) struct iso_use use = {.name = BUF_INIT};
	struct iso9660 *x = (struct iso9660 *)fs;
	struct iso_record r;
	int rc = record_read(x, node, &r, err);

	if (rc == 0)
		rc = iso_use_read(x, &r, &use, err);
	if (rc == 0 && use.target.n > TARGET_BYTES_MAX)
		rc = err_set(err, ERR_FORMAT,
		             "symbolic link of %zu bytes, more than the limit of %u", use.target.n,
		             TARGET_BYTES_MAX);
	if (rc == 0)
		buf_put(out, use.target.p ? use.target.p : "", use.target.n);
	return rc;
}

static int iso_list(struct fs *fs, uint64_t dir, fs_entry_fn *fn, void *arg, struct err *err)
{
	return iso_dir_list((struct iso9660 *)fs, dir, fn, arg, err);
}

static int iso_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err)
{
	(void)err;
	*size = ((struct iso9660 *)fs)->blocks * ISO_SECTOR;
	*unused = 0;
	return 0;
}

static void iso_free(struct fs *fs)
{
	free(fs);
}

static const struct fs_ops iso_ops = {
        .stat = iso_stat,
        .map = iso_map,
        .readlink = iso_readlink,
        .list = iso_list,
        .space = iso_space,
        .free = iso_free,
};

/* ---- volume descriptors ------------------------------------------------------ */

/* The primary one, and Joliet's; at is 0 where there is none. */
struct volumes {
	uint8_t primary[ISO_SECTOR], joliet[ISO_SECTOR];
	uint64_t primary_at, joliet_at;
};

/* ISO 10646 in 2 bytes, of one of three levels. */
static bool is_joliet(const uint8_t *d)
{
	return d[0] == 2 && d[88] == '%' && d[89] == '/' && strchr("@CE", d[90]) && d[90];
}

static int volumes_read(const struct window *w, struct volumes *v, struct err *err)
{
	uint8_t d[ISO_SECTOR];

	for (unsigned i = 0; i < DESCRIPTORS_MAX; i++) {
		uint64_t at = (uint64_t)(FIRST + i) * ISO_SECTOR;
		int rc;

		if (at > w->size || w->size - at < sizeof d)
			return 0;
		rc = window_read(w, d, sizeof d, at, err);
		if (rc < 0)
			return rc;
		if (memcmp(d + 1, "CD001", 5) != 0 || d[0] == 255)
			return 0;
		if (d[0] == 1 && !v->primary_at) {
			memcpy(v->primary, d, sizeof d);
			v->primary_at = at;
		} else if (is_joliet(d) && !v->joliet_at) {
			memcpy(v->joliet, d, sizeof d);
			v->joliet_at = at;
		}
	}
	return 0;
}

/* "2026-01-31-12-00-00-00" of a date in digits; false: there is none. */
static bool uuid_of(const uint8_t *p, char out[static 40])
{
	bool any = false;

	for (unsigned i = 0; i < 16; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		any = any || p[i] != '0';
	}
	snprintf(out, 40, "%.4s-%.2s-%.2s-%.2s-%.2s-%.2s-%.2s", (const char *)p,
	         (const char *)p + 4, (const char *)p + 6, (const char *)p + 8,
	         (const char *)p + 10, (const char *)p + 12, (const char *)p + 14);
	return any;
}

static void describe(struct iso9660 *x, const uint8_t *d)
{
	struct str label = str_trim((struct str){(const char *)d + 40, LABEL_BYTES});

	x->fs.type = x->fs.family = "iso9660";
	snprintf(x->fs.label, sizeof x->fs.label, "%.*s", STR_ARG(label));
	/* Changed, or made. */
	if (!uuid_of(d + 830, x->fs.uuid) && !uuid_of(d + 813, x->fs.uuid))
		x->fs.uuid[0] = '\0';
}

/* The root by its own record, where the system use is. */
static int root_find(struct iso9660 *x, uint64_t at, struct iso_record *r, struct err *err)
{
	int rc = record_read(x, at + ROOT_AT, r, err);

	if (rc == 0)
		rc = record_read(x, r->disk, r, err);
	if (rc == 0 && !(r->flags & ISO_DIR))
		rc = err_set(err, ERR_FORMAT, "the root is not a directory");
	x->fs.root = r->at;
	return rc;
}

static int tree_choose(struct iso9660 *x, const struct volumes *v, struct err *err)
{
	struct iso_record root;
	int rc = root_find(x, v->primary_at, &root, err);

	if (rc == 0)
		rc = iso_use_detect(x, &root, err);
	if (rc < 0 || x->rock)
		return rc;
	x->joliet = v->joliet_at;
	x->fs.fold = !x->joliet;
	return x->joliet ? root_find(x, v->joliet_at, &root, err) : 0;
}

int iso9660_probe(const struct window *w, struct fs **out, struct err *err)
{
	struct volumes v = {.primary_at = 0};
	_free_ struct iso9660 *x = NULL;
	int rc = volumes_read(w, &v, err);

	if (rc < 0 || !v.primary_at)
		return rc < 0 ? rc : 1;
	if (get_le16(v.primary + 128) != ISO_SECTOR)
		return err_set(err, ERR_UNSUPPORTED,
		               "ISO 9660: unsupported block size of %u bytes (supported: %u)",
		               get_le16(v.primary + 128), ISO_SECTOR);
	x = xcalloc(1, sizeof *x);
	x->fs.ops = &iso_ops;
	x->fs.w = *w;
	x->blocks = get_le32(v.primary + 80);
	describe(x, v.primary);
	rc = tree_choose(x, &v, err);
	if (rc < 0)
		return err_prefix(err, "ISO 9660");
	*out = &take(&x)->fs;
	return 0;
}
