/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/parse.h"

#include <string.h>

void parse_init(struct parser *ps, const char *file, struct str text,
                const struct grub_limits *limits)
{
	struct source *src = xmalloc(sizeof *src + text.n);

	*src = (struct source){.refs = 1, .file = xstrdup(file)};
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r')
			src->text[src->n++] = text.p[i];
	*ps = (struct parser){.source = src, .limits = limits};
	lex_init(&ps->lex, (struct str){src->text, src->n});
}

static void source_put(struct source *src)
{
	if (!src || --src->refs)
		return;
	free(src->file);
	free(src);
}

void parse_fini(struct parser *ps)
{
	source_put(take(&ps->source));
}

struct script *script_ref(struct script *s)
{
	s->refs++;
	return s;
}

void script_put(struct script *s)
{
	if (!s || --s->refs)
		return;
	arena_fini(&s->arena);
	source_put(s->source);
	free(s);
}

void script_putp(struct script **s)
{
	script_put(*s);
}

static bool at_separator(const struct parser *ps)
{
	return ps->lex.token == LEX_SEMI || ps->lex.token == LEX_NEWLINE;
}

static bool at_keyword(const struct parser *ps, const char *word)
{
	return ps->lex.token == LEX_WORD && str_is(ps->lex.raw, word);
}

static int unexpected(struct parser *ps, const char *where, struct err *err)
{
	const struct lex *lx = &ps->lex;

	if (lx->token == LEX_END)
		return err_set(err, ERR_FORMAT, "line %u: the text ends %s", lx->token_line, where);
	if (lx->token == LEX_NEWLINE)
		return err_set(err, ERR_FORMAT, "line %u: the line ends %s", lx->token_line, where);
	return err_set(err, ERR_FORMAT, "line %u: unexpected \"%.*s\" %s", lx->token_line,
	               STR_ARG(lx->raw), where);
}

static int skip_newlines(struct parser *ps, struct err *err)
{
	int rc = 0;

	while (rc == 0 && ps->lex.token == LEX_NEWLINE)
		rc = lex_next(&ps->lex, err);
	return rc;
}

/* Take a keyword that must stand here. */
static int expect(struct parser *ps, const char *word, const char *where, struct err *err)
{
	if (!at_keyword(ps, word))
		return unexpected(ps, where, err);
	return lex_next(&ps->lex, err);
}

static int parse_command(struct parser *ps, struct node **out, struct err *err);

/*
 * list [sep]: commands, until a separator is followed by something else.
 * *ended says whether the last command had its separator.
 */
static int parse_list(struct parser *ps, bool (*closes)(const struct parser *), bool *ended,
                      struct node **out, struct err *err)
{
	int rc = skip_newlines(ps, err);

	while (rc == 0) {
		rc = parse_command(ps, out, err);
		if (rc < 0)
			return rc;
		out = &(*out)->next;
		*ended = at_separator(ps);
		if (!*ended)
			return 0;
		rc = lex_next(&ps->lex, err);
		if (rc == 0)
			rc = skip_newlines(ps, err);
		if (rc == 0 && closes(ps))
			return 0;
	}
	return rc;
}

/* list sep: before a keyword the separator is required. */
static int parse_ended(struct parser *ps, bool (*closes)(const struct parser *), struct node **out,
                       struct err *err)
{
	bool ended = false;
	int rc = parse_list(ps, closes, &ended, out, err);

	return rc == 0 && !ended ? unexpected(ps, "after a command", err) : rc;
}

static bool closes_block(const struct parser *ps)
{
	return ps->lex.token == LEX_CLOSE;
}

static bool closes_do(const struct parser *ps)
{
	return at_keyword(ps, "do");
}

static bool closes_done(const struct parser *ps)
{
	return at_keyword(ps, "done");
}

static bool closes_then(const struct parser *ps)
{
	return at_keyword(ps, "then");
}

static bool closes_if(const struct parser *ps)
{
	return at_keyword(ps, "fi") || at_keyword(ps, "elif") || at_keyword(ps, "else");
}

static struct node *new_node(struct parser *ps, enum node_kind kind)
{
	struct node *n = arena_alloc(ps->lex.arena, sizeof *n);

	n->kind = kind;
	n->line = ps->lex.token_line;
	return n;
}

static struct clause *new_clause(struct parser *ps)
{
	return arena_alloc(ps->lex.arena, sizeof(struct clause));
}

