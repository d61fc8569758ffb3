/* SPDX-License-Identifier: MIT */
/*
 * What a menu says of the settings that it was written with.
 *
 *     take_top      a statement of the menu itself
 *     take_profile  a submenu of a profile's generations
 *     take_nested   one of a generation's specialisations
 *     take_entry    an entry of any of them
 */
#include "nixos/grubform.h"

#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "nixos/grubform_in.h"

#define ALL " - All configurations"
#define PROFILE " - Profile '"
#define DEFAULT " - Default"
#define CONFIGURATION " - Configuration "
#define NUMBER_MAX 1000000000u

struct learner {
	struct grub_form *f;
	const char *name; /* of the menu file */
	struct err *err;
	struct buf text; /* not in a piece yet */
	size_t cap;
	const char *default_init; /* borrowed from the known generations */
	bool default_named;       /* its title ends with " - Default" */
	bool specials, apart;     /* there are specialisations; other things are before them */
	bool nested, flat;        /* generations with specialisations are submenus; are not */
	bool profiles;            /* their submenus have begun */
	bool behind;              /* an entry of NixOS's, to which an empty line belongs */
};

static int refuse(struct learner *l, struct str title, const char *why)
{
	char shown[SHOW_SIZE];

	return err_set(l->err, ERR_UNSUPPORTED, "%s: not a menu written by NixOS: '%s' %s", l->name,
	               show_str(title, shown), why);
}

static void end_text(struct learner *l)
{
	struct grub_form *f = l->f;

	if (!l->text.n)
		return;
	GROW(f->pieces, f->n, l->cap);
	f->pieces[f->n++] = (struct grub_piece){.kind = GRUB_TEXT, .text = buf_steal(&l->text)};
}

static struct grub_piece *add_piece(struct learner *l, enum grub_piece_kind kind)
{
	struct grub_form *f = l->f;

	end_text(l);
	GROW(f->pieces, f->n, l->cap);
	f->pieces[f->n] = (struct grub_piece){.kind = kind};
	return &f->pieces[f->n++];
}

static void keep(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.n);
}

/* ---- titles --------------------------------------------------------------- */

/* The text after the distribution's name; p NULL: the title has another name. */
static struct str behind_distro(const struct learner *l, const char *title)
{
	struct str s = str_from(title);

	if (!str_starts(s, l->f->distro))
		return (struct str){NULL, 0};
	return str_drop(s, strlen(l->f->distro));
}

/* "… - Configuration 12 …": 12; 0: it is no generation's title. */
static unsigned number_in(struct str rest)
{
	uint64_t v;

	if (!rest.p || !str_starts(rest, CONFIGURATION))
		return 0;
	rest = str_drop(rest, strlen(CONFIGURATION));
	return str_u64(str_cut(&rest, ' '), 10, NUMBER_MAX, &v) ? (unsigned)v : 0;
}

static bool is_blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr(" \t\n", s.p[i]))
			return false;
	return true;
}

/* ---- entries -------------------------------------------------------------- */

static struct grub_known *add_known(struct learner *l, struct entry_body *b, const char *profile,
                                    unsigned number, const char *title)
{
	struct grub_form *f = l->f;
	struct grub_known *k;

	GROW(f->known, f->n_known, f->known_cap);
	k = &f->known[f->n_known++];
	*k = (struct grub_known){
	        .init = take(&b->init),
	        .profile = profile ? xstrdup(profile) : NULL,
	        .number = number,
	        .day = number ? title_day(title, "(") : NULL,
	        .secrets = take(&b->secrets),
	};
	if (!number && !f->special_day)
		f->special_day = title_day(title, " - ");
	if (b->secrets_dir && !f->secrets_dir)
		f->secrets_dir = take(&b->secrets_dir);
	return k;
}

static void set_once(char **to, struct str s)
{
	if (!*to)
		*to = xstrndup(s.p, s.n);
}

/* false: not an entry of NixOS. */
static bool take_entry(struct learner *l, const struct statements *s, const struct statement *st,
                       const char *profile, unsigned number, const char *title)
{
	struct entry_body b;

	if (entry_body_read(statement_block(s, st), &b))
		return false;
	add_known(l, &b, profile, number, title);
	entry_body_fini(&b);
	return true;
}

static int take_default(struct learner *l, const struct statements *s, const struct statement *st,
                        const char *title, struct str options)
{
	struct grub_form *f = l->f;
	struct entry_body b;
	const char *why = entry_body_read(statement_block(s, st), &b);

	if (why)
		return refuse(l, str_from(title), why);
	set_once(&f->options, options);
	set_once(&f->head, b.head);
	set_once(&f->middle, b.middle);
	set_once(&f->tail, b.tail);
	f->dir = take(&b.dir);
	f->more = take(&b.more);
	f->copies = b.copies;
	f->system_config = b.system_config;
	add_known(l, &b, NULL, 0, title);
	entry_body_fini(&b);
	if (f->copies && !f->secrets_dir)
		f->secrets_dir = xstrdup(f->dir);
	l->default_named = str_ends(str_from(title), DEFAULT);
	l->behind = true;
	add_piece(l, GRUB_DEFAULT);
	return 0;
}

