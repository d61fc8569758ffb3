/* SPDX-License-Identifier: MIT */
/* Small formats of lib/nix: accepted text is formatted as the same text. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/channel.h"
#include "nix/hash.h"
#include "nix/nix32.h"
#include "nix/store_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void paths(struct str text)
{
	struct err err = ERR_INIT;
	struct store_path sp;
	struct str rest;

	if (store_path_split(text, &sp, &rest, &err) == 0) {
		_free_ char *again = store_path_format(&sp);

		must(strlen(again) + rest.n == text.n);
		must(memcmp(again, text.p, strlen(again)) == 0);
		must(store_path_parse(str_from(again), &sp, &err) == 0);
		must(text.n - rest.n <= STORE_PATH_MAX);
	}
	if (store_path_parse_base(text, &sp, &err) == 0)
		must(sp.digest.n + 1 + sp.name.n == text.n);
}

static void hashes(struct str text)
{
	char hex[HASH_HEX_SIZE], digits[NIX32_LEN(20) + 1];
	uint8_t hash[HASH_SHA256_LEN], again[HASH_SHA256_LEN], raw[20];
	struct err err = ERR_INIT;

	if (hash_parse(text, hash, &err) == 0) {
		must(hash_parse(str_from(hash_format_hex(hash, hex)), again, &err) == 0);
		must(memcmp(hash, again, sizeof hash) == 0);
	}
	if (nix32_decode(text, raw, sizeof raw)) {
		nix32_encode(raw, sizeof raw, digits);
		must(str_is(text, digits));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	char url[CHANNEL_URL_SIZE];

	paths(text);
	hashes(text);
	(void)channel_url(text, url);
	return 0;
}