static int parse_words(struct parser *ps, struct word **tail, struct err *err)
{
	int rc = 0;

	for (size_t n = 0; rc == 0 && ps->lex.token == LEX_WORD; n++) {
		if (n >= ps->limits->words)
			return err_set(err, ERR_LIMIT, "line %u: more than %zu words",
			               ps->lex.token_line, ps->limits->words);
		*tail = ps->lex.word;
		tail = &(*tail)->next;
		rc = lex_next(&ps->lex, err);
	}
	return rc;
}

/* "{" is the current token. Leaves the token after "}". */
static int parse_block(struct parser *ps, struct node *cmd, struct err *err)
{
	const char *start = ps->lex.raw.p + 1;
	struct node *body = NULL;
	bool ended;
	int rc = lex_next(&ps->lex, err);

	if (rc == 0)
		rc = parse_list(ps, closes_block, &ended, &body, err);
	if (rc < 0)
		return rc;
	if (!closes_block(ps))
		return unexpected(ps, "in a block", err);
	cmd->has_block = true;
	cmd->block = (struct str){start, (size_t)(ps->lex.raw.p - start)};
	return lex_next(&ps->lex, err);
}

static int parse_simple(struct parser *ps, struct node **out, struct err *err)
{
	struct node *cmd = new_node(ps, NODE_COMMAND);
	int rc = parse_words(ps, &cmd->words, err);

	if (rc == 0 && ps->lex.token == LEX_OPEN)
		rc = parse_block(ps, cmd, err);
	*out = cmd;
	return rc;
}

static int parse_if(struct parser *ps, struct node **out, struct err *err)
{
	struct node *n = new_node(ps, NODE_IF);
	struct clause **tail = &n->clauses;
	bool last = false;
	int rc = 0;

	while (rc == 0 && !at_keyword(ps, "fi")) { /* at "if", "elif" or "else" */
		struct clause *c = *tail = new_clause(ps);

		tail = &c->next;
		if (last)
			return unexpected(ps, "after \"else\"", err);
		last = at_keyword(ps, "else");
		rc = lex_next(&ps->lex, err);
		if (rc == 0 && !last) {
			rc = parse_ended(ps, closes_then, &c->cond, err);
			if (rc == 0)
				rc = expect(ps, "then", "where \"then\" should be", err);
		}
		if (rc == 0)
			rc = parse_ended(ps, closes_if, &c->body, err);
		if (rc == 0 && !closes_if(ps))
			return unexpected(ps, "in \"if\"", err);
	}
	*out = n;
	return rc < 0 ? rc : lex_next(&ps->lex, err);
}

static int parse_do(struct parser *ps, struct node **body, struct err *err)
{
	int rc = expect(ps, "do", "where \"do\" should be", err);

	if (rc == 0)
		rc = parse_ended(ps, closes_done, body, err);
	return rc < 0 ? rc : expect(ps, "done", "where \"done\" should be", err);
}

static bool is_one_of(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(s, words[i]))
			return true;
	return false;
}

/* Words that cannot be a command. */
static bool reserved(const struct parser *ps)
{
	static const char *const words[] = {"case", "do", "done",   "elif", "else",    "esac",
	                                    "fi",   "in", "select", "then", "function"};

	return ps->lex.token == LEX_WORD && is_one_of(ps->lex.raw, words, ARRAY_LEN(words));
}

/* What "for" and "function" take: a name that is no keyword. */
static bool at_name(const struct parser *ps)
{
	static const char *const words[] = {"if", "for", "while", "until", "time"};

	return ps->lex.token == LEX_WORD && lex_is_name(ps->lex.raw) && !reserved(ps) &&
	       !is_one_of(ps->lex.raw, words, ARRAY_LEN(words));
}

static int parse_for(struct parser *ps, struct node **out, struct err *err)
{
	struct node *n = new_node(ps, NODE_FOR);
	int rc = lex_next(&ps->lex, err);

	if (rc < 0)
		return rc;
	n->name = ps->lex.raw;
	if (!at_name(ps))
		return unexpected(ps, "where a variable's name should be", err);
	rc = lex_next(&ps->lex, err);
	if (rc == 0)
		rc = expect(ps, "in", "where \"in\" should be", err);
	if (rc == 0)
		rc = parse_words(ps, &n->words, err);
	if (rc == 0 && !at_separator(ps))
		return unexpected(ps, "in the list of \"for\"", err);
	if (rc == 0)
		rc = lex_next(&ps->lex, err);
	if (rc == 0)
		rc = skip_newlines(ps, err);
	*out = n;
	return rc < 0 ? rc : parse_do(ps, &n->body, err);
}

