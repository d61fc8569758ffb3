/* SPDX-License-Identifier: MIT */
#include "change.h"

#include <string.h>

#include "base/mem.h"
#include "follow.h"
#include "remenu.h"

/* The note is gone once the menu is written. */
static int clear_note(struct offline *off, struct err *err)
{
	int rc = offline_reopen(off, &off->root, err);

	if (rc == 0)
		rc = offline_set_pending(off, false, err);
	return rc < 0 ? rc : offline_commit(&off->root, err);
}

/* An earlier command was stopped between the two disks. */
static int catch_up(struct offline *off, struct inside *in, struct err *err)
{
	struct generation *current = inside_current(in);
	int rc;

	if (!current)
		return 0;
	rc = remenu(off, in, current, 0, err);
	if (rc == 0)
		rc = offline_commit(&off->boot, err);
	if (rc == 0)
		rc = offline_reopen(off, &off->boot, err);
	if (rc >= 0)
		rc = clear_note(off, err);
	if (rc == 0)
		rc = offline_reopen(off, &off->root, err);
	if (rc == 0)
		rc = offline_evaluate(off, false, err);
	if (rc < 0)
		return rc;
	inside_mark_boots(in, off->booting.toplevel);
	ui_warn("%s: an earlier command was stopped between the disks; its boot menu fits its "
	        "generations again",
	        off->boot.target->name);
	return 0;
}

static int open_all(const struct offline_request *r, enum offline_mode mode, struct offline *off,
                    struct inside *in, bool *pending, struct err *err)
{
	int rc = offline_open(&r->common, mode, off, err);

	if (rc < 0)
		return rc;
	rc = offline_pending(off, pending, err);
	if (rc == 0)
		rc = inside_load(off, in, err);
	if (rc < 0)
		offline_close(off);
	else
		inside_mark_boots(in, off->booting.toplevel);
	return rc;
}

int change_begin(const struct offline_request *r, enum offline_mode mode, struct offline *off,
                 struct inside *in, struct err *err)
{
	bool pending;
	int rc = open_all(r, mode, off, in, &pending, err);

	if (rc < 0 || !pending)
		return rc;
	if (!off->separate_boot || !off->repair) {
		ui_warn("%s: the boot menu on its other disk does not fit its generations yet; "
		        "\"domstrap generations\" with both disks, or the xl config, writes it",
		        off->root.target->name);
		return 0;
	}
	if (mode != OFFLINE_WRITE) {
		inside_fini(in);
		offline_close(off);
		rc = open_all(r, OFFLINE_WRITE, off, in, &pending, err);
		if (rc < 0)
			return rc;
	}
	rc = catch_up(off, in, err);
	if (rc < 0) {
		inside_fini(in);
		offline_close(off);
	}
	return rc;
}

int change_profile(struct offline *off, unsigned number, struct err *err)
{
	_free_ char *target = xasprintf("system-%u-link", number);
	uint32_t dir;
	int rc = ext4_edit_find(off->root.edit, INSIDE_PROFILES, true, &dir, err);

	return rc < 0 ? rc : ext4_edit_add_link(off->root.edit, dir, "system", target, err);
}

int change_commit(struct offline *off, const struct inside *in, const struct generation *current,
                  unsigned limit, struct err *err)
{
	bool two = off->separate_boot;
	int rc = remenu(off, in, current, limit, err);
	bool menu = rc == 0;

	if (rc >= 0 && two && menu)
		rc = offline_set_pending(off, true, err);
	if (rc >= 0)
		rc = follow_staged(
		        off, off->config.kernel ? NULL : current->system.toplevel, err);
	if (rc >= 0)
		rc = offline_commit(&off->root, err);
	if (rc < 0 || !two || !menu)
		return rc;
	rc = offline_commit(&off->boot, err);
	if (rc == 0)
		rc = clear_note(off, err);
	return rc < 0 ? err_prefix(err, "the new generation is there, its boot menu is not; the "
	                                "next command completes it")
	              : 0;
}

/* Before anything else changes: from now on the menu may be behind. */
static int note_first(struct offline *off, struct err *err)
{
	int rc = offline_set_pending(off, true, err);

	if (rc == 0)
		rc = offline_commit(&off->root, err);
	return rc < 0 ? rc : offline_reopen(off, &off->root, err);
}

/* The root's commit comes last: it must not fail for a reason known before. */
static int stage_removal(struct offline *off, const char *toplevel,
                         const struct change_removal *r, struct err *err)
{
	size_t blocks, room;
	int rc = r->prune(off, r->arg, err);

	if (rc == 0 && off->separate_boot)
		rc = offline_set_pending(off, false, err);
	if (rc == 0)
		rc = follow_removal(off, toplevel, r->gone, r->arg, err);
	if (rc == 0)
		rc = ext4_edit_weigh(off->root.edit, &blocks, &room, err);
	if (rc == 0 && blocks > room)
		rc = err_set(
		        err, ERR_LIMIT,
		        "%s: taking that much away at once changes %zu blocks, and its journal "
		        "has room for %zu; drop fewer generations at a time (--keep)",
		        off->root.target->name, blocks, room);
	return rc;
}

int change_commit_removal(struct offline *off, const struct inside *in,
                          const struct generation *shown, const struct change_removal *removal,
                          struct err *err)
{
	const char *before = off->booting.toplevel;
	_free_ char *toplevel = before ? xstrdup(before) : NULL;
	struct err left = ERR_INIT;
	int rc = off->separate_boot ? note_first(off, err) : 0, menu;

	if (rc < 0)
		return rc;
	menu = remenu(off, in, shown, 0, err);
	rc = menu < 0 ? menu : stage_removal(off, toplevel, removal, err);
	if (rc < 0) {
		if (off->separate_boot && clear_note(off, &left) < 0)
			ui_warn("%s; the next command that writes checks the boot menu", left.text);
		return rc;
	}
	if (off->separate_boot && menu == 0)
		rc = offline_commit(&off->boot, err);
	return rc < 0 ? rc : offline_commit(&off->root, err);
}
