/* SPDX-License-Identifier: MIT */
/*
 * Options about the domain, the same for each command that writes an xl config: type, memory,
 * processors, network cards, and other keys.
 */
#ifndef DOMSTRAP_DOMAIN_H
#define DOMSTRAP_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ui/text_list.h"
#include "xen/xlcfg.h"

/* As given. */
struct domain_options {
	enum xl_type type;
	bool type_given, type_auto; /* set by --type; by --type auto */
	uint64_t memory;            /* MiB */
	unsigned vcpus;
	struct text_list vifs; /* empty: one on the default bridge */
	bool no_vif;
	struct text_list set; /* KEY=VALUE */
};

/* --vif and --set. */
extern const struct option_row domain_rows[2];
option_setter option_type;   /* [struct domain_options] --type: one of row->words */
option_setter option_memory; /* [uint64_t] MiB: plain digits, as in xl's own configs, or a size */

#define ROW_MEMORY(usual, type, field)                                                             \
	{.name = "memory",                                                                         \
	 'm',                                                                                      \
	 "SIZE",                                                                                   \
	 "MiB, or with a unit (default: " usual ")",                                               \
	 option_memory,                                                                            \
	 offsetof(type, field)}
#define VCPUS_MAX 512u
#define ROW_VCPUS(type, field)                                                                     \
	{.name = "vcpus", 0, "N", "(default: 1)", option_count, offsetof(type, field), VCPUS_MAX}

/* Check for options that exclude each other: -ERR_USAGE. */
int domain_options_check(const struct domain_options *o, struct err *err);

/* Add them to a config. *own is the network card if no --vif is given. Both are borrowed. */
void domain_config(const struct domain_options *o, const char *const *own, struct xlcfg *cfg);

#endif
