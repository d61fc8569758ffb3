/* SPDX-License-Identifier: MIT */
/*
 * A look's result on its way out of the jail: values of known types, in records whose fields are
 * known (look_schema.c). What is no such record is refused.
 *
 *     record = { le32 number of the field in its table, from 1 on; value }, le32 0
 *     value  = le32 0                             null
 *            | le32 1, typed
 *            | le32 1, le32 n, n times typed      if the field is a list
 *     typed  = text | le64 number | le32 0 or 1 | record
 *            | le32 n, n times: text name, record             a map
 *     text   = le32 size, UTF-8 without NUL
 */
#ifndef DOMSTRAP_LOOK_WIRE_H
#define DOMSTRAP_LOOK_WIRE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum look_type {
	LOOK_TEXT,
	LOOK_NUMBER,
	LOOK_BOOL,
	LOOK_RECORD,
	LOOK_MAP, /* from names to records */
};

struct look_record;

struct look_field {
	const char *name;
	enum look_type type;
	bool list;
	const struct look_record *record; /* of LOOK_RECORD and LOOK_MAP */
};

struct look_record {
	const char *name; /* for errors */
	const struct look_field *fields;
	size_t n;
};

/* The whole result. */
extern const struct look_record look_schema;

#define LOOK_VALUES_MAX (1u << 20)
#define LOOK_DEPTH_MAX 32u

/* Append an object. -ERR_UNSUPPORTED: it has a value that the record does not describe. */
int look_record_put(const json_t *o, const struct look_record *r, struct buf *out, struct err *err);
/* *out is for json_decref(). -ERR_CHILD: the bytes are no such record; -ERR_LIMIT: too many values.
 */
int look_record_get(struct str bytes, const struct look_record *r, json_t **out, struct err *err);

#endif
