/* SPDX-License-Identifier: MIT */
/*
 * What a start needs beyond kernel and menu, for the entry that boots by default.
 *
 *     system = { "modules": [ name ], "initrdFiles", "initrdTrouble": text | null,
 *                "builtin": [ name ] | null, "root": { "by", "value", "type" } | null,
 *                "getty": bool, "secrets": bool,     secrets: some for a second initrd
 *                "etcMounted", "etcWritable": bool,  the initrd mounts /etc; with a writable layer
 *                "trouble": text }                   trouble: what could not be read
 */
#include <string.h>

#include "base/mem.h"
#include "guest/file_source.h"
#include "inspector/inspector_child.h"
#include "nixos/fstab.h"
#include "nixos/secrets.h"
#include "xen/initrd.h"

#define MODULES_MAX 8192u
#define TEXT_MAX (4u << 20)

static bool add_module(json_t *list, struct str path)
{
	char name[64];

	if (initrd_module(path, name))
		json_array_append_new(list, inspector_string(str_from(name)));
	return json_array_size(list) >= MODULES_MAX;
}

/* The units of system.etc.overlay: the mount, and what makes a mutable one's directories. */
static int take_file(void *arg, struct str name, uint32_t mode, uint64_t size)
{
	json_t *modules = json_object_get(arg, "modules");

	if (json_array_size(modules) < MODULES_MAX)
		add_module(modules, name);
	if (str_ends(name, "/sysroot-etc.mount"))
		json_object_set_new(arg, "etcMounted", json_true());
	else if (str_ends(name, "/rw-etc.service"))
		json_object_set_new(arg, "etcWritable", json_true());
	return 0;
}

void inspector_initrd(const struct window *w, json_t *system)
{
	struct err err = ERR_INIT;
	struct initrd_info info;

	if (!json_object_get(system, "modules"))
		json_object_set_new(system, "modules", json_array());
	if (initrd_list(w, NULL, take_file, system, &info, &err) < 0)
		inspector_set(system, "initrdTrouble", err.text);
	inspector_set_number(system, "initrdFiles",
	                     inspector_number(system, "initrdFiles") + info.entries);
}

static int put_builtin(const struct root_reader *r, const char *top, const char *release, json_t *o,
                       struct err *err)
{
	_free_ char *path =
	        xasprintf("%s/kernel-modules/lib/modules/%s/modules.builtin", top, release);
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct str rest;
	json_t *list;
	int rc;

	json_object_set_new(o, "builtin", json_null());
	if (!*release || strchr(release, '/'))
		return 0;
	rc = r->read(r->ctx, path, TEXT_MAX, &text, err);
	if (rc)
		return rc;
	list = json_array();
	for (rest = buf_str(&text); rest.p;)
		if (add_module(list, str_trim(str_cut(&rest, '\n'))))
			break;
	json_object_set_new(o, "builtin", list);
	return 0;
}

static int put_root(const struct root_reader *r, const char *top, json_t *o, struct err *err)
{
	static const char *const by[] = {"device", "label", "uuid"};
	_free_ char *path = xasprintf("%s/etc/fstab", top);
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct fstab_entry e;
	json_t *root;
	int rc = r->read(r->ctx, path, TEXT_MAX, &text, err);

	json_object_set_new(o, "root", json_null());
	if (rc || !fstab_find(buf_str(&text), "/", &e))
		return rc;
	root = json_object();
	inspector_set(root, "by", by[e.by]);
	json_object_set_new(root, "value", inspector_string(e.value));
	json_object_set_new(root, "type", inspector_string(e.type));
	json_object_set_new(o, "root", root);
	return 0;
}

/*
 * systemd's, unless it is masked: empty, or a link to /dev/null. Or a line of inittab as small
 * systems have it.
 */
