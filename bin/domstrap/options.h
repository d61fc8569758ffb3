/* SPDX-License-Identifier: MIT */
/*
 * Values that several commands' options have. All return 0 or -ERR_USAGE; option
 * is its name without hyphens.
 */
#ifndef DOMSTRAP_OPTIONS_H
#define DOMSTRAP_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* One of a few words; its number in *out. */
int option_word(const char *option, const char *text, const char *const *words, size_t n,
                unsigned *out, struct err *err);
/* A guest's memory: plain digits are MiB, as in xl's own configs. */
int option_memory(const char *text, uint64_t *mib, struct err *err);
/* A number from 1 to max. */
int option_count(const char *option, const char *text, unsigned max, unsigned *out,
                 struct err *err);

#endif
