/* SPDX-License-Identifier: MIT */
/* grub.cfg, as NixOS's installer for GRUB writes it. */
#include <string.h>

#include "base/mem.h"
#include "nix/store_path.h"
#include "nixos/menu_rewrite_internal.h"
#include "nixos/secrets.h"
#include "nixos/trial.h"

#define STORE STORE_DIR "/"
#define NIXOS_LIMIT 100u /* its configurationLimit, where the menu shows all */

struct grub {
	struct grub_form form;
	struct grubcfg cfg;
	const char **copies;
	size_t n_copies;
	uint32_t dir; /* of kernels; 0: there is none */
};

static void grub_fini(struct grub *g)
{
	grub_form_fini(&g->form);
	free(g->copies);
}

static int find_dir(struct menu_rewrite *m, struct grub *g, struct err *err)
{
	_free_ char *path = xasprintf("%s/kernels", m->dir);
	int rc;

	if (g->form.copies)
		return ext4_edit_mkdir(m->off->boot.edit, path, 0755, &g->dir, err);
	rc = ext4_edit_find(m->off->boot.edit, path, true, &g->dir, err);
	if (rc == -ERR_NOENT)
		g->dir = 0;
	return rc == -ERR_NOENT ? 0 : rc;
}

/* ---- second initrds ------------------------------------------------------- */

/* 0: it is there and has something in it; 1: it is not. */
static int look_for(struct menu_rewrite *m, const struct grub *g, const char *name, struct err *err)
{
	struct ext4_entry ent;
	struct ext4_stat st;
	int rc = g->dir ? ext4_edit_lookup(m->off->boot.edit, g->dir, name, &ent, err) : -ERR_NOENT;

	if (rc == 0)
		rc = ext4_edit_stat(m->off->boot.edit, ent.ino, &st, err);
	if (rc == -ERR_NOENT)
		return 1;
	return rc < 0 ? rc : st.type != EXT4_FT_FILE || !st.size;
}

/* The name that NixOS gives it: by the system, in older releases by the initrd. */
static char *name_of(const struct grub *g, const struct guest_system *s, unsigned way)
{
	_free_ char *copy = grubcfg_copy_name(s->initrd);
	const char *slash = strrchr(s->initrd, '/');

	if (way == 0)
		return xasprintf("%s" SECRETS_SUFFIX, s->toplevel + strlen(STORE));
	return xasprintf("%s" SECRETS_SUFFIX, g->form.copies ? copy : slash + 1);
}

#define WAYS 2u

