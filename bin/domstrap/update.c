/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/walk_dir.h"
#include "change.h"
#include "command.h"
#include "difference.h"
#include "enlarge.h"
#include "image/store_add.h"
#include "nixos_files.h"
#include "store/local.h"
#include "store/system.h"
#include "update_build.h"

#define SCHEMA 1

static const char usage[] =
        "usage: domstrap update GUEST [--system PATH] [--size SIZE] [options]\n"
        "       domstrap update GUEST --config FILE | --flake REF[#HOST] [options]\n"
        "\n"
        "Adds a generation to a guest that is off: copies the store paths that it lacks,\n"
        "and makes the new system the one that boots. Or gives it a larger root disk.\n"
        "GUEST is its xl config, or its disks: images or block devices.\n"
        "\n"
        "      --system PATH         the system: a store path, or a link such as ./result\n"
        "      --from ROOT           read the Nix store below ROOT (default: /)\n"
        "      --configuration FILE  for the guest's /etc/nixos (default: what it is\n"
        "                            built from)\n"
        "      --config FILE         build this configuration first\n" NIX_USAGE
        "      --max-jobs N          builds at once\n"
        "      --size SIZE           of the root disk: 20G, +5G, or all of a device\n"
        "      --limit N             generations in the boot menu (default: as it is)\n"
        "      --no-verify           do not compare NAR hashes while copying\n"
        "  -n, --dry-run             say what would be added, write nothing\n"
        "      --json                say what was added as JSON\n"
        "  -j, --threads N           threads to copy with\n"
        "  -q, --quiet               errors and warnings only\n"
        "  -v, --verbose             more\n"
        "  -h, --help                this text\n";

struct update {
	struct offline_request req;
	struct offline off;
	struct inside in;
	struct local_store *store;
	struct nixos_system system;
	struct closure closure;   /* of the new system */
	struct store_item *items; /* those that are missing */
	struct store_source source;
	uint64_t bytes;
	unsigned number;     /* of the generation */
	bool old_generation; /* the last one is this system already */
	struct differences diff;
	struct nixos_files nixos;
	struct size_wish wish;
	struct enlarged old_size;
	uint64_t free_bytes; /* in the end */
	struct ui_progress progress;
	const atomic_bool *stop;
};

static struct walk *open_item(const struct store_source *src, size_t i, bool stat_only)
{
	const struct update *u =
	        (const void *)((const char *)src - offsetof(struct update, source));
	_free_ char *store_path = xasprintf("/nix/store/%s", u->items[i].name);
	_free_ char *path = local_store_real_path(u->store, store_path);

	return walk_dir_new(AT_FDCWD, path, WALK_DIR_CANONICAL | (stat_only ? WALK_DIR_STAT : 0));
}

static void list_missing(struct update *u)
{
	size_t n = 0;

	u->items = xcalloc(u->closure.n + 1, sizeof *u->items);
	for (size_t i = 0; i < u->closure.n; i++) {
		const struct path_info *p = &u->closure.paths[i];

		if (closure_find(&u->in.db, p->path))
			continue;
		u->items[n].name = p->path + strlen("/nix/store/");
		u->items[n].nar_size = p->nar_size;
		memcpy(u->items[n++].nar_hash, p->nar_hash, HASH_SHA256_LEN);
		u->bytes += p->nar_size;
	}
	u->source = (struct store_source){.items = u->items, .n = n, .open = open_item};
}

/* nix-env --set does not number a system again that is the last one. */
static void choose_number(struct update *u)
{
	const struct profile *p = &u->in.profiles[0];
	const struct generation *last = p->n ? &p->v[p->n - 1] : NULL;

	u->old_generation = last && !strcmp(last->system.toplevel, u->system.toplevel);
	u->number = u->old_generation ? last->number : last ? last->number + 1 : 1;
}

static void compare(struct update *u)
{
	const struct generation *before = inside_current(&u->in);
	_free_ bool *was = xcalloc(u->in.db.n + 1, sizeof *was);
	_free_ bool *is = xcalloc(u->closure.n + 1, sizeof *is);

	for (size_t i = 0; i < u->closure.n; i++)
		is[i] = true;
	if (before)
		inside_reach(&u->in.db, before->system.toplevel, was);
	differences_find(&u->in.db, was, &u->closure, is, &u->diff);
}

