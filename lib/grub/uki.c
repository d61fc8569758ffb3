/* SPDX-License-Identifier: MIT */
#include "grub/uki.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/texts.h"

#define DOS_SIZE 64u
#define COFF_SIZE 24u /* with its magic */
#define SECTION_SIZE 40u
#define SECTION_NAME 8u
#define MACHINE_X64 0x8664u

struct image {
	struct grub_files *files;
	size_t dev;
	struct str path;
	uint64_t size;
};

static int read_at(const struct image *im, void *p, size_t n, uint64_t off, struct err *err)
{
	if (off > im->size || n > im->size - off)
		return err_set(err, ERR_FORMAT,
		               "%.*s: %zu bytes are needed at %" PRIu64
		               ", but there are only %" PRIu64,
		               STR_ARG(im->path), n, off, im->size);
	return im->files->ops->piece(im->files, &(struct grub_at){im->dev, im->path, off}, p, n,
	                             err);
}

static int image_open(struct grub_files *files, size_t dev, struct str path, struct image *out,
                      struct err *err)
{
	struct grub_stat st;
	int rc = file_check(files, dev, path, err);

	if (rc == 0)
		rc = files->ops->stat(files, dev, path, &st, err);
	if (rc == 0)
		*out = (struct image){files, dev, path, st.size};
	return rc;
}

/* Where the section headers are, and how many. 0, 1: it is no such program, or -ERR_*. */
static int headers_find(const struct image *im, uint64_t *at, unsigned *n, struct err *err)
{
	uint8_t dos[DOS_SIZE], coff[COFF_SIZE];
	uint64_t pe;
	int rc;

	if (im->size < DOS_SIZE)
		return 1;
	rc = read_at(im, dos, sizeof dos, 0, err);
	if (rc < 0)
		return rc;
	pe = get_le32(dos + 60);
	if (memcmp(dos, "MZ", 2) != 0 || pe > im->size || im->size - pe < COFF_SIZE)
		return 1;
	rc = read_at(im, coff, sizeof coff, pe, err);
	if (rc < 0)
		return rc;
	if (memcmp(coff, "PE\0\0", 4) != 0 || get_le16(coff + 4) != MACHINE_X64)
		return 1;
	*n = get_le16(coff + 6);
	*at = pe + COFF_SIZE + get_le16(coff + 20);
	if (*n > UKI_SECTIONS_MAX)
		return err_set(err, ERR_LIMIT, "%.*s: %u sections, more than the limit of %u",
		               STR_ARG(im->path), *n, UKI_SECTIONS_MAX);
	return 0;
}

static struct uki_part *part_of(struct uki *u, const uint8_t *name)
{
	static const struct {
		char name[SECTION_NAME + 1];
		size_t offset;
	} parts[] = {
	        {".linux", offsetof(struct uki, linux_)},
	        {".initrd", offsetof(struct uki, initrd)},
	        {".cmdline", offsetof(struct uki, cmdline)},
	        {".osrel", offsetof(struct uki, osrel)},
	        {".uname", offsetof(struct uki, uname)},
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (memcmp(name, parts[i].name, SECTION_NAME) == 0)
			return (struct uki_part *)((char *)u + parts[i].offset);
	return NULL;
}

/* The last of two sections of one name counts: the second is the profile's. */
static int section_take(const struct image *im, const uint8_t *h, struct uki *u, struct err *err)
{
	struct uki_part *part = part_of(u, h);
	uint64_t n = get_le32(h + 16), at = get_le32(h + 20), virtual_ = get_le32(h + 8);

	if (!part)
		return 0;
	/* The file's bytes are padded. */
	if (virtual_)
		n = MIN(n, virtual_);
	if (at > im->size || n > im->size - at)
		return err_set(err, ERR_FORMAT,
		               "%.*s: section %.8s of %" PRIu64 " bytes at %" PRIu64
		               " does not fit into %" PRIu64,
		               STR_ARG(im->path), (const char *)h, n, at, im->size);
	*part = (struct uki_part){at, n};
	return 0;
}

static int sections_take(const struct image *im, struct uki *u, struct err *err)
{
	unsigned n = 0, profiles = 0;
	uint64_t at = 0;
	int rc = headers_find(im, &at, &n, err);

	for (unsigned i = 0; rc == 0 && i < n; i++) {
		uint8_t h[SECTION_SIZE];

		rc = read_at(im, h, sizeof h, at + (uint64_t)i * SECTION_SIZE, err);
		if (rc == 0 && memcmp(h, ".profile", SECTION_NAME) == 0 && ++profiles > 1)
			break;
		if (rc == 0)
			rc = section_take(im, h, u, err);
	}
	return rc;
}

int uki_read(struct grub_files *files, size_t dev, struct str path, struct uki *out,
             struct err *err)
{
	struct uki u = {.linux_ = {0, 0}};
	struct image im;
	int rc = image_open(files, dev, path, &im, err);

	if (rc == 0)
		rc = sections_take(&im, &u, err);
	if (rc)
		return rc;
	if (!u.linux_.n)
		return 1;
	*out = u;
	return 0;
}

/* ---- its texts ------------------------------------------------------------ */

/* Appended, up to a NUL. */
static int text_get(struct grub_files *files, size_t dev, struct str path, struct uki_part part,
                    struct buf *out, struct err *err)
{
	size_t before = out->n;
	struct image im;
	char *p;
	int rc = image_open(files, dev, path, &im, err);

