/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <string.h>

#include "base/buf.h"

#define MEMORY_MIN_MIB 64u

int option_word(const char *option, const char *text, const char *const *words, size_t n,
                unsigned *out, struct err *err)
{
	struct buf list = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = (unsigned)i;
			buf_fini(&list);
			return 0;
		}
		buf_putf(&list, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
	}
	err_set(err, ERR_USAGE, "--%s '%s': %s", option, text, list.p);
	buf_fini(&list);
	return -ERR_USAGE;
}

int option_memory(const char *text, uint64_t *mib, struct err *err)
{
	uint64_t v;

	if (!str_u64(str_from(text), 10, 1u << 30, &v)) {
		if (!str_size(str_from(text), &v))
			return err_set(err, ERR_USAGE, "--memory '%s': MiB, or a size such as 2G",
			               text);
		v >>= 20;
	}
	if (v < MEMORY_MIN_MIB)
		return err_set(err, ERR_USAGE, "--memory '%s': at least %u MiB", text,
		               MEMORY_MIN_MIB);
	*mib = v;
	return 0;
}

int option_count(const char *option, const char *text, unsigned max, unsigned *out, struct err *err)
{
	uint64_t v;

	if (!str_u64(str_from(text), 10, max, &v) || v == 0)
		return err_set(err, ERR_USAGE, "--%s '%s': a number from 1 to %u", option, text,
		               max);
	*out = (unsigned)v;
	return 0;
}
