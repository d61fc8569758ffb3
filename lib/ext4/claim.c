/* SPDX-License-Identifier: MIT */
#include "ext4/claim.h"

#include <errno.h>
#include <fcntl.h>

#include "base/io.h"
#include "base/mem.h"

#define CLAIM {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = CLAIM_BYTE, .l_len = 1}

static int busy(const char *path, struct err *err)
{
	return err_set(err, ERR_BUSY,
	               "%s: \"domstrap restart\" is working on this guest; try again when it has "
	               "ended",
	               path);
}

int claim_take(const char *path, int *fd, struct err *err)
{
	_close_ int f = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct flock lock = CLAIM;

	if (f < 0)
		return err_sys(err, errno, "%s", path);
	/* A file system without locks has none of target.h's, either. */
	if (fcntl(f, F_OFD_SETLK, &lock) < 0 && (errno == EACCES || errno == EAGAIN))
		return busy(path, err);
	*fd = f;
	f = -1;
	return 0;
}

int claim_check(int fd, const char *path, struct err *err)
{
	struct flock lock = CLAIM;

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return busy(path, err);
}
