/* SPDX-License-Identifier: MIT */
#include "verify/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/str.h"
#include "host/busy.h"
#include "command.h"
#include "ext4/target.h"
#include "inspector/generation_json.h"
#include "ui/json_out.h"
#include "nix/store_path.h"
#include "host/guest_options.h"

static const char intro[] =
        "usage: domstrap verify GUEST [options]\n\n"
        "Verifies a guest that is off: every store path against its NAR hash in the Nix\n"
        "database, the database against the store, ext file systems with e2fsck, and the\n"
        "files that the boot menu names. GUEST is its xl config, or its disks: images or\n"
        "block devices. Nothing is written. Exit status 4: there are problems.\n\n";

/* btrfs packs up to 128 KiB into one block of 4 KiB. */
#define PACKED_MAX 32u

struct verify_options {
	struct guest_options common;
	bool fsck;
	unsigned threads;
};

static const struct option_row rows[] = {
        ROW_FALSE("no-fsck", "do not run e2fsck", struct verify_options, fsck),
        ROW_THREADS("processes that read the store", struct verify_options, threads),
        GUEST_JSON("print JSON"),
        GUEST_LAST("more messages"),
};

static const struct option_set options = SET_OF_ROWS("verify", intro, rows);

struct verify {
	struct verify_options req;
	struct arguments args;
	struct target locks[ARGUMENTS_DISKS_MAX];
	struct inspector_disks disks;
	json_t *seen;
	struct verify_path *paths;
	size_t n_paths;
	uint64_t bytes;
	struct findings found;
	unsigned entries; /* menu entries that boot something */
};

static void verify_fini(struct verify *v)
{
	for (size_t i = 0; i < v->n_paths; i++)
		free(v->paths[i].path);
	free(v->paths);
	findings_fini(&v->found);
	json_decref(v->seen);
	inspector_close(&v->disks);
	for (size_t i = 0; i < ARGUMENTS_DISKS_MAX; i++)
		target_fini(&v->locks[i]);
	arguments_fini(&v->args);
}

/* ---- the disks ------------------------------------------------------------ */

/* Open the disks so that nobody changes them in the meantime. */
static int open_disks(struct verify *v, struct err *err)
{
	char *paths[ARGUMENTS_DISKS_MAX];
	int rc = arguments_read(v->req.common.args, v->req.common.n_args, &v->args, err);

	if (rc < 0)
		return rc;
	if (!v->args.n)
		return err_set(err, ERR_USAGE, "%s: the config has no disks", v->args.config);
	for (size_t i = 0; i < v->args.n; i++) {
		paths[i] = v->args.v[i].path;
		if (!v->args.v[i].raw)
			return err_set(err, ERR_UNSUPPORTED, "%s: disk %s: %s", v->args.config,
			               paths[i], v->args.v[i].why);
	}
	rc = busy_check(paths, v->args.n, err);
	for (size_t i = 0; i < v->args.n && rc == 0; i++)
		rc = target_open_existing(&v->locks[i], paths[i], true, err);
	return rc < 0 ? rc : arguments_open(&v->args, &v->disks, err);
}

