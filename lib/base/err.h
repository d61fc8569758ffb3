/* SPDX-License-Identifier: MIT */
/*
 * Errors. Functions that can fail take a struct err as their last parameter
 * and return 0, a documented positive non-error, or -ERR_*. The text names the
 * thing, the rule and the values. No function here allocates memory.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

/* Codes say what a caller may do about it; the text says the rest. */
enum err_code {
	ERR_NONE = 0,
	ERR_USAGE,       /* the request is invalid */
	ERR_NOENT,       /* it does not exist */
	ERR_EXISTS,      /* the target already exists */
	ERR_BUSY,        /* in use or locked by another process */
	ERR_FORMAT,      /* bytes that violate a format */
	ERR_LIMIT,       /* a size, count or depth above a named limit */
	ERR_SPACE,       /* does not fit: image, device or host disk too small */
	ERR_MISMATCH,    /* a hash, size or signature does not match */
	ERR_UNSUPPORTED, /* valid, but not supported */
	ERR_IO,          /* a system call failed; sys_errno says how */
	ERR_INTERRUPTED, /* the user stopped it */
	ERR_CHILD,       /* a child process crashed, was killed or timed out */
};

#define ERR_TEXT_MAX 2048

struct err {
	enum err_code code;
	int sys_errno; /* 0 where no system call was involved */
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT {.code = ERR_NONE}

/* Fill in *err; return -code. Text that is too long is cut off. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * Fill in *err from a failed system call: the text gets ": " and strerror.
 * The code follows sys_errno (ENOENT: ERR_NOENT, EEXIST: ERR_EXISTS, EBUSY,
 * EAGAIN, ETXTBSY: ERR_BUSY, ENOSPC, EDQUOT, EFBIG: ERR_SPACE, EINTR:
 * ERR_INTERRUPTED, else ERR_IO).
 */
int err_sys(struct err *err, int sys_errno, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * Whether something exists, from the result of a call that needs it: 0 if it exists, 1 if not
 * (only -ERR_NOENT), or another error, which does not answer the question: something unreadable is
 * not missing.
 */
static inline int err_absent(int rc)
{
	return rc == -ERR_NOENT ? 1 : rc;
}

/* Put "fmt: " before the existing text; return -err->code. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
