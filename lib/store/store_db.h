/* SPDX-License-Identifier: MIT */
/*
 * Nix's database, db.sqlite, schema 10.
 *
 *     ValidPaths(id, path, hash, registrationTime, deriver, narSize,
 *                ultimate, sigs, ca)                     one row a store path
 *     Refs(referrer, reference)                          ids, itself included
 *     DerivationOutputs(drv, id, path)                   outputs of .drv paths
 *
 * An untrusted database can be read: queries are read-only, and every row is
 * checked. Writing produces the bytes of a new database.
 */
#ifndef STORE_STORE_DB_H
#define STORE_STORE_DB_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/closure.h"

/* The contents of the file "schema" beside it, without a newline. */
#define STORE_DB_SCHEMA "10"

/* A database opened for reading. */
struct store_db;

/*
 * The file at path, which other processes may be writing. Errors as for
 * local_store_open().
 */
int store_db_open(const char *path, struct store_db **out, struct err *err);
/*
 * A database in memory, such as one read from a guest's disk. The bytes are
 * borrowed; only the flag that it has a -wal file is cleared in place. name is for
 * error texts and is copied.
 */
int store_db_open_bytes(const char *name, void *p, size_t n, struct store_db **out,
                        struct err *err);
void store_db_free(struct store_db *db);
void store_db_freep(struct store_db **db);

/* As local_store_closure(). */
int store_db_closure(struct store_db *db, const char *toplevel, struct closure *out,
                     struct err *err);

/* Limits for a guest's database, which is read and rewritten in memory. */
#define STORE_DB_MAX (128u << 20)
#define STORE_DB_PATHS_MAX (1u << 18)

/*
 * All paths of the database in /nix/store; at most STORE_DB_PATHS_MAX. References to missing rows,
 * or to rows of another store, are left out.
 */
int store_db_all(struct store_db *db, struct closure *out, struct err *err);

/*
 * The other data of a database: rows of Nix's other tables, and of other stores.
 * It is a copy, independent of db.
 */
struct store_db_rest;
int store_db_rest(struct store_db *db, struct store_db_rest **out, struct err *err);
void store_db_rest_free(struct store_db_rest *r);
void store_db_rest_freep(struct store_db_rest **r);
/*
 * A description of data that a rebuilt database cannot have, such as "table
 * \"Notes\""; NULL: none. Borrowed from r, which may be NULL.
 */
const char *store_db_rest_lost(const struct store_db_rest *r);

/*
 * Append to *out the file of a database that holds c: as "nix copy" would
 * leave it (deriver, sigs and ca kept, ultimate NULL), with one registration
 * time for all. Equal input gives equal bytes, whatever the host. ids count
 * from 1 in order of path.
 */
int store_db_build(const struct closure *c, int64_t registration_time, struct buf *out,
                   struct err *err);
/*
 * The same, with each path's own registration time and ultimate, and with rest,
 * which may be NULL; rows of rest about paths that c lacks are left out.
 * -ERR_UNSUPPORTED if store_db_rest_lost() is not NULL; -ERR_LIMIT above
 * STORE_DB_MAX.
 */
int store_db_rebuild(const struct closure *c, struct store_db_rest *rest, struct buf *out,
                     struct err *err);

/*
 * How many bytes of a database file SQLite reads: the pages that its header
 * (STORE_DB_HEADER bytes, fewer if the file is shorter) counts, or size if the
 * header has no count.
 */
#define STORE_DB_HEADER 100
uint64_t store_db_bytes(const void *header, size_t n, uint64_t size);

/* A write-ahead log, which is read twice from its first byte. */
struct store_log {
	int (*rewind)(void *ctx, struct err *err);
	/* Up to n bytes in order; *got 0 at the end. */
	int (*read)(void *ctx, void *p, size_t n, size_t *got, struct err *err);
	void *ctx;
};

/*
 * Merge a -wal file into its database: *db becomes what SQLite would read, at most
 * limit bytes. A log that is empty, or belongs to an older state, changes nothing.
 * name is for error texts.
 */
int store_wal_apply(const char *name, struct buf *db, const struct store_log *log, size_t limit,
                    struct err *err);

#endif
