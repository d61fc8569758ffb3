/* SPDX-License-Identifier: MIT */
/*
 * Opening a database that others may be writing, without writing ourselves.
 *
 * In the rollback mode SQLite's locks on the file are enough (mode=ro). In the
 * write-ahead mode, Nix's default, a reader wants the log (-wal) and its index
 * (-shm), and where they are missing it would make them. So:
 *
 *     no log, or an empty one   the file is whole: read it without locks
 *                               (immutable=1) and look at its time and size
 *                               afterwards, as a writer may have come
 *     a log with its index      readonly_shm=1
 *     a log alone               mode=ro, which can make the index only for a
 *                               user who may write there; others get an error
 */
#include "store/sql.h"
#include "store/store_db.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000
#define HEADER STORE_DB_HEADER
/* Offsets in the header: the file format's versions for writing and reading. */
#define WRITE_VERSION 18
#define READ_VERSION 19
#define VERSION_WAL 2
#define PAGE_SIZE 16
#define CHANGES 24
#define PAGE_COUNT 28
#define VALID_FOR 92
/* No row of Nix's is larger. */
#define ROW_MAX (1 << 20)

/*
 * A query may take this many steps of SQLite's machine: some for every byte,
 * while honest ones need less than one. Pages that point at each other could
 * else make it run for ever.
 */
#define STEPS_LEAST 2000000
#define STEPS_PER_BYTE 4
#define STEPS_BETWEEN 10000

static int count_steps(void *ctx)
{
	struct store_db *db = ctx;

	db->budget -= STEPS_BETWEEN;
	return db->budget < 0;
}

void store_db_refill(struct store_db *db)
{
	db->budget = STEPS_LEAST + STEPS_PER_BYTE * (int64_t)db->size;
}

/* Set before the first page is read: its schema is untrusted. */
static int harden(struct store_db *db, struct err *err)
{
	static const int off[] = {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
	                          SQLITE_DBCONFIG_ENABLE_VIEW};

	sqlite3_extended_result_codes(db->sql, 1);
	sqlite3_busy_timeout(db->sql, BUSY_MS);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (size_t i = 0; i < ARRAY_LEN(off); i++)
		sqlite3_db_config(db->sql, off[i], 0, NULL);
	sqlite3_limit(db->sql, SQLITE_LIMIT_LENGTH, ROW_MAX);
	sqlite3_limit(db->sql, SQLITE_LIMIT_ATTACHED, 0);
	store_db_refill(db);
	sqlite3_progress_handler(db->sql, STEPS_BETWEEN, count_steps, db);
	/* If a mapped file is truncated meanwhile, reading it raises SIGBUS. */
	return sql_exec(db->sql, db->name, "PRAGMA cell_size_check=1; PRAGMA mmap_size=0", err);
}

/* The three tables are there; this reads the first page, so opening fails here. */
static int probe(struct store_db *db, struct err *err)
{
	static const char query[] = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name IN "
	                            "('ValidPaths', 'Refs', 'DerivationOutputs')";
	_stmt_ sqlite3_stmt *stmt = NULL;
	unsigned tables = 0;
	int rc = sql_prepare(db->sql, db->name, query, &stmt, err);

	if (rc < 0)
		return rc;
	while ((rc = sql_step(stmt, db->name, err)) == 0)
		tables++;
	if (rc < 0)
		return rc;
	if (tables != 3)
		return err_set(err, ERR_FORMAT, "%s: not a Nix database: Nix's tables are missing",
		               db->name);
	return 0;
}

/* A file name as a URI, whatever bytes it has. */
static char *uri_of(const char *path, const char *options)
{
	struct buf uri = BUF_INIT;

	buf_puts(&uri, "file:");
	for (const char *c = path; *c; c++)
		buf_putf(&uri, "%%%02x", (unsigned char)*c);
	buf_putf(&uri, "?%s", options);
	return buf_steal(&uri);
}

static int try_open(struct store_db *db, const char *options, struct err *err)
{
	_free_ char *uri = uri_of(db->path, options);
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
	int code, rc;

	sqlite3_close(db->sql);
	db->sql = NULL;
	code = sqlite3_open_v2(uri, &db->sql, flags, NULL);
	if (code != SQLITE_OK)
		return sql_fail(err, db->sql, code, db->name);
	rc = harden(db, err);
	return rc < 0 ? rc : probe(db, err);
}

/* Bytes of the file beside the database; 0 where it is missing. */
static int beside(const struct store_db *db, const char *suffix, uint64_t *out, struct err *err)
{
	_free_ char *path = xasprintf("%s%s", db->path, suffix);
	struct stat st;

	*out = 0;
	if (stat(path, &st) == 0)
		*out = (uint64_t)st.st_size;
	else if (errno != ENOENT)
		return err_sys(err, errno, "%s", path);
	return 0;
}

static void look(struct store_db *db, const struct stat *st)
{
	db->seen.size = (uint64_t)st->st_size;
	db->seen.ino = st->st_ino;
	db->seen.mtime_sec = st->st_mtim.tv_sec;
	db->seen.mtime_nsec = st->st_mtim.tv_nsec;
}

bool store_db_changed(const struct store_db *db)
{
	struct store_db now = {0};
	struct stat st;

	if (stat(db->path, &st) < 0)
		return true;
	look(&now, &st);
	return now.seen.size != db->seen.size || now.seen.ino != db->seen.ino ||
	       now.seen.mtime_sec != db->seen.mtime_sec ||
	       now.seen.mtime_nsec != db->seen.mtime_nsec;
}

