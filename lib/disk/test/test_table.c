/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "disk/table.h"

#define SECTORS 2048u

struct disk {
	struct source_mem src;
	struct window w;
	unsigned sector;
	uint8_t *p;
};

static void disk_init(struct disk *d, unsigned sector)
{
	d->p = xcalloc(SECTORS, sector);
	d->sector = sector;
	source_mem_init(&d->src, d->p, (size_t)SECTORS * sector);
	d->w = window_over(&d->src.src, (uint64_t)SECTORS * sector, "disk.img");
	d->w.sector = sector;
}

static void disk_fini(struct disk *d)
{
	free(d->p);
}

static uint8_t *at(struct disk *d, uint64_t lba)
{
	return d->p + lba * d->sector;
}

static struct gpt_entry entry(unsigned number, uint64_t first, uint64_t last)
{
	struct gpt_entry e = {.number = number, .first = first, .last = last};

	memset(e.type, 0x11, sizeof e.type);
	memset(e.guid, (int)number, sizeof e.guid);
	e.name[0] = 'r';
	e.name[1] = 0xe9;
	e.name[2] = 0xd83d;
	e.name[3] = 0xde00;
	e.name[4] = 0xd800;
	return e;
}

static void disk_gpt(struct disk *d, struct gpt *gpt)
{
	struct buf head = BUF_INIT, tail = BUF_INIT;
	struct err err = ERR_INIT;

	assert_ok(gpt_format(gpt, SECTORS, d->sector, &head, &tail, &err), &err);
	memcpy(d->p, head.p, head.n);
	memcpy(d->p + (size_t)SECTORS * d->sector - tail.n, tail.p, tail.n);
	buf_fini(&head);
	buf_fini(&tail);
}

/* Update both checksums after a change of a header or entry. */
static void reseal(struct disk *d, uint64_t lba)
{
	uint8_t *h = at(d, lba);

	put_le32(h + 88,
	         gpt_crc(at(d, get_le64(h + 72)), (size_t)get_le32(h + 80) * get_le32(h + 84)));
	put_le32(h + 16, 0);
	put_le32(h + 16, gpt_crc(h, get_le32(h + 12)));
}

static void gpt_both_sectors(void **state)
{
	static const unsigned sectors[] = {512, 4096};

	for (size_t i = 0; i < ARRAY_LEN(sectors); i++) {
		struct gpt_entry e[2] = {entry(1, 100, 199), entry(7, 200, 200)};
		struct gpt gpt = {.n = 2, .entry = e};
		struct err err = ERR_INIT;
		struct window part;
		struct table t;
		struct disk d;

		disk_init(&d, sectors[i]);
		disk_gpt(&d, &gpt);
		d.w.sector = 512; /* as for a file, whose sector size is unknown */
		assert_ok(table_read(&d.w, &t, &err), &err);
		assert_int_equal(t.kind, TABLE_GPT);
		assert_int_equal(t.sector, sectors[i]);
		assert_int_equal(t.n, 2);
		assert_int_equal(t.part[0].start, 100ull * sectors[i]);
		assert_int_equal(t.part[0].size, 100ull * sectors[i]);
		assert_string_equal(t.part[0].label, "r\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd");
		assert_string_equal(t.part[1].uuid, "07070707-0707-0707-0707-070707070707");
		assert_null(table_find(&t, 2));
		assert_ok(table_window(&t, table_find(&t, 7), &d.w, &part, &err), &err);
		assert_int_equal(part.start, 200ull * sectors[i]);
		assert_int_equal(part.size, sectors[i]);
		table_fini(&t);
		disk_fini(&d);
	}
}

static void gpt_copy_taken(void **state)
{
	struct gpt_entry e = entry(1, 100, 199);
	struct gpt gpt = {.n = 1, .entry = &e}, back;
	struct err err = ERR_INIT;
	struct disk d;

	disk_init(&d, 512);
	disk_gpt(&d, &gpt);
	at(&d, 1)[40]++;
	assert_ok(gpt_read(&d.w, &back, &err), &err);
	assert_true(back.from_copy);
	assert_int_equal(back.n, 1);
	gpt_fini(&back);
	at(&d, SECTORS - 1)[40]++;
	assert_fails(gpt_read(&d.w, &back, &err), &err, ERR_FORMAT, "both invalid");
	memset(at(&d, 1), 0, 8);
	assert_fails(gpt_read(&d.w, &back, &err), &err, ERR_FORMAT,
	             "backup GPT: the header's checksum");
	memset(at(&d, SECTORS - 1), 0, 8);
	assert_int_equal(gpt_read(&d.w, &back, &err), 1);
	disk_fini(&d);
}

