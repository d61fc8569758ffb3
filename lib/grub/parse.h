/* SPDX-License-Identifier: MIT */
/*
 * GRUB script's grammar. GRUB reads a line, goes on reading while something
 * is open, and runs what it has; so a syntax error loses only its own lines.
 *
 *     unit      = { statement sep } NEWLINE
 *     statement = command | "function" NAME NEWLINE* "{" list sep "}"
 *     command   = simple | if | for | while | until
 *     simple    = WORD { WORD } [ "{" list [ sep ] "}" ]
 *     if        = "if" list sep "then" list sep
 *                 { "elif" list sep "then" list sep } [ "else" list sep ] "fi"
 *     for       = "for" NAME "in" { WORD } sep "do" list sep "done"
 *     while     = ( "while" | "until" ) list sep "do" list sep "done"
 *     list      = NEWLINE* command { sep command }
 *     sep       = ( ";" | NEWLINE ) NEWLINE*
 *
 * Keywords are keywords only unquoted and where a command may begin.
 */
#ifndef GRUB_PARSE_H
#define GRUB_PARSE_H

#include "grub/lex.h"
#include "grub/limit.h"

struct parser {
	struct source *source;
	struct lex lex;
	const struct grub_limits *limits;
	size_t depth;
};

/* The text is copied, without its carriage returns; file is its name. */
void parse_init(struct parser *ps, const char *file, struct str text,
                const struct grub_limits *limits);
void parse_fini(struct parser *ps);

/*
 * The next unit: 0 and *out (the caller owns one reference), 1 at the end,
 * -ERR_FORMAT for a mistake (call again to go on after its line), or
 * -ERR_LIMIT.
 */
int parse_next(struct parser *ps, struct script **out, struct err *err);

#endif
