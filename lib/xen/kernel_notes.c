/* SPDX-License-Identifier: MIT */
#include "xen/kernel_notes.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	NOTE_XEN_VERSION = 5,
	NOTE_GUEST_OS = 6,
	NOTE_GUEST_VERSION = 7,
	NOTE_LOADER = 8,
	NOTE_FEATURES = 10,
	NOTE_SUPPORTED = 17,
	NOTE_PHYS32 = 18,
};

/* The features that Xen's loader knows; it refuses a kernel that requires another one. */
static const char *const features_known[] = {
        "writable_page_tables",
        "writable_descriptor_tables",
        "auto_translated_physmap",
        "supervisor_mode_kernel",
        "pae_pgdir_above_4gb",
        "hvm_callback_vector",
        "dom0",
};

static void text_get(char out[static KERNEL_TEXT_MAX], const uint8_t *p, size_t n)
{
	size_t m = strnlen((const char *)p, MIN(n, KERNEL_TEXT_MAX - 1));

	memcpy(out, p, m);
	out[m] = '\0';
}

static uint64_t number_get(const uint8_t *p, size_t n)
{
	if (n >= 8)
		return get_le64(p);
	return n >= 4 ? get_le32(p) : 0;
}

static void note_take(struct kernel_notes *k, uint32_t type, const uint8_t *p, size_t n)
{
	const struct {
		uint32_t type;
		char *text;
	} texts[] = {
	        {NOTE_XEN_VERSION, k->xen_version},     {NOTE_GUEST_OS, k->guest_os},
	        {NOTE_GUEST_VERSION, k->guest_version}, {NOTE_LOADER, k->loader},
	        {NOTE_FEATURES, k->features},
	};

	k->any = true;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].type == type)
			text_get(texts[i].text, p, n);
	if (type == NOTE_PHYS32) {
		k->has_phys32 = true;
		k->phys32 = number_get(p, n);
	}
	if (type == NOTE_SUPPORTED) {
		k->has_supported = true;
		k->supported = (uint32_t)number_get(p, n);
	}
}

static void skip_padding(struct bytes *b)
{
	size_t odd = b->pos % 4;

	/* The last note's padding may be missing. */
	if (odd)
		bytes_skip(b, MIN(4 - odd, bytes_left(b)));
}

int kernel_notes_parse(const void *p, size_t n, struct kernel_notes *notes, struct err *err)
{
	struct bytes b = bytes_over(p, n);

	while (bytes_left(&b) >= 12) {
		uint32_t name_n = bytes_le32(&b);
		uint32_t data_n = bytes_le32(&b);
		uint32_t type = bytes_le32(&b);
		const uint8_t *name = bytes_take(&b, name_n), *data;

		skip_padding(&b);
		data = bytes_take(&b, data_n);
		if (!bytes_ok(&b))
			return err_set(
			        err, ERR_FORMAT,
			        "ELF note with %u bytes of name and %u of data exceeds its section",
			        name_n, data_n);
		skip_padding(&b);
		if (name_n == 4 && memcmp(name, "Xen", 4) == 0)
			note_take(notes, type, data, data_n);
	}
	return 0;
}

static bool known(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(features_known); i++)
		if (str_is(name, features_known[i]))
			return true;
	return false;
}

static bool features_fit(const struct kernel_notes *k, char *why, size_t n)
{
	struct str rest = str_from(k->features);

	while (rest.p) {
		struct str one = str_cut(&rest, '|');

		if (!one.n || one.p[0] != '!')
			continue;
		one = str_drop(one, 1);
		if (str_is(one, "dom0")) {
			snprintf(why, n, "it supports dom0 only");
			return false;
		}
		if (!known(one)) {
			snprintf(why, n, "it requires the unknown Xen feature \"%.*s\"",
			         STR_ARG(one));
			return false;
		}
	}
	return true;
}

bool kernel_notes_pv(const struct kernel_notes *k, char *why, size_t n)
{
	if (!k->any) {
		snprintf(why, n, "it has no Xen ELF notes");
		return false;
	}
	if (strcmp(k->guest_os, "linux") != 0 && !str_starts(str_from(k->loader), "generic")) {
		snprintf(why, n, "its notes name neither the guest \"linux\" nor a generic loader");
		return false;
	}
	if (strcmp(k->xen_version, "xen-3.0") != 0) {
		snprintf(why, n, "its notes say Xen version \"%s\", not \"xen-3.0\"",
		         k->xen_version);
		return false;
	}
	return features_fit(k, why, n);
}

bool kernel_notes_pvh(const struct kernel_notes *k, char *why, size_t n)
{
	if (k->has_phys32)
		return true;
	snprintf(why, n, "%s",
	         k->any ? "its Xen ELF notes name no 32-bit entry" : "it has no Xen ELF notes");
	return false;
}
