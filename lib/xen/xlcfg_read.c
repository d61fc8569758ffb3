/* SPDX-License-Identifier: MIT */
#include "xen/xlcfg_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"

static void free_texts(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void xlcfg_guest_fini(struct xlcfg_guest *d)
{
	for (size_t i = 0; i < d->n; i++)
		xlcfg_disk_fini(&d->v[i]);
	free(d->v);
	free_texts(d->vifs, d->n_vifs);
	free_texts(d->bootloader_args, d->n_bootloader_args);
	free(d->name);
	free(d->type);
	free(d->bootloader);
	free(d->kernel);
	free(d->ramdisk);
	free(d->guest_kernel);
	free(d->firmware);
	free(d->cmdline);
	*d = (struct xlcfg_guest){0};
}

struct str xlcfg_vif_get(const char *vif, const char *key)
{
	struct str rest = str_from(vif), found = STR("");

	while (rest.p) {
		struct str value = str_trim(str_cut(&rest, ','));

		if (str_is(str_trim(str_cut(&value, '=')), key) && value.p)
			found = str_trim(value);
	}
	return found;
}

/* ---- lists ---------------------------------------------------------------- */

static int take_disks(const struct xlcfg_text *t, struct xlcfg_guest *g, struct err *err)
{
	const struct xlcfg_value *v;
	size_t n = xlcfg_text_list(t, "disk", &v);

	if (n > XLCFG_DISKS_MAX)
		return err_set(err, ERR_LIMIT, "%zu disks, more than the limit of %d", n,
		               XLCFG_DISKS_MAX);
	g->v = n ? xcalloc(n, sizeof *g->v) : NULL;
	for (; g->n < n; g->n++) {
		int rc = xlcfg_disk_parse(v[g->n].text, &g->v[g->n], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int take_texts(const struct xlcfg_text *t, const char *key, size_t max, char ***out,
                      size_t *n_out, struct err *err)
{
	const struct xlcfg_value *v;
	size_t n = xlcfg_text_list(t, key, &v);

	if (n > max)
		return err_set(err, ERR_LIMIT, "%s: %zu items, more than the limit of %zu", key, n,
		               max);
	*out = n ? xcalloc(n, sizeof **out) : NULL;
	for (; *n_out < n; (*n_out)++)
		(*out)[*n_out] = xstrdup(v[*n_out].text);
	return 0;
}

/* A list, or a string with blanks between the arguments, as in xm. */
static int take_args(const struct xlcfg_text *t, struct xlcfg_guest *g, struct err *err)
{
	const char *p = xlcfg_text_get(t, "bootloader_args");

	if (!p)
		return take_texts(t, "bootloader_args", XLCFG_ARGS_MAX, &g->bootloader_args,
		                  &g->n_bootloader_args, err);
	g->bootloader_args = xcalloc(XLCFG_ARGS_MAX, sizeof *g->bootloader_args);
	for (p += strspn(p, " \t\n"); *p; p += strspn(p, " \t\n")) {
		size_t n = strcspn(p, " \t\n");

		if (g->n_bootloader_args == XLCFG_ARGS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d bootloader_args",
			               XLCFG_ARGS_MAX);
		g->bootloader_args[g->n_bootloader_args++] = xstrndup(p, n);
		p += n;
	}
	return 0;
}

/* ---- single values -------------------------------------------------------- */

static char *copy(const struct xlcfg_text *t, const char *key)
{
	const char *text = xlcfg_text_get(t, key);

	return text ? xstrdup(text) : NULL;
}

/* xl accepts abbreviations: "h" is hvm, "p" is pv. */
static const char *starts_one(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(text, list[i], strlen(text)))
			return list[i];
	return NULL;
}

static int take_type(const struct xlcfg_text *t, struct xlcfg_guest *g, struct err *err)
{
	static const char *const types[] = {"hvm", "pv", "pvh"}, *const builders[] = {"hvm",
	                                                                              "generic"};
	const char *said = xlcfg_text_get(t, "type"), *old = xlcfg_text_get(t, "builder"), *type,
	           *by;
	char shown[SHOW_SIZE];

	type = said ? starts_one(said, types, ARRAY_LEN(types)) : NULL;
	by = old ? starts_one(old, builders, ARRAY_LEN(builders)) : NULL;
	if ((said && !type) || (old && !by))
		return err_set(err, ERR_FORMAT, "invalid domain type \"%s\"",
		               show_str(str_from(said && !type ? said : old), shown));
	if (by && strcmp(by, "generic") == 0)
		by = "pv";
	if (type && by && strcmp(type, by) != 0)
		return err_set(err, ERR_FORMAT, "builder and type contradict each other");
	if (type || by)
		g->type = xstrdup(type ? type : by);
	return 0;
}

static char *cmdline_of(const struct xlcfg_text *t)
{
	const char *whole = xlcfg_text_get(t, "cmdline"), *root = xlcfg_text_get(t, "root"),
	           *extra = xlcfg_text_get(t, "extra");

	if (whole || !root)
		return whole ? xstrdup(whole) : extra ? xstrdup(extra) : NULL;
	return extra ? xasprintf("root=%s %s", root, extra) : xasprintf("root=%s", root);
}

/* A number in any base of strtol(3). xl ignores a value that is not a number. */
static uint64_t number_of(const struct xlcfg_text *t, const char *key)
{
	const struct xlcfg_setting *set = xlcfg_text_find(t, key);
	const char *text = set && !set->added ? set->value.text : NULL;
	char *end;
	long v;

	if (!text)
		return 0;
	errno = 0;
	v = strtol(text, &end, 0);
	return errno || *end || end == text || v < 0 ? 0 : (uint64_t)v;
}

static int take_all(const struct xlcfg_text *t, struct xlcfg_guest *g, struct err *err)
{
	int rc = take_type(t, g, err);

	g->name = copy(t, "name");
	g->bootloader = copy(t, "bootloader");
	*(g->bootloader ? &g->guest_kernel : &g->kernel) = copy(t, "kernel");
	if (!g->bootloader)
		g->ramdisk = copy(t, "ramdisk");
	g->firmware = copy(t, "firmware");
	g->cmdline = cmdline_of(t);
	g->memory = number_of(t, "memory");
	if (rc == 0)
		rc = take_args(t, g, err);
	if (rc == 0)
		rc = take_texts(t, "vif", XLCFG_VIFS_MAX, &g->vifs, &g->n_vifs, err);
	return rc < 0 ? rc : take_disks(t, g, err);
}

int xlcfg_guest_parse(const char *p, size_t n, struct xlcfg_guest *out, struct err *err)
{
	_cleanup_(xlcfg_text_fini) struct xlcfg_text t = {.n = 0};
	struct xlcfg_guest g = {.n = 0};
	int rc = xlcfg_text_parse(p, n, &t, err);

	if (rc == 0)
		rc = take_all(&t, &g, err);
	if (rc < 0)
		xlcfg_guest_fini(&g);
	else
		*out = g;
	return rc;
}
