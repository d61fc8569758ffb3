/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "difference.h"
#include "enlarge.h"
#include "image/store_add.h"
#include "json_out.h"
#include "nixos/change.h"
#include "nixos/follow.h"
#include "nixos/system.h"
#include "nixos_files.h"
#include "update_build.h"

static const char intro[] =
        "usage: domstrap update GUEST [--system PATH] [--size SIZE] [options]\n"
        "       domstrap update GUEST --config FILE | --file FILE | --flake REF [options]\n\n"
        "Adds a generation to a guest that is off: copies the store paths that it lacks,\n"
        "and makes the new system boot by default. Or enlarges its disks.\n"
        "GUEST is its xl config, or its disks: images or block devices.\n\n";

static const struct option_row system_row[] = {
        OFFLINE_TEXT("system", "PATH", "a store path, its 32 digits, or a link to one", system),
};
static const struct option_row config_rows[] = {
        OFFLINE_TEXT("configuration", "FILE",
                     "for the guest's /etc/nixos (default: what it is\nbuilt from)", configuration),
        OFFLINE_TEXT("config", "FILE", "build this configuration first", nix.config),
};
static const struct option_row rows[] = {
        {.name = "max-jobs",
         0,
         "N",
         "number of parallel builds",
         option_max_jobs,
         offsetof(struct offline_request, nix.max_jobs)},
        OFFLINE_TEXT("size", "SIZE", "of the root disk: 20G, +5G, or all of a device", size),
        OFFLINE_TEXT("boot-size", "SIZE", "the same for a separate boot disk", boot_size),
        OFFLINE_TRUE("wipe", "of a device, first clear the space that is added", wipe),
        OFFLINE_NUMBER("limit", "generations in the boot menu (default: unchanged)", limit),
        OFFLINE_FALSE("no-verify", "do not compare NAR hashes while copying", verify),
        OFFLINE_DRY_RUN("print what would be added, write nothing"),
        OFFLINE_JSON("print what was added as JSON"),
        OFFLINE_THREADS("threads to copy with"),
        OFFLINE_LAST("more messages"),
};
static const struct option_group groups[] = {
        OPTION_GROUP(system_row, 0),
        OPTION_GROUP(source_rows, offsetof(struct offline_request, source)),
        OPTION_GROUP(config_rows, 0),
        OPTION_GROUP(nix_rows, offsetof(struct offline_request, nix)),
        OPTION_GROUP(rows, 0),
};
static const struct option_set options = SET_OF_GROUPS("update", intro, groups);

struct update {
	struct offline_request req;
	struct off_guest off;
	struct guest_state in;
	struct system_source source; /* of the new system */
	struct guest_state_files there;
	char *spool_dir;
	struct nixos_system system;
	uint64_t bytes;      /* of NARs that are missing */
	unsigned number;     /* of the generation */
	bool old_generation; /* the last one is this system already */
	struct differences diff;
	struct nixos_files nixos;
	enum etc_place etc; /* where the new system sees files in /etc */
	struct size_wish root_wish, boot_wish;
	struct enlarged old_root, old_boot;
	struct ui_progress progress;
	const atomic_bool *stop;
};

/* As nix-env --set: no new generation if the last one is this system. */
static void choose_number(struct update *u)
{
	const struct profile *p = &u->in.profiles[0];
	const struct generation *last = p->n ? &p->v[p->n - 1] : NULL;

	u->old_generation = last && !strcmp(last->system.toplevel, u->system.toplevel);
	u->number = u->old_generation ? last->number : last ? last->number + 1 : 1;
}

static void compare(struct update *u)
{
	const struct generation *before = guest_state_current(&u->in);
	_free_ bool *was = xcalloc(u->in.db.n + 1, sizeof *was);
	_free_ bool *is = xcalloc(u->source.closure.n + 1, sizeof *is);

	for (size_t i = 0; i < u->source.closure.n; i++)
		is[i] = true;
	if (before)
		guest_state_reach(&u->in.db, before->system.toplevel, was);
	differences_find(&u->in.db, was, &u->source.closure, is, &u->diff);
}

