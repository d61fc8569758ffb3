/* SPDX-License-Identifier: MIT */
/* Generated kernels: an ELF file with notes, compressed in each way, in a bzImage. */
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "xen/kernel.h"

#define ELF_SIZE (1u << 20)
#define NOTES_AT 700000u

struct note {
	uint32_t type;
	const char *text; /* NULL: the number */
	uint64_t number;
};

static void note_put(struct buf *b, const char *name, const struct note *n)
{
	size_t size = n->text ? strlen(n->text) + 1 : 8;

	buf_le32(b, (uint32_t)strlen(name) + 1);
	buf_le32(b, (uint32_t)size);
	buf_le32(b, n->type);
	buf_put(b, name, strlen(name) + 1);
	buf_zeros(b, -b->n % 4);
	if (n->text)
		buf_put(b, n->text, size);
	else
		buf_le64(b, n->number);
	buf_zeros(b, -b->n % 4);
}

static const struct note linux_notes[] = {
        {6, "linux", 0},       {7, "2.6", 0},
        {5, "xen-3.0", 0},     {10, "!writable_page_tables|pae_pgdir_above_4gb", 0},
        {17, NULL, 0x8801},    {8, "generic", 0},
        {18, NULL, 0x1000200},
};

/* 64 bits; the notes in a segment, or in a section whose headers are at the end of
 * the file. */
static uint8_t *elf_make(const struct note *notes, size_t n, bool section)
{
	struct note other = {18, "not ours", 0};
	struct buf b = BUF_INIT;
	uint8_t *p = xcalloc(1, ELF_SIZE);
	uint8_t *h;

	for (unsigned i = 0; i < ELF_SIZE; i++)
		p[i] = (uint8_t)(i * 2654435761u >> 24); /* packs badly */
	note_put(&b, "GNU", &other);
	for (size_t i = 0; i < n; i++)
		note_put(&b, "Xen", &notes[i]);
	memcpy(p + NOTES_AT, buf_str(&b).p, b.n);
	memset(p, 0, 64 + 2 * 64);
	memcpy(p, "\177ELF\2\1\1", 7);
	put_le16(p + 18, 62);
	put_le16(p + 54, 56);
	put_le16(p + 58, 64);
	if (section) {
		put_le64(p + 40, ELF_SIZE - 128);
		put_le16(p + 60, 2);
		h = p + ELF_SIZE - 128;
		memset(h, 0, 128);
		put_le32(h + 64 + 4, 7);
		put_le64(h + 64 + 24, NOTES_AT);
		put_le64(h + 64 + 32, b.n);
	} else {
		put_le64(p + 32, 64);
		put_le16(p + 56, 2);
		h = p + 64 + 56;
		put_le32(h, 4);
		put_le64(h + 8, NOTES_AT);
		put_le64(h + 32, b.n);
	}
	buf_fini(&b);
	return p;
}

static void pack_gzip(struct buf *out, const uint8_t *p)
{
	z_stream z = {0};
	size_t cap = ELF_SIZE * 2;

	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, 0), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = ELF_SIZE;
	z.next_out = buf_zeros(out, cap);
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->n -= z.avail_out;
	deflateEnd(&z);
}

static void pack_xz(struct buf *out, const uint8_t *p)
{
	size_t cap = ELF_SIZE * 2, at = 0;
	uint8_t *to = buf_zeros(out, cap);

	assert_int_equal(
	        lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, p, ELF_SIZE, to, &at, cap),
	        LZMA_OK);
	out->n = at;
	buf_le32(out, ELF_SIZE);
}

static void pack_lzma(struct buf *out, const uint8_t *p)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma o;
	size_t cap = ELF_SIZE * 2;

	lzma_lzma_preset(&o, 1);
	assert_int_equal(lzma_alone_encoder(&s, &o), LZMA_OK);
	s.next_in = p;
	s.avail_in = ELF_SIZE;
	s.next_out = buf_zeros(out, cap);
	s.avail_out = cap;
	assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
	out->n -= s.avail_out;
	lzma_end(&s);
	buf_le32(out, ELF_SIZE);
}

