/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	err->sys_errno = 0;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	return -(int)code;
}

static enum err_code code_of_errno(int e)
{
	switch (e) {
	case ENOENT:
	case ENXIO:
		return ERR_NOENT;
	case EEXIST:
		return ERR_EXISTS;
	case EBUSY:
	case EAGAIN:
	case ETXTBSY:
		return ERR_BUSY;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_SPACE;
	case EINTR:
		return ERR_INTERRUPTED;
	default:
		return ERR_IO;
	}
}

int err_sys(struct err *err, int sys_errno, const char *fmt, ...)
{
	va_list ap;
	char reason[128];
	size_t n;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	/* strerror_r of glibc may return a static string of its own. */
	snprintf(err->text + n, sizeof err->text - n, ": %s",
	         strerror_r(sys_errno, reason, sizeof reason));
	err->code = code_of_errno(sys_errno);
	err->sys_errno = sys_errno;
	return -(int)err->code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;
	size_t n;

	memcpy(old, err->text, sizeof old);
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof err->text - n, ": %s", old);
	return -(int)err->code;
}