/* Unnamed temporary files are in the image's directory, those for a device in /var/tmp. */
static char *spool_dir(const struct update *u)
{
	const struct target *t = u->off.root.target;
	const char *slash = strrchr(t->name, '/');

	if (u->req.common.dry_run)
		return xstrdup(source_tmp("/tmp"));
	if (t->is_device)
		return xstrdup(source_tmp("/var/tmp"));
	return slash ? xstrndup(t->name, (size_t)(slash - t->name) + 1) : xstrdup(".");
}

/* An overlay hides the files that are in the guest's /etc now. */
static void warn_of_etc(const struct update *u)
{
	const struct generation *before = guest_state_current(&u->in);

	if (u->system.etc_overlay && before && !before->system.etc_overlay)
		ui_warn("%s: its /etc is an overlay (system.etc.overlay), which hides what the "
		        "guest has in /etc, such as host keys, passwords and machine-id%s",
		        u->system.toplevel,
		        u->etc == ETC_UPPER ? "; copy what it needs to " NIXROOT_ETC_UPPER
		                              " in the guest first"
		                            : "");
}

static int load_nixos(struct update *u, struct err *err)
{
	int rc = etc_place_find(u->source.files, &u->system, NULL, &u->etc, err);

	if (rc == 0)
		rc = nixos_files_load(&u->req.nix, u->req.configuration, &u->nixos, err);
	if (rc == 0)
		rc = nixos_files_check(&u->nixos, u->req.configuration, u->system.toplevel, u->etc,
		                       err);
	if (rc == 0)
		warn_of_etc(u);
	return rc;
}

static int load(struct update *u, struct err *err)
{
	struct system_source *s = &u->source;
	struct source_have have = {.db = &u->in.db, .files = &u->there.files};
	int rc;

	u->spool_dir = spool_dir(u);
	u->req.source.dry_run = u->req.common.dry_run;
	guest_state_files_init(&u->there, &u->off, u->spool_dir);
	guest_state_load_db(&u->off, &u->in);
	rc = guest_state_need_put_db(&u->in, err);
	if (rc < 0)
		return rc;
	rc = source_open(s, &u->req.source, u->req.system, u->spool_dir, &have, u->stop, err);
	if (rc == 0)
		rc = nixos_system_load_from(s->files, s->toplevel, &u->system, err);
	if (rc < 0)
		return rc;
	rc = load_nixos(u, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->n_items; i++)
		u->bytes += s->items[i].nar_size;
	choose_number(u);
	compare(u);
	return 0;
}

/* ---- the change ----------------------------------------------------------- */

static int add_trees(struct update *u, uint32_t dir, struct err *err)
{
	struct store_fill_options opt = {
	        .threads = u->req.threads, .verify = u->req.verify, .paths = &u->progress.paths};
	struct ext4_writer *w = ext4_edit_writer(u->off.root.edit);
	int rc;

	w->done = &u->progress.bytes;
	rc = store_add(u->off.root.edit, dir, &u->source.trees, &opt, err);
	w->done = NULL;
	return rc;
}

static int add_streams(struct update *u, uint32_t dir, struct err *err)
{
	struct stream_fill_options opt = {
	        .threads = u->req.threads,
	        .spool_dir = u->spool_dir,
	        .paths = &u->progress.paths,
	        .bytes = &u->progress.bytes,
	};

	return stream_add(u->off.root.edit, dir, &u->source.stream, &opt, err);
}

static int add_paths(struct update *u, struct err *err)
{
	struct ext4_edit *e = u->off.root.edit;
	uint32_t dir;
	int rc = ext4_edit_find(e, "/nix/store", true, &dir, err);

	if (rc < 0 || !u->source.n_items)
		return rc;
	ext4_edit_writer(e)->stop = u->stop;
	u->progress.total_bytes = u->bytes;
	u->progress.total_paths = u->source.n_items;
	ui_progress_begin(&u->progress);
	rc = u->source.caches ? add_streams(u, dir, err) : add_trees(u, dir, err);
	ui_progress_end();
	return rc;
}

static int put_generation(struct update *u, struct err *err)
{
	_free_ char *link = xasprintf("system-%u-link", u->number);
	uint32_t dir;
	int rc = ext4_edit_find(u->off.root.edit, GUEST_STATE_PROFILES, true, &dir, err);

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
		if (guest_system_load(u->off.root.edit, u->system.toplevel, &g->system, err) < 0)
			return -(int)err->code;
	}
	*out = &p->v[p->n - 1];
	(*out)->current = true;
	return 0;
}

