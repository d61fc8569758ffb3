/* SPDX-License-Identifier: MIT */
/* Rows for tables of options (base/options.h) that several commands have. "field" is a member of
 * the struct "type". */
#ifndef DOMSTRAP_ROWS_H
#define DOMSTRAP_ROWS_H

#include "base/mem.h"
#include "base/options.h"
#include "ui/ui.h"

#define ROW_QUIET(type, field)                                                                     \
	{.name = "quiet",                                                                          \
	 'q',                                                                                      \
	 .help = "errors and warnings only",                                                       \
	 .set = option_enum,                                                                       \
	 .offset = offsetof(type, field),                                                          \
	 .number = (uint64_t)UI_QUIET}
#define ROW_VERBOSE(type, field, text)                                                             \
	{.name = "verbose",                                                                        \
	 'v',                                                                                      \
	 .help = (text),                                                                           \
	 .set = option_enum,                                                                       \
	 .offset = offsetof(type, field),                                                          \
	 .number = UI_VERBOSE}
#define ROW_HELP {.name = "help", 'h', .help = "print this help"}

/* A long option with an argument that is stored unchanged, and one without that sets a bool. */
#define ROW_TEXT(long_name, argument, text, type, field)                                           \
	{.name = (long_name), 0, argument, text, option_text, offsetof(type, field)}
#define ROW_TRUE(long_name, text, type, field)                                                     \
	{.name = (long_name), 0, NULL, text, option_true, offsetof(type, field)}

#define ROW_FALSE(long_name, text, type, field)                                                    \
	{.name = (long_name), 0, NULL, text, option_false, offsetof(type, field)}
/* A number from 1 to a million. */
#define ROW_COUNT(long_name, text, type, field)                                                    \
	{.name = (long_name), 0, "N", text, option_count, offsetof(type, field), 1000000}
#define ROW_THREADS(text, type, field)                                                             \
	{.name = "threads", 'j', "N", text, option_count, offsetof(type, field), 16}

/* The same with a short name. */
#define ROW_DRY_RUN(type, field, text)                                                             \
	{.name = "dry-run", 'n', NULL, text, option_true, offsetof(type, field)}
#define ROW_FORCE(type, field)                                                                     \
	{.name = "force", 'f', NULL, "replace existing files", option_true, offsetof(type, field)}

/* An empty line and a heading in --help. */
#define ROW_HEADING(text) {.help = "\n" text}

/* The set of a command whose rows are all its own, or of one with an array of groups. */
#define SET_OF_ROWS(command, text, rows)                                                           \
	{.program = "domstrap " command,                                                           \
	 .intro = (text),                                                                          \
	 .column = HELP_COLUMN,                                                                    \
	 .groups = &(const struct option_group)OPTION_GROUP(rows, 0),                              \
	 .n_groups = 1}
#define SET_OF_GROUPS(command, text, list)                                                         \
	{.program = "domstrap " command,                                                           \
	 .intro = (text),                                                                          \
	 .column = HELP_COLUMN,                                                                    \
	 .groups = (list),                                                                         \
	 .n_groups = ARRAY_LEN(list)}
#define HELP_COLUMN 28 /* where the texts of --help begin */

#endif
