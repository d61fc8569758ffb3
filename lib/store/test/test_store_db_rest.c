/* SPDX-License-Identifier: MIT */
/* Data of a guest's database other than paths, while paths change. */
#include <stdlib.h>

#include "store/test/sample.h"

/* As made by Nix 2.4 to 2.33, in the latest form. */
#define REALISATIONS                                                                               \
	"CREATE TABLE Realisations (id integer primary key autoincrement not null, drvPath text "  \
	"not null, outputName text not null, outputPath integer not null, signatures text, "       \
	"foreign key (outputPath) references ValidPaths(id) on delete cascade);"                   \
	"CREATE INDEX IndexRealisations on Realisations(drvPath, outputName);"                     \
	"CREATE TABLE RealisationsRefs (referrer integer not null, realisationReference integer, " \
	"foreign key (referrer) references Realisations(id) on delete cascade, "                   \
	"foreign key (realisationReference) references Realisations(id) on delete restrict);"      \
	"CREATE TRIGGER DeleteSelfRefsViaRealisations before delete on ValidPaths begin "          \
	"delete from RealisationsRefs where realisationReference in (select id from "              \
	"Realisations where outputPath = old.id); end;"
#define TRACE                                                                                      \
	"CREATE TABLE BuildTraceV3 (id integer primary key autoincrement not null, drvPath text "  \
	"not null, outputName text not null, outputPath text not null, signatures text);"
#define MIGRATIONS "CREATE TABLE SchemaMigrations (migration text primary key not null);"
/* The sample's rows are dep 1, drv 2, lone 3, top 4. */
#define FILLED                                                                                     \
	REALISATIONS TRACE MIGRATIONS                                                              \
	        "INSERT INTO Realisations VALUES (7, 'sha256:aa', 'out', 4, 's:1'), "              \
	        "(9, 'sha256:bb', 'dev', 3, NULL), (11, 'sha256:cc', 'out', 99, NULL);"            \
	        "INSERT INTO RealisationsRefs VALUES (7, 7), (7, 9), (9, NULL);"                   \
	        "INSERT INTO BuildTraceV3 VALUES (3, 'x.drv', 'out', '" P_TOP "', 's:2');"         \
	        "INSERT INTO SchemaMigrations VALUES ('20220326-ca-derivations');"
#define HASH "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define FOREIGN                                                                                    \
	"INSERT INTO ValidPaths VALUES (20, '/oix/store/" D32 "-a.drv', '" HASH "', 5, NULL, 8, "  \
	"1, 's:3', NULL), (21, '/oix/store/" D32 "-b', '" HASH "', 6, NULL, NULL, NULL, NULL, "    \
	"'text:sha256:x');"                                                                        \
	"INSERT INTO Refs VALUES (20, 21), (20, 20), (4, 21), (77, 1), (1, 78);"                   \
	"INSERT INTO DerivationOutputs VALUES (20, 'out', '/oix/store/" D32 "-b');"

/* Rows as text, "a|b" each, separated by blanks; "" if there are none. */
static char *ask(const struct buf *db, const char *query)
{
	unsigned char *mem = sqlite3_malloc64(db->n);
	struct buf out = BUF_INIT;
	sqlite3_stmt *stmt;
	sqlite3 *sql;

	buf_puts(&out, "");
	memcpy(mem, db->p, db->n);
	assert_int_equal(sqlite3_open(":memory:", &sql), SQLITE_OK);
	assert_int_equal(sqlite3_deserialize(sql, "main", mem, (sqlite3_int64)db->n,
	                                     (sqlite3_int64)db->n, SQLITE_DESERIALIZE_FREEONCLOSE),
	                 SQLITE_OK);
	if (sqlite3_prepare_v2(sql, query, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", query, sqlite3_errmsg(sql));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		buf_puts(&out, out.n ? " " : "");
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *s = (const char *)sqlite3_column_text(stmt, i);

			buf_putf(&out, "%s%s", i ? "|" : "", s ? s : "NULL");
		}
	}
	sqlite3_finalize(stmt);
	sqlite3_close(sql);
	return buf_steal(&out);
}

