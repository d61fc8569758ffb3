/* SPDX-License-Identifier: MIT */
/*
 * A stream_source that is read by another process. The server has the source, the client is
 * in a jail. Between them are lines (jail_pair()): one for control messages, and one for each NAR
 * that is read at the same time; and memory that both share, with some pieces for each line.
 *
 *     client                              server
 *     OPEN le32 item, le32 again          OPENED, NONE, or FAILED error
 *     READ                                DATA le32 piece, le32 bytes in it (0: the end), or
 *                                         FAILED error
 *     REFUSED error                       FAILED error
 *     CLOSE                               CLOSED
 *     ORDER { le32 item }, WARN error,    nothing: these are on the control line
 *     CANCEL
 *
 * The client has STREAM_AHEAD reads under way, so that the server reads ahead, while it uses one
 * more piece. The server trusts nothing that the client says, and reads nothing that it wrote to
 * the memory.
 */
#ifndef IMAGE_STREAM_WIRE_H
#define IMAGE_STREAM_WIRE_H

#include "image/stream_fill.h"

#define STREAM_LINES_MAX 9 /* the first one is the control line */
#define STREAM_AHEAD 15
#define STREAM_PIECES (STREAM_AHEAD + 1u)
#define STREAM_PIECE (256u << 10) /* bytes */

/* A line's part of the shared memory. */
struct stream_memory {
	uint8_t piece[STREAM_PIECES][STREAM_PIECE];
};

/* Shared memory for n lines; before the fork. */
int stream_memory_new(size_t n, struct stream_memory **out, struct err *err);
/* NULL is allowed. */
void stream_memory_free(struct stream_memory *m, size_t n);

/* ---- server ----------------------------------------------------------------- */

struct stream_server;

/*
 * Serve src on n lines with as many threads. src, the descriptors and the memory of n lines are
 * borrowed until the end.
 */
int stream_serve(const struct stream_source *src, const int *fd, struct stream_memory *memory,
                 size_t n, struct stream_server **out, struct err *err);
/*
 * Shut the lines down and free the server; NULL is allowed. The client has closed its NARs, or has
 * ended. 0, or -ERR_CHILD if it broke the rules or a line failed.
 */
int stream_serve_end(struct stream_server *s, struct err *err);

/* ---- client ----------------------------------------------------------------- */

struct stream_client;

/*
 * n lines and their memory, as for the server; items as the server's source has them; slow: for
 * each item whether it is slow to unpack. All borrowed.
 */
struct stream_client *stream_client_new(const int *fd, const struct stream_memory *memory, size_t n,
                                        const struct store_item *items, size_t n_items,
                                        const bool *slow);
/* The source, borrowed. At most n - 1 of its NARs can be open at once. */
const struct stream_source *stream_client_source(const struct stream_client *c);
void stream_client_free(struct stream_client *c);

#endif
