/* SPDX-License-Identifier: MIT */
/* Databases on disk: concurrent writers, logs left behind, users without permission. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "store/local.h"
#include "store/test/sample.h"

#define DB "/nix/var/nix/db"

/* Each test has its own root directory. */
static char root[64];

static char *in_root(const char *path)
{
	return xasprintf("%s%s", root, path);
}

static void put_file(const char *path, const void *p, size_t n)
{
	_free_ char *at = in_root(path);
	_close_ int fd = open(at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct err err = ERR_INIT;

	assert_true(fd >= 0);
	assert_ok(io_write(fd, at, p, n, &err), &err);
}

static void put_db(void)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;

	sample_db(&db);
	put_file(DB "/db.sqlite", db.p, db.n);
}

static int set_up(void **state)
{
	static const char *const dirs[] = {"/nix", "/nix/var", "/nix/var/nix", DB};

	snprintf(root, sizeof root, "/tmp/domstrap-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(chmod(root, 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		_free_ char *at = in_root(dirs[i]);

		assert_int_equal(mkdir(at, 0755), 0);
	}
	put_file(DB "/schema", "10", 2);
	put_db();
	return 0;
}

static int tear_down(void **state)
{
	_free_ char *command = xasprintf("rm -rf '%s'", root);

	return system(command);
}

static bool exists(const char *path)
{
	_free_ char *at = in_root(path);

	return access(at, F_OK) == 0;
}

static sqlite3 *writer_open(const char *mode)
{
	_free_ char *at = in_root(DB "/db.sqlite");
	_free_ char *pragma = xasprintf("PRAGMA journal_mode=%s; SELECT * FROM Refs", mode);
	sqlite3 *sql;

	assert_int_equal(sqlite3_open(at, &sql), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sql, pragma, NULL, NULL, NULL), SQLITE_OK);
	return sql;
}

static void writer_add(sqlite3 *sql, const char *name)
{
	_free_ char *text = xasprintf(
	        "INSERT INTO ValidPaths (path, hash, registrationTime, narSize) "
	        "SELECT '/nix/store/" D32 "-%s', hash, 1, 1 FROM ValidPaths WHERE id = 1; INSERT "
	        "INTO Refs VALUES (4, last_insert_rowid())",
	        name);

	assert_int_equal(sqlite3_exec(sql, text, NULL, NULL, NULL), SQLITE_OK);
}

/* Switch the database to a write-ahead log, with all data in the main file, as Nix
 * leaves it when its last process ends. */
static void make_wal(void)
{
	assert_int_equal(sqlite3_close(writer_open("wal")), SQLITE_OK);
}

static void assert_paths(size_t n)
{
	_cleanup_(local_store_freep) struct local_store *s = NULL;
	_cleanup_(closure_fini) struct closure c = {0};
	struct err err = ERR_INIT;

	assert_ok(local_store_open(root, &s, &err), &err);
	assert_ok(local_store_closure(s, P_TOP, &c, &err), &err);
	assert_int_equal(c.n, n);
}

static void at_rest(void **state)
{
	_cleanup_(local_store_freep) struct local_store *s = NULL;
	_free_ char *slashes = xasprintf("%s//", root);
	_free_ char *want = in_root(P_TOP);
	_free_ char *real = NULL;
	struct err err = ERR_INIT;

	assert_paths(3);
	make_wal();
	assert_paths(3);
	assert_false(exists(DB "/db.sqlite-wal"));
	assert_false(exists(DB "/db.sqlite-shm"));
	assert_ok(local_store_open(slashes, &s, &err), &err);
	assert_string_equal(local_store_root(s), root);
	real = local_store_real_path(s, P_TOP);
	assert_string_equal(real, want);
}

/* Names with special characters of URIs. */
static void odd_names(void **state)
{
	_cleanup_(local_store_freep) struct local_store *s = NULL;
	_free_ char *odd = in_root("/a?mode=rw&b#c%41 d");
	_free_ char *nix = xasprintf("%s/nix", odd);
	struct err err = ERR_INIT;

	make_wal();
	assert_int_equal(mkdir(odd, 0755), 0);
	assert_int_equal(symlink("../nix", nix), 0);
	assert_ok(local_store_open(odd, &s, &err), &err);
}

