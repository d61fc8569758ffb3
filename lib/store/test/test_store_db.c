/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/bytes.h"
#include "nix/hash.h"
#include "store/test/sample.h"

/* Of the sample's database, which must be the same on every host. */
#define SAMPLE_HASH "sha256:1yysb8nyj6gqsjfidxq7zmb2hh26fg2vk9av9h7p2s7xdl5zdx9i"

#define NIX32 "sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s"

static int closure_of(const struct buf *db, const char *path, struct closure *c, struct err *err)
{
	_cleanup_(store_db_freep) struct store_db *s = NULL;
	int rc = store_db_open_bytes("test.sqlite", db->p, db->n, &s, err);

	return rc < 0 ? rc : store_db_closure(s, path, c, err);
}

static void assert_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void round_trip(void **state)
{
	_cleanup_(closure_fini) struct closure want = {0}, got = {0};
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	static const size_t index[] = {0, 1, 3}; /* without lone */
	struct err err = ERR_INIT;

	sample_closure(&want);
	sample_db(&db);
	assert_ok(closure_of(&db, P_TOP, &got, &err), &err);
	assert_int_equal(got.n, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct path_info *w = &want.paths[index[i]], *g = &got.paths[i];

		assert_string_equal(w->path, g->path);
		assert_memory_equal(w->nar_hash, g->nar_hash, HASH_SHA256_LEN);
		assert_int_equal(w->nar_size, g->nar_size);
		assert_int_equal(g->registration_time, 1234567890);
		assert_false(g->ultimate);
		assert_text(w->deriver, g->deriver);
		assert_text(w->sigs, g->sigs);
		assert_text(w->ca, g->ca);
		assert_int_equal(w->nrefs, g->nrefs);
		assert_int_equal(w->noutputs, g->noutputs);
		for (size_t o = 0; o < w->noutputs; o++) {
			assert_string_equal(w->outputs[o].id, g->outputs[o].id);
			assert_string_equal(w->outputs[o].path, g->outputs[o].path);
		}
	}
	assert_int_equal(got.paths[2].refs[0], 0);
	assert_int_equal(got.paths[2].refs[1], 1);
	assert_int_equal(got.paths[2].refs[2], 2);
	assert_int_equal(got.paths[1].refs[0], 0);
	assert_null(closure_unreached(&got, 2));
	assert_ptr_equal(closure_unreached(&got, 1), &got.paths[2]);
	assert_ptr_equal(closure_unreached(&got, 0), &got.paths[1]);
	assert_ptr_equal(closure_find(&got, P_TOP), &got.paths[2]);
	assert_null(closure_find(&got, P_LONE));
	assert_int_equal(closure_nar_size(&got), 120 + 121 + 123);
}

static void parts(void **state)
{
	_cleanup_(closure_fini) struct closure one = {0}, two = {0};
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	struct err err = ERR_INIT;

	sample_db(&db);
	assert_ok(closure_of(&db, P_LONE, &one, &err), &err);
	assert_int_equal(one.n, 1);
	assert_int_equal(one.paths[0].nrefs, 0);
	assert_ok(closure_of(&db, P_DRV, &two, &err), &err);
	assert_int_equal(two.n, 2);
}

static void same_bytes(void **state)
{
	_cleanup_(buf_fini) struct buf a = BUF_INIT, b = BUF_INIT;
	uint8_t hash[HASH_SHA256_LEN];
	char text[HASH_NIX32_SIZE];

	buf_puts(&b, "before");
	sample_db(&a);
	sample_db(&b);
	assert_int_equal(b.n, a.n + 6);
	assert_memory_equal(b.p, "before", 6);
	assert_memory_equal(b.p + 6, a.p, a.n);
	sha256_of(a.p, a.n, hash);
	assert_string_equal(hash_format_nix32(hash, text), SAMPLE_HASH);
}

static uint32_t be32_at(const struct buf *b, size_t at)
{
	struct bytes in = bytes_over(b->p, b->n);

	bytes_seek(&in, at);
	return bytes_be32(&in);
}

/* The header as in Nix's own databases. */
static void header(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;

	sample_db(&db);
	assert_memory_equal(db.p, "SQLite format 3", 16);
	assert_int_equal(be32_at(&db, 16) >> 16, 4096);      /* page size */
	assert_int_equal(be32_at(&db, 16) & 0xffff, 0x0101); /* not write-ahead */
	assert_int_equal(be32_at(&db, 24), 1);
	assert_int_equal(be32_at(&db, 28), db.n / 4096);
	assert_int_equal(be32_at(&db, 36), 0); /* free pages */
	assert_int_equal(be32_at(&db, 56), 1); /* UTF-8 */
	assert_int_equal(be32_at(&db, 60), 0); /* user_version */
	assert_int_equal(be32_at(&db, 92), 1);
	assert_int_equal(be32_at(&db, 96), 3040001);
}

