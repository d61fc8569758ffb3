/* SPDX-License-Identifier: MIT */
#include "inspector/inspector_wire.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "jail/wire.h"

enum { IS_NULL, IS_VALUE };

/* ---- writing ---------------------------------------------------------------- */

static int put_record(const json_t *o, const struct inspector_record *r, struct buf *out,
                      struct err *err);

static int put_map(json_t *o, const struct inspector_record *r, struct buf *out, struct err *err)
{
	const char *name;
	json_t *v;
	int rc = 0;

	wire_u32_put(out, (uint32_t)json_object_size(o));
	json_object_foreach(o, name, v)
	{
		wire_text_put(out, str_from(name));
		if (rc == 0)
			rc = put_record(v, r, out, err);
	}
	return rc;
}

static bool has_type(const json_t *v, enum inspector_type type)
{
	switch (type) {
	case INSPECTOR_TEXT:
		return json_is_string(v);
	case INSPECTOR_NUMBER:
		return json_is_integer(v);
	case INSPECTOR_BOOL:
		return json_is_boolean(v);
	default:
		return json_is_object(v);
	}
}

static int put_typed(json_t *v, const struct inspector_field *f, struct buf *out, struct err *err)
{
	if (!has_type(v, f->type))
		return err_set(err, ERR_UNSUPPORTED, "disk inspection: \"%s\" has another type",
		               f->name);
	switch (f->type) {
	case INSPECTOR_TEXT:
		wire_text_put(out, (struct str){json_string_value(v), json_string_length(v)});
		return 0;
	case INSPECTOR_NUMBER:
		wire_u64_put(out, (uint64_t)json_integer_value(v));
		return 0;
	case INSPECTOR_BOOL:
		wire_u32_put(out, json_is_true(v));
		return 0;
	case INSPECTOR_RECORD:
		return put_record(v, f->record, out, err);
	default:
		return put_map(v, f->record, out, err);
	}
}

static int put_value(json_t *v, const struct inspector_field *f, struct buf *out, struct err *err)
{
	size_t n = json_array_size(v);
	int rc = 0;

	wire_u32_put(out, json_is_null(v) ? IS_NULL : IS_VALUE);
	if (json_is_null(v))
		return 0;
	if (!f->list)
		return put_typed(v, f, out, err);
	wire_u32_put(out, (uint32_t)n);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = put_typed(json_array_get(v, i), f, out, err);
	return rc;
}

static const struct inspector_field *find(const struct inspector_record *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->fields[i].name, name))
			return &r->fields[i];
	return NULL;
}

static int put_record(const json_t *o, const struct inspector_record *r, struct buf *out,
                      struct err *err)
{
	const char *name;
	json_t *v;
	int rc = 0;

	json_object_foreach((json_t *)(uintptr_t)o, name, v)
	{
		const struct inspector_field *f = find(r, name);

		if (!f)
			return err_set(err, ERR_UNSUPPORTED,
			               "disk inspection: \"%s\" is no field of \"%s\"", name,
			               r->name);
		wire_u32_put(out, (uint32_t)(f - r->fields) + 1);
		rc = put_value(v, f, out, err);
		if (rc < 0)
			return rc;
	}
	wire_u32_put(out, 0);
	return 0;
}

int inspector_record_put(const json_t *o, const struct inspector_record *r, struct buf *out,
                         struct err *err)
{
	return put_record(o, r, out, err);
}

/* ---- reading ---------------------------------------------------------------- */

struct reader {
	struct bytes b;
	unsigned values, depth;
};

static json_t *get_record(struct reader *in, const struct inspector_record *r);

/* A text that JSON can have; NULL and bad if it is none. */
static json_t *get_text(struct reader *in)
{
	struct str s = wire_text_get(&in->b, bytes_left(&in->b));
	json_t *v = s.n && memchr(s.p, 0, s.n) ? NULL : json_stringn(s.p, s.n);

	if (!v)
		in->b.bad = true;
	return v;
}

static json_t *get_map(struct reader *in, const struct inspector_record *r)
{
	uint32_t n = wire_u32_get(&in->b, INSPECTOR_VALUES_MAX);
	json_t *o = json_object();

	for (uint32_t i = 0; i < n && !in->b.bad; i++) {
		json_t *name = get_text(in), *v = get_record(in, r);

		if (!name || !v || json_object_get(o, json_string_value(name)) ||
		    json_object_set(o, json_string_value(name), v) < 0)
			in->b.bad = true;
		json_decref(name);
		json_decref(v);
	}
	return o;
}

static json_t *get_typed(struct reader *in, const struct inspector_field *f)
{
	if (++in->values > INSPECTOR_VALUES_MAX)
		in->b.bad = true;
	if (in->b.bad)
		return json_null();
	switch (f->type) {
	case INSPECTOR_TEXT:
		return get_text(in);
	case INSPECTOR_NUMBER:
		return json_integer((json_int_t)wire_u64_get(&in->b, UINT64_MAX));
	case INSPECTOR_BOOL:
		return json_boolean(wire_u32_get(&in->b, 1));
	case INSPECTOR_RECORD:
		return get_record(in, f->record);
	default:
		return get_map(in, f->record);
	}
}

static json_t *get_value(struct reader *in, const struct inspector_field *f)
{
	uint32_t n;
	json_t *list;

	if (wire_u32_get(&in->b, IS_VALUE) == IS_NULL)
		return json_null();
	if (!f->list)
		return get_typed(in, f);
	n = wire_u32_get(&in->b, INSPECTOR_VALUES_MAX);
	list = json_array();
	for (uint32_t i = 0; i < n && !in->b.bad; i++)
		json_array_append_new(list, get_typed(in, f));
	return list;
}

static json_t *get_record(struct reader *in, const struct inspector_record *r)
{
	json_t *o = json_object();
	uint32_t number = 1;

	if (++in->depth > INSPECTOR_DEPTH_MAX)
		in->b.bad = true;
	while (!in->b.bad && (number = wire_u32_get(&in->b, (uint32_t)r->n))) {
		const struct inspector_field *f = &r->fields[number - 1];

		if (json_object_get(o, f->name))
			in->b.bad = true;
		json_object_set_new(o, f->name, get_value(in, f));
	}
	in->depth--;
	return o;
}

int inspector_record_get(struct str bytes, const struct inspector_record *r, json_t **out,
                         struct err *err)
{
	struct reader in = {.b = bytes_over(bytes.p, bytes.n)};
	json_t *o = get_record(&in, r);

	if (wire_end(&in.b)) {
		*out = o;
		return 0;
	}
	json_decref(o);
	if (in.values > INSPECTOR_VALUES_MAX)
		return err_set(err, ERR_LIMIT, "disk inspection: more than %u values",
		               INSPECTOR_VALUES_MAX);
	return err_set(err, ERR_CHILD, "disk inspection: malformed answer");
}
