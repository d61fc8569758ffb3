/* SPDX-License-Identifier: MIT */
/*
 * What a database holds beside the paths of /nix/store. Such rows are copied
 * as they are into a database in memory, "k0", "k1" and so on, with store paths
 * in place of row numbers, and from there into the new database.
 *
 *     Realisations, RealisationsRefs   content-addressed derivations, Nix 2.4 to 2.33
 *     BuildTraceV2, BuildTraceV3       the same since
 *     SchemaMigrations                 what Nix since 2.26 did to its tables
 *     rows of other store directories  ValidPaths, Refs, DerivationOutputs
 */
#include "store/sql.h"
#include "store/store_db.h"
#include "base/mem.h"
#include "base/show.h"

#include <stdio.h>
#include <string.h>

#define NAME "the rest of the Nix database"
#define NAMES_MAX 4u
/*
 * Copies take no more than they do in the database: a byte for a cell and its
 * text. Twice as much, since store paths stand for numbers.
 */
#define CELL 1
#define ROOM(size) (2 * (size) + 65536)

/* The row's path of an id, and never more than one. */
#define PATH_OF(id) "(SELECT v.path FROM ValidPaths v WHERE v.id = " id " LIMIT 1)"

struct table {
	const char *name;
	const char *columns; /* each between commas */
	unsigned n_columns;
	bool of_three;      /* of the tables that all have: only rows of other stores */
	const char *create; /* with its indexes and triggers */
	const char *read, *put;
};

