/* SPDX-License-Identifier: MIT */
#include "store/sql.h"
#include "store/store_db.h"
#include "nix/store_path.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Number of attempts, if other processes write to the database. */
#define TRIES 3

/* A path and its row's id. info comes first: fini and sorting see only it. */
struct row {
	struct path_info info;
	int64_t id;
};

struct by_id {
	int64_t id;
	uint32_t index;
};

/* A closure while it is read. */
struct reader {
	struct store_db *db;
	struct row *rows; /* sorted by path once all are there */
	size_t n, cap;
	struct by_id *ids; /* sorted by id */
	uint64_t nar_sum;
	size_t nrefs;
	bool everything; /* all paths of this store, not a closure */
};

static void reader_fini(struct reader *rd)
{
	for (size_t i = 0; i < rd->n; i++)
		path_info_fini(&rd->rows[i].info);
	free(rd->rows);
	free(rd->ids);
}

/* Only printable characters: Nix writes no others, and they could harm a terminal. */
static bool plain_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] > 0x7e)
			return false;
	}
	return true;
}

/* An optional text column to memory of its own. */
static int get_optional(sqlite3_stmt *stmt, int col, const char *what, size_t max, char **out,
                        struct err *err)
{
	struct str s;
	int rc = sql_text(stmt, &(struct sql_column){col, what, max, true}, &s, err);

	if (rc < 0)
		return rc;
	if (rc == 1)
		return 0;
	if (!plain_text(s))
		return err_set(err, ERR_FORMAT, "%s has bytes that are not printable ASCII", what);
	*out = xstrndup(s.p, s.n);
	return 0;
}

static int get_path(sqlite3_stmt *stmt, int col, const char *what, bool optional, char **out,
                    struct err *err)
{
	struct store_path sp;
	struct str s;
	int rc = sql_text(stmt, &(struct sql_column){col, what, STORE_PATH_MAX, optional}, &s, err);

	if (rc < 0)
		return rc;
	if (rc == 1)
		return 0;
	rc = store_path_parse(s, &sp, err);
	if (rc < 0)
		return err_prefix(err, "%s", what);
	*out = xstrndup(s.p, s.n);
	return 0;
}

/* The columns of the closure's query, in its order. */
enum { ID, PATH, HASH, TIME, DERIVER, SIZE, ULTIMATE, SIGS, CA };

static int get_numbers(sqlite3_stmt *stmt, struct path_info *info, struct err *err)
{
	int64_t size = 0, ultimate = 0;
	int rc = sql_int(stmt, TIME, "registrationTime", false, &info->registration_time, err);

	if (rc < 0)
		return rc;
	if (info->registration_time < 0)
		return err_set(err, ERR_FORMAT, "registrationTime %lld is before 1970",
		               (long long)info->registration_time);
	/* NULL stands for an unknown size, which Nix holds as 0. */
	rc = sql_int(stmt, SIZE, "narSize", true, &size, err);
	if (rc < 0)
		return rc;
	if (size < 0)
		return err_set(err, ERR_FORMAT, "narSize %lld is below 0", (long long)size);
	info->nar_size = (uint64_t)size;
	rc = sql_int(stmt, ULTIMATE, "ultimate", true, &ultimate, err);
	info->ultimate = ultimate != 0;
	return rc < 0 ? rc : 0;
}

static int get_columns(sqlite3_stmt *stmt, struct path_info *info, struct err *err)
{
	struct str hash;
	int rc = sql_text(stmt, &(struct sql_column){HASH, "hash", HASH_HEX_SIZE, false}, &hash,
	                  err);

	if (rc < 0)
		return rc;
	rc = hash_parse(hash, info->nar_hash, err);
	if (rc < 0)
		return rc;
	rc = get_numbers(stmt, info, err);
	if (rc < 0)
		return rc;
	rc = get_path(stmt, DERIVER, "deriver", true, &info->deriver, err);
	if (rc < 0)
		return rc;
	rc = get_optional(stmt, SIGS, "sigs", CLOSURE_SIGS_MAX, &info->sigs, err);
	if (rc < 0)
		return rc;
	return get_optional(stmt, CA, "ca", CLOSURE_CA_MAX, &info->ca, err);
}

