/* SPDX-License-Identifier: MIT */
#include "secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/bootspec.h"

#define SCRIPT "append-initrd-secrets"
#define SCRIPT_MAX (1u << 20)

/* Where it has nothing to add, "exit 0" stands in a line of its own. */
static bool does_something(struct str script)
{
	while (script.p)
		if (str_is(str_cut(&script, '\n'), "exit 0"))
			return false;
	return true;
}

/* boot.json's word; NULL: none, or none that we understand. */
static char *named(const struct buf *text)
{
	_cleanup_(bootspec_fini) struct bootspec b = {0};
	struct err ignored = ERR_INIT;

	if (bootspec_parse(text->p ? text->p : "", text->n, &b, &ignored) < 0)
		return NULL;
	return take(&b.secrets);
}

static int read_guest(struct ext4_edit *root, const char *path, struct buf *out, struct err *err)
{
	struct ext4_stat st;
	uint32_t ino;
	int rc = ext4_edit_find(root, path, true, &ino, err);

	if (rc == 0)
		rc = ext4_edit_stat(root, ino, &st, err);
	if (rc < 0)
		return rc;
	/* As the installer: what cannot be run is none. */
	if (st.type != EXT4_FT_FILE || !(st.mode & 0111))
		return err_set(err, ERR_NOENT, "%s: not a program", path);
	return ext4_edit_read(root, ino, SCRIPT_MAX, out, err);
}

int secrets_in_guest(struct ext4_edit *root, const char *toplevel, bool *out, struct err *err)
{
	_free_ char *path = xasprintf("%s/" SCRIPT, toplevel);
	_free_ char *spec = xasprintf("%s/boot.json", toplevel), *other = NULL;
	_cleanup_(buf_fini) struct buf script = BUF_INIT, json = BUF_INIT;
	int rc = read_guest(root, path, &script, err);

	if (rc == -ERR_NOENT) {
		rc = ext4_edit_read_path(root, spec, BOOTSPEC_BYTES_MAX, &json, err);
		other = rc == 0 ? named(&json) : NULL;
		if (other)
			rc = read_guest(root, other, &script, err);
	}
	if (rc < 0 && rc != -ERR_NOENT)
		return err_prefix(err, "%s", toplevel);
	*out = rc == 0 && script.p && does_something(buf_str(&script));
	return 0;
}

int secrets_in_files(struct store_files *files, const char *toplevel, bool *out, struct err *err)
{
	_free_ char *path = xasprintf("%s/" SCRIPT, toplevel);
	_free_ char *spec = xasprintf("%s/boot.json", toplevel), *other = NULL;
	_cleanup_(buf_fini) struct buf script = BUF_INIT, json = BUF_INIT;
	int rc = store_files_read(files, path, SCRIPT_MAX, &script, err);

	if (rc == -ERR_NOENT) {
		rc = store_files_read(files, spec, BOOTSPEC_BYTES_MAX, &json, err);
		other = rc == 0 ? named(&json) : NULL;
		if (other)
			rc = store_files_read(files, other, SCRIPT_MAX, &script, err);
	}
	if (rc < 0 && rc != -ERR_NOENT)
		return err_prefix(err, "%s", toplevel);
	*out = rc == 0 && script.p && does_something(buf_str(&script));
	return 0;
}
