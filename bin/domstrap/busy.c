/* SPDX-License-Identifier: MIT */
#include "busy.h"

#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/str.h"
#include "program.h"

#define BACKING_MAX 8192u
#define XEN_HERE "/proc/xen/privcmd"

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
	struct err ignored = ERR_INIT;
	int status, rc = program_run(argv, true, &out, &status, &ignored);
	json_t *domains;

	if (rc < 0 || status != 0) {
		if (rc == 0 && access(XEN_HERE, F_OK) == 0)
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
