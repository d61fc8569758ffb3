/* SPDX-License-Identifier: MIT */
#include "source.h"

#include "options.h"

#define JOBS_MAX 256u

int source_option(int c, const char *arg, struct source_options *o, struct err *err)
{
	switch (c) {
	case OPT_SOURCE_FROM:
		return text_list_add("from", &o->from, arg, err);
	case OPT_SOURCE_TRUSTED_KEY:
		return text_list_add("trusted-key", &o->trusted_keys, arg, err);
	case OPT_SOURCE_NO_CHECK_SIGS:
		o->no_check_sigs = true;
		return 0;
	case OPT_SOURCE_NO_SIGS:
		o->no_sigs = true;
		return 0;
	case OPT_SOURCE_JOBS:
		return option_count("jobs", arg, JOBS_MAX, &o->jobs, err);
	case OPT_SOURCE_CACHE_DIR:
		o->cache_dir = arg;
		return 0;
	case OPT_SOURCE_CONF:
		o->conf = arg;
		return 0;
	default:
		return 1;
	}
}
