/* SPDX-License-Identifier: MIT */
#include "create.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "busy.h"
#include "command.h"
#include "image/device.h"
#include "image/nixroot.h"
#include "menu.h"
#include "nixos_files.h"
#include "store/store_db.h"

/* Room for the guest's own next steps: half of the closure, at least 1 GiB. */
#define SPARE_MIN (1ull << 30)
#define MODE_FILE 0644
#define MODE_SECRET 0600

/* The files beside the images, in the order in which they get their names. */
enum {
	FILE_KERNEL,
	FILE_INITRD,
	FILE_CFG,
	FILES,
};

/* A disk in the making. */
struct disk_work {
	const struct guest_disk *disk;
	struct tree *tree;
	struct image_request req;
	struct image_plan plan;
	struct target target;
	struct outfile file; /* where it is no device */
	bool wiped;          /* a device that has lost what it held */
};

struct creation {
	struct guest guest;
	struct buf database;
	struct nixos_files nixos;
	struct extra extra;
	struct menu menu;
	struct disk_work disks[GUEST_DISKS_MAX];
	struct outfile files[FILES];
	struct ui_progress progress;
};

static struct disk_work *root_work(struct creation *cr)
{
	return &cr->disks[cr->guest.n_disks - 1];
}

/* ---- what goes in --------------------------------------------------------- */

static int build_root(struct creation *cr, struct err *err)
{
	struct guest *g = &cr->guest;
	struct nixroot root = {
	        .toplevel = g->system.toplevel,
	        .direct = g->opt.boot == BOOT_DIRECT,
	        .schema = STR(STORE_DB_SCHEMA),
	        .channel_name = g->channel_name,
	        .time = g->time,
	};
	int rc = store_db_build(&g->source.closure, g->time, &cr->database, err);

	if (rc == 0)
		rc = nixos_files_load(&g->opt.nix, g->opt.configuration, &cr->nixos, err);
	if (rc < 0)
		return rc;
	root.etc_nixos = cr->nixos.v;
	root.n_etc_nixos = cr->nixos.n;
	root.database = buf_str(&cr->database);
	if (g->channel_name)
		root.channel_url = g->channel_copy ? g->channel_copy : g->channel_url;
	root_work(cr)->tree = nixroot_tree(&root);
	return 0;
}

/* The menu goes to /boot on the root, or to the top of a boot disk. */
static int build_trees(struct creation *cr, struct err *err)
{
	struct guest *g = &cr->guest;
	int rc = build_root(cr, err);

	if (rc < 0)
		return rc;
	if (guest_is_split(g))
		cr->disks[0].tree = tree_new(0755, g->time);
	rc = menu_add(g, cr->disks[0].tree, guest_is_split(g) ? "" : "/boot", &cr->menu, err);
	if (rc < 0)
		return rc;
	return extra_put(&cr->extra, root_work(cr)->tree, guest_is_split(g),
	                 guest_spool_dir(&g->opt), err);
}

static int plan_disk(struct creation *cr, size_t i, const atomic_bool *stop, struct err *err)
{
	struct guest *g = &cr->guest;
	struct disk_work *work = &cr->disks[i];
	const struct guest_disk *d = &g->disks[i];
	uint64_t half = closure_nar_size(&g->source.closure) / 2;
	bool root = d == guest_root(g);

	work->disk = d;
	work->req = (struct image_request){
	        .name = d->path,
	        .source = root && g->source.store ? &g->source.trees : NULL,
	        .stream = root && g->source.caches ? &g->source.stream : NULL,
	        .spool_dir = g->dir,
	        .root = work->tree,
	        .label = d->label,
	        .time = g->time,
	        .spare = d->size_kind == SIZE_FREE ? d->size : MAX(half, SPARE_MIN),
	        .partitioned = d->partitioned,
	        .disk_id = g->disk_id,
	        .threads = g->opt.threads,
	        .verify = g->opt.verify,
	        .wipe = g->opt.wipe,
	        .stop = stop,
	        .done_bytes = &cr->progress.bytes,
	        .done_paths = &cr->progress.paths,
	};
	memcpy(work->req.uuid, d->uuid, sizeof work->req.uuid);
	if (d->device)
		work->req.size = work->target.size;
	else if (d->size_kind == SIZE_FIXED)
		work->req.size = d->size;
	return image_plan(&work->req, &work->plan, err);
}

