/* SPDX-License-Identifier: MIT */
#include "nixos/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"
#include "nix/store_path.h"
#include "nixos/nixroot.h"
#include "xen/xlcfg_edit.h"

#define PIECE 65536u
#define CMDLINE_PV_MAX 1023u

void direct_init(struct direct *d)
{
	*d = (struct direct){.kernel = OUTFILE_INIT, .initrd = OUTFILE_INIT, .cfg = OUTFILE_INIT};
}

void direct_fini(struct direct *d)
{
	outfile_fini(&d->kernel);
	outfile_fini(&d->initrd);
	outfile_fini(&d->cfg);
	guest_system_fini(&d->old);
	buf_fini(&d->text);
	buf_fini(&d->changed);
	free(d->config);
	free(d->dir);
	free(d->shown_dir);
	free(d->stem);
	free(d->old_kernel);
	free(d->old_initrd);
	free(d->new_kernel);
	free(d->new_initrd);
	direct_init(d);
}

/* ---- refusing ------------------------------------------------------------- */

/* What it would have to say, for a person to write. */
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

/* ---- names ---------------------------------------------------------------- */

static bool is_digits(struct str s)
{
	if (s.n != STORE_DIGEST_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("0123456789abcdfghijklmnpqrsvwxyz", s.p[i]))
			return false;
	return true;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *direct_stem(const char *path, const char *suffix)
{
	struct str s = str_from(base_of(path)), digits;

	if (!str_ends(s, suffix) || s.n == strlen(suffix))
		return NULL;
	s.n -= strlen(suffix);
	if (s.n > STORE_DIGEST_LEN + 1) {
		digits = str_drop(s, s.n - STORE_DIGEST_LEN);
		if (digits.p[-1] == '-' && is_digits(digits))
			s.n -= STORE_DIGEST_LEN + 1;
	}
	return xstrndup(s.p, s.n);
}

static char *new_name(const struct direct *d, const struct guest_system *s, const char *suffix)
{
	return xasprintf("%s-%.*s%s", d->stem, (int)STORE_DIGEST_LEN, base_of(s->toplevel), suffix);
}

/* ---- what is in the files ------------------------------------------------- */

static int same_bytes(int fd, const char *name, struct walk *walk, bool *same, struct err *err)
{
	_free_ char *here = xmalloc(PIECE), *there = xmalloc(PIECE);
	size_t n = PIECE, m;
	int rc = 0;

	*same = true;
	for (uint64_t off = 0; rc == 0 && *same && n == PIECE; off += n) {
		rc = io_pread(fd, name, here, PIECE, off, &n, err);
		if (rc == 0)
			rc = walk_read(walk, there, PIECE, &m, err);
		if (rc == 0)
			*same = n == m && !memcmp(here, there, n);
	}
	return rc;
}

/* Whether a file of the host is the same as one of the guest's store; NULL: it is not. */
static int same_file(struct off_guest *off, const char *host, const char *path, bool *same,
                     struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = NULL;
	_close_ int fd = open(host, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct walk_entry ent;
	struct stat st;
	uint32_t ino;
	int rc;

	*same = false;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s: %s", off->config.path, host);
	if (!path || !S_ISREG(st.st_mode))
		return 0;
	rc = ext4_edit_find(off->root.edit, path, true, &ino, err);
	if (rc == 0)
		rc = ext4_edit_walk(off->root.edit, ino, 0644, &walk, err);
	if (rc == 0)
		rc = walk_next(walk, &ent, err);
	if (rc == 0 && ent.size == (uint64_t)st.st_size)
		rc = same_bytes(fd, host, walk, same, err);
	return rc;
}

/* The guest's own kernel under another name than ours: it is maintained by hand. */
static int is_some_kernel(struct off_guest *off, const struct guest_state *in, const char *host,
                          bool *is, struct err *err)
{
	const struct profile *p = &in->profiles[0];
	int rc = 0;

	*is = false;
	for (size_t i = 0; i < p->n && rc == 0 && !*is; i++)
		if (p->v[i].system.kernel)
			rc = same_file(off, host, p->v[i].system.kernel, is, err);
	return rc;
}

/* ---- learning ------------------------------------------------------------- */

static int read_config(struct off_guest *off, struct direct *d, struct err *err)
{
	d->config = realpath(off->config.path, NULL);
	if (!d->config)
		return err_sys(err, errno, "%s", off->config.path);
	return io_read_file(AT_FDCWD, d->config, XLCFG_BYTES_MAX, &d->text, err);
}

/* Which system it boots. */
static int learn_system(struct off_guest *off, struct direct *d, struct err *err)
{
	const struct booting *b = &off->booting;
	int rc;

	if (!b->toplevel)
		return refuse(off, d, "its init= is in none of the guest's generations", err);
	rc = guest_system_load(off->root.edit, b->toplevel, &d->old, err);
	if (rc < 0)
		return rc;
	if (!b->init || strcmp(b->init, d->old.init) != 0)
		return refuse(off, d, "its init= is not that of a system in the store", err);
	return 0;
}

static int learn_initrd(struct off_guest *off, struct direct *d, const char *kernel,
                        struct err *err)
{
	const char *text = off->config.ramdisk;
	_free_ char *host = text ? xlcfg_path(off->config.path, text) : NULL;
	_free_ char *want =
	        xasprintf("%.*s.initrd", (int)(strlen(kernel) - strlen(".kernel")), kernel);
	bool same = false;
	int rc = host ? same_file(off, host, d->old.initrd, &same, err) : 0;

	if (rc == 0 && (!text || !same || strcmp(text, want) != 0))
		return refuse(
		        off, d,
		        "its ramdisk= is not a copy of the initrd of the system that init= boots",
		        err);
	if (rc == 0)
		d->old_initrd = xstrdup(base_of(text));
	return rc;
}

static int learn_kernel(struct off_guest *off, const struct guest_state *in, struct direct *d,
                        struct err *err)
{
	const char *text = off->config.kernel, *slash;
	_free_ char *host = xlcfg_path(off->config.path, text);
	bool same, other = false;
	int rc = same_file(off, host, d->old.kernel, &same, err);

	d->stem = direct_stem(text, ".kernel");
	if (rc == 0 && !same && !d->stem)
		rc = is_some_kernel(off, in, host, &other, err);
	if (rc < 0)
		return rc;
	if (same != (d->stem != NULL) || other)
		return refuse(off, d,
		              same ? "its kernel= is a copy with a name that domstrap does not use"
		                   : "its kernel= is not the kernel of the system that init= boots",
		              err);
	if (!same)
		return 0;
	d->copies = true;
	slash = strrchr(host, '/');
	d->dir = slash ? xstrndup(host, (size_t)(slash - host)) : xstrdup(".");
	d->shown_dir = xstrndup(text, (size_t)(base_of(text) - text));
	d->old_kernel = xstrdup(base_of(text));
	return learn_initrd(off, d, text, err);
}

int direct_learn(struct off_guest *off, const struct guest_state *in, struct direct *d,
                 struct err *err)
{
	int rc = read_config(off, d, err);

	if (rc == 0 && off->config.in_guest)
		rc = refuse(off, d,
		            "its kernel= is a path in the guest, which bypasses the boot menu",
		            err);
	if (rc == 0)
		rc = learn_system(off, d, err);
	return rc < 0 ? rc : learn_kernel(off, in, d, err);
}

/* ---- the new text --------------------------------------------------------- */

/* Where words stand in a line as words of their own; NULL: nowhere. */
static const char *find_words(const char *line, const char *words)
{
	size_t n = strlen(words);

	for (const char *at = line; n && (at = strstr(at, words)); at++)
		if ((at == line || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return at;
	return NULL;
}

static char *put_words(const char *line, const char *at, size_t n, const char *words)
{
	return xasprintf("%.*s%s%s", (int)(at - line), line, words, at + n);
}

/* init= and the system's parameters; arguments added by hand in between are kept. */
static int new_args(struct off_guest *off, struct direct *d, const struct guest_system *s,
                    char **out, struct err *err)
{
	const char *line = off->cfg.cmdline, *was = d->old.params, *at;
	_free_ char *old_init = xasprintf("init=%s", d->old.init);
	_free_ char *init = xasprintf("init=%s", s->init);
	_free_ char *first = NULL;

	at = find_words(line, old_init);
	if (!at || find_words(at + 1, old_init))
		return refuse(off, d, "its command line has init= more than once", err);
	first = put_words(line, at, strlen(old_init), init);
	at = find_words(first, was);
	if (*was && !at)
		return refuse(off, d, "its command line lacks the system's kernel parameters", err);
	if (*was)
		*out = put_words(first, at, strlen(was), s->params);
	else
		*out = xasprintf("%s%s%s", first, *s->params ? " " : "", s->params);
	return 0;
}

static int replace(struct buf *text, const char *key, const char *value, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc = xlcfg_replace(buf_str(text), key, value, &out, err);

	if (rc == 0) {
		buf_fini(text);
		*text = out;
	} else {
		buf_fini(&out);
	}
	return rc;
}

static int change_text(struct direct *d, const char *args, struct err *err)
{
	_free_ char *kernel = NULL, *initrd = NULL;
	int rc = 0;

	buf_put(&d->changed, d->text.p, d->text.n);
	if (d->copies) {
		kernel = xasprintf("%s%s", d->shown_dir, d->new_kernel);
		initrd = xasprintf("%s%s", d->shown_dir, d->new_initrd);
		rc = replace(&d->changed, "kernel", kernel, err);
		if (rc == 0)
			rc = replace(&d->changed, "ramdisk", initrd, err);
	}
	if (rc == 0)
		rc = replace(&d->changed, "cmdline", args, err);
	if (rc == 1)
		rc = replace(&d->changed, "extra", args, err);
	return rc;
}

/* The proof that nothing else became of it: what the config says now. */
static int adopt(struct off_guest *off, struct direct *d, const char *args, struct err *err)
{
	struct xlcfg_guest g = {.n = 0};
	int rc = xlcfg_guest_parse(d->changed.p, d->changed.n, &g, err);

	if (rc < 0)
		return rc;
	if (!g.cmdline || strcmp(g.cmdline, args) != 0 || !g.kernel ||
	    strcmp(base_of(g.kernel), d->copies ? d->new_kernel : base_of(off->cfg.kernel)) != 0) {
		xlcfg_guest_fini(&g);
		return refuse(off, d, "its command line is set by several keys", err);
	}
	xlcfg_guest_fini(&off->cfg);
	off->cfg = g;
	off->config = booting_config(off->config.path, &off->cfg);
	return 0;
}

static bool is_pv(const struct off_guest *off)
{
	return !off->cfg.type || !strcmp(off->cfg.type, "pv");
}

int direct_format(struct off_guest *off, struct direct *d, const struct guest_system *s,
                  struct err *err)
{
	_free_ char *args = NULL;
	int rc;

	if (s->broken || (d->copies && (!s->kernel || !s->initrd)))
		return err_set(err, ERR_FORMAT,
		               "%s has no kernel, initrd or init, so it cannot boot", s->toplevel);
	if (d->copies) {
		d->new_kernel = new_name(d, s, ".kernel");
		d->new_initrd = new_name(d, s, ".initrd");
		/* The same system again: create's names do. */
		if (!strcmp(s->toplevel, d->old.toplevel)) {
			free(d->new_kernel);
			free(d->new_initrd);
			d->new_kernel = xstrdup(d->old_kernel);
			d->new_initrd = xstrdup(d->old_initrd);
		}
	}
	rc = new_args(off, d, s, &args, err);
	if (rc == 0 && is_pv(off) && strlen(args) > CMDLINE_PV_MAX)
		rc = err_set(err, ERR_LIMIT,
		             "the kernel command line has %zu bytes, but a PV guest gets only %u",
		             strlen(args), CMDLINE_PV_MAX);
	if (rc == 0)
		rc = change_text(d, args, err);
	if (rc == 1)
		rc = refuse(off, d, "its command line was not found where domstrap expects it",
		            err);
	return rc < 0 ? rc : adopt(off, d, args, err);
}

bool direct_differs(const struct direct *d)
{
	return !str_eq(buf_str(&d->text), buf_str(&d->changed));
}

/* ---- the mark in the root ------------------------------------------------- */

int direct_mark(struct off_guest *off, const char *toplevel, struct err *err)
{
	static const char path[] = NIXROOT_DIRECT;
	_free_ char *parent = xstrndup(path, (size_t)(base_of(path) - 1 - path));
	struct ext4_edit *e = off->root.edit;
	uint32_t dir;
	int rc = toplevel ? ext4_edit_mkdir(e, parent, 0755, &dir, err)
	                  : err_absent(ext4_edit_find(e, parent, true, &dir, err));

	if (rc)
		return rc < 0 ? rc : 0;
	if (toplevel)
		return ext4_edit_add_link(e, dir, base_of(path), toplevel, err);
	rc = err_absent(ext4_edit_remove(e, dir, base_of(path), NULL, err));
	return rc < 0 ? rc : 0;
}
