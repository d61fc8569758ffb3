/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/mem.h"
#include "disk/mbr.h"
#include "ext4/ext4_finish.h"
#include "ext4/wipe.h"
#include "image/image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
#define MBR_SECTORS_MAX UINT32_MAX
/* Where signatures of other file systems and tables may stand, at both ends. */
#define WIPE (1u << 20)

/* The root directory gets what the file system itself wants in it. */
static void complete_root(struct tree *root, bool store)
{
	tree_handle(root, "/", EXT4_ROOT_INO);
	tree_dir(root, "/lost+found", 0700, 0, 0);
	tree_handle(root, "/lost+found", EXT4_LOST_FOUND_INO);
	if (!store)
		return;
	tree_handle(root, "/nix", NIX_INO);
	tree_graft(root, "/nix/store", STORE_INO, WALK_DIR);
}

static int count_root(const struct image_request *req, struct image_plan *plan, struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = tree_walk(req->root);
	_cleanup_(ext4_counter_freep) struct ext4_counter *c = ext4_counter_new(&plan->ids);

	return ext4_count_tree(c, walk, &plan->root, err);
}

static bool has_store(const struct image_request *req)
{
	return req->source || req->stream;
}

/* The first inode number that is not fixed. */
static uint32_t first_ino(const struct image_request *req)
{
	return has_store(req) ? ITEMS_INO : EXT4_FIRST_INO;
}

/* Of the whole image: what the user says with --size. */
static int too_small(const struct ext4_need *need, const struct image_plan *plan, struct err *err)
{
	const uint64_t mib = 1 << 20;
	struct ext4_layout least;
	char have[16];
	int rc = ext4_layout_auto(need, 0, &least, err);

	if (rc < 0)
		return rc;
	rc = err_set(
	        err, ERR_SPACE, "%s is too small; %llu MiB are needed", str_human(plan->size, have),
	        (unsigned long long)((plan->base + least.blocks * EXT4_BLOCK + mib - 1) / mib));
	ext4_layout_fini(&least);
	return rc;
}

/* A size that was given: whether the table can say it. */
static int check_size(const struct image_request *req, struct image_plan *plan, struct err *err)
{
	char have[16];

	plan->size = req->size / SECTOR * SECTOR;
	if (!req->partitioned || plan->size / SECTOR <= MBR_SECTORS_MAX)
		return 0;
	return err_set(err, ERR_LIMIT,
	               "%s: %s is over the limit of an MBR, 2 TiB; use --layout split", req->name,
	               str_human(plan->size, have));
}

/* The layout for a need; the size of the image follows. */
static int lay_out(const struct image_request *req, const struct ext4_need *need,
                   struct image_plan *plan, struct err *err)
{
	int rc;

	if (!req->size) {
		rc = ext4_layout_auto(need, req->spare, &plan->layout, err);
		plan->size = plan->base + plan->layout.blocks * EXT4_BLOCK;
	} else {
		rc = check_size(req, plan, err);
		if (rc < 0)
			return rc;
		rc = ext4_layout_fixed(need, plan->size > plan->base ? plan->size - plan->base : 0,
		                       &plan->layout, err);
		if (rc == -ERR_SPACE)
			rc = too_small(need, plan, err);
	}
	return rc < 0 ? err_prefix(err, "%s", req->name) : 0;
}

static int lay_out_counted(const struct image_request *req, struct image_plan *plan,
                           struct err *err)
{
	struct ext4_need need = {
	        .line_blocks = plan->store.total.blocks + plan->root.blocks,
	        .inodes = first_ino(req) - 1 + plan->store.total.inodes + plan->root.inodes,
	};
	uint64_t store_blocks;
	int rc;

	if (req->source) {
		rc = store_dir_blocks(req->source, &plan->ids, &store_blocks, err);
		if (rc < 0)
			return rc;
		need.line_blocks += store_blocks;
	}
	return lay_out(req, &need, plan, err);
}

