/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "disk/iso.h"

#define SECTORS 24u
#define CATALOG 20u

static uint8_t cd[SECTORS * ISO_SECTOR];

static uint8_t *sector(unsigned n)
{
	return cd + n * ISO_SECTOR;
}

static void checksum(void)
{
	uint8_t *c = sector(CATALOG);
	uint16_t sum = 0;

	put_le16(c + 28, 0);
	for (unsigned i = 0; i < 32; i += 2)
		sum = (uint16_t)(sum + get_le16(c + i));
	put_le16(c + 28, (uint16_t)-sum);
}

/* Three descriptors and a catalog with one entry. */
static void make(uint8_t platform)
{
	memset(cd, 0, sizeof cd);
	for (unsigned i = 16; i < 19; i++)
		memcpy(sector(i) + 1, "CD001\1", 6);
	sector(16)[0] = 1;
	memset(sector(16) + 40, ' ', 32);
	memcpy(sector(16) + 40, "nixos-\033[1m", 10);
	put_le32(sector(16) + 80, SECTORS);
	put_le16(sector(16) + 128, ISO_SECTOR);
	memcpy(sector(17) + 7, "EL TORITO SPECIFICATION", 23);
	put_le32(sector(17) + 71, CATALOG);
	sector(18)[0] = 255;
	sector(CATALOG)[0] = 1;
	sector(CATALOG)[1] = platform;
	sector(CATALOG)[30] = 0x55;
	sector(CATALOG)[31] = 0xaa;
	sector(CATALOG)[32] = 0x88;
	put_le32(sector(CATALOG) + 40, 21);
	checksum();
}

static int read_cd(size_t size, struct iso *out, struct err *err)
{
	struct source_mem mem;
	struct window w;

	source_mem_init(&mem, cd, size);
	w = window_over(&mem.src, size, "cd.iso");
	return iso_read(&w, out, err);
}

static void good(void **state)
{
	struct err err = ERR_INIT;
	struct iso iso;

	make(0);
	assert_ok(read_cd(sizeof cd, &iso, &err), &err);
	assert_string_equal(iso.label, "nixos-\\x1b[1m");
	assert_int_equal(iso.size, sizeof cd);
	assert_true(iso.bios);
	/* For UEFI only; then with a section for PC BIOS. */
	make(0xef);
	assert_ok(read_cd(sizeof cd, &iso, &err), &err);
	assert_false(iso.bios);
	sector(CATALOG)[64] = 0x91;
	sector(CATALOG)[96] = 0x88;
	assert_ok(read_cd(sizeof cd, &iso, &err), &err);
	assert_true(iso.bios);
	/* Not bootable at all. */
	make(0);
	sector(17)[7] = 'X';
	assert_ok(read_cd(sizeof cd, &iso, &err), &err);
	assert_false(iso.bios);
	/* A label of unprintable characters fits. */
	make(0);
	memset(sector(16) + 40, 0xff, 32);
	assert_ok(read_cd(sizeof cd, &iso, &err), &err);
	assert_int_equal(strlen(iso.label), 128);
}

static void bad(void **state)
{
	struct err err = ERR_INIT;
	struct iso iso;

	memset(cd, 0, sizeof cd);
	assert_fails(read_cd(sizeof cd, &iso, &err), &err, ERR_FORMAT, "not a CD image");
	assert_fails(read_cd(0, &iso, &err), &err, ERR_FORMAT, "not a CD image");
	assert_fails(read_cd(17 * ISO_SECTOR - 1, &iso, &err), &err, ERR_FORMAT, "not a CD image");
	make(0);
	assert_fails(read_cd(sizeof cd - 1, &iso, &err), &err, ERR_FORMAT, "truncated");
	put_le32(sector(16) + 80, 17);
	assert_fails(read_cd(17 * ISO_SECTOR, &iso, &err), &err, ERR_FORMAT, "no terminator");
	assert_fails(read_cd(20 * ISO_SECTOR, &iso, &err), &err, ERR_FORMAT, "beyond the end");
	make(0);
	put_le32(sector(17) + 71, 0xffffffff);
	assert_fails(read_cd(sizeof cd, &iso, &err), &err, ERR_FORMAT, "beyond the end");
	make(0);
	sector(CATALOG)[5]++;
	assert_fails(read_cd(sizeof cd, &iso, &err), &err, ERR_FORMAT, "catalog is invalid");
	make(0);
	put_le16(sector(16) + 128, 512);
	assert_fails(read_cd(sizeof cd, &iso, &err), &err, ERR_FORMAT, "size of 512");
	make(0);
	sector(16)[0] = 2;
	assert_fails(read_cd(sizeof cd, &iso, &err), &err, ERR_FORMAT, "primary volume");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(good),
	        cmocka_unit_test(bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
