/* SPDX-License-Identifier: MIT */
/*
 * regexp, by the C library's POSIX extended expressions. A guest's pattern
 * must not make that library take unbounded time or memory: sizes are
 * bounded, as are repeat counts, and there are no back-references.
 */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/opts.h"

#include <regex.h>
#include <string.h>

#define PATTERN_MAX 256
#define SUBJECT_MAX 1024
#define GROUPS_MAX 32
#define REPEATS_MAX 64 /* all "{n,m}" of a pattern multiplied */

/* The largest number in "{n,m}"; 1 for any other brace. */
static uint64_t repeat_of(const char *s)
{
	uint64_t v = 0, most = 1;

	for (; *s && *s != '}'; s++) {
		if (*s < '0' || *s > '9') {
			v = 0;
			continue;
		}
		v = MIN(v * 10 + (uint64_t)(*s - '0'), REPEATS_MAX + 1);
		most = MAX(most, v);
	}
	return most;
}

static bool harmless(const char *pattern)
{
	uint64_t repeats = 1;

	if (strlen(pattern) > PATTERN_MAX)
		return false;
	for (const char *s = pattern; *s; s++) {
		if (*s == '\\' && s[1]) {
			s++;
			if (*s >= '1' && *s <= '9')
				return false;
		} else if (*s == '{') {
			repeats *= repeat_of(s + 1);
			if (repeats > REPEATS_MAX)
				return false;
		}
	}
	return true;
}

/* "[N:]VAR" of --set; without N the first group. */
static bool set_target(struct str spec, size_t *group, struct str *var)
{
	struct str rest = spec, number = str_cut(&rest, ':');
	uint64_t v = 1;

	*var = rest.p ? rest : spec;
	if (rest.p && !str_u64(number, 10, GROUPS_MAX - 1, &v))
		return false;
	*group = (size_t)v;
	return var->n > 0;
}

static int set_groups(struct exec *x, const struct grub_texts *sets, const char *subject,
                      const regmatch_t *m, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sets->n; i++) {
		struct str var, value = STR("");
		size_t g;

		if (!set_target(str_from(sets->v[i]), &g, &var))
			return exec_fail(x, STATUS_BAD_ARGUMENT, "--set %s: not [NUMBER:]NAME",
			                 sets->v[i]);
		if (m[g].rm_so >= 0)
			value = (struct str){subject + m[g].rm_so,
			                     (size_t)(m[g].rm_eo - m[g].rm_so)};
		rc = env_set(&x->env, var, value, err);
	}
	return rc;
}

static int match(struct exec *x, const struct grub_texts *sets, const char *pattern,
                 const char *subject, struct err *err)
{
	regmatch_t m[GROUPS_MAX];
	char why[128];
	regex_t re;
	int rc;

	if (!harmless(pattern) || strlen(subject) > SUBJECT_MAX)
		return exec_fail(x, STATUS_UNSUPPORTED, "too large an expression or text");
	/* The library may take a time that is quadratic in the text's length. */
	if (exec_charge(x, 64 * 256 + strlen(subject) * strlen(subject) / 4, err) < 0)
		return -ERR_LIMIT;
	rc = regcomp(&re, pattern, REG_EXTENDED);
	if (rc) {
		regerror(rc, &re, why, sizeof why);
		return exec_fail(x, STATUS_FALSE, "%s: %s", pattern, why);
	}
	rc = regexec(&re, subject, GROUPS_MAX, m, 0);
	regfree(&re);
	return rc ? STATUS_FALSE : set_groups(x, sets, subject, m, err);
}

int cmd_regexp(struct exec *x, struct grub_texts *argv, struct err *err)
{
	static const struct opt table[] = {{"set", 's', OPT_TEXT}};
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	_cleanup_(texts_fini) struct grub_texts sets = {0};
	struct err why = ERR_INIT;
	int opt;

	while ((opt = opts_next(&o, table, 1, &why)) < 1) {
		if (opt < 0)
			return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
		texts_add(&sets, o.value);
	}
	if (o.words.n != 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "an expression and a text are needed");
	return match(x, &sets, o.words.v[0], o.words.v[1], err);
}
