/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a new database. SQLite makes them in memory; what in its header
 * tells the host's SQLite or counts its steps is then set to fixed values.
 * Rows go in by ascending key and indexes are made last, so that every page
 * is filled in one order.
 */
#include "store/sql.h"
#include "store/store_db.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "nix/hash.h"

#include <string.h>

#define NAME "the image's Nix database"

static const char before[] = "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; PRAGMA auto_vacuum=0;"
                             "PRAGMA secure_delete=1; PRAGMA foreign_keys=0; BEGIN";

/* Nix's schema 10. */
static const char tables[] =
        "CREATE TABLE ValidPaths ("
        " id integer primary key autoincrement not null,"
        " path text unique not null,"
        " hash text not null,"
        " registrationTime integer not null,"
        " deriver text,"
        " narSize integer,"
        " ultimate integer,"
        " sigs text,"
        " ca text);"
        "CREATE TABLE Refs ("
        " referrer integer not null,"
        " reference integer not null,"
        " primary key (referrer, reference),"
        " foreign key (referrer) references ValidPaths(id) on delete cascade,"
        " foreign key (reference) references ValidPaths(id) on delete restrict);"
        "CREATE TABLE DerivationOutputs ("
        " drv integer not null,"
        " id text not null,"
        " path text not null,"
        " primary key (drv, id),"
        " foreign key (drv) references ValidPaths(id) on delete cascade)";

static const char index_referrer[] = "CREATE INDEX IndexReferrer on Refs(referrer)";
static const char after[] =
        "CREATE INDEX IndexReference on Refs(reference);"
        "CREATE INDEX IndexDerivationOutputs on DerivationOutputs(path);"
        "CREATE TRIGGER DeleteSelfRefs before delete on ValidPaths begin"
        " delete from Refs where referrer = old.id and reference = old.id; end;";

static void sql_close(sqlite3 **sql)
{
	sqlite3_close(*sql);
}

/* The id of a row is its index plus one. */
static int64_t id_of(size_t index)
{
	return (int64_t)index + 1;
}

static int insert(sqlite3_stmt *stmt, struct err *err)
{
	int rc = sql_step(stmt, NAME, err);

	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

/* NULL is SQL's NULL. */
static void bind_text(sqlite3_stmt *stmt, int col, const char *text)
{
	sqlite3_bind_text(stmt, col, text, -1, SQLITE_STATIC);
}

#define OWN_TIME INT64_MIN

/* time: OWN_TIME for each path's own. */
static int put_paths(sqlite3 *sql, const struct closure *c, int64_t time, struct err *err)
{
	static const char text[] = "INSERT INTO ValidPaths (id, path, hash, registrationTime, "
	                           "deriver, narSize, sigs, ca, ultimate) VALUES "
	                           "(?,?,?,?,?,?,?,?,?)";
	_stmt_ sqlite3_stmt *stmt = NULL;
	char hex[HASH_HEX_SIZE];
	int rc = sql_prepare(sql, NAME, text, &stmt, err);

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		const struct path_info *info = &c->paths[i];

		sqlite3_bind_int64(stmt, 1, id_of(i));
		bind_text(stmt, 2, info->path);
		bind_text(stmt, 3, hash_format_hex(info->nar_hash, hex));
		sqlite3_bind_int64(stmt, 4, time == OWN_TIME ? info->registration_time : time);
		bind_text(stmt, 5, info->deriver);
		/* Nix's value for "unknown". */
		if (info->nar_size)
			sqlite3_bind_int64(stmt, 6, (int64_t)info->nar_size);
		else
			sqlite3_bind_null(stmt, 6);
		bind_text(stmt, 7, info->sigs);
		bind_text(stmt, 8, info->ca);
		if (time == OWN_TIME && info->ultimate)
			sqlite3_bind_int64(stmt, 9, 1);
		else
			sqlite3_bind_null(stmt, 9);
		rc = insert(stmt, err);
	}
	return rc;
}