static void pack_zstd(struct buf *out, const uint8_t *p)
{
	size_t cap = ZSTD_compressBound(ELF_SIZE);

	out->n = ZSTD_compress(buf_zeros(out, cap), cap, p, ELF_SIZE, 3);
	buf_le32(out, ELF_SIZE);
}

static void pack_lz4(struct buf *out, const uint8_t *p)
{
	char *to;
	int n;

	buf_put(out, "\x02\x21\x4c\x18", 4);
	to = buf_zeros(out, 4 + (size_t)LZ4_COMPRESSBOUND(ELF_SIZE));
	n = LZ4_compress_default((const char *)p, to + 4, ELF_SIZE, LZ4_COMPRESSBOUND(ELF_SIZE));
	put_le32(to, (uint32_t)n);
	out->n = 8 + (size_t)n;
	buf_le32(out, ELF_SIZE);
}

static void pack_none(struct buf *out, const uint8_t *p)
{
	buf_put(out, p, ELF_SIZE);
}

static void pack_bzip2(struct buf *out, const uint8_t *p)
{
	buf_puts(out, "BZh91AY&SY");
	buf_put(out, p, 100);
}

static const struct {
	enum unpack_kind kind;
	void (*pack)(struct buf *out, const uint8_t *p);
} packers[] = {
        {UNPACK_NONE, pack_none}, {UNPACK_GZIP, pack_gzip}, {UNPACK_XZ, pack_xz},
        {UNPACK_LZMA, pack_lzma}, {UNPACK_ZSTD, pack_zstd}, {UNPACK_LZ4, pack_lz4},
};

static void bzimage_make(struct buf *out, const struct buf *payload)
{
	uint8_t *p = buf_zeros(out, 5 * 512 + 32);

	p[0x1f1] = 3;
	memcpy(p + 0x202, "HdrS", 4);
	put_le16(p + 0x206, 0x20f);
	put_le16(p + 0x20e, 0x100);
	memcpy(p + 0x300, "6.12.40 (build) #1", 18);
	put_le32(p + 0x248, 512 + 32);
	put_le32(p + 0x24c, (uint32_t)payload->n);
	buf_put(out, payload->p, payload->n);
}

static void look(const struct buf *b, const struct kernel_limits *limits, struct kernel_info *k)
{
	struct err err = ERR_INIT;
	struct source_mem src;
	struct window w;

	source_mem_init(&src, b->p, b->n);
	w = window_over(&src.src, b->n, "kernel");
	assert_ok(kernel_read(&w, limits, k, &err), &err);
}

static void every_packing(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_LEN(packers); i++) {
		uint8_t *elf = elf_make(linux_notes, ARRAY_LEN(linux_notes), i & 1);
		struct buf payload = BUF_INIT, image = BUF_INIT, advice = BUF_INIT;
		struct kernel_info k;

		packers[i / 2].pack(&payload, elf);
		bzimage_make(&image, &payload);
		look(&image, NULL, &k);
		assert_string_equal(k.trouble, "");
		assert_true(k.notes_read);
		assert_int_equal(k.kind, KERNEL_BZIMAGE);
		assert_int_equal(k.packing, packers[i / 2].kind);
		assert_int_equal(k.bits, 64);
		assert_string_equal(k.release, "6.12.40 (build) #1");
		assert_string_equal(k.notes.xen_version, "xen-3.0");
		assert_int_equal(k.notes.phys32, 0x1000200);
		assert_int_equal(k.notes.supported, 0x8801);
		assert_int_equal(kernel_advise(&k, 4 << 16 | 17, &advice), 0);
		assert_int_equal(kernel_advise(&k, 0, &advice), k.packing == UNPACK_ZSTD);
		assert_int_equal(kernel_advise(&k, 4 << 16 | 14, &advice),
		                 k.packing == UNPACK_ZSTD);
		free(elf);
		buf_fini(&payload);
		buf_fini(&image);
		buf_fini(&advice);
	}
}

