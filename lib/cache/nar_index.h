/* SPDX-License-Identifier: MIT */
/*
 * What is where in a NAR. The process that unpacks reads the NAR and tells its entries, as a stream
 * of bytes; the parent checks them.
 *
 *     entry = le32 kind, text path, text target, le64 offset and le64 size of the contents
 *     text  = le32 size, bytes
 *
 * It has one more user: the outputs of a derivation, which is a NAR's only file.
 *
 *     output = text name, text path
 */
#ifndef CACHE_NAR_INDEX_H
#define CACHE_NAR_INDEX_H

#include "base/buf.h"
#include "base/walk.h"
#include "nix/nar.h"
#include "store/closure.h"

/* Names for unpacking_new(): what goes in is a NAR, or a derivation's text. */
#define NAR_INDEX "nar-index"
#define DRV_OUTPUTS "derivation-outputs"

/* What is read early, such as a kernel, has far fewer files. */
#define NAR_ENTRIES_MAX (1u << 20)
#define NAR_INDEX_BYTES_MAX (64u << 20)

/* A file, link or directory. */
struct nar_entry {
	char *path; /* relative to the store path; "" is the store path itself */
	enum walk_kind kind;
	char *target;
	uint64_t at, size; /* of a file's contents in the NAR */
};

struct nar_index {
	struct nar_entry *entries; /* in byte order of path */
	size_t n, cap;
};

/* ---- in the process that unpacks --------------------------------------------- */

struct nar_indexer;

/* name: one of the two above. */
struct nar_indexer *nar_indexer_new(struct str name, struct stream *src);
/* As stream_read(). -ERR_FORMAT: it is no NAR or derivation. */
int nar_indexer_read(struct nar_indexer *x, void *p, size_t n, size_t *got, struct err *err);
void nar_indexer_free(struct nar_indexer *x);

/* ---- in the parent ----------------------------------------------------------- */

/* nar_size: the NAR's. -ERR_CHILD: the bytes break a rule. */
int nar_index_get(struct str bytes, uint64_t nar_size, struct nar_index *out, struct err *err);
void nar_index_fini(struct nar_index *x);
/* Set info->outputs, in order of name. */
int drv_outputs_get(struct str bytes, struct path_info *info, struct err *err);

#endif