/* Programs that check what we do not: there is no jail for them, and some write. */
static const char *checker_of(const char *type)
{
	static const struct {
		const char *type, *command;
	} checkers[] = {
	        {"xfs", "xfs_repair -n"},
	        {"btrfs", "btrfs check --readonly"},
	        {"vfat", "fsck.fat -n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(checkers); i++)
		if (!strcmp(type, checkers[i].type))
			return checkers[i].command;
	return str_starts(str_from(type), "ext") ? "e2fsck -fn" : NULL;
}

/* Whatever has a file system; d: the disk that it is on, NULL: a logical volume. */
static void check_fs(struct verify *v, struct fscks *all, const struct disk_spec *d,
                     const char *subject, const json_t *o)
{
	const json_t *fs = json_object_get(o, "fileSystem");
	const char *trouble = inspector_text(o, "trouble"), *notice = inspector_text(fs, "notice"),
	           *type = inspector_text(fs, "type"), *checker = checker_of(type);
	bool ext = str_starts(str_from(type), "ext");
	uint64_t start = inspector_number(fs, "start");
	_free_ char *remedy = NULL;

	if (*trouble)
		findings_add(&v->found, FINDING_WARNING, "disk", subject, "", "%s", trouble);
	if (!json_is_object(fs) || (d && start >= d->size))
		return;
	if (!inspector_true(fs, "clean"))
		findings_add(&v->found, FINDING_ERROR, "unclean", subject,
		             ext ? "start and shut down the guest once, or run e2fsck -p"
		                 : "start and shut down the guest once",
		             "%s", *notice ? notice : "was not cleanly unmounted");
	if (!v->req.fsck || !checker)
		return;
	if (ext && d) {
		fsck_start(all, d, start, subject, &v->found);
		return;
	}
	remedy = xasprintf("run \"%s\" on it", checker);
	findings_add(&v->found, FINDING_UNKNOWN, "fsck", subject, remedy,
	             "the %s file system itself was not checked, only what was read of it", type);
}

static void check_disk(struct verify *v, struct fscks *all, size_t disk, const json_t *seen)
{
	const json_t *parts = json_object_get(seen, "partitions");
	const struct disk_spec *d = &v->disks.spec[disk];

	check_fs(v, all, d, d->name, seen);
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		_free_ char *subject = xasprintf("%s, partition %" PRIu64, d->name,
		                                 inspector_number(part, "number"));

		check_fs(v, all, d, subject, part);
	}
}

static void check_disks(struct verify *v, struct fscks *all)
{
	const json_t *disks = json_object_get(v->seen, "disks");
	const json_t *volumes = json_object_get(v->seen, "volumes");

	for (size_t i = 0; i < v->disks.n; i++)
		check_disk(v, all, i, json_array_get(disks, i));
	for (size_t i = 0; i < json_array_size(volumes); i++) {
		const json_t *o = json_array_get(volumes, i);

		check_fs(v, all, NULL, inspector_text(o, "device"), o);
	}
}

/* ---- the boot menu -------------------------------------------------------- */

/* The parts from which the initrd makes /etc, if that is an overlay. */
static void check_etc(struct verify *v, const json_t *start, const char *subject)
{
	const char *missing = inspector_text(start, "etcMissing");

	if (*missing)
		findings_add(&v->found, FINDING_ERROR, "etc", subject,
		             "run \"domstrap rollback\", or \"nixos-rebuild boot\" in the guest",
		             "%s not found; the overlay on its /etc needs it (system.etc.overlay)",
		             missing);
}

static void check_entries(struct verify *v, const json_t *entries)
{
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *e = json_array_get(entries, i);
		const char *title = inspector_text(e, "title"), *error = inspector_text(e, "error");
		const char *init = inspector_text(e, "init");
		_free_ char *subject = xasprintf("menu entry \"%s\"", title);

		check_entries(v, json_object_get(e, "entries"));
		v->entries += json_is_string(json_object_get(e, "kernel"));
		if (*error)
			findings_add(
			        &v->found, FINDING_ERROR, "menu", subject,
			        "run \"domstrap rollback\", or \"nixos-rebuild boot\" in the guest",
			        "cannot boot: %s", error);
		if (*init && !inspector_true(e, "initFound"))
			findings_add(
			        &v->found, FINDING_ERROR, "menu", subject,
			        "run \"domstrap rollback\", or \"nixos-rebuild boot\" in the guest",
			        "init=%s not found in the root file system", init);
		check_etc(v, e, subject);
	}
}

static void check_menu(struct verify *v)
{
	const json_t *menu = json_object_get(v->seen, "menu");
	const json_t *warnings = json_object_get(menu, "warnings");

	if (json_is_object(menu)) {
		check_entries(v, json_object_get(menu, "entries"));
		for (size_t i = 0; i < json_array_size(warnings); i++)
			findings_add(&v->found, FINDING_WARNING, "menu",
			             inspector_text(menu, "file"), "", "%s",
			             json_string_value(json_array_get(warnings, i)));
		if (!v->entries)
			findings_add(&v->found, FINDING_ERROR, "menu", inspector_text(menu, "file"),
			             "", "no entry of the boot menu can boot");
	} else if (!v->args.cfg.kernel) {
		findings_add(&v->found, FINDING_ERROR, "menu", v->disks.spec[0].name,
		             "if the guest's kernel is on the host, give its xl config",
		             "no boot menu: %s", inspector_text(v->seen, "menuError"));
	}
}

