/* SPDX-License-Identifier: MIT */
#include "store/settle.h"

#include <jansson.h>

#include "base/mem.h"
#include "nix/hash.h"
#include "store/store_db.h"

int settle_libraries(struct err *err)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	_cleanup_(store_db_freep) struct store_db *sql = NULL;
	static bool settled;
	struct closure none = {.n = 0};
	uint8_t hash[HASH_SHA256_LEN];
	int rc;

	if (settled)
		return 0;
	json_object_seed(0);
	sha256_of("", 0, hash);
	rc = store_db_build(&none, 0, &db, err);
	if (rc == 0)
		rc = store_db_open_bytes("database", db.p, db.n, &sql, err);
	if (rc == 0)
		rc = store_db_all(sql, &none, err);
	closure_fini(&none);
	settled = rc == 0;
	return rc;
}