/* ---- submenus ------------------------------------------------------------- */

static int take_nested(struct learner *l, struct str block, const char *profile, unsigned number)
{
	struct statements s;
	struct statement st;
	int rc;

	statements_init(&s, block);
	while ((rc = statements_next(&s, &st, l->err)) == 0) {
		struct str options;
		_free_ char *title = statement_title(&s, &st, &options);
		bool own = title && number_in(behind_distro(l, title)) == number &&
		           strstr(title, DEFAULT " (");

		if (!title || !statement_is(&st, "menuentry") ||
		    !take_entry(l, &s, &st, profile, own ? number : 0, title))
			rc = refuse(l, str_trim(st.text), "does not belong to a generation");
		else if (own)
			set_once(&l->f->sub_options, options);
		statement_fini(&st);
		if (rc < 0)
			break;
	}
	statements_fini(&s);
	return rc < 0 ? rc : 0;
}

/* A statement in a profile's submenu; true if it is a generation. */
static int take_generation(struct learner *l, const struct statements *s,
                           const struct statement *st, const char *profile, bool *taken)
{
	struct str options;
	_free_ char *title = statement_title(s, st, &options);
	bool nested = title && statement_is(st, "submenu");
	size_t mark = nested && str_starts(str_from(title), "> ") ? 2 : 0;
	unsigned number = title ? number_in(behind_distro(l, title + mark)) : 0;
	int rc = 0;

	*taken = false;
	if (!number || (!nested && !statement_is(st, "menuentry")))
		return 0;
	*taken = nested || take_entry(l, s, st, profile, number, title);
	if (!*taken)
		return 0;
	if (nested) {
		l->nested = true;
		set_once(&l->f->mark, (struct str){title, mark});
		rc = take_nested(l, statement_block(s, st), profile, number);
	} else {
		set_once(&l->f->sub_options, options);
		l->flat =
		        l->flat || (l->default_init &&
		                    !strcmp(l->f->known[l->f->n_known - 1].init, l->default_init));
	}
	if (!profile) {
		l->f->shown++;
		l->f->oldest = number;
	}
	return rc;
}

static int take_profile(struct learner *l, struct str block, const char *profile)
{
	struct buf kept = BUF_INIT;
	struct statements s;
	struct statement st;
	bool any = false;
	char *before = NULL;
	struct grub_piece *p;
	int rc;

	statements_init(&s, block);
	while ((rc = statements_next(&s, &st, l->err)) == 0) {
		bool taken;

		rc = take_generation(l, &s, &st, profile, &taken);
		if (!taken) {
			keep(&kept, st.text);
		} else if (!any && kept.n) {
			before = buf_steal(&kept);
		}
		any = any || taken;
		statement_fini(&st);
		if (rc < 0)
			break;
	}
	statements_fini(&s);
	p = add_piece(l, GRUB_PROFILE);
	p->text = profile ? xstrdup(profile) : NULL;
	p->before = before;
	p->behind = kept.n ? buf_steal(&kept) : NULL;
	buf_fini(&kept);
	l->profiles = true;
	return rc < 0 ? rc : 0;
}

/* ---- the menu itself ------------------------------------------------------ */

/* The name between the quotes of "… - Profile 'x'"; NULL: it is another title. */
static char *profile_in(struct str rest)
{
	if (!rest.p || !str_starts(rest, PROFILE) || !str_ends(rest, "'"))
		return NULL;
	rest = str_drop(rest, strlen(PROFILE));
	return xstrndup(rest.p, rest.n - 1);
}

static int take_submenu(struct learner *l, const struct statements *s, const struct statement *st,
                        struct str rest, struct str options, bool *taken)
{
	_free_ char *profile = profile_in(rest);

	*taken = profile || str_is(rest, ALL);
	if (!*taken)
		return 0;
	keep(&l->text, st->before);
	set_once(&l->f->submenu_options, options);
	return take_profile(l, statement_block(s, st), profile);
}

static int take_menuentry(struct learner *l, const struct statements *s, const struct statement *st,
                          const char *title, struct str options, bool *taken)
{
	struct str rest = behind_distro(l, title);

	*taken = false;
	if (!l->f->dir && (!rest.n || str_is(rest, DEFAULT))) {
		*taken = true;
		keep(&l->text, st->before);
		return take_default(l, s, st, title, options);
	}
	if (!l->f->dir || l->profiles || !str_starts(rest, " - ") ||
	    !take_entry(l, s, st, NULL, 0, title))
		return 0;
	*taken = l->specials = l->behind = true;
	l->apart = l->apart || !is_blank(buf_str(&l->text));
	if (!is_blank(st->before))
		keep(&l->text, st->before);
	return 0;
}

