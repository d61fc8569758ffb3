/* SPDX-License-Identifier: MIT */
/* The results of verify and check: a list of findings, each with its remedy. */
#ifndef DOMSTRAP_FINDINGS_H
#define DOMSTRAP_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum finding_level {
	FINDING_OK,
	FINDING_UNKNOWN, /* it cannot be checked on this host */
	FINDING_WARNING,
	FINDING_ERROR,
};

/* Texts are not escaped, and may be from a guest; remedy may be "". */
struct finding {
	enum finding_level level;
	const char *kind; /* a word for scripts; not owned */
	char *subject;
	char *reason;
	char *remedy;
};

struct findings {
	struct finding *v;
	size_t n, cap;
};

/* Add one; the reason is formatted, the rest copied, kind is borrowed for good. */
void findings_add(struct findings *f, enum finding_level level, const char *kind,
                  const char *subject, const char *remedy, const char *fmt, ...)
        __attribute__((format(printf, 6, 7)));
void findings_fini(struct findings *f);
size_t findings_count(const struct findings *f, enum finding_level level);

/* To stdout, those of at least a level, escaped: "error: SUBJECT: REASON", then the remedy. */
void findings_print(const struct findings *f, enum finding_level least);
json_t *findings_json(const struct findings *f);

#endif
