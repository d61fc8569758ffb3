/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "check/check.h"
#include "inspector/generation_json.h"
#include "nixos/fstab.h"

#define IN_CONFIGURATION " in the guest's configuration.nix"

/* ---- the kernel ----------------------------------------------------------- */

static void check_kernel(const struct arguments *a, const json_t *kernel, const char *name,
                         struct findings *out)
{
	const char *type = a->cfg.type ? a->cfg.type : "pv", *why;
	const json_t *advice = json_object_get(kernel, "advice");
	bool pv = inspector_true(kernel, "pv"), pvh = inspector_true(kernel, "pvh"), right;

	if (!inspector_true(kernel, "notesRead")) {
		findings_add(out, FINDING_WARNING, "kernel", name, "",
		             "cannot tell whether it supports Xen: %s",
		             inspector_text(kernel, "trouble"));
		return;
	}
	right = !a->config ? pv || pvh : !strcmp(type, "pvh") ? pvh : pv;
	why = inspector_text(kernel, !strcmp(type, "pvh") ? "notPvh" : "notPv");
	if (right)
		findings_add(out, FINDING_OK, "kernel", name, "", "%s, %s, for%s%s",
		             inspector_text(kernel, "release"), inspector_text(kernel, "format"),
		             pv ? " PV" : "", pvh ? " PVH" : "");
	else
		findings_add(out, FINDING_ERROR, "kernel", name,
		             pv    ? "set type = \"pv\" in the config"
		             : pvh ? "set type = \"pvh\" in the config"
		                   : "use a kernel built with CONFIG_XEN_PV or CONFIG_PVH",
		             "cannot boot as a %s guest: %s", a->config ? type : "pv", why);
	/* GRUB starts a kernel that Xen cannot unpack: the kernel unpacks itself. */
	for (size_t i = 0; i < json_array_size(advice) && right && !a->grub; i++)
		findings_add(out, FINDING_ERROR, "kernel", name,
		             "use a newer Xen, or a kernel with another compression "
		             "(boot.kernelPackages)",
		             "%s", json_string_value(json_array_get(advice, i)));
}

/* ---- the drivers ---------------------------------------------------------- */

static bool in_list(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));

		if (one && !strcmp(one, name))
			return true;
	}
	return false;
}

static void check_driver(const json_t *system, const char *name, const char *what,
                         struct findings *out)
{
	const json_t *modules = json_object_get(system, "modules");
	const json_t *builtin = json_object_get(system, "builtin");
	const char *trouble = inspector_text(system, "initrdTrouble");

	if (in_list(modules, name))
		findings_add(out, FINDING_OK, "driver", name, "", "in the initrd");
	else if (in_list(builtin, name))
		findings_add(out, FINDING_OK, "driver", name, "", "built into the kernel");
	else if (*trouble)
		findings_add(out, FINDING_UNKNOWN, "driver", name, "",
		             "the initrd cannot be read: %s", trouble);
	else if (!json_is_array(builtin) && !json_array_size(modules))
		findings_add(out, FINDING_UNKNOWN, "driver", name, "",
		             "cannot tell which modules the initrd and the kernel have");
	else
		findings_add(out, json_is_array(builtin) ? FINDING_ERROR : FINDING_WARNING,
		             "driver", name,
		             "add it to boot.initrd.availableKernelModules" IN_CONFIGURATION,
		             "%s is neither in the initrd nor %sbuilt into the kernel", what,
		             json_is_array(builtin) ? "" : "known to be ");
}

/* The kernel module of a file system; that of ext2 and ext3 is ext4. */
static void check_root_driver(const json_t *system, const char *type, struct findings *out)
{
	if (!strcmp(type, "ext2") || !strcmp(type, "ext3"))
		type = "ext4";
	if (*type && strcmp(type, "auto") != 0)
		check_driver(system, type, "the root file system's driver", out);
}

/* ---- the root ------------------------------------------------------------- */

struct root {
	const char *by;
	char value[256];
};

