/* SPDX-License-Identifier: MIT */
/*
 * The boot menu as domgrub's evaluator sees it, every entry tried.
 *
 *     menu  = { "file", "warnings": [ text ], "timeoutMs", "title", "entries": [ entry ] }
 *     entry = { "title", "default": bool, "error": text | null,
 *               "entries": [ entry ]                                 of a submenu
 *               "kernel", "kernelSize", "initrds": [ text ], "args",   else
 *               "init": text | null, "initFound": bool, "etcMissing": see inspector_etc.c
 *               "system": system                    of the default one, if wanted }
 *
 * Files are named "(hd0,msdos1)/path".
 */
#include <string.h>

#include "base/mem.h"
#include "grub/menu.h"
#include "guest/boots.h"
#include "guest/file_source.h"
#include "inspector/inspector_child.h"

#define DEPTH_MAX 8u
#define WARNINGS_MAX 100u

static json_t *warnings_json(const struct grub_texts *t, const struct buf *notes)
{
	json_t *list = json_array();
	struct str rest = buf_str(notes);

	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		if (line.n && json_array_size(list) < WARNINGS_MAX)
			json_array_append_new(list, inspector_string(line));
	}
	for (size_t i = 0; i < t->n && json_array_size(list) < WARNINGS_MAX; i++)
		json_array_append_new(list, inspector_string(str_from(t->v[i])));
	return list;
}

int inspector_put_init(struct inspector_child *c, json_t *o, const char *args, struct err *err)
{
	struct str init = boots_init(args);
	struct fs_stat st = {.kind = FS_OTHER};
	_free_ char *path = NULL;
	struct root_reader reader;
	bool found;
	int rc;

	json_object_set_new(o, "init", init.p ? inspector_string(init) : json_null());
	if (!init.p)
		return 0;
	if (!c->root && c->root_err.code) {
		*err = c->root_err;
		return -(int)err->code;
	}
	if (!c->root)
		return 0;
	rc = err_absent(fs_stat(c->root, init, true, &st, err));
	if (rc < 0)
		return rc;
	found = rc == 0 && st.kind == FS_FILE;
	json_object_set_new(o, "initFound", json_boolean(found));
	err->code = ERR_NONE;
	path = xstrndup(init.p, init.n);
	reader = inspector_fs_reader(c->root);
	rc = found ? inspector_etc(&reader, path, o, err) : 0;
	if (rc == 0)
		err->code = ERR_NONE;
	return rc;
}

/* Names a file and makes sure that it can be read as far as its map goes. system: NULL, or
 * where what an initrd has is to be said. */
static json_t *file_json(struct inspector_child *c, const struct grub_boot_file *f, bool kernel,
                         json_t *system, uint64_t *size, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *file = NULL;
	_cleanup_(buf_fini) struct buf name = BUF_INIT;

	disks_name(c->d, f->dev, f->path, &name);
	if (disks_open(c->d, f->dev, str_from(f->path), &file, err) == 0) {
		struct file_source src;
		struct window w = file_source_window(&src, file, kernel ? "kernel" : "initrd");

		if (f->part && window_sub(&w, f->at, f->n, &w, err) < 0)
			w.size = 0;
		*size = w.size;
		if (!*size && !err->code)
			err_set(err, ERR_FORMAT, "%.*s is empty", STR_ARG(buf_str(&name)));
		if (kernel && c->wants & INSPECTOR_KERNELS)
			inspector_kernel_window(c, &w, name.p);
		if (!kernel && system)
			inspector_initrd(&w, system);
	}
	return inspector_string(buf_str(&name));
}

static void put_boot(struct inspector_child *c, json_t *o, const struct grub_boot *b,
                     bool is_default, struct err *err)
{
	json_t *initrds = json_array();
	json_t *system = is_default && c->wants & INSPECTOR_SYSTEM ? json_object() : NULL;
	uint64_t size = 0, initrd_size = 0;
	struct err lost = ERR_INIT;

	json_object_set_new(o, "initrds", initrds);
	if (system)
		json_object_set_new(o, "system", system);
	if (!b->kernel.path)
		return;
	json_object_set_new(o, "kernel", file_json(c, &b->kernel, true, NULL, &size, err));
	inspector_set_number(o, "kernelSize", size);
	for (size_t i = 0; i < b->initrd_count; i++)
		json_array_append_new(
		        initrds, file_json(c, &b->initrds[i], false, system, &initrd_size, err));
	inspector_set(o, "args", b->args ? b->args : "");
	if (inspector_put_init(c, o, b->args, &lost) < 0 && !err->code)
		*err = lost;
	if (system)
		inspector_guest_system(
		        c, inspector_text(o, "init"),
		        inspector_text(json_object_get(c->kernels, inspector_text(o, "kernel")),
		                       "release"),
		        system);
}

static json_t *entries_json(struct inspector_child *c, struct grub_menu *m, bool is_default,
                            unsigned depth);

static json_t *entry_json(struct inspector_child *c, struct grub_menu *m, size_t i, bool is_default,
                          unsigned depth)
{
	_cleanup_(grub_menu_freep) struct grub_menu *next = NULL;
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct err err = ERR_INIT;
	json_t *o = json_object();
	int rc = grub_menu_enter(m, i, (struct str){NULL, 0}, &boot, &next, &err);

	inspector_set(o, "title", m->entries[i].title);
	json_object_set_new(o, "default", json_boolean(is_default));
	if (rc == 1 && depth == DEPTH_MAX)
		err_set(&err, ERR_LIMIT, "menus nested deeper than %u", DEPTH_MAX);
	else if (rc == 1)
		json_object_set_new(o, "entries", entries_json(c, next, is_default, depth + 1));
	else
		put_boot(c, o, &boot, is_default, &err);
	inspector_set(o, "error", err.code ? err.text : NULL);
	grub_boot_fini(&boot);
	return o;
}

static json_t *entries_json(struct inspector_child *c, struct grub_menu *m, bool is_default,
                            unsigned depth)
{
	size_t chosen = m->n ? grub_menu_default(m) : 0;
	json_t *list = json_array();

	for (size_t i = 0; i < m->n && c->entries_left; i++) {
		c->entries_left--;
		json_array_append_new(list, entry_json(c, m, i, is_default && i == chosen, depth));
	}
	return list;
}

int inspector_menu_json(struct inspector_child *c, json_t **out, struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	_cleanup_(buf_fini) struct buf name = BUF_INIT;
	json_t *o;
	int rc = grub_menu_probe(c->files, &grub_limits_default, &m, err);

	if (rc < 0)
		return rc;
	o = json_object();
	disks_name(c->d, m->dev, m->path ? m->path : "", &name);
	json_object_set_new(o, "file", inspector_string(buf_str(&name)));
	inspector_set(o, "title", m->title);
	json_object_set_new(o, "timeoutMs", json_integer(m->timeout));
	json_object_set_new(o, "entries", entries_json(c, m, true, 0));
	disks_notices(c->d, &c->notes);
	json_object_set_new(o, "warnings", warnings_json(&m->warnings, &c->notes));
	json_object_set_new(o, "complete", json_boolean(c->entries_left > 0));
	*out = o;
	return 0;
}
