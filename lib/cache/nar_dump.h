/* SPDX-License-Identifier: MIT */
/*
 * A tree as the stream of its NAR, to be pulled.
 */
#ifndef CACHE_NAR_DUMP_H
#define CACHE_NAR_DUMP_H

#include "nix/nar.h"

struct nar_dump;

/* Takes the walk over. */
struct nar_dump *nar_dump_new(struct walk *walk);
void nar_dump_free(struct nar_dump *d);
/* As nar_source.read. */
int nar_dump_read(void *d, void *p, size_t n, size_t *got, struct err *err);

#endif
