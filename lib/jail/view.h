/* SPDX-License-Identifier: MIT */
/* What a process sees of the host's files; only jail.c includes this. */
#ifndef JAIL_VIEW_H
#define JAIL_VIEW_H

#include "jail/jail.h"

/*
 * A place that is to become the root, in mounts that nobody else sees: empty, or with the role's
 * view in it, to be read only. NULL: not allowed. own_processes: /proc, where there is one, may be
 * new. uid: whom a device is for.
 */
const char *view_make(const struct jail_spec *s, bool own_processes, uid_t uid);

/*
 * Landlock: nothing but the view can be opened, and only to be read. own_root: the view is the
 * root. As far as this kernel has it.
 */
void landlock_enter(const struct jail_spec *s, bool own_root);

#endif
