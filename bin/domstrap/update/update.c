/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "command.h"
#include "editor/editor_supply.h"
#include "nixos/change.h"
#include "nixos/follow.h"
#include "nixos/menu_rewrite.h"
#include "nixos/trial.h"
#include "update/update_build.h"
#include "update/update_in.h"

static const char intro[] =
        "usage: domstrap update GUEST [--system PATH] [--size SIZE] [options]\n"
        "       domstrap update GUEST --config FILE | --file FILE | --flake REF [options]\n\n"
        "Adds a generation to a guest that is off: copies the store paths that it lacks,\n"
        "and makes the new system boot by default, or (--try) at the next start only.\n"
        "Or enlarges its disks.\n"
        "GUEST is its xl config, or its disks: images or block devices.\n\n";

const struct option_row update_system_row[1] = {
        ROW_TEXT("system", "PATH", "a store path, its 32 digits, or a link to one",
                 struct update_options, system),
};
const struct option_row update_config_rows[2] = {
        ROW_TEXT("configuration", "FILE",
                 "for the guest's /etc/nixos (default: what it is\nbuilt from)",
                 struct update_options, configuration),
        ROW_TEXT("config", "FILE", "build this configuration first", struct update_options,
                 nix.config),
};
const struct option_row update_rows[8] = {
        {.name = "max-jobs",
         0,
         "N",
         "number of parallel builds",
         option_max_jobs,
         offsetof(struct update_options, nix.max_jobs)},
        ROW_TEXT("size", "SIZE", "of the root disk: 20G, +5G, or all of a device",
                 struct update_options, size),
        ROW_TEXT("boot-size", "SIZE", "the same for a separate boot disk", struct update_options,
                 boot_size),
        ROW_TRUE("wipe", "of a device, first clear the space that is added", struct update_options,
                 wipe),
        ROW_TRUE("try", "boot it once, until it is confirmed", struct update_options, try),
        ROW_COUNT("limit", "generations in the boot menu (default: unchanged)",
                  struct update_options, limit),
        ROW_FALSE("no-verify", "do not compare NAR hashes while copying", struct update_options,
                  verify),
        ROW_THREADS("threads to copy with", struct update_options, threads),
};
static const struct option_row rows[] = {
        GUEST_DRY_RUN("print what would be added, write nothing"),
        GUEST_JSON("print what was added as JSON"),
        GUEST_LAST("more messages"),
};
static const struct option_group groups[] = {UPDATE_GROUPS, OPTION_GROUP(rows, 0)};
static const struct option_set options = SET_OF_GROUPS("update", intro, groups);

/* As nix-env --set: no new generation if the last one is this system. */
static void choose_number(struct update *u)
{
	const struct profile *p = &u->e->in.profiles[0];
	const struct generation *last = p->n ? &p->v[p->n - 1] : NULL;

	u->old_generation = last && !strcmp(last->system.toplevel, u->system.toplevel);
	u->number = u->old_generation ? last->number : last ? last->number + 1 : 1;
}

static void compare(struct update *u)
{
	const struct generation *before = guest_state_current(&u->e->in);
	_free_ bool *was = xcalloc(u->e->in.db.n + 1, sizeof *was);
	_free_ bool *is = xcalloc(u->from.closure.n + 1, sizeof *is);

	for (size_t i = 0; i < u->from.closure.n; i++)
		is[i] = true;
	if (before)
		guest_state_reach(&u->e->in.db, before->system.toplevel, was);
	differences_find(&u->e->in.db, was, &u->from.closure, is, &u->diff);
}

/* An overlay hides the files that are in the guest's /etc now. */
static void warn_of_etc(const struct update *u)
{
	const struct generation *before = guest_state_current(&u->e->in);

	if (u->system.etc_overlay && before && !before->system.etc_overlay)
		ui_warn("%s: its /etc is an overlay (system.etc.overlay), which hides what the "
		        "guest has in /etc, such as host keys, passwords and machine-id%s",
		        u->system.toplevel,
		        u->etc == ETC_UPPER ? "; copy what it needs to " NIXROOT_ETC_UPPER
		                              " in the guest first"
		                            : "");
}

static int check_nixos(struct update *u, struct err *err)
{
	int rc = etc_place_inside(&u->from.files, &u->system, &u->etc, err);

	if (rc == 0)
		rc = nixos_files_check(&u->nixos, u->req.configuration, u->system.toplevel, u->etc,
		                       err);
	if (rc == 0)
		warn_of_etc(u);
	return rc;
}

