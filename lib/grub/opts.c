/* SPDX-License-Identifier: MIT */
#include "grub/opts.h"

static struct str word(const struct opts *o)
{
	return str_from(o->argv->v[o->next]);
}

/* The text of an option that is not in its own word. */
static int take_value(struct opts *o, const struct opt *opt, struct err *err)
{
	bool there = o->next < o->argv->n;

	if (opt->kind == OPT_FLAG)
		return 0;
	if (opt->kind == OPT_MAYBE && (!there || str_starts(word(o), "-")))
		return 0;
	if (!there)
		return err_set(err, ERR_USAGE, "--%s needs a value", opt->name);
	o->value = word(o);
	o->next++;
	return 0;
}

static int short_option(struct opts *o, const struct opt *table, size_t n, struct err *err)
{
	struct str w = word(o);
	char c = w.p[o->letter++];
	bool last = o->letter >= w.n;
	int rc;

	if (last) {
		o->letter = 0;
		o->next++;
	}
	for (size_t i = 0; i < n; i++) {
		if (table[i].letter != c)
			continue;
		if (table[i].kind == OPT_FLAG)
			return (int)i;
		if (last) {
			rc = take_value(o, &table[i], err);
			return rc < 0 ? rc : (int)i;
		}
		o->value = str_drop(w, o->letter);
		o->letter = 0;
		o->next++;
		return (int)i;
	}
	return err_set(err, ERR_USAGE, "unknown option -%c", c);
}

static int long_option(struct opts *o, const struct opt *table, size_t n, struct err *err)
{
	struct str value = word(o), name = str_drop(str_cut(&value, '='), 2);
	int rc;

	for (size_t i = 0; i < n; i++) {
		if (!str_is(name, table[i].name))
			continue;
		if (value.p && table[i].kind == OPT_FLAG)
			return err_set(err, ERR_USAGE, "--%s takes no value", table[i].name);
		o->next++;
		o->value = value;
		rc = value.p ? 0 : take_value(o, &table[i], err);
		return rc < 0 ? rc : (int)i;
	}
	return err_set(err, ERR_USAGE, "unknown option %.*s", STR_ARG(word(o)));
}

static bool known_letter(struct str w, const struct opt *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].letter && table[i].letter == w.p[1])
			return true;
	return false;
}

int opts_next(struct opts *o, const struct opt *table, size_t n, struct err *err)
{
	o->value = (struct str){NULL, 0};
	for (; o->next < o->argv->n; o->next++) {
		struct str w = word(o);
		int rc = -ERR_USAGE;

		if (o->letter)
			return short_option(o, table, n, err);
		if (!o->ended && str_is(w, "--")) {
			o->ended = true;
			continue;
		}
		if (!o->ended && str_starts(w, "--")) {
			rc = long_option(o, table, n, err);
			if (rc >= 0 || !o->lenient)
				return rc;
		} else if (!o->ended && w.n > 1 && w.p[0] == '-' &&
		           (!o->lenient || known_letter(w, table, n))) {
			o->letter = 1;
			return short_option(o, table, n, err);
		}
		texts_add(&o->words, w);
	}
	return (int)n;
}

void opts_fini(struct opts *o)
{
	texts_fini(&o->words);
}
