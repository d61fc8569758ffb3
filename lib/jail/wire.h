/* SPDX-License-Identifier: MIT */
/*
 * Messages between a program and what it keeps in a jail.
 *
 *     message = le32 type, le32 size of body, body
 *     text    = le32 size, bytes          in a body
 *
 * Which messages may come when is a const table of rules: one that no rule
 * allows now, or that is longer than its rule says, is refused before any of
 * its body is looked at.
 */
#ifndef JAIL_WIRE_H
#define JAIL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/str.h"

#define WIRE_HEAD 8              /* bytes before the body */
#define WIRE_BODY_MAX (8u << 20) /* bytes; no rule may allow more */
#define WIRE_BROKEN 0xdead       /* the jail could not be built: body is text */

/* In state "state", "type" may come with up to "limit" bytes, then: "next". */
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
};

/* 0, or -ERR_CHILD where the other end is gone. Never raises SIGPIPE. */
int wire_send(struct wire *w, uint32_t type, struct str body, struct err *err);

/*
 * The next message: its type, and its body into *body (emptied first). Waits
 * for wait_ms milliseconds at most, for ever where that is negative; between
 * messages of one answer the clock goes on. Returns 0; 1 where the other end
 * closed between messages; -ERR_FORMAT for what the rules refuse, -ERR_CHILD
 * for silence or half a message, -ERR_INTERRUPTED where *stop became true.
 */
int wire_recv(struct wire *w, uint32_t *type, struct buf *body, int64_t wait_ms,
              const volatile bool *stop, struct err *err);

/* The same for the jailed side: read and write are all that it may call. */
int wire_put(struct wire *w, uint32_t type, struct str body, struct err *err);
int wire_get(struct wire *w, uint32_t *type, struct buf *body, struct err *err);

/* The head alone, and what the rules say to it. */
void wire_head_put(uint8_t out[static WIRE_HEAD], uint32_t type, uint32_t size);
int wire_head_get(struct wire *w, const uint8_t in[static WIRE_HEAD], uint32_t *type,
                  uint32_t *size, struct err *err);

/* One field of a body. A text over max bytes makes b bad; it is borrowed. */
void wire_text_put(struct buf *out, struct str s);
struct str wire_text_get(struct bytes *b, size_t max);
void wire_u32_put(struct buf *out, uint32_t v);
uint32_t wire_u32_get(struct bytes *b, uint32_t max);
void wire_u64_put(struct buf *out, uint64_t v);
uint64_t wire_u64_get(struct bytes *b, uint64_t max);
/* Everything was good and nothing is left over. */
bool wire_end(const struct bytes *b);

#endif