static int parse_loop(struct parser *ps, enum node_kind kind, struct node **out, struct err *err)
{
	struct node *n = new_node(ps, kind);
	int rc = lex_next(&ps->lex, err);

	n->clauses = new_clause(ps);
	if (rc == 0)
		rc = parse_ended(ps, closes_do, &n->clauses->cond, err);
	*out = n;
	return rc < 0 ? rc : parse_do(ps, &n->clauses->body, err);
}

static int parse_any(struct parser *ps, struct node **out, struct err *err)
{
	if (ps->lex.token != LEX_WORD || reserved(ps))
		return unexpected(ps, "where a command should begin", err);
	if (at_keyword(ps, "if"))
		return parse_if(ps, out, err);
	if (at_keyword(ps, "for"))
		return parse_for(ps, out, err);
	if (at_keyword(ps, "while"))
		return parse_loop(ps, NODE_WHILE, out, err);
	if (at_keyword(ps, "until"))
		return parse_loop(ps, NODE_UNTIL, out, err);
	return parse_simple(ps, out, err);
}

static int parse_command(struct parser *ps, struct node **out, struct err *err)
{
	int rc;

	if (ps->depth >= ps->limits->nesting)
		return err_set(err, ERR_LIMIT, "line %u: blocks nested deeper than %zu",
		               ps->lex.token_line, ps->limits->nesting);
	if (ps->lex.arena->total > ps->limits->tree)
		return err_set(err, ERR_LIMIT,
		               "line %u: the parsed script takes more than %zu bytes",
		               ps->lex.token_line, ps->limits->tree);
	ps->depth++;
	rc = parse_any(ps, out, err);
	ps->depth--;
	return rc;
}

static int parse_function(struct parser *ps, struct node **out, struct err *err)
{
	struct node *n = new_node(ps, NODE_FUNCTION);
	int rc = lex_next(&ps->lex, err);

	if (rc < 0)
		return rc;
	n->name = ps->lex.raw;
	if (!at_name(ps))
		return unexpected(ps, "where a function's name should be", err);
	rc = lex_next(&ps->lex, err);
	if (rc == 0)
		rc = skip_newlines(ps, err);
	if (rc == 0 && ps->lex.token != LEX_OPEN)
		return unexpected(ps, "where { should be", err);
	if (rc == 0)
		rc = lex_next(&ps->lex, err);
	if (rc == 0)
		rc = parse_ended(ps, closes_block, &n->body, err);
	if (rc == 0 && !closes_block(ps))
		return unexpected(ps, "in a function", err);
	*out = n;
	return rc < 0 ? rc : lex_next(&ps->lex, err);
}

static int parse_unit(struct parser *ps, struct node **tail, struct err *err)
{
	int rc = 0;

	while (rc == 0 && ps->lex.token != LEX_NEWLINE && ps->lex.token != LEX_END) {
		if (at_keyword(ps, "function"))
			rc = parse_function(ps, tail, err);
		else
			rc = parse_command(ps, tail, err);
		if (rc < 0)
			return rc;
		tail = &(*tail)->next;
		if (ps->lex.token == LEX_SEMI)
			rc = lex_next(&ps->lex, err);
		else if (ps->lex.token != LEX_NEWLINE && ps->lex.token != LEX_END)
			return unexpected(ps, "after a command", err);
	}
	return rc;
}

int parse_next(struct parser *ps, struct script **out, struct err *err)
{
	_cleanup_(script_putp) struct script *s = xcalloc(1, sizeof *s);
	struct lex *lx = &ps->lex;
	int rc;

	s->refs = 1;
	s->source = ps->source;
	ps->source->refs++;
	lx->arena = &s->arena;
	ps->depth = 0;
	do { /* the newline that ended the last unit was its token */
		rc = lex_next(lx, err);
	} while (rc == 0 && lx->token == LEX_NEWLINE);
	if (rc == 0 && lx->token == LEX_END)
		return 1;
	if (rc == 0)
		rc = parse_unit(ps, &s->first, err);
	if (rc < 0) {
		if (lx->token != LEX_NEWLINE) /* else the line has been read already */
			lex_skip_line(lx);
		return rc;
	}
	*out = take(&s);
	return 0;
}