/* ---- where it goes -------------------------------------------------------- */

static const char *file_suffix(const struct creation *cr, int i)
{
	const struct guest *g = &cr->guest;
	bool copies = g->opt.boot == BOOT_DIRECT && !g->opt.kernel;

	switch (i) {
	case FILE_KERNEL:
		return !copies || !g->kernel ? NULL : ".kernel";
	case FILE_INITRD:
		return !copies || !g->initrd ? NULL : ".initrd";
	default:
		return ".cfg";
	}
}

/* Nobody else's, says the kernel of a device; of a file it does not know. */
static int open_disk(struct target *t, char *path, const struct create_options *o, struct err *err)
{
	int rc = target_open_in_place(t, path, o->clone, err);

	if (rc == 0 && !t->is_device)
		rc = busy_check(&path, 1, err);
	if (rc == 0 && !o->force)
		rc = device_check_empty(t->fd, path, err);
	return rc;
}

/* A new file would be its owner's alone. */
static void warn_of_readers(const struct target *t)
{
	struct stat st;

	if (fstat(t->fd, &st) == 0 && st.st_mode & (S_IRWXG | S_IRWXO))
		ui_warn("%s: will hold secrets, and has mode %03o; chmod 600 keeps other users out",
		        t->name, (unsigned)(st.st_mode & 0777));
}

static int check_target(struct creation *cr, size_t i, struct err *err)
{
	const struct guest *g = &cr->guest;
	struct guest_disk *d = &cr->guest.disks[i];
	struct target *t = &cr->disks[i].target;
	_free_ char *name = xasprintf("%s%s", g->opt.name, d->suffix);
	int rc;

	if (!d->device)
		return outfile_check(g->dir, name, g->opt.force, err);
	rc = open_disk(t, d->path, &g->opt, err);
	d->in_place = rc == 0 && !t->is_device;
	if (d->in_place && extra_is_secret(&cr->extra))
		warn_of_readers(t);
	return rc;
}

/* Everything that would be in the way, before any work is done. */
static int check_targets(struct creation *cr, struct err *err)
{
	const struct guest *g = &cr->guest;
	int rc = 0;

	for (size_t i = 0; i < g->n_disks && rc == 0; i++)
		rc = check_target(cr, i, err);
	for (int i = 0; i < FILES && rc == 0; i++) {
		const char *suffix = file_suffix(cr, i);
		_free_ char *name = suffix ? xasprintf("%s%s", g->opt.name, suffix) : NULL;

		if (name)
			rc = outfile_check(g->dir, name, g->opt.force, err);
	}
	return rc;
}

static int open_disk_file(struct creation *cr, struct disk_work *work, struct err *err)
{
	const struct guest *g = &cr->guest;
	_free_ char *name = xasprintf("%s%s", g->opt.name, work->disk->suffix);
	mode_t mode = extra_is_secret(&cr->extra) ? MODE_SECRET : MODE_FILE;
	int rc;

	if (work->disk->device)
		return 0;
	rc = outfile_open(&work->file, g->dir, name, mode, err);
	if (rc < 0)
		return rc;
	return target_from_file(&work->target, work->file.fd, work->disk->path, g->opt.clone, err);
}

static int open_files(struct creation *cr, struct err *err)
{
	const struct guest *g = &cr->guest;
	int rc = 0;

	for (size_t i = 0; i < g->n_disks && rc == 0; i++)
		rc = open_disk_file(cr, &cr->disks[i], err);
	for (int i = 0; i < FILES && rc == 0; i++) {
		const char *suffix = file_suffix(cr, i);
		_free_ char *name = suffix ? xasprintf("%s%s", g->opt.name, suffix) : NULL;

		if (name)
			rc = outfile_open(&cr->files[i], g->dir, name, MODE_FILE, err);
	}
	return rc;
}

