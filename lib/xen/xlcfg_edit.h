/* SPDX-License-Identifier: MIT */
/*
 * Replacing the value of one setting in an xl config. Everything else stays the
 * same byte for byte: comments, blanks, unknown settings.
 */
#ifndef XEN_XLCFG_EDIT_H
#define XEN_XLCFG_EDIT_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Append config to out, with text as what the last setting of key says. 1: it has
 * none; -ERR_UNSUPPORTED: that is no text of one piece, or there are several, or
 * the new text has a control character; -ERR_FORMAT.
 */
int xlcfg_replace(struct str config, const char *key, const char *text, struct buf *out,
                  struct err *err);

#endif