static int put_database(struct update *u, struct err *err)
{
	_cleanup_(closure_fini) struct closure all = {0};

	if (!u->source.n_items)
		return 0;
	closure_union(&u->in.db, &u->source.closure, u->off.now, &all);
	return guest_state_put_db(&u->off, &u->in, &all, err);
}

static int put_nixos(struct update *u, struct err *err)
{
	const struct generation *before = guest_state_current(&u->in);
	struct ext4_edit *root = u->off.root.edit;
	const char *etc = etc_place_dir(u->etc);
	int rc = nixos_files_put(&u->nixos, root, etc ? etc : "/etc", err);

	if (rc < 0 || !nix_wanted(&u->req.nix))
		return rc;
	return nixos_channel_put(root, before ? before->system.version : "", u->system.version,
	                         err);
}

static int change(struct update *u, struct err *err)
{
	struct generation *g = NULL;
	int rc = add_paths(u, err);

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
	json_t *o = json_out_new(), *paths = json_array();

	json_object_set_new(o, "dryRun", json_boolean(u->req.common.dry_run));
	json_object_set_new(o, "diskBytes",
	                    json_integer((json_int_t)(u->off.root.base + u->off.root.size)));
	json_object_set_new(o, "bootDiskBytes",
	                    u->off.separate_boot ? json_integer((json_int_t)(u->off.boot.base +
	                                                                     u->off.boot.size))
	                                         : json_null());
	json_object_set_new(o, "generation", u->req.system ? json_integer(u->number) : json_null());
	json_object_set_new(o, "system",
	                    u->req.system ? json_string(u->system.toplevel) : json_null());
	json_object_set_new(o, "version",
	                    u->req.system ? json_string(u->system.version) : json_null());
	json_object_set_new(o, "addedBytes", json_integer((json_int_t)u->bytes));
	for (size_t i = 0; i < u->source.n_items; i++) {
		_free_ char *path = xasprintf("/nix/store/%s", u->source.items[i].name);

		json_array_append_new(paths, json_string(path));
	}
	json_object_set_new(o, "addedPaths", paths);
	json_object_set_new(o, "differences", differences_json(&u->diff));
	json_out_print(o, stdout);
}

static void report_size(const struct update *u, const struct off_guest_fs *fs,
                        const struct size_wish *wish)
{
	char size[16], spare[16];

	str_human(fs->base + fs->size, size);
	if (wish->kind == WISH_NONE)
		return;
	if (u->req.common.dry_run)
		printf("would enlarge %s to %s\n", fs->target->name, size);
	else
		printf("%s: %s, %s free\n", fs->target->name, size,
		       str_human(ext4_edit_free_bytes(fs->edit), spare));
}

static void report(const struct update *u)
{
	char size[16];

	if (u->req.common.json) {
		report_json(u);
		return;
	}
	if (u->req.common.level < UI_NORMAL)
		return;
	report_size(u, &u->off.root, &u->root_wish);
	report_size(u, &u->off.boot, &u->boot_wish);
	if (!u->req.system)
		return;
	printf("%sgeneration %u: %s, %zu paths added (%s)\n",
	       u->req.common.dry_run ? "would make " : "", u->number, u->system.toplevel,
	       u->source.n_items, str_human(u->bytes, size));
	differences_print(&u->diff);
}

static int check_boot(const struct update *u, struct err *err)
{
	if (u->boot_wish.kind == WISH_NONE || u->off.separate_boot)
		return 0;
	return err_set(err, ERR_USAGE,
	               "%s: --boot-size requires /boot on a disk of its own; enlarge this disk "
	               "with --size",
	               u->off.root.target->name);
}

/* What --size would do. */
static int check_sizes(struct update *u, struct err *err)
{
	int rc = 0;

	if (u->boot_wish.kind != WISH_NONE)
		rc = enlarge_check(&u->off.boot, &u->boot_wish, err);
	if (rc == 0 && u->root_wish.kind != WISH_NONE)
		rc = enlarge_check(&u->off.root, &u->root_wish, err);
	return rc;
}

