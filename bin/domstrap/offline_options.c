/* SPDX-License-Identifier: MIT */
#include "offline_options.h"

#include <getopt.h>

#include "base/pool.h"

int offline_options_parse(int argc, char **argv, const struct option_set *set, bool guest,
                          struct offline_request *out, struct err *err)
{
	struct offline_request r = {
	        .verify = true, .fsck = true, .older_s = -1, .threads = pool_threads()};
	int rc = options_read(set, argc, argv, &r, err);

	if (rc)
		return rc;
	for (; optind < argc; optind++) {
		if (r.common.n_args == ARGUMENTS_MAX)
			return err_set(err, ERR_USAGE, "more than %d arguments", ARGUMENTS_MAX);
		r.common.args[r.common.n_args++] = argv[optind];
	}
	if (!r.common.n_args && guest)
		return err_set(err, ERR_USAGE,
		               "%s: missing GUEST; give an xl config, an image or a block device",
		               argv[0]);
	rc = nix_options_check(&r.nix, r.system, r.source.from.n > 0, err);
	if (rc == 0)
		*out = r;
	return rc;
}
