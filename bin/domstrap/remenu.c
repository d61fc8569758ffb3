/* SPDX-License-Identifier: MIT */
#include "remenu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/grubcfg.h"

#define MENU_MAX (8u << 20)
#define TIMEOUT_S 5u /* NixOS's defaults, where the menu says nothing */
#define LIMIT 100u
#define TIMEOUT_MAX 86400u

struct remenu {
	struct offline *off;
	const struct inside *in;
	struct grubcfg cfg;
	struct grub_profile *profiles;
	struct grub_generation **generations; /* by profile, newest first */
	struct grub_generation current;
	struct grub_special **specials;
	size_t n_specials, specials_cap;
	char root_id[64], boot_id[64];
};

static void remenu_fini(struct remenu *m)
{
	for (size_t i = 0; i < m->in->n_profiles; i++)
		free(m->generations[i]);
	for (size_t i = 0; i < m->n_specials; i++)
		free(m->specials[i]);
	free(m->generations);
	free(m->profiles);
	free(m->specials);
}

/* ---- the menu that is there ----------------------------------------------- */

/* Entries of the submenu of all configurations. */
static size_t count_configurations(struct str text)
{
	size_t n = 0;

	while (text.p) {
		struct str s = str_trim(str_cut(&text, '\n'));

		if (str_starts(s, "submenu \"NixOS - Profile"))
			break;
		/* With specialisations a generation is a submenu of its own. */
		n += str_starts(s, "menuentry \"NixOS - Configuration ") &&
		     !memmem(s.p, s.n, " - Default (", 12);
		n += str_starts(s, "submenu \"> NixOS - Configuration ");
	}
	return n;
}

static void learn_line(struct remenu *m, struct str s)
{
	uint64_t v;

	if (str_starts(s, "search ")) {
		if (memmem(s.p, s.n, "--label ", 8))
			m->cfg.by = GRUB_BY_LABEL;
		else if (memmem(s.p, s.n, "--fs-uuid ", 10))
			m->cfg.by = GRUB_BY_UUID;
	}
	if (str_starts(s, "linux ") && memmem(s.p, s.n, "/kernels/", 9))
		m->cfg.copy_kernels = true;
	/* The last one is the one without a choice asked for once. */
	if (str_starts(s, "set timeout=") &&
	    str_u64(str_drop(s, strlen("set timeout=")), 10, TIMEOUT_MAX, &v))
		m->cfg.timeout = (unsigned)v;
}

static void learn(struct remenu *m, struct str text)
{
	struct str rest = text;
	size_t shown = count_configurations(text);

	m->cfg.by = GRUB_PROVIDED;
	m->cfg.timeout = TIMEOUT_S;
	m->cfg.limit = LIMIT;
	m->cfg.copy_kernels = m->off->separate_boot;
	while (rest.p)
		learn_line(m, str_trim(str_cut(&rest, '\n')));
	/* It shows a part of what there was: that was its limit. */
	if (shown && shown + 1 < m->in->profiles[0].n)
		m->cfg.limit = shown;
}

/* ---- the one to come ------------------------------------------------------ */

static struct grub_entry entry_of(const struct inside_system *s)
{
	return (struct grub_entry){.init = s->init,
	                           .kernel = s->broken ? NULL : s->kernel,
	                           .initrd = s->broken ? NULL : s->initrd,
	                           .params = s->params};
}

static struct grub_generation convert(struct remenu *m, const struct generation *g)
{
	const struct inside_system *s = &g->system;
	struct grub_special *list = xcalloc(s->n_specials + 1, sizeof *list);

	GROW(m->specials, m->n_specials, m->specials_cap);
	m->specials[m->n_specials++] = list;
	for (size_t i = 0; i < s->n_specials; i++)
		list[i] = (struct grub_special){
		        .name = s->specials[i].name,
		        .configuration_name = s->specials[i].system.name,
		        .version = s->specials[i].system.version,
		        .time = 1, /* as everything in the store */
		        .entry = entry_of(&s->specials[i].system),
		};
	return (struct grub_generation){
	        .number = g->number,
	        .time = g->time,
	        .version = s->version,
	        .entry = entry_of(s),
	        .specials = list,
	        .n_specials = s->n_specials,
	};
}

static void convert_profiles(struct remenu *m)
{
	const struct inside *in = m->in;

	m->profiles = xcalloc(in->n_profiles, sizeof *m->profiles);
	m->generations = xcalloc(in->n_profiles, sizeof *m->generations);
	for (size_t i = 0; i < in->n_profiles; i++) {
		const struct profile *p = &in->profiles[i];

		m->generations[i] = xcalloc(p->n, sizeof **m->generations);
		for (size_t k = 0; k < p->n; k++)
			m->generations[i][k] = convert(m, &p->v[p->n - 1 - k]);
		m->profiles[i] = (struct grub_profile){
		        .name = p->name, .generations = m->generations[i], .n = p->n};
	}
	m->cfg.profiles = m->profiles;
	m->cfg.n_profiles = in->n_profiles;
}

