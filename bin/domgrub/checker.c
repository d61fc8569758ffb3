/* SPDX-License-Identifier: MIT */
/* In a separate jail: checks whether Xen can start the copied kernel. */
#include <nettle/sha2.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "inmate.h"
#include "inmate_state.h"
#include "xen/kernel.h"

/* The complete check. True if the kernel's notes show no problem. */
static bool look(const struct checker_spec *s, const struct window *w, struct buf *lines)
{
	const struct kernel_limits limits = {.unpacked = KERNEL_UNPACKED_MAX, .memory = s->memory};
	struct kernel_info info;
	struct err err = ERR_INIT;

	if (kernel_read(w, &limits, &info, &err) < 0) {
		buf_putf(lines, "%s\n", err.text);
		return false;
	}
	kernel_advise_packing(&info, s->xen, lines);
	return kernel_advise_notes(&info, lines) == 0;
}

/*
 * The SHA-256 of a line with this program's version, and the kernel: another version may find other
 * problems.
 */
static int sum_make(const struct window *w, uint8_t out[static KNOWN_SUM], struct err *err)
{
	static const char judge[] = "domgrub " VERSION "\n";
	static uint8_t piece[65536];
	struct sha256_ctx ctx;
	int rc = 0;

	sha256_init(&ctx);
	sha256_update(&ctx, sizeof judge - 1, (const uint8_t *)judge);
	for (uint64_t at = 0; rc == 0 && at < w->size; at += sizeof piece) {
		size_t n = (size_t)MIN(sizeof piece, w->size - at);

		rc = window_read(w, piece, n, at, err);
		if (rc == 0)
			sha256_update(&ctx, n, piece);
	}
	sha256_digest(&ctx, KNOWN_SUM, out);
	return rc;
}

/*
 * A compressed kernel is checked once: if no problem was found, it need not be unpacked again. True
 * if there is a sum to report, in sum.
 */
static bool look_once(const struct checker_spec *s, const struct window *w, struct buf *lines,
                      uint8_t sum[static KNOWN_SUM])
{
	const struct kernel_limits outside = {.packing_only = true};
	struct kernel_info info;
	struct err unused = ERR_INIT;

	if (!s->known || kernel_read(w, &outside, &info, &unused) < 0 || info.trouble[0] ||
	    info.packing == UNPACK_NONE || sum_make(w, sum, &unused) < 0) {
		(void)look(s, w, lines);
		return false;
	}
	if (!known_has(s->known, sum))
		return look(s, w, lines);
	kernel_advise_packing(&info, s->xen, lines);
	return true;
}

/* Report problems of the kernel as notes; for a good kernel, its sum. */
static int judge(struct inmate *in, const struct checker_spec *s, struct err *err)
{
	struct buf lines = BUF_INIT;
	uint8_t sum[KNOWN_SUM];
	struct source_fd src;
	struct window w;
	struct str rest;
	bool good;

	source_fd_init(&src, s->fd, "kernel");
	w = window_over(&src.src, s->size, "kernel");
	good = look_once(s, &w, &lines, sum);
	for (rest = buf_str(&lines); rest.p;) {
		struct str line = str_cut(&rest, '\n');

		if (line.n)
			inmate_note(in, line);
	}
	buf_fini(&lines);
	if (!good)
		return 0;
	return wire_put(&in->wire, MSG_SUM, (struct str){(const char *)sum, KNOWN_SUM}, err);
}

int checker_main(void *arg)
{
	struct inmate in = {.wire = {.fd = JAIL_PARENT,
	                             .rules = message_requests,
	                             .rule_count = message_request_count,
	                             .state = STATE_IDLE,
	                             .peer = "parent"}};
	struct buf body = BUF_INIT;
	struct err err = ERR_INIT;
	uint32_t type;

	if (wire_get(&in.wire, &type, &body, &err) != 0 || type != REQ_CHECK)
		return INMATE_BROKEN_LINE;
	if (judge(&in, arg, &err) < 0 || wire_put(&in.wire, MSG_DONE, STR(""), &err) < 0)
		return INMATE_BROKEN_LINE;
	return 0;
}
