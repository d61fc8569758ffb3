/* SPDX-License-Identifier: MIT */
#include "nixos/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "nixos/booting.h"
#include "xen/xlcfg.h"
#include "xen/xlcfg_edit.h"
#include "xen/xlcfg_read.h"

int config_file_write(const char *config, const struct buf *text, struct outfile *o,
                      struct err *err)
{
	const char *slash = strrchr(config, '/');
	_free_ char *dir = slash ? xstrndup(config, (size_t)MAX(slash - config, 1)) : xstrdup(".");
	struct stat st;
	int rc;

	if (stat(config, &st) < 0)
		return err_sys(err, errno, "%s", config);
	rc = outfile_open(o, dir, str_base(config), 0600, err);
	if (rc == 0)
		rc = io_write(o->fd, o->path, text->p, text->n, err);
	if (rc < 0)
		return rc;
	if (fchown(o->fd, st.st_uid, st.st_gid) < 0 || fchmod(o->fd, st.st_mode & 07777) < 0)
		return err_sys(err, errno, "%s: cannot set owner and mode", o->path);
	return io_sync(o->fd, o->path, err);
}

/* ---- --write-env ---------------------------------------------------------- */

static int refuse(const char *config, const char *why, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: %s; add to its bootloader_args, or set\n"
	               "  bootloader_args = [ \"" BOOTING_WRITE_ENV "\" ]",
	               config, why);
}

/* xl must read the new text as the old one with one more argument. */
static int check_text(const char *config, const struct xlcfg_guest *old, const struct buf *text,
                      struct err *err)
{
	struct xlcfg_guest now = {.n = 0};
	int rc = xlcfg_guest_parse(text->p, text->n, &now, err);
	bool good = rc == 0 && now.n_bootloader_args == old->n_bootloader_args + 1 &&
	            booting_config(config, &now).writes;

	xlcfg_guest_fini(&now);
	return good ? 0 : refuse(config, "cannot be changed by domstrap", err);
}

static int make_text(const char *config, const struct buf *old, struct buf *out, struct err *err)
{
	struct xlcfg_guest cfg = {.n = 0};
	int rc = xlcfg_guest_parse(old->p, old->n, &cfg, err);

	if (rc < 0)
		return err_prefix(err, "%s", config);
	if (booting_config(config, &cfg).writes)
		rc = 1;
	else if (!str_starts(buf_str(old), XLCFG_FIRST_LINE))
		rc = refuse(config,
		            "was not written by domstrap, which changes only its own configs", err);
	else if (xlcfg_add_argument(buf_str(old), "bootloader_args", BOOTING_WRITE_ENV,
	                            "bootloader", out, err))
		rc = refuse(config, "cannot be changed by domstrap", err);
	if (rc == 0)
		rc = check_text(config, &cfg, out, err);
	xlcfg_guest_fini(&cfg);
	return rc;
}

int config_file_write_env(const char *config, bool check, struct err *err)
{
	_cleanup_(buf_fini) struct buf old = BUF_INIT, text = BUF_INIT;
	_cleanup_(outfile_fini) struct outfile o = OUTFILE_INIT;
	_free_ char *real = realpath(config, NULL);
	int rc;

	if (!real)
		return err_sys(err, errno, "%s", config);
	rc = io_read_file(AT_FDCWD, real, XLCFG_BYTES_MAX, &old, err);
	if (rc == 0)
		rc = make_text(config, &old, &text, err);
	if (rc || check)
		return rc < 0 ? rc : 0;
	rc = config_file_write(real, &text, &o, err);
	if (rc == 0)
		rc = outfile_publish(&o, true, err);
	return rc < 0 ? rc : outfile_sync_dir(&o, err);
}