static void assert_rows(const struct buf *db, const char *query, const char *want)
{
	_free_ char *is = ask(db, query);

	assert_string_equal(is, want);
}

/* Read everything, remove the path "without", and write it. */
static void change(struct buf *db, const char *without)
{
	_cleanup_(store_db_rest_freep) struct store_db_rest *rest = NULL;
	_cleanup_(store_db_freep) struct store_db *s = NULL;
	_cleanup_(closure_fini) struct closure all = {0}, left = {0};
	struct err err = ERR_INIT;
	bool keep[8];

	assert_ok(store_db_open_bytes("test", db->p, db->n, &s, &err), &err);
	assert_ok(store_db_all(s, &all, &err), &err);
	assert_ok(store_db_rest(s, &rest, &err), &err);
	assert_null(store_db_rest_lost(rest));
	assert_int_equal(all.n, 4);
	for (size_t i = 0; i < all.n; i++)
		keep[i] = !without || strcmp(all.paths[i].path, without) != 0;
	closure_filter(&all, keep, &left);
	store_db_free(take(&s));
	buf_reset(db);
	assert_ok(store_db_rebuild(&left, rest, db, &err), &err);
}

#define SQL_REALISED                                                                               \
	"SELECT r.id, drvPath, outputName, substr(path, 45), signatures FROM Realisations r "      \
	"JOIN ValidPaths v ON v.id = outputPath"

static void other_tables_stay(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;

	sample_db(&db);
	damage(&db, FILLED);
	for (int i = 0; i < 2; i++) {
		change(&db, NULL);
		assert_rows(&db, SQL_REALISED, "7|sha256:aa|out|top|s:1 9|sha256:bb|dev|lone|NULL");
		assert_rows(&db, "SELECT * FROM RealisationsRefs", "7|7 7|9 9|NULL");
		assert_rows(&db, "SELECT * FROM BuildTraceV3", "3|x.drv|out|" P_TOP "|s:2");
		assert_rows(&db, "SELECT * FROM SchemaMigrations", "20220326-ca-derivations");
		assert_rows(&db, "PRAGMA integrity_check", "ok");
		assert_rows(&db, "PRAGMA foreign_key_check", "");
	}
}

/* Removing a path removes its realisations, as Nix's triggers do. */
static void rows_of_paths_that_go(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;

	sample_db(&db);
	damage(&db, FILLED FOREIGN);
	change(&db, P_LONE);
	assert_rows(&db, SQL_REALISED, "7|sha256:aa|out|top|s:1");
	assert_rows(&db, "SELECT * FROM RealisationsRefs", "7|7");
	assert_rows(&db, "PRAGMA foreign_key_check", "");
}

static void empty_tables_stay(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;

	sample_db(&db);
	damage(&db, REALISATIONS TRACE MIGRATIONS);
	change(&db, NULL);
	assert_rows(
	        &db,
	        "SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger') AND name NOT "
	        "LIKE 'sqlite%' ORDER BY name",
	        "BuildTraceV3 DeleteSelfRefs DeleteSelfRefsViaRealisations DerivationOutputs "
	        "Realisations RealisationsRefs Refs SchemaMigrations ValidPaths");
}

static void other_stores_stay(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;

	sample_db(&db);
	damage(&db, FOREIGN);
	for (int i = 0; i < 2; i++) {
		change(&db, NULL);
		assert_rows(
		        &db,
		        "SELECT substr(path, 45), registrationTime, narSize, ultimate, sigs, ca "
		        "FROM ValidPaths WHERE path LIKE '/oix/%' ORDER BY path",
		        "a.drv|5|8|1|s:3|NULL b|6|NULL|NULL|NULL|text:sha256:x");
		assert_rows(
		        &db,
		        "SELECT substr(a.path, 45), substr(b.path, 45) FROM Refs JOIN ValidPaths "
		        "a ON a.id = referrer JOIN ValidPaths b ON b.id = reference WHERE b.path "
		        "LIKE '/oix/%' ORDER BY 1, 2",
		        "a.drv|a.drv a.drv|b top|b");
		assert_rows(&db, "SELECT count(*) FROM Refs WHERE referrer = 77", "0");
		assert_rows(&db,
		            "SELECT o.id, substr(o.path, 45) FROM DerivationOutputs o JOIN "
		            "ValidPaths v ON v.id = drv WHERE v.path LIKE '/oix/%'",
		            "out|b");
		assert_rows(&db, "PRAGMA foreign_key_check", "");
	}
}

