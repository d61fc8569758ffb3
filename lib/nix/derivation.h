/* SPDX-License-Identifier: MIT */
/*
 * The outputs that a derivation's text names.
 *
 *     drv     = "Derive([" output { "," output } "]," ...    the rest is not read
 *     output  = "(" string "," string "," string "," string ")"
 *               name, path, hash algorithm, hash
 *     string  = '"' { any | "\" any } '"'
 */
#ifndef NIX_DERIVATION_H
#define NIX_DERIVATION_H

#include "base/err.h"
#include "base/str.h"

#define DERIVATION_BYTES_MAX (64u << 20)
#define DERIVATION_OUTPUTS_MAX 256u

struct derivation_output {
	struct str name, path; /* views; the path is empty where it is not known */
};

/*
 * Give each output in turn, in order of the text; id and path have no escapes
 * in them. 0, -ERR_FORMAT, -ERR_LIMIT, or what each() returned below 0.
 */
int derivation_outputs(struct str text,
                       int (*each)(void *ctx, const struct derivation_output *o, struct err *err),
                       void *ctx, struct err *err);

#endif
