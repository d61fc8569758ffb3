/* SPDX-License-Identifier: MIT */
#include "nixos/direct.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "nixos/nixroot.h"

#define PIECE 65536u
#define MODE_FILE 0644

void direct_fini(struct direct *d)
{
	guest_system_fini(&d->old);
	direct_names_fini(&d->names);
	direct_text_fini(&d->text);
	*d = (struct direct){.host = NULL};
}

/* ---- refusing ------------------------------------------------------------- */

/* The lines that the config would need, for the user to write. */
static int refuse(const struct off_guest *off, const struct direct *d, const char *why,
                  struct err *err)
{
	const struct guest_system *s = &d->old;
	const char *init = s->init ? s->init : "/nix/store/SYSTEM/init";

	return err_set(err, ERR_UNSUPPORTED,
	               "%s: %s; domstrap changes only what it wrote itself. Copy kernel and initrd "
	               "of the system beside the config, and set in the config\n"
	               "  kernel = \"DIR/NAME.kernel\"\n"
	               "  ramdisk = \"DIR/NAME.initrd\"\n"
	               "  cmdline = \"init=%s%s%s\"\n"
	               "Then domstrap can change it",
	               off->config.path, why, init, s->params && *s->params ? " " : "",
	               s->params ? s->params : "");
}

/* ---- what is in the files ------------------------------------------------- */

static int same_bytes(int fd, const char *name, struct walk *walk, bool *same, struct err *err)
{
	_free_ char *here = xmalloc(PIECE), *there = xmalloc(PIECE);
	int64_t n = PIECE;
	size_t m;
	int rc = 0;

	*same = true;
	for (uint64_t off = 0; rc == 0 && *same && n == PIECE; off += PIECE) {
		n = io_pread(fd, name, here, PIECE, off, err);
		if (n < 0)
			return (int)n;
		rc = walk_read(walk, there, PIECE, &m, err);
		if (rc == 0)
			*same = (size_t)n == m && !memcmp(here, there, m);
	}
	return rc;
}

/* Open a file of the guest's store. */
static int open_walk(struct off_guest *off, const char *path, struct walk **out,
                     struct walk_entry *ent, struct err *err)
{
	uint32_t ino;
	int rc = ext4_edit_find(off->root.edit, path, true, &ino, err);

	if (rc == 0)
		rc = ext4_edit_walk(off->root.edit, ino, MODE_FILE, out, err);
	return rc < 0 ? rc : walk_next(*out, ent, err);
}

/* Whether a file of the host is the same as one of the guest's store. path NULL: it is not. */
static int same_file(struct off_guest *off, enum direct_file which, const char *path, bool *same,
                     struct err *err)
{
	const struct direct_host *h = off->host;
	const char *host = h->file[which].path;
	_cleanup_(walk_freep) struct walk *walk = NULL;
	struct walk_entry ent;
	int rc;

	*same = false;
	if (h->file[which].fd < 0)
		return err_sys(err, h->file[which].why, "%s: %s", off->config.path, host);
	if (!path || !h->file[which].regular)
		return 0;
	rc = open_walk(off, path, &walk, &ent, err);
	if (rc == 0 && ent.size == h->file[which].size)
		rc = same_bytes(h->file[which].fd, host, walk, same, err);
	return rc;
}

/* The guest's own kernel under another name than ours: it is maintained by hand. */
static int is_some_kernel(struct off_guest *off, const struct guest_state *in, bool *is,
                          struct err *err)
{
	const struct profile *p = &in->profiles[0];
	int rc = 0;

	*is = false;
	for (size_t i = 0; i < p->n && rc == 0 && !*is; i++)
		if (p->v[i].system.kernel)
			rc = same_file(off, DIRECT_KERNEL, p->v[i].system.kernel, is, err);
	return rc;
}

/* ---- learning ------------------------------------------------------------- */

/* Find the system that the config boots. */
static int learn_system(struct off_guest *off, struct direct *d, struct err *err)
{
	const struct booting *b = &off->booting;
	int rc;

	if (!b->toplevel)
		return refuse(off, d, "its init= is in none of the guest's generations", err);
	rc = guest_system_load(&off->root, b->toplevel, &d->old, err);
	if (rc < 0)
		return rc;
	if (!b->init || strcmp(b->init, d->old.init) != 0)
		return refuse(off, d, "its init= is not that of a system in the store", err);
	return 0;
}

static int learn_initrd(struct off_guest *off, struct direct *d, struct err *err)
{
	const char *text = off->config.ramdisk, *kernel = off->config.kernel;
	_free_ char *want =
	        xasprintf("%.*s.initrd", (int)(strlen(kernel) - strlen(".kernel")), kernel);
	bool same = false;
	int rc = text ? same_file(off, DIRECT_INITRD, d->old.initrd, &same, err) : 0;

	if (rc == 0 && (!text || !same || strcmp(text, want) != 0))
		return refuse(
		        off, d,
		        "its ramdisk= is not a copy of the initrd of the system that init= boots",
		        err);
	return rc;
}

