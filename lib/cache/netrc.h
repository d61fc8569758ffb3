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
 * The user and password for a URL's host; the caller frees them. NULL if the URL has a password
 * already, if the file has none for the host, or if parsers might disagree about the URL's host.
 */
void netrc_for_url(struct str netrc, struct str url, char **user, char **password);
/* The same after a redirect. A password in the original URL is used for its own server only. */
void netrc_for_redirect(struct str netrc, struct str from, struct str to, char **user,
                        char **password);

#endif
