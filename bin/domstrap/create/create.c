/* SPDX-License-Identifier: MIT */
#include "create/create_work.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "image/image_writer.h"
#include "nixos/nixroot.h"
#include "store/settle.h"
#include "store/store_db.h"

/* Free space for the guest's next generations: half of the closure, at least 1 GiB. */
#define SPARE_MIN (1ull << 30)

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
	if (rc == 0)
		rc = nixos_files_check(&cr->nixos, g->opt.configuration, g->system.toplevel, g->etc,
		                       err);
	if (rc < 0)
		return rc;
	root.etc_upper = g->etc == ETC_UPPER;
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
	const char *etc = etc_place_dir(g->etc);
	int rc = build_root(cr, err);

	if (rc < 0)
		return rc;
	if (guest_is_split(g))
		cr->disks[0].tree = tree_new(0755, g->time);
	rc = menu_add(g, cr->disks[0].tree, guest_is_split(g) ? "" : "/boot", &cr->menu, err);
	if (rc < 0)
		return rc;
	rc = extra_put(&cr->extra, root_work(cr)->tree, etc ? etc : "/etc", guest_is_split(g),
	               guest_spool_dir(&g->opt), err);
	return rc < 0 ? rc
	              : host_files_put(&cr->host, root_work(cr)->tree, etc ? etc : "/etc", err);
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
	        .done_bytes = &cr->progress->bytes,
	        .done_paths = &cr->progress->paths,
	};
	memcpy(work->req.uuid, d->uuid, sizeof work->req.uuid);
	if (d->device)
		work->req.size = work->target.size;
	else if (d->size_kind == SIZE_FIXED)
		work->req.size = d->size;
	return image_plan(&work->req, &work->plan, err);
}

/* Old data that the disk may contain. */
static int look_at_old_data(struct creation *cr, size_t i, struct err *err)
{
	struct disk_work *work = &cr->disks[i];
	const struct create_options *o = &cr->guest.opt;
	struct target *t = &work->target;
	struct old_data *old = &cr->guest.disks[i].wiped;

	if (!t->in_place)
		return 0;
	*old = (struct old_data){.from = image_written_end(&work->plan, t), .to = t->size};
	return old_data_look(old, t, o->wipe, o->dry_run, err);
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

/* NARs of caches are unpacked into the image by a process in a jail. */
static int fetch_disk(struct creation *cr, struct disk_work *work, struct err *err)
{
	struct guest *g = &cr->guest;
	struct image_writer *writer;
	int rc = settle_libraries(err);

	if (rc < 0)
		return rc;
	caches_pause(g->source.caches);
	rc = image_writer_start(&work->plan, &work->target, g->dir, &writer, err);
	if (rc < 0)
		return rc;
	rc = caches_resume(g->source.caches, err);
	ui_progress_begin(cr->progress);
	if (rc == 0)
		rc = image_writer_run(writer, err);
	ui_progress_end();
	image_writer_free(writer);
	return rc;
}

static int copy_disk(struct creation *cr, struct disk_work *work, struct err *err)
{
	int rc;

	ui_progress_begin(cr->progress);
	rc = image_write(&work->plan, &work->target, err);
	ui_progress_end();
	return rc;
}

static int write_disks(struct creation *cr, struct err *err)
{
	const struct guest *g = &cr->guest;
	char size[16];
	int rc = 0;

	for (size_t i = 0; i < g->n_disks; i++) {
		const struct image_plan *plan = &cr->disks[i].plan;

		cr->progress->total_bytes += plan->store.total.bytes + plan->root.bytes;
		if (g->opt.wipe)
			cr->progress->total_bytes += g->disks[i].wiped.bytes;
	}
	if (g->source.caches)
		cr->progress->total_bytes += closure_nar_size(&g->source.closure);
	cr->progress->total_paths = g->source.n_items;
	rc = wipe_disks(cr, err);
	for (size_t i = g->n_disks; i-- && rc == 0;) { /* the disk with the menu comes first */
		struct disk_work *work = &cr->disks[i];

		if (work->req.stream)
			ui_say("fetching into %s, checking every NAR hash", work->disk->path);
		else
			ui_say("writing %s (%s)%s", work->disk->path,
			       str_human(work->plan.size, size),
			       work->req.source && g->opt.verify ? ", checking every NAR hash"
			                                         : "");
		rc = work->req.stream ? fetch_disk(cr, work, err) : copy_disk(cr, work, err);
	}
	return rc;
}

/* After a failure no device may look like a guest. */
static void withdraw(struct creation *cr)
{
	for (size_t i = 0; i < cr->guest.n_disks; i++) {
		struct disk_work *work = &cr->disks[i];
		struct err err = ERR_INIT;

		if (work->wiped && image_withdraw(&work->plan, &work->target, &err) < 0)
			ui_warn("%s; it holds an incomplete guest that cannot boot", err.text);
	}
}

static int write_guest(struct creation *cr, struct err *err)
{
	int rc = create_open_files(cr, err);

	/* Everything that can fail is done before the first write to a device. */
	if (rc == 0)
		rc = create_write_files(cr, err);
	if (rc < 0)
		return rc;
	rc = write_disks(cr, err);
	if (rc == 0)
		rc = create_publish(cr, err);
	/* Files that replaced others stay, and so do the disks that belong to them. */
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
	int rc = create_check_targets(cr, err);

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
	host_files_fini(&cr->host);
	guest_fini(&cr->guest);
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
	/* The system was built into the host's store; no other source has it. */
	return text_list_add("from", &o->source.from, "/", err);
}

/* Files for /etc must go where the guest sees them. */
static int check_etc(const struct creation *cr, struct err *err)
{
	const char *option = extra_in_etc(&cr->extra);

	if (!option)
		option = host_options_in_etc(&cr->guest.opt.host);

	if (etc_place_dir(cr->guest.etc) || !option)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: %s puts files below /etc, which in this system is %s, so the guest may "
	               "not see them; put them elsewhere, and refer to them from the configuration",
	               cr->guest.system.toplevel, option, etc_place_reason(cr->guest.etc));
}

/* The first network card has the addresses. */
static int load_host(struct creation *cr, struct err *err)
{
	struct guest *g = &cr->guest;
	const struct domain_options *d = &g->opt.domain;

	memcpy(cr->mac, g->mac, sizeof cr->mac);
	if (d->vifs.n)
		host_vif_mac(d->vifs.items[0], cr->mac);
	cr->host.mac = cr->mac[0] ? cr->mac : NULL;
	host_files_make(&cr->host);
	return host_files_check_system(&cr->host, g->source.files, g->system.toplevel, err);
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
	cr.progress = ui_progress_shared();
	ui_init(UI_NORMAL);
	rc = create_options_parse(argc, argv, &opt, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(opt.level);
	stop = ui_catch_signals();
	rc = create_check_way(&opt, &err);
	if (rc == 0)
		rc = extra_load(&opt.extra, &cr.extra, &err);
	if (rc == 0)
		rc = host_options_load(&opt.host, &cr.host, &err);
	if (rc == 0 && nix_wanted(&opt.nix))
		rc = build_system(&opt, &system, &err);
	if (rc == 0)
		rc = guest_load(&opt, stop, &cr.guest, &err);
	if (rc == 0)
		rc = extra_load_keys(&cr.extra, &err);
	if (rc == 0)
		rc = load_host(&cr, &err);
	if (rc == 0)
		rc = check_etc(&cr, &err);
	if (rc == 0)
		rc = create(&cr, stop, &err);
	creation_fini(&cr);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
