/* SPDX-License-Identifier: MIT */
#include "source.h"

#include "base/str.h"

#define JOBS_MAX 256u

int text_list_add(const char *option, struct text_list *list, const char *text, struct err *err)
{
	if (list->n == LIST_MAX)
		return err_set(err, ERR_USAGE, "--%s: more than %d", option, LIST_MAX);
	list->items[list->n++] = text;
	return 0;
}

static int jobs_option(const char *text, unsigned *out, struct err *err)
{
	uint64_t v;

	if (!str_u64(str_from(text), 10, JOBS_MAX, &v) || v == 0)
		return err_set(err, ERR_USAGE, "--jobs '%s': a number from 1 to %u", text,
		               JOBS_MAX);
	*out = (unsigned)v;
	return 0;
}

int source_option(struct source_options *o, int option, const char *arg, struct err *err)
{
	switch (option) {
	case SOURCE_FROM:
		return text_list_add("from", &o->from, arg, err);
	case SOURCE_TRUSTED_KEY:
		return text_list_add("trusted-key", &o->trusted_keys, arg, err);
	case SOURCE_NO_CHECK_SIGS:
		o->no_check_sigs = true;
		return 0;
	case SOURCE_NO_SIGS:
		o->no_sigs = true;
		return 0;
	case SOURCE_JOBS:
		return jobs_option(arg, &o->jobs, err);
	case SOURCE_CACHE_DIR:
		o->cache_dir = arg;
		return 0;
	case SOURCE_CONFIG:
		o->config = arg;
		return 0;
	default:
		return 1;
	}
}
