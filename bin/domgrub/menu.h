/* SPDX-License-Identifier: MIT */
/* The menu on the guest's console. */
#ifndef DOMGRUB_MENU_H
#define DOMGRUB_MENU_H

#include "warden.h"

/*
 * Show the guest's menu until something is chosen. 0: *plan (which borrows
 * from *body), and *args, the caller's, where they are not the plan's own; 1:
 * nobody chose, boot what boots by itself; or -ERR_*, ERR_INTERRUPTED where
 * the person gave up.
 */
int menu_run(struct warden *w, struct msg_plan *plan, struct buf *body, char **args,
             struct err *err);

#endif
