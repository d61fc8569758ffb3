/* SPDX-License-Identifier: MIT */
/*
 * A file of user names and passwords, netrc(5), as curl reads it:
 *
 *     netrc = { "machine" host { field } | "default" { field } | "macdef" name lines }
 *     field = "login" text | "password" text | other
 *
 * "#" begins a comment; a text may be quoted: "a \"b\"".
 */
#ifndef CACHE_NETRC_H
#define CACHE_NETRC_H

#include <stdbool.h>

#include "base/str.h"

#define NETRC_BYTES_MAX (1u << 20)

/*
 * What a URL's host gets: user and password, the caller's to free. Nothing (NULL) if the URL has a
 * password already, or the file has none for the host; and for a URL whose host is not beyond
 * doubt.
 */
void netrc_for_url(struct str netrc, struct str url, char **user, char **password);
/* The same after a redirect; the password of the URL that was asked for is for its own server. */
void netrc_for_redirect(struct str netrc, struct str from, struct str to, char **user,
                        char **password);

#endif
