/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/extlinux.h"
#include "grub/extlinux_enter.h"
#include "grub/texts.h"

#include <string.h>
#include <strings.h>

void extlinux_path(const struct grub_menu *m, struct str name, struct buf *path)
{
	_cleanup_(buf_fini) struct buf full = BUF_INIT;
	struct str dir = dir_of(str_from(m->path));

	if (!str_starts(name, "/"))
		buf_putf(&full, "%.*s/", STR_ARG(dir));
	buf_put(&full, name.p, name.n);
	path_tidy(buf_str(&full), path);
}

/* The last of each kind of line counts. */
struct body {
	enum extlinux_word kind; /* of the kernel line: EXT_NONE, where there is none */
	struct str kernel, kernel_args, initrds, append, refused;
};

static struct body parse_body(struct str text)
{
	struct body b = {.kind = EXT_NONE};
	enum extlinux_word word;
	struct str rest, line;

	while (extlinux_line(&text, &word, &rest, &line)) {
		if (word == EXT_LINUX || word == EXT_KERNEL || word == EXT_CONFIG) {
			b.kind = word;
			b.kernel = extlinux_cut(&rest);
			b.kernel_args = rest;
		} else if (word == EXT_REFUSED) {
			b.kind = word;
			b.refused = line;
		} else if (word == EXT_INITRD) {
			b.initrds = rest;
		} else if (word == EXT_APPEND) {
			b.append = rest;
		}
	}
	return b;
}

static int set_file(struct grub_menu *m, struct str name, bool kernel, struct grub_boot *boot,
                    struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct grub_files *files = m->context->files;
	struct file_base base = {files, str_from(files->devices[m->dev].name), 1, m->dev};

	extlinux_path(m, name, &path);
	return kernel ? boot_set_kernel(boot, &base, buf_str(&path), err)
	              : boot_add_initrd(boot, &base, buf_str(&path), err);
}

static int set_initrds(struct grub_menu *m, struct str list, struct grub_boot *boot,
                       struct err *err)
{
	int rc = 0;

	while (rc == 0 && list.p) {
		struct str one = str_trim(str_cut(&list, ','));

		if (!one.n)
			continue;
		if (boot->initrd_count >= m->context->limits->initrds)
			return err_set(err, ERR_LIMIT, "more than %zu initrds",
			               m->context->limits->initrds);
		rc = set_file(m, one, false, boot, err);
	}
	return rc;
}

/* The arguments; an initrd= among them is taken out where no INITRD says it. */
static void put_args(struct buf *out, struct str args, struct str *initrds)
{
	while (args.n) {
		struct str word = extlinux_cut(&args);

		if (!initrds->n && str_starts(word, "initrd=")) {
			*initrds = str_drop(word, 7);
			continue;
		}
		if (out->n)
			buf_puts(out, " ");
		buf_put(out, word.p, word.n);
	}
}

/* "a.gz … --- kernel args --- initrd": Linux is the second of mboot.c32's modules. */
static bool split_modules(struct body *b)
{
	struct str part[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}}, rest = b->append;
	size_t n = 0;

	part[0] = (struct str){rest.p, 0};
	while (rest.n) {
		struct str word = extlinux_cut(&rest);

		if (!str_is(word, "---")) {
			part[n].n = (size_t)(word.p + word.n - part[n].p);
			continue;
		}
		if (++n >= ARRAY_LEN(part))
			break;
		part[n] = (struct str){rest.p, 0};
	}
	if (!part[1].n)
		return false;
	b->kind = EXT_LINUX;
	b->kernel = extlinux_cut(&part[1]);
	b->kernel_args = part[1];
	b->append = STR("");
	if (part[2].n)
		b->initrds = extlinux_cut(&part[2]);
	return true;
}

static bool has_suffix(struct str name, const char *suffix)
{
	size_t n = strlen(suffix);

	return name.n >= n && strncasecmp(name.p + name.n - n, suffix, n) == 0;
}

/* A KERNEL that is a program of syslinux's own. */
static bool is_program(struct str name)
{
	static const char *const suffixes[] = {".c32", ".com", ".cbt", ".bss",
	                                       ".bs",  ".bin", ".0",   ".img"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (has_suffix(name, suffixes[i]))
			return true;
	return false;
}

static int open_config(struct grub_menu *m, struct str name, struct grub_menu **next,
                       struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	int rc;

	extlinux_path(m, name, &path);
	rc = grub_menu_load(m->context->files, m->context->limits, GRUB_EXTLINUX, m->dev,
	                    buf_str(&path), next, err);
	return rc < 0 ? rc : 1;
}

static int open_submenu(struct grub_menu *m, const struct grub_entry *e, struct str body,
                        struct grub_menu **next, struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *sub = NULL;
	int rc;

	sub = menu_new(GRUB_EXTLINUX, m->context->files, m->context->limits, m->dev,
	               str_from(m->path));
	sub->part = true;
	if (e == &m->entries[grub_menu_default(m)]) /* where DEFAULT names a label below */
		set_text(&sub->default_, menu_spec_rest(str_from(m->default_)));
	rc = extlinux_load(sub, body, err);
	if (rc < 0)
		return rc;
	set_text(&sub->title, str_from(e->title));
	sub->timeout = GRUB_WAIT;
	*next = take(&sub);
	return 1;
}

static int boot_body(struct grub_menu *m, struct body *b, struct grub_boot *boot, struct err *err)
{
	struct buf args = BUF_INIT;
	int rc = set_file(m, b->kernel, true, boot, err);

	put_args(&args, b->kernel_args, &b->initrds);
	put_args(&args, b->append, &b->initrds);
	boot->args = buf_steal(&args);
	return rc < 0 ? rc : set_initrds(m, b->initrds, boot, err);
}

int extlinux_enter(struct grub_menu *m, const struct grub_entry *e, struct str body,
                   struct grub_boot *boot, struct grub_menu **next, struct err *err)
{
	struct body b = parse_body(body);
	struct str config = b.append;

	if (!m->context->files->device_count)
		return err_set(err, ERR_NOENT, "there are no disks");
	if (e->submenu)
		return open_submenu(m, e, body, next, err);
	if (b.kind == EXT_CONFIG)
		return open_config(m, b.kernel, next, err);
	if (b.kind == EXT_KERNEL && b.append.n &&
	    (has_suffix(b.kernel, "menu.c32") || has_suffix(b.kernel, "config.c32")))
		return open_config(m, extlinux_cut(&config), next, err);
	if (b.kind == EXT_KERNEL && has_suffix(b.kernel, "mboot.c32"))
		(void)split_modules(&b);
	if (b.kind == EXT_REFUSED || (b.kind == EXT_KERNEL && is_program(b.kernel)))
		return err_set(err, ERR_UNSUPPORTED,
		               "the entry boots by \"%.*s\"; a Xen guest needs a Linux kernel",
		               STR_ARG(b.kind == EXT_REFUSED ? b.refused : b.kernel));
	if (b.kind == EXT_NONE || !b.kernel.n)
		return err_set(err, ERR_FORMAT, "the entry names no kernel");
	return boot_body(m, &b, boot, err);
}
