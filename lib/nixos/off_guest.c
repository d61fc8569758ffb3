/* SPDX-License-Identifier: MIT */
#include "nixos/off_guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "disk/md.h"
#include "disk/table.h"
#include "ext4/ext4_journal.h"
#include "nixos/guest_fs.h"
#include "nixos/joined_root.h"

#define EPOCH_MAX 0x37fffffffll
#define SUPER_MAGIC_AT 1080
/* The note: "menu-LIMIT", "menu-LIMIT-keep" or "menu-LIMIT-try-NUMBER". */
#define PENDING_WORD "menu-"
#define PENDING_KEEP "-keep"
#define PENDING_TRY "-try-"
#define SUPER_END 2048

int64_t off_guest_now(void)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t v;

	if (text && str_u64(str_from(text), 10, EPOCH_MAX, &v) && v)
		return (int64_t)v;
	return (int64_t)time(NULL);
}

void off_guest_warn(const struct off_guest *off, const char *fmt, ...)
{
	_free_ char *text = NULL;
	va_list args;

	if (!off->warn)
		return;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		off->warn(text);
}

/* ---- the file systems in them --------------------------------------------- */

static void report_left(const struct off_guest *off, const struct target *t, enum ext4_left left)
{
	if (left == EXT4_LEFT_FINISHED)
		off_guest_warn(off,
		               "%s: an earlier change was interrupted after it took effect; %s",
		               t->name,
		               off->repair ? "it is complete now"
		                           : "the next command that writes completes it");
	if (left == EXT4_LEFT_UNDONE)
		off_guest_warn(
		        off,
		        "%s: an earlier change was interrupted before it took effect; it changed "
		        "nothing",
		        t->name);
}

static int is_dir(struct ext4_edit *e, const char *path, bool *answer, struct err *err)
{
	struct ext4_stat st = {.type = 0};
	uint32_t ino;
	int rc = err_absent(ext4_edit_find(e, path, true, &ino, err));

	if (rc == 0)
		rc = ext4_edit_stat(e, ino, &st, err);
	*answer = rc == 0 && st.type == EXT4_FT_DIR;
	return rc < 0 ? rc : 0;
}

/* A file system of the guest: root, boot, or another one. */
static int take_fs(struct off_guest *off, const struct off_guest_fs *fs, struct err *err)
{
	struct ext4_edit *e = fs->edit;
	bool root, boot = false;
	int rc = is_dir(e, "/nix/store", &root, err);

	if (rc == 0 && !root && !off->boot.edit)
		rc = is_dir(e, "/grub", &boot, err);
	if (rc == 0 && !root && !off->boot.edit && !boot)
		rc = is_dir(e, "/extlinux", &boot, err);
	if (rc < 0)
		return rc;
	if (root) {
		if (off->root.edit)
			return err_set(err, ERR_UNSUPPORTED, "%s and %s: both have a /nix/store",
			               off->root.target->name, fs->target->name);
		off->root = *fs;
		return 0;
	}
	if (boot) {
		off->boot = *fs;
		return 0;
	}
	ext4_edit_free(e);
	return 0;
}

/* 0, 1: what is there is no ext file system, or -ERR_*. */
static int no_ext(struct target *t, uint64_t base, uint64_t size, struct err *err)
{
	uint8_t magic[2] = {0};
	int rc = size < SUPER_END ? 0 : target_read(t, magic, 2, base + SUPER_MAGIC_AT, err);

	return rc < 0 ? rc : magic[0] != 0x53 || magic[1] != 0xef;
}

/* Whether it is one half of a mirror, which cannot be changed alone: md would not notice. */
static int is_mirror(const struct off_guest_fs *fs, bool *is, struct err *err)
{
	struct source_fd src;
	struct window w, data;
	int rc;

	source_fd_init(&src, fs->target->fd, fs->target->name);
	w = window_over(&src.src, fs->target->size, fs->target->name);
	rc = window_sub(&w, fs->base, fs->size, &w, err);
	if (rc == 0)
		rc = md_mirror(&w, &data, NULL, err);
	*is = rc == 0;
	return rc < 0 ? rc : 0;
}

/*
 * Everything is opened for reading first: what is neither root nor /boot may be
 * as it likes.
 */