static void no_index_comes_back(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;

	sample_db(&db);
	change(&db, NULL);
	assert_rows(&db, "SELECT name FROM sqlite_master WHERE name = 'IndexReferrer'",
	            "IndexReferrer");
	damage(&db, "DROP INDEX IndexReferrer");
	change(&db, NULL);
	assert_rows(&db, "SELECT name FROM sqlite_master WHERE name = 'IndexReferrer'", "");
}

static void unknown_is_named(void **state)
{
	static const struct {
		const char *sql, *words;
	} bad[] = {
	        {"CREATE TABLE Notes (a)", "table \"Notes\""},
	        {"ALTER TABLE ValidPaths ADD COLUMN provenance text",
	         "column \"provenance\" of the table ValidPaths"},
	        {"ALTER TABLE Refs ADD COLUMN weight", "column \"weight\" of the table Refs"},
	        {"CREATE VIEW w AS SELECT 1", "view \"w\""},
	        {"CREATE TRIGGER t AFTER DELETE ON Refs BEGIN SELECT 1; END", "trigger \"t\""},
	        {"CREATE TABLE Realisations (drvPath, outputName, outputPath, signatures)",
	         "table \"Realisations\", whose columns"},
	        {"CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE c (x); CREATE TABLE d (x);"
	         "CREATE TABLE e (x); CREATE TABLE f (x)",
	         "table \"a\", table \"b\", table \"c\", table \"d\", and others"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(store_db_rest_freep) struct store_db_rest *rest = NULL;
		_cleanup_(store_db_freep) struct store_db *s = NULL;
		_cleanup_(closure_fini) struct closure all = {0};
		_cleanup_(buf_fini) struct buf db = BUF_INIT, out = BUF_INIT;
		struct err err = ERR_INIT;

		sample_db(&db);
		damage(&db, bad[i].sql);
		assert_ok(store_db_open_bytes("test", db.p, db.n, &s, &err), &err);
		assert_ok(store_db_all(s, &all, &err), &err);
		assert_int_equal(all.n, 4);
		assert_ok(store_db_rest(s, &rest, &err), &err);
		assert_non_null(strstr(store_db_rest_lost(rest), bad[i].words));
		assert_fails(store_db_rebuild(&all, rest, &out, &err), &err, ERR_UNSUPPORTED,
		             bad[i].words);
	}
}

/* Rows that are small on disk, but would need much memory. */
static void copies_are_bounded(void **state)
{
	_cleanup_(store_db_rest_freep) struct store_db_rest *rest = NULL;
	_cleanup_(store_db_freep) struct store_db *s = NULL;
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	struct err err = ERR_INIT;

	sample_db(&db);
	damage(&db, REALISATIONS
	       "INSERT INTO ValidPaths (id, path, hash, registrationTime) VALUES (50, '/x' || "
	       "printf('%5000d', 1), '" HASH "', 1);"
	       "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000)"
	       "INSERT INTO Realisations SELECT x, '', '', 50, NULL FROM n");
	assert_ok(store_db_open_bytes("test", db.p, db.n, &s, &err), &err);
	assert_fails(store_db_rest(s, &rest, &err), &err, ERR_LIMIT, "larger than the space");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(other_tables_stay),   cmocka_unit_test(rows_of_paths_that_go),
	        cmocka_unit_test(empty_tables_stay),   cmocka_unit_test(other_stores_stay),
	        cmocka_unit_test(no_index_comes_back), cmocka_unit_test(unknown_is_named),
	        cmocka_unit_test(copies_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
