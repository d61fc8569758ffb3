/* SPDX-License-Identifier: MIT */
#include "nix/cache_info.h"
#include "base/show.h"
#include "nix/store_path.h"

static int parse_line(struct cache_info *info, struct str line, struct err *err)
{
	struct str value = line, key = str_cut(&value, ':');
	char shown[SHOW_SIZE];
	uint64_t v;

	if (!value.p)
		return err_set(err, ERR_FORMAT,
		               "nix-cache-info: \"%s\" is not a line \"key: value\"",
		               show_str(line, shown));
	value = str_trim(value);
	if (str_is(key, "StoreDir") && !str_is(value, STORE_DIR))
		return err_set(err, ERR_UNSUPPORTED,
		               "nix-cache-info: its StoreDir is \"%s\", not %s",
		               show_str(value, shown), STORE_DIR);
	if (str_is(key, "Priority")) {
		if (!str_u64(value, 10, CACHE_PRIORITY_MAX, &v))
			return err_set(err, ERR_FORMAT,
			               "nix-cache-info: Priority \"%s\" is not a number up to %u",
			               show_str(value, shown), CACHE_PRIORITY_MAX);
		info->priority = (unsigned)v;
	}
	if (str_is(key, "WantMassQuery"))
		info->want_mass_query = str_is(value, "1");
	return 0;
}

int cache_info_parse(struct str text, struct cache_info *out, struct err *err)
{
	struct cache_info info = {.priority = CACHE_PRIORITY_DEFAULT};

	if (text.n > CACHE_INFO_BYTES_MAX)
		return err_set(err, ERR_LIMIT,
		               "nix-cache-info: %zu bytes, more than the limit of %u", text.n,
		               CACHE_INFO_BYTES_MAX);
	while (text.p) {
		struct str line = str_trim(str_cut(&text, '\n'));
		int rc = line.n ? parse_line(&info, line, err) : 0;

		if (rc < 0)
			return rc;
	}
	*out = info;
	return 0;
}