static int open_fs(struct off_guest *off, struct off_guest_fs *fs, bool write, struct err *err)
{
	enum ext4_left left;
	bool mirror = false;
	int rc = is_mirror(fs, &mirror, err);

	if (rc == 0 && mirror && off->mode == OFF_GUEST_WRITE)
		rc = err_set(err, ERR_UNSUPPORTED,
		             "%s: a file system on one half of a RAID1 (Linux md) cannot be "
		             "changed; change it in the guest",
		             fs->target->name);
	if (rc == 0)
		rc = ext4_journal_recover(fs->target, fs->base, fs->size, off->repair && !mirror,
		                          &left, err);
	if (rc < 0)
		return rc;
	report_left(off, fs->target, left);
	return ext4_edit_open(&(struct ext4_edit_request){.target = fs->target,
	                                                  .base = fs->base,
	                                                  .size = fs->size,
	                                                  .time = off->now,
	                                                  .write = write},
	                      &fs->edit, err);
}

static int look_at(struct off_guest *off, struct target *t, uint64_t base, uint64_t size,
                   struct err *err)
{
	struct off_guest_fs fs = {.target = t, .base = base, .size = size};
	int rc = no_ext(t, base, size, err);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = open_fs(off, &fs, false, err);
	if (rc == -ERR_UNSUPPORTED && off->root.edit) {
		off_guest_warn(off, "%s", err->text);
		return 0;
	}
	if (rc == 0)
		rc = take_fs(off, &fs, err);
	if (rc < 0)
		ext4_edit_free(fs.edit);
	return rc;
}

/* Open it again for writing, or warn if it is read differently than it lies on the disk. */
static int settle_fs(struct off_guest *off, struct off_guest_fs *fs, struct err *err)
{
	if (!fs->edit)
		return 0;
	if (off->mode == OFF_GUEST_WRITE) {
		ext4_edit_free(take(&fs->edit));
		return open_fs(off, fs, true, err);
	}
	if (*ext4_edit_notice(fs->edit))
		off_guest_warn(off, "%s: %s", fs->target->name, ext4_edit_notice(fs->edit));
	return 0;
}

static int settle(struct off_guest *off, struct err *err)
{
	int rc = settle_fs(off, &off->root, err);

	if (rc == 0)
		rc = settle_fs(off, &off->boot, err);
	if (rc == 0 && off->mode == OFF_GUEST_WRITE && !ext4_edit_has_journal(off->root.edit))
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: its root file system has no journal, which an atomic change "
		               "needs; add one with \"tune2fs -O has_journal\"",
		               off->root.target->name);
	return rc;
}

static int look_into(struct off_guest *off, struct target *t, struct err *err)
{
	struct source_fd src;
	struct window disk, part;
	struct table table;
	int rc;

	source_fd_init(&src, t->fd, t->name);
	disk = window_over(&src.src, t->size, t->name);
	rc = no_ext(t, 0, t->size, err);
	if (rc == 0)
		return look_at(off, t, 0, t->size, err);
	if (rc == 1)
		rc = table_read(&disk, &table, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < table.n && rc == 0; i++) {
		rc = table_window(&table, &table.part[i], &disk, &part, err);
		if (rc == 0)
			rc = look_at(off, t, part.start, part.size, err);
	}
	table_fini(&table);
	return rc;
}

void off_guest_specs(const struct off_guest *off, struct disk_spec *out)
{
	for (size_t i = 0; i < off->n_disks; i++) {
		const struct target *t = &off->targets[i];

		out[i] = (struct disk_spec){.fd = t->fd,
		                            .size = t->size,
		                            .sector = t->sector ? t->sector : 512,
		                            .name = t->name};
	}
}

int off_guest_find(struct off_guest *off, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < off->n_disks && rc == 0; i++)
		rc = look_into(off, &off->targets[i], err);
	if (rc == 0 && !off->root.edit)
		rc = joined_root(off, err);
	else if (rc == 0)
		rc = settle(off, err);
	if (rc < 0)
		return rc;
	off->separate_boot = off->boot.edit;
	off->boot_dir = off->separate_boot ? "" : "/boot";
	if (!off->separate_boot)
		off->boot = off->root;
	return off_guest_evaluate(off, false, err);
}

int off_guest_evaluate(struct off_guest *off, bool staged, struct err *err)
{
	booting_fini(&off->booting);
	return booting_read(off, &off->config, staged, &off->booting, err);
}

