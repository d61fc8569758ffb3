/* SPDX-License-Identifier: MIT */
/*
 * A private SSH key. An input that begins with a NUL is the decoded key, which is
 * encoded here, so that the fuzzer need not produce base64.
 */
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/mem.h"
#include "nixos/ssh_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct buf armoured = BUF_INIT;
	struct err err = ERR_INIT;
	struct ssh_key k;

	if (size && size < SSH_KEY_FILE_MAX / 2 && !data[0]) {
		_free_ char *base64 = xmalloc(size * 2 + 8);

		EVP_EncodeBlock((unsigned char *)base64, data + 1, (int)size - 1);
		buf_putf(&armoured,
		         "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n"
		         "-----END OPENSSH PRIVATE KEY-----\n",
		         base64);
		text = buf_str(&armoured);
	}
	if (ssh_key_parse(text, &k, &err) == 0) {
		if (!k.type || !ssh_key_matches(&k, str_from(k.line)))
			abort();
		ssh_key_fini(&k);
	}
	buf_fini(&armoured);
	return 0;
}