/* An object takes more room on the disk than in its NAR, so these must fit. */
static int check_nars(const struct image_request *req, struct image_plan *plan, struct err *err)
{
	char have[16], want[16];
	uint64_t sum = 0;
	int rc;

	if (!req->size)
		return 0;
	rc = check_size(req, plan, err);
	for (size_t i = 0; i < req->stream->n; i++)
		sum += req->stream->items[i].nar_size;
	if (rc < 0 || sum < plan->size)
		return rc;
	return err_set(err, ERR_SPACE, "%s: %s is too small for NARs of %s", req->name,
	               str_human(plan->size, have), str_human(sum, want));
}

int image_plan(const struct image_request *req, struct image_plan *out, struct err *err)
{
	struct image_plan plan = {.req = req, .base = req->partitioned ? IMAGE_PART_START : 0};
	int rc = 0;

	ext4_ids_init(&plan.ids, req->uuid);
	complete_root(req->root, has_store(req));
	if (req->source)
		rc = store_plan_make(req->source, &plan.ids, req->threads, req->stop, &plan.store,
		                     err);
	if (rc == 0)
		rc = count_root(req, &plan, err);
	if (rc == 0)
		rc = req->stream ? check_nars(req, &plan, err) : lay_out_counted(req, &plan, err);
	if (rc < 0) {
		image_plan_fini(&plan);
		return rc;
	}
	*out = plan;
	return 0;
}

void image_plan_fini(struct image_plan *plan)
{
	store_plan_fini(&plan->store);
	ext4_layout_fini(&plan->layout);
}

/* ---- writing -------------------------------------------------------------- */

/* Zero a stretch of the line. */
static int zero_line(const struct image_plan *plan, struct target *t, uint64_t line, uint64_t n,
                     struct err *err)
{
	int rc = 0;

	while (n && rc == 0) {
		uint64_t run, phys = ext4_line_block(plan->layout.gdt_area, line, &run);

		run = MIN(run, n);
		rc = target_zero(t, plan->base + phys * EXT4_BLOCK, run * EXT4_BLOCK, err);
		line += run;
		n -= run;
	}
	return rc;
}

/* Old bytes: take away what makes them a disk or a file system. */
int image_wipe(const struct image_plan *plan, struct target *t, struct err *err)
{
	uint64_t wipe = MIN((uint64_t)WIPE, t->size / EXT4_BLOCK * EXT4_BLOCK);
	int rc = target_zero(t, 0, wipe, err);

	if (rc == 0)
		rc = target_zero(t, plan->base, wipe, err);
	if (rc == 0)
		rc = target_zero(t, (t->size - wipe) / EXT4_BLOCK * EXT4_BLOCK, wipe, err);
	return rc < 0 ? rc : target_sync(t, err);
}

uint64_t image_written_end(const struct image_plan *plan, const struct target *t)
{
	uint64_t run, end = plan->base;

	if (plan->req->stream)
		for (size_t i = 0; i < plan->req->stream->n; i++)
			end += plan->req->stream->items[i].nar_size;
	else
		end += EXT4_BLOCK *
		       ext4_line_block(plan->layout.gdt_area, plan->layout.line_blocks, &run);
	return MIN(end, t->size);
}

/* All of a target but the data: of that every block was written, or will be. */
static int wipe_rest(const struct image_plan *plan, struct target *t, struct err *err)
{
	const struct ext4_layout *lay = &plan->layout;
	struct wipe_watch watch = {.stop = plan->req->stop, .done = plan->req->done_bytes};
	uint64_t pos = 0;
	int rc = 0;

	for (uint64_t line = 0, run; line < lay->line_blocks && rc == 0; line += run) {
		uint64_t at = ext4_line_block(lay->gdt_area, line, &run);

		at = plan->base + at * EXT4_BLOCK;
		run = MIN(run, lay->line_blocks - line);
		rc = wipe(t, pos, at - pos, &watch, err);
		pos = at + run * EXT4_BLOCK;
	}
	return rc < 0 ? rc : wipe(t, pos, t->size - pos, &watch, err);
}

