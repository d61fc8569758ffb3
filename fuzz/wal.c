/* SPDX-License-Identifier: MIT */
/* A write-ahead log of arbitrary bytes: le32 size of the database, database, log. */
#include <stdlib.h>

#include "base/bytes.h"
#include "store/test/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_over(data, size);
	struct buf db = BUF_INIT;
	struct err err = ERR_INIT;
	size_t n = bytes_le32(&in), before;
	const uint8_t *p = bytes_take(&in, n);

	if (!bytes_ok(&in))
		return 0;
	buf_put(&db, p, n);
	before = db.n;
	if (log_apply("fuzz", &db, data + in.pos, size - in.pos, 1u << 20, &err) == 0 &&
	    db.n > before + size)
		abort();
	buf_fini(&db);
	return 0;
}
