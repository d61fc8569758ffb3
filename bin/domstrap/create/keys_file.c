/* SPDX-License-Identifier: MIT */
#include "create/keys_file.h"

#include <fcntl.h>

#include "base/io.h"
#include "base/mem.h"
#include "nixos/guestconf.h"

#define KEY_FILE_MAX (1u << 20)

int keys_file_read(const char *path, int (*take_key)(void *ctx, struct str line, struct err *err),
                   void *ctx, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct str rest;
	int rc = io_read_file(AT_FDCWD, path, KEY_FILE_MAX, &text, err);

	if (rc < 0)
		return rc;
	rest = buf_str(&text);
	while (rc == 0 && rest.p) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		if (!line.n || line.p[0] == '#')
			continue;
		rc = guestconf_ssh_key_check(line, err);
		if (rc == 0)
			rc = take_key(ctx, line, err);
		if (rc < 0)
			err_prefix(err, "%s", path);
	}
	return rc;
}