static const struct table tables[] = {
        {"ValidPaths", ",id,path,hash,registrationTime,deriver,narSize,ultimate,sigs,ca,", 9, true,
         NULL,
         "SELECT path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca "
         "FROM ValidPaths WHERE " STORE_DB_FOREIGN("path") " ORDER BY path",
         "INSERT OR IGNORE INTO ValidPaths (path, hash, registrationTime, deriver, narSize, "
         "ultimate, sigs, ca) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
        {"Refs", ",referrer,reference,", 2, true, NULL,
         "SELECT a, b FROM (SELECT " PATH_OF("referrer") " a, " PATH_OF(
                 "reference") " b FROM Refs)"
                              " WHERE " STORE_DB_FOREIGN("a") " OR " STORE_DB_FOREIGN(
                                      "b") " ORDER BY a, b",
         "INSERT OR IGNORE INTO Refs SELECT a.id, b.id FROM ValidPaths a, ValidPaths b "
         "WHERE a.path = ?1 AND b.path = ?2"},
        {"DerivationOutputs", ",drv,id,path,", 3, true, NULL,
         "SELECT a, id, path FROM (SELECT " PATH_OF("drv") " a, id, path FROM DerivationOutputs)"
                                                           " WHERE " STORE_DB_FOREIGN(
                                                                   "a") " ORDER BY a, id",
         "INSERT OR IGNORE INTO DerivationOutputs SELECT id, ?2, ?3 FROM ValidPaths "
         "WHERE path = ?1"},
        {"Realisations", ",id,drvPath,outputName,outputPath,signatures,", 5, false,
         "CREATE TABLE Realisations ("
         " id integer primary key autoincrement not null,"
         " drvPath text not null,"
         " outputName text not null,"
         " outputPath integer not null,"
         " signatures text,"
         " foreign key (outputPath) references ValidPaths(id) on delete cascade);"
         "CREATE INDEX IndexRealisations on Realisations(drvPath, outputName);"
         "CREATE INDEX IndexRealisationsRefsOnOutputPath on Realisations(outputPath)",
         "SELECT id, drvPath, outputName, " PATH_OF("outputPath") ", signatures "
                                                                  "FROM Realisations ORDER BY id",
         "INSERT INTO Realisations SELECT ?1, ?2, ?3, id, ?5 FROM ValidPaths WHERE path = ?4"},
        {"RealisationsRefs", ",referrer,realisationReference,", 2, false,
         "CREATE TABLE RealisationsRefs ("
         " referrer integer not null,"
         " realisationReference integer,"
         " foreign key (referrer) references Realisations(id) on delete cascade,"
         " foreign key (realisationReference) references Realisations(id) on delete restrict);"
         "CREATE INDEX IndexRealisationsRefsRealisationReference"
         " on RealisationsRefs(realisationReference);"
         "CREATE INDEX IndexRealisationsRefs on RealisationsRefs(referrer);"
         "CREATE TRIGGER DeleteSelfRefsViaRealisations before delete on ValidPaths begin"
         " delete from RealisationsRefs where realisationReference in"
         " (select id from Realisations where outputPath = old.id); end",
         "SELECT referrer, realisationReference FROM RealisationsRefs ORDER BY 1, 2",
         "INSERT INTO RealisationsRefs SELECT ?1, ?2 WHERE "
         "EXISTS (SELECT 1 FROM Realisations WHERE id = ?1) AND "
         "(?2 IS NULL OR EXISTS (SELECT 1 FROM Realisations WHERE id = ?2))"},
        {"BuildTraceV2", ",id,drvPath,outputName,outputPath,signatures,", 5, false,
         "CREATE TABLE BuildTraceV2 ("
         " id integer primary key autoincrement not null,"
         " drvPath text not null,"
         " outputName text not null,"
         " outputPath integer not null,"
         " signatures text,"
         " foreign key (outputPath) references ValidPaths(id) on delete cascade);"
         "CREATE INDEX IndexBuildTraceV2 on BuildTraceV2(drvPath, outputName)",
         "SELECT id, drvPath, outputName, " PATH_OF("outputPath") ", signatures "
                                                                  "FROM BuildTraceV2 ORDER BY id",
         "INSERT INTO BuildTraceV2 SELECT ?1, ?2, ?3, id, ?5 FROM ValidPaths WHERE path = ?4"},
        {"BuildTraceV3", ",id,drvPath,outputName,outputPath,signatures,", 5, false,
         "CREATE TABLE BuildTraceV3 ("
         " id integer primary key autoincrement not null,"
         " drvPath text not null,"
         " outputName text not null,"
         " outputPath text not null,"
         " signatures text);"
         "CREATE INDEX IndexBuildTraceV3 on BuildTraceV3(drvPath, outputName)",
         "SELECT id, drvPath, outputName, outputPath, signatures FROM BuildTraceV3 ORDER BY id",
         "INSERT INTO BuildTraceV3 VALUES (?1, ?2, ?3, ?4, ?5)"},
        {"SchemaMigrations", ",migration,", 1, false,
         "CREATE TABLE SchemaMigrations (migration text primary key not null)",
         "SELECT migration FROM SchemaMigrations ORDER BY 1",
         "INSERT OR IGNORE INTO SchemaMigrations VALUES (?1)"},
};

struct store_db_rest {
	sqlite3 *sql;
	bool has[ARRAY_LEN(tables)];
	bool no_index_referrer; /* Nix dropped it in 2026 */
	uint64_t room;          /* bytes that may still be copied */
	struct buf lost;        /* names, parted by ", " */
	unsigned n_lost;
};

void store_db_rest_free(struct store_db_rest *r)
{
	if (!r)
		return;
	sqlite3_close(r->sql);
	buf_fini(&r->lost);
	free(r);
}

void store_db_rest_freep(struct store_db_rest **r)
{
	store_db_rest_free(*r);
}

const char *store_db_rest_lost(const struct store_db_rest *r)
{
	return r && r->n_lost ? r->lost.p : NULL;
}

/* ---- what is there -------------------------------------------------------- */

/* "table", "Notes" or "column", "x", " of Refs". */
static void lose(struct store_db_rest *r, const char *what, const char *name, const char *more)
{
	char shown[SHOW_SIZE];

	if (r->n_lost++ > NAMES_MAX)
		return;
	buf_puts(&r->lost, r->n_lost > 1 ? ", " : "");
	if (r->n_lost > NAMES_MAX)
		buf_puts(&r->lost, "and others");
	else
		buf_putf(&r->lost, "%s \"%s\"%s", what, show_str(str_from(name), shown), more);
}

static size_t table_of(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(tables) && strcmp(tables[i].name, name) != 0)
		i++;
	return i;
}

