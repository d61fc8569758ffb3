/* SPDX-License-Identifier: MIT */
/*
 * The log of a journal of ext3 and ext4 (jbd2), read: which blocks of the file
 * system a replay would write, and where their new contents are. Nothing is
 * written, and no contents are kept.
 *
 *     block 0    superblock: where the log begins, and with which transaction
 *     first ..   descriptor | contents ... | descriptor | contents ... | commit
 *     .. last    revoke     | descriptor ...           round again at first
 *
 * A transaction counts if its commit block exists and its checksum matches. A
 * block that it revokes is not written by it or by an older one. Everything is
 * big endian. Format: Linux's filesystems/ext4/journal.
 */
#ifndef DISK_JBD2_H
#define DISK_JBD2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk/window.h"

#define JBD2_BLOCKS_MAX (1u << 20)  /* of a journal */
#define JBD2_REVOKES_MAX (1u << 20) /* in a log */
#define JBD2_MAGIC 0xc03b3998u      /* of the log's own blocks */
#define JBD2_ESCAPED 0x80000000u    /* in a turn: the log has zeros for the block's magic */

/* A journal inside a file system, and that file system. Borrowed. */
struct jbd2_journal {
	struct window w;     /* the file system's place */
	uint32_t block;      /* bytes of a block of both */
	uint64_t fs_blocks;  /* replay must not write beyond them */
	const uint64_t *map; /* the file system's block of each of the journal's */
	uint32_t n;          /* at most JBD2_BLOCKS_MAX */
};

/* One block that replay would write. */
struct jbd2_place {
	uint64_t block; /* of the file system */
	uint32_t at;    /* of the journal */
	uint32_t turn;  /* which transaction, from 0; JBD2_ESCAPED, and marks of jbd2.c */
};

struct jbd2_log {
	struct jbd2_journal journal;
	struct jbd2_place *v; /* by block, each once; owned */
	size_t n;
	uint32_t transactions;
};

#define JBD2_LOG_INIT {.v = NULL}

/*
 * Read the log. An empty one is valid. -ERR_FORMAT: Linux would not replay it;
 * -ERR_UNSUPPORTED: an unknown version or feature, or fast commits; -ERR_LIMIT.
 * *out borrows what j points to.
 */
int jbd2_log_read(const struct jbd2_journal *j, struct jbd2_log *out, struct err *err);
void jbd2_log_fini(struct jbd2_log *log);

/* Apply what replay would write to n bytes that were read at off in the file system. */
int jbd2_log_cover(const struct jbd2_log *log, void *p, size_t n, uint64_t off, struct err *err);
/* Whether it would write any of them. */
bool jbd2_log_touches(const struct jbd2_log *log, uint64_t off, uint64_t n);

#endif
