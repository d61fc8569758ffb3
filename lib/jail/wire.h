/* SPDX-License-Identifier: MIT */
/*
 * Messages between a program and its children in jails.
 *
 *     message = le32 type, le32 size of body, body
 *     text    = le32 size, bytes          in a body
 *
 * A const table of rules lists which messages are allowed in which state. A
 * message that no rule allows now, or that is longer than its rule allows, is
 * refused before its body is read.
 */
#ifndef JAIL_WIRE_H
#define JAIL_WIRE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/str.h"

#define WIRE_HEAD 8                       /* bytes before the body */
#define WIRE_BODY_MAX (8u << 20)          /* bytes; no rule may allow more */
#define WIRE_ERR_MAX (ERR_TEXT_MAX + 12u) /* bytes of an error, see wire_err_put() */
#define WIRE_BROKEN 0xdead                /* the jail could not be built: body is text */

/* In state "state", "type" is allowed with up to "limit" bytes; the next state is "next". */
struct wire_rule {
	uint32_t state;
	uint32_t type;
	uint32_t limit;
	uint32_t next;
};

struct wire {
	int fd; /* one end of a stream socket; borrowed */
	const struct wire_rule *rules;
	size_t rule_count;
	uint32_t state;
	const char *peer; /* for error texts, borrowed */
	/*
	 * For a peer that sees the same flag and ends by itself, but could hang: once *stop is
	 * true, wire_recv() waits for grace_ms milliseconds in all, then fails. NULL: without
	 * limit.
	 */
	const atomic_bool *stop;
	int64_t grace_ms;
	int64_t stop_ms; /* when wire_recv() saw it; 0: not yet */
};

/* 0, or -ERR_CHILD if the other end is closed. Never raises SIGPIPE. */
int wire_send(struct wire *w, uint32_t type, struct str body, struct err *err);

/*
 * Receive the next message: its type, and its body into *body (emptied first).
 * Waits at most wait_ms milliseconds, or forever if that is negative; the time
 * for all messages of one answer is counted together. Returns 0; 1 if the other
 * end was closed between messages; -ERR_FORMAT if the rules refuse the message,
 * -ERR_CHILD for a timeout or an incomplete message, -ERR_INTERRUPTED if *stop
 * became true.
 */
int wire_recv(struct wire *w, uint32_t *type, struct buf *body, int64_t wait_ms,
              const volatile bool *stop, struct err *err);

/* wire_send() and wire_recv() for the child, which may call only read and write. */
int wire_put(struct wire *w, uint32_t type, struct str body, struct err *err);
int wire_get(struct wire *w, uint32_t *type, struct buf *body, struct err *err);

/* Any number of bytes as messages of at most "most" bytes each; none for no bytes. */
int wire_put_pieces(struct wire *w, uint32_t type, struct str bytes, size_t most, struct err *err);

/* Only the head, checked against the rules. */
void wire_head_put(uint8_t out[static WIRE_HEAD], uint32_t type, uint32_t size);
int wire_head_get(struct wire *w, const uint8_t in[static WIRE_HEAD], uint32_t *type,
                  uint32_t *size, struct err *err);

/* One field of a body. A text of more than max bytes makes b bad; it is borrowed. */
void wire_text_put(struct buf *out, struct str s);
struct str wire_text_get(struct bytes *b, size_t max);
void wire_u32_put(struct buf *out, uint32_t v);
uint32_t wire_u32_get(struct bytes *b, uint32_t max);
void wire_u64_put(struct buf *out, uint64_t v);
uint64_t wire_u64_get(struct bytes *b, uint64_t max);
/* All fields were valid and no bytes are left. */
bool wire_end(const struct bytes *b);

/*
 * An error, as a whole body. wire_err_get() fills in *err and returns its code, negative;
 * -ERR_CHILD if the body is none. Its text is cleaned.
 */
void wire_err_put(struct buf *out, const struct err *err);
int wire_err_get(struct str body, struct err *err);

/*
 * Append a text so that a terminal cannot be harmed: bytes other than printable UTF-8, blanks and
 * newlines become "?".
 */
void wire_text_clean(struct buf *out, struct str s);

#endif