/* Behind the data: what ext4 expects to be zero (inode tables, the journal). */
static int prepare_tail(const struct image_plan *plan, struct target *t, struct err *err)
{
	const struct ext4_layout *lay = &plan->layout;

	if (t->in_place && plan->req->wipe)
		return wipe_rest(plan, t, err);
	if (t->in_place)
		return zero_line(plan, t, lay->line_blocks,
		                 lay->line_used - lay->line_blocks + lay->journal_blocks, err);
	if (ftruncate(t->fd, (off_t)plan->size) < 0)
		return err_sys(err, errno, "%s: cannot set its size to %llu bytes", t->name,
		               (unsigned long long)plan->size);
	return 0;
}

/* From *next on, which is moved behind it. */
static int put_root(struct ext4_writer *w, const struct image_plan *plan, struct ext4_place *next,
                    struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = tree_walk(plan->req->root);
	_cleanup_(ext4_stream_freep) struct ext4_stream *s = ext4_stream_new(w);
	struct ext4_object obj;
	int rc;

	ext4_stream_start(s, next->line, next->ino);
	rc = ext4_stream_tree(s, walk, EXT4_ROOT_INO, NULL, &obj, err);
	if (rc == 0)
		rc = ext4_stream_flush(s, err);
	*next = ext4_stream_place(s);
	return rc;
}

static int put_mbr(const struct image_plan *plan, struct target *t, struct err *err)
{
	struct mbr mbr = {.disk_id = plan->req->disk_id};
	uint8_t sector[MBR_SIZE];
	int rc;

	mbr.entry[0] = (struct mbr_entry){
	        .type = MBR_TYPE_LINUX,
	        .start = (uint32_t)(plan->base / SECTOR),
	        .sectors = (uint32_t)((plan->size - plan->base) / SECTOR),
	};
	rc = mbr_format(&mbr, sector, err);
	return rc < 0 ? rc : target_write_small(t, sector, sizeof sector, 0, err);
}

int image_withdraw(const struct image_plan *plan, struct target *t, struct err *err)
{
	int rc = target_zero(t, plan->base, EXT4_BLOCK, err);

	if (rc == 0)
		rc = target_zero(t, 0, EXT4_BLOCK, err);
	return rc < 0 ? rc : target_sync(t, err);
}

/* The superblock and the table, once all that they lead to is on the disk. */
static int make_valid(const struct image_plan *plan, struct target *t, const uint8_t first[4096],
                      struct err *err)
{
	const atomic_bool *stop = plan->req->stop;
	int rc = target_sync(t, err);

	if (rc == 0 && stop && atomic_load(stop))
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (rc == 0)
		rc = target_write_small(t, first, EXT4_BLOCK, plan->base, err);
	if (rc == 0 && plan->base)
		rc = put_mbr(plan, t, err);
	if (rc == 0)
		rc = target_sync(t, err);
	return rc;
}

/* next: the first free block and inode. */
static struct ext4_final final_of(const struct image_request *req, const struct ext4_place *next)
{
	return (struct ext4_final){.label = req->label,
	                           .time = req->time,
	                           .line = next->line,
	                           .inodes = next->ino - 1};
}

