/* SPDX-License-Identifier: MIT */
/* The files that xl takes over, and the answer that names them. */
#ifndef DOMGRUB_OUTPUT_H
#define DOMGRUB_OUTPUT_H

#include <stdint.h>

#include "base/err.h"
#include "options.h"

/* A file in the output directory: made 0600, removed unless it is kept. */
struct output {
	char *path; /* NULL: none; ours */
	int fd;
};

#define OUTPUT_INIT                                                                                \
	{                                                                                          \
		NULL, -1                                                                           \
	}

/* Make "<directory>/<name>.XXXXXX". */
int output_make(const struct options *o, const char *name, struct output *out, struct err *err);
/* It must have exactly that many bytes. */
int output_check(const struct output *out, uint64_t size, struct err *err);
void output_remove(struct output *out);
/* Leave the file, forget about it. */
void output_keep(struct output *out);

/*
 * Where the answer goes is opened before anything is done, so that a mistake
 * shows early. *fd is STDOUT_FILENO or a descriptor to be closed.
 */
int answer_open(const struct options *o, int *fd, struct err *err);
int answer_write(const struct options *o, int fd, const struct handoff *h, struct err *err);

#endif
