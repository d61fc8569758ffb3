/* SPDX-License-Identifier: MIT */
/* extlinux.conf, as NixOS's generic-extlinux-compatible writes it. */
#include <string.h>

#include "base/mem.h"
#include "nixos/extlinuxcfg.h"
#include "nixos/menu_rewrite_internal.h"

#define NIXOS_LIMIT 20u /* its configurationLimit, where the menu shows all */

struct extlinux {
	struct extlinux_form form;
	struct extlinuxcfg cfg;
	const char **copies;
	size_t n_copies;
};

static void extlinux_fini(struct extlinux *x)
{
	extlinux_form_fini(&x->form);
	free(x->copies);
}

/* A system's device trees: a directory in the store. */
static int fill(struct menu_rewrite *m, const struct guest_system *s, struct grub_entry *out,
                struct err *err)
{
	const struct extlinux *x = m->arg;
	_free_ char *path = xasprintf("%s/dtbs", s->toplevel), *real = NULL;
	struct ext4_stat st;
	uint32_t ino;
	int rc;

	if (!x->form.trees)
		return 0;
	rc = ext4_edit_resolve(m->off->root.edit, path, &ino, &real, err);
	if (rc == 0)
		rc = ext4_edit_stat(m->off->root.edit, ino, &st, err);
	if (rc == -ERR_NOENT)
		return 0;
	if (rc == 0 && (st.type != EXT4_FT_DIR || !str_starts(str_from(real), "/nix/store/")))
		rc = err_set(err, ERR_FORMAT, "%s: not a directory in the store", path);
	if (rc == 0)
		out->dtbs = menu_rewrite_keep(m, take(&real));
	return rc;
}

static bool keep(const char *name, void *arg)
{
	const struct extlinux *x = arg;

	for (size_t i = 0; i < x->n_copies; i++) {
		_free_ char *copy = grubcfg_copy_name(x->copies[i]);

		if (!strcmp(copy, name))
			return true;
	}
	return extlinux_form_mentions(&x->form, name);
}

static int put_copies(struct menu_rewrite *m, struct extlinux *x, struct err *err)
{
	_free_ char *path = xasprintf("%s/nixos", m->dir);
	uint32_t dir;
	int rc;

	if (x->form.copies)
		rc = ext4_edit_mkdir(m->off->boot.edit, path, 0755, &dir, err);
	else
		rc = ext4_edit_find(m->off->boot.edit, path, true, &dir, err);
	if (rc == -ERR_NOENT)
		return 0;
	x->n_copies = extlinuxcfg_copies(&x->cfg, &x->copies);
	if (rc == 0)
		rc = menu_rewrite_drop(m, dir, keep, x, err);
	for (size_t i = 0; i < x->n_copies && rc == 0; i++)
		rc = menu_rewrite_copy(m, path, x->copies[i], err);
	return rc;
}

/* Parse the menu that was written, to check it. */
static int put_menu(struct menu_rewrite *m, struct extlinux *x, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct extlinux_form form;
	int rc = extlinuxcfg_format(&x->cfg, &text, err);

	if (rc < 0)
		return rc;
	rc = extlinux_form_learn(m->path, buf_str(&text), &form, err);
	if (rc < 0)
		return err_prefix(err, "the new menu would be invalid");
	extlinux_form_fini(&form);
	return menu_rewrite_put(m, &text, err);
}

int menu_rewrite_extlinux(struct menu_rewrite *m, bool check, struct err *err)
{
	_cleanup_(extlinux_fini) struct extlinux x = {.n_copies = 0};
	int rc = extlinux_form_learn(m->path, buf_str(&m->old), &x.form, err);

	if (rc < 0 || check)
		return rc;
	rc = menu_rewrite_model(m, fill, &x, err);
	if (rc < 0)
		return rc;
	x.cfg = (struct extlinuxcfg){
	        .form = &x.form,
	        .current = &m->default_system,
	        .profile = &m->profiles[0],
	};
	/* None at all is a limit, too. */
	rc = menu_rewrite_limit(m, x.form.shown, x.form.oldest, x.form.shown ? NIXOS_LIMIT : 0,
	                        &x.cfg.limit, err);
	if (rc == 0)
		rc = put_copies(m, &x, err);
	return rc < 0 ? rc : put_menu(m, &x, err);
}
