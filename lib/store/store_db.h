/* SPDX-License-Identifier: MIT */
/*
 * Nix's database, db.sqlite, schema 10.
 *
 *     ValidPaths(id, path, hash, registrationTime, deriver, narSize,
 *                ultimate, sigs, ca)                     one row a store path
 *     Refs(referrer, reference)                          ids, itself included
 *     DerivationOutputs(drv, id, path)                   outputs of .drv paths
 *
 * Reading takes any such database, trusted or not: queries may only read, and
 * every row is checked. Writing gives the bytes of a new one.
 */
#ifndef STORE_STORE_DB_H
#define STORE_STORE_DB_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/closure.h"

/* What stands in the file "schema" beside it, without a newline. */
#define STORE_DB_SCHEMA "10"

/* A database opened for reading. */
struct store_db;

/*
 * The file at path, which other processes may be writing. Errors as for
 * local_store_open().
 */
int store_db_open(const char *path, struct store_db **out, struct err *err);
/*
 * A database in memory, such as one read out of a guest's disk. The bytes are
 * borrowed and never written to; name is for error texts and is copied.
 */
int store_db_open_bytes(const char *name, const void *p, size_t n, struct store_db **out,
                        struct err *err);
void store_db_free(struct store_db *db);
void store_db_freep(struct store_db **db);

/* As local_store_closure(). */
int store_db_closure(struct store_db *db, const char *toplevel, struct closure *out,
                     struct err *err);

/*
 * Every path of the database. -ERR_UNSUPPORTED where it has tables that a new
 * one made from *out would lack.
 */
int store_db_all(struct store_db *db, struct closure *out, struct err *err);

/*
 * Append to *out the file of a database that holds c: as "nix copy" would
 * leave it (deriver, sigs and ca kept, ultimate NULL), with one registration
 * time for all. Equal input gives equal bytes, whatever the host. ids count
 * from 1 in order of path.
 */
int store_db_build(const struct closure *c, int64_t registration_time, struct buf *out,
                   struct err *err);
/* The same, with every path's own registration time and ultimate. */
int store_db_rebuild(const struct closure *c, struct buf *out, struct err *err);

/*
 * Merge a write-ahead log into the database that it belongs to: *db becomes
 * what SQLite would read. A log that is empty, or of an older state, changes
 * nothing. name is for error texts.
 */
int store_wal_apply(const char *name, struct buf *db, const void *wal, size_t n, struct err *err);

#endif
