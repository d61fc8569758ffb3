/* SPDX-License-Identifier: MIT */
#include "nixos/follow.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "nix/store_path.h"
#include "nixos/direct.h"
#include "nixos/menu_rewrite.h"

static const char *form_text(enum boots_dialect dialect)
{
	switch (dialect) {
	case BOOTS_BLS:
		return "Boot Loader Specification entries (systemd-boot)";
	case BOOTS_LEGACY:
		return "a GRUB legacy menu";
	case BOOTS_EXTLINUX:
		return "an extlinux menu";
	case BOOTS_GRUB:
		break;
	}
	return "a GRUB menu that is not at NixOS's path";
}

/* Escape a message that contains text of the guest. */
static char *shown(const char *text)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	str_escape(&b, str_from(text));
	return buf_steal(&b);
}

static const char *name_of(const struct off_guest *off)
{
	return off->config.path ? off->config.path : off->root.target->name;
}

static int no_menu(const struct off_guest *off, struct err *err)
{
	if (!off->config.path)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: %s; give its xl config instead of its disks", name_of(off),
		               off->booting.why);
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: the guest cannot boot: the config names no kernel, and its disks have "
	               "no boot menu, which \"nixos-rebuild boot\" in the guest would write",
	               name_of(off));
}

static int unreadable(const struct off_guest *off, struct err *err)
{
	_free_ char *why = shown(off->booting.why);

	return err_set(err, ERR_UNSUPPORTED,
	               "%s: its boot menu cannot be evaluated, so what boots is not known: %s",
	               name_of(off), why);
}

/* The config's init= comes last on the command line, so it is used. */
static int config_init(const struct off_guest *off, struct err *err)
{
	struct str init = boots_init(off->config.cmdline);
	struct store_path sp;
	struct str rest;

	if (!init.p || !store_path_is_in(init, &sp, &rest))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: adds init=%.*s to every entry of the boot menu, so no other generation "
	               "can boot; remove it from the config",
	               off->config.path, STR_ARG(init));
}

/* The config boots kernel and initrd of the host. */
static int check_direct(struct off_guest *off, const struct guest_state *in, struct err *err)
{
	_cleanup_(direct_fini) struct direct d = {.host = NULL};
	int rc;

	rc = direct_learn(off, in, &d, err);
	/* Check the config's lines again: then the reason is known. */
	return rc < 0 ? rc : direct_format(off, &d, &d.old, err);
}

int follow_check(struct off_guest *off, const struct guest_state *in, struct err *err)
{
	const struct booting *b = &off->booting;
	_free_ char *place = b->menu_place ? shown(b->menu_place) : NULL;
	int rc;

	switch (b->kind) {
	case BOOTING_NOTHING:
		return no_menu(off, err);
	case BOOTING_UNKNOWN:
		return unreadable(off, err);
	case BOOTING_CONFIG:
		return check_direct(off, in, err);
	case BOOTING_MENU:
		break;
	}
	if (b->foreign)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: the guest boots from %s, %s, which domstrap cannot write; "
		               "start the guest and run \"nixos-rebuild boot\" in it",
		               name_of(off), place, form_text(b->menu.dialect));
	rc = config_init(off, err);
	if (rc == 0)
		rc = menu_rewrite_check(off, err);
	return rc < 0 ? rc : 0;
}

/* A menu that is not written stays as it is, so its systems must stay, too. */
static int find_foreign(struct off_guest *off, struct err *err)
{
	int rc = off->menu_kind == MENU_NONE ? 0 : menu_rewrite_check(off, err);

	if (rc != -ERR_UNSUPPORTED)
		return rc < 0 ? rc : 0;
	off->booting.foreign = true;
	off->menu_kind = MENU_NONE;
	return 0;
}

static int all_known(const struct off_guest *off, struct err *err)
{
	const struct booting *b = &off->booting;
	_free_ char *why = b->menu.unknown ? shown(b->menu.unknown) : NULL;

	if (b->kind == BOOTING_NOTHING)
		return no_menu(off, err);
	if (b->kind == BOOTING_UNKNOWN)
		return unreadable(off, err);
	if (why)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: cannot tell what every entry of its boot menu boots: %s",
		               name_of(off), why);
	return 0;
}

int follow_known(struct off_guest *off, struct err *err)
{
	int rc = all_known(off, err);

	return rc < 0 ? rc : find_foreign(off, err);
}

/* ---- before the commit ---------------------------------------------------- */

static int stage(struct off_guest *off, struct err *err)
{
	int rc = ext4_edit_stage(off->root.edit, err);

	if (rc == 0 && off->separate_boot)
		rc = ext4_edit_stage(off->boot.edit, err);
	return rc < 0 ? rc : off_guest_evaluate(off, true, err);
}

static int another(const struct off_guest *off, const char *toplevel, struct err *err)
{
	const struct booting *b = &off->booting;
	_free_ char *place = shown(b->place ? b->place : name_of(off));
	_free_ char *what = shown(b->why        ? b->why
	                          : b->toplevel ? b->toplevel
	                          : b->init     ? b->init
	                                        : "a kernel without init=");

	return err_set(err, ERR_UNSUPPORTED,
	               "%s: %s would not boot %s by default (%s); nothing was changed",
	               name_of(off), place, toplevel, what);
}

static int another_once(const struct off_guest *off, const struct follow_want *want,
                        struct err *err)
{
	const struct booting *b = &off->booting;
	_free_ char *place = shown(b->menu_place ? b->menu_place : name_of(off));
	_free_ char *what = shown(b->once_toplevel ? b->once_toplevel
	                          : b->once        ? "something that is no system"
	                                           : "the default");

	return err_set(err, ERR_UNSUPPORTED,
	               "%s: with %s, the next start would boot %s, not %s; nothing was changed",
	               name_of(off), place, what,
	               want->once_toplevel ? want->once_toplevel : "what it boots now");
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

int follow_staged(struct off_guest *off, const struct follow_want *want, struct err *err)
{
	const struct booting *b = &off->booting;
	int rc = stage(off, err);

	if (rc < 0 || !want->toplevel)
		return rc;
	if (b->why || !b->toplevel || strcmp(b->toplevel, want->toplevel) != 0)
		return another(off, want->toplevel, err);
	if (b->once != want->once || !same(b->once_toplevel, want->once_toplevel))
		return another_once(off, want, err);
	return 0;
}

struct removal {
	const struct off_guest *off;
	bool (*gone)(const char *path, void *arg);
	void *arg;
};

static int stays_whole(void *arg, const struct booting_item *item, struct err *err)
{
	const struct removal *r = arg;
	_free_ char *title = NULL;

	if (!item->toplevel || !r->gone(item->toplevel, r->arg))
		return 0;
	title = shown(item->title ? item->title : r->off->config.path);
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: \"%s\" would still boot %s, which is to be deleted; nothing was "
	               "changed. Keep its generation, or remove the entry from the menu",
	               name_of(r->off), title, item->toplevel);
}

int follow_removal(struct off_guest *off, const struct follow_want *want,
                   bool (*gone)(const char *path, void *arg), void *arg, struct err *err)
{
	struct removal r = {off, gone, arg};
	int rc = follow_staged(off, want, err);

	if (rc == 0)
		rc = all_known(off, err);
	return rc < 0 ? rc : booting_each(off, &off->booting, &off->config, stays_whole, &r, err);
}
