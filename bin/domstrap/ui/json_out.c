/* SPDX-License-Identifier: MIT */
#include "ui/json_out.h"

#define SCHEMA 1

json_t *json_out_new(void)
{
	return json_pack("{s:i}", "schema", SCHEMA);
}

void json_out_print(json_t *o, FILE *out)
{
	json_dumpf(o, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', out);
	json_decref(o);
}
