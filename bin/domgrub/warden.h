/* SPDX-License-Identifier: MIT */
/*
 * The parent's side: it opens the disks, puts a child into the jail, asks it,
 * and believes no answer. No byte that the guest wrote is parsed here.
 */
#ifndef DOMGRUB_WARDEN_H
#define DOMGRUB_WARDEN_H

#include <signal.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "inmate.h"
#include "jail/jail.h"
#include "message.h"
#include "options.h"
#include "output.h"

/* Set by a signal: everything stops, and the outputs are removed. */
extern volatile bool warden_stop;

struct warden {
	const struct options *o;
	int disk_fd[OPTIONS_DISKS_MAX + 1];
	struct disk_spec disk[OPTIONS_DISKS_MAX + 1];
	size_t disks;
	struct output kernel, ramdisk;
	struct inmate_spec spec;
	struct jail jail;
	struct wire wire;
	struct msg_writes early; /* what the menu writes, if its entry cannot be booted */
};

#define WARDEN_INIT {.kernel = OUTPUT_INIT, .ramdisk = OUTPUT_INIT, .jail = JAIL_INIT}

/* Open the disks and, for copying, the outputs; start the child. */
int warden_start(struct warden *w, const struct options *o, struct err *err);
/* Kill the child, remove the outputs that were not kept. */
void warden_fini(struct warden *w);

/*
 * Send a request and wait for what answers it: notes are said on the way, a
 * failure becomes *err. *type is never MSG_NOTE or MSG_FAIL.
 */
int warden_ask(struct warden *w, uint32_t request, const struct req *r, uint32_t *type,
               struct buf *body, struct err *err);
/* The next message of an answer that has several. */
int warden_next(struct warden *w, uint32_t *type, struct buf *body, uint64_t seconds,
                struct err *err);

/* Whether the blocks are on disks that there are. */
int writes_check(const struct warden *w, const struct msg_writes *writes, struct err *err);
/* Whether a plan can be carried out, as far as the parent can tell. */
int plan_check(const struct warden *w, const struct msg_plan *p, struct err *err);

/* Have the plan's files copied, and the kernel checked meanwhile. */
int warden_copy(struct warden *w, const struct msg_plan *p, struct err *err);

/* With --write-env, write these blocks and count the entry's tries down. */
int warden_write(struct warden *w, const struct msg_writes *writes, struct err *err);
/* writeenv.c: the same disk that the child has read, opened to be written. */
int disk_open_again(const struct warden *w, uint32_t disk, int *fd, struct err *err);
/* count.c: a counter that cannot be changed is a warning; a failed write is an error. */
int warden_count(struct warden *w, const struct msg_count *c, struct err *err);
/* The next message of another child, as warden_next(). */
int child_next(struct jail *j, struct wire *wire, uint32_t *type, struct buf *body,
               uint64_t seconds, struct err *err);

#endif
