/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define MEMORY_MIN_MIB 64u
#define SHORTS_MAX 64

/* The only option that a possibly shortened long name can mean; NULL: none, or *several. */
static const struct option *find_long(const char *word, const struct option *longs, bool *several)
{
	const struct option *found = NULL;
	size_t n = strcspn(word, "=");

	*several = false;
	for (const struct option *o = longs; o->name; o++) {
		if (strncmp(o->name, word, n) != 0)
			continue;
		if (!o->name[n])
			return o;
		*several |= found != NULL;
		found = o;
	}
	return *several ? NULL : found;
}

/*
 * getopt_long() says little of what was wrong: optopt is 0 for an unknown long
 * option, else the value of the option. A long one is always the word before
 * optind; for a short one that word may be the one before its group.
 */
static int complain(const char *command, const char *word, int c, const struct option *longs,
                    struct err *err)
{
	const struct option *o = NULL;
	const char shown = isprint(optopt) ? (char)optopt : '?';
	bool several = false;

	if (strncmp(word, "--", 2) == 0)
		o = find_long(word + 2, longs, &several);
	if (o && o->val == optopt && c == ':')
		return err_set(err, ERR_USAGE, "option \"--%s\" needs a value", o->name);
	if (o && o->val == optopt)
		return err_set(err, ERR_USAGE, "option \"--%s\" takes no value, got \"%s\"",
		               o->name, word);
	if (!optopt)
		return err_set(err, ERR_USAGE, "%s option \"%.*s\"; see \"domstrap %s --help\"",
		               several ? "ambiguous" : "unknown", (int)strcspn(word, "="), word,
		               command);
	if (c == ':')
		return err_set(err, ERR_USAGE, "option \"-%c\" needs a value", shown);
	return err_set(err, ERR_USAGE, "unknown option \"-%c\"; see \"domstrap %s --help\"", shown,
	               command);
}

void option_begin(void)
{
	opterr = 0;
	optind = 1;
}

int option_next(int argc, char **argv, const char *shorts, const struct option *longs, int *c,
                struct err *err)
{
	char colon[SHORTS_MAX];

	snprintf(colon, sizeof colon, ":%s", shorts);
	*c = getopt_long(argc, argv, colon, longs, NULL);
	if (*c == -1)
		return 1;
	if (*c == '?' || *c == ':')
		return complain(argv[0], argv[optind - 1], *c, longs, err);
	return 0;
}

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
			return err_set(err, ERR_USAGE,
			               "--memory '%s': expected MiB, or a size such as 2G", text);
		v >>= 20;
	}
	if (v < MEMORY_MIN_MIB)
		return err_set(err, ERR_USAGE, "--memory '%s': expected at least %u MiB", text,
		               MEMORY_MIN_MIB);
	*mib = v;
	return 0;
}

int option_count(const char *option, const char *text, unsigned max, unsigned *out, struct err *err)
{
	uint64_t v;

	if (!str_u64(str_from(text), 10, max, &v) || v == 0)
		return err_set(err, ERR_USAGE, "--%s '%s': expected a number from 1 to %u", option,
		               text, max);
	*out = (unsigned)v;
	return 0;
}
