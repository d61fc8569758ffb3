/* SPDX-License-Identifier: MIT */
#include "host/guest_options.h"

#include <getopt.h>

int guest_options_parse(int argc, char **argv, const struct option_set *set, bool guest,
                        struct guest_options *out, struct err *err)
{
	int rc = options_read(set, argc, argv, out, err);

	if (rc)
		return rc;
	for (; optind < argc; optind++) {
		if (out->n_args == ARGUMENTS_MAX)
			return err_set(err, ERR_USAGE, "more than %d arguments", ARGUMENTS_MAX);
		out->args[out->n_args++] = argv[optind];
	}
	if (!out->n_args && guest)
		return err_set(err, ERR_USAGE,
		               "%s: missing GUEST; give an xl config, an image or a block device",
		               argv[0]);
	return 0;
}
