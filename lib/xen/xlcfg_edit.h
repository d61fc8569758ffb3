/* SPDX-License-Identifier: MIT */
/*
 * Replacing the value of one setting in an xl config. Every other byte is kept:
 * comments, blanks, unknown settings.
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

#endif
