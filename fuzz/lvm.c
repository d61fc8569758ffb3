/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of a physical volume of LVM2; the others are zero. Label, the metadata area's
 * header and the text get right checksums, so that what is behind them is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "disk/lvm.h"

#define SECTOR 512u
#define DISK (UINT64_C(1) << 30) /* bytes */
#define CRC_START 0xf597a6cfu

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int zeros_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	const struct source_mem *s = (const struct source_mem *)src;
	size_t have = off < s->n ? MIN(n, s->n - (size_t)off) : 0;

	(void)err;
	if (have)
		memcpy(p, s->p + off, have);
	memset((uint8_t *)p + have, 0, n - have);
	return 0;
}

static void area_repair(uint8_t *p, size_t n, uint64_t at)
{
	uint64_t off, size;

	if (at > n || n - at < SECTOR)
		return;
	off = get_le64(p + at + 40);
	size = get_le64(p + at + 48);
	if (off <= n - at && size <= n - at - off)
		put_le32(p + at + 56, crc32_le(CRC_START, p + at + off, size));
	put_le32(p + at, crc32_le(CRC_START, p + at + 4, SECTOR - 4));
}

/* Of the usual label, in the second sector, with one data area and up to two of metadata. */
static void sums_repair(uint8_t *p, size_t n)
{
	if (n < 2 * (size_t)SECTOR)
		return;
	area_repair(p, n, get_le64(p + SECTOR + 104));
	area_repair(p, n, get_le64(p + SECTOR + 120));
	put_le32(p + SECTOR + 16, crc32_le(CRC_START, p + SECTOR + 20, SECTOR - 20));
}

static void look_through(const struct lvm_volume *v)
{
	uint8_t piece[3 * SECTOR];
	struct err err = ERR_INIT;

	if (v->trouble)
		return;
	for (size_t i = 0; i < 64; i++) {
		size_t n = (size_t)MIN(sizeof piece, v->w.size);

		/* Inside must mean inside. */
		if (window_read(&v->w, piece, n, (v->w.size - n) / 63 * i, &err) < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_mem src = {.src = {.read = zeros_read}, .n = size};
	struct window w = window_over(&src.src, DISK, "disk");
	_free_ uint8_t *copy = xmalloc(size + 1);
	_cleanup_(buf_fini) struct buf notes = BUF_INIT;
	const struct lvm_volume *v;
	struct lvm *l;

	memcpy(copy, data, size);
	sums_repair(copy, size);
	src.p = copy;
	l = lvm_new(&w, 1, &notes);
	for (size_t i = 0; (v = lvm_volume(l, i)); i++)
		look_through(v);
	lvm_free(l);
	return 0;
}
