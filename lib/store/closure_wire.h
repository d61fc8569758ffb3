/* SPDX-License-Identifier: MIT */
/*
 * A closure as bytes, for another process.
 *
 *     closure = le32 number of paths, { path }, { references }
 *     path    = text path, text deriver, text sigs, text ca, 32 bytes NAR hash,
 *               le64 NAR size, le64 registration time, le32 ultimate,
 *               le32 number of outputs, { text id, text path }
 *     references = le32 number, { le32 index }
 *     text    = le32 size, bytes
 */
#ifndef STORE_CLOSURE_WIRE_H
#define STORE_CLOSURE_WIRE_H

#include "base/buf.h"
#include "store/closure.h"

void closure_put(const struct closure *c, struct buf *out);
/* Only paths, NAR sizes and references. */
void closure_put_names(const struct closure *c, struct buf *out);
/*
 * Fill in *out, for closure_fini(). -ERR_CHILD if the bytes break a rule of struct closure: what is
 * no store path, order, limits, indices.
 */
int closure_get(struct str bytes, struct closure *out, struct err *err);

#endif