/* A separate commit, because the change of the root may not include the menu. */
static int enlarge_boot(struct update *u, struct err *err)
{
	struct off_guest_fs *boot = &u->off.boot;
	int rc = enlarge(&u->off, boot, &u->boot_wish, &u->old_boot, err);

	if (rc == 0)
		rc = off_guest_commit(boot, err);
	if (rc < 0 && !boot->happened)
		enlarge_undo(&u->old_boot);
	return rc < 0 ? rc : off_guest_reopen(&u->off, boot, err);
}

/* First enlarge the disk, then add the paths; one commit for both. */
static int write_root(struct update *u, struct err *err)
{
	char size[16];
	int rc = 0;

	if (u->root_wish.kind != WISH_NONE)
		rc = enlarge(&u->off, &u->off.root, &u->root_wish, &u->old_root, err);
	if (rc >= 0 && u->req.system) {
		ui_say("adding %zu store paths, %s", u->source.n_items, str_human(u->bytes, size));
		rc = change(u, err);
	} else if (rc == 0 && u->root_wish.kind != WISH_NONE) {
		rc = off_guest_commit(&u->off.root, err);
	}
	if (rc < 0 && !u->off.root.happened)
		enlarge_undo(&u->old_root);
	return rc < 0 ? rc : 0;
}

static int write_all(struct update *u, struct err *err)
{
	int rc = u->boot_wish.kind != WISH_NONE ? enlarge_boot(u, err) : 0;

	if (rc < 0)
		return rc;
	rc = write_root(u, err);
	return rc < 0 && u->old_boot.target
	               ? err_prefix(err, "%s was enlarged, but the rest failed",
	                            u->old_boot.target->name)
	               : rc;
}

static int parse_sizes(struct update *u, struct err *err)
{
	const struct offline_request *r = &u->req;
	int rc = 0;

	if (nix_wanted(&r->nix) && r->source.from.n)
		return err_set(err, ERR_USAGE,
		               "--from requires --system; a system built by this command is in the "
		               "host's store");
	if (!r->system && !r->size && !r->boot_size && !nix_wanted(&r->nix))
		return err_set(err, ERR_USAGE,
		               "update: specify --system, --config, --file, --flake or --size");
	if (r->wipe && !r->size && !r->boot_size)
		return err_set(err, ERR_USAGE, "--wipe requires --size or --boot-size");
	if (r->size)
		rc = size_wish_parse("size", r->size, &u->root_wish, err);
	if (rc == 0 && r->boot_size)
		rc = size_wish_parse("boot-size", r->boot_size, &u->boot_wish, err);
	u->root_wish.wipe = u->boot_wish.wipe = r->wipe;
	u->root_wish.stop = u->boot_wish.stop = u->stop;
	return rc;
}

static int update(struct update *u, struct err *err)
{
	int rc = guest_begin(&u->req.common,
	                     u->req.common.dry_run ? OFF_GUEST_LOOK : OFF_GUEST_WRITE, &u->off,
	                     &u->in, err);

	if (rc < 0)
		return rc;
	rc = check_boot(u, err);
	if (rc == 0 && u->req.system)
		rc = follow_check(&u->off, &u->in, err);
	if (rc == 0 && u->req.system)
		rc = load(u, err);
	if (rc == 0)
		rc = u->req.common.dry_run ? check_sizes(u, err) : write_all(u, err);
	if (rc == 0)
		report(u);
	guest_state_fini(&u->in);
	guest_close(&u->off);
	return rc;
}

int cmd_update(int argc, char **argv)
{
	struct update u = {0};
	struct err err = ERR_INIT;
	_free_ char *built = NULL;
	int rc;

	ui_init(UI_NORMAL);
	rc = offline_options_parse(argc, argv, &options, true, &u.req, &err);
	u.stop = ui_catch_signals();
	if (rc == 0)
		rc = parse_sizes(&u, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(u.req.common.level);
	rc = update_build(&u.req, &built, &err);
	if (rc == 0)
		rc = update(&u, &err);
	enlarged_fini(&u.old_root);
	enlarged_fini(&u.old_boot);
	nixos_files_fini(&u.nixos);
	differences_fini(&u.diff);
	source_fini(&u.source);
	store_files_fini(&u.there.files);
	nixos_system_fini(&u.system);
	free(u.spool_dir);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
