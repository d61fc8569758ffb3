/* SPDX-License-Identifier: MIT */
#include "create/menu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"

#define TIMEOUT_S 5u /* NixOS's own default */
#define LIMIT 100u   /* also NixOS's own default */
#define NAME_FILE_MAX 4096u
#define SPECIALS_MAX 1000u

static char *join(char *const *words, size_t n)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_putf(&b, "%s%s", i ? " " : "", words[i]);
	return buf_steal(&b);
}

static struct grub_entry entry_of(const struct nixos_system *s, const char *params)
{
	return (struct grub_entry){.toplevel = s->toplevel,
	                           .init = s->init,
	                           .kernel = s->kernel,
	                           .initrd = s->initrd,
	                           .params = params};
}

/* configuration-name, without blanks at its ends; "" where there is none. */
static int configuration_name(struct guest *g, const struct nixos_system *s, char **out,
                              struct err *err)
{
	_free_ char *path = xasprintf("%s/configuration-name", s->toplevel);
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	struct str text;
	int rc = err_absent(store_files_read(g->source.files, path, NAME_FILE_MAX, &b, err));

	if (rc < 0)
		return rc;
	text = str_trim(buf_str(&b));
	*out = xstrndup(text.n ? text.p : "", text.n);
	return 0;
}

static int load_special(struct guest *g, const char *name, struct menu *m, struct err *err)
{
	_free_ char *path = xasprintf("%s/specialisation/%s", g->system.toplevel, name);
	struct nixos_system *s = &m->systems[m->n];
	int rc = nixos_system_load_from(g->source.files, path, s, err);

	if (rc < 0)
		return rc;
	m->names[2 * m->n] = xstrdup(name);
	rc = configuration_name(g, s, &m->names[2 * m->n + 1], err);
	m->params[m->n] = join(s->params, s->nparams);
	m->specials[m->n] = (struct grub_special){
	        .name = m->names[2 * m->n],
	        .configuration_name = m->names[2 * m->n + 1],
	        .version = s->version,
	        .time = 1, /* as everything in the store */
	        .entry = entry_of(s, m->params[m->n]),
	};
	m->n++;
	return rc;
}

static int load_specials(struct guest *g, struct menu *m, struct err *err)
{
	_free_ char *dir = xasprintf("%s/specialisation", g->system.toplevel);
	char **list = NULL;
	size_t n = 0;
	int rc = store_files_list(g->source.files, dir, &list, &n, err);

	if (rc < 0)
		return rc == -ERR_NOENT ? 0 : rc;
	if (n > SPECIALS_MAX)
		rc = err_set(err, ERR_LIMIT, "%s: %zu specialisations, more than the limit of %u",
		             dir, n, SPECIALS_MAX);
	m->systems = xcalloc(n, sizeof *m->systems);
	m->specials = xcalloc(n, sizeof *m->specials);
	m->names = xcalloc(n * 2, sizeof *m->names);
	m->params = xcalloc(n, sizeof *m->params);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0 && list[i][0] != '.')
			rc = load_special(g, list[i], m, err);
		free(list[i]);
	}
	free(list);
	return rc;
}

static void set_id(const struct guest *g, const struct guest_disk *d, char out[static 64])
{
	if (g->opt.fs_identifier == GRUB_BY_LABEL)
		snprintf(out, 64, "%s", d->label);
	else
		guest_uuid_text(d->uuid, out);
}

static void fill_in(const struct guest *g, struct menu *m)
{
	m->main_params = join(g->system.params, g->system.nparams);
	m->generation = (struct grub_generation){
	        .number = 1,
	        .time = g->time,
	        .version = g->system.version,
	        .entry = entry_of(&g->system, m->main_params),
	        .specials = m->specials,
	        .n_specials = m->n,
	};
	m->profile = (struct grub_profile){.generations = &m->generation, .n = 1};
	set_id(g, guest_root(g), m->root_id);
	set_id(g, &g->disks[0], m->boot_id);
	grub_form_new(
	        &(struct grub_place){
	                .by = g->opt.fs_identifier,
	                .boot_id = m->boot_id,
	                .root_id = m->root_id,
	                .separate_boot = guest_is_split(g),
	                .copy_kernels = g->opt.copy_kernels || guest_is_split(g),
	                .timeout = TIMEOUT_S,
	        },
	        &m->form);
	m->cfg = (struct grubcfg){
	        .form = &m->form,
	        .limit = LIMIT,
	        .current = &m->generation,
	        .profiles = &m->profile,
	        .n_profiles = 1,
	};
}

/* A kernel or initrd as a file of /boot/kernels. */
static int add_copy(struct guest *g, struct tree *t, const char *boot, const char *path,
                    struct menu *m, struct err *err)
{
	_free_ char *name = grubcfg_copy_name(path);
	_free_ char *to = xasprintf("%s/kernels/%s", boot, name);
	uint64_t size;
	int fd, rc = store_files_open(g->source.files, path, &fd, &size, err);

	if (rc < 0)
		return rc;
	m->fds[m->n_fds++] = fd;
	tree_host_file(t, to, 0644, fd, size);
	return 0;
}

static int add_copies(struct guest *g, struct tree *t, const char *boot, struct menu *m,
                      struct err *err)
{
	const char **copies;
	size_t n = grubcfg_copies(&m->cfg, &copies);
	int rc = 0;

	m->fds = xcalloc(n, sizeof *m->fds);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_copy(g, t, boot, copies[i], m, err);
	free(copies);
	return rc;
}

static void add_grub(struct tree *t, const char *boot, const struct buf *text)
{
	_free_ char *dir = xasprintf("%s/grub", boot);
	_free_ char *cfg = xasprintf("%s/grub.cfg", dir), *state = xasprintf("%s/state", dir);
	struct buf b = BUF_INIT;

	grubcfg_state(&b);
	tree_dir(t, dir, 0700, 0, 0);
	tree_file(t, cfg, 0644, text->p, text->n);
	tree_file(t, state, 0644, b.p, b.n);
	buf_fini(&b);
}

int menu_add(struct guest *g, struct tree *t, const char *boot, struct menu *out, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc;

	*out = (struct menu){0};
	if (!g->system.kernel || !g->system.initrd)
		return 0;
	rc = load_specials(g, out, err);
	if (rc == 0) {
		fill_in(g, out);
		rc = grubcfg_format(&out->cfg, &text, err);
	}
	if (rc == 0)
		rc = add_copies(g, t, boot, out, err);
	if (rc == 0)
		add_grub(t, boot, &text);
	buf_fini(&text);
	return rc;
}

void menu_fini(struct menu *m)
{
	for (size_t i = 0; i < m->n; i++) {
		nixos_system_fini(&m->systems[i]);
		free(m->names[2 * i]);
		free(m->names[2 * i + 1]);
		free(m->params[i]);
	}
	for (size_t i = 0; i < m->n_fds; i++)
		io_close(&m->fds[i]);
	grub_form_fini(&m->form);
	free(m->fds);
	free(m->systems);
	free(m->specials);
	free(m->names);
	free(m->params);
	free(m->main_params);
	*m = (struct menu){0};
}
