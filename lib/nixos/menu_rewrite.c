/* SPDX-License-Identifier: MIT */
#include "nixos/menu_rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nixos/menu_rewrite_internal.h"

#define GRUB_FILE "/grub/grub.cfg"
#define EXTLINUX_FILE "/extlinux/extlinux.conf"

static const struct place {
	enum menu_kind kind;
	const char *file; /* below /boot */
} places[] = {
        {MENU_GRUB, GRUB_FILE},
        {MENU_EXTLINUX, EXTLINUX_FILE},
};

static void menu_rewrite_fini(struct menu_rewrite *m)
{
	menu_rewrite_model_fini(m);
	buf_fini(&m->old);
	free(m->path);
	free(m->dir);
}

static int read_old(struct menu_rewrite *m, struct err *err)
{
	struct ext4_edit *boot = m->off->boot.edit;
	struct ext4_stat st;
	uint32_t ino;
	int rc = ext4_edit_find(boot, m->path, true, &ino, err);

	if (rc == 0)
		rc = ext4_edit_stat(boot, ino, &st, err);
	if (rc == 0)
		rc = ext4_edit_read(boot, ino, MENU_MAX, &m->old, err);
	if (rc == 0)
		m->mode = st.mode & 0777;
	return rc;
}

/* "/boot" of "/boot/grub/grub.cfg". */
static char *grandparent(const char *path)
{
	const char *slash = strrchr(path, '/');

	slash = slash ? memrchr(path, '/', (size_t)(slash - path)) : NULL;
	return slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
}

/* 1: there is none. */
static int find_menu(struct menu_rewrite *m, struct err *err)
{
	int rc = -ERR_NOENT;

	m->kind = m->off->menu_kind;
	if (m->off->menu_path && m->kind != MENU_NONE) {
		m->path = xstrdup(m->off->menu_path);
		m->dir = grandparent(m->path);
		return read_old(m, err);
	}
	for (size_t i = 0; i < ARRAY_LEN(places) && rc == -ERR_NOENT; i++) {
		if (m->off->menu_kind != MENU_FIND && m->off->menu_kind != places[i].kind)
			continue;
		free(m->path);
		m->path = xasprintf("%s%s", m->off->boot_dir, places[i].file);
		m->kind = places[i].kind;
		rc = read_old(m, err);
	}
	m->dir = xstrdup(m->off->boot_dir);
	return rc == -ERR_NOENT && m->off->menu_kind <= MENU_NONE ? 1 : rc;
}

static int check_current(const struct generation *g, struct err *err)
{
	if (!g->system.broken && g->system.kernel && g->system.initrd)
		return 0;
	return err_set(err, ERR_FORMAT,
	               "generation %u (%s) lacks a kernel, an initrd or "
	               "its init: it could not boot",
	               g->number, g->system.toplevel);
}

static int say_what_to_do(const struct menu_rewrite *m, struct err *err)
{
	const struct err why = *err;

	return err_set(err, ERR_UNSUPPORTED, "%s: %s; start the guest and run nixos-rebuild in it",
	               m->off->boot.target->name, why.text);
}

static int write_menu(struct menu_rewrite *m, bool check, struct err *err)
{
	int rc = find_menu(m, err);

	if (rc == 0 && !check)
		rc = check_current(m->current, err);
	if (rc)
		return rc;
	rc = (m->kind == MENU_GRUB ? menu_rewrite_grub : menu_rewrite_extlinux)(m, check, err);
	return rc == -ERR_UNSUPPORTED ? say_what_to_do(m, err) : rc;
}

int menu_rewrite(struct off_guest *off, const struct guest_state *in, const struct menu_wish *wish,
                 struct err *err)
{
	_cleanup_(menu_rewrite_fini) struct menu_rewrite m = {.off = off,
	                                                      .in = in,
	                                                      .current = wish->current,
	                                                      .limit = wish->limit,
	                                                      .trial = wish->trial,
	                                                      .tried = wish->tried,
	                                                      .old = BUF_INIT};
	int rc;

	off->menu_trial = wish->trial;
	off->menu_tried = wish->tried ? wish->tried->number : 0;
	rc = write_menu(&m, false, err);
	return rc < 0 ? err_prefix(err, "boot menu") : rc;
}

int menu_rewrite_check(struct off_guest *off, struct err *err)
{
	_cleanup_(menu_rewrite_fini) struct menu_rewrite m = {.off = off, .old = BUF_INIT};
	int rc = write_menu(&m, true, err);

	return rc < 0 ? err_prefix(err, "boot menu") : rc;
}

int menu_rewrite_put(struct menu_rewrite *m, const struct buf *text, struct err *err)
{
	struct ext4_edit *boot = m->off->boot.edit;
	const char *slash = strrchr(m->path, '/');
	_free_ char *dir_path = xstrndup(m->path, (size_t)(slash - m->path));
	uint32_t dir;
	int rc;

	if (text->n > MENU_MAX)
		return err_set(err, ERR_LIMIT,
		               "%s: it would have %zu bytes, more than the limit of %u; show fewer "
		               "generations (--limit), or delete some (\"domstrap gc --keep\")",
		               m->path, text->n, MENU_MAX);
	rc = ext4_edit_find(boot, *dir_path ? dir_path : "/", true, &dir, err);
	return rc < 0 ? rc : ext4_edit_add_file(boot, dir, slash + 1, m->mode, buf_str(text), err);
}
