/* SPDX-License-Identifier: MIT */
#include "nixos/booting.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ext4/staged.h"
#include "guest/disks.h"
#include "nix/store_path.h"
#include "nixos/guest_fs.h"
#include "nixos/nixroot.h"
#include "nixos/off_guest.h"

void booting_fini(struct booting *b)
{
	boots_fini(&b->menu);
	free(b->menu_place);
	free(b->init);
	free(b->toplevel);
	free(b->why);
	free(b->once_toplevel);
	*b = (struct booting){.place = NULL};
}

/* The last of the boot helper's arguments that is an option, "--name=value" or two; NULL: none. */
static const char *helper_option(const struct xlcfg_guest *cfg, const char *name)
{
	const char *value = NULL;
	size_t n = strlen(name);

	for (size_t i = 0; i < cfg->n_bootloader_args; i++) {
		const char *arg = cfg->bootloader_args[i];

		if (strncmp(arg, name, n) != 0)
			continue;
		if (arg[n] == '=')
			value = arg + n + 1;
		else if (!arg[n] && i + 1 < cfg->n_bootloader_args)
			value = cfg->bootloader_args[++i];
	}
	return value;
}

/*
 * GRUB in an HVM guest always writes. GRUB's image as the kernel of another guest looks for the
 * block in its own memory disk, and neither reads nor writes that of the guest.
 */
static bool writes_env(const struct xlcfg_guest *cfg)
{
	if (!cfg->bootloader)
		return cfg->type && !strcmp(cfg->type, "hvm");
	for (size_t i = 0; i < cfg->n_bootloader_args; i++)
		if (!strcmp(cfg->bootloader_args[i], BOOTING_WRITE_ENV))
			return !strcmp(str_base(cfg->bootloader), BOOTING_HELPER);
	return false;
}

struct booting_config booting_config(const char *path, const struct xlcfg_guest *cfg)
{
	struct booting_config c = {.path = path,
	                           .kernel = cfg->kernel ? cfg->kernel : cfg->guest_kernel,
	                           .ramdisk = cfg->ramdisk,
	                           .in_guest = !cfg->kernel && cfg->guest_kernel,
	                           .cmdline = cfg->cmdline,
	                           .writes = !path || writes_env(cfg)};
	const char *args = helper_option(cfg, "--args");

	if (!cfg->bootloader)
		return c;
	c.entry = helper_option(cfg, "--entry");
	/* libxl puts its own --args before them. */
	if (args)
		c.cmdline = args;
	return c;
}

/* ---- where an init= leads ------------------------------------------------- */

/* The store path that a path is in; NULL: it is in none. */
static char *store_part(const char *path)
{
	struct store_path sp;
	struct str rest;

	return store_path_is_in(str_from(path), &sp, &rest) ? store_path_format(&sp) : NULL;
}

/* "/nix/var/nix/profiles/system/init" is in the system that the links before "init" lead to. */
int booting_toplevel(struct off_guest_fs *root, const char *init, char **out, struct err *err)
{
	const char *slash = strrchr(init, '/');
	_free_ char *dir = slash ? xstrndup(init, (size_t)(slash - init)) : NULL;
	_free_ char *real = NULL;
	uint32_t ino;
	int rc;

	*out = store_part(init);
	if (*out || !dir || *init != '/' || strlen(init) >= EXT4_EDIT_PATH_MAX)
		return 0;
	rc = err_absent(guest_fs_resolve(root, *dir ? dir : "/", &ino, &real, err));
	if (rc == 0)
		*out = store_part(real);
	return rc < 0 ? rc : 0;
}

/* ---- the menu ------------------------------------------------------------- */

static bool lies_in(struct disks *d, size_t dev, const struct off_guest *off,
                    const struct off_guest_fs *fs)
{
	size_t disk = disks_index(d, dev);

	return fs->edit && disk < off->n_disks && &off->targets[disk] == fs->target &&
	       disks_window(d, dev)->start == fs->base;
}

static enum menu_kind kind_of(const struct booting *b, const char *dir)
{
	_free_ char *grub = xasprintf("%s/" OFF_GUEST_GRUB_CFG, dir);
	_free_ char *extlinux = xasprintf("%s/extlinux/extlinux.conf", dir);