void off_guest_release(struct off_guest *off)
{
	if (off->boot.edit != off->root.edit)
		ext4_edit_free(off->boot.edit);
	ext4_edit_free(off->root.edit);
	joined_root_fini(off);
	off->root = off->boot = (struct off_guest_fs){.edit = NULL};
	free(take(&off->menu_path));
	booting_fini(&off->booting);
}

void off_guest_close(struct off_guest *off)
{
	off_guest_release(off);
	for (size_t i = 0; i < off->n_disks; i++) {
		target_fini(&off->targets[i]);
		free(off->paths[i]);
	}
	off->n_disks = 0;
	xlcfg_guest_fini(&off->cfg);
}

int off_guest_reopen(struct off_guest *off, struct off_guest_fs *fs, struct err *err)
{
	bool root = fs == &off->root;
	int rc;

	ext4_edit_free(fs->edit);
	fs->edit = NULL;
	if (root && !off->separate_boot)
		off->boot.edit = NULL;
	rc = open_fs(off, fs, off->mode == OFF_GUEST_WRITE, err);
	if (rc == 0 && root && !off->separate_boot)
		off->boot = *fs;
	return rc;
}

int off_guest_commit(struct off_guest_fs *fs, struct err *err)
{
	bool happened;
	int rc = ext4_edit_commit(fs->edit, &happened, err);

	fs->happened = fs->happened || happened;
	if (rc < 0 && happened)
		return err_prefix(err,
		                  "the change may have taken effect, but is not complete; the next "
		                  "command completes it, or reports that it changed nothing");
	return rc < 0 ? err_prefix(err, "nothing was changed") : 0;
}

/* ---- the note in the root ------------------------------------------------- */

int off_guest_pending(struct off_guest *off, bool *pending, struct err *err)
{
	uint32_t ino;
	int rc;

	*pending = false;
	/* It is never written there. */
	if (off->root.view)
		return 0;
	rc = err_absent(ext4_edit_find(off->root.edit, OFF_GUEST_PENDING_DIR "/" OFF_GUEST_PENDING,
	                               false, &ino, err));

	*pending = rc == 0;
	return rc < 0 ? rc : 0;
}

int off_guest_set_pending(struct off_guest *off, bool on, struct err *err)
{
	struct ext4_edit *e = off->root.edit;
	_cleanup_(buf_fini) struct buf word = BUF_INIT;
	uint32_t dir;
	bool is_on = false;
	int rc = ext4_edit_find(e, OFF_GUEST_PENDING_DIR, true, &dir, err);

	if (rc == 0)
		rc = off_guest_pending(off, &is_on, err);
	if (rc < 0)
		return rc;
	if (!on)
		return is_on ? ext4_edit_remove(e, dir, OFF_GUEST_PENDING, NULL, err) : 0;
	/* A symbolic link can store a short text without a block. */
	buf_putf(&word, PENDING_WORD "%zu", off->menu_limit);
	if (off->menu_trial == TRIAL_KEEP)
		buf_puts(&word, PENDING_KEEP);
	if (off->menu_trial == TRIAL_BEGIN)
		buf_putf(&word, PENDING_TRY "%u", off->menu_tried);
	return ext4_edit_add_link(e, dir, OFF_GUEST_PENDING, word.p, err);
}

/* The number at the start of a text, which is dropped from it; 0: there is none. */
static unsigned take_number(struct str *s)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (!str_u64((struct str){s->p, n}, 10, INT32_MAX, &v))
		v = 0;
	*s = str_drop(*s, n);
	return (unsigned)v;
}

int off_guest_read_note(struct off_guest *off, struct off_guest_note *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf word = BUF_INIT;
	struct off_guest_note note = {.trial = TRIAL_END};
	struct str text;
	uint32_t ino;
	int rc = ext4_edit_find(off->root.edit, OFF_GUEST_PENDING_DIR "/" OFF_GUEST_PENDING, false,
	                        &ino, err);

	if (rc == 0)
		rc = ext4_edit_readlink(off->root.edit, ino, &word, err);
	text = buf_str(&word);
	if (rc == 0 && str_starts(text, PENDING_WORD)) {
		text = str_drop(text, strlen(PENDING_WORD));
		note.limit = take_number(&text);
		if (str_is(text, PENDING_KEEP))
			note.trial = TRIAL_KEEP;
		if (str_starts(text, PENDING_TRY)) {
			text = str_drop(text, strlen(PENDING_TRY));
			note.trial = TRIAL_BEGIN;
			note.tried = take_number(&text);
		}
	}
	*out = note;
	return rc;
}
