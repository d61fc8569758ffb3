/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "xen/xlcfg_read.h"

/* xl resolves relative paths from its working directory. As a fallback, disks are found
 * beside the config. */
char *xlcfg_path(const char *cfg, const char *path)
{
	const char *slash = strrchr(cfg, '/');
	_free_ char *beside = NULL;

	if (*path == '/' || access(path, F_OK) == 0 || !slash)
		return xstrdup(path);
	beside = xasprintf("%.*s/%s", (int)(slash - cfg), cfg, path);
	return access(beside, F_OK) == 0 ? take(&beside) : xstrdup(path);
}
