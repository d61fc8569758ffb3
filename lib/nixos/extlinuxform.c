/* SPDX-License-Identifier: MIT */
/* Parses an extlinux.conf. */
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "grub/extlinux.h"
#include "nix/store_path.h"
#include "nixos/extlinuxcfg.h"
#include "nixos/grubform_in.h"

#define COPIES "/nixos/"
#define PREFIX "nixos-"
#define DEFAULT_TAG "default"
#define DEFAULT_TITLE " - Default"
#define CONFIGURATION " - Configuration "
#define NUMBER_MAX 1000000000u

/* The lines of a label; views into the text. */
struct block {
	struct str label, title, kernel, initrd, append, tree, tree_dir;
	struct str other; /* a line that NixOS does not write */
	size_t blank;     /* bytes of the empty lines at its end */
};

struct learner {
	struct extlinux_form *f;
	const char *name;
	struct err *err;
	struct buf text; /* not in a piece yet */
	bool any;        /* the default's entry was seen */
};

void extlinux_form_fini(struct extlinux_form *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->pieces[i].text);
	for (size_t i = 0; i < f->n_known; i++) {
		free(f->known[i].tag);
		free(f->known[i].init);
		free(f->known[i].when);
	}
	free(f->pieces);
	free(f->known);
	free(f->distro);
	free(f->dir);
	free(f->tree_name);
	*f = (struct extlinux_form){0};
}

bool extlinux_form_mentions(const struct extlinux_form *f, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < f->n; i++)
		for (const char *p = f->pieces[i].text; p && (p = strstr(p, name)); p++)
			if (p > f->pieces[i].text && p[-1] == '/' &&
			    (!p[n] || strchr(" \t\r\n,/", p[n])))
				return true;
	return false;
}

static int refuse(struct learner *l, struct str label, const char *why)
{
	char shown[SHOW_SIZE];

	return err_set(l->err, ERR_UNSUPPORTED, "%s: not written by NixOS: label %s %s", l->name,
	               show_str(label, shown), why);
}

/* ---- one label ------------------------------------------------------------ */

static bool keyword_is(struct str line, const char *word, struct str *rest)
{
	struct str s = line;

	if (!str_is(extlinux_cut(&s), word))
		return false;
	*rest = s;
	return true;
}

static void take_line(struct block *b, enum extlinux_word word, struct str rest, struct str line)
{
	struct str dir;

	if (word == EXT_MENU_LABEL)
		b->title = rest;
	else if (word == EXT_LINUX)
		b->kernel = rest;
	else if (word == EXT_INITRD)
		b->initrd = rest;
	else if (word == EXT_APPEND)
		b->append = rest;
	else if (keyword_is(line, "FDT", &dir))
		b->tree = dir;
	else if (keyword_is(line, "FDTDIR", &dir))
		b->tree_dir = dir;
	else if (line.n && line.p[0] != '#')
		b->other = line;
}

/* The lines of a label, up to the next one; *text begins behind its own line. */
static struct str read_block(struct str *text, struct block *b)
{
	const struct str all = *text;
	enum extlinux_word word;
	struct str rest, line;

	b->blank = 0;
	while (text->p && text->n) {
		struct str before = *text;

		extlinux_line(text, &word, &rest, &line);
		if (word == EXT_LABEL) {
			*text = before;
			break;
		}
		take_line(b, word, rest, line);
		b->blank = line.n ? 0 : b->blank + (before.n - text->n);
	}
	return (struct str){all.p, all.n - text->n};
}

/* NixOS's tag in a label; p NULL: it is not a label of NixOS. */
static struct str tag_of(struct str label, unsigned *number)
{
	struct str tag = str_drop(label, strlen(PREFIX)), digits = tag, none = {NULL, 0};
	uint64_t v;

	*number = 0;
	if (!str_starts(label, PREFIX))
		return none;
	if (str_is(tag, DEFAULT_TAG))
		return tag;
	if (!str_u64(str_cut(&digits, '-'), 10, NUMBER_MAX, &v) || !v)
		return none;
	*number = (unsigned)v;
	return tag;
}

static size_t path_dir(struct str path, bool *copies)
{
	_free_ char *text = xstrndup(path.p ? path.p : "", path.n);

	return entry_dir_length(text, COPIES, copies);
}

/* "init=/nix/store/…", before which older releases' systemConfig= may stand; NULL: there is none.
 */
static char *init_in(struct str append, bool *system_config)
{
	struct str first = extlinux_cut(&append), rest;
	struct store_path sp;

	*system_config = str_starts(first, "systemConfig=");
	if (*system_config)
		first = extlinux_cut(&append);
	if (!str_starts(first, "init="))
		return NULL;
	first = str_drop(first, strlen("init="));
	return store_path_is_in(first, &sp, &rest) ? xstrndup(first.p, first.n) : NULL;
}

/* The "2025-10-03 12:00" that stands in a title behind "(" and before " - "; NULL: none. */
static char *when_in(struct str title)
{
	static const char form[] = "(0000-00-00 00:00 - ";

	for (size_t at = 0; at + sizeof form - 1 <= title.n; at++) {
		const char *p = title.p + at;
		size_t i = 0;

		while (form[i] && (form[i] == '0' ? p[i] >= '0' && p[i] <= '9' : p[i] == form[i]))
			i++;
		if (!form[i])
			return xstrndup(p + 1, strlen("0000-00-00 00:00"));
	}
	return NULL;
}

/* ---- pieces --------------------------------------------------------------- */

static void end_text(struct learner *l)
{
	struct extlinux_form *f = l->f;

	if (!l->text.n)
		return;
	GROW(f->pieces, f->n, f->cap);
	f->pieces[f->n++] = (struct extlinux_piece){EXTLINUX_TEXT, buf_steal(&l->text)};
}

