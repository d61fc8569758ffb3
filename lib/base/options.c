/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define FIRST_VALUE 256 /* for options without a short name; the row's number is added */

/* A set in the form that getopt_long(3) takes. */
struct table {
	const struct option_group *group[OPTIONS_ROWS_MAX];
	const struct option_row *row[OPTIONS_ROWS_MAX];
	struct option longs[OPTIONS_ROWS_MAX + 1];
	char shorts[2 * OPTIONS_ROWS_MAX + 2];
	size_t n;
};

static void add_row(struct table *t, const struct option_group *group, const struct option_row *row,
                    char **shorts)
{
	if (!row->name || t->n == OPTIONS_ROWS_MAX)
		return;
	t->group[t->n] = group;
	t->row[t->n] = row;
	t->longs[t->n] =
	        (struct option){.name = row->name,
	                        .has_arg = row->argument ? required_argument : no_argument,
	                        .val = row->letter ? row->letter : FIRST_VALUE + (int)t->n};
	t->n++;
	if (!row->letter)
		return;
	*(*shorts)++ = row->letter;
	if (row->argument)
		*(*shorts)++ = ':';
}

static void make_table(const struct option_set *set, struct table *t)
{
	char *shorts = t->shorts;

	*t = (struct table){.n = 0};
	*shorts++ = ':';
	for (size_t g = 0; g < set->n_groups; g++)
		for (size_t i = 0; i < set->groups[g].n; i++)
			add_row(t, &set->groups[g], &set->groups[g].rows[i], &shorts);
}

/* ---- errors --------------------------------------------------------------- */

/* The option that a long name, perhaps abbreviated, stands for; NULL: none, or *several. */
static const struct option *find_long(const char *word, const struct option *longs, bool *several)
{
	const struct option *found = NULL;
	size_t n = strcspn(word, "=");

	*several = false;
	for (const struct option *o = longs; o->name; o++) {
		if (strncmp(o->name, word, n) != 0)
			continue;
		if (!o->name[n])
			return o;
		*several |= found != NULL;
		found = o;
	}
	return *several ? NULL : found;
}

/*
 * getopt_long() reports little: optopt is 0 for an unknown long option, else the
 * value of the option. A long option is always the word before optind; for a
 * short one, that may be the word before its group.
 */
static int complain(const struct option_set *set, const struct table *t, const char *word, int c,
                    struct err *err)
{
	const struct option *o = NULL;
	const char shown = isprint(optopt) ? (char)optopt : '?';
	bool several = false;

	if (strncmp(word, "--", 2) == 0)
		o = find_long(word + 2, t->longs, &several);
	if (o && o->val == optopt && c == ':')
		return err_set(err, ERR_USAGE, "option \"--%s\" needs a value", o->name);
	if (o && o->val == optopt)
		return err_set(err, ERR_USAGE, "option \"--%s\" takes no value, got \"%s\"",
		               o->name, word);
	if (!optopt)
		return err_set(err, ERR_USAGE, "%s option \"%.*s\"; see \"%s --help\"",
		               several ? "ambiguous" : "unknown", (int)strcspn(word, "="), word,
		               set->program);
	if (c == ':')
		return err_set(err, ERR_USAGE, "option \"-%c\" needs a value", shown);
	return err_set(err, ERR_USAGE, "unknown option \"-%c\"; see \"%s --help\"", shown,
	               set->program);
}

/* ---- parsing -------------------------------------------------------------- */

static size_t row_of(const struct table *t, int c)
{
	size_t i = 0;

	while (i < t->n && t->longs[i].val != c)
		i++;
	return i;
}

/* The second argument is the word after the first. */
static int take_second(struct option_given *g, int argc, char **argv, struct err *err)
{
	if (!g->row->two)
		return 0;
	if (optind >= argc || !*g->text)
		return err_set(err, ERR_USAGE,
		               "--%s %s needs two values, a setting's name and its value",
		               g->row->name, g->text);
	g->second = argv[optind++];
	return 0;
}

