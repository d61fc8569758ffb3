/* SPDX-License-Identifier: MIT */
/* The files that xl takes over, and the answer that names them. */
#ifndef DOMGRUB_OUTPUT_H
#define DOMGRUB_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "base/err.h"
#include "options.h"

/* A file in the output directory: made 0600, removed unless it is kept. */
struct output {
	char *path; /* NULL: none; ours */
	int fd;
};

#define OUTPUT_INIT {NULL, -1}

/* Make "<directory>/<name>.XXXXXX". */
int output_make(const struct options *o, const char *name, struct output *out, struct err *err);
/*
 * -ERR_SPACE where the output directory's file system has no room for so many
 * bytes more and a reserve: what else lives there, /run above all, goes on.
 */
int output_room(const struct output *out, uint64_t bytes, struct err *err);
/* Check that it has exactly this many bytes. */
int output_check(const struct output *out, uint64_t size, struct err *err);
void output_remove(struct output *out);
/* Keep the file; it is not ours any more. */
void output_keep(struct output *out);

/* Where the answer goes. */
struct answer {
	const char *path; /* NULL: standard output */
	int fd;
	bool made; /* we made the file, and remove it if there is no answer */
	bool whole;
};

#define ANSWER_INIT {.fd = STDOUT_FILENO}

/* Opened before any other work, so that errors are found early. */
int answer_open(const struct options *o, struct answer *out, struct err *err);
int answer_write(struct answer *a, enum handoff_format format, const struct handoff *h,
                 struct err *err);
/* Close it; an incomplete answer is removed. */
void answer_fini(struct answer *a);

#endif
