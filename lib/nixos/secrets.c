/* SPDX-License-Identifier: MIT */
#include "nixos/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/bootspec.h"

#define SCRIPT "append-initrd-secrets"
#define SCRIPT_MAX (1u << 20)

/* A script without secrets has "exit 0" in a line of its own. */
static bool does_something(struct str script)
{
	while (script.p)
		if (str_is(str_cut(&script, '\n'), "exit 0"))
			return false;
	return true;
}

/* The script that boot.json names; NULL: none, or boot.json is not understood. */
static char *named(const struct buf *text)
{
	_cleanup_(bootspec_fini) struct bootspec b = {0};
	struct err ignored = ERR_INIT;

	if (bootspec_parse(text->p ? text->p : "", text->n, &b, &ignored) < 0)
		return NULL;
	return take(&b.secrets);
}

int secrets_find(const struct root_reader *r, const char *toplevel, bool *out, struct err *err)
{
	_free_ char *path = xasprintf("%s/" SCRIPT, toplevel);
	_free_ char *spec = xasprintf("%s/boot.json", toplevel), *other = NULL;
	_cleanup_(buf_fini) struct buf script = BUF_INIT;
	_cleanup_(buf_fini) struct buf json = BUF_INIT;
	int rc = r->read(r->ctx, path, SCRIPT_MAX, &script, err);

	if (rc == 1) {
		rc = r->read(r->ctx, spec, BOOTSPEC_BYTES_MAX, &json, err);
		other = rc == 0 ? named(&json) : NULL;
		if (rc == 0)
			rc = other ? r->read(r->ctx, other, SCRIPT_MAX, &script, err) : 1;
	}
	if (rc < 0)
		return err_prefix(err, "%s", toplevel);
	*out = rc == 0 && script.p && does_something(buf_str(&script));
	return 0;
}

/* As for NixOS's installer, what cannot be run is none. */
static int read_guest(void *ctx, const char *path, size_t limit, struct buf *out, struct err *err)
{
	struct ext4_stat st;
	uint32_t ino;
	int rc = ext4_edit_find(ctx, path, true, &ino, err);

	if (rc == 0)
		rc = ext4_edit_stat(ctx, ino, &st, err);
	if (rc < 0)
		return err_absent(rc);
	if (st.type != EXT4_FT_FILE || (!str_ends(str_from(path), ".json") && !(st.mode & 0111)))
		return 1;
	return ext4_edit_read(ctx, ino, limit, out, err);
}

int secrets_in_guest(struct ext4_edit *root, const char *toplevel, bool *out, struct err *err)
{
	const struct root_reader r = {.read = read_guest, .ctx = root};

	return secrets_find(&r, toplevel, out, err);
}

static int read_files(void *ctx, const char *path, size_t limit, struct buf *out, struct err *err)
{
	return err_absent(store_files_read(ctx, path, limit, out, err));
}

int secrets_in_files(struct store_files *files, const char *toplevel, bool *out, struct err *err)
{
	const struct root_reader r = {.read = read_files, .ctx = files};

	return secrets_find(&r, toplevel, out, err);
}