int options_find(const struct option_set *set, int argc, char **argv, struct option_given **out,
                 size_t *n, struct err *err)
{
	_free_ struct option_given *list = NULL;
	struct table t;
	size_t cap = 0, count = 0;
	int c;

	make_table(set, &t);
	opterr = 0;
	optind = 0; /* getopt(3): start again */
	while ((c = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		size_t i;

		if (c == '?' || c == ':')
			return complain(set, &t, argv[optind - 1], c, err);
		i = row_of(&t, c);
		GROW(list, count, cap);
		list[count] =
		        (struct option_given){.group = t.group[i], .row = t.row[i], .text = optarg};
		if (take_second(&list[count++], argc, argv, err) < 0)
			return -(int)err->code;
		if (!t.row[i]->set)
			break;
	}
	*n = count;
	*out = take(&list);
	return 0;
}

int options_set(const struct option_given *g, void *to, struct err *err)
{
	void *at = (char *)to + g->group->offset;
	int rc = g->row->check ? g->row->check(g->text, err) : 0;

	if (rc == 0)
		rc = g->row->set(g->row, at, g->text, err);
	return rc < 0 || !g->second ? rc : g->row->set(g->row, at, g->second, err);
}

int options_read(const struct option_set *set, int argc, char **argv, void *to, struct err *err)
{
	_free_ struct option_given *given = NULL;
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	size_t n = 0;
	int rc = options_find(set, argc, argv, &given, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (given[i].row->set) {
			rc = options_set(&given[i], to, err);
			continue;
		}
		options_help(set, &text);
		fwrite(text.p, 1, text.n, stdout);
		return 1;
	}
	return rc;
}

/* ---- --help --------------------------------------------------------------- */

static void help_row(const struct option_set *set, const struct option_row *row, struct buf *out)
{
	struct str rest = str_from(row->help);
	size_t start = out->n;

	if (row->letter)
		buf_putf(out, "  -%c, --%s", row->letter, row->name);
	else
		buf_putf(out, "      --%s", row->name);
	if (row->argument)
		buf_putf(out, "%c%s", set->equals ? '=' : ' ', row->argument);
	if (out->n - start + 2 > set->column) {
		buf_puts(out, "\n");
		start = out->n;
	}
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		buf_putf(out, "%*s%.*s\n", (int)(set->column - (out->n - start)), "",
		         STR_ARG(line));
		start = out->n;
	}
}

void options_help(const struct option_set *set, struct buf *out)
{
	buf_puts(out, set->intro);
	for (size_t g = 0; g < set->n_groups; g++)
		for (size_t i = 0; i < set->groups[g].n; i++) {
			const struct option_row *row = &set->groups[g].rows[i];

			if (!row->name)
				buf_putf(out, "%s\n", row->help);
			else if (row->help)
				help_row(set, row, out);
		}
}

/* ---- setters -------------------------------------------------------------- */

int option_text(const struct option_row *row, void *to, const char *text, struct err *err)
{
	memcpy((char *)to + row->offset, &text, sizeof text);
	return 0;
}

static int set_bool(const struct option_row *row, void *to, bool value)
{
	memcpy((char *)to + row->offset, &value, sizeof value);
	return 0;
}

int option_true(const struct option_row *row, void *to, const char *text, struct err *err)
{
	return set_bool(row, to, true);
}

int option_false(const struct option_row *row, void *to, const char *text, struct err *err)
{
	return set_bool(row, to, false);
}

static int set_int(const struct option_row *row, void *to, int value)
{
	memcpy((char *)to + row->offset, &value, sizeof value);
	return 0;
}

int option_enum(const struct option_row *row, void *to, const char *text, struct err *err)
{
	return set_int(row, to, (int)row->number);
}

int option_word(const struct option_row *row, void *to, const char *text, struct err *err)
{
	_cleanup_(buf_fini) struct buf list = BUF_INIT;

	for (int i = 0; row->words[i]; i++) {
		if (strcmp(text, row->words[i]) == 0)
			return set_int(row, to, i);
		buf_putf(&list, "%s%s",
		         i == 0              ? ""
		         : row->words[i + 1] ? ", "
		                             : " or ",
		         row->words[i]);
	}
	return err_set(err, ERR_USAGE, "--%s '%s': expected %.*s", row->name, text,
	               STR_ARG(buf_str(&list)));
}

int option_count(const struct option_row *row, void *to, const char *text, struct err *err)
{
	unsigned value;
	uint64_t v;

	if (!str_u64(str_from(text), 10, MIN(row->number, (uint64_t)UINT32_MAX), &v) || v == 0)
		return err_set(err, ERR_USAGE, "--%s '%s': expected a number from 1 to %" PRIu64,
		               row->name, text, row->number);
	value = (unsigned)v;
	memcpy((char *)to + row->offset, &value, sizeof value);
	return 0;
}
