/* SPDX-License-Identifier: MIT */
#include "inspector/etc_place.h"

#include "base/mem.h"
#include "inspector/inspector.h"
#include "inspector/inspector_child.h"
#include "nixos/nixroot.h"

const char *etc_place_dir(enum etc_place place)
{
	return place == ETC_PLAIN ? "/etc" : place == ETC_UPPER ? NIXROOT_ETC_UPPER : NULL;
}

const char *etc_place_reason(enum etc_place place)
{
	return place == ETC_NOWHERE
	               ? "a read-only overlay (system.etc.overlay.mutable is false)"
	               : "an overlay (system.etc.overlay), and its initrd does not say "
	                 "whether it is mutable";
}

static int open_initrd(struct store_files *files, const char *from_system, const char *from_host,
                       struct disk_spec *out, struct err *err)
{
	if (from_host)
		return disk_spec_open(from_host, out, err);
	*out = (struct disk_spec){.sector = 512, .name = from_system};
	return store_files_open(files, from_system, &out->fd, &out->size, err);
}

#define INITRD_MAX (512u << 20)

static enum etc_place judge(const json_t *system)
{
	if (inspector_true(system, "etcWritable"))
		return ETC_UPPER;
	if (inspector_true(system, "etcMounted") && !*inspector_text(system, "initrdTrouble"))
		return ETC_NOWHERE;
	return ETC_UNKNOWN;
}

int etc_place_inside(struct store_files *files, const struct nixos_system *s, enum etc_place *out,
                     struct err *err)
{
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct source_mem src;
	struct window w;
	json_t *system;
	int rc;

	*out = s->etc_overlay ? ETC_UNKNOWN : ETC_PLAIN;
	if (!s->etc_overlay || !s->initrd)
		return 0;
	rc = store_files_read(files, s->initrd, INITRD_MAX, &bytes, err);
	if (rc < 0)
		return rc;
	source_mem_init(&src, bytes.p, bytes.n);
	w = window_over(&src.src, bytes.n, s->initrd);
	system = json_object();
	inspector_initrd(&w, system);
	*out = judge(system);
	json_decref(system);
	return 0;
}

int etc_place_find(struct store_files *files, const struct nixos_system *s, const char *initrd,
                   enum etc_place *out, struct err *err)
{
	_cleanup_(inspector_close) struct inspector_disks disks = {.n = 0};
	struct disk_spec *spec = &disks.host[INSPECTOR_HOST_INITRD];
	const json_t *system;
	json_t *seen = NULL;
	int rc;

	*out = s->etc_overlay ? ETC_UNKNOWN : ETC_PLAIN;
	if (!s->etc_overlay || (!s->initrd && !initrd))
		return 0;
	rc = open_initrd(files, s->initrd, initrd, spec, err);
	if (rc < 0) {
		spec->name = NULL;
		return rc;
	}
	rc = inspector_run(&disks, INSPECTOR_INITRD, &seen, err);
	if (rc < 0)
		return rc;
	system = json_object_get(json_object_get(seen, "direct"), "system");
	*out = judge(system);
	json_decref(seen);
	return 0;
}
