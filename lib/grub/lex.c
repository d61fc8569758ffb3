/* SPDX-License-Identifier: MIT */
#include "grub/lex.h"

#include <ctype.h>
#include <string.h>

void lex_init(struct lex *lx, struct str text)
{
	*lx = (struct lex){.text = text, .line = 1};
}

void lex_skip_line(struct lex *lx)
{
	while (lx->pos < lx->text.n && lx->text.p[lx->pos] != '\n')
		lx->pos++;
	if (lx->pos < lx->text.n) {
		lx->pos++;
		lx->line++;
	}
}

/* The byte at an offset from here; 0 past the end. */
static char peek(const struct lex *lx, size_t ahead)
{
	return ahead < lx->text.n - lx->pos ? lx->text.p[lx->pos + ahead] : '\0';
}

static bool at_end(const struct lex *lx)
{
	return lx->pos >= lx->text.n;
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

bool lex_is_name(struct str s)
{
	if (!s.n || !letter(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!letter(s.p[i]) && !digit(s.p[i]))
			return false;
	return true;
}

/* Length of the variable name that begins "ahead" bytes from here; 0: none. */
static size_t name_length(const struct lex *lx, size_t ahead)
{
	char c = peek(lx, ahead);
	size_t n = 1;

	if (c && strchr("?#*@", c))
		return 1;
	if (digit(c)) {
		while (digit(peek(lx, ahead + n)))
			n++;
		return n;
	}
	if (!letter(c))
		return 0;
	while (letter(peek(lx, ahead + n)) || digit(peek(lx, ahead + n)))
		n++;
	return n;
}

static struct part *add_part(struct lex *lx, struct part ***tail, enum part_kind kind,
                             struct str text)
{
	struct part *p = arena_alloc(lx->arena, sizeof *p);

	p->kind = kind;
	p->text = text;
	**tail = p;
	*tail = &p->next;
	return p;
}

static int word_variable(struct lex *lx, struct part ***tail, bool quoted, struct err *err)
{
	bool braced = peek(lx, 1) == '{';
	size_t n = name_length(lx, braced ? 2 : 1);
	struct str name = {lx->text.p + lx->pos + (braced ? 2 : 1), n};

	if (!n || (braced && peek(lx, n + 2) != '}'))
		return err_set(err, ERR_FORMAT, "line %u: '$' without a variable's name", lx->line);
	lx->pos += n + (braced ? 3 : 1);
	add_part(lx, tail, PART_VAR, name)->quoted = quoted;
	return 0;
}

/*
 * Past a newline within a word or a command: GRUB's reader of lines leaves
 * out those that begin with "#", wherever they stand.
 */
static void skip_newline(struct lex *lx)
{
	lx->pos++;
	lx->line++;
	while (peek(lx, 0) == '#')
		lex_skip_line(lx);
}

/* Text that is no pattern, up to one of the given bytes, NUL, or the end. */
static void word_text(struct lex *lx, struct part ***tail, const char *ends)
{
	size_t start = lx->pos;
	char c;

	while ((c = peek(lx, 0)) && !strchr(ends, c)) {
		if (c == '\n' && peek(lx, 1) == '#') {
			size_t n = lx->pos + 1 - start;

			add_part(lx, tail, PART_TEXT, (struct str){lx->text.p + start, n})->quoted =
			        true;
			skip_newline(lx);
			start = lx->pos;
			continue;
		}
		lx->line += c == '\n';
		lx->pos++;
	}
	if (lx->pos > start)
		add_part(lx, tail, PART_TEXT, (struct str){lx->text.p + start, lx->pos - start})
		        ->quoted = true;
}

static int word_single(struct lex *lx, struct part ***tail, struct err *err)
{
	unsigned line = lx->line;

	lx->pos++;
	add_part(lx, tail, PART_TEXT, STR("")); /* '' is a word too */
	word_text(lx, tail, "'");
	if (peek(lx, 0) != '\'')
		return err_set(err, ERR_FORMAT, "line %u: unterminated '", line);
	lx->pos++;
	return 0;
}

static bool special(char c)
{
	return c == '\0' || strchr(" \t\n{}|&$;<>'\"\\", c);
}

/* Text outside quotes, up to a special character. */
static void word_plain(struct lex *lx, struct part ***tail)
{
	size_t start = lx->pos;

	while (!at_end(lx) && !special(peek(lx, 0)))
		lx->pos++;
	add_part(lx, tail, PART_TEXT, (struct str){lx->text.p + start, lx->pos - start});
}

static bool hex_escape(const struct lex *lx)
{
	return peek(lx, 1) == 'x' && isxdigit((unsigned char)peek(lx, 2)) &&
	       isxdigit((unsigned char)peek(lx, 3));
}

/* A backslash: the byte after it, or nothing where that is a newline. */
static void word_escape(struct lex *lx, struct part ***tail, bool quoted)
{
	char c = peek(lx, 1);

	if (lx->text.n - lx->pos < 2) { /* as if a newline followed */
		lx->pos++;
		return;
	}
	if (c == '\n') {
		lx->pos++;
		skip_newline(lx);
		return;
	}
	if (!quoted && hex_escape(lx)) { /* as Red Hat's GRUB has it: the kernel knows these */
		add_part(lx, tail, PART_TEXT, (struct str){lx->text.p + lx->pos, 4})->quoted = true;
		lx->pos += 4;
		return;
	}
	if (!quoted || c == '$' || c == '"' || c == '\\')
		lx->pos++;
	add_part(lx, tail, PART_TEXT, (struct str){lx->text.p + lx->pos, 1})->quoted = true;
	lx->pos++;
}

static int word_double(struct lex *lx, struct part ***tail, struct err *err)
{
	unsigned line = lx->line;
	int rc;

	lx->pos++;
	add_part(lx, tail, PART_TEXT, STR("")); /* "" is a word too */
	while (!at_end(lx)) {
		char c = peek(lx, 0);

		if (c == '"') {
			lx->pos++;
			return 0;
		}
		if (c == '\0')
			break;
		if (c == '\\') {
			word_escape(lx, tail, true);
		} else if (c == '$') {
			rc = word_variable(lx, tail, true, err);
			if (rc < 0)
				return rc;
		} else {
			word_text(lx, tail, "\"$\\");
		}
	}
	return err_set(err, ERR_FORMAT, "line %u: unterminated \"", line);
}

static int lex_word(struct lex *lx, struct err *err)
{
	struct word *w = arena_alloc(lx->arena, sizeof *w);
	struct part **tail = &w->parts;
	int rc = 0;

	while (rc == 0 && !at_end(lx)) {
		char c = peek(lx, 0);

		if (c == '\'')
			rc = word_single(lx, &tail, err);
		else if (c == '"')
			rc = word_double(lx, &tail, err);
		else if (c == '$' && peek(lx, 1) == '"')
			lx->pos++;
		else if (c == '$')
			rc = word_variable(lx, &tail, false, err);
		else if (c == '\\')
			word_escape(lx, &tail, false);
		else if (!special(c))
			word_plain(lx, &tail);
		else
			break;
	}
	lx->token = LEX_WORD;
	lx->word = w;
	return rc;
}

static void skip_blanks(struct lex *lx)
{
	for (;;) {
		char c = peek(lx, 0);

		if (c == '\\' && peek(lx, 1) == '\n') {
			lx->pos++;
			skip_newline(lx);
		} else if (c == ' ' || c == '\t') {
			lx->pos++;
		} else if (c == '#') {
			while (!at_end(lx) && peek(lx, 0) != '\n')
				lx->pos++;
		} else {
			return;
		}
	}
}

static enum lex_token single(char c)
{
	switch (c) {
	case '\n':
		return LEX_NEWLINE;
	case ';':
		return LEX_SEMI;
	case '{':
		return LEX_OPEN;
	case '}':
		return LEX_CLOSE;
	default:
		return LEX_OPERATOR;
	}
}

int lex_next(struct lex *lx, struct err *err)
{
	size_t start;
	int rc = 0;

	skip_blanks(lx);
	start = lx->pos;
	lx->token_line = lx->line;
	if (at_end(lx)) {
		lx->token = LEX_END;
	} else if (strchr("\n;{}|&<>", peek(lx, 0))) { /* and NUL, an operator here */
		lx->token = single(peek(lx, 0));
		lx->line += lx->token == LEX_NEWLINE;
		lx->pos++;
		if (lx->token == LEX_SEMI && peek(lx, 0) == ';')
			lx->token = LEX_OPERATOR;
	} else {
		rc = lex_word(lx, err);
	}
	lx->raw = (struct str){lx->text.p + start, lx->pos - start};
	if (lx->token == LEX_WORD && (str_is(lx->raw, "[[") || str_is(lx->raw, "]]")))
		lx->token = LEX_OPERATOR;
	return rc;
}
