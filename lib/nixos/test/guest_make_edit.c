/* SPDX-License-Identifier: MIT */
/* Changing such a guest, past the engine and with it. */
#include "guest_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"

#define READ_MAX (16u << 20)

const char *guest_warning;

static void keep_warning(const char *text)
{
	static char kept[1024];

	(void)snprintf(kept, sizeof kept, "%s", text);
	guest_warning = kept;
}

/* ---- past the engine ------------------------------------------------------ */

static void open_edit(const struct guest_make *g, struct target *t, bool write,
                      struct ext4_edit **out)
{
	const struct ext4_edit_request req = {.target = t,
	                                      .base = g->base,
	                                      .size = t->size - g->base,
	                                      .time = GUEST_TIME,
	                                      .write = write};
	struct err err = ERR_INIT;

	assert_ok(ext4_edit_open(&req, out, &err), &err);
}

void guest_edit(const struct guest_make *g, size_t disk, struct guest_disk *d)
{
	struct err err = ERR_INIT;

	assert_ok(target_open_existing(&d->t, g->path[disk], false, &err), &err);
	open_edit(g, &d->t, true, &d->e);
}

void guest_commit(struct guest_disk *d)
{
	struct err err = ERR_INIT;
	bool happened;

	assert_ok(ext4_edit_commit(d->e, &happened, &err), &err);
	assert_true(happened);
	ext4_edit_free(d->e);
	target_fini(&d->t);
}

static uint32_t parent_of(struct ext4_edit *e, const char *path)
{
	const char *slash = strrchr(path, '/');
	_free_ char *dir = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	struct err err = ERR_INIT;
	uint32_t ino;

	assert_ok(ext4_edit_mkdir(e, dir, 0755, &ino, &err), &err);
	return ino;
}

static void put_entry(const struct guest_make *g, size_t disk, const char *path, const char *text,
                      bool link)
{
	const char *base = strrchr(path, '/') + 1;
	struct err err = ERR_INIT;
	struct guest_disk d;
	uint32_t dir;

	guest_edit(g, disk, &d);
	dir = parent_of(d.e, path);
	if (!text)
		assert_ok(ext4_edit_remove(d.e, dir, base, NULL, &err), &err);
	else if (link)
		assert_ok(ext4_edit_add_link(d.e, dir, base, text, &err), &err);
	else
		assert_ok(ext4_edit_add_file(d.e, dir, base, 0644, str_from(text), &err), &err);
	guest_commit(&d);
}

void guest_put_link(const struct guest_make *g, size_t disk, const char *path, const char *target)
{
	put_entry(g, disk, path, target, true);
}

void guest_put_file(const struct guest_make *g, size_t disk, const char *path, const char *text)
{
	put_entry(g, disk, path, text, false);
}

char *guest_read(const struct guest_make *g, size_t disk, const char *path)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	struct ext4_edit *e;
	struct target t;

	assert_ok(target_open_existing(&t, g->path[disk], true, &err), &err);
	open_edit(g, &t, false, &e);
	buf_puts(&out, "");
	assert_ok(ext4_edit_read_path(e, path, READ_MAX, &out, &err), &err);
	ext4_edit_free(e);
	target_fini(&t);
	return buf_steal(&out);
}

/* ---- with it -------------------------------------------------------------- */

int guest_open(const void *arg, enum off_guest_mode mode, struct off_guest *out, struct err *err)
{
	const struct guest_make *g = arg;
	int rc = 0;

	*out = (struct off_guest){.now = GUEST_TIME + 86400,
	                          .mode = mode,
	                          .repair = mode != OFF_GUEST_LOOK,
	                          .warn = keep_warning};
	if (g->config)
		out->config = *g->config;
	for (size_t i = 0; i < g->n_disks && rc == 0; i++) {
		out->paths[i] = xstrdup(g->path[i]);
		out->targets[i] = (struct target)TARGET_INIT;
		out->n_disks++;
		rc = target_open_existing(&out->targets[i], g->path[i], !out->repair, err);
	}
	if (rc == 0)
		rc = off_guest_find(out, err);
	if (rc < 0)
		off_guest_close(out);
	return rc;
}

void guest_close(struct off_guest *off)
{
	off_guest_close(off);
}

void guest_begin(const struct guest_make *g, enum off_guest_mode mode, struct off_guest *off,
                 struct guest_state *in)
{
	const struct off_guest_opener opener = {guest_open, guest_close, g};
	struct err err = ERR_INIT;

	guest_warning = NULL;
	assert_ok(change_begin(&opener, mode, off, in, &err), &err);
}

void guest_end(struct off_guest *off, struct guest_state *in)
{
	guest_state_fini(in);
	off_guest_close(off);
}

void guest_add_generation(struct off_guest *off, struct guest_state *in, unsigned n)
{
	_cleanup_(closure_fini) struct closure add = {0}, all = {0};
	_free_ char *link = xasprintf("system-%u-link", n);
	struct ext4_edit *e = off->root.edit;
	struct profile *p = &in->profiles[0];
	struct err err = ERR_INIT;
	uint32_t dir;

	guest_state_load_db(off, in);
	guest_add_system(e, n);
	guest_closure(n, &add);
	closure_union(&in->db, &add, off->now, &all);
	assert_ok(guest_state_put_db(off, in, &all, &err), &err);
	assert_ok(ext4_edit_find(e, GUEST_STATE_PROFILES, true, &dir, &err), &err);
	assert_ok(ext4_edit_add_link(e, dir, link, guest_system(n), &err), &err);
	assert_ok(change_profile(off, n, &err), &err);
	p->v = xreallocarray(p->v, p->n + 1, sizeof *p->v);
	for (size_t i = 0; i < p->n; i++)
		p->v[i].current = false;
	p->v[p->n] = (struct generation){.number = n, .time = off->now, .current = true};
	assert_ok(guest_system_load(&off->root, guest_system(n), &p->v[p->n++].system, &err), &err);
}
