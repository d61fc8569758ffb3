/* SPDX-License-Identifier: MIT */
/* Lines of keys and signatures: a key, a newline, a signature of "message". */
#include <stdlib.h>

#include "nix/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str sig = {(const char *)data, size}, line = str_cut(&sig, '\n');
	struct public_key key;
	struct err err = ERR_INIT;

	if (public_key_parse(line, &key, &err) < 0)
		return 0;
	if (!key.name[0])
		abort();
	(void)signature_valid(sig, STR("message"), &key, 1);
	return 0;
}
