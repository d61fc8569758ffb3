/* SPDX-License-Identifier: MIT */
/*
 * A file that is written in order with holes for what is zero. Only write() and
 * a seek forward are used: a jail allows no more.
 */
#ifndef DOMGRUB_SPARSE_H
#define DOMGRUB_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Blocks of zeros of this size, in bytes, become holes: a page of a tmpfs, a block of most others.
 */
#define SPARSE_BLOCK 4096

struct sparse {
	int fd;           /* the caller's; empty, at its start */
	uint64_t size;    /* bytes so far, with those skipped */
	uint64_t skipped; /* the last of them, zero, not in the file yet */
};

/* n zeros. */
void sparse_skip(struct sparse *s, uint64_t n);
int sparse_write(struct sparse *s, const char *p, size_t n, struct err *err);
/* The end: the file gets its size, also where zeros are the last of it. */
int sparse_finish(struct sparse *s, struct err *err);

#endif
