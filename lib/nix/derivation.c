/* SPDX-License-Identifier: MIT */
#include "nix/derivation.h"
#include "nix/store_path.h"

#include <stdbool.h>

static bool skip(struct str *s, const char *word)
{
	if (!str_starts(*s, word))
		return false;
	*s = str_drop(*s, str_from(word).n);
	return true;
}

/* The text between the quotes, escapes unchanged. */
static bool string(struct str *s, struct str *out)
{
	size_t n = 0;

	if (!skip(s, "\""))
		return false;
	while (n < s->n && s->p[n] != '"')
		n += s->p[n] == '\\' ? 2 : 1;
	if (n >= s->n)
		return false;
	*out = (struct str){s->p, n};
	*s = str_drop(*s, n + 1);
	return true;
}

static bool plain_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '\\' || s.p[i] == '/')
			return false;
	return s.n > 0 && s.n <= STORE_NAME_MAX;
}

static int output(struct str *s, struct derivation_output *o, struct err *err)
{
	struct str algo, hash;
	struct store_path sp;

	if (!skip(s, "(") || !string(s, &o->name) || !skip(s, ",") || !string(s, &o->path) ||
	    !skip(s, ",") || !string(s, &algo) || !skip(s, ",") || !string(s, &hash) ||
	    !skip(s, ")") || !plain_name(o->name))
		return err_set(err, ERR_FORMAT, "derivation: malformed output");
	return o->path.n ? store_path_parse(o->path, &sp, err) : 0;
}

int derivation_outputs(struct str text,
                       int (*each)(void *ctx, const struct derivation_output *o, struct err *err),
                       void *ctx, struct err *err)
{
	unsigned n = 0;

	if (!skip(&text, "Derive(["))
		return err_set(err, ERR_FORMAT, "derivation: does not begin with Derive([");
	do {
		struct derivation_output o;
		int rc = output(&text, &o, err);

		if (rc == 0 && ++n > DERIVATION_OUTPUTS_MAX)
			rc = err_set(err, ERR_LIMIT, "derivation: more than %u outputs",
			             DERIVATION_OUTPUTS_MAX);
		if (rc == 0)
			rc = each(ctx, &o, err);
		if (rc < 0)
			return rc;
	} while (skip(&text, ","));
	if (!skip(&text, "]"))
		return err_set(err, ERR_FORMAT, "derivation: the list of outputs is not closed");
	return 0;
}