static int put_refs(sqlite3 *sql, const struct closure *c, struct err *err)
{
	static const char text[] = "INSERT INTO Refs (referrer, reference) VALUES (?,?)";
	_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare(sql, NAME, text, &stmt, err);

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		for (size_t r = 0; rc == 0 && r < c->paths[i].nrefs; r++) {
			sqlite3_bind_int64(stmt, 1, id_of(i));
			sqlite3_bind_int64(stmt, 2, id_of(c->paths[i].refs[r]));
			rc = insert(stmt, err);
		}
	}
	return rc;
}

static int put_outputs(sqlite3 *sql, const struct closure *c, struct err *err)
{
	static const char text[] = "INSERT INTO DerivationOutputs (drv, id, path) VALUES (?,?,?)";
	_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare(sql, NAME, text, &stmt, err);

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		for (size_t o = 0; rc == 0 && o < c->paths[i].noutputs; o++) {
			sqlite3_bind_int64(stmt, 1, id_of(i));
			bind_text(stmt, 2, c->paths[i].outputs[o].id);
			bind_text(stmt, 3, c->paths[i].outputs[o].path);
			rc = insert(stmt, err);
		}
	}
	return rc;
}

static int fill(sqlite3 *sql, const struct closure *c, int64_t time, struct store_db_rest *rest,
                struct err *err)
{
	int rc = sql_exec(sql, NAME, before, err);

	if (rc == 0)
		rc = sql_exec(sql, NAME, tables, err);
	if (rc == 0)
		rc = put_paths(sql, c, time, err);
	if (rc == 0)
		rc = put_refs(sql, c, err);
	if (rc == 0)
		rc = put_outputs(sql, c, err);
	if (rc == 0 && store_db_rest_has_index_referrer(rest))
		rc = sql_exec(sql, NAME, index_referrer, err);
	if (rc == 0)
		rc = sql_exec(sql, NAME, after, err);
	if (rc == 0)
		rc = store_db_rest_put(rest, sql, err);
	return rc == 0 ? sql_exec(sql, NAME, "COMMIT", err) : rc;
}

static void put_be32(char *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (char)v;
}

/* https://www.sqlite.org/fileformat2.html, section 1.3. */
static void pin_header(char *p)
{
	put_be32(p + 24, 1);       /* file change counter */
	put_be32(p + 92, 1);       /* the change counter for which the next field is valid */
	put_be32(p + 96, 3040001); /* the SQLite that wrote it last */
}

static int build(const struct closure *c, int64_t time, struct store_db_rest *rest,
                 sqlite3_int64 limit, struct buf *out, struct err *err)
{
	_cleanup_(sql_close) sqlite3 *sql = NULL;
	sqlite3_int64 size = 0;
	unsigned char *image;
	size_t at = out->n;
	int code = sqlite3_open_v2(":memory:", &sql,
	                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                           NULL);
	int rc;

	/* A database in one piece can be taken without a copy. */
	if (code == SQLITE_OK)
		code = sqlite3_deserialize(sql, "main", NULL, 0, 0,
		                           SQLITE_DESERIALIZE_RESIZEABLE |
		                                   SQLITE_DESERIALIZE_FREEONCLOSE);
	if (code != SQLITE_OK)
		return sql_fail(err, sql, code, NAME);
	if (limit)
		(void)sqlite3_file_control(sql, "main", SQLITE_FCNTL_SIZE_LIMIT, &limit);
	rc = fill(sql, c, time, rest, err);
	if (rc == -ERR_SPACE)
		return err_set(err, ERR_LIMIT, NAME ": would be larger than %lld bytes",
		               (long long)limit);
	if (rc < 0)
		return rc;
	image = sqlite3_serialize(sql, "main", &size, SQLITE_SERIALIZE_NOCOPY);
	if (!image)
		return err_set(err, ERR_LIMIT, NAME ": too large to build in memory");
	buf_put(out, image, (size_t)size);
	pin_header(out->p + at);
	return 0;
}

int store_db_build(const struct closure *c, int64_t registration_time, struct buf *out,
                   struct err *err)
{
	return build(c, registration_time, NULL, 0, out, err);
}

int store_db_rebuild(const struct closure *c, struct store_db_rest *rest, struct buf *out,
                     struct err *err)
{
	return build(c, OWN_TIME, rest, STORE_DB_MAX, out, err);
}
