/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "command.h"
#include "inspector/generation_json.h"
#include "inspect/inspect.h"
#include "ui/json_out.h"
#include "host/guest_options.h"

#define CONFIGS "/etc/xen"
#define GUESTS_MAX 10000u

static const char intro[] =
        "usage: domstrap list [DIRECTORY|CONFIG...] [options]\n\n"
        "Lists guests, one per line: the xl configs *.cfg in the directories given, or\n"
        "the configs given; default: /etc/xen.\n\n";

static const struct option_row rows[] = {
        GUEST_JSON("print JSON"),
        GUEST_LAST("also print why a value is unknown"),
};

static const struct option_set options = SET_OF_ROWS("list", intro, rows);

struct names {
	char **v;
	size_t n, cap;
};

static void names_fini(struct names *l)
{
	while (l->n)
		free(l->v[--l->n]);
	free(l->v);
}

static int add_name(struct names *l, const char *path, struct err *err)
{
	if (l->n == GUESTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %u configs", GUESTS_MAX);
	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = xstrdup(path);
	return 0;
}

/* In a directory others may keep what is no guest: only guests have disks. */
static bool is_guest(const char *path)
{
	_cleanup_(xlcfg_guest_fini) struct xlcfg_guest g = {.n = 0};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err why = ERR_INIT;

	/* One that cannot be read is in the list, with the reason. */
	if (io_read_file(AT_FDCWD, path, XLCFG_BYTES_MAX, &text, &why) < 0)
		return why.code == ERR_IO;
	return text.n && xlcfg_guest_parse(text.p, text.n, &g, &why) == 0 && (g.name || g.n);
}

static int add_directory(struct names *l, const char *dir, struct err *err)
{
	_free_ char *pattern = NULL;
	struct buf quoted = BUF_INIT;
	glob_t found;
	int rc = 0;

	for (const char *c = dir; *c; c++)
		buf_putf(&quoted, "%s%c", strchr("*?[\\", *c) ? "\\" : "", *c);
	buf_puts(&quoted, "/*.cfg");
	pattern = buf_steal(&quoted);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
		if (is_guest(found.gl_pathv[i]))
			rc = add_name(l, found.gl_pathv[i], err);
	globfree(&found);
	return rc;
}

static int add_argument(struct names *l, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(err, errno, "%s", path);
	return S_ISDIR(st.st_mode) ? add_directory(l, path, err) : add_name(l, path, err);
}

/* ---- one guest ------------------------------------------------------------ */

/* The generation that boots by default, else the one that the profile points at. */
static const json_t *current(const json_t *nixos)
{
	static const char *const marks[] = {"default", "current"};
	const json_t *list = json_object_get(nixos, "generations");

	for (size_t m = 0; m < ARRAY_LEN(marks); m++)
		for (size_t i = 0; i < json_array_size(list); i++)
			if (inspector_true(json_array_get(list, i), marks[m]))
				return json_array_get(list, i);
	return NULL;
}

static uint64_t disk_bytes(const struct inspection *in)
{
	uint64_t n = 0;

	for (size_t i = 0; i < in->disks.n; i++)
		n += in->disks.spec[i].size;
	return n;
}

static json_t *one_json(const char *path, const struct inspection *in, const struct err *err)
{
	const json_t *nixos = json_object_get(in->seen, "nixos"), *g = current(nixos);
	json_t *o = json_object(), *s = json_string(path);
	const char *why;

	json_object_set_new(o, "config", s ? s : json_null());
	s = in->args.cfg.name ? json_string(in->args.cfg.name) : NULL;
	json_object_set_new(o, "name", s ? s : json_null());
	json_object_set_new(o, "type", json_string(inspection_type(in)));
	json_object_set_new(o, "memoryMiB", json_integer((json_int_t)in->args.cfg.memory));
	json_object_set_new(o, "domain", inspection_domain_json(in));
	json_object_set_new(o, "diskBytes", json_integer((json_int_t)disk_bytes(in)));
	json_object_set_new(o, "version", json_string(inspector_text(g, "version")));
	json_object_set_new(o, "kernelVersion", json_string(inspector_text(g, "kernelVersion")));
	json_object_set_new(o, "generation",
	                    json_integer((json_int_t)inspector_number(g, "generation")));
	s = json_object_get(nixos, "boot");
	json_object_set(o, "boot", s ? s : json_null());
	why = err->code ? err->text : inspector_text(in->seen, "nixosError");
	s = *why ? json_string(why) : NULL;
	json_object_set_new(o, "error", s ? s : json_null());
	return o;
}

static void put_cell(struct buf *b, const char *text, int width)
{
	size_t from = b->n;

	inspector_put(b, *text ? text : "-");
	buf_putf(b, "%*s ", (int)MAX(0, width - (int)(b->n - from)), "");
}

static void print_one(const char *path, const struct inspection *in, const struct err *err)
{
	static const char *const known[] = {"?", "off", ""};
	const json_t *nixos = json_object_get(in->seen, "nixos"), *g = current(nixos);
	const json_t *boot = json_object_get(nixos, "boot");
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	const char *why = err->code ? err->text : inspector_text(in->seen, "nixosError");
	char text[32];

	put_cell(&b, in->args.cfg.name ? in->args.cfg.name : path, 20);
	put_cell(&b, inspection_type(in), 4);
	snprintf(text, sizeof text, "%" PRIu64, in->args.cfg.memory);
	put_cell(&b, in->args.cfg.memory ? text : "-", 7);
	put_cell(&b, in->known == DOMAIN_THERE ? in->state : known[in->known], 9);
	put_cell(&b, in->disks.n ? str_human(disk_bytes(in), (char[16]){0}) : "-", 10);
	put_cell(&b, inspector_text(g, "version"), 28);
	put_cell(&b, inspector_text(g, "kernelVersion"), 12);
	if (boot && (generation_boot_differs(boot) || generation_boot_once(boot))) {
		buf_puts(&b, " boots by default: ");
		generation_boot_text(boot, &b);
	}
	printf("%.*s\n", STR_ARG(str_trim(buf_str(&b))));
	if (*why) {
		buf_reset(&b);
		inspector_put(&b, why);
		ui_detail("%s: %s", path, b.p);
	}
}

static void list_one(const char *path, json_t *json)
{
	_cleanup_(inspection_fini) struct inspection in = {.known = DOMAIN_UNKNOWN};
	struct err err = ERR_INIT;

	(void)inspection_make((const char *const[]){path}, 1, 0, &in, &err);
	if (json)
		json_array_append_new(json, one_json(path, &in, &err));
	else
		print_one(path, &in, &err);
}

static void list_all(const struct names *l, bool json)
{
	json_t *o = json_out_new(), *guests = json_array();

	json_object_set_new(o, "guests", guests);
	if (!json && l->n)
		printf("%-20s %-4s %-7s %-9s %-10s %-28s %s\n", "guest", "type", "MiB", "state",
		       "disks", "NixOS", "kernel");
	for (size_t i = 0; i < l->n; i++)
		list_one(l->v[i], json ? guests : NULL);
	if (json)
		json_out_print(o, stdout);
	else
		json_decref(o);
}

int cmd_list(int argc, char **argv)
{
	_cleanup_(names_fini) struct names l = {.n = 0};
	struct guest_options req = {.n_args = 0};
	struct err err = ERR_INIT;
	int rc;

	ui_init(UI_NORMAL);
	rc = guest_options_parse(argc, argv, &options, false, &req, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(req.level);
	if (!req.n_args)
		rc = add_directory(&l, CONFIGS, &err);
	for (size_t i = 0; i < req.n_args && rc == 0; i++)
		rc = add_argument(&l, req.args[i], &err);
	if (rc < 0)
		return command_failed(&err);
	if (!l.n)
		ui_say("no xl configs found%s", req.n_args ? "" : " in " CONFIGS);
	list_all(&l, req.json);
	return STATUS_DONE;
}
