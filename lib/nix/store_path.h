/* SPDX-License-Identifier: MIT */
/*
 * Store paths.
 *
 *     path   = "/nix/store/" base
 *     base   = digest "-" name
 *     digest = 32 nix32 digits
 *     name   = 1..211 of [0-9a-zA-Z+._?=-]; not "." or "..", not starting
 *              with ".-" or "..-"
 */
#ifndef NIX_STORE_PATH_H
#define NIX_STORE_PATH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define STORE_DIR "/nix/store"
#define STORE_DIGEST_LEN 32
#define STORE_NAME_MAX 211
/* The longest store path, without a NUL. */
#define STORE_PATH_MAX (sizeof(STORE_DIR) + STORE_DIGEST_LEN + 1 + STORE_NAME_MAX)

/* Views into the text that was parsed. */
struct store_path {
	struct str base; /* digest, dash and name */
	struct str digest;
	struct str name;
};

/* Each returns 0, or -ERR_FORMAT with the text and the broken rule in *err. */

/* A base name and nothing else: "<digest>-<name>". */
int store_path_parse_base(struct str base, struct store_path *out, struct err *err);
/* A whole store path and nothing else. */
int store_path_parse(struct str text, struct store_path *out, struct err *err);
/*
 * A path in or below a store path: "/nix/store/<base>/bin/z". *rest is what
 * follows the base ("/bin/z", or empty). It has no empty, "." or ".." parts,
 * so it cannot lead out of the store path, symbolic links aside.
 */
int store_path_split(struct str text, struct store_path *out, struct str *rest, struct err *err);

/* The same as predicates, for any text. */
bool store_path_is_base(struct str base, struct store_path *out);
bool store_path_is(struct str text, struct store_path *out);
bool store_path_is_in(struct str text, struct store_path *out, struct str *rest);

/* "/nix/store/<base>"; the caller owns it. */
char *store_path_format(const struct store_path *sp);

#endif