/* A file of the store to one beside the image. */
static int copy_file(struct guest *g, const char *from, struct outfile *to, struct err *err)
{
	_close_ int fd = -1;
	char piece[65536];
	uint64_t size;
	size_t got;
	int rc = store_files_open(g->source.files, from, &fd, &size, err);

	if (rc < 0)
		return rc;
	if (ioctl(to->fd, FICLONE, fd) == 0)
		return io_sync(to->fd, to->path, err);
	do {
		rc = io_read(fd, from, piece, sizeof piece, &got, err);
		if (rc == 0)
			rc = io_write(to->fd, to->path, piece, got, err);
		if (rc < 0)
			return rc;
	} while (got == sizeof piece);
	return io_sync(to->fd, to->path, err);
}

static int write_small_files(struct creation *cr, struct err *err)
{
	struct guest *g = &cr->guest;
	struct buf cfg = BUF_INIT;
	int rc = 0;

	if (cr->files[FILE_KERNEL].fd >= 0)
		rc = copy_file(g, g->system.kernel, &cr->files[FILE_KERNEL], err);
	if (rc == 0 && cr->files[FILE_INITRD].fd >= 0)
		rc = copy_file(g, g->system.initrd, &cr->files[FILE_INITRD], err);
	if (rc < 0)
		return rc;
	guest_config(g, &cfg);
	rc = io_write(cr->files[FILE_CFG].fd, cr->files[FILE_CFG].path, cfg.p, cfg.n, err);
	if (rc == 0)
		rc = io_sync(cr->files[FILE_CFG].fd, cr->files[FILE_CFG].path, err);
	buf_fini(&cfg);
	return rc;
}

/*
 * All or none, as far as a file system lets us: new names are taken back. They
 * come at once, and are synced together: they are in one directory.
 */
static int publish(struct creation *cr, struct err *err)
{
	bool force = cr->guest.opt.force;
	struct outfile *all[FILES + GUEST_DISKS_MAX];
	size_t n = 0, done = 0;
	bool devices = false;
	int rc = 0;

	for (size_t i = 0; i < cr->guest.n_disks; i++) {
		all[n++] = &cr->disks[i].file;
		devices |= cr->guest.disks[i].device != NULL;
	}
	for (size_t i = 0; i < FILES; i++)
		all[n++] = &cr->files[i];
	/* A device that is valid now wants its config. */
	if (ui_signal() && !devices)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	for (; done < n && rc == 0; done++)
		if (all[done]->fd >= 0)
			rc = outfile_publish(all[done], force, err);
	if (rc == 0)
		rc = outfile_sync_dir(&cr->files[FILE_CFG], err);
	if (rc < 0 && !force)
		while (done--)
			outfile_unpublish(all[done]);
	return rc;
}

/* What may be left of a former tenant. */
static int look_at_old_data(struct creation *cr, size_t i, struct err *err)
{
	struct disk_work *work = &cr->disks[i];
	const struct create_options *o = &cr->guest.opt;
	struct target *t = &work->target;

	if (!t->in_place)
		return 0;
	return old_data_look(t, image_written_end(&work->plan, t), t->size, o->wipe, o->dry_run,
	                     &cr->guest.disks[i].wiped, err);
}

/* ---- the command ---------------------------------------------------------- */

/*
 * All devices lose what they held before the first gets anything new, and the disk with the menu
 * is written last: at no moment does a menu lead to another guest's root.
 */
static int wipe_disks(struct creation *cr, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < cr->guest.n_disks && rc == 0; i++)
		rc = image_check_target(&cr->disks[i].plan, &cr->disks[i].target, err);
	for (size_t i = 0; i < cr->guest.n_disks && rc == 0; i++) {
		struct disk_work *work = &cr->disks[i];

		work->wiped = work->target.in_place;
		if (work->wiped)
			rc = image_wipe(&work->plan, &work->target, err);
	}
	return rc;
}

