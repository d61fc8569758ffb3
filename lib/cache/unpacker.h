/* SPDX-License-Identifier: MIT */
/*
 * Decompression in another process: a child in a jail (role unpacker) that has the lines to its
 * parent and memory that both share, nothing else. It has a thread for each line. The parent puts
 * compressed bytes into the memory and copies what comes out of it.
 *
 *     parent                                            unpacker
 *     STEP le32 start, size, ended, want, text name     NEED, OUT le32 size, or FAILED error
 *     STOP                                              STOPPED
 *
 * STEP: size bytes are in the line's memory, and with ended no more will follow; up to want bytes
 * should come out. start: a new stream, whose compression has that name. After NEED another STEP
 * brings more bytes. OUT of fewer bytes than wanted: the end.
 */
#ifndef CACHE_UNPACKER_H
#define CACHE_UNPACKER_H

#include "cache/decompress.h"

/* Streams that can be unpacked at the same time; others wait. */
#define UNPACKER_LINES 12u

struct unpacker;

/* Start the process, while the program has only one thread. */
int unpacker_start(struct unpacker **out, struct err *err);
/* NULL is allowed. All streams must be freed. */
void unpacker_free(struct unpacker *u);

struct unpacking;

/* As the functions in decompress.h. Read from one thread at a time. */
struct unpacking *unpacking_new(struct unpacker *u, struct str name, struct nar_source src);
/* Also -ERR_CHILD: the process has ended, or broke the rules. */
int unpacking_read(void *s, void *p, size_t n, size_t *got, struct err *err);
void unpacking_free(struct unpacking *s);

#endif