/* "root=" of the command line, if the system's fstab does not name the root. */
static bool root_of_args(const char *args, struct root *r)
{
	static const struct {
		const char *prefix, *by;
	} forms[] = {{"root=LABEL=", "label"},
	             {"root=UUID=", "uuid"},
	             {"root=/dev/disk/by-label/", "label"},
	             {"root=/dev/disk/by-uuid/", "uuid"},
	             {"root=/dev/", "device"}};
	struct str rest = str_from(args);

	while (rest.p) {
		struct str word = str_cut(&rest, ' ');

		for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
			if (!str_starts(word, forms[i].prefix))
				continue;
			r->by = forms[i].by;
			word = str_drop(word, strlen(forms[i].prefix));
			snprintf(r->value, sizeof r->value, "%s%.*s",
			         strcmp(r->by, "device") ? "" : "/dev/", STR_ARG(word));
			return true;
		}
	}
	return false;
}

static bool root_find(const json_t *start, const json_t *system, struct root *r)
{
	const json_t *root = json_object_get(system, "root");

	if (!json_is_object(root))
		return root_of_args(inspector_text(start, "args"), r);
	r->by = inspector_text(root, "by");
	snprintf(r->value, sizeof r->value, "%s", inspector_text(root, "value"));
	return true;
}

static bool fs_is(const json_t *fs, const struct root *r)
{
	return json_is_object(fs) && strcmp(r->by, "device") != 0 &&
	       !strcmp(inspector_text(fs, r->by), r->value);
}

/* "/dev/xvda1" on the disk that the config calls xvda, or "/dev/xvda" itself. */
static bool device_is(const char *vdev, uint64_t number, const struct root *r)
{
	char name[96];

	if (strcmp(r->by, "device") != 0 || !*vdev)
		return false;
	if (number)
		snprintf(name, sizeof name, "/dev/%.40s%" PRIu64, vdev, number);
	else
		snprintf(name, sizeof name, "/dev/%.40s", vdev);
	return !strcmp(name, r->value);
}

static const json_t *root_on_volumes(const json_t *seen, const struct root *r)
{
	const json_t *list = json_object_get(seen, "volumes");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i), *fs = json_object_get(v, "fileSystem");

		if (fs_is(fs, r) ||
		    (json_is_object(fs) && !strcmp(r->by, "device") &&
		     fstab_is_volume(str_from(r->value), inspector_text(v, "device"))))
			return fs;
	}
	return NULL;
}

/* The root file system, or NULL. */
static const json_t *root_on_disks(const struct arguments *a, const json_t *seen,
                                   const struct root *r)
{
	const json_t *disks = json_object_get(seen, "disks");
	size_t read = 0;

	for (size_t i = 0; i < a->n; i++) {
		const json_t *d = a->v[i].raw ? json_array_get(disks, read++) : NULL;
		const json_t *parts = json_object_get(d, "partitions");
		const json_t *fs = json_object_get(d, "fileSystem");

		if (fs_is(fs, r) || (json_is_object(fs) && device_is(a->v[i].vdev, 0, r)))
			return fs;
		for (size_t k = 0; k < json_array_size(parts); k++) {
			const json_t *p = json_array_get(parts, k);

			fs = json_object_get(p, "fileSystem");
			if (fs_is(fs, r) ||
			    device_is(a->v[i].vdev, inspector_number(p, "number"), r))
				return fs;
		}
	}
	return root_on_volumes(seen, r);
}

/* Returns the type of the root file system, or "" if it is unknown. */
static const char *check_root(const struct arguments *a, const json_t *seen, const json_t *start,
                              const json_t *system, struct findings *out)
{
	const char *type = inspector_text(json_object_get(system, "root"), "type");
	struct root r = {.by = ""};
	const char *by;
	const json_t *fs;

	if (!root_find(start, system, &r)) {
		findings_add(out, FINDING_UNKNOWN, "root", "root device", "",
		             "neither the system's fstab nor root= names it");
		return type;
	}
	if (!a->n)
		return type;
	by = !strcmp(r.by, "label") ? "label " : !strcmp(r.by, "uuid") ? "UUID " : "";
	fs = root_on_disks(a, seen, &r);
	if (fs)
		findings_add(out, FINDING_OK, "root", "root device", "", "%s%s found", by, r.value);
	else if (!a->config && !strcmp(r.by, "device"))
		findings_add(out, FINDING_UNKNOWN, "root", "root device",
		             "check the guest's xl config instead of its disks",
		             "only the xl config says whether a disk is %s in the guest", r.value);
	else
		findings_add(out, FINDING_ERROR, "root", "root device",
		             "correct fileSystems.\"/\"" IN_CONFIGURATION
		             ", or disk= in the config",
		             "%s%s not found on any disk", by, r.value);
	return fs && *inspector_text(fs, "type") ? inspector_text(fs, "type") : type;
}