/* ---- the store ------------------------------------------------------------ */

/* Is the path in a sorted list of texts? */
static bool is_in(const json_t *list, size_t *at, const char *path)
{
	const char *next = json_string_value(json_array_get(list, *at));

	if (!next || strcmp(next, path) != 0)
		return false;
	++*at;
	return true;
}

static int take_path(struct verify *v, const json_t *o, struct err *err)
{
	struct verify_path *p = &v->paths[v->n_paths];
	const char *path = inspector_text(o, "path");
	struct store_path sp;
	int rc = store_path_parse(str_from(path), &sp, err);

	if (rc == 0)
		rc = hash_parse(str_from(inspector_text(o, "narHash")), p->nar_hash, err);
	if (rc < 0)
		return rc;
	p->nar_size = inspector_number(o, "narSize");
	p->path = xstrdup(path);
	v->bytes += p->nar_size;
	v->n_paths++;
	return 0;
}

/* Registered paths that are there, and findings for the others. */
static int take_paths(struct verify *v, const json_t *nixos, struct err *err)
{
	const json_t *paths = json_object_get(nixos, "paths");
	const json_t *missing = json_object_get(nixos, "missing");
	const json_t *strangers = json_object_get(nixos, "unregistered");
	size_t n = json_array_size(paths), at = 0;
	int rc = 0;

	v->paths = xcalloc(n + 1, sizeof *v->paths);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const json_t *o = json_array_get(paths, i);

		if (!is_in(missing, &at, inspector_text(o, "path")))
			rc = take_path(v, o, err);
		else
			findings_add(&v->found, FINDING_ERROR, "missing", inspector_text(o, "path"),
			             "run \"nix-store --repair-path\" in the guest, or create the "
			             "guest again",
			             "registered in the Nix database, but not found");
	}
	for (size_t i = 0; i < json_array_size(strangers); i++) {
		_free_ char *path =
		        xasprintf(STORE_DIR "/%s", json_string_value(json_array_get(strangers, i)));

		findings_add(
		        &v->found, FINDING_ERROR, "unregistered", path,
		        "delete it with \"domstrap gc\", or with \"nix-store --gc\" in the guest",
		        "not in the Nix database");
	}
	if (inspector_number(nixos, "unregisteredMore"))
		findings_add(&v->found, FINDING_ERROR, "unregistered", STORE_DIR, "",
		             "%" PRIu64 " more that are not in the Nix database",
		             inspector_number(nixos, "unregisteredMore"));
	return rc;
}

static void check_generations(struct verify *v, const json_t *nixos)
{
	const json_t *list = json_object_get(nixos, "generations");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *g = json_array_get(list, i);
		_free_ char *subject =
		        xasprintf("generation %" PRIu64, inspector_number(g, "generation"));

		if (!inspector_true(g, "bootable"))
			findings_add(&v->found, FINDING_ERROR, "generation", subject, "",
			             "parts of %s are missing", inspector_text(g, "system"));
	}
	if (inspector_true(nixos, "menuPending"))
		findings_add(&v->found, FINDING_ERROR, "menu", v->disks.spec[0].name,
		             "run \"domstrap generations\" with both disks or the xl config to "
		             "complete the change",
		             "an earlier command was interrupted: the menu does not match the "
		             "generations");
}

/* The config's own init=, and whether menu and profile mean the same generation. */
static void check_boot(struct verify *v, const json_t *nixos)
{
	const json_t *boot = json_object_get(nixos, "boot");
	const char *config = v->args.config, *init = inspector_text(boot, "init");
	_cleanup_(buf_fini) struct buf text = BUF_INIT;

	if (config && boots_init(v->args.cfg.cmdline).p && *init &&
	    !inspector_true(boot, "initFound"))
		findings_add(
		        &v->found, FINDING_ERROR, "init", config,
		        "correct init= in the config; \"domstrap generations\" lists the systems",
		        "init=%s not found in the root file system", init);
	if (!generation_boot_differs(boot) || *inspector_text(boot, "error"))
		return;
	generation_boot_text(boot, &text);
	findings_add(&v->found, FINDING_WARNING, "generation", "boots by default", "",
	             "%s; the profile points at generation %" PRIu64, text.p,
	             inspector_number(boot, "profileGeneration"));
}

