/* SPDX-License-Identifier: MIT */
/*
 * What an editor and its parent say to each other.
 *
 *     editor                                     parent
 *     OUT text, WARN text, SAY text, DETAIL text
 *     PUBLISH change, SWITCH, TIDY le32 all      OK, or FAILED error: direct.h's operations
 *     TAKE_BACK                                  OK
 *     FAILED error, DONE or AGAIN: the last; AGAIN: the config was changed, start another editor
 *
 *     error  = le32 code, le32 errno, text
 *     change = le32 copies, text toplevel, init, params, old toplevel, old init, old params
 */
#ifndef DOMSTRAP_EDITOR_WIRE_H
#define DOMSTRAP_EDITOR_WIRE_H

#include "jail/wire.h"
#include "nixos/direct_text.h"

enum editor_message {
	EDITOR_OUT = 1,
	EDITOR_WARN,
	EDITOR_SAY,
	EDITOR_DETAIL,
	EDITOR_PUBLISH,
	EDITOR_TAKE_BACK,
	EDITOR_SWITCH,
	EDITOR_TIDY,
	EDITOR_FAILED,
	EDITOR_DONE,
	EDITOR_OK,
	EDITOR_AGAIN,
};

#define EDITOR_PIECE_MAX (1u << 20) /* bytes of one OUT */
#define EDITOR_OUT_MAX (64u << 20)  /* of all */
#define EDITOR_TEXT_MAX 8192u
#define EDITOR_WORDS_MAX 100000u /* messages of the other kinds */

/* What the parent takes. */
extern const struct wire_rule editor_rules[];
extern const size_t editor_rule_count;
/* What the editor takes. */
extern const struct wire_rule editor_answer_rules[];
extern const size_t editor_answer_rule_count;

void editor_change_put(struct buf *out, const struct direct_change *c);
/* Texts are borrowed from strings, which the caller frees with buf_fini(). -ERR_CHILD. */
int editor_change_get(const struct buf *body, struct direct_change *out, struct buf *strings,
                      struct err *err);

#endif