/* The first bytes of a payload are enough to detect its compression. */
static void packing_only(void **state)
{
	const struct kernel_limits outside = {.packing_only = true};

	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		uint8_t *elf = elf_make(linux_notes, ARRAY_LEN(linux_notes), false);
		struct buf payload = BUF_INIT, image = BUF_INIT;
		struct kernel_info k;

		packers[i].pack(&payload, elf);
		payload.n = 64;
		bzimage_make(&image, &payload);
		look(&image, &outside, &k);
		assert_string_equal(k.trouble, "");
		assert_false(k.notes_read);
		assert_int_equal(k.kind, KERNEL_BZIMAGE);
		assert_int_equal(k.packing, packers[i].kind);
		look(&image, NULL, &k);
		assert_string_not_equal(k.trouble, "");
		free(elf);
		buf_fini(&payload);
		buf_fini(&image);
	}
}

static void plain_elf(void **state)
{
	uint8_t *elf = elf_make(linux_notes, ARRAY_LEN(linux_notes), false);
	struct buf b = BUF_INIT;
	struct kernel_info k;
	char text[64];

	pack_none(&b, elf);
	look(&b, NULL, &k);
	assert_int_equal(k.kind, KERNEL_ELF);
	assert_true(k.notes_read);
	assert_false(k.gzipped);
	buf_reset(&b);
	pack_gzip(&b, elf);
	look(&b, NULL, &k);
	assert_true(k.gzipped);
	assert_true(k.notes_read);
	assert_string_equal(kernel_describe(&k, text), "ELF (gzip)");
	buf_fini(&b);
	free(elf);
}