static int write_disks(struct creation *cr, struct err *err)
{
	const struct guest *g = &cr->guest;
	char size[16];
	int rc = 0;

	for (size_t i = 0; i < g->n_disks; i++) {
		const struct image_plan *plan = &cr->disks[i].plan;

		cr->progress.total_bytes += plan->store.total.bytes + plan->root.bytes;
		if (g->opt.wipe)
			cr->progress.total_bytes += g->disks[i].wiped.bytes;
	}
	if (g->source.caches)
		cr->progress.total_bytes += closure_nar_size(&g->source.closure);
	cr->progress.total_paths = g->source.n_items;
	rc = wipe_disks(cr, err);
	for (size_t i = g->n_disks; i-- && rc == 0;) { /* the menu's is the first */
		struct disk_work *work = &cr->disks[i];

		if (work->req.stream)
			ui_say("fetching into %s, checking every NAR hash", work->disk->path);
		else
			ui_say("writing %s (%s)%s", work->disk->path,
			       str_human(work->plan.size, size),
			       work->req.source && g->opt.verify ? ", checking every NAR hash"
			                                         : "");
		ui_progress_begin(&cr->progress);
		rc = image_write(&work->plan, &work->target, err);
		ui_progress_end();
	}
	return rc;
}

/* What a failure leaves on devices must not look like a guest. */
static void withdraw(struct creation *cr)
{
	for (size_t i = 0; i < cr->guest.n_disks; i++) {
		struct disk_work *work = &cr->disks[i];
		struct err err = ERR_INIT;

		if (work->wiped && image_withdraw(&work->plan, &work->target, &err) < 0)
			ui_warn("%s; it holds part of a guest that does not boot", err.text);
	}
}

static int write_guest(struct creation *cr, struct err *err)
{
	int rc = open_files(cr, err);

	/* What may fail comes before the first write to a device. */
	if (rc == 0)
		rc = write_small_files(cr, err);
	if (rc < 0)
		return rc;
	rc = write_disks(cr, err);
	if (rc == 0)
		rc = publish(cr, err);
	/* Files that replaced others stay, and so do their disks. */
	if (rc < 0 && !cr->files[FILE_CFG].published)
		withdraw(cr);
	return rc;
}

static void report(const struct creation *cr)
{
	struct image_plan plans[GUEST_DISKS_MAX];

	for (size_t i = 0; i < cr->guest.n_disks; i++)
		plans[i] = cr->disks[i].plan;
	guest_report(&cr->guest, plans);
}

static int create(struct creation *cr, const atomic_bool *stop, struct err *err)
{
	struct guest *g = &cr->guest;
	char bytes[16];
	int rc = check_targets(cr, err);

	if (rc < 0)
		return rc;
	ui_say("%s: %zu store paths, %s", g->system.toplevel, g->source.closure.n,
	       str_human(closure_nar_size(&g->source.closure), bytes));
	rc = build_trees(cr, err);
	for (size_t i = 0; i < g->n_disks && rc == 0; i++)
		rc = plan_disk(cr, i, stop, err);
	for (size_t i = 0; i < g->n_disks && rc == 0; i++)
		rc = look_at_old_data(cr, i, err);
	if (rc == 0 && !g->opt.dry_run)
		rc = write_guest(cr, err);
	if (rc == 0)
		report(cr);
	return rc;
}

static void creation_init(struct creation *cr)
{
	for (size_t i = 0; i < GUEST_DISKS_MAX; i++) {
		cr->disks[i].target = (struct target)TARGET_INIT;
		cr->disks[i].file = (struct outfile)OUTFILE_INIT;
	}
	for (size_t i = 0; i < FILES; i++)
		cr->files[i] = (struct outfile)OUTFILE_INIT;
}

