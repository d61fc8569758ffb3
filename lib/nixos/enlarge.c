/* SPDX-License-Identifier: MIT */
#include "nixos/enlarge.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ext4/ext4_layout.h"
#include "ext4/wipe.h"

/* The end of the used part of the disk: a device may have become larger. */
static uint64_t used_end(const struct off_guest_fs *fs)
{
	if (!fs->target->is_device)
		return fs->target->size;
	return fs->base ? fs->base + fs->size : ext4_edit_bytes(fs->edit);
}

/* Bytes of the disk as it is to be, whole blocks. */
static int new_size(const struct off_guest_fs *fs, const struct size_wish *wish, uint64_t *out,
                    struct err *err)
{
	const struct target *t = fs->target;
	uint64_t from = used_end(fs);
	char want[16], have[16];

	switch (wish->kind) {
	case WISH_ALL:
		*out = t->size;
		break;
	case WISH_ADD:
		*out = from + wish->bytes;
		break;
	default:
		*out = wish->bytes;
		break;
	}
	*out -= *out % EXT4_BLOCK;
	if (*out < from / EXT4_BLOCK * EXT4_BLOCK)
		return err_set(err, ERR_USAGE, "%s: has %s; it cannot shrink to %s", t->name,
		               str_human(from, have), str_human(*out, want));
	if (t->is_device && *out > t->size)
		return err_set(err, ERR_SPACE, "%s: the device has %s, but %s are needed", t->name,
		               str_human(t->size, have), str_human(*out, want));
	return 0;
}

/* The table's change, before anything is written. Where another program let the
 * partition grow, "all" means all of that. */
static int plan_table(const struct off_guest_fs *fs, const struct size_wish *wish, uint64_t size,
                      struct table_growth *out, struct err *err)
{
	struct target *t = fs->target;
	int rc;

	if (!fs->base || size <= fs->base + fs->size)
		return 0;
	rc = enlarge_table_plan(t, fs->base, t->is_device ? t->size : size, size, out, err);
	if (rc == -ERR_UNSUPPORTED && wish->kind == WISH_ALL) {
		err->code = 0;
		return 0;
	}
	return rc;
}

/* ---- what a former tenant left ---------------------------------------------- */

/* Bytes of a device behind the file system: those of its partition, or all. */
static void behind(const struct off_guest_fs *fs, const struct table_growth *table,
                   struct enlarge_range *out)
{
	bool partition = fs->base && !table->head.n;

	out->to = partition ? fs->base + fs->size : fs->target->size;
	out->from = MIN(fs->base + ext4_edit_bytes(fs->edit), out->to);
}

/* But keep the GPT's copy at the old end, which the guest needs until the new one is written. */
static int wipe_behind(const struct off_guest_fs *fs, const struct size_wish *wish,
                       const struct table_growth *table, const struct enlarge_range *range,
                       struct err *err)
{
	const struct wipe_watch *watch = &wish->watch->wipe;
	uint64_t copy = MIN(MAX(table->copy, range->from), range->to);
	uint64_t rest = MIN(MAX(table->copy_end, copy), range->to);
	int rc;

	wish->watch->begins(range->to - range->from);
	rc = wipe(fs->target, range->from, copy - range->from, watch, err);
	if (rc == 0)
		rc = wipe(fs->target, rest, range->to - rest, watch, err);
	if (rc == 0)
		rc = target_sync(fs->target, err);
	wish->watch->ends();
	return rc;
}

/* A file's new bytes are zeros. */
static int clear_behind(const struct off_guest_fs *fs, const struct size_wish *wish,
                        const struct table_growth *table, bool dry_run, struct err *err)
{
	struct enlarge_range range = {.wipe = wish->wipe, .dry_run = dry_run};
	int rc;

	if (!fs->target->is_device)
		return 0;
	behind(fs, table, &range);
	rc = wish->watch->found(fs->target, &range, err);
	if (rc < 0 || !wish->wipe || dry_run)
		return rc;
	return wipe_behind(fs, wish, table, &range, err);
}

/* ---- growing ------------------------------------------------------------------ */

static int grow_file(struct target *t, uint64_t size, struct enlarged *old, struct err *err)
{
	if (t->is_device || size <= t->size)
		return 0;
	old->size = t->size;
	if (ftruncate(t->fd, (off_t)size) < 0)
		return err_sys(err, errno, "%s: cannot grow to %" PRIu64 " bytes", t->name, size);
	t->size = size;
	return 0;
}

static void set_end(struct off_guest_fs *fs, const struct table_growth *table, uint64_t size)
{
	uint64_t end = fs->base ? table->end : size;

	if (end > fs->base)
		fs->size = MAX(fs->size, end - fs->base);
}

int enlarge_check(struct off_guest_fs *fs, const struct size_wish *wish, struct err *err)
{
	struct table_growth table = {.disk = 0};
	uint64_t size = 0;
	int rc = new_size(fs, wish, &size, err);

	if (rc == 0)
		rc = plan_table(fs, wish, size, &table, err);
	if (rc == 0)
		rc = clear_behind(fs, wish, &table, true, err);
	if (rc == 0)
		set_end(fs, &table, size);
	table_growth_fini(&table);
	return rc;
}

int enlarge(struct off_guest *off, struct off_guest_fs *fs, const struct size_wish *wish,
            struct enlarged *old, struct err *err)
{
	uint64_t size = 0;
	int rc = new_size(fs, wish, &size, err);

	*old = (struct enlarged){.target = fs->target};
	if (rc == 0)
		rc = plan_table(fs, wish, size, &old->table, err);
	if (rc == 0)
		rc = clear_behind(fs, wish, &old->table, false, err);
	if (rc == 0)
		rc = grow_file(fs->target, size, old, err);
	if (rc == 0 && old->table.head.n) {
		old->tried = true;
		rc = enlarge_table_write(fs->target, &old->table, err);
	}
	if (rc < 0)
		return rc;
	set_end(fs, &old->table, size);
	rc = off_guest_reopen(off, fs, err);
	return rc < 0 ? rc : ext4_edit_grow(fs->edit, fs->base ? fs->size : size, err);
}

int enlarge_undo(const struct enlarged *old, struct err *err)
{
	struct target *t = old->target;

	if (old->tried && enlarge_table_undo(t, &old->table, err) < 0)
		return err_prefix(err, "its partition table may be partly changed");
	if (old->size && ftruncate(t->fd, (off_t)old->size) < 0)
		return err_sys(err, errno, "%s: cannot shrink back to its former size", t->name);
	return 0;
}

void enlarged_fini(struct enlarged *old)
{
	table_growth_fini(&old->table);
}
