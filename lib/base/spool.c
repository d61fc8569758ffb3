/* SPDX-License-Identifier: MIT */
#include "base/spool.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int spool_open(const char *dir, int *fd, struct err *err)
{
	_free_ char *path = NULL;
	int got = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	if (got < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		path = xasprintf("%s/.domstrap-spool.XXXXXX", dir);
		got = mkostemp(path, O_CLOEXEC);
		if (got >= 0)
			(void)unlink(path);
	}
	if (got < 0)
		return err_sys(err, errno, "%s: cannot create a temporary file", dir);
	*fd = got;
	return 0;
}

int spool_rewind(int fd, struct err *err)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_IO, "cannot rewind a temporary file");
	return 0;
}
