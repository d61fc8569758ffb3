/* SPDX-License-Identifier: MIT */
/*
 * Who a domain is, from its name alone: the same name is the same domain again.
 */
#ifndef DOMSTRAP_IDENTITY_H
#define DOMSTRAP_IDENTITY_H

/* Its UUID, and the MAC address of its card. */
void guest_derive_domain(const char *name, char uuid[static 37], char mac[static 18]);

#endif