struct change {
	bool entry; /* in the first entry, else in the header */
	size_t off;
	unsigned bytes;
	uint64_t value;
	enum err_code code;
	const char *words;
};

static void gpt_refused(void **state)
{
	static const struct change bad[] = {
	        {true, 40, 8, 50, ERR_FORMAT,
	         "disk.img: GPT: entry 1: last LBA 50 before first LBA 100"},
	        {true, 32, 8, 3, ERR_FORMAT, "entry 1: LBA 3 to 199 is not inside the usable 34"},
	        {true, 40, 8, 1u << 20, ERR_FORMAT, "is not inside"},
	        {false, 12, 4, 91, ERR_FORMAT, "header of 91 bytes"},
	        {false, 12, 4, 513, ERR_FORMAT, "header of 513 bytes"},
	        {false, 24, 8, 2, ERR_FORMAT, "says it is at 2"},
	        {false, 84, 4, 64, ERR_FORMAT, "entries of 64 bytes"},
	        {false, 84, 4, 192, ERR_FORMAT, "entries of 192 bytes"},
	        {false, 80, 4, 1025, ERR_LIMIT, "1025 entries, more than the limit of 1024"},
	        {false, 48, 8, 33, ERR_FORMAT, "last usable LBA 33 before first usable LBA 34"},
	        {false, 72, 8, UINT64_MAX / 512, ERR_FORMAT, "entries at LBA"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct gpt_entry e = entry(1, 100, 199);
		struct gpt gpt = {.n = 1, .entry = &e}, back;
		struct err err = ERR_INIT;
		struct disk d;
		uint8_t *p;

		disk_init(&d, 512);
		disk_gpt(&d, &gpt);
		memset(at(&d, SECTORS - 1), 0, 512);
		p = bad[i].entry ? at(&d, 2) : at(&d, 1);
		for (unsigned k = 0; k < bad[i].bytes; k++)
			p[bad[i].off + k] = (uint8_t)(bad[i].value >> (8 * k));
		if (bad[i].off == 12 || bad[i].off == 72 || bad[i].off == 80) {
			put_le32(at(&d, 1) + 16, 0);
			put_le32(at(&d, 1) + 16,
			         gpt_crc(at(&d, 1), MIN(512u, get_le32(at(&d, 1) + 12))));
		} else {
			reseal(&d, 1);
		}
		assert_fails(gpt_read(&d.w, &back, &err), &err, bad[i].code, bad[i].words);
		disk_fini(&d);
	}
}

static void gpt_format_refuses(void **state)
{
	struct gpt_entry e[2] = {entry(1, 100, 199), entry(2, 199, 300)};
	struct gpt gpt = {.n = 2, .entry = e};
	struct buf head = BUF_INIT, tail = BUF_INIT;
	struct err err = ERR_INIT;

	assert_fails(gpt_format(&gpt, SECTORS, 512, &head, &tail, &err), &err, ERR_USAGE,
	             "entry 2 overlaps entry 1");
	e[1] = entry(2, 2000, 2014);
	assert_ok(gpt_format(&gpt, SECTORS, 512, &head, &tail, &err), &err);
	e[1].last++;
	assert_fails(gpt_format(&gpt, SECTORS, 512, &head, &tail, &err), &err, ERR_USAGE,
	             "not inside the usable 34 to 2014");
	e[1].last = 1999;
	assert_fails(gpt_format(&gpt, SECTORS, 512, &head, &tail, &err), &err, ERR_USAGE,
	             "before first LBA 2000");
	e[1] = entry(129, 2000, 2001);
	assert_fails(gpt_format(&gpt, SECTORS, 512, &head, &tail, &err), &err, ERR_USAGE,
	             "number 129");
	assert_fails(gpt_format(&gpt, 60, 512, &head, &tail, &err), &err, ERR_USAGE, "cannot hold");
	buf_fini(&head);
	buf_fini(&tail);
}

static void put_mbr(struct disk *d, uint64_t lba, struct mbr mbr)
{
	struct err err = ERR_INIT;

	assert_ok(mbr_format(&mbr, at(d, lba), &err), &err);
}

/* A link of the chain; its two entries are relative to different sectors. */
static void put_ebr(struct disk *d, uint64_t lba, uint32_t start, uint32_t sectors, uint32_t next)
{
	uint8_t *p = at(d, lba);

	p[450] = MBR_TYPE_LINUX;
	put_le32(p + 454, start);
	put_le32(p + 458, sectors);
	p[466] = next ? 5 : 0;
	put_le32(p + 470, next);
	put_le32(p + 474, 60);
	put_le16(p + 510, 0xaa55);
}

static void mbr_logicals(void **state)
{
	struct err err = ERR_INIT;
	struct window part;
	struct table t;
	struct disk d;

	disk_init(&d, 512);
	put_mbr(&d, 0,
	        (struct mbr){.disk_id = 0xabcd,
	                     .entry = {{true, 0x83, 8, 8}, {false, 5, 100, 900}, {0}, {0}}});
	put_ebr(&d, 100, 2, 10, 50);
	put_ebr(&d, 150, 4, 5000, 0);
	assert_ok(table_read(&d.w, &t, &err), &err);
	assert_int_equal(t.kind, TABLE_MBR);
	assert_string_equal(t.uuid, "0000abcd");
	assert_int_equal(t.n, 4);
	assert_int_equal(t.part[2].number, 5);
	assert_int_equal(t.part[2].start, 102 * 512);
	assert_int_equal(t.part[3].number, 6);
	assert_int_equal(t.part[3].start, 154 * 512);
	assert_string_equal(t.part[3].uuid, "0000abcd-06");
	assert_fails(table_window(&t, &t.part[3], &d.w, &part, &err), &err, ERR_FORMAT,
	             "partition 6: disk.img");
	table_fini(&t);
	/* The second EBR links to itself. */
	put_ebr(&d, 150, 4, 50, 50);
	assert_fails(table_read(&d.w, &t, &err), &err, ERR_LIMIT, "loop");
	put_ebr(&d, 150, 4, 50, 5000);
	assert_fails(table_read(&d.w, &t, &err), &err, ERR_FORMAT, "logical partition 7");
	disk_fini(&d);
}

static void none(void **state)
{
	struct err err = ERR_INIT;
	struct table t;
	struct disk d;

	disk_init(&d, 512);
	assert_ok(table_read(&d.w, &t, &err), &err);
	assert_int_equal(t.kind, TABLE_NONE);
	d.w.size = 100;
	assert_ok(table_read(&d.w, &t, &err), &err);
	assert_int_equal(t.kind, TABLE_NONE);
	d.w.sector = 2048;
	assert_fails(table_read(&d.w, &t, &err), &err, ERR_UNSUPPORTED, "2048");
	disk_fini(&d);
}

static void windows(void **state)
{
	struct err err = ERR_INIT;
	struct window w, in;
	struct disk d;
	uint8_t b[8];

	disk_init(&d, 512);
	d.p[1000] = 7;
	assert_ok(window_sub(&d.w, 900, 200, &w, &err), &err);
	assert_ok(window_sub(&w, 99, 101, &in, &err), &err);
	assert_ok(window_read(&in, b, 2, 0, &err), &err);
	assert_int_equal(b[1], 7);
	assert_ok(window_read(&in, b, 1, 100, &err), &err);
	assert_fails(window_read(&in, b, 2, 100, &err), &err, ERR_FORMAT, "only 101");
	assert_fails(window_read(&in, b, 1, UINT64_MAX, &err), &err, ERR_FORMAT, "only 101");
	assert_fails(window_sub(&w, 99, 102, &in, &err), &err, ERR_FORMAT, "does not fit");
	assert_fails(window_sub(&w, 201, 0, &in, &err), &err, ERR_FORMAT, "does not fit");
	disk_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(windows),
	        cmocka_unit_test(gpt_both_sectors),
	        cmocka_unit_test(gpt_copy_taken),
	        cmocka_unit_test(gpt_refused),
	        cmocka_unit_test(gpt_format_refuses),
	        cmocka_unit_test(mbr_logicals),
	        cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
