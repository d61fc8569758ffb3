/* SPDX-License-Identifier: MIT */
/*
 * A look's result on its way out of the jail: values of known types, in records whose fields are
 * known (inspector_schema.c). What is no such record is refused.
 *
 *     record = { le32 number of the field in its table, from 1 on; value }, le32 0
 *     value  = le32 0                             null
 *            | le32 1, typed
 *            | le32 1, le32 n, n times typed      if the field is a list
 *     typed  = text | le64 number | le32 0 or 1 | record
 *            | le32 n, n times: text name, record             a map
 *     text   = le32 size, UTF-8 without NUL
 */
#ifndef INSPECTOR_WIRE_H
#define INSPECTOR_WIRE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum inspector_type {
	INSPECTOR_TEXT,
	INSPECTOR_NUMBER,
	INSPECTOR_BOOL,
	INSPECTOR_RECORD,
	INSPECTOR_MAP, /* from names to records */
};

struct inspector_record;

struct inspector_field {
	const char *name;
	enum inspector_type type;
	bool list;
	const struct inspector_record *record; /* of INSPECTOR_RECORD and INSPECTOR_MAP */
};

struct inspector_record {
	const char *name; /* for errors */
	const struct inspector_field *fields;
	size_t n;
};

/* The whole result. */
extern const struct inspector_record inspector_schema;

#define INSPECTOR_VALUES_MAX (1u << 20)
#define INSPECTOR_DEPTH_MAX 32u

/* Append an object. -ERR_UNSUPPORTED: it has a value that the record does not describe. */
int inspector_record_put(const json_t *o, const struct inspector_record *r, struct buf *out,
                         struct err *err);
/* *out is for json_decref(). -ERR_CHILD: the bytes are no such record; -ERR_LIMIT: too many values.
 */
int inspector_record_get(struct str bytes, const struct inspector_record *r, json_t **out,
                         struct err *err);

#endif
