/* SPDX-License-Identifier: MIT */
#include "fs/ext_replay.h"

#include <stdlib.h>

#include "base/mem.h"
#include "disk/jbd2.h"
#include "fs/ext_io.h"

/* Blocks that a replay of the log would write may be inconsistent now. */
#define FLAGS_OPEN (EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP | EXT2_FLAG_IGNORE_CSUM_ERRORS)

struct ext_replay {
	struct source src; /* counts as the window's own source does */
	struct window w;   /* as it was */
	struct jbd2_log log;
	uint64_t *map;
};

static int replay_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	struct ext_replay *r = (struct ext_replay *)src;
	int rc = r->w.src->read(r->w.src, p, n, off, err);

	return rc < 0 ? rc : jbd2_log_cover(&r->log, p, n, off - r->w.start, err);
}

/* ---- where the journal is ------------------------------------------------- */

struct mapping {
	struct jbd2_journal *j;
	uint64_t *map;
	size_t cap;
	bool bad;
};

static int map_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t at, blk64_t ref, int ref_off,
                     void *arg)
{
	struct mapping *m = arg;

	if (at < 0)
		return 0;
	m->bad = (uint64_t)at != m->j->n || m->j->n == JBD2_BLOCKS_MAX || !*block ||
	         *block >= m->j->fs_blocks;
	if (m->bad)
		return BLOCK_ABORT;
	GROW(m->map, m->j->n, m->cap);
	m->map[m->j->n++] = *block;
	return 0;
}

static int map_journal(ext2_filsys lib, struct jbd2_journal *j, uint64_t **out, struct err *err)
{
	struct mapping m = {.j = j};
	errcode_t e;

	if (!ext2fs_has_feature_journal(lib->super) || !lib->super->s_journal_inum)
		return err_set(err, ERR_UNSUPPORTED, "its journal is on another device");
	e = ext2fs_block_iterate3(lib, lib->super->s_journal_inum, BLOCK_FLAG_READ_ONLY, NULL,
	                          map_block, &m);
	if (e || m.bad || !j->n) {
		free(m.map);
		return err_set(err, ERR_FORMAT, "its journal's blocks: %s; run e2fsck -f",
		               e ? error_message(e) : "blocks are missing");
	}
	j->map = *out = m.map;
	return 0;
}

static int find_journal(const struct window *w, struct jbd2_journal *j, uint64_t **map,
                        struct err *err)
{
	struct err fault = ERR_INIT;
	ext2_filsys lib;
	errcode_t e = ext_io_open(w, &fault, FLAGS_OPEN, &lib);
	int rc;

	if (e)
		return fault.code
		               ? err_set(err, fault.code, "%s", fault.text)
		               : err_set(err, ERR_FORMAT, "the file system: %s", error_message(e));
	rc = map_journal(lib, j, map, err);
	ext2fs_free(lib);
	return rc;
}

/* ---- the whole ------------------------------------------------------------ */

int ext_replay_open(struct window *w, const struct ext_super *super, struct ext_replay **out,
                    struct err *err)
{
	/* The log may contain a change that enlarges the file system. */
	struct jbd2_journal j = {
	        .w = *w, .block = super->block, .fs_blocks = w->size / super->block};
	struct jbd2_log log = JBD2_LOG_INIT;
	uint64_t *map = NULL;
	struct ext_replay *r;
	int rc = find_journal(w, &j, &map, err);

	if (rc == 0)
		rc = jbd2_log_read(&j, &log, err);
	if (rc < 0) {
		free(map);
		return rc;
	}
	r = xcalloc(1, sizeof *r);
	*r = (struct ext_replay){.src = {replay_read}, .w = *w, .log = log, .map = map};
	w->src = &r->src;
	*out = r;
	return 0;
}

void ext_replay_free(struct ext_replay *r)
{
	if (!r)
		return;
	jbd2_log_fini(&r->log);
	free(r->map);
	free(r);
}

bool ext_replay_touches(const struct ext_replay *r, uint64_t off, uint64_t n)
{
	return jbd2_log_touches(&r->log, off, n);
}

uint32_t ext_replay_count(const struct ext_replay *r)
{
	return r->log.transactions;
}
