/* SPDX-License-Identifier: MIT */
/*
 * Formatting a NAR (nar.h shows the grammar) from the entries of a walk. Small
 * tokens gather in the writer, so put() gets few large pieces.
 *
 *     nar_writer_init(&w, put, ctx);
 *     for each entry:
 *         nar_writer_entry(&w, &ent, err)
 *         for a FILE: nar_writer_data() in pieces of ent.size bytes in all
 *     nar_writer_finish(&w, err)
 *
 * The writer trusts the walk for names and their order. It checks only that the
 * tree is complete and that the data has the announced length.
 */
#ifndef NIX_NAR_WRITER_H
#define NIX_NAR_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/walk.h"

#define NAR_WRITER_BUF 8192

struct nar_writer {
	/* Takes the next n bytes; p is borrowed for the call. */
	void (*put)(void *ctx, const void *p, size_t n);
	void *ctx;
	uint64_t left;  /* contents bytes still due for the open file */
	uint64_t extra; /* contents bytes given beyond its size */
	unsigned pad;   /* zero bytes due after them */
	unsigned depth; /* open directories */
	bool file;      /* a file is open */
	bool done;      /* the root object is whole */
	size_t n;       /* bytes waiting in buf */
	uint8_t buf[NAR_WRITER_BUF];
};

/* Owns nothing: no fini. May be called again for a next archive. */
void nar_writer_init(struct nar_writer *w, void (*put)(void *ctx, const void *p, size_t n),
                     void *ctx);
/*
 * The next entry. 0; -ERR_MISMATCH: the file before it got fewer or more bytes
 * than its size; -ERR_USAGE: a tree cannot have an entry here.
 */
int nar_writer_entry(struct nar_writer *w, const struct walk_entry *ent, struct err *err);
/* The next n bytes of the open file. A wrong total is reported by the next call. */
void nar_writer_data(struct nar_writer *w, const void *p, size_t n);
/* The end: flushes. Errors as above; -ERR_USAGE also if a directory is still open. */
int nar_writer_finish(struct nar_writer *w, struct err *err);

#endif
