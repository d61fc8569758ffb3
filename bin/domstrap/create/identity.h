/* SPDX-License-Identifier: MIT */
/* The identity of a domain, which depends only on its name. */
#ifndef DOMSTRAP_IDENTITY_H
#define DOMSTRAP_IDENTITY_H

/* Its UUID, and the MAC address of its card. */
void guest_derive_domain(const char *name, char uuid[static 37], char mac[static 18]);

#endif
