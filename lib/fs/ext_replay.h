/* SPDX-License-Identifier: MIT */
/* A journal that was not replayed, seen as if it were. Only ext.c includes this. */
#ifndef FS_EXT_REPLAY_H
#define FS_EXT_REPLAY_H

#include "disk/ext_super.h"
#include "disk/window.h"

struct ext_replay;

/*
 * Read the log of the file system in *w, and let *w read what Linux would find
 * after it replayed that. Where that cannot be, *w stays as it is and *err says
 * why. *out is freed by ext_replay_free(), after the last read of *w.
 */
int ext_replay_open(struct window *w, const struct ext_super *super, struct ext_replay **out,
                    struct err *err);
void ext_replay_free(struct ext_replay *r);

/* Whether n bytes at off in the file system come from the log. */
bool ext_replay_touches(const struct ext_replay *r, uint64_t off, uint64_t n);
/* How many transactions there were. */
uint32_t ext_replay_count(const struct ext_replay *r);

#endif
