/* SPDX-License-Identifier: MIT */
/*
 * Boot counting in the names of Boot Loader Specification entries, as systemd-boot does it:
 *
 *     name = STEM [ "+" LEFT [ "-" DONE ] ] END       the last "+" counts
 *     END  = ".conf" | ".efi", in either case
 *
 * A start of an entry that has a counter renames its file first: "x+3.conf", "x+2-1.conf",
 * "x+1-2.conf", "x+0-3.conf", "x+0-4.conf". With no tries left it is bad, and comes last in a menu.
 * The guest takes the counter away when it has started.
 */
#ifndef GRUB_BLSCOUNT_H
#define GRUB_BLSCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define BLSCOUNT_MAX INT32_MAX /* of tries */

struct blscount {
	struct str stem;    /* borrowed from the name */
	int64_t left, done; /* tries; -1: no counter */
	const char *end;    /* in lower case; "" for another name */
};

/* Whether the name has a counter; *out is filled in either way. */
bool blscount_parse(struct str name, struct blscount *out);

/* Append the name after one more start, for one that has a counter. */
void blscount_next(const struct blscount *c, struct buf *out);

/*
 * Whether an absolute path is that of an entry with a counter: NAME.conf in a directory
 * loader/entries, or NAME.efi in EFI/Linux. *dir and *name are borrowed from it.
 */
bool blscount_path(struct str path, struct str *dir, struct str *name);

#endif
