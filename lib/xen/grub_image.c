/* SPDX-License-Identifier: MIT */
#include "xen/grub_image.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "xen/kernel_notes.h"

#define EHDR_SIZE 52
#define PHDR_SIZE 32
#define PHDRS_MAX 16u
#define PT_LOAD 1
#define PT_NOTE 4
#define EM_386 3

static bool read_at(const struct window *w, void *p, size_t n, uint64_t off)
{
	struct err unused = ERR_INIT;

	return window_read(w, p, n, off, &unused) == 0;
}

static bool begins_modules(const struct window *w, uint32_t off)
{
	uint8_t magic[4];

	return read_at(w, magic, sizeof magic, off) && memcmp(magic, "mimg", 4) == 0;
}

static bool names_entry(const struct window *w, uint32_t off, uint32_t n)
{
	_free_ uint8_t *p = NULL;
	struct kernel_notes notes = {.any = false};
	struct err unused = ERR_INIT;

	if (n > KERNEL_NOTES_MAX)
		return false;
	p = xmalloc(MAX(n, 1u));
	return read_at(w, p, n, off) && kernel_notes_parse(p, n, &notes, &unused) == 0 &&
	       notes.has_phys32;
}

bool grub_image_is_pvh(const struct window *w)
{
	uint8_t eh[EHDR_SIZE], ph[PHDR_SIZE];
	bool modules = false, entry = false;

	if (!read_at(w, eh, sizeof eh, 0) || memcmp(eh, "\177ELF\1\1", 6) != 0 ||
	    get_le16(eh + 18) != EM_386 || get_le16(eh + 42) != PHDR_SIZE ||
	    get_le16(eh + 44) > PHDRS_MAX)
		return false;
	for (unsigned i = 0; i < get_le16(eh + 44); i++) {
		uint32_t type, off;

		if (!read_at(w, ph, sizeof ph, (uint64_t)get_le32(eh + 28) + i * PHDR_SIZE))
			return false;
		type = get_le32(ph);
		off = get_le32(ph + 4);
		modules |= type == PT_LOAD && begins_modules(w, off);
		entry |= type == PT_NOTE && names_entry(w, off, get_le32(ph + 16));
	}
	return modules && entry;
}
