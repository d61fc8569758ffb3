/* SPDX-License-Identifier: MIT */
/* Errors and texts in messages, from a process that is not trusted. */
#include "base/mem.h"
#include "base/utf8.h"
#include "jail/wire.h"

void wire_err_put(struct buf *out, const struct err *err)
{
	wire_u32_put(out, err->code);
	wire_u32_put(out, (uint32_t)err->sys_errno);
	wire_text_put(out, str_from(err->text));
}

int wire_err_get(struct str body, struct err *err)
{
	struct bytes b = bytes_over(body.p, body.n);
	uint32_t code = wire_u32_get(&b, ERR_CHILD), sys_errno = wire_u32_get(&b, INT32_MAX);
	struct str text = wire_text_get(&b, ERR_TEXT_MAX);
	_cleanup_(buf_fini) struct buf clean = BUF_INIT;

	if (!wire_end(&b) || !code)
		return err_set(err, ERR_CHILD, "an invalid error message from another process");
	wire_text_clean(&clean, text);
	err_set(err, code, "%.*s", STR_ARG(buf_str(&clean)));
	err->sys_errno = (int)sys_errno;
	return -(int)code;
}

void wire_text_clean(struct buf *out, struct str s)
{
	while (s.n) {
		struct str whole = s;
		uint32_t c = utf8_cut(&s);
		size_t n = whole.n - s.n;
		bool control = (c < ' ' && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);

		if (control || (c == UTF8_BAD && n == 1))
			buf_u8(out, '?');
		else
			buf_put(out, whole.p, n);
	}
}