static void set_id(enum grub_identifier by, const struct ext4_edit *e, char out[static 64])
{
	const uint8_t *u = ext4_edit_ids(e)->uuid;

	if (by == GRUB_BY_LABEL)
		snprintf(out, 64, "%s", ext4_edit_label(e));
	else
		snprintf(out, 64,
		         "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		         u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11],
		         u[12], u[13], u[14], u[15]);
}

/* ---- kernels -------------------------------------------------------------- */

static bool wanted(const char **copies, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		_free_ char *copy = grubcfg_copy_name(copies[i]);

		if (!strcmp(copy, name))
			return true;
	}
	return false;
}

/* NixOS, too, takes away every file there that no entry needs. */
static int drop_obsolete(struct ext4_edit *e, uint32_t dir, const char **copies, size_t n,
                         struct err *err)
{
	const struct ext4_entry *v;
	size_t count, i = 0;
	int rc = ext4_edit_list(e, dir, &v, &count, err);

	while (rc == 0 && i < count) {
		if (wanted(copies, n, v[i].name)) {
			i++;
			continue;
		}
		rc = ext4_edit_remove(e, dir, v[i].name, NULL, err);
		if (rc == 0)
			rc = ext4_edit_list(e, dir, &v, &count, err);
	}
	return rc;
}

static int add_kernel(struct remenu *m, uint32_t dir, const char *path, struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = NULL;
	_free_ char *name = grubcfg_copy_name(path);
	struct ext4_edit *boot = m->off->boot.edit, *root = m->off->root.edit;
	struct ext4_entry there;
	uint32_t ino;
	int rc = ext4_edit_lookup(boot, dir, name, &there, err);

	if (rc != -ERR_NOENT)
		return rc;
	rc = ext4_edit_find(root, path, true, &ino, err);
	if (rc == 0)
		rc = ext4_edit_walk(root, ino, 0644, &walk, err);
	return rc < 0 ? rc : ext4_edit_add(boot, dir, name, walk, err);
}

static int put_kernels(struct remenu *m, struct err *err)
{
	_free_ const char **copies = NULL;
	_free_ char *path = xasprintf("%s/kernels", m->off->boot_dir);
	size_t n = grubcfg_copies(&m->cfg, &copies);
	uint32_t dir;
	int rc;

	if (!m->cfg.copy_kernels)
		return 0;
	rc = ext4_edit_mkdir(m->off->boot.edit, path, 0755, &dir, err);
	if (rc == 0)
		rc = drop_obsolete(m->off->boot.edit, dir, copies, n, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_kernel(m, dir, copies[i], err);
	return rc;
}

static int put_menu(struct remenu *m, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	_free_ char *path = xasprintf("%s/grub", m->off->boot_dir);
	uint32_t dir;
	int rc = grubcfg_format(&m->cfg, &text, err);

	if (rc == 0)
		rc = ext4_edit_find(m->off->boot.edit, path, true, &dir, err);
	return rc < 0 ? rc
	              : ext4_edit_add_file(m->off->boot.edit, dir, "grub.cfg", 0644, buf_str(&text),
	                                   err);
}

int remenu(struct offline *off, const struct inside *in, const struct generation *current,
           unsigned limit, struct err *err)
{
	_cleanup_(buf_fini) struct buf old = BUF_INIT;
	_free_ char *path = off->menu_path ? xstrdup(off->menu_path)
	                                   : xasprintf("%s/" OFFLINE_GRUB_CFG, off->boot_dir);
	struct remenu m = {.off = off, .in = in};
	int rc;

	if (off->menu_kind == MENU_NONE)
		return 1;
	if (off->menu_kind == MENU_EXTLINUX)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: extlinux menus are not written yet: rebuild in the guest", path);
	rc = ext4_edit_read_path(off->boot.edit, path, MENU_MAX, &old, err);

	if (rc == -ERR_NOENT)
		return 1;
	if (rc < 0)
		return rc;
	if (current->system.broken || !current->system.kernel || !current->system.initrd)
		return err_set(err, ERR_FORMAT,
		               "generation %u (%s) lacks a kernel, an initrd or "
		               "its init: it could not boot",
		               current->number, current->system.toplevel);
	learn(&m, buf_str(&old));
	if (limit)
		m.cfg.limit = limit;
	convert_profiles(&m);
	m.current = convert(&m, current);
	m.cfg.current = &m.current;
	m.cfg.separate_boot = off->separate_boot;
	set_id(m.cfg.by, off->root.edit, m.root_id);
	set_id(m.cfg.by, off->boot.edit, m.boot_id);
	m.cfg.root_id = m.root_id;
	m.cfg.boot_id = m.boot_id;
	rc = put_kernels(&m, err);
	if (rc == 0)
		rc = put_menu(&m, err);
	remenu_fini(&m);
	return rc < 0 ? err_prefix(err, "boot menu") : 0;
}
