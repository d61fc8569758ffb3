/* SPDX-License-Identifier: MIT */
/* -l: every entry of the guest's menu, as text in pygrub's form or as JSON. */
#ifndef DOMGRUB_LIST_H
#define DOMGRUB_LIST_H

#include "warden.h"

/* Prints to standard output when the list is complete. */
int list_print(struct warden *w, struct err *err);

#endif
