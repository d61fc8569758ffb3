/* SPDX-License-Identifier: MIT */
/*
 * What a cache wrote is decompressed and parsed in another process: a child in a jail (role
 * unpacker) that has the lines to its parent and memory that both share, nothing else. It has a
 * thread for each line. The parent puts compressed bytes into the memory and copies what comes out
 * of it.
 *
 *     parent                                            unpacker
 *     STEP le32 start, slots, 2 sizes, ended, text      NEED or OUT le32 taken, size; or
 *          name                                         FAILED error
 *     STOP                                              STOPPED
 *     NARINFO 32 digits, text                           NARINFO_IS narinfo_wire.h, or FAILED error
 *     CACHE_INFO text                                   CACHE_INFO_IS le32 priority, le32 mass
 * query, or FAILED error
 *
 * STEP: so many bytes are in the next slots of the line's memory (0: not in this one), and with
 * ended no more will follow; so many more slots for unpacked bytes may be filled. start: a new
 * stream, whose compression has that name. OUT: the next slot is filled; one that is not full is
 * the last. NEED: another STEP must bring bytes. taken: how many slots with bytes were read since
 * the start, and can be used again. So the unpacker works ahead of the parent by some slots.
 */
#ifndef CACHE_UNPACKER_H
#define CACHE_UNPACKER_H

#include "cache/decompress.h"
#include "nix/cache_info.h"
#include "nix/narinfo.h"

/* Streams that can be unpacked at the same time; others wait. */
#define UNPACKER_LINES 12u

struct unpacker;

/* Start the process, while the program has only one thread. */
int unpacker_start(struct unpacker **out, struct err *err);
/* NULL is allowed. All streams must be freed. */
void unpacker_free(struct unpacker *u);

/*
 * As narinfo_parse() and cache_info_parse(). *bytes, which is empty, must outlive *out. Also
 * -ERR_CHILD: the process has ended, or broke the rules.
 */
int unpacker_narinfo(struct unpacker *u, struct str text, struct str digest, struct buf *bytes,
                     struct narinfo *out, struct err *err);
int unpacker_cache_info(struct unpacker *u, struct str text, struct cache_info *out,
                        struct err *err);

struct unpacking;

/*
 * As the functions in decompress.h; name may also be one of nar_index.h. Read from one thread at a
 * time.
 */
struct unpacking *unpacking_new(struct unpacker *u, struct str name, struct stream *src);
/* Borrowed. Its errors are those of decompress_read(), and -ERR_CHILD: the process has ended, or
 * broke the rules. */
struct stream *unpacking_stream(struct unpacking *s);
void unpacking_free(struct unpacking *s);

#endif
