/* SPDX-License-Identifier: MIT */
/* A narinfo: 32 digits, then the text. Parsed values must be within their limits. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "nix/content_address.h"
#include "nix/narinfo.h"
#include "nix/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size}, digest = {text.p, STORE_DIGEST_LEN};
	uint8_t file[HASH_SHA256_LEN];
	struct buf message = BUF_INIT;
	enum ca_proof proof;
	struct narinfo n;
	struct err err = ERR_INIT;

	if (size < STORE_DIGEST_LEN)
		return 0;
	if (narinfo_parse(str_drop(text, STORE_DIGEST_LEN), digest, &n, &err) < 0)
		return 0;
	if (!n.nar_size || !str_eq(n.path.digest, digest) || !n.url.n || n.url.p[0] == '/' ||
	    (memchr(n.url.p, ':', n.url.n) && !narinfo_url_is_absolute(n.url) &&
	     !memchr(n.url.p, '?', n.url.n)))
		abort();
	for (size_t i = 1; i < n.nrefs; i++)
		if (str_cmp(n.refs[i - 1], n.refs[i]) >= 0)
			abort();
	fingerprint_format(&n, &message);
	(void)ca_check(&n, &proof, file, &err);
	for (size_t i = 0; i < n.nsigs; i++)
		if (signature_valid(n.sigs[i], buf_str(&message), NULL, 0))
			abort();
	buf_fini(&message);
	narinfo_fini(&n);
	return 0;
}
