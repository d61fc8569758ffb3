/* SPDX-License-Identifier: MIT */
#include "nixos/change.h"

#include <string.h>

#include "base/mem.h"
#include "nixos/direct.h"
#include "nixos/follow.h"
#include "nixos/menu_rewrite.h"
#include "nixos/secrets.h"
#include "nixos/trial.h"

/* Remove the note when menu and config are complete. */
static int clear_note(struct off_guest *off, struct err *err)
{
	int rc = off_guest_reopen(off, &off->root, err);

	if (rc == 0)
		rc = off_guest_set_pending(off, false, err);
	return rc < 0 ? rc : off_guest_commit(&off->root, err);
}

/* Remove files that the config does not name any more, or not yet. Errors are only warnings. */
static void tidy(struct off_guest *off, bool all)
{
	struct err err = ERR_INIT;

	if (off->repair && off->host && off->host->tidy(off->host, all, &err) < 0)
		off_guest_warn(off, "%s", err.text);
}

/* ---- what an earlier command left ----------------------------------------- */

static const struct generation *to_be_tried(const struct guest_state *in)
{
	const struct generation *g = trial_find(in);

	return g && g->trial == GENERATION_TO_BE_TRIED ? g : NULL;
}

static int catch_up_menu(struct off_guest *off, const struct guest_state *in,
                         const struct generation *current, struct err *err)
{
	struct menu_wish wish = {.current = current};
	struct off_guest_note note;
	int rc = off_guest_read_note(off, &note, err);

	wish.limit = note.limit;
	wish.trial = note.trial;
	if (note.trial == TRIAL_BEGIN)
		wish.tried = guest_state_find(in, note.tried);
	if (note.trial == TRIAL_KEEP)
		wish.tried = to_be_tried(in);
	if (!wish.tried && wish.trial == TRIAL_BEGIN)
		wish.trial = TRIAL_END;
	if (rc == 0)
		rc = off->separate_boot ? menu_rewrite(off, in, &wish, err) : 1;
	if (rc == 0)
		rc = off_guest_commit(&off->boot, err);
	if (rc == 0)
		rc = off_guest_reopen(off, &off->boot, err);
	return rc < 0 ? rc : 0;
}

/* Write the new kernel and initrd, still without names, and make the config's new text. */
static int write_direct(struct off_guest *off, const struct guest_state *in, struct direct *d,
                        const struct guest_system *s, struct err *err)
{
	int rc = direct_learn(off, in, d, err);

	if (rc == 0)
		rc = direct_format(off, d, s, err);
	return rc < 0 ? rc : direct_write(off, d, err);
}

/* The guest has both systems, and the config boots one of them. */
static int catch_up_config(struct off_guest *off, const struct guest_state *in,
                           const struct generation *current, struct err *err)
{
	_cleanup_(direct_fini) struct direct d = {.host = NULL};
	int rc;

	rc = write_direct(off, in, &d, &current->system, err);
	if (rc == 0)
		rc = direct_publish(&d, err);
	return rc < 0 ? rc : direct_switch(&d, err);
}

/*
 * An earlier command was stopped between the disks, or before the config. 1: the config is another
 * one now, so that what off->host has of it is old.
 */
static int catch_up(struct off_guest *off, struct guest_state *in, struct err *err)
{
	struct generation *current = guest_state_current(in);
	bool direct = off->config.kernel != NULL;
	int rc;

	if (!current)
		return 0;
	rc = catch_up_menu(off, in, current, err);
	if (rc == 0 && direct)
		rc = catch_up_config(off, in, current, err);
	if (rc == -ERR_UNSUPPORTED) {
		/* Someone has edited the config in the meantime. Whatever it boots is complete. */
		off_guest_warn(off, "%s", err->text);
		return 0;
	}
	if (rc == 0)
		rc = clear_note(off, err);
	if (rc == 0)
		rc = off_guest_reopen(off, &off->root, err);
	if (rc == 0)
		rc = off_guest_evaluate(off, false, err);
	if (rc == 0)
		rc = trial_mark(off, in, err);
	if (rc < 0)
		return rc;
	tidy(off, true);
	off_guest_warn(
	        off,
	        "%s: an earlier command was interrupted before it had changed all disks%s; the "
	        "change is now complete",
	        off->boot.target->name, direct ? " and the config" : "");
	return direct;
}

