/* SPDX-License-Identifier: MIT */
/* Starting and stopping a guest through xl, for restart. */
#ifndef DOMSTRAP_RESTART_XL_H
#define DOMSTRAP_RESTART_XL_H

#include "host/arguments.h"

/* Borrowed: name, config. */
struct running {
	const char *name;
	const char *config;
	int id; /* of the domain; 0: none runs */
};

/*
 * Find the guest's domain: the one with its name, which must use the first of its disks. -ERR_BUSY:
 * another guest has this name; -ERR_UNSUPPORTED: this host has no xl, or no Xen.
 */
int running_find(struct running *r, const struct arguments *a, struct err *err);
/* The id of the domain that has the guest's name now; 0: none; -1: xl does not answer. */
int running_id(const struct running *r);

/* "xl create". Ends after seconds, with what it had begun destroyed. */
int running_start(struct running *r, unsigned seconds, struct err *err);
/*
 * "xl shutdown", and wait. A signal does not end the wait, because the guest stops in any case.
 * -ERR_LIMIT: it still runs after so many seconds; -ERR_CHILD: another domain has its name.
 */
int running_stop(struct running *r, unsigned seconds, struct err *err);
/* "xl destroy", unless it is gone. */
int running_destroy(struct running *r, struct err *err);

/* Put what is known of the guest into the environment of the programs that are started. */
void running_tell(const struct running *r);

#endif