static void beside_a_writer(void **state)
{
	sqlite3 *sql;

	make_wal();
	sql = writer_open("wal");
	writer_add(sql, "new");
	assert_true(exists(DB "/db.sqlite-wal"));
	assert_paths(4);
	/* During its transaction, too. */
	assert_int_equal(sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	writer_add(sql, "newer");
	assert_paths(4);
	assert_int_equal(sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_paths(5);
	sqlite3_close(sql);
	assert_paths(5);
}

/*
 * A writer changes the database after it was opened. It moves Refs to other pages,
 * so that cached knowledge of the file becomes invalid.
 */
static void changed_underneath(void **state)
{
	static const char move[] = "DROP TRIGGER DeleteSelfRefs; CREATE TABLE r AS SELECT * FROM "
	                           "Refs; DROP TABLE Refs;"
	                           "ALTER TABLE r RENAME TO Refs";
	_cleanup_(local_store_freep) struct local_store *s = NULL;
	_cleanup_(closure_fini) struct closure c = {0};
	struct err err = ERR_INIT;
	sqlite3 *sql;

	make_wal();
	assert_ok(local_store_open(root, &s, &err), &err);
	sql = writer_open("wal");
	writer_add(sql, "new");
	assert_int_equal(sqlite3_exec(sql, move, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sql);
	assert_ok(local_store_closure(s, P_TOP, &c, &err), &err);
	assert_int_equal(c.n, 4);
}

static void locked(void **state)
{
	_cleanup_(local_store_freep) struct local_store *s = NULL;
	struct err err = ERR_INIT;
	sqlite3 *sql = writer_open("delete");

	assert_int_equal(sqlite3_exec(sql, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_fails(local_store_open(root, &s, &err), &err, ERR_BUSY, "locked");
	assert_int_equal(sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_paths(3);
	sqlite3_close(sql);
}

/* A lock that is released in time is waited for. */
static void waits(void **state)
{
	int ready[2], status;
	pid_t child;
	char c;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		sqlite3 *sql = writer_open("delete");

		sqlite3_exec(sql, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(300000);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_paths(3);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ready[0]);
	close(ready[1]);
}

/*
 * Call it as a user who owns nothing here. A failed assertion ends the child with a
 * status other than 0.
 */
static void as_nobody(void (*what)(void))
{
	int status;
	pid_t child;

	if (geteuid() != 0)
		skip();
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(9);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define child_assert(ok)                                                                           \
	do {                                                                                       \
		if (!(ok)) {                                                                       \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #ok, err.text);     \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void nobody_reads(size_t n)
{
	_cleanup_(local_store_freep) struct local_store *s = NULL;
	_cleanup_(closure_fini) struct closure c = {0};
	struct err err = ERR_INIT;

	child_assert(local_store_open(root, &s, &err) == 0);
	child_assert(local_store_closure(s, P_TOP, &c, &err) == 0);
	child_assert(c.n == n);
}

static void nobody_reads_3(void)
{
	nobody_reads(3);
}

static void nobody_reads_4(void)
{
	nobody_reads(4);
}

static void nobody_is_told(void)
{
	struct local_store *s = NULL;
	struct err err = ERR_INIT;

	child_assert(local_store_open(root, &s, &err) == -ERR_IO);
	child_assert(strstr(err.text, "-wal file") && strstr(err.text, "as root once"));
}

static void nobody_may_not(void)
{
	struct local_store *s = NULL;
	struct err err = ERR_INIT;

	child_assert(local_store_open(root, &s, &err) == -ERR_IO);
	child_assert(strstr(err.text, "not readable for this user"));
}

static void any_user(void **state)
{
	_free_ char *db = in_root(DB "/db.sqlite");
	sqlite3 *sql;

	as_nobody(nobody_reads_3);
	make_wal();
	as_nobody(nobody_reads_3);
	sql = writer_open("wal");
	as_nobody(nobody_reads_3);
	writer_add(sql, "new");
	as_nobody(nobody_reads_4);
	sqlite3_close(sql);
	as_nobody(nobody_reads_4);
	assert_int_equal(chmod(db, 0600), 0);
	as_nobody(nobody_may_not);
}

/* A killed writer leaves its log, with or without its index. */
static void left_log(void **state)
{
	_free_ char *shm = in_root(DB "/db.sqlite-shm");
	int status;
	pid_t child;

	make_wal();
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		writer_add(writer_open("wal"), "new");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	as_nobody(nobody_reads_4);
	assert_paths(4);
	assert_int_equal(unlink(shm), 0);
	as_nobody(nobody_is_told);
	assert_paths(4);
}

/* An incomplete transaction in a rollback journal: only a writer can undo it. */
static void left_journal(void **state)
{
	_cleanup_(local_store_freep) struct local_store *s = NULL;
	struct err err = ERR_INIT;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		sqlite3 *sql = writer_open("delete");

		sqlite3_exec(sql, "PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN", NULL, NULL,
		             NULL);
		for (int i = 0; i < 3000; i++) {
			_free_ char *name = xasprintf("new%d", i);

			writer_add(sql, name);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(exists(DB "/db.sqlite-journal"));
	assert_fails(local_store_open(root, &s, &err), &err, ERR_IO, "unfinished transaction");
}

static void schemas(void **state)
{
	static const struct {
		const char *text;
		enum err_code code; /* ERR_NONE: good */
		const char *words;
	} rows[] = {
	        {"10\n", ERR_NONE, NULL},
	        {"11", ERR_UNSUPPORTED, "schema 11 is newer than 10"},
	        {"9", ERR_UNSUPPORTED, "schema 9 is older than 10"},
	        {"", ERR_FORMAT, "not a schema number"},
	        {"ten", ERR_FORMAT, "\"ten\" is not"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(local_store_freep) struct local_store *s = NULL;

		put_file(DB "/schema", rows[i].text, strlen(rows[i].text));
		if (rows[i].words)
			assert_fails(local_store_open(root, &s, &err), &err, rows[i].code,
			             rows[i].words);
		else
			assert_ok(local_store_open(root, &s, &err), &err);
	}
}

static void no_store(void **state)
{
	_free_ char *db = in_root(DB "/db.sqlite");
	struct local_store *s = NULL;
	struct err err = ERR_INIT;

	assert_fails(local_store_open("/tmp/domstrap-no-such", &s, &err), &err, ERR_NOENT,
	             "/tmp/domstrap-no-such has no Nix store");
	put_file(DB "/db.sqlite", "", 0);
	assert_fails(local_store_open(root, &s, &err), &err, ERR_FORMAT, "not an SQLite");
	assert_int_equal(unlink(db), 0);
	assert_fails(local_store_open(root, &s, &err), &err, ERR_NOENT, "has no Nix store");
	assert_int_equal(mkdir(db, 0755), 0);
	assert_fails(local_store_open(root, &s, &err), &err, ERR_FORMAT, "not a regular file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(at_rest),         TEST(odd_names),
	        TEST(beside_a_writer), TEST(changed_underneath),
	        TEST(locked),          TEST(waits),
	        TEST(any_user),        TEST(left_log),
	        TEST(left_journal),    TEST(schemas),
	        TEST(no_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
