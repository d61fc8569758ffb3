/* SPDX-License-Identifier: MIT */
/* The report as text. Everything that the guest wrote is printed through inspector_put(). */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "inspector/generation_json.h"
#include "inspect/inspect.h"

#define LABEL_WIDTH 12

/* Print a line: a label in its column, then the text in b. b is emptied. */
static void line(const char *label, struct buf *b)
{
	printf("%-*s%s\n", LABEL_WIDTH, label, b->n ? b->p : "");
	buf_reset(b);
}

static void put_size(struct buf *b, uint64_t n)
{
	char text[16];

	buf_puts(b, str_human(n, text));
}

static void put_field(struct buf *b, const char *before, const char *text, const char *after)
{
	if (!*text)
		return;
	buf_puts(b, before);
	inspector_put(b, text);
	buf_puts(b, after);
}

/* ---- guest and disks ------------------------------------------------------ */

static void print_guest(const struct inspection *in)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	const struct xlcfg_guest *g = &in->args.cfg;

	if (in->args.config) {
		inspector_put(&b, g->name ? g->name : "(no name)");
		put_field(&b, ", ", inspection_type(in), "");
		if (g->memory)
			buf_putf(&b, ", %" PRIu64 " MiB", g->memory);
		put_field(&b, ", bootloader ", g->bootloader ? g->bootloader : "", "");
		put_field(&b, ", kernel ", g->kernel ? g->kernel : "", "");
		put_field(&b, ", GRUB ", in->args.grub ? in->args.grub : "", "");
		line("guest", &b);
	}
	if (in->known == DOMAIN_UNKNOWN)
		put_field(&b, "unknown: ", in->why, "");
	else if (in->known == DOMAIN_NONE)
		buf_puts(&b, "not running");
	else
		buf_putf(&b, "%s, id %d", in->state, in->domid);
	if (in->known == DOMAIN_THERE)
		put_field(&b, ", ", in->domain, "; its disks may change while they are read");
	line("domain", &b);
}

static void put_fs(struct buf *b, const json_t *o)
{
	const json_t *fs = json_object_get(o, "fileSystem");
	uint64_t size = inspector_number(fs, "size"), unused = inspector_number(fs, "free");

	if (!json_is_object(fs)) {
		put_field(b, "; ", inspector_text(o, "trouble"), "");
		return;
	}
	put_field(b, "; ", inspector_text(fs, "type"), "");
	put_field(b, " \"", inspector_text(fs, "label"), "\"");
	put_field(b, " ", inspector_text(fs, "uuid"), "");
	buf_puts(b, ", ");
	put_size(b, size - MIN(size, unused));
	buf_puts(b, " used, ");
	put_size(b, unused);
	buf_puts(b, " free");
	if (!inspector_true(fs, "clean"))
		buf_puts(b, ", not cleanly unmounted");
}

static void print_disk(const struct disk_argument *a, const json_t *o)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	const json_t *parts = json_object_get(o, "partitions");
	size_t n = json_array_size(parts);

	inspector_put(&b, a->path);
	put_field(&b, ", ", a->vdev, "");
	if (!a->raw) {
		put_field(&b, ", cannot be read: ", a->why, "");
		line("disk", &b);
		return;
	}
	buf_puts(&b, ", ");
	put_size(&b, inspector_number(o, "size"));
	if (n) {
		put_field(&b, ", ", inspector_text(o, "table"), "");
		put_field(&b, " ", inspector_text(o, "uuid"), "");
		put_field(&b, "; ", inspector_text(o, "trouble"), "");
	} else {
		put_fs(&b, o);
	}
	line("disk", &b);
	for (size_t i = 0; i < n; i++) {
		const json_t *p = json_array_get(parts, i);

		buf_putf(&b, "partition %" PRIu64 ", ", inspector_number(p, "number"));
		put_size(&b, inspector_number(p, "size"));
		buf_puts(&b, " at ");
		put_size(&b, inspector_number(p, "start"));
		put_field(&b, ", type ", inspector_text(p, "type"), "");
		put_field(&b, " \"", inspector_text(p, "label"), "\"");
		put_fs(&b, p);
		line("", &b);
	}
}

static void print_volumes(const json_t *list)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);

		inspector_put(&b, inspector_text(o, "device"));
		buf_puts(&b, ", ");
		put_size(&b, inspector_number(o, "size"));
		put_fs(&b, o);
		line(i ? "" : "volumes", &b);
	}
}

static void print_disks(const struct inspection *in)
{
	const json_t *looked = json_object_get(in->seen, "disks");
	size_t read = 0;

	for (size_t i = 0; i < in->args.n; i++)
		print_disk(&in->args.v[i],
		           in->args.v[i].raw ? json_array_get(looked, read++) : NULL);
}

/* ---- menu and kernels ----------------------------------------------------- */

static void print_detail(unsigned depth, const char *what, const char *text)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;

	if (!*text)
		return;
	buf_putf(&b, "%*s%-8s", (int)(2 * depth + 6), "", what);
	inspector_put(&b, text);
	line("", &b);
}

static void print_files(const json_t *e, unsigned depth)
{
	const json_t *initrds = json_object_get(e, "initrds");

	print_detail(depth, "kernel", inspector_text(e, "kernel"));
	for (size_t i = 0; i < json_array_size(initrds); i++) {
		const char *name = json_string_value(json_array_get(initrds, i));

		print_detail(depth, "initrd", name ? name : "");
	}
	print_detail(depth, "args", inspector_text(e, "args"));
}

