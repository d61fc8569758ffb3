/* SPDX-License-Identifier: MIT */
/*
 * A configuration.nix to begin with, for a NixOS guest on Xen, and a flake.nix
 * around it: text that its owner goes on editing.
 */
#ifndef NIXOS_GUESTCONF_H
#define NIXOS_GUESTCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Everything borrowed. */
struct guestconf {
	const char *hostname;
	bool shared;         /* many guests get this system: hostname is only in comments */
	bool split;          /* /boot on a disk of its own */
	bool pygrub;         /* a menu that Xen's pygrub can read */
	const char *address; /* "192.0.2.7/24"; NULL: DHCP */
	const char *gateway; /* may be NULL */
	const char *const *dns;
	size_t n_dns;
	const char *time_zone;
	const char *user;
	const char *const *ssh_keys; /* as in authorized_keys */
	size_t n_ssh_keys;
	const char *password_hash; /* as crypt(3) gives it; NULL: none */
	const char *release;       /* "26.05" */
	bool try;                  /* with the module that confirms systems on trial */
};

void guestconf_format(const struct guestconf *c, struct buf *out);
void guestconf_flake(const struct guestconf *c, struct buf *out);

/* RFC 1123: 1 to 63 letters, digits and inner hyphens. */
int guestconf_hostname_check(const char *name, struct err *err);
/* "YY.MM". */
int guestconf_release_check(const char *release, struct err *err);
/* What useradd would take: a lower-case letter or "_", then also digits and "-". */
int guestconf_user_check(const char *user, struct err *err);
/*
 * A line of authorized_keys without options: type, base64, perhaps a comment.
 * A private key is refused by name.
 */
int guestconf_ssh_key_check(struct str line, struct err *err);

#endif
