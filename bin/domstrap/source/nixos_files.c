/* SPDX-License-Identifier: MIT */
#include "source/nixos_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"
#include "nix/channel.h"

#define FILE_BYTES_MAX (16u << 20)
#define CHANNELS_MAX 65536u
#define ETC_NIXOS "/etc/nixos"

static int load_one(struct nixos_files *f, const char *name, const char *path, struct err *err)
{
	struct buf *text = &f->texts[f->n];
	int rc = io_read_file(AT_FDCWD, path, FILE_BYTES_MAX, text, err);

	if (rc < 0) {
		buf_fini(text);
		return rc;
	}
	f->v[f->n++] = (struct nixroot_file){name, buf_str(text)};
	return 0;
}

/* Those of a directory's files that are there. */
static int load_dir(struct nixos_files *f, const char *dir, const char *const *names, size_t n,
                    struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		_free_ char *path = xasprintf("%s/%s", dir, names[i]);

		rc = load_one(f, names[i], path, err);
		if (rc == -ERR_NOENT)
			rc = 0;
	}
	return rc;
}

/* What --file names, as nixos-rebuild finds it in /etc/nixos, and what it usually imports. */
static int load_file(struct nixos_files *f, const char *name, bool own, struct err *err)
{
	static const char *const beside[] = {"configuration.nix"};
	_free_ char *real = realpath(name, NULL), *dir = NULL;
	struct stat st;
	char *slash;
	int rc;

	if (!real || stat(real, &st) < 0)
		return err_sys(err, errno, "%s", name);
	dir = S_ISDIR(st.st_mode) ? xstrdup(real) : NULL;
	if (dir) {
		free(real);
		real = xasprintf("%s/default.nix", dir);
	} else {
		slash = strrchr(real, '/');
		dir = xstrndup(real, (size_t)(slash - real));
	}
	rc = load_one(f, NIX_SYSTEM_FILE, real, err);
	return rc < 0 ? rc : load_dir(f, dir, beside, ARRAY_LEN(beside) - own, err);
}

/* A flake's files are in one directory; none of them is required. */
static int load_flake(struct nixos_files *f, const char *flake, bool own, struct err *err)
{
	static const char *const names[] = {"flake.nix", "flake.lock", "configuration.nix"};
	_free_ char *dir = nix_flake_dir(flake);

	if (dir)
		return load_dir(f, dir, names, ARRAY_LEN(names) - own, err);
	ui_say("%s is not a local directory; no files of it are copied into the guest's " ETC_NIXOS,
	       flake);
	return 0;
}

int nixos_files_load(const struct nix_options *nix, const char *configuration,
                     struct nixos_files *out, struct err *err)
{
	const char *file = configuration ? configuration : nix->config;
	int rc = 0;

	if (nix->flake)
		rc = load_flake(out, nix->flake, configuration, err);
	else if (nix->file || nix->attr)
		rc = load_file(out, nix->file ? nix->file : NIX_SYSTEM_FILE, configuration, err);
	if (rc == 0 && file)
		rc = load_one(out, "configuration.nix", file, err);
	return rc;
}

void nixos_files_fini(struct nixos_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_fini(&f->texts[i]);
	*f = (struct nixos_files){0};
}

int nixos_files_check(struct nixos_files *f, const char *configuration, const char *toplevel,
                      enum etc_place etc, struct err *err)
{
	if (etc_place_dir(etc) || !f->n)
		return 0;
	if (configuration)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: --configuration puts a file into /etc/nixos, but /etc in this "
		               "system is %s, so the guest may not see it",
		               toplevel, etc_place_reason(etc));
	ui_warn("%s: its /etc is %s; no files are copied into " ETC_NIXOS, toplevel,
	        etc_place_reason(etc));
	nixos_files_fini(f);
	return 0;
}

/* ---- into a guest that is off --------------------------------------------- */

static int put_one(const struct nixroot_file *f, struct ext4_edit *root, const char *in,
                   uint32_t dir, struct err *err)
{
	_cleanup_(buf_fini) struct buf old = BUF_INIT;
	_free_ char *path = xasprintf("%s/%s", in, f->name);
	_free_ char *kept = xasprintf("%s.old", f->name);
	struct ext4_entry there;
	int rc = ext4_edit_lookup(root, dir, f->name, &there, err);

	if (rc < 0 && rc != -ERR_NOENT)
		return rc;
	if (rc == 0 && there.type != EXT4_FT_FILE && there.type != EXT4_FT_LINK)
		return err_set(err, ERR_EXISTS,
		               "the guest's %s is neither a regular file nor a symbolic link",
		               path);
	rc = ext4_edit_read_path(root, path, FILE_BYTES_MAX, &old, err);
	if (rc == 0 && str_eq(buf_str(&old), f->text))
		return 0;
	if (rc == 0)
		rc = ext4_edit_add_file(root, dir, kept, 0644, buf_str(&old), err);
	else if (rc == -ERR_NOENT)
		rc = 0;
	return rc < 0 ? rc : ext4_edit_add_file(root, dir, f->name, 0644, f->text, err);
}

int nixos_files_put(const struct nixos_files *f, struct ext4_edit *root, const char *etc,
                    struct err *err)
{
	_free_ char *in = xasprintf("%s/nixos", etc);
	uint32_t dir;
	int rc = f->n ? ext4_edit_mkdir(root, in, 0755, &dir, err) : 0;

	for (size_t i = 0; i < f->n && rc == 0; i++)
		rc = put_one(&f->v[i], root, in, dir, err);
	return rc;
}

static char *channel_line(const char *version)
{
	char url[CHANNEL_URL_SIZE];

	return channel_url(str_from(version), url) ? xasprintf("%s nixos\n", url) : NULL;
}

int nixos_channel_put(struct ext4_edit *root, const char *before, const char *version,
                      struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	_free_ char *was = channel_line(before), *is = channel_line(version);
	uint32_t dir;
	int rc;

	if (!is)
		return 0;
	rc = ext4_edit_read_path(root, "/root/.nix-channels", CHANNELS_MAX, &text, err);
	/* Any other state is the owner's choice. */
	if (rc == 0 && !(was && str_is(buf_str(&text), was)))
		return 0;
	if (rc < 0 && rc != -ERR_NOENT)
		return rc;
	if (rc == 0 && str_is(buf_str(&text), is))
		return 0;
	rc = ext4_edit_mkdir(root, "/root", 0700, &dir, err);
	return rc < 0 ? rc
	              : ext4_edit_add_file(root, dir, ".nix-channels", 0644, str_from(is), err);
}