/* 1: it has none. */
static int choose_secrets(struct menu_rewrite *m, const struct grub *g,
                          const struct guest_system *s, char **out, struct err *err)
{
	const struct grub_known *known = grub_form_init(&g->form, s->init);
	bool wanted = false;
	int rc;

	if (known && known->secrets) {
		*out = xstrdup(known->secrets);
		return look_for(m, g, known->secrets, err);
	}
	rc = secrets_in_guest(m->off->root.edit, s->toplevel, &wanted, err);
	if (rc < 0 || !wanted)
		return rc < 0 ? rc : 1;
	for (unsigned way = 0; way < WAYS; way++) {
		_free_ char *name = name_of(g, s, way);

		rc = look_for(m, g, name, err);
		if (rc == 0)
			*out = take(&name);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

static int fill(struct menu_rewrite *m, const struct guest_system *s, struct grub_entry *out,
                struct err *err)
{
	_free_ char *name = NULL;
	int rc = choose_secrets(m, m->arg, s, &name, err);

	if (rc == 0)
		out->secrets = menu_rewrite_keep(m, take(&name));
	return rc < 0 ? rc : 0;
}

static int warn_of_secrets(struct menu_rewrite *m, struct err *err)
{
	const struct generation *g = m->current;
	bool wanted = false;
	int rc;

	if (m->default_system.entry.secrets)
		return 0;
	rc = secrets_in_guest(m->off->root.edit, g->system.toplevel, &wanted, err);
	if (rc == 0 && wanted)
		off_guest_warn(
		        m->off,
		        "generation %u (%s) has boot.initrd.secrets, but its menu entry has no "
		        "initrd with them: the guest starts without them until \"nixos-rebuild "
		        "boot\" in the guest has made that initrd",
		        g->number, g->system.toplevel);
	return rc;
}

/* ---- files ---------------------------------------------------------------- */

struct keep {
	struct menu_rewrite *m;
	struct grub *g;
};

static bool is_copy(const struct grub *g, const char *name)
{
	for (size_t i = 0; i < g->n_copies; i++) {
		_free_ char *copy = grubcfg_copy_name(g->copies[i]);

		if (!strcmp(copy, name))
			return true;
	}
	return false;
}

/* The secrets of a system in a profile, shown or not: only the guest can make them again. */
static bool is_secret_of(const struct grub *g, const struct guest_system *s, const char *name)
{
	const struct grub_known *known = grub_form_init(&g->form, s->init);

	if (known && known->secrets && !strcmp(known->secrets, name))
		return true;
	for (unsigned way = 0; s->initrd && way < WAYS; way++) {
		_free_ char *own = name_of(g, s, way);

		if (!strcmp(own, name))
			return true;
	}
	for (size_t i = 0; i < s->n_specials; i++)
		if (is_secret_of(g, &s->specials[i].system, name))
			return true;
	return false;
}

static bool is_secret(const struct keep *k, const char *name)
{
	const struct guest_state *in = k->m->in;

	if (!str_ends(str_from(name), SECRETS_SUFFIX))
		return false;
	for (size_t i = 0; i < in->n_profiles; i++)
		for (size_t n = 0; n < in->profiles[i].n; n++)
			if (is_secret_of(k->g, &in->profiles[i].v[n].system, name))
				return true;
	return is_secret_of(k->g, &k->m->current->system, name);
}

static bool keep(const char *name, void *arg)
{
	const struct keep *k = arg;

	return is_copy(k->g, name) || is_secret(k, name) || grub_form_mentions(&k->g->form, name);
}

/* NixOS, too, takes away every file there that no entry needs. */
static int put_kernels(struct menu_rewrite *m, struct grub *g, struct err *err)
{
	_free_ char *path = xasprintf("%s/kernels", m->dir);
	struct keep k = {.m = m, .g = g};
	int rc = 0;

	if (!g->dir)
		return 0;
	g->n_copies = grubcfg_copies(&g->cfg, &g->copies);
	rc = menu_rewrite_drop(m, g->dir, keep, &k, err);
	for (size_t i = 0; i < g->n_copies && rc == 0; i++)
		rc = menu_rewrite_copy(m, path, g->copies[i], err);
	return rc;
}

/* ---- the menu ------------------------------------------------------------- */

/* Parse the menu that was written, to check it: parameters may have any characters. */
static int check_text(const struct menu_rewrite *m, const struct buf *text, struct err *err)
{
	struct grub_form form;
	int rc = grub_form_learn(m->path, buf_str(text), &form, err);

	if (rc < 0)
		return err_prefix(err, "the new menu would be invalid");
	grub_form_fini(&form);
	return 0;
}

static int put_menu(struct menu_rewrite *m, struct grub *g, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = grubcfg_format(&g->cfg, &text, err);

	if (rc == 0)
		rc = check_text(m, &text, err);
	return rc < 0 ? rc : menu_rewrite_put(m, &text, err);
}

static int put_trial(struct menu_rewrite *m, struct grub *g, struct err *err)
{
	const struct generation *current = guest_state_current(m->in);
	struct trial_change change = {.step = m->trial};
	_cleanup_(buf_fini) struct buf entry = BUF_INIT;
	int rc;

	if (!m->tried)
		return trial_put(m->off, m->path, &change, err);
	rc = grubcfg_entry(&g->cfg, m->tried->number, &entry, err);
	if (rc < 0)
		return rc;
	if (rc)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: does not show generation %u, which is on trial", m->path,
		               m->tried->number);
	change.entry = entry.p;
	change.tried = m->tried->system.toplevel;
	change.kept = current ? current->system.toplevel : NULL;
	return trial_put(m->off, m->path, &change, err);
}

int menu_rewrite_grub(struct menu_rewrite *m, bool check, struct err *err)
{
	_cleanup_(grub_fini) struct grub g = {.dir = 0};
	int rc = grub_form_learn(m->path, buf_str(&m->old), &g.form, err);

	if (rc < 0 || check)
		return rc;
	rc = find_dir(m, &g, err);
	if (rc == 0)
		rc = menu_rewrite_model(m, fill, &g, err);
	if (rc < 0)
		return rc;
	g.cfg = (struct grubcfg){
	        .form = &g.form,
	        .current = &m->default_system,
	        .profiles = m->profiles,
	        .n_profiles = m->n_profiles,
	};
	rc = menu_rewrite_limit(m, g.form.shown, g.form.oldest, NIXOS_LIMIT, &g.cfg.limit, err);
	if (rc == 0)
		rc = put_kernels(m, &g, err);
	if (rc == 0)
		rc = put_menu(m, &g, err);
	if (rc == 0)
		rc = put_trial(m, &g, err);
	return rc < 0 ? rc : warn_of_secrets(m, err);
}
