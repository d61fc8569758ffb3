/* SPDX-License-Identifier: MIT */
/* The host's files that a process sees; only jail.c includes this. */
#ifndef JAIL_VIEW_H
#define JAIL_VIEW_H

#include "jail/jail.h"

/*
 * Make a new root directory in this mount namespace: empty, or with the role's view mounted
 * read-only. Returns its path, or NULL if the kernel does not allow it. own_processes: mount a new
 * /proc, if the view has one. uid: the owner of device nodes.
 */
const char *view_make(const struct jail_spec *s, bool own_processes, uid_t uid);

/*
 * Landlock: allow opening only the view, and only for reading. own_root: the view is the root.
 * Does nothing if this kernel does not support it.
 */
void landlock_enter(const struct jail_spec *s, bool own_root);

#endif