static unsigned most(const struct reader *rd)
{
	return rd->everything ? STORE_DB_PATHS_MAX : CLOSURE_PATHS_MAX;
}

static int get_row(struct reader *rd, sqlite3_stmt *stmt, struct err *err)
{
	const char *name = rd->db->name;
	struct row *row;
	int rc;

	if (rd->n == most(rd))
		return err_set(err, ERR_LIMIT, "%s: more than %u paths", name, most(rd));
	GROW(rd->rows, rd->n, rd->cap);
	row = &rd->rows[rd->n];
	*row = (struct row){0};
	rc = sql_int(stmt, ID, "an id", false, &row->id, err);
	if (rc < 0)
		return err_prefix(err, "%s", name);
	/* From here on the row owns memory that must be freed. */
	rd->n++;
	rc = get_path(stmt, PATH, "path", false, &row->info.path, err);
	if (rc < 0)
		return err_prefix(err, "%s: row %lld", name, (long long)row->id);
	rc = get_columns(stmt, &row->info, err);
	if (rc < 0)
		return err_prefix(err, "%s: %s", name, row->info.path);
	if (row->info.nar_size > INT64_MAX - rd->nar_sum)
		return err_set(err, ERR_LIMIT, "%s: the closure is larger than 2^63 bytes", name);
	rd->nar_sum += row->info.nar_size;
	return 0;
}

static int read_paths(struct reader *rd, const char *toplevel, struct err *err)
{
	/*
	 * CROSS JOIN fixes the order: what was found asks for its references. As for
	 * Nix, a reference to a row that is not there does not exist: databases that
	 * were written without foreign keys have some.
	 */
	static const char closure[] =
	        "WITH RECURSIVE c(id) AS (SELECT id FROM ValidPaths WHERE path = ?1 "
	        "UNION SELECT r.reference FROM c CROSS JOIN Refs r ON r.referrer = c.id LIMIT ?2) "
	        "SELECT c.id, v.path, v.hash, v.registrationTime, v.deriver, v.narSize, "
	        "v.ultimate, v.sigs, v.ca FROM c CROSS JOIN ValidPaths v ON v.id = c.id";
	static const char all[] = "SELECT id, path, hash, registrationTime, deriver, narSize, "
	                          "ultimate, sigs, ca FROM ValidPaths WHERE NOT " STORE_DB_FOREIGN(
	                                  "path") " LIMIT ?2";
	_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare(rd->db->sql, rd->db->name, toplevel ? closure : all, &stmt, err);

	if (rc < 0)
		return rc;
	if (toplevel)
		sqlite3_bind_text(stmt, 1, toplevel, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)most(rd) + 1);
	while ((rc = sql_step(stmt, rd->db->name, err)) == 0) {
		rc = get_row(rd, stmt, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	if (!rd->n && toplevel)
		return err_set(err, ERR_NOENT,
		               "%s: %s is not registered: it was never built there, or was garbage "
		               "collected",
		               rd->db->name, toplevel);
	return 0;
}

static int row_by_path(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->info.path, ((const struct row *)b)->info.path);
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = ((const struct by_id *)a)->id, y = ((const struct by_id *)b)->id;

	return (x > y) - (x < y);
}

