/* SPDX-License-Identifier: MIT */
/*
 * The patterns of libxlutil's table for disks, each as a function: what of the
 * rest of a spec it fits, for a rule of that word. For xlcfg_disk.c alone.
 */
#ifndef XEN_XLCFG_DISK_FITS_H
#define XEN_XLCFG_DISK_FITS_H

#include "base/str.h"

/* How many bytes fit, 0: none; and how many of them are used up. */
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

/* Bytes of a lower-case word with digits and the characters of more in it; 0: there is none. */
size_t xl_word_length(struct str rest, const char *more);

#endif
