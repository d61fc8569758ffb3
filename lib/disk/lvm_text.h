/* SPDX-License-Identifier: MIT */
/*
 * The text that LVM2 describes its volumes with, read in place, item by item:
 *
 *     text   = { key "{" text "}" | key "=" value }
 *     value  = scalar | "[" { scalar [ "," ] } "]"
 *     scalar = '"' characters '"' | WORD            a number is a word
 *
 * "#" starts a comment. Views are borrowed from the text.
 */
#ifndef DISK_LVM_TEXT_H
#define DISK_LVM_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define LVM_TEXT_DEPTH_MAX 16u /* nested sections and lists */

struct lvm_item {
	struct str key;
	bool section;
	struct str body; /* what is between its braces; or the value */
};

/* The next item of *text, which is then what follows it. 0, 1: the end, or -ERR_FORMAT. */
int lvm_text_next(struct str *text, struct lvm_item *out, struct err *err);

/* The first item with this key, of all in text; false: there is none, or text is no such text. */
bool lvm_text_find(struct str text, const char *key, struct lvm_item *out);

/* A list's next scalar; false: its end. A value that is no list has itself. */
bool lvm_list_next(struct str *list, struct str *scalar);

/* A scalar as a number of at most max, and as a string without its quotes and escapes. */
bool lvm_u64(struct str scalar, uint64_t max, uint64_t *out);
bool lvm_string(struct str scalar, struct str *out);

/* The number, the string with this key; false: there is none. */
bool lvm_text_u64(struct str text, const char *key, uint64_t max, uint64_t *out);
bool lvm_text_string(struct str text, const char *key, struct str *out);
/* Whether the list with this key has the string. */
bool lvm_text_has(struct str text, const char *key, const char *string);

#endif
