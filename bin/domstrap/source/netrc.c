/* SPDX-License-Identifier: MIT */
#include "source/netrc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "ui/ui.h"

#define NIX_CONF_DIR "/etc/nix"
#define NIX_CONF_MAX (1u << 20)
#define INCLUDES_MAX 4u

/* ---- nix.conf ------------------------------------------------------------------ */

static void read_conf(const char *path, unsigned depth, char **found);

/* "include FILE" and "!include FILE", beside the file that has it. */
static void include(const char *from, struct str name, unsigned depth, char **found)
{
	const char *slash = strrchr(from, '/');
	int dir = slash ? (int)(slash - from) + 1 : 0;
	_free_ char *path = str_starts(name, "/") ? xstrndup(name.p, name.n)
	                                          : xasprintf("%.*s%.*s", dir, from, STR_ARG(name));

	if (depth < INCLUDES_MAX)
		read_conf(path, depth + 1, found);
}

static void read_text(const char *path, struct str text, unsigned depth, char **found)
{
	while (text.p) {
		struct str line = str_cut(&text, '\n'), key = str_trim(str_cut(&line, '#'));
		struct str value = key, word = str_trim(str_cut(&value, '='));

		if (str_is(word, "netrc-file") && value.p) {
			value = str_trim(value);
			free(*found);
			*found = xstrndup(value.p, value.n);
			continue;
		}
		value = key;
		word = str_cut(&value, ' ');
		if (value.p && (str_is(word, "include") || str_is(word, "!include")))
			include(path, str_trim(value), depth, found);
	}
}

/* Nix reports unreadable files itself; only the netrc file is needed here. */
static void read_conf(const char *path, unsigned depth, char **found)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (io_read_file(AT_FDCWD, path, NIX_CONF_MAX, &text, &ignored) == 0)
		read_text(path, buf_str(&text), depth, found);
}

/* The path in $NAME, or one below the home directory; NULL: neither is set. */
static char *user_dir(const char *name, const char *below)
{
	const char *dir = getenv(name), *home = getenv("HOME");

	if (dir && *dir == '/')
		return xstrdup(dir);
	return home && *home == '/' ? xasprintf("%s/%s", home, below) : NULL;
}

/* The caller owns it. */
static char *from_nix(void)
{
	const char *dir = getenv("NIX_CONF_DIR"), *more = getenv("NIX_CONFIG");
	_free_ char *host = xasprintf("%s/nix.conf", dir && *dir ? dir : NIX_CONF_DIR);
	_free_ char *config = user_dir("XDG_CONFIG_HOME", ".config");
	_free_ char *user = config ? xasprintf("%s/nix/nix.conf", config) : NULL;
	char *found = xasprintf("%s/netrc", dir && *dir ? dir : NIX_CONF_DIR);

	read_conf(host, 0, &found);
	if (user)
		read_conf(user, 0, &found);
	if (more)
		read_text("NIX_CONFIG", str_from(more), INCLUDES_MAX, &found);
	return found;
}

/* ---- the file ------------------------------------------------------------------ */

/* It determines where passwords are sent, so no other user may write it. */
static int check_modes(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s: stat", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE, "%s: not a regular file", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, ERR_USAGE,
		               "%s: another user can change it (owner %u, mode %03o); change its "
		               "owner, or run \"chmod go-w\"",
		               path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 0777));
	if (st.st_mode & S_IROTH)
		ui_warn("%s: contains passwords, but every user can read it (mode %03o); run "
		        "\"chmod o-r\"",
		        path, (unsigned)(st.st_mode & 0777));
	return 0;
}

int netrc_find(const char *asked, char **out, struct err *err)
{
	_free_ char *path = asked ? xstrdup(asked) : from_nix();
	_close_ int fd = *path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	int rc;

	*out = NULL;
	if (fd < 0 && asked)
		return err_sys(err, errno, "netrc-file: %s", path);
	if (fd < 0) {
		if (*path && errno != ENOENT)
			ui_detail("%s: %s; using ~/.netrc", path, strerror(errno));
		return 0;
	}
	rc = check_modes(fd, path, err);
	if (rc < 0)
		return err_prefix(err, "netrc-file");
	*out = take(&path);
	return 0;
}
