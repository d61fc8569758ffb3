/* SPDX-License-Identifier: MIT */
#include "store/sql.h"
#include "base/mem.h"
#include "base/show.h"

#include <string.h>

static enum err_code code_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_INTERRUPT: /* our own limit on steps */
	case SQLITE_TOOBIG:
	case SQLITE_NOMEM: /* of a size that a damaged file asks for */
		return ERR_LIMIT;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_IOERR:
		return ERR_IO;
	case SQLITE_FULL:
		return ERR_SPACE;
	default:
		return ERR_FORMAT;
	}
}

int sql_fail(struct err *err, sqlite3 *sql, int code, const char *name)
{
	const char *text = sql ? sqlite3_errmsg(sql) : sqlite3_errstr(code);
	char shown[SHOW_SIZE];

	if ((code & 0xff) == SQLITE_INTERRUPT)
		text = "the query took more steps than a valid database of its size needs";
	if (code_of(code) == ERR_BUSY)
		text = "locked by another process; try again when that is done";
	return err_set(err, code_of(code), "%s: %s", name, show_str(str_from(text), shown));
}

int sql_prepare(sqlite3 *sql, const char *name, const char *text, sqlite3_stmt **out,
                struct err *err)
{
	int code = sqlite3_prepare_v2(sql, text, -1, out, NULL);

	return code == SQLITE_OK ? 0 : sql_fail(err, sql, code, name);
}

int sql_step(sqlite3_stmt *stmt, const char *name, struct err *err)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		return 0;
	if (code == SQLITE_DONE)
		return 1;
	return sql_fail(err, sqlite3_db_handle(stmt), code, name);
}

int sql_exec(sqlite3 *sql, const char *name, const char *text, struct err *err)
{
	int code = sqlite3_exec(sql, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : sql_fail(err, sql, code, name);
}

void sql_done(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
	*stmt = NULL;
}

int sql_text(sqlite3_stmt *stmt, const struct sql_column *c, struct str *out, struct err *err)
{
	int type = sqlite3_column_type(stmt, c->number);
	struct str s = {NULL, 0};

	if (type == SQLITE_TEXT) {
		s.p = (const char *)sqlite3_column_text(stmt, c->number);
		s.n = (size_t)sqlite3_column_bytes(stmt, c->number);
	} else if (type != SQLITE_NULL) {
		return err_set(err, ERR_FORMAT, "%s is not text", c->what);
	}
	if (!s.p || !s.n)
		return c->optional ? 1 : err_set(err, ERR_FORMAT, "%s is missing", c->what);
	if (s.n > c->max)
		return err_set(err, ERR_LIMIT, "%s has %zu bytes, more than the limit of %zu",
		               c->what, s.n, c->max);
	if (memchr(s.p, '\0', s.n))
		return err_set(err, ERR_FORMAT, "%s has a NUL in it", c->what);
	*out = s;
	return 0;
}

int sql_int(sqlite3_stmt *stmt, int col, const char *what, bool optional, int64_t *out,
            struct err *err)
{
	int type = sqlite3_column_type(stmt, col);

	if (type == SQLITE_NULL)
		return optional ? 1 : err_set(err, ERR_FORMAT, "%s is missing", what);
	if (type != SQLITE_INTEGER)
		return err_set(err, ERR_FORMAT, "%s is not a whole number", what);
	*out = sqlite3_column_int64(stmt, col);
	return 0;
}
