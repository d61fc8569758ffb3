/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fs/driver.h"

void fs_map_fini(struct fs_map *map)
{
	free(map->run);
	buf_fini(&map->inside);
	*map = (struct fs_map)FS_MAP_INIT;
}

static bool joins(const struct fs_run *a, const struct fs_run *b)
{
	if (a->at + a->n != b->at || a->pack.how || b->pack.how)
		return false;
	if (a->disk == FS_HOLE || b->disk == FS_HOLE)
		return a->disk == b->disk;
	return a->disk + a->n == b->disk;
}

int fs_map_add(const struct fs *fs, struct fs_map *map, struct fs_run run, struct err *err)
{
	struct fs_run *last = map->n ? &map->run[map->n - 1] : NULL;
	uint64_t stored = run.pack.how ? run.pack.packed : run.n;

	if (run.n == 0)
		return 0;
	if (run.at > UINT64_MAX - run.n || (last && run.at < last->at + last->n))
		return err_set(err, ERR_FORMAT,
		               "piece of %" PRIu64 " bytes at %" PRIu64 " is out of order", run.n,
		               run.at);
	if (run.disk != FS_HOLE && (run.disk > fs->w.size || stored > fs->w.size - run.disk))
		return err_set(err, ERR_FORMAT,
		               "piece of %" PRIu64 " bytes at byte %" PRIu64
		               " of the disk, beyond its end at %" PRIu64,
		               stored, run.disk, fs->w.size);
	if (last && joins(last, &run)) {
		last->n += run.n;
		return 0;
	}
	if (map->n == FS_RUNS_MAX)
		return err_set(err, ERR_LIMIT, "file in more than %u pieces", FS_RUNS_MAX);
	GROW(map->run, map->n, map->cap);
	map->run[map->n++] = run;
	return 0;
}

/* The first run that ends after off; the search begins at the hint if that is possible. */
static size_t run_at(const struct fs_map *map, uint64_t off)
{
	size_t i = map->hint;

	if (i > map->n || (i && map->run[i - 1].at + map->run[i - 1].n > off))
		i = 0;
	while (i < map->n && map->run[i].at + map->run[i].n <= off)
		i++;
	return i;
}

uint64_t fs_map_hole(struct fs_map *map, uint64_t off)
{
	size_t i = run_at(map, off);
	const struct fs_run *r = i < map->n ? &map->run[i] : NULL;
	uint64_t end = map->size;

	map->hint = i;
	if (map->has_inside || off >= map->size)
		return 0;
	if (r && r->at <= off && r->disk != FS_HOLE)
		return 0;
	if (r)
		end = MIN(end, r->at <= off ? r->at + r->n : r->at);
	return end - off;
}

uint64_t fs_map_stored(const struct fs_map *map, uint64_t unit)
{
	uint64_t next = 0, units = 0; /* next: the first unit that is not counted yet */

	if (map->has_inside)
		return (map->size + unit - 1) / unit * unit;
	for (size_t i = 0; i < map->n && map->run[i].at < map->size; i++) {
		const struct fs_run *r = &map->run[i];
		uint64_t first = MAX(r->at / unit, next);
		uint64_t last = (MIN(r->at + r->n, map->size) - 1) / unit + 1;

		if (r->disk == FS_HOLE || last <= first)
			continue;
		units += last - first;
		next = last;
	}
	return units * unit;
}

/* m bytes at off into p: of run r, or zeros where r is NULL or a hole. */
static int piece_read(struct fs *fs, const struct fs_run *r, void *p, size_t m, uint64_t off,
                      struct err *err)
{
	if (!r || r->disk == FS_HOLE) {
		memset(p, 0, m);
		return 0;
	}
	if (r->pack.how)
		return fs->ops->unpack(fs, r, off - r->at, p, m, err);
	return window_read(&fs->w, p, m, r->disk + (off - r->at), err);
}

int fs_map_read(struct fs *fs, struct fs_map *map, void *p, size_t n, uint64_t off, struct err *err)
{
	uint8_t *to = p;
	size_t i = run_at(map, off);

	if (n && map->has_inside) {
		memcpy(to, map->inside.p + off, n);
		return 0;
	}
	while (n) {
		const struct fs_run *r = i < map->n ? &map->run[i] : NULL;
		bool before = r && r->at > off;
		uint64_t m = !r ? n : before ? r->at - off : r->at + r->n - off;
		int rc;

		i += r && !before && m <= n;
		m = MIN(m, n);
		rc = piece_read(fs, before ? NULL : r, to, (size_t)m, off, err);
		if (rc < 0)
			return rc;
		to += m;
		off += m;
		n -= (size_t)m;
	}
	map->hint = i;
	return 0;
}
