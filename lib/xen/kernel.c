/* SPDX-License-Identifier: MIT */
/*
 * From the outside in: gzip around the file, bzImage, the compression of its
 * payload, the ELF file, its notes. The streams are sequential, so notes that lie
 * before the headers that refer to them need a second pass.
 */
#include "xen/kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define SETUP_SIZE 0x268
#define SETUP_MAGIC_AT 0x202
#define PROTOCOL_PAYLOAD 0x0208 /* the first with the payload's offset */
#define SECTOR 512

#define EHDR_SIZE 64
#define HEADERS_MAX 128 /* program or section headers that we look at */
#define PT_NOTE 4
#define SHT_NOTE 7
#define EM_386 3
#define EM_X86_64 62

/* An ELF file that is read sequentially, several times if needed. */
struct elf {
	struct window w; /* the packed bytes */
	enum unpack_kind packing;
	const struct kernel_limits *limits;
	struct unpack *u;
	uint64_t pos;
};

struct piece {
	uint64_t off, n;
};

struct headers {
	bool wide; /* 64 bits */
	uint64_t phoff, shoff;
	unsigned phsize, phcount, shsize, shcount;
};

static void elf_fini(struct elf *e)
{
	unpack_free(e->u);
}

static int elf_rewind(struct elf *e, struct err *err)
{
	unpack_free(take(&e->u));
	e->pos = 0;
	return unpack_new(e->packing, &e->w, (size_t)e->limits->memory, &e->u, err);
}

/* n bytes at off of the unpacked file. */
static int elf_read(struct elf *e, void *p, size_t n, uint64_t off, struct err *err)
{
	uint8_t waste[16384];
	size_t got;
	int rc = 0;

	if (off > e->limits->unpacked || n > e->limits->unpacked - off)
		return err_set(err, ERR_LIMIT, "byte %" PRIu64 " is over the limit of %" PRIu64,
		               off + n, e->limits->unpacked);
	if (e->packing == UNPACK_NONE)
		return window_read(&e->w, p, n, off, err);
	if (!e->u || off < e->pos)
		rc = elf_rewind(e, err);
	while (rc == 0 && e->pos < off) {
		rc = unpack_read(e->u, waste, (size_t)MIN(off - e->pos, sizeof waste), &got, err);
		if (rc == 0 && got == 0)
			rc = err_set(err, ERR_FORMAT, "the ELF file ends at %" PRIu64, e->pos);
		if (rc == 0)
			e->pos += got;
	}
	if (rc == 0)
		rc = unpack_read(e->u, p, n, &got, err);
	if (rc == 0 && got != n)
		rc = err_set(err, ERR_FORMAT, "the ELF file ends at %" PRIu64, e->pos + got);
	if (rc < 0)
		return rc;
	e->pos += n;
	return 0;
}

static int headers_get(const uint8_t *p, struct kernel_info *k, struct headers *h, struct err *err)
{
	struct bytes b = bytes_over(p, EHDR_SIZE);
	unsigned machine;

	if (memcmp(p, "\177ELF", 4) != 0)
		return err_set(err, ERR_FORMAT, "the decompressed kernel is not an ELF file");
	if ((p[4] != 1 && p[4] != 2) || p[5] != 1)
		return err_set(err, ERR_FORMAT, "unsupported ELF class %u or byte order %u", p[4],
		               p[5]);
	h->wide = p[4] == 2;
	bytes_seek(&b, 18);
	machine = bytes_le16(&b);
	bytes_seek(&b, h->wide ? 32 : 28);
	h->phoff = h->wide ? bytes_le64(&b) : bytes_le32(&b);
	h->shoff = h->wide ? bytes_le64(&b) : bytes_le32(&b);
	bytes_skip(&b, 6);
	h->phsize = bytes_le16(&b);
	h->phcount = bytes_le16(&b);
	h->shsize = bytes_le16(&b);
	h->shcount = bytes_le16(&b);
	k->bits = h->wide ? 64 : 32;
	k->x86 = machine == EM_386 || machine == EM_X86_64;
	return 0;
}

static bool phdr_note(const struct headers *h, const uint8_t *p, struct piece *out)
{
	out->off = h->wide ? get_le64(p + 8) : get_le32(p + 4);
	out->n = h->wide ? get_le64(p + 32) : get_le32(p + 16);
	return get_le32(p) == PT_NOTE && out->off != 0;
}

static bool shdr_note(const struct headers *h, const uint8_t *p, struct piece *out)
{
	out->off = h->wide ? get_le64(p + 24) : get_le32(p + 16);
	out->n = h->wide ? get_le64(p + 32) : get_le32(p + 20);
	return get_le32(p + 4) == SHT_NOTE;
}

/*
 * The notes that the first HEADERS_MAX program or section headers refer to, in
 * order of offset. Returns how many.
 */
