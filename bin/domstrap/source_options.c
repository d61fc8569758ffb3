/* SPDX-License-Identifier: MIT */
#include "source.h"

#include "base/str.h"

#define JOBS_MAX 256u

static int jobs_option(const char *text, unsigned *out, struct err *err)
{
	uint64_t v;

	if (!str_u64(str_from(text), 10, JOBS_MAX, &v) || v == 0)
		return err_set(err, ERR_USAGE, "--jobs '%s': a number from 1 to %u", text,
		               JOBS_MAX);
	*out = (unsigned)v;
	return 0;
}

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
		return jobs_option(arg, &o->jobs, err);
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
