/* SPDX-License-Identifier: MIT */
/*
 * Changing one setting of an xl config. Every other byte is kept: comments, blanks,
 * unknown settings.
 */
#ifndef XEN_XLCFG_EDIT_H
#define XEN_XLCFG_EDIT_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Append config to out, with text as the value of key. 1: config does not set key;
 * -ERR_UNSUPPORTED: its value is not a single string, it is set several times, or
 * text has a control character; -ERR_FORMAT.
 */
int xlcfg_replace(struct str config, const char *key, const char *text, struct buf *out,
                  struct err *err);

/*
 * Append config to out, with text as the first item of the list key. A list that is not there
 * comes behind the setting "after". 1: config sets neither; else as above.
 */
int xlcfg_add_argument(struct str config, const char *key, const char *text, const char *after,
                       struct buf *out, struct err *err);

#endif
