/* SPDX-License-Identifier: MIT */
/*
 * Views of text: pointer and length, borrowed, not NUL-terminated. A view
 * lives as long as the bytes that it looks at.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct str {
	const char *p;
	size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

struct str str_from(const char *s);
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *s);
/* The same with ASCII letters in any case. */
bool str_is_nocase(struct str a, const char *s);
/* Compare in byte order, a prefix before longer text: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
/*
 * Binary search: the index of name in the array of n elements of size bytes at
 * base, which is sorted in byte order of name_of(). If it is not there, *found
 * is false and the index is where it would be inserted.
 */
size_t str_place(const void *base, size_t n, size_t size, struct str (*name_of)(const void *),
                 struct str name, bool *found);
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
struct str str_drop(struct str s, size_t n); /* without the first n bytes */
struct str str_trim(struct str s);           /* without blanks at both ends */
/* The last component of a path: the text after its last slash, or all of it. */
const char *str_base(const char *path);
/*
 * Cut *s at the first c: returns the text before it and leaves the text after it
 * in *s. Without a c, all of *s is returned and *s is left empty with p NULL, so
 * that "while (s.p)" visits every field.
 */
struct str str_cut(struct str *s, char c);

/* All of s as an unsigned number. false: not only digits, or over max. */
bool str_u64(struct str s, unsigned base, uint64_t max, uint64_t *out);

/*
 * A size in bytes: digits with an optional unit K, M, G or T in either case, in
 * powers of 1024: "10G", "10GiB", "10GB" and "10Gb" are the same. With a unit, up
 * to six decimal places are allowed ("1.5G"), rounded down to a byte. false: not
 * such a number, or over 2^63 - 1.
 */
bool str_size(struct str s, uint64_t *out);

/*
 * Append s to out so that it is safe on a terminal: printable ASCII unchanged,
 * everything else (and backslash) as \xHH. All text from guests, caches and file
 * names is printed through this function.
 */
void str_escape(struct buf *out, struct str s);

/* Format a size as "1.5 GiB", "12.0 KiB" or "37 B" into the caller's array; returns it. */
const char *str_human(uint64_t bytes, char out[static 16]);

#endif
