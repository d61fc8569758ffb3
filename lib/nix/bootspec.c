/* SPDX-License-Identifier: MIT */
#include "nix/bootspec.h"
#include "nix/store_path.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/walk.h"

#include <string.h>

#include <jansson.h>

#define KEY_SPEC "org.nixos.bootspec.v1"
#define KEY_SPECIAL "org.nixos.specialisation.v1"
#define KEY_INIT "org.nixos.nixos-init.v1"

static void json_freep(json_t **j)
{
	json_decref(*j);
}

bool bootspec_text_valid(struct str s)
{
	if (s.n > BOOTSPEC_TEXT_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

void bootspec_fini(struct bootspec *b)
{
	for (size_t i = 0; i < b->nparams; i++)
		free(b->params[i]);
	for (size_t i = 0; i < b->nspecial; i++) {
		free(b->special[i].name);
		bootspec_fini(&b->special[i].spec);
	}
	free(b->params);
	free(b->special);
	free(b->init);
	free(b->toplevel);
	free(b->label);
	free(b->system);
	free(b->kernel);
	free(b->initrd);
	free(b->secrets);
	free(b->etc_basedir);
	free(b->etc_image);
	*b = (struct bootspec){0};
}

/* The checked text of a JSON value; "what" names it. */
static int get_text(const json_t *value, const char *what, struct str *out, struct err *err)
{
	struct str s;

	if (!json_is_string(value))
		return err_set(err, ERR_FORMAT, "boot.json: %s is not a string", what);
	s = (struct str){json_string_value(value), json_string_length(value)};
	if (s.n > BOOTSPEC_TEXT_MAX)
		return err_set(err, ERR_LIMIT,
		               "boot.json: %s has %zu bytes, more than the limit of %d", what, s.n,
		               BOOTSPEC_TEXT_MAX);
	if (!bootspec_text_valid(s))
		return err_set(err, ERR_FORMAT, "boot.json: %s has control characters", what);
	*out = s;
	return 0;
}

/* A field of the specification object. */
struct field {
	const char *key;
	size_t offset; /* of the char * in struct bootspec */
	bool path;     /* in the store */
	bool optional;
};

static const struct field fields[] = {
        {"init", offsetof(struct bootspec, init), true, false},
        {"toplevel", offsetof(struct bootspec, toplevel), true, false},
        {"label", offsetof(struct bootspec, label), false, false},
        {"system", offsetof(struct bootspec, system), false, false},
        {"kernel", offsetof(struct bootspec, kernel), true, true},
        {"initrd", offsetof(struct bootspec, initrd), true, true},
        {"initrdSecrets", offsetof(struct bootspec, secrets), true, true},
};

static int get_field(const json_t *obj, const struct field *f, struct bootspec *b, struct err *err)
{
	const json_t *value = json_object_get(obj, f->key);
	struct store_path sp;
	struct str s, rest;
	int rc;

	if (!value && f->optional)
		return 0;
	if (!value)
		return err_set(err, ERR_FORMAT, "boot.json: %s is missing", f->key);
	rc = get_text(value, f->key, &s, err);
	if (rc < 0)
		return rc;
	if (f->path) {
		rc = store_path_split(s, &sp, &rest, err);
		if (rc < 0)
			return err_prefix(err, "boot.json: %s", f->key);
	}
	*(char **)((char *)b + f->offset) = xstrndup(s.p, s.n);
	return 0;
}

static int get_params(const json_t *obj, struct bootspec *b, struct err *err)
{
	const json_t *list = json_object_get(obj, "kernelParams");
	size_t n = json_array_size(list);
	struct str s;

	if (!json_is_array(list))
		return err_set(err, ERR_FORMAT, "boot.json: kernelParams is %s",
		               list ? "not a list" : "missing");
	if (n > BOOTSPEC_PARAMS_MAX)
		return err_set(err, ERR_LIMIT,
		               "boot.json: %zu kernelParams, more than the limit of %d", n,
		               BOOTSPEC_PARAMS_MAX);
	b->params = xcalloc(n, sizeof *b->params);
	for (size_t i = 0; i < n; i++) {
		int rc = get_text(json_array_get(list, i), "a member of kernelParams", &s, err);

		if (rc < 0)
			return rc;
		b->params[b->nparams++] = xstrndup(s.p, s.n);
	}
	return 0;
}

/* Optional; its object has many other keys. */
static int get_etc(const json_t *init, const char *key, char **out, struct err *err)
{
	const json_t *value = json_object_get(init, key);
	struct str s;
	int rc;

	if (!value)
		return 0;
	rc = get_text(value, key, &s, err);
	if (rc == 0)
		*out = xstrndup(s.p, s.n);
	return rc;
}

static int get_document(const json_t *doc, unsigned depth, struct bootspec *b, struct err *err);

static int get_special(const char *name, const json_t *doc, unsigned depth,
                       struct bootspec_special *out, struct err *err)
{
	char shown[SHOW_SIZE];
	struct str s = str_from(name);
	int rc;

	/* It is a file name in specialisation/, and menus show it. */
	if (!walk_name_valid(s) || !bootspec_text_valid(s))
		return err_set(err, ERR_FORMAT, "boot.json: invalid specialisation name \"%s\"",
		               show_str(s, shown));
	out->name = xstrdup(name);
	rc = get_document(doc, depth + 1, &out->spec, err);
	if (rc < 0)
		return err_prefix(err, "specialisation \"%s\"", show_str(s, shown));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct bootspec_special *)a)->name,
	              ((const struct bootspec_special *)b)->name);
}

