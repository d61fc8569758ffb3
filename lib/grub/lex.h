/* SPDX-License-Identifier: MIT */
/*
 * GRUB script's tokens.
 *
 *     token   = NEWLINE | ";" | "{" | "}" | word | operator
 *     word    = ( char | "\" any | '…' | "…" | variable )+
 *     char    = any but blank, newline, { } | & $ ; < > ' "
 *     "…"     = with variables; "\" quotes only $ " \ and newline (which goes)
 *     variable = "$" name | "${" name "}", name = [A-Za-z_][A-Za-z0-9_]* | digits | one of ?#*@
 *     comment = "#" where a token could begin, to the end of the line
 *
 * "\" newline joins lines. $"…" is "…" (GRUB would translate it). An operator
 * (| & < > and their doubles, [[ ]]) has no place in the grammar.
 */
#ifndef GRUB_LEX_H
#define GRUB_LEX_H

#include "base/err.h"
#include "grub/ast.h"

enum lex_token {
	LEX_END,
	LEX_NEWLINE,
	LEX_SEMI,
	LEX_OPEN,
	LEX_CLOSE,
	LEX_WORD,
	LEX_OPERATOR,
};

struct lex {
	struct str text;
	size_t pos;
	unsigned line;
	struct arena *arena;  /* where words go */
	enum lex_token token; /* the current one */
	struct str raw;       /* its source */
	unsigned token_line;
	struct word *word; /* LEX_WORD */
};

void lex_init(struct lex *lx, struct str text);
/* Go to the next token: 0 or -ERR_FORMAT. */
int lex_next(struct lex *lx, struct err *err);
/* After an error: go behind the end of the current line. */
void lex_skip_line(struct lex *lx);

bool lex_is_name(struct str s);

#endif
