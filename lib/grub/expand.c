/* SPDX-License-Identifier: MIT */
/* From the words of a script to the words of a command. */
#include "base/mem.h"
#include "grub/exec.h"
#include "grub/lex.h"
#include "grub/texts.h"
#include "grub/wildcard.h"

#include <string.h>

struct expansion {
	struct exec *x;
	struct grub_texts *out;
	struct buf word;
	struct buf pattern; /* the same, with a backslash before quoted bytes */
	bool open;          /* word has been started; it may be empty */
	bool wild;          /* and it is a pattern */
};

static void expansion_fini(struct expansion *e)
{
	buf_fini(&e->word);
	buf_fini(&e->pattern);
}

static void add_pattern(struct expansion *e, struct str text, bool quoted)
{
	for (size_t i = 0; i < text.n; i++) {
		bool wild = text.p[i] == '*' || text.p[i] == '?';

		if (text.p[i] == '\\' || text.p[i] == '[' || (wild && quoted)) /* no sets */
			buf_puts(&e->pattern, "\\");
		buf_put(&e->pattern, text.p + i, 1);
		e->wild = e->wild || (wild && !quoted);
	}
}

static int add(struct expansion *e, struct str text, bool quoted, struct err *err)
{
	size_t limit = e->x->limits->value;

	if (text.n > limit - MIN(e->word.n, limit))
		return err_set(err, ERR_LIMIT, "%s:%u: a word of more than %zu bytes", e->x->file,
		               e->x->line, limit);
	buf_put(&e->word, text.p, text.n);
	add_pattern(e, text, quoted);
	e->open = true;
	return exec_charge(e->x, text.n, err);
}

/* The word is complete: append the names that it matches, or itself if none. */
static int flush(struct expansion *e, struct err *err)
{
	size_t before = e->out->n;
	int rc = 0;

	if (!e->open)
		return 0;
	if (e->wild)
		rc = wildcard_expand(e->x, buf_str(&e->pattern), e->out, err);
	if (rc < 0)
		return rc;
	if (e->out->n == before)
		texts_add(e->out, buf_str(&e->word));
	if (e->out->n > e->x->limits->words)
		return err_set(err, ERR_LIMIT, "%s:%u: a command of more than %zu words",
		               e->x->file, e->x->line, e->x->limits->words);
	buf_reset(&e->word);
	buf_reset(&e->pattern);
	e->open = e->wild = false;
	return 0;
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * A value outside quotes: blanks within it end words, those at its ends do
 * not; so a$x"b" with x=" 1 2 " is a1 and 2b, as GRUB has it.
 */
static int add_split(struct expansion *e, struct str value, struct err *err)
{
	int rc = 0;

	while (value.n && blank(value.p[0]))
		value = str_drop(value, 1);
	while (value.n && blank(value.p[value.n - 1]))
		value.n--;
	while (rc == 0 && value.n) {
		size_t n = 0;

		while (n < value.n && !blank(value.p[n]))
			n++;
		rc = add(e, (struct str){value.p, n}, false, err);
		value = str_drop(value, n);
		if (rc == 0 && value.n)
			rc = flush(e, err);
		while (value.n && blank(value.p[0]))
			value = str_drop(value, 1);
	}
	return rc;
}

/* "$@": each argument a word of its own, the first and last joined to their neighbours. */
static int add_all(struct expansion *e, struct err *err)
{
	const struct grub_texts *args = e->x->args;
	int rc = add(e, STR(""), true, err);

	for (size_t i = 0; rc == 0 && args && i < args->n; i++) {
		if (i)
			rc = flush(e, err);
		if (rc == 0)
			rc = add(e, str_from(args->v[i]), true, err);
	}
	return rc;
}

/* The value of a variable; may point into *tmp. */
static struct str value_of(const struct exec *x, struct str name, struct buf *tmp)
{
	const struct grub_texts *args = x->args;
	uint64_t i;

	if (str_is(name, "?"))
		buf_putf(tmp, "%d", x->status);
	else if (str_is(name, "#") && args)
		buf_putf(tmp, "%zu", args->n);
	else if (args && (str_is(name, "*") || str_is(name, "@")))
		texts_join(args, 0, tmp);
	else if (lex_is_name(name))
		return env_get(&x->env, name);
	else if (args && str_u64(name, 10, args->n, &i) && i > 0)
		return str_from(args->v[i - 1]);
	return buf_str(tmp);
}

static int add_part(struct expansion *e, const struct part *p, struct err *err)
{
	_cleanup_(buf_fini) struct buf tmp = BUF_INIT;
	struct str value;

	if (p->kind == PART_TEXT)
		return add(e, p->text, p->quoted, err);
	if (p->quoted && str_is(p->text, "@"))
		return add_all(e, err);
	value = value_of(e->x, p->text, &tmp);
	return p->quoted ? add(e, value, true, err) : add_split(e, value, err);
}

int expand_words(struct exec *x, const struct word *words, struct grub_texts *argv, struct err *err)
{
	_cleanup_(expansion_fini) struct expansion e = {
	        .x = x, .out = argv, .word = BUF_INIT, .pattern = BUF_INIT};
	int rc = 0;

	for (; rc == 0 && words; words = words->next) {
		for (const struct part *p = words->parts; rc == 0 && p; p = p->next)
			rc = add_part(&e, p, err);
		if (rc == 0)
			rc = flush(&e, err);
	}
	return rc;
}