static int get_specials(const json_t *doc, unsigned depth, struct bootspec *b, struct err *err)
{
	json_t *all = json_object_get(doc, KEY_SPECIAL), *value;
	size_t n = json_object_size(all);
	const char *name;
	int rc;

	if (!all)
		return 0;
	if (!json_is_object(all))
		return err_set(err, ERR_FORMAT, "boot.json: " KEY_SPECIAL " is not an object");
	if (n > BOOTSPEC_SPECIAL_MAX)
		return err_set(err, ERR_LIMIT,
		               "boot.json: %zu specialisations, more than the limit of %d", n,
		               BOOTSPEC_SPECIAL_MAX);
	if (n && depth >= BOOTSPEC_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "boot.json: specialisations nested deeper than %d",
		               BOOTSPEC_DEPTH_MAX);
	b->special = xcalloc(n, sizeof *b->special);
	json_object_foreach(all, name, value)
	{
		/* Counted before it is filled, so that fini() sees it. */
		rc = get_special(name, value, depth, &b->special[b->nspecial++], err);
		if (rc < 0)
			return rc;
	}
	if (n)
		qsort(b->special, n, sizeof *b->special, by_name);
	return 0;
}

static int get_document(const json_t *doc, unsigned depth, struct bootspec *b, struct err *err)
{
	const json_t *spec;
	int rc;

	if (!json_is_object(doc))
		return err_set(err, ERR_FORMAT, "boot.json: not an object");
	spec = json_object_get(doc, KEY_SPEC);
	if (!spec)
		return err_set(err, ERR_UNSUPPORTED, "boot.json: no " KEY_SPEC " in it");
	if (!json_is_object(spec))
		return err_set(err, ERR_FORMAT, "boot.json: " KEY_SPEC " is not an object");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		rc = get_field(spec, &fields[i], b, err);
		if (rc < 0)
			return rc;
	}
	rc = get_params(spec, b, err);
	if (rc < 0)
		return rc;
	rc = get_etc(json_object_get(doc, KEY_INIT), "etc_basedir", &b->etc_basedir, err);
	if (rc == 0)
		rc = get_etc(json_object_get(doc, KEY_INIT), "etc_metadata_image", &b->etc_image,
		             err);
	return rc < 0 ? rc : get_specials(doc, depth, b, err);
}

/* Parsed, a value of two bytes takes about a hundred. */
static int check_values(const char *p, size_t n, struct err *err)
{
	unsigned values = 0;

	for (size_t i = 0; i < n; i++)
		values += p[i] == ',' || p[i] == '[' || p[i] == '{';
	if (values <= BOOTSPEC_VALUES_MAX)
		return 0;
	return err_set(err, ERR_LIMIT, "boot.json: %u values, more than the limit of %u", values,
	               BOOTSPEC_VALUES_MAX);
}

int bootspec_parse(const void *p, size_t n, struct bootspec *out, struct err *err)
{
	_cleanup_(json_freep) json_t *doc = NULL;
	struct bootspec b = {0};
	char shown[SHOW_SIZE];
	json_error_t why;
	int rc;

	if (n > BOOTSPEC_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "boot.json: %zu bytes, more than the limit of %u", n,
		               BOOTSPEC_BYTES_MAX);
	rc = check_values(p, n, err);
	if (rc < 0)
		return rc;
	doc = json_loadb(p, n, JSON_REJECT_DUPLICATES, &why);
	if (!doc)
		return err_set(err, ERR_FORMAT, "boot.json: line %d: %s", why.line,
		               show_str(str_from(why.text), shown));
	rc = get_document(doc, 0, &b, err);
	if (rc < 0) {
		bootspec_fini(&b);
		return rc;
	}
	*out = b;
	return 0;
}
