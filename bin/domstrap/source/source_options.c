/* SPDX-License-Identifier: MIT */
#include "ui/rows.h"
#include "source/source.h"

#define JOBS_MAX 256u
#define LIST(long_name, argument, text, field)                                                     \
	ROW_LIST(long_name, argument, text, struct source_options, field)
#define TEXT(long_name, argument, text, field)                                                     \
	ROW_TEXT(long_name, argument, text, struct source_options, field)
#define TRUE(name, text, field) ROW_TRUE(name, text, struct source_options, field)

const struct option_row source_rows[] = {
        LIST("from", "STORE", "auto, a root directory, file://DIR or a URL; may\nrepeat", from),
        LIST("trusted-key", "KEY", "trust this key (name:base64) too; may repeat", trusted_keys),
        TRUE("no-check-sigs", "accept unsigned paths from caches", no_check_sigs),
        TRUE("no-sigs", "leave signatures out of the guest's Nix database", no_sigs),
        {.name = "jobs",
         0,
         "N",
         "number of parallel downloads",
         option_count,
         offsetof(struct source_options, jobs),
         JOBS_MAX},
        TEXT("cache-dir", "DIR", "keep downloads in DIR; none: keep none", cache_dir),
        TEXT("conf", "FILE", "read FILE instead of /etc/domstrap.conf", conf),
};
