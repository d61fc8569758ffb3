/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "disk/jbd2.h"
#include "ext4/ext4_channel.h"
#include "ext4/ext4_jbd2.h"
#include "ext4/ext4_layout.h"
#include "ext4/ext4_overlay.h"
#include "ext4/target.h"

#include <pthread.h>
#include <string.h>

/* One change of the table of blocks, by open addressing; data NULL: unused. */
struct slot {
	uint64_t block;
	uint8_t *data;
};

/* The target, as lib/disk reads. */
struct target_source {
	struct source src;
	struct target *target;
};

struct ext4_overlay {
	struct target *target;
	struct target_source source;
	struct jbd2_log log; /* blocks that replace those of the target */
	uint64_t *journal;   /* the log's map */
	uint64_t base, size;
	uint32_t block; /* bytes */
	struct slot *slots;
	size_t n, cap; /* cap is a power of two */
	pthread_mutex_t lock;
	struct ext4_channel channel;
	struct err err; /* of libext2fs's calls */
};

struct ext4_overlay *ext4_overlay_new(struct target *t, uint64_t base, uint64_t size,
                                      uint32_t block)
{
	struct ext4_overlay *ov = xcalloc(1, sizeof *ov);

	ov->target = t;
	ov->base = base;
	ov->size = size;
	ov->block = block;
	ov->cap = 1024;
	ov->slots = xcalloc(ov->cap, sizeof *ov->slots);
	pthread_mutex_init(&ov->lock, NULL);
	return ov;
}

void ext4_overlay_free(struct ext4_overlay *ov)
{
	if (!ov)
		return;
	jbd2_log_fini(&ov->log);
	free(ov->journal);
	for (size_t i = 0; i < ov->cap; i++)
		free(ov->slots[i].data);
	free(ov->slots);
	pthread_mutex_destroy(&ov->lock);
	free(ov);
}

/* ---- the table ------------------------------------------------------------ */

static struct slot *slot_of(struct slot *slots, size_t cap, uint64_t block)
{
	size_t i = (size_t)(block * 0x9e3779b97f4a7c15u >> 20) & (cap - 1);

	while (slots[i].data && slots[i].block != block)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static uint8_t *find(const struct ext4_overlay *ov, uint64_t block)
{
	return slot_of(ov->slots, ov->cap, block)->data;
}

static void insert(struct ext4_overlay *ov, uint64_t block, uint8_t *data)
{
	if (++ov->n * 2 > ov->cap) {
		size_t cap = ov->cap * 2;
		struct slot *slots = xcalloc(cap, sizeof *slots);

		for (size_t i = 0; i < ov->cap; i++)
			if (ov->slots[i].data)
				*slot_of(slots, cap, ov->slots[i].block) = ov->slots[i];
		free(ov->slots);
		ov->slots = slots;
		ov->cap = cap;
	}
	*slot_of(ov->slots, ov->cap, block) = (struct slot){.block = block, .data = data};
}

/* ---- reading and writing -------------------------------------------------- */

static int check(const struct ext4_overlay *ov, size_t n, uint64_t off, struct err *err)
{
	if (off <= ov->size && n <= ov->size - off)
		return 0;
	return err_set(err, ERR_FORMAT,
	               "%s: block %llu is beyond the file system's end (%llu bytes)",
	               ov->target->name, (unsigned long long)(off / ov->block),
	               (unsigned long long)ov->size);
}

/* The part of a request that lies in one block. */
static size_t part(const struct ext4_overlay *ov, size_t n, uint64_t off)
{
	return MIN(n, (size_t)(ov->block - off % ov->block));
}

/* Replace what was read by blocks in memory. */
static void cover(struct ext4_overlay *ov, uint8_t *p, size_t n, uint64_t off)
{
	while (n) {
		size_t m = part(ov, n, off);
		const uint8_t *data = find(ov, off / ov->block);

		if (data)
			memcpy(p, data + off % ov->block, m);
		p += m;
		off += m;
		n -= m;
	}
}

/* Read what is on disk, or would be there after a replay. */
static int read_target(struct ext4_overlay *ov, void *p, size_t n, uint64_t off, struct err *err)
{
	int rc = target_read(ov->target, p, n, ov->base + off, err);

	return rc < 0 ? rc : jbd2_log_cover(&ov->log, p, n, off, err);
}

static int read_locked(struct ext4_overlay *ov, void *p, size_t n, uint64_t off, struct err *err)
{
	int rc = check(ov, n, off, err);

	if (rc == 0)
		rc = read_target(ov, p, n, off, err);
	if (rc == 0)
		cover(ov, p, n, off);
	return rc;
}

int ext4_overlay_read(struct ext4_overlay *ov, void *p, size_t n, uint64_t off, struct err *err)
{
	int rc;

	pthread_mutex_lock(&ov->lock);
	rc = read_locked(ov, p, n, off, err);
	pthread_mutex_unlock(&ov->lock);
	return rc;
}

void ext4_overlay_cover(struct ext4_overlay *ov, void *p, size_t n, uint64_t off)
{
	uint64_t from = MAX(off, ov->base), end = MIN(off + n, ov->base + ov->size);

	if (from >= end)
		return;
	pthread_mutex_lock(&ov->lock);
	cover(ov, (uint8_t *)p + (from - off), (size_t)(end - from), from - ov->base);
	pthread_mutex_unlock(&ov->lock);
}

static int load(struct ext4_overlay *ov, uint64_t block, uint8_t **out, struct err *err)
{
	_free_ uint8_t *data = NULL;
	int rc;

	*out = find(ov, block);
	if (*out)
		return 0;
	data = xmalloc(ov->block);
	rc = read_target(ov, data, ov->block, block * ov->block, err);
	if (rc < 0)
		return rc;
	*out = data;
	insert(ov, block, take(&data));
	return 0;
}

static int write_locked(struct ext4_overlay *ov, const uint8_t *p, size_t n, uint64_t off,
                        struct err *err)
{
	int rc = check(ov, n, off, err);