/* SQL text may have NULs inside; such a name is none of ours. */
static const char *column_text(sqlite3_stmt *stmt, int col)
{
	const char *s = (const char *)sqlite3_column_text(stmt, col);

	return s ? s : "";
}

static void see_object(struct store_db_rest *r, const char *type, const char *name)
{
	size_t i = table_of(name);

	if (!strcmp(type, "index")) {
		r->no_index_referrer = r->no_index_referrer && strcmp(name, "IndexReferrer") != 0;
	} else if (!strcmp(type, "trigger")) {
		if (strcmp(name, "DeleteSelfRefs") != 0 &&
		    strcmp(name, "DeleteSelfRefsViaRealisations") != 0)
			lose(r, type, name, "");
	} else if (!strcmp(type, "table") && i < ARRAY_LEN(tables)) {
		r->has[i] = true;
	} else {
		lose(r, !strcmp(type, "view") ? type : "table", name, "");
	}
}

static int see_objects(struct store_db_rest *r, const struct store_db *db, struct err *err)
{
	static const char query[] = "SELECT type, name FROM sqlite_master "
	                            "WHERE substr(name, 1, 7) <> 'sqlite_' ORDER BY name";
	_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare(db->sql, db->name, query, &stmt, err);

	r->no_index_referrer = true;
	while (rc == 0 && (rc = sql_step(stmt, db->name, err)) == 0)
		see_object(r, column_text(stmt, 0), column_text(stmt, 1));
	return rc < 0 ? rc : 0;
}

static int see_columns(struct store_db_rest *r, const struct store_db *db, size_t i,
                       struct err *err)
{
	const struct table *t = &tables[i];
	_free_ char *query = xasprintf("PRAGMA table_xinfo(%s)", t->name);
	_free_ char *of = xasprintf(" of the table %s", t->name);
	_stmt_ sqlite3_stmt *stmt = NULL;
	unsigned known = 0;
	int rc = sql_prepare(db->sql, db->name, query, &stmt, err);

	while (rc == 0 && (rc = sql_step(stmt, db->name, err)) == 0) {
		const char *name = column_text(stmt, 1);
		_free_ char *between = xasprintf(",%s,", name);

		if (*name && !strchr(name, ',') && strstr(t->columns, between))
			known++;
		else
			lose(r, "column", name, of);
	}
	if (rc < 0)
		return rc;
	/* Such as the Realisations of Nix 2.4's first days. */
	r->has[i] = known == t->n_columns;
	if (!r->has[i])
		lose(r, "table", t->name, ", whose columns are not those of Nix 2.4 and later");
	return 0;
}

/* ---- copying -------------------------------------------------------------- */

static int copy_row(struct store_db_rest *r, sqlite3_stmt *from, sqlite3_stmt *to, struct err *err)
{
	int rc, n = sqlite3_column_count(from);

	for (int i = 0; i < n; i++) {
		uint64_t cost = CELL;

		if (sqlite3_column_type(from, i) == SQLITE_TEXT ||
		    sqlite3_column_type(from, i) == SQLITE_BLOB)
			cost += (uint64_t)sqlite3_column_bytes(from, i);
		if (cost > r->room)
			return err_set(err, ERR_LIMIT, "%s: larger than the space for it", NAME);
		r->room -= cost;
		sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
	}
	rc = sql_step(to, NAME, err);
	sqlite3_reset(to);
	return rc < 0 ? rc : 0;
}

static int copy(struct store_db_rest *r, sqlite3 *from, const char *read, sqlite3 *to,
                const char *put, struct err *err)
{
	_stmt_ sqlite3_stmt *in = NULL;
	_stmt_ sqlite3_stmt *out = NULL;
	int rc = sql_prepare(from, NAME, read, &in, err);

	if (rc == 0)
		rc = sql_prepare(to, NAME, put, &out, err);
	while (rc == 0 && (rc = sql_step(in, NAME, err)) == 0)
		rc = copy_row(r, in, out, err);
	return rc < 0 ? rc : 0;
}

