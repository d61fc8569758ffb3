/* SPDX-License-Identifier: MIT */
/* Statements of a menu, and the bodies of its entries. */
#include "nixos/grubform_in.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "nix/nix32.h"
#include "nix/store_path.h"

#define KERNELS "/kernels/"
#define SECRETS "-secrets"
#define DAY_LENGTH 10 /* 2025-10-03 */

/* ---- statements ----------------------------------------------------------- */

void statements_init(struct statements *s, struct str text)
{
	*s = (struct statements){.text = text, .line = 1};
	parse_init(&s->ps, "menu", text, &grub_limits_default);
}

void statements_fini(struct statements *s)
{
	parse_fini(&s->ps);
}

void statement_fini(struct statement *st)
{
	script_put(take(&st->script));
}

static void go_to_line(struct statements *s, unsigned line)
{
	while (s->at < s->text.n && s->line < line)
		s->line += s->text.p[s->at++] == '\n';
}

static void go_to(struct statements *s, size_t at)
{
	while (s->at < at)
		s->line += s->text.p[s->at++] == '\n';
}

static struct str between(const struct statements *s, size_t from)
{
	return (struct str){s->text.p + from, s->at - from};
}

int statements_next(struct statements *s, struct statement *out, struct err *err)
{
	struct statement st = {0};
	size_t from = s->at;
	int rc = parse_next(&s->ps, &st.script, err);

	if (rc < 0)
		return rc;
	if (rc == 1) {
		go_to(s, s->text.n);
		*out = (struct statement){.before = between(s, from)};
		return 1;
	}
	go_to_line(s, st.script->first->line);
	st.before = between(s, from);
	from = s->at;
	go_to(s, s->ps.lex.pos);
	st.text = between(s, from);
	if (!st.script->first->next && st.script->first->kind == NODE_COMMAND)
		st.only = st.script->first;
	*out = st;
	return 0;
}

struct str statement_block(const struct statements *s, const struct statement *st)
{
	size_t at = (size_t)(st->only->block.p - s->ps.source->text);

	return (struct str){s->text.p + at, st->only->block.n};
}

/* ---- words ---------------------------------------------------------------- */

char *word_text(const struct word *w)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (const struct part *p = w ? w->parts : NULL; p; p = p->next) {
		if (p->kind != PART_TEXT) {
			buf_fini(&b);
			return NULL;
		}
		buf_put(&b, p->text.p, p->text.n);
	}
	return buf_steal(&b);
}

char *word_raw(const struct word *w)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (const struct part *p = w ? w->parts : NULL; p; p = p->next) {
		if (p->quoted || memchr(p->text.p, '\\', p->text.n)) {
			buf_fini(&b);
			return NULL;
		}
		if (p->kind == PART_VAR)
			buf_puts(&b, "$");
		buf_put(&b, p->text.p, p->text.n);
	}
	if (!b.n)
		buf_fini(&b);
	return b.n ? buf_steal(&b) : NULL;
}

bool word_is(const struct word *w, const char *text)
{
	return w && w->parts && !w->parts->next && w->parts->kind == PART_TEXT &&
	       !w->parts->quoted && str_is(w->parts->text, text);
}

/* ---- titles --------------------------------------------------------------- */

bool statement_is(const struct statement *st, const char *what)
{
	return st->only && word_is(st->only->words, what);
}

char *statement_title(const struct statements *s, const struct statement *st, struct str *options)
{
	const struct word *w = st->only ? st->only->words : NULL;
	_free_ char *title = NULL;
	struct str raw = str_trim(st->text), block;
	size_t n;

	if (!w || !st->only->has_block || !(title = word_text(w->next)))
		return NULL;
	raw = str_trim(str_drop(raw, w->parts ? w->parts->text.n : 0));
	n = strlen(title);
	if (raw.n < n + 2 || raw.p[0] != '"' || memcmp(raw.p + 1, title, n) || raw.p[n + 1] != '"')
		return NULL;
	block = statement_block(s, st);
	raw = str_drop(raw, n + 2);
	*options = str_trim((struct str){raw.p, (size_t)(block.p - 1 - raw.p)});
	return take(&title);
}