static void verdicts(void **state)
{
	static const struct {
		struct note n[4];
		bool pv, pvh;
		const char *words;
	} table[] = {
	        {{{0}}, false, false, "not PV: it has no Xen ELF notes; not PVH: it has no Xen"},
	        {{{6, "linux", 0}, {5, "xen-3.0", 0}}, true, false, ""},
	        {{{8, "generic2", 0}, {5, "xen-3.0", 0}}, true, false, ""},
	        {{{18, NULL, 1}}, false, true, ""},
	        {{{6, "netbsd", 0}, {5, "xen-3.0", 0}},
	         false,
	         false,
	         "neither the guest \"linux\" nor a generic loader; not PVH: its Xen ELF notes "
	         "name"},
	        {{{6, "linux", 0}, {5, "xen-2.0\x1b", 0}},
	         false,
	         false,
	         "say Xen version \"xen-2.0\x1b\", not"},
	        {{{6, "linux", 0}, {5, "xen-3.0", 0}, {10, "!hot|x", 0}},
	         false,
	         false,
	         "feature \"hot\""},
	        {{{6, "linux", 0}, {5, "xen-3.0", 0}, {10, "hot|!dom0", 0}},
	         false,
	         false,
	         "supports dom0 only"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		size_t n = 0;
		uint8_t *elf;
		struct buf b = BUF_INIT, advice = BUF_INIT;
		struct kernel_info k;
		char why[512];

		while (n < 4 && table[i].n[n].type)
			n++;
		elf = elf_make(table[i].n, n, false);
		pack_none(&b, elf);
		look(&b, NULL, &k);
		assert_true(k.notes_read);
		assert_int_equal(kernel_notes_pv(&k.notes, why, sizeof why), table[i].pv);
		assert_int_equal(kernel_notes_pvh(&k.notes, why, sizeof why), table[i].pvh);
		assert_int_equal(kernel_advise(&k, 0, &advice), !table[i].pv && !table[i].pvh);
		if (!strstr(buf_str(&advice).p, table[i].words))
			fail_msg("\"%s\" does not say \"%s\"", advice.p, table[i].words);
		free(elf);
		buf_fini(&b);
		buf_fini(&advice);
	}
}

static void trouble(const struct buf *b, const struct kernel_limits *limits, const char *words)
{
	struct kernel_info k;

	look(b, limits, &k);
	assert_false(k.notes_read);
	if (!strstr(k.trouble, words))
		fail_msg("\"%s\" does not say \"%s\"", k.trouble, words);
}

static void refused(void **state)
{
	const struct kernel_limits small = {.unpacked = 100000, .memory = KERNEL_MEMORY_MAX};
	const struct kernel_limits poor = {.unpacked = KERNEL_UNPACKED_MAX, .memory = 100000};
	uint8_t *elf = elf_make(linux_notes, ARRAY_LEN(linux_notes), false);
	struct buf payload = BUF_INIT, image = BUF_INIT;

	trouble(&image, NULL, "neither a bzImage nor an ELF file");
	buf_puts(&image, "#!/bin/sh\n");
	trouble(&image, NULL, "neither a bzImage nor an ELF file");
	buf_reset(&image);
	pack_bzip2(&payload, elf);
	bzimage_make(&image, &payload);
	trouble(&image, NULL, "unsupported compression: bzip2");
	put_le16(image.p + 0x206, 0x207);
	trouble(&image, NULL, "boot protocol 2.07");
	buf_reset(&image);
	buf_reset(&payload);
	pack_xz(&payload, elf);
	bzimage_make(&image, &payload);
	trouble(&image, &small, "over the limit of 100000");
	trouble(&image, &poor, "bytes of memory");
	put_le32(image.p + 0x24c, (uint32_t)payload.n / 2);
	trouble(&image, NULL, "truncated");
	put_le32(image.p + 0x24c, (uint32_t)payload.n + 1);
	trouble(&image, NULL, "payload: kernel: a range");
	image.p[5 * 512 + 32] = 0;
	put_le32(image.p + 0x24c, (uint32_t)payload.n);
	trouble(&image, NULL, "unknown kernel compression");
	buf_reset(&image);
	put_le32(elf + NOTES_AT, 0x7fffffff);
	pack_none(&image, elf);
	trouble(&image, NULL, "exceeds its section");
	put_le64((uint8_t *)image.p + 64 + 56 + 32, KERNEL_NOTES_MAX + 1);
	trouble(&image, NULL, "bytes of ELF notes");
	put_le16(image.p + 54, 55);
	trouble(&image, NULL, "headers of 55 bytes");
	free(elf);
	buf_fini(&payload);
	buf_fini(&image);
}

/* 128 MiB, and the next larger size, which is used by Linux 6.12 and later. */
static void xz_dictionaries(void **state)
{
	static const struct {
		uint8_t code;
		bool advice;
	} table[] = {{30, false}, {31, true}};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint8_t *elf = elf_make(linux_notes, ARRAY_LEN(linux_notes), false);
		struct buf payload = BUF_INIT, image = BUF_INIT, advice = BUF_INIT;
		struct kernel_info k;
		char *code;

		pack_xz(&payload, elf);
		code = memchr(payload.p + 13, 0x21, 20);
		assert_non_null(code);
		code[2] = (char)table[i].code;
		bzimage_make(&image, &payload);
		look(&image, NULL, &k);
		k.notes_read = true;
		kernel_advise(&k, 0, &advice);
		assert_int_equal(strstr(buf_str(&advice).p, "over 128 MiB") != NULL,
		                 table[i].advice);
		free(elf);
		buf_fini(&payload);
		buf_fini(&image);
		buf_fini(&advice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_packing),   cmocka_unit_test(plain_elf),
	        cmocka_unit_test(verdicts),        cmocka_unit_test(refused),
	        cmocka_unit_test(xz_dictionaries), cmocka_unit_test(packing_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