static int pieces_find(struct elf *e, const struct headers *h, bool sections,
                       struct piece out[static HEADERS_MAX], struct err *err)
{
	unsigned size = sections ? h->shsize : h->phsize;
	unsigned count = MIN(sections ? h->shcount : h->phcount, HEADERS_MAX);
	unsigned least = sections ? (h->wide ? 64 : 40) : (h->wide ? 56 : 32);
	_free_ uint8_t *table = NULL;
	int rc, n = 0;

	if (count == 0)
		return 0;
	if (size < least || size > 256)
		return err_set(err, ERR_FORMAT, "ELF headers of %u bytes each", size);
	table = xmalloc((size_t)count * size);
	rc = elf_read(e, table, (size_t)count * size, sections ? h->shoff : h->phoff, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *p = table + (size_t)i * size;
		struct piece one;
		int at = n;

		if (!(sections ? shdr_note(h, p, &one) : phdr_note(h, p, &one)))
			continue;
		for (; at > 0 && out[at - 1].off > one.off; at--)
			out[at] = out[at - 1];
		out[at] = one;
		n++;
	}
	return n;
}

static int notes_read(struct elf *e, const struct headers *h, struct kernel_info *k,
                      struct err *err)
{
	struct piece piece[HEADERS_MAX];
	int n = pieces_find(e, h, false, piece, err);

