/* SPDX-License-Identifier: MIT */
#include "store/settle.h"

#include <jansson.h>
#include <sqlite3.h>

#include "nix/hash.h"

int settle_libraries(struct err *err)
{
	int code = sqlite3_initialize(), random;

	if (code != SQLITE_OK)
		return err_set(err, ERR_IO, "SQLite: %s", sqlite3_errstr(code));
	sqlite3_randomness(sizeof random, &random);
	json_object_seed(0);
	return 0;
}

void settle_hashes(void)
{
	uint8_t hash[HASH_SHA256_LEN];

	sha256_of("", 0, hash);
}
