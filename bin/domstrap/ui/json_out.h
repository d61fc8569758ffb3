/* SPDX-License-Identifier: MIT */
/* The result of a command with --json: one object, on standard output. */
#ifndef DOMSTRAP_JSON_OUT_H
#define DOMSTRAP_JSON_OUT_H

#include <jansson.h>
#include <stdio.h>

/* An object whose first member is "schema", the version of all these formats. */
json_t *json_out_new(void);
/* Print it, indented and in ASCII, and free it. */
void json_out_print(json_t *o, FILE *out);

#endif