static void empty_closure(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	const struct closure none = {0};
	struct closure got = {0};
	struct err err = ERR_INIT;

	assert_ok(store_db_build(&none, 1, &db, &err), &err);
	assert_fails(closure_of(&db, P_TOP, &got, &err), &err, ERR_NOENT, "not registered");
}

static void not_there(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	struct err err = ERR_INIT;
	struct closure c = {0};

	sample_db(&db);
	assert_fails(closure_of(&db, "/nix/store/" D32 "-other", &c, &err), &err, ERR_NOENT,
	             "-other is not registered");
	assert_fails(closure_of(&db, P_TOP "/init", &c, &err), &err, ERR_FORMAT, "inside one");
	assert_fails(closure_of(&db, "/etc", &c, &err), &err, ERR_FORMAT, "not a store path");
	assert_int_equal(c.n, 0);
}

#define MOVE_ID                                                                                    \
	"UPDATE ValidPaths SET id = 99 WHERE id = 1; "                                             \
	"UPDATE Refs SET reference = 99 WHERE reference = 1"

static void tolerated(void **state)
{
	static const char *const good[] = {
	        "UPDATE ValidPaths SET deriver = '', sigs = '', ca = ''",
	        "UPDATE ValidPaths SET ultimate = 1",
	        "UPDATE ValidPaths SET hash = '" NIX32 "'",
	        "DELETE FROM DerivationOutputs",
	        MOVE_ID,
	        "CREATE TABLE Extra (x); CREATE VIEW v AS SELECT 1",
	        "ALTER TABLE ValidPaths ADD COLUMN provenance text",
	        "UPDATE ValidPaths SET narSize = NULL",
	        "UPDATE ValidPaths SET narSize = 0",
	        "INSERT INTO Refs VALUES (1, 99), (99, 1)",
	        "UPDATE ValidPaths SET path = 'nonsense' WHERE path LIKE '%lone'",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(closure_fini) struct closure c = {0};
		_cleanup_(buf_fini) struct buf db = BUF_INIT;
		struct err err = ERR_INIT;

		sample_db(&db);
		damage(&db, good[i]);
		assert_ok(closure_of(&db, P_TOP, &c, &err), &err);
		assert_int_equal(c.n, 3);
		assert_true(i != 0 || (!c.paths[2].deriver && !c.paths[2].sigs && !c.paths[0].ca));
		assert_true(i != 1 || c.paths[0].ultimate);
		assert_true(i != 2 || c.paths[1].nar_hash[0] == 0xba);
	}
}

#define SET(what) "UPDATE ValidPaths SET " what " WHERE path = '" P_DEP "'"

static void refused(void **state)
{
	static const struct {
		const char *sql;
		enum err_code code;
		const char *words;
	} bad[] = {
	        {SET("path = '/nix/store/x'"), ERR_FORMAT, "row 1: path: \"/nix/store/x\""},
	        {SET("path = path || x'00'"), ERR_FORMAT, "path has a NUL"},
	        {SET("path = cast(path AS blob)"), ERR_FORMAT, "path is not text"},
	        {SET("path = path || printf('%300d', 1)"), ERR_LIMIT, "path has 347 bytes"},
	        {SET("hash = ''"), ERR_FORMAT, "-dep: hash is missing"},
	        {SET("hash = 'sha256:00'"), ERR_FORMAT, "-dep: hash \"sha256:00\""},
	        {SET("hash = 7.5"), ERR_FORMAT, "hash \"7.5\""},
	        {SET("hash = printf('%100d', 1)"), ERR_LIMIT, "hash has 100 bytes"},
	        {SET("registrationTime = 'x'"), ERR_FORMAT, "registrationTime is not a whole"},
	        {SET("registrationTime = -1"), ERR_FORMAT, "before 1970"},
	        {SET("narSize = -5"), ERR_FORMAT, "below 0"},
	        {SET("narSize = 1.5"), ERR_FORMAT, "narSize is not a whole"},
	        {SET("narSize = 9223372036854775807"), ERR_LIMIT, "2^63"},
	        {SET("ultimate = 'yes'"), ERR_FORMAT, "ultimate is not"},
	        {SET("deriver = 'unknown-deriver'"), ERR_FORMAT, "deriver: \"unknown-deriver\""},
	        {SET("deriver = x'41'"), ERR_FORMAT, "deriver is not text"},
	        {SET("sigs = printf('%70000d', 1)"), ERR_LIMIT, "sigs has 70000"},
	        {SET("sigs = 'a' || char(10)"), ERR_FORMAT, "sigs has bytes"},
	        {SET("ca = char(228)"), ERR_FORMAT, "ca has bytes"},
	        {"INSERT INTO Refs VALUES (1, 'x')", ERR_FORMAT, "a reference is not a whole"},
	        {"UPDATE DerivationOutputs SET path = '/x'", ERR_FORMAT, "an output's path"},
	        {"UPDATE DerivationOutputs SET id = '' WHERE id = 'out'", ERR_FORMAT,
	         "id is missing"},
	        {"DROP TABLE DerivationOutputs", ERR_FORMAT, "not a Nix database"},
	        {"DROP TABLE Refs; CREATE VIEW Refs AS SELECT 1 AS referrer, 1 AS reference",
	         ERR_FORMAT, "not a Nix database"},
	        {"DROP TABLE Refs; CREATE TABLE Refs (a, b)", ERR_FORMAT, "no such column"},
	        /* A table without the constraints of Nix's. */
	        {"DROP TABLE Refs; CREATE TABLE Refs (referrer, reference);"
	         "INSERT INTO Refs VALUES (4, 1), (4, 1)",
	         ERR_FORMAT, "duplicate reference to " P_DEP},
	        {"CREATE TABLE v AS SELECT * FROM ValidPaths; DROP TABLE ValidPaths;"
	         "ALTER TABLE v RENAME TO ValidPaths; INSERT INTO ValidPaths SELECT 9, path, hash,"
	         "1, NULL, 9, NULL, NULL, NULL FROM ValidPaths WHERE id = 1;"
	         "INSERT INTO Refs VALUES (4, 9)",
	         ERR_FORMAT, "duplicate rows for " P_DEP},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(buf_fini) struct buf db = BUF_INIT;
		struct err err = ERR_INIT;
		struct closure c = {0};

		sample_db(&db);
		damage(&db, bad[i].sql);
		assert_fails(closure_of(&db, P_TOP, &c, &err), &err, bad[i].code, bad[i].words);
		assert_int_equal(c.n, 0);
	}
}

