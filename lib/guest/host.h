/* SPDX-License-Identifier: MIT */
/* The host's version of Xen, from /sys/hypervisor. */
#ifndef GUEST_HOST_H
#define GUEST_HOST_H

/* Major << 16 | minor; 0: unknown, or no Xen. */
unsigned host_xen_version(void);

#endif
