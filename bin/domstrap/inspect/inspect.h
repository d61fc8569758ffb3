/* SPDX-License-Identifier: MIT */
/* The contents of a guest's disks and its state on this host, for inspect and list. */
#ifndef DOMSTRAP_INSPECT_H
#define DOMSTRAP_INSPECT_H

#include "host/arguments.h"

enum domain_known {
	DOMAIN_UNKNOWN, /* xl is not installed, or does not answer */
	DOMAIN_NONE,    /* not running */
	DOMAIN_THERE,
};

struct inspection {
	struct arguments args;
	struct inspector_disks disks;
	json_t *seen; /* NULL: none of its disks could be read */
	enum domain_known known;
	char why[256]; /* DOMAIN_UNKNOWN */
	char *domain;  /* its name, as xl has it */
	int domid;
	const char *state;
};

/* Start from zeros; end with inspection_fini(), after a failure, too. */
int inspection_make(const char *const *args, size_t n, unsigned wants, struct inspection *out,
                    struct err *err);
void inspection_fini(struct inspection *in);

/* inspect_text.c: print it as text; more: with files and arguments of every entry. */
void inspection_print(const struct inspection *in, bool paths, bool more);

/* "pv" and so on: the type in the config; "" without a config. */
const char *inspection_type(const struct inspection *in);
/* The domain as JSON: { "known", "running", "name", "id", "state", "reason" }. */
json_t *inspection_domain_json(const struct inspection *in);

#endif
