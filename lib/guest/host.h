/* SPDX-License-Identifier: MIT */
/* The host's version of Xen, from /sys and without tools. */
#ifndef GUEST_HOST_H
#define GUEST_HOST_H

/* Major << 16 | minor; 0: not known, or there is none. */
unsigned host_xen_version(void);

#endif
