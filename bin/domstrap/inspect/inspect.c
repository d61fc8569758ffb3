/* SPDX-License-Identifier: MIT */
#include "inspect/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "ui/json_out.h"
#include "host/guest_options.h"
#include "host/xl.h"

static const char intro[] =
        "usage: domstrap inspect GUEST [options]\n\n"
        "Shows what is on a guest's disks: partitions, file systems, the boot menu as\n"
        "domgrub reads it, kernels, generations, the Nix store; and whether it runs.\n"
        "GUEST is its xl config, or its disks: images or block devices, of any guest.\n"
        "Nothing is written.\n\n";

struct inspect_options {
	struct guest_options common;
	bool paths;
};

static const struct option_row rows[] = {
        ROW_TRUE("paths", "every store path, with its size", struct inspect_options, paths),
        GUEST_JSON("print JSON"),
        GUEST_LAST("files and arguments of every menu entry"),
};

static const struct option_set options = SET_OF_ROWS("inspect", intro, rows);

/* ---- the live domain ------------------------------------------------------ */

static bool is_ours(const struct inspection *in, const json_t *domain)
{
	const char *name = in->args.cfg.name;

	if (name && !strcmp(xl_domain_name(domain), name))
		return true;
	for (size_t i = 0; i < in->args.n; i++)
		if (xl_domain_has(domain, in->args.v[i].path))
			return true;
	return false;
}

static void join_domain(struct inspection *in)
{
	struct err err = ERR_INIT;
	json_t *domains = NULL;
	int rc = xl_domains(&domains, &err);

	if (rc != 0)
		snprintf(in->why, sizeof in->why, "%.250s",
		         rc < 0 ? err.text : "this host has no xl, or does not run Xen");
	in->known = rc == 0 ? DOMAIN_NONE : DOMAIN_UNKNOWN;
	for (size_t i = 0; i < json_array_size(domains) && in->known == DOMAIN_NONE; i++) {
		const json_t *domain = json_array_get(domains, i);

		if (!is_ours(in, domain))
			continue;
		in->known = DOMAIN_THERE;
		in->domain = xstrdup(xl_domain_name(domain));
		in->domid = xl_domain_id(domain);
		in->state = xl_domain_state(in->domid);
	}
	json_decref(domains);
}

int inspection_make(const char *const *args, size_t n, unsigned wants, struct inspection *out,
                    struct err *err)
{
	int rc = arguments_read(args, n, &out->args, err);

	if (rc < 0)
		return rc;
	join_domain(out);
	rc = arguments_open(&out->args, &out->disks, err);
	if (rc == 0 && out->disks.n)
		rc = inspector_run(&out->disks, wants, &out->seen, err);
	return rc;
}

void inspection_fini(struct inspection *in)
{
	json_decref(in->seen);
	inspector_close(&in->disks);
	arguments_fini(&in->args);
	free(in->domain);
}

const char *inspection_type(const struct inspection *in)
{
	if (!in->args.config)
		return "";
	return in->args.cfg.type ? in->args.cfg.type : "pv";
}

/* ---- as JSON -------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	json_t *s = text && *text ? json_string(text) : NULL;

	return s ? s : json_null();
}

json_t *inspection_domain_json(const struct inspection *in)
{
	json_t *o = json_object();

	json_object_set_new(o, "known", json_boolean(in->known != DOMAIN_UNKNOWN));
	json_object_set_new(o, "running", json_boolean(in->known == DOMAIN_THERE));
	json_object_set_new(o, "reason", text_or_null(in->why));
	json_object_set_new(o, "name", text_or_null(in->domain));
	json_object_set_new(o, "id",
	                    in->known == DOMAIN_THERE ? json_integer(in->domid) : json_null());
	json_object_set_new(o, "state", text_or_null(in->state));
	return o;
}

static json_t *config_json(const struct inspection *in)
{
	const struct xlcfg_guest *g = &in->args.cfg;
	json_t *o = json_object();

	if (!in->args.config) {
		json_decref(o);
		return json_null();
	}
	json_object_set_new(o, "path", text_or_null(in->args.config));
	json_object_set_new(o, "name", text_or_null(g->name));
	json_object_set_new(o, "type", text_or_null(inspection_type(in)));
	json_object_set_new(o, "memoryMiB", json_integer((json_int_t)g->memory));
	json_object_set_new(o, "bootloader", text_or_null(g->bootloader));
	json_object_set_new(o, "kernel", text_or_null(g->kernel));
	json_object_set_new(o, "grub", text_or_null(in->args.grub));
	json_object_set_new(o, "ramdisk", text_or_null(g->ramdisk));
	json_object_set_new(o, "cmdline", text_or_null(g->cmdline));
	return o;
}

/* Add path and name in the guest to what the child reports of each disk that it read. */
static json_t *disks_json(const struct inspection *in)
{
	const json_t *looked = json_object_get(in->seen, "disks");
	json_t *list = json_array();
	size_t read = 0;

	for (size_t i = 0; i < in->args.n; i++) {
		const struct disk_argument *a = &in->args.v[i];
		const json_t *seen = a->raw ? json_array_get(looked, read++) : NULL;
		json_t *o = json_is_object(seen) ? json_deep_copy(seen) : json_object();

		json_object_set_new(o, "path", text_or_null(a->path));
		json_object_set_new(o, "vdev", text_or_null(a->vdev));
		json_object_set_new(o, "raw", json_boolean(a->raw));
		if (a->why)
			json_object_set_new(o, "trouble", text_or_null(a->why));
		json_array_append_new(list, o);
	}
	return list;
}

static void print_json(const struct inspection *in)
{
	static const char *const parts[] = {"volumes", "menu",  "menuError",
	                                    "kernels", "nixos", "nixosError"};
	json_t *o = json_out_new();

	json_object_set_new(o, "config", config_json(in));
	json_object_set_new(o, "domain", inspection_domain_json(in));
	json_object_set_new(o, "disks", disks_json(in));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		json_t *part = json_object_get(in->seen, parts[i]);

		if (part)
			json_object_set(o, parts[i], part);
	}
	json_out_print(o, stdout);
}

int cmd_inspect(int argc, char **argv)
{
	_cleanup_(inspection_fini) struct inspection in = {.known = DOMAIN_UNKNOWN};
	struct inspect_options req = {.paths = false};
	struct err err = ERR_INIT;
	unsigned wants = INSPECTOR_KERNELS | INSPECTOR_SIZES;
	int rc;

	ui_init(UI_NORMAL);
	rc = guest_options_parse(argc, argv, &options, true, &req.common, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(req.common.level);
	if (req.paths)
		wants |= INSPECTOR_PATHS;
	rc = inspection_make(req.common.args, req.common.n_args, wants, &in, &err);
	if (rc < 0)
		return command_failed(&err);
	if (req.common.json)
		print_json(&in);
	else
		inspection_print(&in, req.paths, req.common.level > UI_NORMAL);
	return STATUS_DONE;
}