static int load(struct update *u, struct err *err)
{
	int rc = nixos_system_load(u->req.from, u->req.system, &u->system, err);

	if (rc == 0)
		rc = local_store_open(u->req.from, &u->store, err);
	if (rc == 0)
		rc = local_store_closure(u->store, u->system.toplevel, &u->closure, err);
	if (rc < 0)
		return rc;
	rc = nixos_files_load(&u->req.nix, u->req.configuration, &u->nixos, err);
	if (rc < 0)
		return rc;
	list_missing(u);
	choose_number(u);
	compare(u);
	return 0;
}

/* ---- the change ----------------------------------------------------------- */

static int copy_paths(struct update *u, struct err *err)
{
	struct store_fill_options opt = {
	        .threads = u->req.threads, .verify = u->req.verify, .paths = &u->progress.paths};
	struct ext4_edit *e = u->off.root.edit;
	uint32_t dir;
	int rc = ext4_edit_find(e, "/nix/store", true, &dir, err);

	if (rc < 0 || !u->source.n)
		return rc;
	ext4_edit_writer(e)->stop = u->stop;
	ext4_edit_writer(e)->done = &u->progress.bytes;
	u->progress.total_bytes = u->bytes;
	u->progress.total_paths = u->source.n;
	ui_progress_begin(&u->progress);
	rc = store_add(e, dir, &u->source, &opt, err);
	ui_progress_end();
	ext4_edit_writer(e)->done = NULL;
	return rc;
}

static int put_generation(struct update *u, struct err *err)
{
	_free_ char *link = xasprintf("system-%u-link", u->number);
	uint32_t dir;
	int rc = ext4_edit_find(u->off.root.edit, INSIDE_PROFILES, true, &dir, err);

	if (rc == 0 && !u->old_generation)
		rc = ext4_edit_add_link(u->off.root.edit, dir, link, u->system.toplevel, err);
	return rc < 0 ? rc : change_profile(&u->off, u->number, err);
}

/* The list of generations as it will be. */
static int add_generation(struct update *u, struct generation **out, struct err *err)
{
	struct profile *p = &u->in.profiles[0];
	struct generation *g;

	for (size_t i = 0; i < p->n; i++)
		p->v[i].current = false;
	if (!u->old_generation) {
		p->v = xreallocarray(p->v, p->n + 1, sizeof *p->v);
		g = &p->v[p->n++];
		*g = (struct generation){.number = u->number, .time = u->off.now};
		if (inside_system_load(u->off.root.edit, u->system.toplevel, &g->system, err) < 0)
			return -(int)err->code;
	}
	*out = &p->v[p->n - 1];
	(*out)->current = true;
	return 0;
}

static int put_database(struct update *u, struct err *err)
{
	_cleanup_(closure_fini) struct closure all = {0};

	if (!u->source.n)
		return 0;
	closure_union(&u->in.db, &u->closure, u->off.now, &all);
	return inside_put_db(&u->off, &all, err);
}

static int put_nixos(struct update *u, struct err *err)
{
	const struct generation *before = inside_current(&u->in);
	struct ext4_edit *root = u->off.root.edit;
	int rc = nixos_files_put(&u->nixos, root, err);

	if (rc < 0 || !nix_wanted(&u->req.nix))
		return rc;
	return nixos_channel_put(root, before ? before->system.version : "", u->system.version,
	                         err);
}

static int change(struct update *u, struct err *err)
{
	struct generation *g = NULL;
	int rc = copy_paths(u, err);

	if (rc == 0)
		rc = put_generation(u, err);
	if (rc == 0)
		rc = put_database(u, err);
	if (rc == 0)
		rc = put_nixos(u, err);
	if (rc == 0)
		rc = add_generation(u, &g, err);
	if (rc == 0 && u->stop && atomic_load(u->stop))
		rc = err_set(err, ERR_INTERRUPTED, "interrupted");
	return rc < 0 ? rc : change_commit(&u->off, &u->in, g, u->req.limit, err);
}

/* ---- the report ----------------------------------------------------------- */

