/* SPDX-License-Identifier: MIT */
/*
 * A claim on an image or block device: its holder changes the disk more than once, and lets a guest
 * use it in between. So this is not the lock of target.h, which would keep the guest from starting:
 * it is a lock of one byte beyond the bytes that others lock, and only who asks for it is stopped.
 */
#ifndef EXT4_CLAIM_H
#define EXT4_CLAIM_H

#include "base/err.h"

/* The byte; target.h locks those before it. */
#define CLAIM_BYTE ((off_t)1 << 62)

/* *fd holds the claim until it is closed. -ERR_BUSY: another process has it; -ERR_NOENT, -ERR_IO.
 */
int claim_take(const char *path, int *fd, struct err *err);
/* -ERR_BUSY: another open file than fd holds it. */
int claim_check(int fd, const char *path, struct err *err);

#endif