	while (n && rc == 0) {
		size_t m = part(ov, n, off);
		uint8_t *data;

		rc = load(ov, off / ov->block, &data, err);
		if (rc == 0)
			memcpy(data + off % ov->block, p, m);
		p += m;
		off += m;
		n -= m;
	}
	return rc;
}

int ext4_overlay_write(struct ext4_overlay *ov, const void *p, size_t n, uint64_t off,
                       struct err *err)
{
	int rc;

	pthread_mutex_lock(&ov->lock);
	rc = write_locked(ov, p, n, off, err);
	pthread_mutex_unlock(&ov->lock);
	return rc;
}

int ext4_overlay_write_under(struct ext4_overlay *ov, const void *p, size_t n, uint64_t off,
                             struct err *err)
{
	const uint8_t *b = p;
	int rc;

	pthread_mutex_lock(&ov->lock);
	rc = check(ov, n, off, err);
	if (rc == 0)
		rc = target_write_small(ov->target, p, n, ov->base + off, err);
	while (n && rc == 0) {
		size_t m = part(ov, n, off);
		uint8_t *data = find(ov, off / ov->block);

		if (data)
			memcpy(data + off % ov->block, b, m);
		b += m;
		off += m;
		n -= m;
	}
	pthread_mutex_unlock(&ov->lock);
	return rc;
}

static int by_block(const void *a, const void *b)
{
	const struct ext4_change *x = a, *y = b;

	return (x->block > y->block) - (x->block < y->block);
}

int ext4_overlay_changes(struct ext4_overlay *ov, struct ext4_change **out, size_t *n,
                         struct err *err)
{
	_free_ struct ext4_change *list = xcalloc(ov->n + 1, sizeof *list);
	uint8_t now[EXT4_BLOCK];
	size_t count = 0;

	for (size_t i = 0; i < ov->cap; i++) {
		const struct slot *s = &ov->slots[i];
		int rc;

		if (!s->data)
			continue;
		rc = target_read(ov->target, now, ov->block, ov->base + s->block * ov->block, err);
		if (rc < 0)
			return rc;
		if (memcmp(now, s->data, ov->block) != 0)
			list[count++] = (struct ext4_change){.block = s->block, .data = s->data};
	}
	if (count)
		qsort(list, count, sizeof *list, by_block);
	*n = count;
	*out = take(&list);
	return 0;
}

const struct err *ext4_overlay_error(const struct ext4_overlay *ov)
{
	return &ov->err;
}

/* ---- libext2fs's way to it ------------------------------------------------ */

static errcode_t read_at(void *data, uint64_t off, void *to, size_t n)
{
	struct ext4_overlay *ov = data;

	return ext4_overlay_read(ov, to, n, off, &ov->err) < 0 ? EXT2_ET_SHORT_READ : 0;
}

static errcode_t write_at(void *data, uint64_t off, const void *from, size_t n)
{
	struct ext4_overlay *ov = data;

	return ext4_overlay_write(ov, from, n, off, &ov->err) < 0 ? EXT2_ET_SHORT_WRITE : 0;
}

errcode_t ext4_overlay_open(struct ext4_overlay *ov, int flags, ext2_filsys *out)
{
	initialize_ext2_error_table();
	ov->err.code = ERR_NONE;
	ov->channel = (struct ext4_channel){.data = ov, .read = read_at, .write = write_at};
	return ext2fs_open("image", flags, 0, 0, ext4_channel_manager(&ov->channel), out);
}

/* ---- a journal that was not replayed -------------------------------------- */

static int source_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	return target_read(((struct target_source *)src)->target, p, n, off, err);
}

/* Blocks that a replay of the log would write may be inconsistent now. */
#define REPLAY_FLAGS (EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP | EXT2_FLAG_IGNORE_CSUM_ERRORS)

int ext4_overlay_replay(struct ext4_overlay *ov, struct err *err)
{
	struct jbd2_journal j = {.block = ov->block, .fs_blocks = ov->size / ov->block};
	ext2_filsys fs;
	errcode_t code = ext4_overlay_open(ov, REPLAY_FLAGS, &fs);
	int rc;

	if (code)
		return err_set(err, ERR_FORMAT, "%s: %s", ov->target->name, error_message(code));
	rc = jbd2_map(ov->target, fs, &ov->journal, &j.n, err);
	ext2fs_free(fs);
	if (rc < 0)
		return rc;
	ov->source = (struct target_source){{source_read}, ov->target};
	j.w = window_over(&ov->source.src, ov->base + ov->size, ov->target->name);
	rc = window_sub(&j.w, ov->base, ov->size, &j.w, err);
	j.map = ov->journal;
	return rc < 0 ? rc : jbd2_log_read(&j, &ov->log, err);
}