	/* Xen uses the sections only if no segment has notes. */
	if (n == 0)
		n = pieces_find(e, h, true, piece, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		_free_ uint8_t *p = NULL;
		int rc;

		if (piece[i].n > KERNEL_NOTES_MAX)
			return err_set(err, ERR_LIMIT,
			               "%" PRIu64 " bytes of ELF notes, more than the limit of %d",
			               piece[i].n, KERNEL_NOTES_MAX);
		p = xmalloc((size_t)piece[i].n);
		rc = elf_read(e, p, (size_t)piece[i].n, piece[i].off, err);
		if (rc == 0)
			rc = kernel_notes_parse(p, (size_t)piece[i].n, &k->notes, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The dictionary size in the first block header (The .xz File Format, 3.1). */
static uint64_t xz_dictionary(const uint8_t *p, size_t n)
{
	struct bytes b = bytes_over(p, n);
	unsigned flags;

	bytes_seek(&b, 13);
	flags = bytes_u8(&b);
	for (unsigned bit = 0x40; bit <= 0x80; bit <<= 1)
		while (flags & bit && bytes_u8(&b) & 0x80)
			continue;
	for (unsigned i = 0; i <= (flags & 3); i++) {
		uint8_t id = bytes_u8(&b), size = bytes_u8(&b);
		const uint8_t *v = bytes_take(&b, size);

		if (v && id == 0x21 && size == 1 && *v <= 40)
			return *v == 40 ? UINT32_MAX : (2ull | (*v & 1)) << (*v / 2 + 11);
	}
	return 0;
}

static int elf_look(const struct window *w, const struct kernel_limits *limits,
                    struct kernel_info *k, struct err *err)
{
	_cleanup_(elf_fini) struct elf e = {.w = *w, .limits = limits};
	uint8_t start[EHDR_SIZE] = {0};
	struct headers h;
	size_t n = (size_t)MIN(w->size, sizeof start);
	int rc = window_read(w, start, n, 0, err);

	if (rc < 0)
		return rc;
	e.packing = k->packing = unpack_probe(start, n);
	if (e.packing == UNPACK_XZ)
		k->xz_dictionary = xz_dictionary(start, n);
	if (e.packing == UNPACK_UNKNOWN)
		return err_set(err, ERR_FORMAT, "unknown kernel compression");
	if (limits->packing_only)
		return 0;
	rc = elf_read(&e, start, sizeof start, 0, err);
	if (rc == 0)
		rc = headers_get(start, k, &h, err);
	return rc < 0 ? rc : notes_read(&e, &h, k, err);
}

static void release_read(const struct window *w, const uint8_t *setup, struct kernel_info *k)
{
	struct err unused = ERR_INIT;
	uint16_t at = get_le16(setup + 0x20e);
	size_t n = sizeof k->release - 1;

	if (!at || (uint64_t)at + 0x200 >= w->size)
		return;
	n = (size_t)MIN(n, w->size - at - 0x200);
	if (window_read(w, k->release, n, at + 0x200u, &unused) < 0)
		n = 0;
	k->release[n] = '\0';
}

static int bzimage_look(const struct window *w, const struct kernel_limits *limits,
                        struct kernel_info *k, struct err *err)
{
	uint8_t setup[SETUP_SIZE];
	struct window payload;
	uint64_t start;
	int rc = window_read(w, setup, sizeof setup, 0, err);

	if (rc < 0)
		return rc;
	k->kind = KERNEL_BZIMAGE;
	k->protocol = get_le16(setup + 0x206);
	if (k->protocol < PROTOCOL_PAYLOAD)
		return err_set(err, ERR_UNSUPPORTED,
		               "boot protocol %u.%02u, Xen requires 2.08 or later",
		               k->protocol >> 8, k->protocol & 255);
	release_read(w, setup, k);
	/* 0 means 4 (Documentation/arch/x86/boot.rst). */
	start = ((setup[0x1f1] ? setup[0x1f1] : 4) + 1u) * SECTOR;
	rc = window_sub(w, start + get_le32(setup + 0x248), get_le32(setup + 0x24c), &payload, err);
	return rc < 0 ? err_prefix(err, "payload") : elf_look(&payload, limits, k, err);
}

static bool bzimage_probe(const struct window *w)
{
	struct err unused = ERR_INIT;
	uint8_t magic[4];

	return w->size >= SETUP_SIZE &&
	       window_read(w, magic, sizeof magic, SETUP_MAGIC_AT, &unused) == 0 &&
	       memcmp(magic, "HdrS", 4) == 0;
}

/* Only an ELF file may be compressed with gzip; a bzImage is compressed already. */
static int file_look(const struct window *w, const struct kernel_limits *limits,
                     struct kernel_info *k, struct err *err)
{
	uint8_t magic[UNPACK_MAGIC_SIZE] = {0};
	size_t n = (size_t)MIN(w->size, sizeof magic);
	enum unpack_kind kind;
	int rc;

	if (bzimage_probe(w))
		return bzimage_look(w, limits, k, err);
	rc = window_read(w, magic, n, 0, err);
	if (rc < 0)
		return rc;
	kind = unpack_probe(magic, n);
	if (kind != UNPACK_NONE && kind != UNPACK_GZIP)
		return err_set(err, ERR_FORMAT, "neither a bzImage nor an ELF file");
	k->gzipped = kind == UNPACK_GZIP;
	rc = elf_look(w, limits, k, err);
	if (k->bits || (rc == 0 && limits->packing_only))
		k->kind = KERNEL_ELF;
	return rc;
}

int kernel_read(const struct window *w, const struct kernel_limits *limits, struct kernel_info *out,
                struct err *err)
{
	static const struct kernel_limits usual = {.unpacked = KERNEL_UNPACKED_MAX,
	                                           .memory = KERNEL_MEMORY_MAX};
	struct kernel_info k = {0};
	int rc = file_look(w, limits ? limits : &usual, &k, err);

	if (rc == -ERR_IO)
		return rc;
	k.notes_read = rc == 0 && !(limits && limits->packing_only);
	if (rc < 0)
		snprintf(k.trouble, sizeof k.trouble, "%.*s", (int)sizeof k.trouble - 1, err->text);
	*out = k;
	return 0;
}

static unsigned line(struct buf *out, const char *text)
{
	buf_puts(out, text);
	buf_puts(out, "\n");
	return 1;
}

unsigned kernel_advise_packing(const struct kernel_info *k, unsigned xen, struct buf *out)
{
	char text[160];

	switch (k->packing) {
	case UNPACK_ZSTD:
		if (xen && xen >= (4 << 16 | 15))
			return 0;
		return line(out, "the kernel is compressed with zstd, which Xen before 4.15 does "
		                 "not support");
	case UNPACK_BZIP2:
	case UNPACK_LZO:
		snprintf(
		        text, sizeof text,
		        "the kernel is compressed with %s, which many builds of Xen do not support",
		        unpack_name(k->packing));
		return line(out, text);
	case UNPACK_XZ:
		if (k->xz_dictionary <= 128u << 20)
			return 0;
		return line(out, "the kernel is compressed with xz and a dictionary over 128 MiB, "
		                 "which Xen before 4.18.5, 4.19.2 and 4.20 does not support");
	default:
		return 0;
	}
}

unsigned kernel_advise_notes(const struct kernel_info *k, struct buf *out)
{
	char pv[KERNEL_TEXT_MAX + 128] = "", pvh[KERNEL_TEXT_MAX + 128] = "";
	char text[2 * (KERNEL_TEXT_MAX + 128) + 128];

	if (!k->notes_read) {
		snprintf(text, sizeof text, "the kernel could not be checked: %s", k->trouble);
		return line(out, text);
	}
	if (!k->x86)
		return line(out, "the kernel is not for x86");
	if (kernel_notes_pv(&k->notes, pv, sizeof pv) ||
	    kernel_notes_pvh(&k->notes, pvh, sizeof pvh))
		return 0;
	snprintf(text, sizeof text,
	         "the kernel cannot boot as a Xen guest: not PV: %s; not PVH: %s", pv, pvh);
	return line(out, text);
}

unsigned kernel_advise(const struct kernel_info *k, unsigned xen, struct buf *out)
{
	unsigned n = kernel_advise_packing(k, xen, out);

	return n + kernel_advise_notes(k, out);
}

const char *kernel_describe(const struct kernel_info *k, char out[static 64])
{
	static const char *const kinds[] = {"unknown", "bzImage", "ELF"};

	snprintf(out, 64, "%s (%s)", kinds[k->kind], unpack_name(k->packing));
	return out;
}
