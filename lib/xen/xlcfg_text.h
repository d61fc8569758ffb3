/* SPDX-License-Identifier: MIT */
/*
 * The text of an xl config, parsed as by xl (libxlutil):
 *
 *     config  = { setting ( NEWLINE | ";" ) } [ setting ]     NEWLINE | ";" alone too
 *     setting = key ( "=" | "+=" ) value                      on one line
 *     key     = a-z { a-z 0-9 _ . }
 *     value   = string | number | "[" { NEWLINE } [ value { "," value } [ "," ] ] "]"
 *     number  = 0-9 { 0-9 a-f x }
 *     string  = "text" | 'text'           on one line; a backslash before a quote,
 *                                         a backslash, or one of abfnrtv
 *     NEWLINE = LF | "#" text LF          inside [ ] allowed between any words
 *
 * Blanks are spaces and tabs, but not CR. A comment in the last line needs an LF. Of
 * several settings with the same key the last is used; "+=" appends its value to the
 * previous one. Numeric escapes do not work: xl refuses hexadecimal ones and drops
 * octal ones.
 */
#ifndef XEN_XLCFG_TEXT_H
#define XEN_XLCFG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define XLCFG_BYTES_MAX (1u << 20)
#define XLCFG_SETTINGS_MAX 4096u
#define XLCFG_DEPTH_MAX 32 /* of lists in lists */

/* A string or number, or a list; text is NULL in a list. */
struct xlcfg_value {
	char *text;
	struct xlcfg_value *v;
	size_t n, cap;
};

struct xlcfg_setting {
	char *key;
	struct xlcfg_value value;
	bool added; /* by "+=" */
};

struct xlcfg_text {
	struct xlcfg_setting *v;
	size_t n, cap;
};

/* -ERR_FORMAT: xl refuses it, with its reason and the line; -ERR_LIMIT. */
int xlcfg_text_parse(const char *p, size_t n, struct xlcfg_text *out, struct err *err);
void xlcfg_text_fini(struct xlcfg_text *t);

/* The last setting of a key, borrowed; NULL: none. */
const struct xlcfg_setting *xlcfg_text_find(const struct xlcfg_text *t, const char *key);
/* Its text, borrowed; NULL: none, or a list. */
const char *xlcfg_text_get(const struct xlcfg_text *t, const char *key);
/* Its list, borrowed, up to the first element that is itself a list, where xl stops. */
size_t xlcfg_text_list(const struct xlcfg_text *t, const char *key, const struct xlcfg_value **out);

#endif
