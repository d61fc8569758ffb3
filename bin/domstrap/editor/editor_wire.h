/* SPDX-License-Identifier: MIT */
/*
 * What an editor and its parent say to each other.
 *
 *     editor                                     parent
 *     OUT text, WARN text, SAY text, DETAIL text
 *     PUBLISH change, SWITCH, TIDY le32 all      OK, or FAILED error: direct.h's operations
 *     TAKE_BACK                                  OK
 *     HAVE bytes: the guest's closure (closure_put_names()), in pieces
 *     SOURCE                                     PIECE bytes, and OK: the new system; or FAILED
 *     LOOK text path                             PIECE, and OK, or FAILED: one of its files
 *     READ le64 limit, text path                 the same
 *     STREAM le32 on                             OK, or FAILED: serve its NARs on the other lines,
 *                                                until they are closed
 *     PROGRESS le32 on
 *     WRITE_ENV le32 check                       OK, or FAILED: config_file_write_env()
 *     FAILED error, DONE or AGAIN: the last; AGAIN: the config was changed, start another editor
 *
 *     error  = le32 code, le32 errno, text
 *     system = le32 index of its path, a byte for each path that the guest lacks: whether its NAR
 *              is slow to unpack, closure
 *     look   = le32 enum walk_kind, text target
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
	EDITOR_HAVE,
	EDITOR_SOURCE,
	EDITOR_LOOK,
	EDITOR_READ,
	EDITOR_STREAM,
	EDITOR_PROGRESS,
	EDITOR_WRITE_ENV,
	EDITOR_PIECE,
};

#define EDITOR_PIECE_MAX (1u << 20)  /* bytes of one OUT, HAVE or PIECE */
#define EDITOR_OUT_MAX (64u << 20)   /* of all OUT */
#define EDITOR_HAVE_MAX (64u << 20)  /* of all HAVE */
#define EDITOR_READ_MAX (512u << 20) /* of a file */
#define EDITOR_PATH_MAX 4096u
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