/* ---- console and init ----------------------------------------------------- */

static bool has_word(const char *args, const char *word)
{
	struct str rest = str_from(args);

	while (rest.p) {
		struct str one = str_cut(&rest, ' ');

		if (str_is(one, word) ||
		    (str_starts(one, word) && one.n > strlen(word) && one.p[strlen(word)] == ','))
			return true;
	}
	return false;
}

static bool says_console(const char *args)
{
	return str_starts(str_from(args), "console=") || strstr(args, " console=");
}

/* Without console= a PV guest uses hvc0, a PVH guest the console of a PC. */
static void check_console(const struct arguments *a, const json_t *start, const json_t *system,
                          struct findings *out)
{
	bool pv = a->config && (!a->cfg.type || !strcmp(a->cfg.type, "pv"));

	if (has_word(inspector_text(start, "args"), "console=hvc0"))
		findings_add(out, FINDING_OK, "console", "console", "",
		             "kernel messages go to hvc0");
	else if (inspector_true(system, "getty"))
		findings_add(out, FINDING_OK, "console", "console", "", "a getty runs on hvc0");
	else if (pv && !says_console(inspector_text(start, "args")))
		findings_add(out, FINDING_OK, "console", "console", "",
		             "hvc0 is the default of a PV guest");
	else
		findings_add(
		        out, FINDING_WARNING, "console", "console",
		        "set boot.kernelParams = [ \"console=hvc0\" ]" IN_CONFIGURATION,
		        "no console=hvc0 and no getty on hvc0: \"xl console\" may show nothing");
}

static void check_init(const json_t *start, struct findings *out)
{
	const char *init = inspector_text(start, "init");

	if (!*init)
		findings_add(out, FINDING_WARNING, "init", "init", "",
		             "no init= on the kernel command line; NixOS needs it");
	else if (inspector_true(start, "initFound"))
		findings_add(out, FINDING_OK, "init", init, "", "found in the root file system");
	else
		findings_add(
		        out, FINDING_ERROR, "init", init,
		        "run \"domstrap rollback\", or \"domstrap update\" with another system",
		        "not found in the root file system");
}

/* The parts from which the initrd makes /etc, if that is an overlay. */
static void check_etc(const json_t *start, struct findings *out)
{
	const char *missing = inspector_text(start, "etcMissing");

	if (*missing)
		findings_add(
		        out, FINDING_ERROR, "etc", missing,
		        "run \"domstrap rollback\", or \"domstrap update\" with another system",
		        "not found; the overlay on the system's /etc needs it "
		        "(system.etc.overlay)");
}

/* The second initrd with the secrets, which only the guest can make. */
static void check_secrets(const json_t *start, const json_t *system, const char *name,
                          struct findings *out)
{
	if (!inspector_true(system, "secrets"))
		return;
	if (json_array_size(json_object_get(start, "initrds")) > 1)
		findings_add(out, FINDING_OK, "secrets", name, "",
		             "has a second initrd for boot.initrd.secrets");
	else
		findings_add(out, FINDING_WARNING, "secrets", name,
		             "run \"nixos-rebuild boot\" in the guest, which has the secrets",
		             "no initrd contains its boot.initrd.secrets: the guest starts without "
		             "them");
}

/* ---- the start ------------------------------------------------------------ */

