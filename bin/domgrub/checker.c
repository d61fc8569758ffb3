/* SPDX-License-Identifier: MIT */
/* In a jail of its own: is the kernel that was copied one for Xen? */
#include <sys/mman.h>

#include "base/buf.h"
#include "base/str.h"
#include "inmate.h"
#include "inmate_state.h"
#include "xen/kernel.h"

/*
 * Unpacking looks back at up to 128 MiB. Those pages belong to a file that has
 * no name any more: they need not stay in this process, and the host may have
 * their memory when it needs it.
 */
static void scratch_drop(struct unpack_scratch *s)
{
	(void)madvise(s->base, s->used, MADV_DONTNEED);
}

static void look(const struct checker_spec *s, struct buf *lines)
{
	struct unpack_scratch scratch = {
	        .base = s->scratch, .size = s->scratch_size, .drop = scratch_drop};
	const struct kernel_limits limits = {KERNEL_UNPACKED_MAX, s->memory,
	                                     s->scratch ? &scratch : NULL};
	struct source_fd src;
	struct kernel_info info;
	struct err err = ERR_INIT;
	struct window w;

	source_fd_init(&src, s->fd, "kernel");
	w = window_over(&src.src, s->size, "kernel");
	if (kernel_read(&w, &limits, &info, &err) < 0)
		buf_putf(lines, "%s\n", err.text);
	else
		kernel_advise(&info, s->xen, lines);
}

int checker_main(void *arg)
{
	struct inmate in = {.wire = {.fd = JAIL_LINE,
	                             .rules = message_requests,
	                             .rule_count = message_request_count,
	                             .state = STATE_IDLE,
	                             .peer = "parent"}};
	struct buf body = BUF_INIT, lines = BUF_INIT;
	struct err err = ERR_INIT;
	struct str rest;
	uint32_t type;

	if (wire_get(&in.wire, &type, &body, &err) != 0 || type != REQ_CHECK)
		return INMATE_BROKEN_LINE;
	look(arg, &lines);
	for (rest = buf_str(&lines); rest.p;) {
		struct str line = str_cut(&rest, '\n');

		if (line.n)
			inmate_note(&in, line);
	}
	return wire_put(&in.wire, MSG_DONE, STR(""), &err) < 0 ? INMATE_BROKEN_LINE : 0;
}