static int check_store(struct verify *v, struct err *err)
{
	const json_t *nixos = json_object_get(v->seen, "nixos");
	struct verify_store store = {.at = {.disk = (size_t)inspector_number(nixos, "disk"),
	                                    .start = inspector_number(nixos, "start"),
	                                    .size = inspector_number(nixos, "size"),
	                                    .joined = !inspector_true(nixos, "changeable")},
	                             .processes = v->req.threads};
	int rc;

	if (!json_is_object(nixos)) {
		findings_add(&v->found, FINDING_ERROR, "nix", "store", "", "%s",
		             inspector_text(v->seen, "nixosError"));
		return 0;
	}
	/* Packed files, and those that share blocks, can be larger than the file system. */
	if (store.at.joined)
		store.at.size = MIN(store.at.size, UINT64_MAX / PACKED_MAX) * PACKED_MAX;
	if (store.at.disk >= v->disks.n)
		return err_set(err, ERR_CHILD, "child: disk %zu of %zu", store.at.disk, v->disks.n);
	check_generations(v, nixos);
	if (*inspector_text(nixos, "databaseError"))
		findings_add(&v->found, FINDING_ERROR, "nix", "store", "", "%s",
		             inspector_text(nixos, "databaseError"));
	check_boot(v, nixos);
	rc = take_paths(v, nixos, err);
	store.paths = v->paths;
	store.n = v->n_paths;
	return rc < 0 ? rc : verify_hashes(&v->disks, &store, &v->found, err);
}

/* ---- the whole ------------------------------------------------------------ */

static int verify_all(struct verify *v, struct err *err)
{
	struct fscks fscks = {.n = 0};
	int rc = inspector_run(&v->disks, INSPECTOR_PATHS, &v->seen, err);

	if (rc < 0)
		return rc;
	if (*inspector_text(v->seen, "unreadable"))
		findings_add(&v->found, FINDING_ERROR, "disk", "disks", "", "%s",
		             inspector_text(v->seen, "unreadable"));
	check_disks(v, &fscks);
	check_menu(v);
	rc = check_store(v, err);
	fsck_finish(&fscks, &v->found);
	return rc;
}

static void report(const struct verify *v)
{
	size_t errors = findings_count(&v->found, FINDING_ERROR);
	char size[16];
	json_t *o;

	if (!v->req.common.json) {
		findings_print(&v->found, FINDING_UNKNOWN);
		if (!errors)
			printf("OK: %zu store paths verified (%s), and %u menu entries\n",
			       v->n_paths, str_human(v->bytes, size), v->entries);
		else
			printf("%zu %s found\n", errors, errors == 1 ? "problem" : "problems");
		return;
	}
	o = json_out_new();
	json_object_set_new(o, "ok", json_boolean(!errors));
	json_object_set_new(o, "paths", json_integer((json_int_t)v->n_paths));
	json_object_set_new(o, "narBytes", json_integer((json_int_t)v->bytes));
	json_object_set_new(o, "menuEntries", json_integer(v->entries));
	json_object_set_new(o, "findings", findings_json(&v->found));
	json_out_print(o, stdout);
}

int cmd_verify(int argc, char **argv)
{
	_cleanup_(verify_fini) struct verify v = {.req = {.fsck = true, .threads = pool_threads()}};
	struct err err = ERR_INIT;
	int rc;

	for (size_t i = 0; i < ARGUMENTS_DISKS_MAX; i++)
		v.locks[i] = (struct target)TARGET_INIT;
	ui_init(UI_NORMAL);
	rc = guest_options_parse(argc, argv, &options, true, &v.req.common, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(v.req.common.level);
	rc = open_disks(&v, &err);
	if (rc == 0)
		rc = verify_all(&v, &err);
	if (rc < 0)
		return command_failed(&err);
	report(&v);
	return findings_count(&v.found, FINDING_ERROR) ? STATUS_VERIFY : STATUS_DONE;
}
