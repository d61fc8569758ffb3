/* SPDX-License-Identifier: MIT */
/* Editing a text on the terminal: an entry's lines, or one line. */
#ifndef DOMGRUB_EDIT_H
#define DOMGRUB_EDIT_H

#include "term.h"

#define EDIT_MAX 65536 /* bytes that a text may grow to */

/*
 * Edit *text below the heading. One line: Enter ends it; several: Ctrl-X or
 * F10. Returns 0, or 1 where the person wants none of it (Esc, Ctrl-C).
 */
int edit_text(struct term *t, const char *heading, bool one_line, struct buf *text);

#endif