static bool is_day(const char *s)
{
	for (size_t i = 0; i < DAY_LENGTH; i++)
		if (i == 4 || i == 7 ? s[i] != '-' : s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

char *title_day(const char *title, const char *before)
{
	const char *p = title;

	for (; (p = strstr(p, before)); p++) {
		const char *day = p + strlen(before);

		if (is_day(day) && str_starts(str_from(day + DAY_LENGTH), " - "))
			return xstrndup(day, DAY_LENGTH);
	}
	return NULL;
}

/* ---- bodies --------------------------------------------------------------- */

void entry_body_fini(struct entry_body *b)
{
	free(b->dir);
	free(b->init);
	free(b->more);
	free(b->secrets);
	free(b->secrets_dir);
	*b = (struct entry_body){0};
}

/* "HASH-…", the form of store path names. */
static bool is_store_name(const char *s)
{
	size_t n = 0;

	while (n < STORE_DIGEST_LEN && nix32_digit(s[n]))
		n++;
	return n == STORE_DIGEST_LEN && s[n] == '-';
}

size_t entry_dir_length(const char *path, const char *copies_dir, bool *copies)
{
	const char *last = strrchr(path, '/'), *p;
	size_t n, dir = strlen(copies_dir);

	if (!last)
		return 0;
	n = (size_t)(last - path) + 1;
	*copies = n >= dir && !memcmp(path + n - dir, copies_dir, dir) && is_store_name(path + n);
	if (*copies)
		return n;
	for (p = path; (p = strchr(p, '/')); p++)
		if (is_store_name(p + 1))
			return (size_t)(p - path) + 1;
	return 0;
}

static const char *read_linux(const struct word *w, struct entry_body *out)
{
	_free_ char *kernel = word_raw(w->next), *init = NULL;
	size_t n = kernel ? entry_dir_length(kernel, KERNELS, &out->copies) : 0;
	struct store_path sp;
	struct str rest;

	if (!n)
		return "has a kernel outside the store";
	out->dir = xstrndup(kernel, n);
	w = w->next->next;
	for (; w && !init; w = w->next) {
		_free_ char *text = word_raw(w);

		out->system_config =
		        out->system_config || (text && str_starts(str_from(text), "systemConfig="));
		if (text && str_starts(str_from(text), "init="))
			init = xstrdup(text + strlen("init="));
	}
	if (!init || !store_path_is_in(str_from(init), &sp, &rest))
		return "has no init= in the store";
	out->init = take(&init);
	return NULL;
}

/* A second initrd: "…/kernels/SYSTEM-secrets". */
static bool is_secrets(const char *path)
{
	const char *last = strrchr(path, '/');
	size_t n = last ? (size_t)(last - path) + 1 : 0;

	return n >= strlen(KERNELS) && str_ends(str_from(path), SECRETS) &&
	       !memcmp(path + n - strlen(KERNELS), KERNELS, strlen(KERNELS));
}

static const char *read_initrds(const struct word *w, struct entry_body *out)
{
	_free_ char *initrd = word_raw(w->next);
	struct buf more = BUF_INIT;
	bool copies = false;
	size_t n = initrd ? entry_dir_length(initrd, KERNELS, &copies) : 0;

	if (!out->dir || n != strlen(out->dir) || memcmp(initrd, out->dir, n) ||
	    copies != out->copies)
		return "has an initrd in another directory than its kernel";
	buf_puts(&more, "");
	for (w = w->next->next; w; w = w->next) {
		_free_ char *path = word_raw(w);

		if (path && !out->secrets && is_secrets(path)) {
			out->secrets = xstrdup(str_base(path));
			out->secrets_dir = xstrndup(path, strlen(path) - strlen(out->secrets));
		} else if (path) {
			buf_putf(&more, " %s", path);
		} else {
			buf_fini(&more);
			return "has an initrd in quotes";
		}
	}
	out->more = buf_steal(&more);
	return NULL;
}

static struct str until(struct str block, const char *from, const char *to)
{
	return (struct str){from, (size_t)((to ? to : block.p + block.n) - from)};
}

/* false: more statements follow. Else the body has ended; *why is set if it is invalid. */
static bool read_statement(const struct statement *st, struct str block, struct entry_body *out,
                           const char **why)
{
	const struct word *w = st->only ? st->only->words : NULL;
	const char *end = st->text.p + st->text.n;

	if (word_is(w, "linux")) {
		*why = out->init ? "has two \"linux\" lines" : read_linux(w, out);
		out->head = until(block, block.p, st->text.p);
		out->middle.p = end;
	} else if (word_is(w, "initrd")) {
		*why = !out->init || out->more ? "has no \"linux\" line before its initrd"
		                               : read_initrds(w, out);
		if (out->middle.p)
			out->middle = until(block, out->middle.p, st->text.p);
		out->tail = until(block, end, NULL);
	} else if (word_is(w, "multiboot") || word_is(w, "module") || word_is(w, "multiboot2")) {
		*why = "boots a hypervisor";
	}
	return *why;
}

const char *entry_body_read(struct str block, struct entry_body *out)
{
	struct entry_body b = {0};
	struct err syntax = ERR_INIT;
	struct statements s;
	struct statement st;
	const char *why = NULL;
	bool over = false;
	int rc = 0;

	statements_init(&s, block);
	while (!over && (rc = statements_next(&s, &st, &syntax)) == 0) {
		over = read_statement(&st, block, &b, &why);
		statement_fini(&st);
	}
	statements_fini(&s);
	if (!why && rc < 0)
		why = "cannot be read";
	if (!why && (!b.init || !b.more))
		why = "has no kernel or no initrd";
	if (!why && (!b.head.n || b.head.p[0] != '\n'))
		why = "has a command on its first line";
	if (why) {
		entry_body_fini(&b);
		return why;
	}
	*out = b;
	return NULL;
}
