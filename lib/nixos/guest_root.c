/* SPDX-License-Identifier: MIT */
#include "nixos/guest_root.h"

#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "fs/view.h"
#include "nix/store_path.h"
#include "nixos/booting.h"
#include "nixos/fstab.h"
#include "nixos/guest_mounts.h"

#define FSTAB_MAX (1u << 20)
#define SUBVOLS_MAX 256u /* names at the top of a btrfs that are looked into */
#define FOLLOWED_MAX 32u /* fstabs that are followed */
#define PROFILE "/nix/var/nix/profiles/system"

/* What is known before the root is found, and the tree that is found. */
struct search {
	struct disks *d;
	struct boots menu;
	const char *args; /* of the kernel that boots by default; NULL: not known */
	struct buf *notes;
	struct guest_root loose; /* the first candidate whose fstab cannot be followed */
	struct err why;          /* it cannot */
	size_t other;            /* another device with such a one; SIZE_MAX: none */
	unsigned followed;       /* fstabs */
	struct err first;        /* what could not be read, first; code 0: nothing */
};

static void search_fini(struct search *s)
{
	boots_fini(&s->menu);
	guest_root_fini(&s->loose);
}

/* What cannot be read is not there, but if nothing else is found, that is why. */
static void keep_error(struct search *s, int rc, const struct err *err)
{
	if (rc < 0 && rc != -ERR_NOENT && !s->first.code)
		s->first = *err;
}

/* ---- the system ----------------------------------------------------------- */

/* The kernel's arguments. A menu that cannot be read leaves the profile. */
static void read_args(struct search *s, const struct booting_config *config)
{
	const struct boots_settings set = {.more = config->cmdline,
	                                   .entry = config->entry,
	                                   .writes = config->writes || !config->path};
	struct err err = ERR_INIT;
	int rc;

	if (config->kernel) {
		s->args = config->cmdline;
		return;
	}
	rc = boots_read(disks_files(s->d), &set, &s->menu, &err);
	keep_error(s, rc, &err);
	if (rc == 0)
		s->args = s->menu.chosen.args;
}

static bool is_dir(struct search *s, struct fs *view, const char *path)
{
	struct err err = ERR_INIT;
	struct fs_stat st;
	int rc = fs_stat(view, str_from(path), true, &st, &err);

	keep_error(s, rc, &err);
	return rc == 0 && st.kind == FS_DIR;
}

/* The directory that an init= lies in, or the profile, if the view has it; NULL: neither. */
static char *system_of(struct search *s, struct fs *view)
{
	struct str init = boots_init(s->args);
	_free_ char *top = init.p ? xstrndup(init.p, init.n) : NULL;
	char *slash = top ? strrchr(top, '/') : NULL;

	if (slash && slash != top) {
		*slash = 0;
		if (is_dir(s, view, top))
			return take(&top);
	}
	return is_dir(s, view, PROFILE) ? xstrdup(PROFILE) : NULL;
}

/* 0, 1: it has none, or -ERR_*. */
static int read_fstab(struct fs *view, const char *system, struct buf *out, struct err *err)
{
	_free_ char *path = xasprintf("%s/etc/fstab", system);

	return err_absent(fs_read(view, str_from(path), FSTAB_MAX, out, err));
}

/* ---- candidates ----------------------------------------------------------- */

/* One place on a device that may be the root, or what is mounted at /nix. */
struct candidate {
	size_t dev;
	struct fs *fs;
	struct fs_subvol sub;
	bool store_only;
};

/* The tree with nothing but the candidate; NULL: it has no store. */
static struct fs *provisional(struct search *s, const struct candidate *c)
{
	_cleanup_(fs_freep) struct fs *view = fs_view_new(disks_window(s->d, c->dev)->name);
	struct str dir = c->store_only ? STR("/nix") : STR("/");
	struct err err = ERR_INIT;
	int rc = fs_view_mount(view, dir, c->fs, &c->sub, &err);

	keep_error(s, rc, &err);
	return rc == 0 && is_dir(s, view, STORE_DIR) ? take(&view) : NULL;
}

/* Keep the first of those that have to be taken as they are. */
static void keep_loose(struct search *s, const struct candidate *c, struct fs **view,
                       const struct err *why)
{
	if (s->loose.view) {
		if (s->loose.dev != c->dev)
			s->other = c->dev;
		return;
	}
	s->loose = (struct guest_root){take(view), c->dev};
	s->why = *why;
}

/* The whole tree has the store on the same file system, and the system in it. */
static int check(const struct search *s, const struct candidate *c, struct fs *view,
                 const char *system, struct err *err)
{
	struct fs_place at;
	int rc = fs_find(view, STR(STORE_DIR), true, &at, err);

	if (rc == 0 && at.fs != c->fs)
		rc = err_set(err, ERR_FORMAT, STORE_DIR " is on another file system");
	if (rc == 0)
		rc = fs_find(view, str_from(system), true, &at, err);
	return rc;
}