/* Read the header, and note the file's state before the rest of it is read. */
static int read_header(struct store_db *db, uint8_t header[HEADER], struct err *err)
{
	_close_ int fd = open(db->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t got;
	int rc;

	if (fd < 0)
		return err_sys(err, errno, "%s", db->path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s: stat", db->path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_FORMAT, "%s: not a regular file", db->path);
	look(db, &st);
	db->size = db->seen.size;
	rc = io_read(fd, db->path, header, HEADER, &got, err);
	if (rc < 0)
		return rc;
	if (got < HEADER || memcmp(header, "SQLite format 3", 16) != 0)
		return err_set(err, ERR_FORMAT, "%s: not an SQLite database", db->path);
	return 0;
}

/* Only the log's owner may read a log without index. */
static int open_logged(struct store_db *db, struct err *err)
{
	int rc = try_open(db, "mode=ro&readonly_shm=1", err);

	if (rc == -ERR_IO)
		rc = try_open(db, "mode=ro", err);
	if (rc == -ERR_IO)
		return err_prefix(
		        err,
		        "%s has changes in its -wal file, which only a user with write access can "
		        "read; run any Nix command, such as \"nix-store --verify\", as root once",
		        db->path);
	return rc;
}

static int open_unlogged(struct store_db *db, uint64_t journal, struct err *err)
{
	int rc = try_open(db, "mode=ro", err);

	if (rc == -ERR_IO && journal)
		return err_prefix(err,
		                  "%s has an unfinished transaction; run any Nix command, such as "
		                  "\"nix-store --verify\", as root once",
		                  db->path);
	return rc;
}

int store_db_reopen(struct store_db *db, struct err *err)
{
	uint8_t header[HEADER];
	uint64_t wal, journal;
	int rc = read_header(db, header, err);

	if (rc < 0)
		return rc;
	rc = beside(db, "-wal", &wal, err);
	if (rc < 0)
		return rc;
	rc = beside(db, "-journal", &journal, err);
	if (rc < 0)
		return rc;
	db->size += wal;
	db->immutable = header[READ_VERSION] == VERSION_WAL && !wal && !journal;
	if (db->immutable)
		return try_open(db, "mode=ro&immutable=1", err);
	if (wal)
		return open_logged(db, err);
	return open_unlogged(db, journal, err);
}

int store_db_open(const char *path, struct store_db **out, struct err *err)
{
	_cleanup_(store_db_freep) struct store_db *db = xcalloc(1, sizeof *db);
	int rc;

	db->path = xstrdup(path);
	db->name = xstrdup(path);
	rc = store_db_reopen(db, err);
	if (rc < 0)
		return rc;
	*out = take(&db);
	return 0;
}

/*
 * SQLite cannot read memory in the write-ahead mode. Without a log the file is
 * the same in both modes, but for the two version bytes.
 */
static int deserialize(struct store_db *db, uint8_t *p, size_t n, struct err *err)
{
	int code;

	if (p[READ_VERSION] == VERSION_WAL)
		p[WRITE_VERSION] = p[READ_VERSION] = 1;
	code = sqlite3_deserialize(db->sql, "main", p, (sqlite3_int64)n, (sqlite3_int64)n,
	                           SQLITE_DESERIALIZE_READONLY);
	return code == SQLITE_OK ? 0 : sql_fail(err, db->sql, code, db->name);
}

uint64_t store_db_bytes(const void *header, size_t n, uint64_t size)
{
	struct bytes in = bytes_over(header, n);
	uint64_t page, pages;
	uint32_t changes;

	bytes_seek(&in, PAGE_SIZE);
	page = bytes_be16(&in);
	bytes_seek(&in, CHANGES);
	changes = bytes_be32(&in);
	pages = bytes_be32(&in);
	bytes_seek(&in, VALID_FOR);
	/* SQLite before 3.7.0 (2010) set only the change counter. */
	if (bytes_be32(&in) != changes || !bytes_ok(&in) || !pages)
		return size;
	return MIN(size, pages * (page == 1 ? 65536 : page));
}

/*
 * Check that the file has all pages that its header counts. SQLite would notice only when it reads
 * a missing one.
 */
static bool whole(const uint8_t *p, size_t n)
{
	struct bytes in = bytes_over(p, n);
	uint64_t page, pages;

	bytes_seek(&in, PAGE_SIZE);
	page = bytes_be16(&in);
	bytes_seek(&in, PAGE_COUNT);
	pages = bytes_be32(&in);
	return pages * (page == 1 ? 65536 : page) <= n;
}

int store_db_open_bytes(const char *name, void *p, size_t n, struct store_db **out, struct err *err)
{
	_cleanup_(store_db_freep) struct store_db *db = xcalloc(1, sizeof *db);
	int code, rc;

	db->name = xstrdup(name);
	db->size = n;
	if (n < HEADER || memcmp(p, "SQLite format 3", 16) != 0)
		return err_set(err, ERR_FORMAT, "%s: not an SQLite database", name);
	if (!whole(p, n))
		return err_set(err, ERR_FORMAT, "%s: truncated at %zu bytes", name, n);
	code = sqlite3_open_v2(":memory:", &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	                       NULL);
	if (code != SQLITE_OK)
		return sql_fail(err, db->sql, code, name);
	rc = deserialize(db, p, n, err);
	if (rc < 0)
		return rc;
	rc = harden(db, err);
	if (rc < 0)
		return rc;
	rc = probe(db, err);
	if (rc < 0)
		return rc;
	*out = take(&db);
	return 0;
}

void store_db_free(struct store_db *db)
{
	if (!db)
		return;
	sqlite3_close(db->sql);
	free(db->name);
	free(db->path);
	free(db);
}

void store_db_freep(struct store_db **db)
{
	store_db_free(*db);
}