static void print_entries(const json_t *list, unsigned depth, bool more)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		_cleanup_(buf_fini) struct buf b = BUF_INIT;
		const json_t *e = json_array_get(list, i), *below = json_object_get(e, "entries");
		bool chosen = inspector_true(e, "default");

		buf_putf(&b, "%*s%s ", (int)(2 * depth), "", chosen ? "*" : " ");
		inspector_put(&b, inspector_text(e, "title"));
		if (json_is_array(below))
			buf_puts(&b, " >");
		line("", &b);
		print_detail(depth, "error", inspector_text(e, "error"));
		if (chosen || more)
			print_files(e, depth);
		print_entries(below, depth + 1, more);
	}
}

static void print_menu(const struct inspection *in, bool more)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	const json_t *menu = json_object_get(in->seen, "menu");
	const json_t *warnings = json_object_get(menu, "warnings");
	json_int_t timeout = json_integer_value(json_object_get(menu, "timeoutMs"));

	if (!json_is_object(menu)) {
		put_field(&b, "none: ", inspector_text(in->seen, "menuError"), "");
		line("menu", &b);
		return;
	}
	inspector_put(&b, inspector_text(menu, "file"));
	if (timeout < 0)
		buf_puts(&b, ", waits for a choice");
	else
		buf_putf(&b, ", waits %.3g s", (double)timeout / 1000);
	line("menu", &b);
	print_entries(json_object_get(menu, "entries"), 0, more);
	for (size_t i = 0; i < json_array_size(warnings); i++) {
		const char *text = json_string_value(json_array_get(warnings, i));

		put_field(&b, "warning: ", text ? text : "", "");
		line("", &b);
	}
}

static const char *types_text(bool pv, bool pvh)
{
	if (pv)
		return pvh ? ", for PV and PVH" : ", for PV";
	return pvh ? ", for PVH" : ", not for Xen";
}

static void print_kernels(const struct inspection *in)
{
	json_t *kernels = json_object_get(in->seen, "kernels"), *k;
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	const char *name, *label = "kernels";

	json_object_foreach(kernels, name, k)
	{
		inspector_put(&b, name);
		put_field(&b, ": ", inspector_text(k, "release"), "");
		put_field(&b, ", ", inspector_text(k, "format"), "");
		if (inspector_true(k, "notesRead"))
			buf_puts(&b, types_text(inspector_true(k, "pv"), inspector_true(k, "pvh")));
		put_field(&b, "; ", inspector_text(k, "trouble"), "");
		line(label, &b);
		label = "";
	}
}

/* ---- NixOS ---------------------------------------------------------------- */

static void print_generations(const json_t *nixos)
{
	const json_t *list = json_object_get(nixos, "generations");
	_cleanup_(buf_fini) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *g = json_array_get(list, i);
		char when[32];

		buf_putf(
		        &b, "%4" PRIu64 "%c  %s", inspector_number(g, "generation"),
		        generation_mark(inspector_true(g, "default"), inspector_true(g, "current")),
		        generation_when((int64_t)inspector_number(g, "time"), when));
		put_field(&b, "  ", inspector_text(g, "version"), "");
		put_field(&b, "  kernel ", inspector_text(g, "kernelVersion"), "");
		put_field(&b, "  ", inspector_text(g, "description"), "");
		if (!inspector_true(g, "bootable"))
			buf_puts(&b, "  (cannot boot: parts are missing)");
		put_field(&b, "  (", generation_note(g), ")");
		line(i ? "" : "generations", &b);
	}
}

static void print_boot(const json_t *nixos)
{
	const json_t *boot = json_object_get(nixos, "boot");
	_cleanup_(buf_fini) struct buf b = BUF_INIT;

	generation_boot_text(boot, &b);
	if (generation_boot_differs(boot) && inspector_number(boot, "profileGeneration"))
		buf_putf(&b, "; the profile points at generation %" PRIu64,
		         inspector_number(boot, "profileGeneration"));
	line("boots", &b);
}

static void print_store(const json_t *nixos, bool paths)
{
	const json_t *list = json_object_get(nixos, "paths");
	const char *why = inspector_text(nixos, "databaseError");
	_cleanup_(buf_fini) struct buf b = BUF_INIT;

	if (*why) {
		put_field(&b, "unknown: ", why, "");
		line("store", &b);
		return;
	}
	buf_putf(&b, "%" PRIu64 " paths, ", inspector_number(nixos, "pathCount"));
	put_size(&b, inspector_number(nixos, "narBytes"));
	line("store", &b);
	for (size_t i = 0; paths && i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);

		buf_putf(&b, "%12" PRIu64 "  ", inspector_number(p, "narSize"));
		inspector_put(&b, inspector_text(p, "path"));
		puts(b.p);
		buf_reset(&b);
	}
}

void inspection_print(const struct inspection *in, bool paths, bool more)
{
	const json_t *nixos = json_object_get(in->seen, "nixos");
	_cleanup_(buf_fini) struct buf b = BUF_INIT;

	print_guest(in);
	print_disks(in);
	if (!in->seen)
		return;
	print_volumes(json_object_get(in->seen, "volumes"));
	print_menu(in, more);
	print_kernels(in);
	if (!json_is_object(nixos)) {
		put_field(&b, "none: ", inspector_text(in->seen, "nixosError"), "");
		line("NixOS", &b);
		return;
	}
	print_generations(nixos);
	print_boot(nixos);
	print_store(nixos, paths);
}
