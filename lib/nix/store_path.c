/* SPDX-License-Identifier: MIT */
#include "nix/store_path.h"
#include "nix/nix32.h"
#include "base/mem.h"
#include "base/show.h"

#include <string.h>

#define PREFIX STORE_DIR "/"

static int refuse(struct err *err, struct str text, const char *rule)
{
	char shown[SHOW_SIZE];

	return err_set(err, ERR_FORMAT, "\"%s\" is not a store path: %s", show_str(text, shown),
	               rule);
}

static bool name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("+._?=-", c));
}

/* The rule that a name breaks, or NULL. */
static const char *name_fault(struct str name)
{
	if (name.n == 0)
		return "its name is empty";
	if (name.n > STORE_NAME_MAX)
		return "its name is longer than 211 bytes";
	for (size_t i = 0; i < name.n; i++) {
		if (!name_char(name.p[i]))
			return "its name may only have letters, digits and +._?=-";
	}
	if (str_is(name, ".") || str_is(name, ".."))
		return "its name is . or ..";
	if (str_starts(name, ".-") || str_starts(name, "..-"))
		return "its name starts with .- or ..-";
	return NULL;
}

/* As store_path_parse_base(); text is what the message names. */
static int parse_base(struct str text, struct str base, struct store_path *out, struct err *err)
{
	struct store_path sp = {.base = base};
	const char *fault;

	if (base.n < STORE_DIGEST_LEN + 1 || base.p[STORE_DIGEST_LEN] != '-')
		return refuse(err, text, "32 digits and a dash must come before its name");
	sp.digest = (struct str){base.p, STORE_DIGEST_LEN};
	sp.name = str_drop(base, STORE_DIGEST_LEN + 1);
	for (size_t i = 0; i < STORE_DIGEST_LEN; i++) {
		if (!nix32_digit(sp.digest.p[i]))
			return refuse(err, text, "its digits must be 0-9 and a-z without e o t u");
	}
	fault = name_fault(sp.name);
	if (fault)
		return refuse(err, text, fault);
	*out = sp;
	return 0;
}

int store_path_parse_base(struct str base, struct store_path *out, struct err *err)
{
	return parse_base(base, base, out, err);
}

int store_path_parse(struct str text, struct store_path *out, struct err *err)
{
	struct str base;

	if (!str_starts(text, PREFIX))
		return refuse(err, text, "it must start with " PREFIX);
	base = str_drop(text, strlen(PREFIX));
	if (base.n && memchr(base.p, '/', base.n))
		return refuse(err, text, "it names something inside one");
	return parse_base(text, base, out, err);
}

static bool plain_parts(struct str rest)
{
	while (rest.p) {
		struct str part = str_cut(&rest, '/');

		if (part.n == 0 || str_is(part, ".") || str_is(part, ".."))
			return false;
		if (memchr(part.p, '\0', part.n))
			return false;
	}
	return true;
}

int store_path_split(struct str text, struct store_path *out, struct str *rest, struct err *err)
{
	struct str tail, base;
	int rc;

	if (!str_starts(text, PREFIX))
		return refuse(err, text, "it must start with " PREFIX);
	tail = str_drop(text, strlen(PREFIX));
	base = str_cut(&tail, '/');
	if (tail.p && !plain_parts(tail))
		return refuse(err, text, "what follows its name has an empty, . or .. part");
	rc = parse_base(text, base, out, err);
	if (rc < 0)
		return rc;
	*rest = str_drop(text, strlen(PREFIX) + base.n);
	return 0;
}

bool store_path_is_base(struct str base, struct store_path *out)
{
	struct err rule = ERR_INIT;

	return store_path_parse_base(base, out, &rule) == 0;
}

bool store_path_is(struct str text, struct store_path *out)
{
	struct err rule = ERR_INIT;

	return store_path_parse(text, out, &rule) == 0;
}

bool store_path_is_in(struct str text, struct store_path *out, struct str *rest)
{
	struct err rule = ERR_INIT;

	return store_path_split(text, out, rest, &rule) == 0;
}

char *store_path_format(const struct store_path *sp)
{
	return xasprintf(PREFIX "%.*s", STR_ARG(sp->base));
}