static int check_trial(const struct update *u, struct err *err)
{
	const struct generation *current = guest_state_current(&u->e->in);

	if (!current || strcmp(current->system.toplevel, u->system.toplevel) != 0)
		return 0;
	return err_set(err, ERR_EXISTS,
	               "%s: --try: generation %u is this system and boots by default",
	               u->system.toplevel, current->number);
}

static int load(struct update *u, struct err *err)
{
	struct editor_system *s = &u->from;
	int rc;

	guest_state_load_db(&u->e->off, &u->e->in);
	rc = guest_state_need_put_db(&u->e->in, err);
	if (rc == 0)
		rc = editor_system_open(u->e, s, err);
	if (rc == 0)
		rc = nixos_system_load_from(&s->files, s->toplevel, &u->system, err);
	if (rc == 0)
		rc = check_nixos(u, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->n_items; i++)
		u->bytes += s->items[i].nar_size;
	choose_number(u);
	compare(u);
	u->ended = trial_find(&u->e->in) ? trial_find(&u->e->in)->number : 0;
	return u->req.try ? check_trial(u, err) : 0;
}

/* ---- the change ----------------------------------------------------------- */

static int put_generation(struct update *u, struct err *err)
{
	_free_ char *link = xasprintf("system-%u-link", u->number);
	uint32_t dir;
	int rc = ext4_edit_find(u->e->off.root.edit, GUEST_STATE_PROFILES, true, &dir, err);

	if (rc == 0 && !u->old_generation)
		rc = ext4_edit_add_link(u->e->off.root.edit, dir, link, u->system.toplevel, err);
	return rc < 0 || u->req.try ? rc : change_profile(&u->e->off, u->number, err);
}

/* The list of generations as it will be. */
static int add_generation(struct update *u, struct generation **out, struct err *err)
{
	struct profile *p = &u->e->in.profiles[0];
	struct generation *g;

	for (size_t i = 0; i < p->n && !u->req.try; i++)
		p->v[i].current = false;
	if (!u->old_generation) {
		p->v = xreallocarray(p->v, p->n + 1, sizeof *p->v);
		g = &p->v[p->n++];
		*g = (struct generation){.number = u->number, .time = u->e->off.now};
		if (guest_system_load(&u->e->off.root, u->system.toplevel, &g->system, err) < 0)
			return -(int)err->code;
	}
	*out = &p->v[p->n - 1];
	(*out)->current = (*out)->current || !u->req.try;
	return 0;
}

static int put_database(struct update *u, struct err *err)
{
	_cleanup_(closure_fini) struct closure all = {0};

	if (!u->from.n_items)
		return 0;
	closure_union(&u->e->in.db, &u->from.closure, u->e->off.now, &all);
	return guest_state_put_db(&u->e->off, &u->e->in, &all, err);
}

static int put_nixos(struct update *u, struct err *err)
{
	const struct generation *before = guest_state_current(&u->e->in);
	struct ext4_edit *root = u->e->off.root.edit;
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
	struct menu_wish wish;
	int rc = editor_system_add(&u->from, u->req.threads, u->stop, err);

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
	if (rc < 0)
		return rc;
	wish = (struct menu_wish){.current = g, .limit = u->req.limit, .trial = TRIAL_END};
	if (u->req.try) {
		wish.current = guest_state_current(&u->e->in);
		wish.trial = TRIAL_BEGIN;
		wish.tried = g;
	}
	return change_commit(&u->e->off, &u->e->in, &wish, err);
}

/* First enlarge the disk, then add the paths; one commit for both. */
static int write_root(struct update *u, struct err *err)
{
	char size[16];
	int rc = 0;

	if (u->root_wish.kind != WISH_NONE)
		rc = enlarge(&u->e->off, &u->e->off.root, &u->root_wish, &u->old_root, err);
	if (rc >= 0 && u->req.system) {
		ui_say("adding %zu store paths, %s", u->from.n_items, str_human(u->bytes, size));
		rc = change(u, err);
	} else if (rc == 0 && u->root_wish.kind != WISH_NONE) {
		rc = off_guest_commit(&u->e->off.root, err);
	}
	if (rc < 0 && !u->e->off.root.happened)
		update_enlarge_undo(&u->old_root);
	return rc < 0 ? rc : 0;
}