static int open_all(const struct off_guest_opener *opener, enum off_guest_mode mode,
                    struct off_guest *off, struct guest_state *in, bool *pending, struct err *err)
{
	int rc = opener->open(opener->arg, mode, off, err);

	if (rc < 0)
		return rc;
	rc = off_guest_pending(off, pending, err);
	if (rc == 0)
		rc = guest_state_load(off, in, err);
	if (rc < 0) {
		opener->close(off);
		return rc;
	}
	rc = trial_mark(off, in, err);
	if (rc < 0) {
		guest_state_fini(in);
		opener->close(off);
	}
	return rc;
}

int change_begin(const struct off_guest_opener *opener, enum off_guest_mode mode,
                 struct off_guest *off, struct guest_state *in, struct err *err)
{
	bool pending;
	int rc = open_all(opener, mode, off, in, &pending, err);

	if (rc < 0)
		return rc;
	if (!pending) {
		tidy(off, false);
		return 0;
	}
	if ((!off->separate_boot && !off->config.kernel) || !off->repair) {
		off_guest_warn(
		        off,
		        "%s: an earlier command was interrupted: the boot disk or the config does "
		        "not match the generations yet; run \"domstrap generations\" with the xl "
		        "config, or with both disks, to complete the change",
		        off->root.target->name);
		return 0;
	}
	if (mode != OFF_GUEST_WRITE) {
		guest_state_fini(in);
		opener->close(off);
		rc = open_all(opener, OFF_GUEST_WRITE, off, in, &pending, err);
		if (rc < 0)
			return rc;
	}
	rc = catch_up(off, in, err);
	if (rc) {
		guest_state_fini(in);
		opener->close(off);
	}
	return rc;
}

int change_profile(struct off_guest *off, unsigned number, struct err *err)
{
	_free_ char *target = xasprintf("system-%u-link", number);
	uint32_t dir;
	int rc = ext4_edit_find(off->root.edit, GUEST_STATE_PROFILES, true, &dir, err);

	return rc < 0 ? rc : ext4_edit_add_link(off->root.edit, dir, "system", target, err);
}

/* An initrd on the host never has the guest's secrets. */
static int warn_of_secrets(struct off_guest *off, const struct generation *g, struct err *err)
{
	bool some = false;
	int rc = secrets_in_guest(off->root.edit, g->system.toplevel, &some, err);

	if (rc == 0 && some)
		off_guest_warn(
		        off,
		        "generation %u (%s) has boot.initrd.secrets, but an initrd on the host "
		        "never contains them: the guest starts without them",
		        g->number, g->system.toplevel);
	return rc;
}

/* Everything except the commits: evaluate the guest as it will be after them. */
static int stage(struct off_guest *off, const struct guest_state *in, const struct menu_wish *wish,
                 struct direct *d, bool note, struct err *err)
{
	const struct generation *current = wish->current;
	const struct follow_want want = {.toplevel = current->system.toplevel,
	                                 .once = wish->tried != NULL,
	                                 .once_toplevel =
	                                         wish->tried ? wish->tried->system.toplevel : NULL};
	bool direct = off->config.kernel != NULL;
	int rc = 0;

	if (direct)
		rc = write_direct(off, in, d, &current->system, err);
	if (rc == 0 && direct)
		rc = warn_of_secrets(off, current, err);
	/* Without a config this is unknown: keep it. */
	if (rc == 0 && off->config.path)
		rc = direct_mark(off, direct ? current->system.toplevel : NULL, err);
	if (rc == 0 && (note || (direct && direct_differs(d))))
		rc = off_guest_set_pending(off, true, err);
	return rc < 0 ? rc : follow_staged(off, &want, err);
}