/* "k3" with a column for each that the table's reading gives. */
static int keep_table(struct store_db_rest *r, struct store_db *db, size_t i, struct err *err)
{
	_cleanup_(buf_fini) struct buf create = BUF_INIT, put = BUF_INIT;
	_stmt_ sqlite3_stmt *probe = NULL;
	int n, rc = sql_prepare(db->sql, db->name, tables[i].read, &probe, err);

	if (rc < 0)
		return rc;
	n = sqlite3_column_count(probe);
	buf_putf(&create, "CREATE TABLE k%zu (", i);
	buf_putf(&put, "INSERT INTO k%zu VALUES (", i);
	for (int c = 0; c < n; c++) {
		buf_putf(&create, "%sc%d", c ? ", " : "", c);
		buf_puts(&put, c ? ", ?" : "?");
	}
	buf_puts(&create, ")");
	buf_puts(&put, ")");
	rc = sql_exec(r->sql, NAME, create.p, err);
	store_db_refill(db);
	return rc < 0 ? rc : copy(r, db->sql, tables[i].read, r->sql, put.p, err);
}

static int has_foreign(const struct store_db *db, bool *out, struct err *err)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare(db->sql, db->name,
	                     "SELECT 1 FROM ValidPaths WHERE " STORE_DB_FOREIGN("path") " LIMIT 1",
	                     &stmt, err);

	if (rc == 0)
		rc = sql_step(stmt, db->name, err);
	*out = rc == 0;
	return rc < 0 ? rc : 0;
}

static int keep(struct store_db_rest *r, struct store_db *db, struct err *err)
{
	bool foreign = false;
	int rc = see_objects(r, db, err);

	for (size_t i = 0; i < ARRAY_LEN(tables) && rc == 0; i++)
		rc = r->has[i] ? see_columns(r, db, i, err) : 0;
	/* What will not be written again need not be kept. */
	if (rc < 0 || r->n_lost)
		return rc;
	rc = has_foreign(db, &foreign, err);
	for (size_t i = 0; i < ARRAY_LEN(tables) && rc == 0; i++) {
		r->has[i] = r->has[i] && (foreign || !tables[i].of_three);
		rc = r->has[i] ? keep_table(r, db, i, err) : 0;
	}
	return rc;
}

int store_db_rest(struct store_db *db, struct store_db_rest **out, struct err *err)
{
	_cleanup_(store_db_rest_freep) struct store_db_rest *r = xcalloc(1, sizeof *r);
	int code, rc;

	r->room = ROOM(db->size);
	code = sqlite3_open_v2(":memory:", &r->sql,
	                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                       NULL);
	if (code != SQLITE_OK)
		return sql_fail(err, r->sql, code, NAME);
	store_db_refill(db);
	rc = keep(r, db, err);
	if (rc < 0)
		return err_prefix(err, "%s", db->name);
	*out = take(&r);
	return 0;
}

/* ---- into a new one ------------------------------------------------------- */

bool store_db_rest_has_index_referrer(const struct store_db_rest *r)
{
	return !r || !r->no_index_referrer;
}

int store_db_rest_put(struct store_db_rest *r, sqlite3 *sql, struct err *err)
{
	int rc = 0;

	if (!r)
		return 0;
	if (r->n_lost)
		return err_set(
		        err, ERR_UNSUPPORTED,
		        "the Nix database would lose data that domstrap does not support: %s",
		        r->lost.p);
	r->room = UINT64_MAX;
	for (size_t i = 0; i < ARRAY_LEN(tables) && rc == 0; i++) {
		char read[32];

		if (!r->has[i])
			continue;
		if (tables[i].create)
			rc = sql_exec(sql, NAME, tables[i].create, err);
		snprintf(read, sizeof read, "SELECT * FROM k%zu", i);
		if (rc == 0)
			rc = copy(r, r->sql, read, sql, tables[i].put, err);
	}
	return rc;
}