static void add_piece(struct learner *l, enum extlinux_piece_kind kind)
{
	struct extlinux_form *f = l->f;

	/* Each entry is written with the empty line before it. */
	if (l->text.n == 1 || (l->text.n > 1 && l->text.p[l->text.n - 2] == '\n'))
		if (l->text.p[l->text.n - 1] == '\n')
			l->text.p[--l->text.n] = '\0';
	for (size_t i = 0; i < f->n; i++)
		if (f->pieces[i].kind == kind)
			return;
	end_text(l);
	GROW(f->pieces, f->n, f->cap);
	f->pieces[f->n++] = (struct extlinux_piece){kind, NULL};
}

/* The default entry determines where files are and how they are named. */
static int take_form(struct learner *l, const struct block *b)
{
	struct extlinux_form *f = l->f;
	bool copies = false;
	size_t n = path_dir(b->kernel, &copies);

	if (!n)
		return refuse(l, b->label, "has a kernel outside the store");
	if (b->initrd.n < n || memcmp(b->initrd.p, b->kernel.p, n) != 0)
		return refuse(l, b->label, "has an initrd in another directory than its kernel");
	if (!str_ends(b->title, DEFAULT_TITLE))
		return refuse(l, b->label, "does not have the title '…" DEFAULT_TITLE "'");
	f->distro = xstrndup(b->title.p, b->title.n - strlen(DEFAULT_TITLE));
	f->dir = xstrndup(b->kernel.p, n);
	f->copies = copies;
	f->trees = b->tree.p || b->tree_dir.p;
	if (b->tree.p) {
		_free_ char *path = xstrndup(b->tree.p, b->tree.n);
		const char *slash = strlen(path) > n ? strchr(path + n, '/') : NULL;

		if (!slash)
			return refuse(l, b->label, "has a device tree outside the store");
		f->tree_name = xstrdup(slash + 1);
	}
	l->any = true;
	return 0;
}

static int take_entry(struct learner *l, const struct block *b, struct str tag, unsigned number,
                      const char *init)
{
	struct extlinux_form *f = l->f;
	bool named = tag.n && memchr(tag.p, '-', tag.n), copies;
	int rc = 0;

	if (b->other.p)
		return refuse(l, b->label, "has lines that NixOS does not write");
	if (!number && !l->any)
		rc = take_form(l, b);
	else if (!number)
		rc = refuse(l, b->label, "occurs twice");
	else if (!path_dir(b->kernel, &copies) || !path_dir(b->initrd, &copies))
		rc = refuse(l, b->label, "has a kernel or initrd outside the store");
	if (rc < 0)
		return rc;
	GROW(f->known, f->n_known, f->known_cap);
	f->known[f->n_known++] = (struct extlinux_known){
	        .tag = xstrndup(tag.p, tag.n), .init = xstrdup(init), .when = when_in(b->title)};
	f->specials = f->specials || (number && named);
	if (number && number != f->oldest) {
		f->shown++;
		f->oldest = number;
	}
	add_piece(l, number ? EXTLINUX_GENERATIONS : EXTLINUX_DEFAULT);
	return 0;
}

static int take_label(struct learner *l, struct str label, struct str raw, struct str *text)
{
	struct block b = {.label = label};
	struct str lines = read_block(text, &b);
	unsigned number;
	struct str tag = tag_of(label, &number);
	bool system_config = false;
	_free_ char *init = tag.p && b.append.p ? init_in(b.append, &system_config) : NULL;
	int rc;

	if (!init) {
		buf_put(&l->text, raw.p, raw.n);
		buf_put(&l->text, lines.p, lines.n);
		return 0;
	}
	rc = take_entry(l, &b, tag, number, init);
	l->f->system_config = l->f->system_config || system_config;
	buf_put(&l->text, lines.p + lines.n - b.blank, b.blank);
	return rc;
}

/* NixOS's labels change with every menu; only the label of the default is constant. */
static void put_default(struct learner *l, struct str label, struct str raw)
{
	unsigned number;

	if (tag_of(label, &number).p)
		buf_puts(&l->text, "DEFAULT " PREFIX DEFAULT_TAG "\n");
	else
		buf_put(&l->text, raw.p, raw.n);
}

static int take_all(struct learner *l, struct str text)
{
	int rc = 0;

	while (rc == 0 && text.p && text.n) {
		struct str before = text, rest, line, raw;
		enum extlinux_word word;

		extlinux_line(&text, &word, &rest, &line);
		raw = (struct str){before.p, text.p ? before.n - text.n : before.n};
		if (word == EXT_LABEL)
			rc = take_label(l, rest, raw, &text);
		else if (word == EXT_DEFAULT)
			put_default(l, rest, raw);
		else
			buf_put(&l->text, raw.p, raw.n);
	}
	end_text(l);
	return rc;
}

int extlinux_form_learn(const char *name, struct str text, struct extlinux_form *out,
                        struct err *err)
{
	struct extlinux_form f = {0};
	struct learner l = {.f = &f, .name = name, .err = err, .text = BUF_INIT};
	/* A text ends with its NUL here, and each line with its newline. */
	_free_ char *copy = xasprintf("%.*s%s", STR_ARG(text),
	                              text.n && text.p[text.n - 1] != '\n' ? "\n" : "");
	int rc = take_all(&l, str_from(copy));

	if (rc == 0 && !l.any)
		rc = err_set(err, ERR_UNSUPPORTED,
		             "%s: not written by NixOS: it has no label " PREFIX DEFAULT_TAG
		             " with init= in the store",
		             name);
	buf_fini(&l.text);
	if (rc < 0) {
		extlinux_form_fini(&f);
		return rc;
	}
	*out = f;
	return 0;
}