static int write_all(struct image_plan *plan, struct ext4_writer *w, struct err *err)
{
	const struct image_request *req = plan->req;
	struct store_fill_options opt = {.threads = req->threads,
	                                 .verify = req->verify,
	                                 .paths = req->done_paths,
	                                 .mtime = req->time};
	struct ext4_place next = {.ino = first_ino(req)};
	struct ext4_final fin;
	uint8_t first[EXT4_BLOCK];
	int rc = 0;

	if (req->source)
		rc = store_fill(w, req->source, &plan->store, &opt, &next, err);
	if (rc == 0)
		rc = put_root(w, plan, &next, err);
	if (rc < 0)
		return rc;
	fin = final_of(req, &next);
	if (fin.line != plan->layout.line_blocks)
		return err_set(err, ERR_MISMATCH, "%s: %llu blocks were written, %llu planned",
		               req->name, (unsigned long long)fin.line,
		               (unsigned long long)plan->layout.line_blocks);
	rc = ext4_finish(w, &fin, first, err);
	return rc < 0 ? rc : make_valid(plan, w->target, first, err);
}

static int write_counted(struct image_plan *plan, struct target *target, struct err *err)
{
	struct ext4_writer w;
	int rc = prepare_tail(plan, target, err);

	if (rc < 0)
		return rc;
	ext4_writer_init(&w, target, plan->base, &plan->ids, &plan->layout);
	w.stop = plan->req->stop;
	w.done = plan->req->done_bytes;
	w.streams = plan->req->threads;
	rc = write_all(plan, &w, err);
	ext4_writer_fini(&w);
	return rc;
}

/* All data is on the disk: what comes behind it. */
static int close_streamed(struct image_plan *plan, struct ext4_writer *w,
                          const struct ext4_final *fin, struct err *err)
{
	struct ext4_need need = {.line_blocks = fin->line, .inodes = fin->inodes};
	uint8_t first[EXT4_BLOCK];
	int rc = lay_out(plan->req, &need, plan, err);

	if (rc == 0)
		rc = prepare_tail(plan, w->target, err);
	if (rc == 0)
		rc = ext4_writer_settle(w, &plan->layout, fin->inodes, err);
	if (rc == 0)
		rc = ext4_finish(w, fin, first, err);
	return rc < 0 ? rc : make_valid(plan, w->target, first, err);
}

/* As write_all(), with the layout last. */
static int write_streamed(struct image_plan *plan, struct target *target, struct err *err)
{
	const struct image_request *req = plan->req;
	uint64_t room = plan->size > plan->base ? plan->size - plan->base : 0;
	struct stream_fill_options opt = {.threads = req->threads,
	                                  .spool = req->spool[1],
	                                  .line_max = room / EXT4_BLOCK,
	                                  .paths = req->done_paths,
	                                  .bytes = req->done_bytes,
	                                  .mtime = req->time};
	struct ext4_place next = {0};
	struct ext4_final fin;
	struct ext4_writer w;
	int rc;

	ext4_writer_init_open(&w, target, plan->base, &plan->ids, ext4_gdt_area(room),
	                      req->spool[0]);
	w.stop = req->stop;
	w.streams = req->threads;
	rc = stream_fill(&w, req->stream, &opt, &plan->store, &next, err);
	if (rc == -ERR_SPACE)
		err_prefix(err, "%s", req->name);
	if (rc == 0)
		rc = put_root(&w, plan, &next, err);
	fin = final_of(req, &next);
	if (rc == 0)
		rc = close_streamed(plan, &w, &fin, err);
	ext4_writer_fini(&w);
	return rc;
}

int image_check_target(const struct image_plan *plan, const struct target *target, struct err *err)
{
	if (target->in_place && target->size < plan->size)
		return err_set(err, ERR_SPACE, "%s: has %llu bytes, but the image needs %llu",
		               target->name, (unsigned long long)target->size,
		               (unsigned long long)plan->size);
	/* A guest would look for the partition elsewhere. */
	if (plan->base && target->is_device && target->sector != SECTOR)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: has sectors of %u bytes; a partition table requires %u; use "
		               "--layout split, which has none",
		               target->name, target->sector, SECTOR);
	return 0;
}

int image_write(struct image_plan *plan, struct target *target, struct err *err)
{
	return plan->req->stream ? write_streamed(plan, target, err)
	                         : write_counted(plan, target, err);
}
