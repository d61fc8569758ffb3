/* SPDX-License-Identifier: MIT */
/* Serializes a tree as a NAR, on demand. */
#ifndef CACHE_NAR_DUMP_H
#define CACHE_NAR_DUMP_H

#include "nix/nar.h"

struct nar_dump;

/* Takes ownership of walk. */
struct nar_dump *nar_dump_new(struct walk *walk);
void nar_dump_free(struct nar_dump *d);
/* As stream_read(). */
int nar_dump_read(struct nar_dump *d, void *p, size_t n, size_t *got, struct err *err);

#endif