static int write_all(struct update *u, struct err *err)
{
	int rc = u->boot_wish.kind != WISH_NONE ? update_enlarge_boot(u, err) : 0;

	if (rc < 0)
		return rc;
	rc = write_root(u, err);
	return rc < 0 && u->old_boot.target
	               ? err_prefix(err, "%s was enlarged, but the rest failed",
	                            u->old_boot.target->name)
	               : rc;
}

int update_check(struct update *u, struct err *err)
{
	const struct update_options *r = &u->req;
	int rc = nix_options_check(&r->nix, r->system, r->source.from.n > 0, err);

	if (rc < 0)
		return rc;
	if (nix_wanted(&r->nix) && r->source.from.n)
		return err_set(err, ERR_USAGE,
		               "--from requires --system; a system built by this command is in the "
		               "host's store");
	if (r->try && !r->system && !nix_wanted(&r->nix))
		return err_set(err, ERR_USAGE,
		               "--try requires --system, --config, --file or --flake");
	if (r->wipe && !r->size && !r->boot_size)
		return err_set(err, ERR_USAGE, "--wipe requires --size or --boot-size");
	return update_sizes_parse(u, err);
}

bool update_wanted(const struct update_options *r)
{
	return r->system || r->size || r->boot_size || nix_wanted(&r->nix);
}

static void update_fini(struct update *u)
{
	enlarged_fini(&u->old_root);
	enlarged_fini(&u->old_boot);
	differences_fini(&u->diff);
	nixos_system_fini(&u->system);
	editor_system_fini(&u->from);
}

/* In the jail. */
static int work(struct editor *e, void *arg, struct err *err)
{
	struct update *u = arg;
	int rc;

	u->e = e;
	rc = update_check_boot(u, err);
	if (rc == 0 && u->req.system)
		rc = follow_check(&e->off, &e->in, err);
	if (rc == 0 && u->req.try)
		rc = trial_check(&e->off, &e->in, err);
	if (rc == 0 && u->req.system)
		rc = load(u, err);
	if (rc == 0)
		rc = u->req.common.dry_run ? update_check_sizes(u, err) : write_all(u, err);
	if (rc == 0)
		update_report(u);
	update_fini(u);
	return rc;
}

/* ---- the command ---------------------------------------------------------- */

/* Unnamed temporary files are in the image's directory, those for a device in /var/tmp. */
static char *spool_dir(const struct guest_options *opt)
{
	const char *first = opt->args[0], *slash = strrchr(first, '/');
	struct stat st;

	if (opt->dry_run)
		return xstrdup(source_tmp("/tmp"));
	if (stat(first, &st) == 0 && S_ISBLK(st.st_mode))
		return xstrdup(source_tmp("/var/tmp"));
	return slash ? xstrndup(first, (size_t)(slash - first) + 1) : xstrdup(".");
}

int update_run(struct update *u, struct err *err)
{
	struct update_options *r = &u->req;
	_free_ char *dir = spool_dir(&r->common);
	const struct supply_options supply = {
	        .source = &r->source,
	        .system = r->system,
	        .verify = r->verify,
	        .threads = r->threads,
	        .spool_dir = dir,
	        .stop = u->stop,
	};
	const struct editor_job job = {
	        .mode = r->common.dry_run ? OFF_GUEST_LOOK : OFF_GUEST_WRITE,
	        .work = work,
	        .arg = u,
	        .supply = r->system ? &supply : NULL,
	        .tries = r->try,
	        .largest = MAX(u->root_wish.bytes, u->boot_wish.bytes),
	};
	int rc = 0;

	r->source.dry_run = r->common.dry_run;
	if (r->system)
		rc = nixos_files_load(&r->nix, r->configuration, &u->nixos, err);
	return rc < 0 ? rc : editor_run(&r->common, &job, err);
}

int cmd_update(int argc, char **argv)
{
	struct update u = {.req = UPDATE_DEFAULTS};
	struct err err = ERR_INIT;
	_free_ char *built = NULL;
	int rc;

	ui_init(UI_NORMAL);
	rc = guest_options_parse(argc, argv, &options, true, &u.req.common, &err);
	u.stop = ui_catch_signals();
	if (rc == 0)
		rc = update_check(&u, &err);
	if (rc == 0 && !update_wanted(&u.req))
		rc = err_set(&err, ERR_USAGE,
		             "update: specify --system, --config, --file, --flake or --size");
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(u.req.common.level);
	rc = update_build(&u.req, &built, &err);
	if (rc == 0)
		rc = update_run(&u, &err);
	nixos_files_fini(&u.nixos);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
