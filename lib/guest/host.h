/* SPDX-License-Identifier: MIT */
/* What this host can say of its Xen without any tool. */
#ifndef GUEST_HOST_H
#define GUEST_HOST_H

/* Major << 16 | minor; 0: not known, or there is none. */
unsigned host_xen_version(void);

#endif