static int put_getty(const struct root_reader *r, const char *top, json_t *o, struct err *err)
{
	static const char *const places[] = {
	        "etc/systemd/system/serial-getty@hvc0.service",
	        "etc/systemd/system/getty.target.wants/serial-getty@hvc0.service",
	};
	_free_ char *inittab = xasprintf("%s/etc/inittab", top);
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = 1;

	for (size_t i = 0; i < ARRAY_LEN(places) && rc == 1; i++) {
		_free_ char *path = xasprintf("%s/%s", top, places[i]);

		rc = r->find(r->ctx, path, err);
	}
	if (rc == 1) {
		rc = r->read(r->ctx, inittab, TEXT_MAX, &text, err);
		if (rc == 0)
			rc = memmem(buf_str(&text).p, text.n, "hvc0", 4) ? 0 : 1;
	}
	json_object_set_new(o, "getty", json_boolean(rc == 0));
	return rc;
}

static int put_secrets(const struct root_reader *r, const char *top, json_t *o, struct err *err)
{
	bool found = false;
	int rc = secrets_find(r, top, &found, err);

	json_object_set_new(o, "secrets", json_boolean(found));
	return rc;
}

/* Keep the first error. */
static void put_trouble(json_t *o, int rc, const struct err *err)
{
	if (rc < 0 && !json_object_get(o, "trouble"))
		inspector_set(o, "trouble", err->text);
}

/* init is "TOPLEVEL/init"; release is the kernel's, "" where it is not known. */
void inspector_system(const struct root_reader *r, const char *init, const char *release, json_t *o)
{
	const char *slash = strrchr(init, '/');
	_free_ char *top = slash ? xstrndup(init, (size_t)(slash - init)) : NULL;
	struct err err = ERR_INIT;

	if (!top || !*top)
		return;
	put_trouble(o, put_builtin(r, top, release, o, &err), &err);
	put_trouble(o, put_root(r, top, o, &err), &err);
	put_trouble(o, put_getty(r, top, o, &err), &err);
	put_trouble(o, put_secrets(r, top, o, &err), &err);
}

/* ---- through the guest's root --------------------------------------------- */

static int fs_reader_read(void *ctx, const char *path, size_t limit, struct buf *out,
                          struct err *err)
{
	return err_absent(fs_read(ctx, str_from(path), limit, out, err));
}

static int fs_reader_find(void *ctx, const char *path, struct err *err)
{
	struct fs_stat st;
	int rc = err_absent(fs_stat(ctx, str_from(path), true, &st, err));

	return rc ? rc : st.kind != FS_FILE || !st.size;
}

static int fs_reader_exists(void *ctx, const char *path, struct err *err)
{
	struct fs_stat st;

	return err_absent(fs_stat(ctx, str_from(path), true, &st, err));
}

struct root_reader inspector_fs_reader(struct fs *fs)
{
	return (struct root_reader){fs_reader_read, fs_reader_find, fs_reader_exists, fs};
}

void inspector_guest_system(struct inspector_child *c, const char *init, const char *release,
                            json_t *o)
{
	struct root_reader r;

	if (!*init || !c->root)
		return;
	r = inspector_fs_reader(c->root);
	inspector_system(&r, init, release, o);
}

/* ---- kernel and initrd of the host ---------------------------------------- */

json_t *inspector_direct_json(struct inspector_child *c)
{
	json_t *o = json_object(), *system = json_object();
	struct err err = ERR_INIT;
	struct source_fd src;
	struct window w;

	json_object_set_new(o, "system", system);
	for (size_t i = 0; i < ARRAY_LEN(c->disks.host); i++) {
		const struct disk_spec *d = &c->disks.host[i];

		if (!d->name)
			continue;
		source_fd_init(&src, d->fd, d->name);
		w = window_over(&src.src, d->size, d->name);
		inspector_set(o, i == INSPECTOR_HOST_KERNEL ? "kernel" : "initrd", d->name);
		if (i == INSPECTOR_HOST_KERNEL)
			inspector_kernel_window(c, &w, d->name);
		else
			inspector_initrd(&w, system);
	}
	inspector_set(o, "args", c->disks.cmdline ? c->disks.cmdline : "");
	if (inspector_put_init(c, o, c->disks.cmdline, &err) < 0)
		inspector_set(o, "error", err.text);
	inspector_guest_system(
	        c, inspector_text(o, "init"),
	        inspector_text(json_object_get(c->kernels, inspector_text(o, "kernel")), "release"),
	        system);
	return o;
}
