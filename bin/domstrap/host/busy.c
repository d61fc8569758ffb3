/* SPDX-License-Identifier: MIT */
#include "host/busy.h"

#include <fcntl.h>
#include <glob.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/str.h"
#include "host/xl.h"

#define BACKING_MAX 8192u

/* ---- loop devices --------------------------------------------------------- */

static int check_loop(const char *attribute, char *const *paths, size_t n, struct err *err)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	_free_ char *file = NULL;
	struct str name;
	int rc = err_absent(io_read_file(AT_FDCWD, attribute, BACKING_MAX, &b, err));

	/* 1: it was detached in the meantime. */
	if (rc)
		return rc < 0 ? rc : 0;
	name = str_trim(buf_str(&b));
	file = xstrndup(name.p, name.n);
	for (size_t i = 0; i < n; i++)
		if (xl_same_disk(file, paths[i]))
			return err_set(err, ERR_BUSY, "%s: in use: attached to a loop device (%s)",
			               paths[i], attribute);
	return 0;
}

static int check_loops(char *const *paths, size_t n, struct err *err)
{
	glob_t found;
	int rc = glob("/sys/block/loop*/loop/backing_file", 0, NULL, &found);

	if (rc != 0)
		return rc == GLOB_NOMATCH
		               ? 0
		               : err_set(err, ERR_IO, "/sys/block: cannot list the loop devices");
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
		rc = check_loop(found.gl_pathv[i], paths, n, err);
	globfree(&found);
	return rc;
}

/* ---- running guests ------------------------------------------------------- */

static int check_guests(char *const *paths, size_t n, struct err *err)
{
	char shown[SHOW_SIZE];
	json_t *domains = NULL;
	int rc = xl_domains(&domains, err);

	for (size_t d = 0; rc == 0 && d < json_array_size(domains); d++) {
		const json_t *domain = json_array_get(domains, d);

		for (size_t i = 0; rc == 0 && i < n; i++)
			if (xl_domain_has(domain, paths[i]))
				rc = err_set(err, ERR_BUSY,
				             "%s: in use by the running guest %s; shut it down "
				             "first with \"xl shutdown\"",
				             paths[i],
				             show_str(str_from(xl_domain_name(domain)), shown));
	}
	json_decref(domains);
	return rc < 0 ? rc : 0;
}

int busy_check(char *const *paths, size_t n, struct err *err)
{
	int rc = check_loops(paths, n, err);

	return rc < 0 ? rc : check_guests(paths, n, err);
}