	if (!strcmp(b->menu.path, grub))
		return MENU_GRUB;
	return strcmp(b->menu.path, extlinux) != 0 ? MENU_NONE : MENU_EXTLINUX;
}

/*
 * Of a view: whether its /boot/grub/grub.cfg is the menu's file. Devices have the same numbers in
 * both. 0: it is; 1: it is not, or there is no view; -ERR_*.
 */
static int has_menu(struct off_guest *off, const struct booting *b, struct err *err)
{
	struct fs_place menu, mine;
	struct fs *fs;
	int rc = off->joined.view ? disks_fs(off->disks, b->menu.dev, &fs, err) : 1;

	if (rc == 0)
		rc = fs_find(fs, str_from(b->menu.path), true, &menu, err);
	if (rc == 0)
		rc = fs_find(off->joined.view, STR("/boot/" OFF_GUEST_GRUB_CFG), true, &mine, err);
	rc = err_absent(rc);
	return rc ? rc : menu.fs != mine.fs || menu.node != mine.node;
}

/* Which file system has the menu, and whether we can write it. */
static int settle(struct off_guest *off, struct disks *d, struct booting *b, struct err *err)
{
	struct buf place = BUF_INIT;
	int rc = has_menu(off, b, err);

	disks_name(d, b->menu.dev, b->menu.path, &place);
	b->menu_place = buf_steal(&place);
	off->menu_kind = MENU_NONE;
	if (lies_in(d, b->menu.dev, off, &off->boot))
		off->menu_kind = kind_of(b, off->boot_dir);
	if (rc == 0)
		off->menu_kind = MENU_GRUB;
	b->foreign = off->menu_kind == MENU_NONE;
	return rc < 0 ? rc : 0;
}

static void specs_fill(struct off_guest *off, bool staged, struct staged *over,
                       struct disk_spec *spec)
{
	off_guest_specs(off, spec);
	for (size_t i = 0; staged && i < off->n_disks; i++) {
		struct target *t = &off->targets[i];

		staged_init(&over[i], t);
		if (off->root.target == t)
			over[i].edits[0] = off->root.edit;
		if (off->separate_boot && off->boot.target == t)
			over[i].edits[1] = off->boot.edit;
		spec[i].src = &over[i].src;
	}
}

/* 0, 1: there is none, or -ERR_*: it cannot be read. */
static int read_menu(struct off_guest *off, const struct booting_config *config, bool staged,
                     struct booting *b, struct err *err)
{
	const struct boots_settings set = {.more = config->kernel ? NULL : config->cmdline,
	                                   .entry = config->entry,
	                                   .writes = config->writes || !config->path};
	struct staged over[OFF_GUEST_DISKS_MAX];
	struct disk_spec spec[OFF_GUEST_DISKS_MAX];
	_cleanup_(buf_fini) struct buf notes = BUF_INIT;
	struct disks *d;
	int rc;

	specs_fill(off, staged, over, spec);
	d = disks_new(spec, off->n_disks, &notes);
	rc = err_absent(boots_read(disks_files(d), &set, &b->menu, err));
	if (rc >= 0 && disks_fault(d, err) < 0)
		rc = -(int)err->code;
	if (rc == 0)
		rc = settle(off, d, b, err);
	disks_free(d);
	return rc;
}

/* ---- what boots by default ------------------------------------------------ */

static int set_default(struct off_guest *off, struct booting *b, const char *args, struct err *err)
{
	struct str init = boots_init(args);

	if (!init.p)
		return 0;
	b->init = xstrndup(init.p, init.n);
	return booting_toplevel(&off->root, b->init, &b->toplevel, err);
}

/* Whether the next start boots another system, for once. */
static int set_once(struct off_guest *off, struct booting *b, struct err *err)
{
	const char *args = b->menu.next.args;
	struct str init = boots_init(args);
	_free_ char *path = init.p ? xstrndup(init.p, init.n) : NULL;
	int rc = path ? booting_toplevel(&off->root, path, &b->once_toplevel, err) : 0;

	if (rc < 0)
		return rc;
	b->once = !path || !b->init || strcmp(path, b->init) != 0;
	if (!b->once)
		free(take(&b->once_toplevel));
	return 0;
}

/*
 * Without a config: does a mark in the root say that a config boots the guest directly, not its
 * menu?
 */
