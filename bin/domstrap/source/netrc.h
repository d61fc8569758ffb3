/* SPDX-License-Identifier: MIT */
/*
 * The file of user names and passwords for caches:
 *
 *     netrc-file of domstrap.conf(5)
 *     netrc-file of nix.conf(5): the host's, the user's, NIX_CONFIG; the last one
 *     netrc beside the host's nix.conf, where Nix looks
 *     ~/.netrc, curl's own
 */
#ifndef DOMSTRAP_NETRC_H
#define DOMSTRAP_NETRC_H

#include "base/err.h"

/*
 * *out: the first of them that is there, the caller's; NULL: the last one. asked:
 * the first of them, or NULL; it must be there. -ERR_USAGE: somebody else
 * could change it.
 */
int netrc_find(const char *asked, char **out, struct err *err);

#endif
