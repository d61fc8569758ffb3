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
#include "text_list.h"
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

enum {
	OPT_DOMAIN_TYPE = 1200,
	OPT_DOMAIN_VCPUS,
	OPT_DOMAIN_VIF,
	OPT_DOMAIN_SET,
};

/* Rows for a table of getopt_long(3). */
#define DOMAIN_OPTION_ROWS(ROW)                                                                    \
	ROW("type", required_argument, OPT_DOMAIN_TYPE)                                            \
	ROW("memory", required_argument, 'm')                                                      \
	ROW("vcpus", required_argument, OPT_DOMAIN_VCPUS)                                          \
	ROW("vif", required_argument, OPT_DOMAIN_VIF)                                              \
	ROW("set", required_argument, OPT_DOMAIN_SET)

/* 0, 1: none of them, -ERR_USAGE. */
int domain_option(int c, const char *arg, struct domain_options *out, struct err *err);
/* Check for options that exclude each other: -ERR_USAGE. */
int domain_options_check(const struct domain_options *o, struct err *err);

/* Add them to a config. *own is the network card if no --vif is given. Both are borrowed. */
void domain_config(const struct domain_options *o, const char *const *own, struct xlcfg *cfg);

#endif