/* The empty line behind an entry of NixOS's is written with it. */
static struct str behind_entry(struct learner *l, struct str before)
{
	bool was = l->behind;

	l->behind = false;
	return was && before.n && before.p[0] == '\n' ? str_drop(before, 1) : before;
}

static int take_top(struct learner *l, const struct statements *s, struct statement *st)
{
	struct str options;
	_free_ char *title = statement_title(s, st, &options);
	struct str rest = title ? behind_distro(l, title) : (struct str){NULL, 0};
	bool taken = false;
	int rc = 0;

	st->before = behind_entry(l, st->before);
	if (rest.p && statement_is(st, "submenu"))
		rc = take_submenu(l, s, st, rest, options, &taken);
	else if (rest.p && statement_is(st, "menuentry"))
		rc = take_menuentry(l, s, st, title, options, &taken);
	if (l->f->n_known && !l->default_init && l->f->dir)
		l->default_init = l->f->known[0].init;
	if (!taken) {
		keep(&l->text, st->before);
		keep(&l->text, st->text);
	}
	return rc;
}

/* GRUB ignores this line; we do not know what else that changes. */
static int mistake(struct learner *l)
{
	err_prefix(l->err, "%s: not a menu written by NixOS", l->name);
	l->err->code = ERR_UNSUPPORTED;
	return -ERR_UNSUPPORTED;
}

/* The distribution's name is what stands before " - All configurations". */
static int find_distro(struct learner *l, struct str text)
{
	struct statements s;
	struct statement st;
	int rc;

	statements_init(&s, text);
	while (!l->f->distro && (rc = statements_next(&s, &st, l->err)) == 0) {
		struct str options;
		_free_ char *title = statement_title(&s, &st, &options);

		if (title && statement_is(&st, "submenu") && str_ends(str_from(title), ALL))
			l->f->distro = xstrndup(title, strlen(title) - strlen(ALL));
		statement_fini(&st);
	}
	statements_fini(&s);
	if (l->f->distro)
		return 0;
	if (rc < 0)
		return mistake(l);
	return err_set(l->err, ERR_UNSUPPORTED,
	               "%s: not a menu written by NixOS: it has no submenu '…" ALL "'", l->name);
}

static int take_all(struct learner *l, struct str text)
{
	struct statements s;
	struct statement st;
	int next = 0, rc = 0;

	statements_init(&s, text);
	while (rc == 0 && (next = statements_next(&s, &st, l->err)) == 0) {
		rc = take_top(l, &s, &st);
		statement_fini(&st);
	}
	if (next == 1)
		keep(&l->text, behind_entry(l, st.before));
	statements_fini(&s);
	return rc < 0 ? rc : next < 0 ? mistake(l) : 0;
}

/* The place of specialisations before NixOS gave each generation a submenu for them. */
static void place_specials(struct learner *l)
{
	struct grub_form *f = l->f;
	size_t i = 0;

	while (i < f->n && f->pieces[i].kind != GRUB_PROFILE)
		i++;
	add_piece(l, GRUB_SPECIALS);
	for (size_t k = f->n - 1; k > i; k--)
		f->pieces[k] = f->pieces[k - 1];
	f->pieces[i] = (struct grub_piece){.kind = GRUB_SPECIALS};
}

static void settle(struct learner *l)
{
	struct grub_form *f = l->f;

	end_text(l);
	f->nested = !l->default_named || l->nested || (l->specials && !l->apart && !l->flat);
	if (!f->nested)
		place_specials(l);
	set_once(&f->submenu_options, STR(""));
	set_once(&f->sub_options, STR(""));
	set_once(&f->mark, STR("> "));
}

int grub_form_learn(const char *name, struct str text, struct grub_form *out, struct err *err)
{
	struct grub_form f = {0};
	struct learner l = {.f = &f, .name = name, .err = err, .text = BUF_INIT};
	_cleanup_(buf_fini) struct buf plain = BUF_INIT;
	int rc;

	buf_puts(&plain, "");
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r')
			buf_put(&plain, &text.p[i], 1);
	if (plain.n && plain.p[plain.n - 1] != '\n')
		buf_puts(&plain, "\n");
	rc = find_distro(&l, buf_str(&plain));
	if (rc == 0)
		rc = take_all(&l, buf_str(&plain));
	if (rc == 0 && !f.dir)
		rc = err_set(err, ERR_UNSUPPORTED,
		             "%s: not a menu written by NixOS: it has no entry '%s' or '%s" DEFAULT
		             "'",
		             name, f.distro, f.distro);
	if (rc == 0)
		settle(&l);
	buf_fini(&l.text);
	if (rc < 0) {
		grub_form_fini(&f);
		return rc;
	}
	*out = f;
	return 0;
}