/* 0 and *out; 1: it is not the root, but may be taken for it (loose), or has no store. */
static int try(struct search *s, const struct candidate *c, struct fs **out)
{
	_cleanup_(fs_freep) struct fs *view = provisional(s, c), *whole = NULL;
	_free_ char *system = view ? system_of(s, view) : NULL;
	_cleanup_(buf_fini) struct buf text = BUF_INIT, notes = BUF_INIT;
	struct err err = ERR_INIT;
	int rc;

	if (!view || (!system && c->store_only))
		return 1;
	if (!system) {
		err_set(&err, ERR_NOENT, "no system in it");
		keep_loose(s, c, &view, &err);
		return 1;
	}
	rc = read_fstab(view, system, &text, &err);
	if (rc == 1 && !c->store_only) {
		*out = take(&view);
		return 0;
	}
	if (rc == 1)
		rc = err_set(&err, ERR_NOENT, "its system has no fstab");
	if (rc == 0 && s->followed++ == FOLLOWED_MAX)
		rc = err_set(&err, ERR_LIMIT, "more than %u places with a system", FOLLOWED_MAX);
	if (rc == 0) {
		const struct guest_mounts m = {.d = s->d,
		                               .fstab = buf_str(&text),
		                               .args = s->args,
		                               .root = c->store_only ? NULL : c->fs,
		                               .sub = c->sub,
		                               .notes = &notes};

		rc = guest_mounts_view(&m, &whole, &err);
	}
	if (rc == 0)
		rc = check(s, c, whole, system, &err);
	if (rc < 0) {
		keep_loose(s, c, &view, &err);
		return 1;
	}
	buf_put(s->notes, notes.p ? notes.p : "", notes.n);
	*out = take(&whole);
	return 0;
}

/* ---- devices -------------------------------------------------------------- */

struct names {
	struct buf text; /* each with its NUL */
	unsigned n;
};

static int take_name(void *arg, struct str name)
{
	struct names *l = arg;

	buf_put(&l->text, name.p, name.n);
	buf_put(&l->text, "", 1);
	return ++l->n == SUBVOLS_MAX;
}

static int try_both(struct search *s, struct candidate *c, struct fs **out)
{
	int rc;

	c->store_only = false;
	rc = try(s, c, out);
	c->store_only = true;
	return rc ? try(s, c, out) : 0;
}

/* The file system as it is, and what is at the top of a btrfs. 0 and *out, or 1. */
static int try_device(struct search *s, size_t dev, struct fs *fs, struct fs **out)
{
	struct candidate c = {.dev = dev, .fs = fs};
	struct names l = {.text = BUF_INIT};
	struct err err = ERR_INIT;
	int rc = try_both(s, &c, out);

	if (!rc || strcmp(fs_type(fs), "btrfs") != 0)
		return rc;
	c.sub.path = STR("/");
	rc = try_both(s, &c, out);
	if (rc)
		keep_error(s, fs_list(fs, c.sub.path, take_name, &l, &err), &err);
	for (size_t i = 0; rc && i < l.text.n; i += c.sub.path.n + 1) {
		c.sub.path = str_from(l.text.p + i);
		rc = try_both(s, &c, out);
	}
	buf_fini(&l.text);
	return rc;
}

static const char *name_of(const struct search *s, size_t dev)
{
	return disks_files(s->d)->devices[dev].name;
}

static int both(const struct search *s, size_t a, size_t b, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, "(%s) and (%s): both have a " STORE_DIR, name_of(s, a),
	               name_of(s, b));
}

static int look_at(struct search *s, size_t dev, struct guest_root *out, struct err *err)
{
	_cleanup_(fs_freep) struct fs *view = NULL;
	struct fs *fs;
	int rc = disks_fs(s->d, dev, &fs, err);

	if (rc < 0)
		return rc == -ERR_NOENT ? 0 : rc;
	if (try_device(s, dev, fs, &view))
		return 0;
	if (out->view)
		return both(s, out->dev, dev, err);
	*out = (struct guest_root){take(&view), dev};
	return 0;
}

/* What can only be taken as it is: the tree without the rest, and a note. */
static int take_loose(struct search *s, struct guest_root *out, struct err *err)
{
	if (out->view || !s->loose.view)
		return 0;
	if (s->other != SIZE_MAX)
		return both(s, s->loose.dev, s->other, err);
	buf_putf(s->notes, "(%s): taken for the root, without other file systems: %s\n",
	         name_of(s, s->loose.dev), s->why.text);
	*out = s->loose;
	s->loose.view = NULL;
	return 0;
}

int guest_root_find(struct disks *d, const struct booting_config *config, struct guest_root *out,
                    struct buf *notes, struct err *err)
{
	_cleanup_(search_fini) struct search s = {.d = d, .notes = notes, .other = SIZE_MAX};
	struct guest_root found = {.view = NULL};
	int rc = 0;

	read_args(&s, config);
	for (size_t i = 0; rc == 0 && i < disks_files(d)->device_count; i++)
		rc = look_at(&s, i, &found, err);
	if (rc == 0)
		rc = take_loose(&s, &found, err);
	if (rc == 0 && !found.view && s.first.code) {
		*err = s.first;
		rc = -(int)err->code;
	}
	if (rc == 0 && disks_fault(d, err) < 0)
		rc = -(int)err->code;
	if (rc < 0) {
		guest_root_fini(&found);
		return rc;
	}
	*out = found;
	return found.view ? 0 : 1;
}

void guest_root_fini(struct guest_root *r)
{
	fs_free(take(&r->view));
}
