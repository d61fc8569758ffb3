/* SPDX-License-Identifier: MIT */
/*
 * The tree of a piece of GRUB script. Everything lives in the arena of its
 * script; strings are views into the source or the arena.
 */
#ifndef GRUB_AST_H
#define GRUB_AST_H

#include "base/str.h"
#include "grub/arena.h"

#include <stdbool.h>

enum part_kind {
	PART_TEXT,
	PART_VAR,
};

/* A word is its parts put together: a"b $c"$d has four. */
struct part {
	struct part *next;
	enum part_kind kind;
	bool quoted;     /* it is no pattern; PART_VAR: the value is not split at blanks */
	struct str text; /* or the variable's name */
};

struct word {
	struct word *next;
	struct part *parts;
};

enum node_kind {
	NODE_COMMAND,
	NODE_IF,
	NODE_FOR,
	NODE_WHILE,
	NODE_UNTIL,
	NODE_FUNCTION,
};

/* One condition and what it guards; "else" has no condition. */
struct clause {
	struct clause *next;
	struct node *cond;
	struct node *body;
};

struct node {
	struct node *next; /* the statement after this one */
	enum node_kind kind;
	unsigned line;
	struct str name;        /* NODE_FOR: variable; NODE_FUNCTION: function */
	struct word *words;     /* NODE_COMMAND, NODE_FOR */
	struct clause *clauses; /* NODE_IF, in order; NODE_WHILE, NODE_UNTIL: one */
	struct node *body;      /* NODE_FOR, NODE_FUNCTION */
	bool has_block;
	struct str block; /* NODE_COMMAND: the text between { and } */
};

/* A text that scripts were parsed from; their strings are views into it. */
struct source {
	unsigned refs;
	bool kept;  /* a function refers to it, and its bytes have been charged */
	char *file; /* where it comes from, for messages */
	size_t n;
	char text[];
};

/*
 * A parsed unit: the statements that begin on one line. A function keeps the
 * script alive that defines it, and a script keeps its source alive.
 */
struct script {
	unsigned refs;
	struct source *source;
	struct arena arena;
	struct node *first;
};

struct script *script_ref(struct script *s);
void script_put(struct script *s);
void script_putp(struct script **s);

#endif