void check_start(const struct arguments *a, const json_t *seen, const json_t *start,
                 const char *name, struct findings *out)
{
	const json_t *system = json_object_get(start, "system");
	const char *kernel = inspector_text(start, "kernel"),
	           *error = inspector_text(start, "error");
	const char *type;

	if (*error || !*kernel) {
		findings_add(out, FINDING_ERROR, "start", name,
		             "boot an older generation with \"domstrap rollback\"",
		             "cannot boot: %s", *error ? error : "no kernel");
		return;
	}
	findings_add(out, FINDING_OK, "start", name, "", "boots by default");
	check_kernel(a, json_object_get(json_object_get(seen, "kernels"), kernel), kernel, out);
	if (*inspector_text(system, "trouble"))
		findings_add(out, FINDING_ERROR, "system", name, "", "cannot be read: %s",
		             inspector_text(system, "trouble"));
	type = check_root(a, seen, start, system, out);
	check_driver(system, "xen_blkfront", "the Xen disk driver", out);
	check_root_driver(system, type, out);
	check_console(a, start, system, out);
	check_secrets(start, system, name, out);
	check_init(start, out);
	check_etc(start, out);
}

/* Checks the default entry, and warns of each other one that cannot boot. */
static void check_entries(const struct arguments *a, const json_t *seen, const json_t *entries,
                          struct findings *out)
{
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *e = json_array_get(entries, i),
		             *below = json_object_get(e, "entries");
		const char *title = inspector_text(e, "title"), *error = inspector_text(e, "error");

		if (json_is_array(below))
			check_entries(a, seen, below, out);
		else if (inspector_true(e, "default"))
			check_start(a, seen, e, title, out);
		else if (*error)
			findings_add(out, FINDING_WARNING, "menu", title, "", "cannot boot: %s",
			             error);
	}
}

/* Which generation that is, and whether it is the one that the profile points at. */
static void check_generation(const struct arguments *a, const json_t *seen, struct findings *out)
{
	const json_t *boot = json_object_get(json_object_get(seen, "nixos"), "boot");
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	const char *init = inspector_text(boot, "init");

	if (!json_is_object(boot) || *inspector_text(boot, "error"))
		return;
	generation_boot_text(boot, &text);
	if (a->config && !a->cfg.kernel && boots_init(a->cfg.cmdline).p && *init &&
	    !inspector_true(boot, "initFound"))
		findings_add(out, FINDING_ERROR, "init", init, "remove init= from the config",
		             "set by the config, but not found in the root file system");
	if (generation_boot_differs(boot))
		findings_add(out, FINDING_WARNING, "generation", "boots by default", "",
		             "%s; the profile points at generation %" PRIu64, text.p,
		             inspector_number(boot, "profileGeneration"));
	else
		findings_add(out, FINDING_OK, "generation", "boots by default", "", "%s", text.p);
}

void check_guest(const struct arguments *a, const json_t *seen, struct findings *out)
{
	const json_t *direct = json_object_get(seen, "direct");
	const json_t *menu = json_object_get(seen, "menu");

	if (a->cfg.type && !strcmp(a->cfg.type, "hvm")) {
		findings_add(out, FINDING_UNKNOWN, "start", "guest", "",
		             "an HVM guest boots with its own firmware, which is not checked");
	} else if (json_is_object(direct)) {
		check_start(a, seen, direct, "kernel on the host", out);
		check_generation(a, seen, out);
	} else if (json_is_object(menu)) {
		findings_add(out, FINDING_OK, "menu", inspector_text(menu, "file"), "",
		             "domgrub can read it");
		if (!json_array_size(json_object_get(menu, "entries")))
			findings_add(out, FINDING_ERROR, "menu", inspector_text(menu, "file"), "",
			             "has no entries");
		check_entries(a, seen, json_object_get(menu, "entries"), out);
		check_generation(a, seen, out);
	} else {
		findings_add(out, FINDING_ERROR, "menu", "boot menu",
		             "enable boot.loader.grub" IN_CONFIGURATION
		             ", or set kernel= and ramdisk= in the config",
		             "%s", inspector_text(seen, "menuError"));
	}
}
