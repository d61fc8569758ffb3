/* SPDX-License-Identifier: MIT */
/* Asks xl about this host, and parses its JSON or table. Changes nothing. */
#ifndef DOMSTRAP_XL_H
#define DOMSTRAP_XL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Run xl and take what it prints: 0 and its exit status; 1: there is no xl; -ERR_*. */
int xl_run(char *const argv[], struct buf *out, int *status, struct err *err);

/* The host according to "xl info". */
struct xl_host {
	char version[32]; /* such as 4.17.7; "" if xl does not report it */
	bool caps_known;  /* Xen (since 4.13) reports the next three */
	bool hvm, hap;    /* what a PVH guest needs */
	bool shadow;      /* what live migration of a PV guest needs, and L1TF mitigation for it */
	bool memory_known;
	uint64_t unused_mib; /* memory that is free */
};

/* Whether this host runs Xen and can start guests. */
bool xl_is_here(void);
/* "xl info", as xl_run(): *out is set where its exit status is 0. */
int xl_host(struct xl_host *out, int *status, struct err *err);

/* The same file, or the same device under two names. */
bool xl_same_disk(const char *a, const char *b);

/*
 * The running domains as "xl list -l" has them; *out is for json_decref(). 0; 1:
 * there is no xl, or no Xen under it, so that nothing runs; -ERR_BUSY: Xen is
 * there and xl does not say.
 */
int xl_domains(json_t **out, struct err *err);

/* A domain's name, "" where it has none, and id. */
const char *xl_domain_name(const json_t *domain);
int xl_domain_id(const json_t *domain);
/* One of its disks is this file or device. */
bool xl_domain_has(const json_t *domain, const char *path);
/* "running", "blocked", "paused", "shutdown", "crashed", "dying", or "" unknown. */
const char *xl_domain_state(int id);

#endif
