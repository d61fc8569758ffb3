/* SPDX-License-Identifier: MIT */
/* A closure to make databases from, and a way to damage them. */
#ifndef STORE_TEST_SAMPLE_H
#define STORE_TEST_SAMPLE_H

#include <string.h>

#include <sqlite3.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "store/store_db.h"

#define D32 "0123456789abcdfghijklmnpqrsvwxyz"
#define P_DEP "/nix/store/00000000000000000000000000000000-dep"
#define P_DRV "/nix/store/11111111111111111111111111111111-top.drv"
#define P_LONE "/nix/store/22222222222222222222222222222222-lone"
#define P_TOP "/nix/store/33333333333333333333333333333333-top"

static inline void refs_of(struct path_info *info, size_t n, const uint32_t *refs)
{
	info->refs = xcalloc(n, sizeof *refs);
	memcpy(info->refs, refs, n * sizeof *refs);
	info->nrefs = n;
}

/* top refers to dep, drv and itself; drv refers to dep; lone has no references. */
static inline void sample_closure(struct closure *c)
{
	static const uint32_t of_drv[] = {0}, of_top[] = {0, 1, 3};
	struct path_info *p = xcalloc(4, sizeof *p);
	static const char *const paths[] = {P_DEP, P_DRV, P_LONE, P_TOP};

	for (size_t i = 0; i < 4; i++) {
		p[i].path = xstrdup(paths[i]);
		memset(p[i].nar_hash, 0xa0 + (int)i, HASH_SHA256_LEN);
		p[i].nar_size = 120 + i;
	}
	p[0].ca = xstrdup("text:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
	refs_of(&p[1], 1, of_drv);
	p[1].outputs = xcalloc(2, sizeof *p[1].outputs);
	p[1].noutputs = 2;
	p[1].outputs[0] = (struct drv_output){xstrdup("dev"), xstrdup(P_LONE)};
	p[1].outputs[1] = (struct drv_output){xstrdup("out"), xstrdup(P_TOP)};
	refs_of(&p[3], 3, of_top);
	p[3].deriver = xstrdup(P_DRV);
	p[3].sigs = xstrdup("k-1:AAAA k-2:BBBB");
	p[3].ultimate = true;
	*c = (struct closure){p, 4};
}

static inline void sample_db(struct buf *out)
{
	_cleanup_(closure_fini) struct closure c = {0};
	struct err err = ERR_INIT;

	sample_closure(&c);
	assert_ok(store_db_build(&c, 1234567890, out, &err), &err);
}

/* Run SQL on a database in memory. */
static inline void damage(struct buf *db, const char *text)
{
	sqlite3_int64 n = (sqlite3_int64)db->n;
	unsigned char *mem = sqlite3_malloc64(db->n);
	char *why = NULL;
	sqlite3 *sql;

	memcpy(mem, db->p, db->n);
	assert_int_equal(sqlite3_open(":memory:", &sql), SQLITE_OK);
	assert_int_equal(
	        sqlite3_deserialize(sql, "main", mem, n, n,
	                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE),
	        SQLITE_OK);
	if (sqlite3_exec(sql, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	mem = sqlite3_serialize(sql, "main", &n, 0);
	assert_non_null(mem);
	buf_reset(db);
	buf_put(db, mem, (size_t)n);
	sqlite3_free(mem);
	sqlite3_close(sql);
}

#endif
