/* SPDX-License-Identifier: MIT */
/* A look's result from a process that was taken over: what is accepted has one meaning. */
#include <stdlib.h>

#include "base/mem.h"
#include "inspector/inspector_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct err err = ERR_INIT;
	json_t *o, *again;

	if (inspector_record_get((struct str){(const char *)data, size}, &inspector_schema, &o,
	                         &err) < 0)
		return 0;
	if (inspector_record_put(o, &inspector_schema, &bytes, &err) < 0 ||
	    inspector_record_get(buf_str(&bytes), &inspector_schema, &again, &err) < 0 ||
	    !json_equal(o, again))
		abort();
	json_decref(o);
	json_decref(again);
	return 0;
}