	if (rc < 0)
		return rc;
	if (part.n > UKI_TEXT_MAX)
		return err_set(err, ERR_LIMIT,
		               "%.*s: a text of %" PRIu64 " bytes, more than the limit of %u",
		               STR_ARG(path), part.n, UKI_TEXT_MAX);
	p = buf_zeros(out, (size_t)part.n);
	rc = read_at(&im, p, (size_t)part.n, part.at, err);
	out->n = before + (rc == 0 ? strnlen(p, (size_t)part.n) : 0);
	return rc;
}

int uki_cmdline(struct grub_files *files, size_t dev, struct str path, const struct uki *u,
                struct buf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = text_get(files, dev, path, u->cmdline, &text, err);
	struct str s;

	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ')
			text.p[i] = ' ';
	s = str_trim(buf_str(&text));
	buf_put(out, s.p ? s.p : "", s.n);
	return rc;
}

/* What os-release(5) says. */
struct osrel {
	struct str pretty, image_id, name, id, image_version, version, version_id, build_id;
};

static void osrel_parse(struct str text, struct osrel *out)
{
	struct {
		const char *key;
		struct str *to;
	} keys[] = {
	        {"PRETTY_NAME", &out->pretty},
	        {"IMAGE_ID", &out->image_id},
	        {"NAME", &out->name},
	        {"ID", &out->id},
	        {"IMAGE_VERSION", &out->image_version},
	        {"VERSION", &out->version},
	        {"VERSION_ID", &out->version_id},
	        {"BUILD_ID", &out->build_id},
	};

	*out = (struct osrel){.name = {NULL, 0}};
	while (text.p) {
		struct str line = str_trim(str_cut(&text, '\n')), value = line;
		struct str key = str_cut(&value, '=');

		for (size_t i = 0; value.p && i < ARRAY_LEN(keys); i++)
			if (str_is(key, keys[i].key))
				*keys[i].to = bls_unquoted(value);
	}
}

/* The first that is there; empty: none. */
static struct str first_of(const struct str *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].n)
			return v[i];
	return STR("");
}

static void line_put(struct buf *out, const char *key, struct str value)
{
	bool quoted = value.n && (*value.p == '"' || *value.p == '\'');

	if (!value.n)
		return;
	buf_putf(out, "%s %s", key, quoted ? "\"" : "");
	for (size_t i = 0; i < value.n; i++)
		buf_put(out, value.p[i] == '\r' ? " " : value.p + i, 1);
	buf_puts(out, quoted ? "\"\n" : "\n");
}

/* The entry as the text of a file of bls.h, which people can edit. */
static int body_put(struct grub_files *files, size_t dev, struct str path, const struct uki *u,
                    struct buf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT, cmdline = BUF_INIT, uname = BUF_INIT;
	struct osrel o;
	struct str name;
	int rc = text_get(files, dev, path, u->osrel, &text, err);

	if (rc == 0)
		rc = uki_cmdline(files, dev, path, u, &cmdline, err);
	if (rc == 0)
		rc = text_get(files, dev, path, u->uname, &uname, err);
	if (rc < 0)
		return rc;
	osrel_parse(buf_str(&text), &o);
	name = first_of((struct str[]){o.pretty, o.image_id, o.name, o.id}, 4);
	if (!name.n)
		return err_set(err, ERR_FORMAT, "its section .osrel names no system");
	line_put(out, "title", name);
	line_put(out, "version",
	         first_of((struct str[]){o.image_version, o.version, o.version_id, o.build_id,
	                                 str_trim(buf_str(&uname))},
	                  5));
	line_put(out, "sort-key", first_of((struct str[]){o.image_id, o.id}, 2));
	line_put(out, "uki", path);
	line_put(out, "options", buf_str(&cmdline));
	return 0;
}

int uki_entry(struct grub_files *files, size_t dev, struct str path, struct str name,
              struct bls_entry *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct uki u;
	int rc = uki_read(files, dev, path, &u, err);

	if (rc == 0)
		rc = body_put(files, dev, path, &u, &body, err);
	if (rc == 0)
		bls_parse(name, buf_str(&body), out);
	return rc;
}

/* ---- what it boots -------------------------------------------------------- */

static struct grub_boot_file file_of(size_t dev, struct str path, struct uki_part part)
{
	return (struct grub_boot_file){
	        .dev = dev, .path = str_dup(path), .part = true, .at = part.at, .n = part.n};
}

int uki_boot(struct grub_files *files, size_t dev, struct str path, struct grub_boot *boot,
             struct err *err)
{
	_cleanup_(buf_fini) struct buf cmdline = BUF_INIT;
	struct uki u;
	int rc = uki_read(files, dev, path, &u, err);

	if (rc == 1)
		return err_set(err, ERR_UNSUPPORTED,
		               "the entry boots the EFI program %.*s, which is no unified kernel "
		               "image for x86-64; a Xen guest needs a kernel",
		               STR_ARG(path));
	if (rc == 0 && !boot->args)
		rc = uki_cmdline(files, dev, path, &u, &cmdline, err);
	if (rc < 0)
		return rc;
	if (!boot->args) {
		buf_puts(&cmdline, "");
		boot->args = buf_steal(&cmdline);
	}
	free(boot->kernel.path);
	boot->kernel = file_of(dev, path, u.linux_);
	boot_drop_initrds(boot);
	if (!u.initrd.n)
		return 0;
	boot->initrds = xcalloc(1, sizeof *boot->initrds);
	boot->initrds[boot->initrd_count++] = file_of(dev, path, u.initrd);
	return 0;
}