static void report_json(const struct update *u)
{
	json_t *o = json_object(), *paths = json_array();

	json_object_set_new(o, "schema", json_integer(SCHEMA));
	json_object_set_new(o, "dryRun", json_boolean(u->req.common.dry_run));
	json_object_set_new(o, "diskBytes",
	                    json_integer((json_int_t)(u->off.root.base + u->off.root.size)));
	json_object_set_new(o, "generation", u->req.system ? json_integer(u->number) : json_null());
	json_object_set_new(o, "system",
	                    u->req.system ? json_string(u->system.toplevel) : json_null());
	json_object_set_new(o, "version",
	                    u->req.system ? json_string(u->system.version) : json_null());
	json_object_set_new(o, "addedBytes", json_integer((json_int_t)u->bytes));
	for (size_t i = 0; i < u->source.n; i++) {
		_free_ char *path = xasprintf("/nix/store/%s", u->items[i].name);

		json_array_append_new(paths, json_string(path));
	}
	json_object_set_new(o, "addedPaths", paths);
	json_object_set_new(o, "differences", differences_json(&u->diff));
	json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', stdout);
	json_decref(o);
}

static void report(const struct update *u)
{
	char size[16], spare[16];

	if (u->req.common.json) {
		report_json(u);
		return;
	}
	if (u->req.common.level < UI_NORMAL)
		return;
	if (u->wish.kind != WISH_NONE && !u->req.common.dry_run)
		printf("%s: %s, %s free\n", u->off.root.target->name,
		       str_human(u->off.root.base + u->off.root.size, size),
		       str_human(u->free_bytes, spare));
	if (!u->req.system)
		return;
	printf("%sgeneration %u: %s, %zu paths added (%s)\n",
	       u->req.common.dry_run ? "would make " : "", u->number, u->system.toplevel,
	       u->source.n, str_human(u->bytes, size));
	differences_print(&u->diff);
}

/* A larger disk first, then what goes in; one commit for both. */
static int write_all(struct update *u, struct err *err)
{
	char size[16];
	int rc = 0;

	if (u->wish.kind != WISH_NONE)
		rc = enlarge(&u->off, &u->wish, &u->old_size, err);
	if (rc >= 0 && u->req.system) {
		ui_say("adding %zu store paths, %s", u->source.n, str_human(u->bytes, size));
		rc = change(u, err);
	} else if (rc == 0) {
		rc = offline_commit(&u->off.root, err);
	}
	if (rc < 0 && !u->off.root.happened)
		enlarge_undo(&u->off, &u->old_size);
	if (rc >= 0)
		u->free_bytes = ext4_edit_free_bytes(u->off.root.edit);
	return rc < 0 ? rc : 0;
}

static int update(struct update *u, struct err *err)
{
	int rc = change_begin(&u->req, u->req.common.dry_run ? OFFLINE_LOOK : OFFLINE_WRITE,
	                      &u->off, &u->in, err);

	if (rc < 0)
		return rc;
	if (u->req.system)
		rc = load(u, err);
	if (rc == 0 && !u->req.common.dry_run)
		rc = write_all(u, err);
	if (rc == 0 && u->off.direct_kernel && u->req.system)
		ui_warn("the config boots the host's %s: make it boot the new system's kernel and "
		        "init= yourself",
		        u->off.direct_kernel);
	if (rc == 0)
		report(u);
	inside_fini(&u->in);
	offline_close(&u->off);
	return rc;
}

int cmd_update(int argc, char **argv)
{
	struct update u = {0};
	struct err err = ERR_INIT;
	_free_ char *built = NULL;
	int rc;

	ui_init(UI_NORMAL);
	rc = offline_options_parse(argc, argv, TAKES_WRITE | TAKES_SYSTEM | TAKES_THREADS, usage,
	                           &u.req, &err);
	if (rc == 0 && !u.req.system && !u.req.size && !nix_wanted(&u.req.nix))
		rc = err_set(&err, ERR_USAGE,
		             "update: to what? Give --system PATH, or --size for a larger disk; or "
		             "--config or --flake, to build a system");
	if (rc == 0 && u.req.size)
		rc = size_wish_parse(u.req.size, &u.wish, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(u.req.common.level);
	u.stop = ui_catch_signals();
	rc = update_build(&u.req, &built, &err);
	if (rc == 0)
		rc = update(&u, &err);
	nixos_files_fini(&u.nixos);
	differences_fini(&u.diff);
	closure_fini(&u.closure);
	nixos_system_fini(&u.system);
	local_store_free(u.store);
	free(u.items);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