/* After every step the guest boots a complete system. */
static int commit(struct off_guest *off, struct direct *d, bool menu, struct err *err)
{
	bool noted = menu || direct_differs(d);
	int rc = direct_publish(d, err);

	if (rc < 0)
		return err_prefix(err, "nothing was changed");
	rc = off_guest_commit(&off->root, err);
	if (rc < 0 && !off->root.happened)
		direct_take_back(d);
	if (rc < 0 || !noted)
		return rc;
	if (menu)
		rc = off_guest_commit(&off->boot, err);
	if (rc == 0)
		rc = direct_switch(d, err);
	if (rc == 0)
		rc = clear_note(off, err);
	if (rc < 0)
		return err_prefix(err, "the new generation is in the guest, but does not boot yet; "
		                       "the next command completes the change");
	tidy(off, true);
	return 0;
}

int change_commit(struct off_guest *off, const struct guest_state *in, const struct menu_wish *wish,
                  struct err *err)
{
	_cleanup_(direct_fini) struct direct d = {.host = NULL};
	int rc = menu_rewrite(off, in, wish, err);
	bool menu = rc == 0 && off->separate_boot;

	if (rc >= 0)
		rc = stage(off, in, wish, &d, menu, err);
	/* Before the trial, which without it would have no end. */
	if (rc == 0 && wish->trial == TRIAL_BEGIN && off->write_env)
		rc = off->write_env(off, false, err);
	return rc < 0 ? rc : commit(off, &d, menu, err);
}

int change_default(struct off_guest *off, const struct guest_state *in, const struct generation *g,
                   struct err *err)
{
	const struct menu_wish wish = {.current = g, .trial = TRIAL_END};
	struct profile *p = &in->profiles[0];
	int rc = change_profile(off, g->number, err);

	for (size_t i = 0; i < p->n; i++)
		p->v[i].current = &p->v[i] == g;
	return rc < 0 ? rc : change_commit(off, in, &wish, err);
}

/* Commit the note before any other change: from now on the menu may be out of date. */
static int note_first(struct off_guest *off, struct err *err)
{
	int rc = off_guest_set_pending(off, true, err);

	if (rc == 0)
		rc = off_guest_commit(&off->root, err);
	return rc < 0 ? rc : off_guest_reopen(off, &off->root, err);
}

/* The root is committed last. Check here everything that could make that commit fail. */
static int stage_removal(struct off_guest *off, const struct follow_want *want,
                         const struct change_removal *r, struct err *err)
{
	size_t blocks, room;
	int rc = r->prune(off, r->arg, err);

	if (rc == 0 && off->separate_boot)
		rc = off_guest_set_pending(off, false, err);
	if (rc == 0)
		rc = follow_removal(off, want, r->gone, r->arg, err);
	if (rc == 0)
		rc = ext4_edit_weigh(off->root.edit, &blocks, &room, err);
	if (rc == 0 && blocks > room)
		rc = err_set(err, ERR_LIMIT,
		             "%s: deleting these paths changes %zu blocks, but its journal has "
		             "room for %zu; delete fewer generations at a time (--keep)",
		             off->root.target->name, blocks, room);
	return rc;
}

int change_commit_removal(struct off_guest *off, const struct guest_state *in,
                          const struct generation *shown, const struct change_removal *removal,
                          struct err *err)
{
	const struct booting *before = &off->booting;
	_free_ char *toplevel = before->toplevel ? xstrdup(before->toplevel) : NULL;
	_free_ char *once = before->once_toplevel ? xstrdup(before->once_toplevel) : NULL;
	const struct follow_want want = {toplevel, before->once, once};
	const struct menu_wish wish = {
	        .current = shown, .trial = TRIAL_KEEP, .tried = to_be_tried(in)};
	struct err left = ERR_INIT;
	int menu = menu_rewrite(off, in, &wish, err), rc = menu;

	if (rc >= 0 && off->separate_boot)
		rc = note_first(off, err);
	if (rc < 0)
		return rc;
	rc = stage_removal(off, &want, removal, err);
	if (rc < 0) {
		if (off->separate_boot && clear_note(off, &left) < 0)
			off_guest_warn(off, "%s; the next command that writes checks the boot menu",
			               left.text);
		return rc;
	}
	if (off->separate_boot && menu == 0)
		rc = off_guest_commit(&off->boot, err);
	return rc < 0 ? rc : off_guest_commit(&off->root, err);
}
