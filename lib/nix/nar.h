/* SPDX-License-Identifier: MIT */
/*
 * Reading a NAR, Nix's archive of one file, link or directory.
 *
 *     nar     = str("nix-archive-1") object           nothing may follow
 *     object  = str("(") str("type") body str(")")
 *     body    = str("regular") [str("executable") str("")]
 *                   str("contents") str(bytes)
 *             | str("symlink") str("target") str(target)
 *             | str("directory") entry*
 *     entry   = str("entry") str("(") str("name") str(name)
 *                   str("node") object str(")")
 *     str(s)  = u64 little endian length of s, s, zero bytes up to a multiple
 *               of 8
 *
 * Names are 1..255 bytes, not "." or "..", without '/' and NUL, in strictly
 * ascending byte order; targets 1..4095 bytes without NUL; less than 64
 * levels. Anything else is refused.
 */
#ifndef NIX_NAR_H
#define NIX_NAR_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/stream.h"
#include "base/walk.h"

/*
 * A walk over an archive, with the store's own metadata: files 0444 or 0555,
 * links 0777, directories 0555, owner 0:0, mtime 1. It streams: file contents
 * are never held, memory is some 100 KiB whatever the archive. The walk's end
 * is reported only after the source's end was seen. A malformed archive is
 * -ERR_FORMAT with the offset and the rule, a truncated one too.
 * src must outlive the walk; walk_free() it.
 */
struct walk *nar_walk_new(struct stream *src);
/* After a FILE, before reading it: the offset of its contents in the archive. */
uint64_t nar_walk_offset(const struct walk *w);

#endif
