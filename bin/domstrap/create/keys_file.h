/* SPDX-License-Identifier: MIT */
/*
 * Files of public SSH keys, one a line, as ssh-keygen writes them.
 */
#ifndef DOMSTRAP_KEYS_FILE_H
#define DOMSTRAP_KEYS_FILE_H

#include "base/err.h"
#include "base/str.h"

/*
 * Give every key of the file to take(); empty lines and comments are passed over.
 * take() may end it with an error. A line that is no key is one, too.
 */
int keys_file_read(const char *path, int (*take_key)(void *ctx, struct str line, struct err *err),
                   void *ctx, struct err *err);

#endif
