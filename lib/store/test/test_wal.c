/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "store/test/log.h"

#define LIMIT (1u << 26)

static char dir[] = "/tmp/domstrap-wal-XXXXXX";

static void run(sqlite3 *sql, const char *text)
{
	assert_int_equal(sqlite3_exec(sql, text, NULL, NULL, NULL), SQLITE_OK);
}

static char *in_dir(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void slurp(const char *name, struct buf *out)
{
	_free_ char *path = in_dir(name);
	struct err err = ERR_INIT;

	buf_reset(out);
	assert_ok(io_read_file(AT_FDCWD, path, 1u << 26, out, &err), &err);
}

/* The sum over the table of a database with these bytes. */
static long long sum_of(const struct buf *db)
{
	_free_ char *path = in_dir("copy.sqlite");
	sqlite3_stmt *stmt;
	sqlite3 *sql;
	long long sum;
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(db->p, 1, db->n, f), db->n);
	fclose(f);
	assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
	run(sql, "PRAGMA journal_mode=delete");
	assert_int_equal(sqlite3_prepare_v2(sql, "SELECT sum(a), count(*) FROM t", -1, &stmt, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	sum = sqlite3_column_int64(stmt, 0) * 1000 + sqlite3_column_int64(stmt, 1);
	sqlite3_finalize(stmt);
	run(sql, "PRAGMA integrity_check");
	sqlite3_close(sql);
	unlink(path);
	return sum;
}

static sqlite3 *open_logged(void)
{
	_free_ char *path = in_dir("db.sqlite");
	sqlite3 *sql;

	assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
	run(sql, "PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0;"
	         "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, zeroblob(9000))");
	return sql;
}

static long long now(sqlite3 *sql)
{
	sqlite3_stmt *stmt;
	long long sum;

	assert_int_equal(sqlite3_prepare_v2(sql, "SELECT sum(a), count(*) FROM t", -1, &stmt, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	sum = sqlite3_column_int64(stmt, 0) * 1000 + sqlite3_column_int64(stmt, 1);
	sqlite3_finalize(stmt);
	return sum;
}

/* Growing, shrinking, checkpoints in between: always the same result as SQLite. */
static void follows_sqlite(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	_cleanup_(buf_fini) struct buf wal = BUF_INIT;
	struct err err = ERR_INIT;
	sqlite3 *sql = open_logged();

	for (int i = 0; i < 60; i++) {
		char text[128];

		snprintf(text, sizeof text, "INSERT INTO t VALUES (%d, zeroblob(%d))", i,
		         i * 777 % 20000);
		run(sql, text);
		if (i % 7 == 0)
			run(sql, "DELETE FROM t WHERE a % 5 = 0; UPDATE t SET a = a + 1");
		if (i % 20 == 19)
			run(sql, "VACUUM");
		if (i % 13 == 12)
			run(sql, "PRAGMA wal_checkpoint(PASSIVE)");
		if (i % 29 == 28)
			run(sql, "PRAGMA wal_checkpoint(TRUNCATE)");
		slurp("db.sqlite", &db);
		slurp("db.sqlite-wal", &wal);
		assert_ok(log_apply("test", &db, wal.p ? wal.p : "", wal.n, LIMIT, &err), &err);
		assert_int_equal(sum_of(&db), now(sql));
	}
	sqlite3_close(sql);
}

/* A torn last commit is ignored, and everything before it is applied. */
static void ends_at_a_tear(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	_cleanup_(buf_fini) struct buf wal = BUF_INIT;
	_cleanup_(buf_fini) struct buf torn = BUF_INIT;
	struct err err = ERR_INIT;
	sqlite3 *sql = open_logged();
	long long before;

	run(sql, "INSERT INTO t VALUES (5, 'x')");
	before = now(sql);
	slurp("db.sqlite-wal", &wal);
	run(sql, "INSERT INTO t VALUES (7, zeroblob(30000))");
	slurp("db.sqlite-wal", &torn);
	for (size_t n = wal.n; n < torn.n; n += 1000) {
		slurp("db.sqlite", &db);
		assert_ok(log_apply("test", &db, torn.p, n, LIMIT, &err), &err);
		assert_int_equal(sum_of(&db), before);
	}
	torn.p[wal.n + 2000] ^= 1;
	slurp("db.sqlite", &db);
	assert_ok(log_apply("test", &db, torn.p, torn.n, LIMIT, &err), &err);
	assert_int_equal(sum_of(&db), before);
	sqlite3_close(sql);
}

static void refuses(void **state)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	_cleanup_(buf_fini) struct buf wal = BUF_INIT;
	struct err err = ERR_INIT;
	sqlite3 *sql = open_logged();

	run(sql, "INSERT INTO t VALUES (5, 'x')");
	slurp("db.sqlite-wal", &wal);
	/* The log of a database with another page size. */
	buf_zeros(&db, 8192);
	db.p[16] = 2;
	assert_fails(log_apply("test", &db, wal.p, wal.n, LIMIT, &err), &err, ERR_FORMAT,
	             "another database");
	/* The limit also applies to a size given by the log. */
	slurp("db.sqlite", &db);
	assert_fails(log_apply("test", &db, wal.p, wal.n, 4096, &err), &err, ERR_LIMIT,
	             "limit of 4096");
	/* No log at all. */
	assert_ok(log_apply("test", &db, "", 0, LIMIT, &err), &err);
	assert_ok(log_apply("test", &db, "not a log, whatever it is, not at all", 37, LIMIT, &err),
	          &err);
	sqlite3_close(sql);
}

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/domstrap-wal-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	static const char *const names[] = {"db.sqlite", "db.sqlite-wal", "db.sqlite-shm"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_free_ char *path = in_dir(names[i]);

		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(follows_sqlite, make_dir, drop_dir),
	        cmocka_unit_test_setup_teardown(ends_at_a_tear, make_dir, drop_dir),
	        cmocka_unit_test_setup_teardown(refuses, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