static int learn_kernel(struct off_guest *off, const struct guest_state *in, struct direct *d,
                        struct err *err)
{
	bool same, other = false;
	int rc = same_file(off, DIRECT_KERNEL, d->old.kernel, &same, err);

	direct_names_of(off->config.kernel, off->config.ramdisk, &d->names);
	if (rc == 0 && !same && !d->names.stem)
		rc = is_some_kernel(off, in, &other, err);
	if (rc < 0)
		return rc;
	if (same != (d->names.stem != NULL) || other)
		return refuse(off, d,
		              same ? "its kernel= is a copy with a name that domstrap does not use"
		                   : "its kernel= is not the kernel of the system that init= boots",
		              err);
	d->copies = same;
	return same ? learn_initrd(off, d, err) : 0;
}

int direct_learn(struct off_guest *off, const struct guest_state *in, struct direct *d,
                 struct err *err)
{
	int rc = 0;

	d->host = off->host;
	if (off->config.in_guest)
		rc = refuse(off, d,
		            "its kernel= is a path in the guest, which bypasses the boot menu",
		            err);
	if (rc == 0)
		rc = learn_system(off, d, err);
	return rc < 0 ? rc : learn_kernel(off, in, d, err);
}

/* ---- the change ----------------------------------------------------------- */

static struct direct_change change_of(const struct direct *d)
{
	return (struct direct_change){
	        .toplevel = d->system->toplevel,
	        .init = d->system->init,
	        .params = d->system->params,
	        .old_toplevel = d->old.toplevel,
	        .old_init = d->old.init,
	        .old_params = d->old.params,
	        .copies = d->copies,
	};
}

int direct_format(struct off_guest *off, struct direct *d, const struct guest_system *s,
                  struct err *err)
{
	struct direct_change change;
	int rc;

	if (s->broken || (d->copies && (!s->kernel || !s->initrd)))
		return err_set(err, ERR_FORMAT,
		               "%s has no kernel, initrd or init, so it cannot boot", s->toplevel);
	d->system = s;
	change = change_of(d);
	rc = direct_text_make(buf_str(&d->host->text), &off->cfg, &d->names, &change, &d->text,
	                      err);
	if (rc == 1)
		return refuse(off, d, d->text.why, err);
	if (rc < 0)
		return rc;
	/* The config now boots this system. */
	xlcfg_guest_fini(&off->cfg);
	off->cfg = d->text.says;
	d->text.says = (struct xlcfg_guest){.n = 0};
	off->config = booting_config(off->config.path, &off->cfg);
	return 0;
}

bool direct_differs(const struct direct *d)
{
	return d->system && !str_eq(buf_str(&d->host->text), buf_str(&d->text.text));
}

/* Copy a file of the guest to the copy beside the config. */
static int copy_out(struct off_guest *off, struct direct *d, enum direct_file which,
                    const char *path, struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = NULL;
	_free_ char *piece = xmalloc(PIECE);
	struct walk_entry ent;
	size_t n = PIECE;
	int fd, rc = d->host->copy(d->host, which, &fd, err);

	if (rc == 0)
		rc = open_walk(off, path, &walk, &ent, err);
	while (rc == 0 && n == PIECE) {
		rc = walk_read(walk, piece, PIECE, &n, err);
		if (rc == 0)
			rc = io_write(fd, path, piece, n, err);
	}
	return rc;
}

int direct_write(struct off_guest *off, struct direct *d, struct err *err)
{
	int rc = 0;

	if (d->copies && strcmp(d->names.kernel, d->text.kernel) != 0)
		rc = copy_out(off, d, DIRECT_KERNEL, d->system->kernel, err);
	if (rc == 0 && d->copies && strcmp(d->names.initrd, d->text.initrd) != 0)
		rc = copy_out(off, d, DIRECT_INITRD, d->system->initrd, err);
	return rc;
}

int direct_publish(struct direct *d, struct err *err)
{
	struct direct_change change;

	if (!direct_differs(d))
		return 0;
	change = change_of(d);
	return d->host->publish(d->host, &change, err);
}

void direct_take_back(struct direct *d)
{
	if (direct_differs(d))
		d->host->take_back(d->host);
}

int direct_switch(struct direct *d, struct err *err)
{
	return direct_differs(d) ? d->host->switch_over(d->host, err) : 0;
}

/* ---- the mark in the root ------------------------------------------------- */

int direct_mark(struct off_guest *off, const char *toplevel, struct err *err)
{
	static const char path[] = NIXROOT_DIRECT;
	_free_ char *parent = xstrndup(path, (size_t)(str_base(path) - 1 - path));
	struct ext4_edit *e = off->root.edit;
	uint32_t dir;
	int rc = toplevel ? ext4_edit_mkdir(e, parent, 0755, &dir, err)
	                  : err_absent(ext4_edit_find(e, parent, true, &dir, err));

	if (rc)
		return rc < 0 ? rc : 0;
	if (toplevel)
		return ext4_edit_add_link(e, dir, str_base(path), toplevel, err);
	rc = err_absent(ext4_edit_remove(e, dir, str_base(path), NULL, err));
	return rc < 0 ? rc : 0;
}
