/* SPDX-License-Identifier: MIT */
/*
 * What is in a guest's disks, for inspect and list: a look at them, and what the
 * host knows of the guest.
 */
#ifndef DOMSTRAP_INSPECT_H
#define DOMSTRAP_INSPECT_H

#include "look.h"

enum domain_known {
	DOMAIN_UNKNOWN, /* there is no xl, or it does not answer */
	DOMAIN_NONE,    /* it does not run */
	DOMAIN_THERE,
};

struct inspection {
	struct arguments args;
	struct look_disks disks;
	json_t *seen; /* NULL: no disk of it could be read */
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

/* inspect_text.c: for a person; more: with every entry's files and arguments. */
void inspection_print(const struct inspection *in, bool paths, bool more);

/* "pv", …: what the config says; "" without one. */
const char *inspection_type(const struct inspection *in);
/* The domain as JSON: { "known", "running", "name", "id", "state", "reason" }. */
json_t *inspection_domain_json(const struct inspection *in);

#endif
