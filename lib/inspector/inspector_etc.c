/* SPDX-License-Identifier: MIT */
/*
 * A system whose /etc is an overlay (system.etc.overlay): what it is made of.
 *
 *     "etcMissing": text      a part that is not there; none where all are, or it is no such system
 *
 * boot.json names the parts, one or both; in NixOS before nixos-init they are links in the system.
 */
#include <string.h>

#include "base/mem.h"
#include "inspector/inspector_child.h"
#include "nix/bootspec.h"

/* The parts that boot.json names, if it exists and we understand it. */
static int load_spec(const struct root_reader *r, const char *top, struct bootspec *out,
                     struct err *err)
{
	_free_ char *path = xasprintf("%s/boot.json", top);
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = r->read(r->ctx, path, BOOTSPEC_BYTES_MAX, &text, err);

	if (rc == 0)
		rc = bootspec_parse(text.p ? text.p : "", text.n, out, err);
	/* As in guest_system.c: a boot.json that we do not understand is not an error. */
	if (rc == -ERR_FORMAT || rc == -ERR_UNSUPPORTED)
		rc = 0;
	return rc < 0 ? rc : 0;
}

int inspector_etc(const struct root_reader *r, const char *init, json_t *o, struct err *err)
{
	_cleanup_(bootspec_fini) struct bootspec b = {0};
	const char *slash = strrchr(init, '/');
	_free_ char *top = slash ? xstrndup(init, (size_t)(slash - init)) : NULL;
	_free_ char *dir = NULL, *image = NULL;
	bool linked;
	int no_dir, no_image;
	int rc = top && *top ? load_spec(r, top, &b, err) : 1;

	if (rc)
		return rc < 0 ? rc : 0;
	linked = !b.etc_basedir && !b.etc_image;
	dir = linked ? xasprintf("%s/etc-basedir", top) : take(&b.etc_basedir);
	image = linked ? xasprintf("%s/etc-metadata-image", top) : take(&b.etc_image);
	no_dir = dir ? r->exists(r->ctx, dir, err) : 0;
	no_image = no_dir < 0 ? no_dir : image ? r->find(r->ctx, image, err) : 0;
	if (no_image < 0)
		return no_image;
	if ((no_dir || no_image) && !(linked && no_dir && no_image))
		inspector_set(o, "etcMissing", no_dir ? dir : image);
	return 0;
}
