/* SPDX-License-Identifier: MIT */
#include "busy.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/str.h"

#define XL_OUTPUT_MAX (64u << 20)
#define BACKING_MAX 8192u
#define XEN_HERE "/proc/xen/privcmd"

extern char **environ;

/* The same file, or the same device under two names. */
static bool same(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) < 0 || stat(b, &y) < 0)
		return false;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- loop devices --------------------------------------------------------- */

static int check_loop(const char *attribute, char *const *paths, size_t n, struct err *err)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	_free_ char *file = NULL;
	struct err ignored = ERR_INIT;
	struct str name;

	if (io_read_file(AT_FDCWD, attribute, BACKING_MAX, &b, &ignored) < 0)
		return 0;
	name = str_trim(buf_str(&b));
	file = xstrndup(name.p, name.n);
	for (size_t i = 0; i < n; i++)
		if (same(file, paths[i]))
			return err_set(err, ERR_BUSY, "%s: in use: attached to a loop device (%s)",
			               paths[i], attribute);
	return 0;
}

static int check_loops(char *const *paths, size_t n, struct err *err)
{
	glob_t found;
	int rc = 0;

	if (glob("/sys/block/loop*/loop/backing_file", 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
		rc = check_loop(found.gl_pathv[i], paths, n, err);
	globfree(&found);
	return rc;
}

/* ---- running guests ------------------------------------------------------- */

/* What a program prints; its exit status, or -1 where it is not there. */
static int capture(char *const argv[], struct buf *out)
{
	posix_spawn_file_actions_t actions;
	struct err ignored = ERR_INIT;
	int fds[2], status = -1;
	char piece[4096];
	size_t got = 1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	while (pid > 0 && got && out->n < XL_OUTPUT_MAX) {
		if (io_read(fds[0], argv[0], piece, sizeof piece, &got, &ignored) < 0)
			break;
		buf_put(out, piece, got);
	}
	close(fds[0]);
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int check_domain(const json_t *domain, char *const *paths, size_t n, struct err *err)
{
	const json_t *config = json_object_get(domain, "config");
	const json_t *info = json_object_get(config, "c_info");
	const char *name = json_string_value(json_object_get(info, "name"));
	const json_t *disks = json_object_get(config, "disks");
	char shown[SHOW_SIZE];

	for (size_t d = 0; d < json_array_size(disks); d++) {
		const char *path =
		        json_string_value(json_object_get(json_array_get(disks, d), "pdev_path"));

		for (size_t i = 0; path && i < n; i++)
			if (same(path, paths[i]))
				return err_set(err, ERR_BUSY,
				               "%s: in use by the running guest %s; xl shutdown it "
				               "first",
				               paths[i],
				               show_str(str_from(name ? name : "?"), shown));
	}
	return 0;
}

static int check_guests(char *const *paths, size_t n, struct err *err)
{
	char program[] = "xl", list[] = "list", full[] = "-l";
	char *argv[] = {program, list, full, NULL};
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	int status = capture(argv, &out), rc = 0;
	json_t *domains;

	if (status != 0) {
		if (status > 0 && access(XEN_HERE, F_OK) == 0)
			return err_set(err, ERR_BUSY,
			               "\"xl list -l\" failed (status %d), so that it is not known "
			               "whether a guest uses the disk",
			               status);
		return 0;
	}
	domains = json_loadb(out.p ? out.p : "", out.n, 0, NULL);
	if (!json_is_array(domains))
		rc = err_set(err, ERR_BUSY, "\"xl list -l\" printed no list of guests");
	for (size_t i = 0; i < json_array_size(domains) && rc == 0; i++)
		rc = check_domain(json_array_get(domains, i), paths, n, err);
	json_decref(domains);
	return rc;
}

int busy_check(char *const *paths, size_t n, struct err *err)
{
	int rc = check_loops(paths, n, err);

	return rc < 0 ? rc : check_guests(paths, n, err);
}
