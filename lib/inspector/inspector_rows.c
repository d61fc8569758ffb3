/* SPDX-License-Identifier: MIT */
/*
 * Store paths on their way out of the jail. They come beside the answer and
 * not in it: there may be many, and a row has one size in memory.
 *
 *     row = u32 missing   u64 NAR size   u64 registered   text path   text hash
 */
#include <string.h>

#include "base/mem.h"
#include "inspector/inspector_child.h"
#include "nix/store_path.h"

void inspector_row_put(struct buf *out, const struct path_info *info, bool missing)
{
	char hash[HASH_HEX_SIZE];

	wire_u32_put(out, missing);
	wire_u64_put(out, info->nar_size);
	wire_u64_put(out, (uint64_t)info->registration_time);
	wire_text_put(out, str_from(info->path));
	wire_text_put(out, str_from(hash_format_hex(info->nar_hash, hash)));
}

/* Take the next row from b, as JSON for the answer. */
static int row_get(struct bytes *b, json_t *paths, json_t *missing, struct err *err)
{
	bool gone = wire_u32_get(b, 1);
	uint64_t size = wire_u64_get(b, INT64_MAX), registered = wire_u64_get(b, INT64_MAX);
	struct str path = wire_text_get(b, STORE_PATH_MAX);
	struct str hash = wire_text_get(b, HASH_HEX_SIZE);
	json_t *o;

	if (!bytes_ok(b))
		return err_set(err, ERR_CHILD, "disk inspection: malformed store path");
	o = json_object();
	json_object_set_new(o, "path", inspector_string(path));
	json_object_set_new(o, "narSize", json_integer((json_int_t)size));
	json_object_set_new(o, "narHash", inspector_string(hash));
	json_object_set_new(o, "registered", json_integer((json_int_t)registered));
	json_array_append_new(paths, o);
	if (gone)
		json_array_append_new(missing, inspector_string(path));
	return 0;
}

int inspector_rows_get(const struct buf *body, json_t *paths, json_t *missing, struct err *err)
{
	struct bytes b = bytes_over(buf_str(body).p, body->n);
	int rc = 0;

	while (rc == 0 && bytes_left(&b)) {
		if (json_array_size(paths) >= STORE_DB_PATHS_MAX)
			return err_set(err, ERR_LIMIT, "disk inspection: more than %u store paths",
			               STORE_DB_PATHS_MAX);
		rc = row_get(&b, paths, missing, err);
	}
	return rc;
}