static int elsewhere(struct off_guest *off, bool *is, struct err *err)
{
	uint32_t ino;
	int rc = err_absent(guest_fs_find(&off->root, NIXROOT_DIRECT, false, &ino, err));

	*is = rc == 0;
	return rc < 0 ? rc : 0;
}

static int decide(struct off_guest *off, const struct booting_config *config, struct booting *b,
                  int menu, const char *why, struct err *err)
{
	bool direct = false;

	if (config->kernel) {
		b->kind = BOOTING_CONFIG;
		b->place = config->path;
		return set_default(off, b, config->cmdline, err);
	}
	if (!config->path && elsewhere(off, &direct, err) < 0)
		return -(int)err->code;
	if (direct || (menu == 1 && !config->path)) {
		b->kind = BOOTING_NOTHING;
		b->why = xasprintf("%s; the guest's kernel is on the host",
		                   direct ? "booted by its config" : "no boot menu");
		return 0;
	}
	if (menu != 0) {
		b->kind = menu < 0 ? BOOTING_UNKNOWN : BOOTING_NOTHING;
		b->why = xstrdup(why);
		return 0;
	}
	b->kind = BOOTING_MENU;
	/* The config's init= comes last on the command line, and the last one is used. */
	b->place = boots_init(config->cmdline).p ? config->path : b->menu_place;
	if (b->menu.why)
		b->why = xstrdup(b->menu.why);
	else if (set_default(off, b, b->menu.chosen.args, err) < 0)
		return -(int)err->code;
	return b->menu.once ? set_once(off, b, err) : 0;
}

int booting_read(struct off_guest *off, const struct booting_config *config, bool staged,
                 struct booting *out, struct err *err)
{
	struct booting b = {.place = NULL};
	struct err why = ERR_INIT;
	int rc;

	off->menu_kind = MENU_NONE;
	rc = read_menu(off, config, staged, &b, &why);
	if (rc == -ERR_IO) {
		booting_fini(&b);
		*err = why;
		return rc;
	}
	rc = decide(off, config, &b, rc, why.text, err);
	if (rc < 0)
		booting_fini(&b);
	else
		*out = b;
	return rc;
}

/* ---- everything that can boot --------------------------------------------- */

static int visit(struct off_guest *off, struct booting_item *item, const char *args,
                 int (*fn)(void *arg, const struct booting_item *item, struct err *err), void *arg,
                 struct err *err)
{
	struct str init = boots_init(args);
	_free_ char *path = init.p ? xstrndup(init.p, init.n) : NULL;
	_free_ char *toplevel = NULL;
	int rc = path ? booting_toplevel(&off->root, path, &toplevel, err) : 0;

	item->toplevel = toplevel;
	return rc < 0 ? rc : fn(arg, item, err);
}

static int visit_entry(struct off_guest *off, const struct boots_entry *e,
                       int (*fn)(void *arg, const struct booting_item *item, struct err *err),
                       void *arg, struct err *err)
{
	_free_ const char **texts = xcalloc(e->n_initrds + 2, sizeof *texts);
	struct booting_item item = {.title = e->title, .v = texts};

	texts[item.n++] = e->kernel;
	texts[item.n++] = e->args;
	for (size_t i = 0; i < e->n_initrds; i++)
		texts[item.n++] = e->initrds[i];
	return visit(off, &item, e->args, fn, arg, err);
}

int booting_each(struct off_guest *off, const struct booting *b,
                 const struct booting_config *config,
                 int (*fn)(void *arg, const struct booting_item *item, struct err *err), void *arg,
                 struct err *err)
{
	const char *mine[] = {config->kernel, config->ramdisk, config->cmdline};
	struct booting_item item = {.v = mine, .n = ARRAY_LEN(mine)};
	int rc = config->path ? visit(off, &item, config->cmdline, fn, arg, err) : 0;

	for (size_t i = 0; i < b->menu.n && rc == 0; i++)
		rc = visit_entry(off, &b->menu.v[i], fn, arg, err);
	/* The default of a menu may boot something that none of its entries boots. */
	if (rc == 0 && b->menu.next.kernel)
		rc = visit_entry(off, &b->menu.next, fn, arg, err);
	if (rc == 0 && b->menu.chosen.kernel)
		rc = visit_entry(off, &b->menu.chosen, fn, arg, err);
	return rc;
}
