/* SPDX-License-Identifier: MIT */
/*
 * nix-cache-info, what a binary cache says of itself.
 *
 *     line          = key ": " value "\n"      unknown keys are passed over
 *     StoreDir      = "/nix/store"
 *     WantMassQuery = "0" | "1"
 *     Priority      = digits                   lower ones are asked first
 */
#ifndef NIX_CACHE_INFO_H
#define NIX_CACHE_INFO_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define CACHE_INFO_BYTES_MAX 65536u
#define CACHE_PRIORITY_DEFAULT 50u
#define CACHE_PRIORITY_MAX 1000000u

struct cache_info {
	unsigned priority;
	bool want_mass_query;
};

/* 0, -ERR_FORMAT, -ERR_LIMIT, or -ERR_UNSUPPORTED: of a store elsewhere. */
int cache_info_parse(struct str text, struct cache_info *out, struct err *err);

#endif