static void creation_fini(struct creation *cr)
{
	for (size_t i = 0; i < GUEST_DISKS_MAX; i++) {
		struct disk_work *work = &cr->disks[i];

		outfile_fini(&work->file);
		target_fini(&work->target);
		image_plan_fini(&work->plan);
		tree_free(work->tree);
	}
	for (size_t i = 0; i < FILES; i++)
		outfile_fini(&cr->files[i]);
	menu_fini(&cr->menu);
	buf_fini(&cr->database);
	nixos_files_fini(&cr->nixos);
	extra_fini(&cr->extra);
	guest_fini(&cr->guest);
}

static int check_device(const struct create_options *o, const char *path, struct err *err)
{
	struct target t = TARGET_INIT;
	_free_ char *copy = xstrdup(path);
	int rc = open_disk(&t, copy, o, err);

	target_fini(&t);
	return rc;
}

/*
 * What would be in the way: to be known before a build that takes hours, or a
 * question to a cache. check_targets() looks again, once the system is known.
 */
static int check_way(const struct create_options *o, struct err *err)
{
	bool split = o->layout == LAYOUT_SPLIT, copies = o->boot == BOOT_DIRECT && !o->kernel;
	const char *const suffixes[] = {
	        ".cfg",
	        o->disk ? NULL
	        : split ? "-root.img"
	                : ".img",
	        split && !o->boot_disk ? "-boot.img" : NULL,
	        copies ? ".kernel" : NULL,
	        copies ? ".initrd" : NULL,
	};
	const char *const devices[] = {o->disk, o->boot_disk};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(suffixes) && rc == 0; i++) {
		_free_ char *name = suffixes[i] ? xasprintf("%s%s", o->name, suffixes[i]) : NULL;

		if (name)
			rc = outfile_check(o->output, name, o->force, err);
	}
	for (size_t i = 0; i < ARRAY_LEN(devices) && rc == 0; i++)
		if (devices[i])
			rc = check_device(o, devices[i], err);
	return rc;
}

/* --config and --flake: the system, and a link beside the image that keeps it. */
static int build_system(struct create_options *o, char **system, struct err *err)
{
	_free_ char *link = xasprintf("%s/%s.system", o->output, o->name);
	struct nix_request req = {
	        .opt = &o->nix,
	        .name = o->name,
	        .link = link,
	        .dry_run = o->dry_run,
	        .level = o->level,
	};
	int rc = nix_build_guest(&req, system, err);

	if (rc < 0)
		return rc;
	o->system = *system;
	/* It is in the host's store, and nowhere else. */
	return text_list_add("from", &o->source.from, "/", err);
}

/* Whose /etc is an overlay does not see what lies in the root's own. */
static int check_etc(const struct creation *cr, struct err *err)
{
	const char *option = extra_in_etc(&cr->extra);

	if (!cr->guest.system.etc_overlay || !option)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: %s puts files below /etc, and this system's /etc is an overlay "
	               "(system.etc.overlay), which hides them; put them elsewhere, and let the "
	               "configuration name them there",
	               cr->guest.system.toplevel, option);
}

int cmd_create(int argc, char **argv)
{
	struct creation cr = {0};
	struct create_options opt;
	struct err err = ERR_INIT;
	const atomic_bool *stop;
	_free_ char *system = NULL;
	int rc;

	creation_init(&cr);
	ui_init(UI_NORMAL);
	rc = create_options_parse(argc, argv, &opt, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(opt.level);
	stop = ui_catch_signals();
	rc = check_way(&opt, &err);
	if (rc == 0)
		rc = extra_load(&opt.extra, &cr.extra, &err);
	if (rc == 0 && nix_wanted(&opt.nix))
		rc = build_system(&opt, &system, &err);
	if (rc == 0)
		rc = guest_load(&opt, stop, &cr.guest, &err);
	if (rc == 0)
		rc = check_etc(&cr, &err);
	if (rc == 0)
		rc = create(&cr, stop, &err);
	creation_fini(&cr);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
