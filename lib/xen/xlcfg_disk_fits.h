/* SPDX-License-Identifier: MIT */
/*
 * The patterns of libxlutil's table for disks, as functions: how much of the rest
 * of a spec the pattern matches, for a rule with this word. For xlcfg_disk.c only.
 */
#ifndef XEN_XLCFG_DISK_FITS_H
#define XEN_XLCFG_DISK_FITS_H

#include "base/str.h"

/* The length of the match, 0: none; and how many bytes of it are consumed. */
struct xl_match {
	size_t n, used;
};

struct xl_match xl_fits_blanks(const char *word, struct str rest);
struct xl_match xl_fits_flag(const char *word, struct str rest);
struct xl_match xl_fits_place(const char *word, struct str rest);
struct xl_match xl_fits_prefix(const char *word, struct str rest);
struct xl_match xl_fits_rest(const char *word, struct str rest);
struct xl_match xl_fits_target(const char *word, struct str rest);
struct xl_match xl_fits_unknown(const char *word, struct str rest);
struct xl_match xl_fits_unknown_prefix(const char *word, struct str rest);
struct xl_match xl_fits_value(const char *word, struct str rest);

/* The length of a word of a-z, 0-9 and the characters in more, which begins with a-z; 0: none. */
size_t xl_word_length(struct str rest, const char *more);

#endif
