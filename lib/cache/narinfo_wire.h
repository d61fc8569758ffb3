/* SPDX-License-Identifier: MIT */
/*
 * A narinfo's fields as bytes, for another process: those that are used. The hash of the compressed
 * file is not among them.
 *
 *     narinfo = text base name, text URL, text compression, le64 file size, 32 bytes NAR
 *               hash, le64 NAR size, le32 number of references, { text base name }, text deriver,
 *               le32 number of signatures, { text }, text CA
 *     text    = le32 size, bytes
 */
#ifndef CACHE_NARINFO_WIRE_H
#define CACHE_NARINFO_WIRE_H

#include "base/buf.h"
#include "nix/narinfo.h"

void narinfo_put(const struct narinfo *info, struct buf *out);
/*
 * Fill in *out, for narinfo_fini(); its texts are views into the bytes. -ERR_CHILD if a field
 * breaks a rule of struct narinfo, or it is not the narinfo of the digest.
 */
int narinfo_get(struct str bytes, struct str digest, struct narinfo *out, struct err *err);

#endif
