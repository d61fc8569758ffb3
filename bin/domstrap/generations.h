/* SPDX-License-Identifier: MIT */
#ifndef DOMSTRAP_GENERATIONS_H
#define DOMSTRAP_GENERATIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "inside.h"

/*
 * One generation as "domstrap generations --json" has it; sizes: with own_bytes,
 * which are null where they are not known.
 */
json_t *generation_json(const struct generation *g, bool sizes, bool known);
/* As nix-env --list-generations writes a time. Returns out. */
const char *generation_when(int64_t t, char out[static 32]);

#endif
