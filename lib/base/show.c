/* SPDX-License-Identifier: MIT */
#include "base/show.h"
#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

const char *show_str(struct str s, char out[static SHOW_SIZE])
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;

	str_escape(&b, (struct str){s.p, MIN(s.n, SHOW_SIZE)});
	if (b.n >= SHOW_SIZE) {
		memcpy(out, b.p, SHOW_SIZE - 4);
		memcpy(out + SHOW_SIZE - 4, "...", 4);
	} else {
		memcpy(out, buf_str(&b).p, b.n);
		out[b.n] = '\0';
	}
	return out;
}
