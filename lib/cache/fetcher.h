/* SPDX-License-Identifier: MIT */
/*
 * The process that downloads: a child in a jail (role fetcher) that has the network, the line to
 * its parent and the memory of http_body.h. Of the host's files it reads only those that the
 * resolver and TLS need.
 */
#ifndef CACHE_FETCHER_H
#define CACHE_FETCHER_H

#include "cache/http.h"
#include "cache/http_body.h"
#include "jail/jail.h"

/* store must be initialized. */
int fetcher_start(const struct http_options *opt, struct body_store *store, struct jail *out,
                  struct err *err);

#endif