static void not_a_database(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT, cut = BUF_INIT;
	struct store_db *s = NULL;
	struct err err = ERR_INIT;
	struct closure c = {0};

	assert_fails(store_db_open_bytes("x", NULL, 0, &s, &err), &err, ERR_FORMAT,
	             "not an SQLite");
	(void)buf_zeros(&cut, 4096);
	assert_fails(store_db_open_bytes("x", cut.p, cut.n, &s, &err), &err, ERR_FORMAT,
	             "x: not an SQLite");
	sample_db(&db);
	for (size_t n = 100; n < db.n; n += 700) {
		buf_reset(&cut);
		buf_put(&cut, db.p, n);
		assert_fails(closure_of(&cut, P_TOP, &c, &err), &err, ERR_FORMAT, "truncated");
	}
}

/* A page that is its own child: without a limit, SQLite would search it almost endlessly. */
static void loops_end(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	struct err err = ERR_INIT;
	struct closure c = {0};

	sample_db(&db);
	damage(&db, "WITH RECURSIVE n(x) AS (SELECT 5 UNION ALL SELECT x + 1 FROM n LIMIT 3000)"
	            "INSERT INTO ValidPaths (id, path, hash, registrationTime, narSize) SELECT x, "
	            "printf('/nix/store/" D32 "-%d', x), "
	            "'" NIX32 "', 1, 1 FROM n;"
	            "DROP INDEX IndexReferrer; CREATE TABLE r AS SELECT * FROM Refs;"
	            "DROP TABLE Refs; CREATE TABLE Refs (referrer, reference);"
	            "INSERT INTO Refs SELECT id, id + 1 FROM ValidPaths WHERE id > 4");
	assert_fails(closure_of(&db, "/nix/store/" D32 "-5", &c, &err), &err, ERR_LIMIT,
	             "more steps than");
}

/* The bytes of a database in write-ahead mode. */
static void wal_bytes(void **state)
{
	_cleanup_(closure_fini) struct closure c = {0};
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	struct err err = ERR_INIT;

	sample_db(&db);
	db.p[18] = db.p[19] = 2;
	assert_ok(closure_of(&db, P_TOP, &c, &err), &err);
	assert_int_equal(c.n, 3);
}

static void bytes_that_count(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;

	sample_db(&db);
	assert_int_equal(store_db_bytes(db.p, 100, 1u << 30), db.n);
	assert_int_equal(store_db_bytes(db.p, 100, db.n - 1), db.n - 1);
	assert_int_equal(store_db_bytes(db.p, 50, 1u << 30), 1u << 30);
	db.p[24] ^= 1; /* the change counter no longer validates the page count */
	assert_int_equal(store_db_bytes(db.p, 100, 1u << 30), 1u << 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(round_trip),     cmocka_unit_test(parts),
	        cmocka_unit_test(same_bytes),     cmocka_unit_test(header),
	        cmocka_unit_test(empty_closure),  cmocka_unit_test(not_there),
	        cmocka_unit_test(tolerated),      cmocka_unit_test(refused),
	        cmocka_unit_test(not_a_database), cmocka_unit_test(loops_end),
	        cmocka_unit_test(wal_bytes),      cmocka_unit_test(bytes_that_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
