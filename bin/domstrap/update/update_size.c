/* SPDX-License-Identifier: MIT */
/* --size, --boot-size and --wipe. */
#include <string.h>

#include "base/mem.h"
#include "ext4/ext4_layout.h"
#include "host/old_data.h"
#include "ui/ui.h"
#include "update/update_in.h"

/* ---- what is wished --------------------------------------------------------- */

/* "20G", "+5G", "all". */
static int parse(const char *option, const char *text, struct size_wish *out, struct err *err)
{
	bool more = *text == '+';
	uint64_t bytes;

	if (!strcmp(text, "all")) {
		*out = (struct size_wish){.kind = WISH_ALL};
		return 0;
	}
	if (!str_size(str_from(text + more), &bytes) || !bytes || bytes > EXT4_MAX_BYTES)
		return err_set(err, ERR_USAGE,
		               "--%s '%s': expected a size such as 20G, an increase such as +5G, "
		               "or all (of a device)",
		               option, text);
	*out = (struct size_wish){.kind = more ? WISH_ADD : WISH_SET, .bytes = bytes};
	return 0;
}

static int say_old_data(struct target *t, const struct enlarge_range *range, struct err *err)
{
	struct old_data old = {.from = range->from, .to = range->to};

	return old_data_look(&old, t, range->wipe, range->dry_run, err);
}

static void begin(uint64_t bytes)
{
	struct ui_progress *progress = ui_progress_shared();

	progress->total_bytes = bytes;
	ui_progress_begin(progress);
}

int update_sizes_parse(struct update *u, struct err *err)
{
	const struct update_options *r = &u->req;
	int rc = 0;

	u->watch = (struct enlarge_watch){
	        .wipe = {.stop = u->stop, .done = &ui_progress_shared()->bytes},
	        .found = say_old_data,
	        .begins = begin,
	        .ends = ui_progress_end};
	if (r->size)
		rc = parse("size", r->size, &u->root_wish, err);
	if (rc == 0 && r->boot_size)
		rc = parse("boot-size", r->boot_size, &u->boot_wish, err);
	u->root_wish.wipe = u->boot_wish.wipe = r->wipe;
	u->root_wish.watch = u->boot_wish.watch = &u->watch;
	return rc;
}

/* ---- in the jail ------------------------------------------------------------ */

int update_check_boot(const struct update *u, struct err *err)
{
	if (u->boot_wish.kind == WISH_NONE || u->e->off.separate_boot)
		return 0;
	return err_set(err, ERR_USAGE,
	               "%s: --boot-size requires /boot on a disk of its own; enlarge this disk "
	               "with --size",
	               u->e->off.root.target->name);
}

int update_check_sizes(struct update *u, struct err *err)
{
	int rc = 0;

	if (u->boot_wish.kind != WISH_NONE)
		rc = enlarge_check(&u->e->off.boot, &u->boot_wish, err);
	if (rc == 0 && u->root_wish.kind != WISH_NONE)
		rc = enlarge_check(&u->e->off.root, &u->root_wish, err);
	return rc;
}

void update_enlarge_undo(const struct enlarged *old)
{
	struct err err = ERR_INIT;

	if (enlarge_undo(old, &err) < 0)
		ui_warn("%s", err.text);
}

int update_enlarge_boot(struct update *u, struct err *err)
{
	struct off_guest_fs *boot = &u->e->off.boot;
	int rc = enlarge(&u->e->off, boot, &u->boot_wish, &u->old_boot, err);

	if (rc == 0)
		rc = off_guest_commit(boot, err);
	if (rc < 0 && !boot->happened)
		update_enlarge_undo(&u->old_boot);
	return rc < 0 ? rc : off_guest_reopen(&u->e->off, boot, err);
}
