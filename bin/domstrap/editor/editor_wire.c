/* SPDX-License-Identifier: MIT */
#include "editor/editor_wire.h"

#include <string.h>

#include "base/mem.h"
#include "nix/store_path.h"

#define PARAMS_MAX 65536u
#define INIT_MAX 4096u
#define CHANGE_MAX (2 * (PARAMS_MAX + 2 * INIT_MAX) + 64)

/* Names are given once: what was published can be taken back, or become the config. */
enum {
	UNPUBLISHED,
	PUBLISHED,
	ENDED,
};

#define ALWAYS(type, limit)                                                                        \
	{UNPUBLISHED, type, limit, UNPUBLISHED},                                                   \
	{                                                                                          \
		PUBLISHED, type, limit, PUBLISHED                                                  \
	}
#define LAST(type, limit)                                                                          \
	{UNPUBLISHED, type, limit, ENDED},                                                         \
	{                                                                                          \
		PUBLISHED, type, limit, ENDED                                                      \
	}

const struct wire_rule editor_rules[] = {
        ALWAYS(EDITOR_OUT, EDITOR_PIECE_MAX),
        ALWAYS(EDITOR_WARN, EDITOR_TEXT_MAX),
        ALWAYS(EDITOR_SAY, EDITOR_TEXT_MAX),
        ALWAYS(EDITOR_DETAIL, EDITOR_TEXT_MAX),
        {UNPUBLISHED, EDITOR_PUBLISH, CHANGE_MAX, PUBLISHED},
        {PUBLISHED, EDITOR_TAKE_BACK, 0, PUBLISHED},
        {PUBLISHED, EDITOR_SWITCH, 0, PUBLISHED},
        ALWAYS(EDITOR_TIDY, 4),
        ALWAYS(EDITOR_PROGRESS, 4),
        ALWAYS(EDITOR_WRITE_ENV, 4),
        {UNPUBLISHED, EDITOR_HAVE, EDITOR_PIECE_MAX, UNPUBLISHED},
        {UNPUBLISHED, EDITOR_SOURCE, 0, UNPUBLISHED},
        {UNPUBLISHED, EDITOR_LOOK, EDITOR_PATH_MAX + 4, UNPUBLISHED},
        {UNPUBLISHED, EDITOR_READ, EDITOR_PATH_MAX + 12, UNPUBLISHED},
        {UNPUBLISHED, EDITOR_STREAM, 4, UNPUBLISHED},
        LAST(EDITOR_AGAIN, 0),
        LAST(EDITOR_FAILED, EDITOR_TEXT_MAX),
        LAST(EDITOR_DONE, 0),
        {UNPUBLISHED, WIRE_BROKEN, EDITOR_TEXT_MAX, ENDED},
};
const size_t editor_rule_count = ARRAY_LEN(editor_rules);

const struct wire_rule editor_answer_rules[] = {
        {0, EDITOR_OK, 0, 0},
        {0, EDITOR_PIECE, EDITOR_PIECE_MAX, 0},
        {0, EDITOR_FAILED, EDITOR_TEXT_MAX, 0},
};
const size_t editor_answer_rule_count = ARRAY_LEN(editor_answer_rules);

/* ---- changes -------------------------------------------------------------- */

void editor_change_put(struct buf *out, const struct direct_change *c)
{
	wire_u32_put(out, c->copies);
	wire_text_put(out, str_from(c->toplevel));
	wire_text_put(out, str_from(c->init));
	wire_text_put(out, str_from(c->params));
	wire_text_put(out, str_from(c->old_toplevel));
	wire_text_put(out, str_from(c->old_init));
	wire_text_put(out, str_from(c->old_params));
}

/* Take a text without newlines. Returns its offset in "strings". */
static size_t take_text(struct bytes *b, size_t max, struct buf *strings)
{
	struct str s = wire_text_get(b, max);
	size_t at = strings->n;

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			b->bad = true;
	buf_put(strings, s.p ? s.p : "", s.n);
	buf_u8(strings, 0);
	return at;
}

static bool is_toplevel(const char *s)
{
	struct store_path sp;

	return store_path_is(str_from(s), &sp);
}

int editor_change_get(const struct buf *body, struct direct_change *out, struct buf *strings,
                      struct err *err)
{
	static const size_t max[] = {INIT_MAX, INIT_MAX, PARAMS_MAX,
	                             INIT_MAX, INIT_MAX, PARAMS_MAX};
	struct bytes b = bytes_over(body->p, body->n);
	size_t at[ARRAY_LEN(max)];

	out->copies = wire_u32_get(&b, 1);
	for (size_t i = 0; i < ARRAY_LEN(max); i++)
		at[i] = take_text(&b, max[i], strings);
	out->toplevel = strings->p + at[0];
	out->init = strings->p + at[1];
	out->params = strings->p + at[2];
	out->old_toplevel = strings->p + at[3];
	out->old_init = strings->p + at[4];
	out->old_params = strings->p + at[5];
	if (!wire_end(&b) || !is_toplevel(out->toplevel) || !is_toplevel(out->old_toplevel))
		return err_set(err, ERR_CHILD, "the guest's process: a change that is none");
	return 0;
}
