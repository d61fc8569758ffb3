/* SPDX-License-Identifier: MIT */
/*
 * domstrap.conf(5).
 *
 *     line  = [key "=" value] ["#" ...]
 *     key   = "caches" | "trusted-keys" | "cache-dir" | "netrc-file" | "jobs" | ...
 *     value = text; of the first two: words, blanks between
 */
#ifndef DOMSTRAP_CONF_H
#define DOMSTRAP_CONF_H

#include "base/err.h"
#include "base/str.h"

#define CONF_FILE "/etc/domstrap.conf"
#define CONF_BYTES_MAX (1u << 20)
#define CONF_LIST_MAX 64

/* Zeroed: nothing is set. Owns its text, into which the words point. */
struct conf {
	char *text;
	const char *caches[CONF_LIST_MAX], *keys[CONF_LIST_MAX];
	size_t n_caches, n_keys;
	const char *cache_dir, *netrc; /* NULL: not set */
	/* 0: not set */
	unsigned jobs, connect_timeout, answer_timeout, stall_timeout, tries;
};

/* name is for errors. 0, -ERR_FORMAT or -ERR_LIMIT, with the line. */
int conf_parse(struct str text, const char *name, struct conf *out, struct err *err);
/* Read the file. If it is not required, a missing file is like an empty one. */
int conf_load(const char *path, bool needed, struct conf *out, struct err *err);
void conf_fini(struct conf *c);

#endif