static int sort_paths(struct reader *rd, struct err *err)
{
	if (!rd->n)
		return 0;
	qsort(rd->rows, rd->n, sizeof *rd->rows, row_by_path);
	rd->ids = xcalloc(rd->n, sizeof *rd->ids);
	for (size_t i = 0; i < rd->n; i++) {
		if (i && row_by_path(&rd->rows[i - 1], &rd->rows[i]) == 0)
			return err_set(err, ERR_FORMAT, "%s: duplicate rows for %s", rd->db->name,
			               rd->rows[i].info.path);
		rd->ids[i] = (struct by_id){rd->rows[i].id, (uint32_t)i};
	}
	qsort(rd->ids, rd->n, sizeof *rd->ids, compare_ids);
	return 0;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Statements that read the references and outputs of a row. */
struct edges {
	sqlite3_stmt *refs, *outputs;
	sqlite3_stmt *valid; /* whether a row with this id exists */
};

static void edges_fini(struct edges *e)
{
	sql_done(&e->refs);
	sql_done(&e->outputs);
	sql_done(&e->valid);
}

/* 1: the reference is ignored: to no row, or to a path of another store. */
static int get_reference(struct reader *rd, struct edges *e, uint32_t *out, struct err *err)
{
	struct by_id key = {0}, *found;
	int rc = sql_int(e->refs, 0, "a reference", false, &key.id, err);

	if (rc < 0)
		return rc;
	found = bsearch(&key, rd->ids, rd->n, sizeof *rd->ids, compare_ids);
	if (found) {
		*out = found->index;
		return 0;
	}
	if (rd->everything)
		return 1;
	sqlite3_reset(e->valid);
	sqlite3_bind_int64(e->valid, 1, key.id);
	rc = sql_step(e->valid, rd->db->name, err);
	if (rc == 0)
		return err_set(err, ERR_FORMAT, "a reference to row %lld, outside the closure",
		               (long long)key.id);
	return rc;
}

static int read_refs(struct reader *rd, struct edges *e, struct row *row, struct err *err)
{
	struct path_info *info = &row->info;
	size_t cap = 0;
	int rc;

	sqlite3_reset(e->refs);
	sqlite3_bind_int64(e->refs, 1, row->id);
	while ((rc = sql_step(e->refs, rd->db->name, err)) == 0) {
		if (rd->nrefs++ == CLOSURE_REFS_MAX)
			return err_set(err, ERR_LIMIT, "the closure has more than %u references",
			               CLOSURE_REFS_MAX);
		GROW(info->refs, info->nrefs, cap);
		rc = get_reference(rd, e, &info->refs[info->nrefs], err);
		if (rc < 0)
			return rc;
		info->nrefs += rc == 0;
	}
	if (rc < 0)
		return rc;
	if (info->nrefs)
		qsort(info->refs, info->nrefs, sizeof *info->refs, compare_u32);
	for (size_t i = 1; i < info->nrefs; i++) {
		if (info->refs[i - 1] == info->refs[i])
			return err_set(err, ERR_FORMAT, "duplicate reference to %s",
			               rd->rows[info->refs[i]].info.path);
	}
	return 0;
}

static int by_output(const void *a, const void *b)
{
	return strcmp(((const struct drv_output *)a)->id, ((const struct drv_output *)b)->id);
}

static int get_output(sqlite3_stmt *stmt, struct drv_output *out, struct err *err)
{
	int rc = get_optional(stmt, 0, "an output's id", STORE_NAME_MAX, &out->id, err);

	if (rc < 0)
		return rc;
	if (!out->id)
		return err_set(err, ERR_FORMAT, "an output's id is missing");
	return get_path(stmt, 1, "an output's path", false, &out->path, err);
}

static int read_outputs(struct reader *rd, sqlite3_stmt *stmt, struct row *row, struct err *err)
{
	struct path_info *info = &row->info;
	size_t cap = 0;
	int rc;

	if (!str_ends(str_from(info->path), ".drv"))
		return 0;
	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, row->id);
	while ((rc = sql_step(stmt, rd->db->name, err)) == 0) {
		if (info->noutputs == CLOSURE_OUTPUTS_MAX)
			return err_set(err, ERR_LIMIT, "more than %u outputs", CLOSURE_OUTPUTS_MAX);
		GROW(info->outputs, info->noutputs, cap);
		info->outputs[info->noutputs] = (struct drv_output){0};
		rc = get_output(stmt, &info->outputs[info->noutputs++], err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	if (info->noutputs)
		qsort(info->outputs, info->noutputs, sizeof *info->outputs, by_output);
	for (size_t i = 1; i < info->noutputs; i++) {
		if (by_output(&info->outputs[i - 1], &info->outputs[i]) == 0)
			return err_set(err, ERR_FORMAT, "duplicate output \"%s\"",
			               info->outputs[i].id);
	}
	return 0;
}

static int read_edges(struct reader *rd, struct err *err)
{
	static const char refs[] = "SELECT reference FROM Refs WHERE referrer = ?1";
	static const char outputs[] = "SELECT id, path FROM DerivationOutputs WHERE drv = ?1";
	static const char valid[] = "SELECT 1 FROM ValidPaths WHERE id = ?1";
	_cleanup_(edges_fini) struct edges e = {0};
	int rc = sql_prepare(rd->db->sql, rd->db->name, refs, &e.refs, err);

	if (rc == 0)
		rc = sql_prepare(rd->db->sql, rd->db->name, outputs, &e.outputs, err);
	if (rc == 0)
		rc = sql_prepare(rd->db->sql, rd->db->name, valid, &e.valid, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < rd->n; i++) {
		rc = read_refs(rd, &e, &rd->rows[i], err);
		if (rc == 0)
			rc = read_outputs(rd, e.outputs, &rd->rows[i], err);
		if (rc < 0)
			return err_prefix(err, "%s: %s", rd->db->name, rd->rows[i].info.path);
	}
	return 0;
}

static int read_all(struct reader *rd, const char *toplevel, struct err *err)
{
	int rc = read_paths(rd, toplevel, err);

	if (rc < 0)
		return rc;
	rc = sort_paths(rd, err);
	return rc < 0 ? rc : read_edges(rd, err);
}

/* The rows without their ids, in the same memory: there may be much of it. */
static struct path_info *take_infos(struct reader *rd)
{
	char *p = (char *)take(&rd->rows);

	for (size_t i = 0; i < rd->n; i++)
		memmove(p + i * sizeof(struct path_info), p + i * sizeof(struct row),
		        sizeof(struct path_info));
	return xreallocarray(p, MAX(rd->n, (size_t)1), sizeof(struct path_info));
}

/*
 * The caller gets what was read. A wrong index of the database is detected here: the path that was
 * asked for is missing, or there are more paths than it needs.
 */
static int publish(struct reader *rd, const char *toplevel, struct closure *out, struct err *err)
{
	_cleanup_(closure_fini) struct closure c = {take_infos(rd), rd->n};
	const struct path_info *top, *lost;

	rd->n = 0;
	if (!toplevel) {
		*out = c;
		c = (struct closure){0};
		return 0;
	}
	top = closure_find(&c, toplevel);
	if (!top)
		return err_set(
		        err, ERR_FORMAT,
		        "%s: damaged: index and row of %s differ; run \"nix-store --verify\"",
		        rd->db->name, toplevel);
	lost = closure_unreached(&c, (size_t)(top - c.paths));
	if (lost)
		return err_set(err, ERR_FORMAT,
		               "%s: damaged: its indexes differ on the referrers of %s; run "
		               "\"nix-store --verify\"",
		               rd->db->name, lost->path);
	*out = c;
	c = (struct closure){0};
	return 0;
}

/* One transaction, so that all rows are of the same state. */
static int read_once(struct store_db *db, const char *toplevel, struct closure *out,
                     struct err *err)
{
	_cleanup_(reader_fini) struct reader rd = {.db = db, .everything = !toplevel};
	struct err ignored = ERR_INIT;
	int rc;

	store_db_refill(db);
	rc = sql_exec(db->sql, db->name, "BEGIN", err);
	if (rc < 0)
		return rc;
	rc = read_all(&rd, toplevel, err);
	(void)sql_exec(db->sql, db->name, "ROLLBACK", &ignored);
	if (db->immutable && store_db_changed(db))
		return 1;
	if (rc == 0)
		rc = publish(&rd, toplevel, out, err);
	return rc;
}

static int read_some(struct store_db *db, const char *toplevel, struct closure *out,
                     struct err *err)
{
	int rc;

	for (unsigned i = 0; i < TRIES; i++) {
		rc = read_once(db, toplevel, out, err);
		if (rc <= 0)
			return rc;
		rc = store_db_reopen(db, err);
		if (rc < 0)
			return rc;
	}
	return err_set(err, ERR_BUSY, "%s: changed while it was read; try again", db->name);
}

int store_db_closure(struct store_db *db, const char *toplevel, struct closure *out,
                     struct err *err)
{
	struct store_path sp;
	int rc = store_path_parse(str_from(toplevel), &sp, err);

	return rc < 0 ? rc : read_some(db, toplevel, out, err);
}

int store_db_all(struct store_db *db, struct closure *out, struct err *err)
{
	return read_some(db, NULL, out, err);
}
