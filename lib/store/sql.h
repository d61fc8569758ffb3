/* SPDX-License-Identifier: MIT */
/* SQLite in this house's manners; inside lib/store only. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/err.h"
#include "base/str.h"

/* A row of another store's directory, as one database may hold, too. */
#define STORE_DB_FOREIGN(path) "(substr(" path ", 1, 11) <> '/nix/store/')"

/* A database, opened for reading, and how it was opened. */
struct store_db {
	sqlite3 *sql;
	char *name;     /* for error texts */
	char *path;     /* NULL: bytes in memory */
	uint64_t size;  /* bytes, its log included */
	int64_t budget; /* steps that a query may still take, see store_db_open.c */
	bool immutable; /* read without locks: whether it changed is seen afterwards */
	struct {
		uint64_t size, ino;
		int64_t mtime_sec, mtime_nsec;
	} seen; /* the file before it was opened */
};

/* Close and open again; after a failure db can only be freed. */
int store_db_reopen(struct store_db *db, struct err *err);
/* Give the queries that follow their full number of steps. */
void store_db_refill(struct store_db *db);
/* The file is not what it was when it was opened. */
bool store_db_changed(const struct store_db *db);

struct store_db_rest;
/* Put what was kept into a new database, in its transaction. */
int store_db_rest_put(struct store_db_rest *r, sqlite3 *sql, struct err *err);
/* Whether the database that it is of has an index of the name IndexReferrer. */
bool store_db_rest_has_index_referrer(const struct store_db_rest *r);

/* -ERR_* for an SQLite result, with its message; name is what was read. */
int sql_fail(struct err *err, sqlite3 *sql, int code, const char *name);
/* Prepare one statement; name for errors. *out is for sql_done(). */
int sql_prepare(sqlite3 *sql, const char *name, const char *text, sqlite3_stmt **out,
                struct err *err);
/* 0: a row, 1: no more rows, or -ERR_*. */
int sql_step(sqlite3_stmt *stmt, const char *name, struct err *err);
/* Run statements that give no rows. */
int sql_exec(sqlite3 *sql, const char *name, const char *text, struct err *err);
void sql_done(sqlite3_stmt **stmt);
#define _stmt_ _cleanup_(sql_done)

struct sql_column {
	int number;
	const char *what; /* its name, for errors */
	size_t max;       /* bytes of a text */
	bool optional;
};

/*
 * A column of the current row. Text is borrowed until the next step; it has no
 * NUL inside. A NULL or, for text, an empty column gives 1 where optional, else
 * -ERR_FORMAT; so does another type.
 */
int sql_text(sqlite3_stmt *stmt, const struct sql_column *c, struct str *out, struct err *err);
int sql_int(sqlite3_stmt *stmt, int col, const char *what, bool optional, int64_t *out,
            struct err *err);

#endif
