/* SPDX-License-Identifier: MIT */
/* Images with the layout of grub-mkimage, and similar files that are not such images. */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "xen/grub_image.h"

#define SIZE 8192u
#define MODULES_AT 4096u
#define NOTE_AT 6000u

static void phdr_put(uint8_t *p, uint32_t type, uint32_t off, uint32_t n)
{
	put_le32(p, type);
	put_le32(p + 4, off);
	put_le32(p + 16, n);
}

static uint8_t *image_make(void)
{
	uint8_t *p = xcalloc(1, SIZE);

	memcpy(p, "\177ELF\1\1\1", 7);
	put_le16(p + 18, 3);
	put_le32(p + 28, 52);
	put_le16(p + 42, 32);
	put_le16(p + 44, 3);
	phdr_put(p + 52, 1, 1024, 100);
	phdr_put(p + 84, 1, MODULES_AT, 100);
	phdr_put(p + 116, 4, NOTE_AT, 20);
	memcpy(p + MODULES_AT, "mimg", 4);
	put_le32(p + NOTE_AT, 4);
	put_le32(p + NOTE_AT + 4, 4);
	put_le32(p + NOTE_AT + 8, 18);
	memcpy(p + NOTE_AT + 12, "Xen", 4);
	put_le32(p + NOTE_AT + 16, 0x100000);
	return p;
}

static bool probe(const uint8_t *p, size_t n)
{
	struct source_mem mem;
	struct window w;

	source_mem_init(&mem, p, n);
	w = window_over(&mem.src, n, "image");
	return grub_image_is_pvh(&w);
}

static void images(void **state)
{
	static const struct {
		unsigned at;
		uint8_t byte;
	} changes[] = {
	        {4, 2},             /* 64 bits */
	        {18, 62},           /* of another processor */
	        {44, 17},           /* more segments than the limit */
	        {42, 31},           /* headers of another size */
	        {MODULES_AT, 'M'},  /* no modules: a kernel with a PVH entry */
	        {NOTE_AT + 8, 17},  /* another note: GRUB's image for PV */
	        {116 + 18, 1},      /* 64 KiB of notes and more */
	        {116 + 7, 1},       /* notes beyond the end */
	        {NOTE_AT + 1, 255}, /* a note beyond its end */
	};
	_free_ uint8_t *p = image_make();

	assert_true(probe(p, SIZE));
	assert_false(probe(p, 60));
	assert_false(probe(p, 0));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		uint8_t was = p[changes[i].at];

		p[changes[i].at] = changes[i].byte;
		if (probe(p, SIZE))
			fail_msg("taken with byte %u as %u", changes[i].at, changes[i].byte);
		p[changes[i].at] = was;
	}
	assert_true(probe(p, SIZE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(images)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
