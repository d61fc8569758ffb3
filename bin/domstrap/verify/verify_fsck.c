/* SPDX-License-Identifier: MIT */
/*
 * e2fsck as it is installed, told to change nothing (-n), in a jail in which there are its
 * libraries and the disk that we have open. It knows "?offset=" for partitions; what it does to it
 * in the replay of a journal does not matter, for with -n there is none.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "verify/verify.h"

#define OUTPUT_MAX (256u << 10) /* bytes of its output that are read */
#define OUTPUT_LIMIT (64u << 20)
#define MEMORY (4ull << 30)
#define SECONDS 86400
#define LINES_MAX 8u
/* e2fsck(8): it repaired something, or would; it could not do its work. */
#define STATUS_DAMAGED 7
#define STATUS_OPERATION 8

/* Its full path, links followed, for free(); NULL: none. */
static char *find_program(void)
{
	static const char usual[] = "/usr/sbin:/sbin";
	const char *path = getenv("PATH");
	_free_ char *all = xasprintf("%s:%s", usual, path ? path : "");
	struct str rest = str_from(all);

	while (rest.p) {
		struct str dir = str_cut(&rest, ':');
		_free_ char *name = xasprintf("%.*s/e2fsck", STR_ARG(dir));

		if (dir.n && access(name, X_OK) == 0)
			return realpath(name, NULL);
	}
	return NULL;
}

struct run {
	const char *program;
	uint64_t start; /* bytes: where the file system begins */
};

/* In the jail. */
static int run_main(void *arg)
{
	const struct run *r = arg;
	_free_ char *disk = jail_path(0);
	_free_ char *name = xasprintf("%s?offset=%" PRIu64, disk, r->start);
	char verb[] = "e2fsck", flags[] = "-fn", language[] = "LC_ALL=C";
	char *argv[] = {verb, flags, name, NULL}, *env[] = {language, NULL};

	execve(r->program, argv, env);
	dprintf(STDOUT_FILENO, "%s: %s\n", r->program, strerror(errno));
	return STATUS_OPERATION;
}

static int run_start(struct fsck *f, const struct disk_spec *d, uint64_t start, struct err *err)
{
	_free_ char *program = find_program();
	struct run run = {program, start};
	struct jail_spec spec = {.role = JAIL_FSCK,
	                         .uid = JAIL_NOBODY,
	                         .memory = MEMORY,
	                         .file_size = OUTPUT_LIMIT,
	                         .cpu = SECONDS,
	                         .main = run_main,
	                         .arg = &run,
	                         .program = program};

	if (!program)
		return err_set(err, ERR_NOENT, "not found in /usr/sbin, /sbin or PATH");
	f->output = memfd_create("e2fsck", MFD_CLOEXEC);
	if (f->output < 0)
		return err_sys(err, errno, "a file for its output");
	jail_give(&spec, JAIL_OUTPUT, f->output);
	jail_give(&spec, JAIL_INPUT, d->fd);
	return jail_start(&spec, &f->jail, err);
}

void fsck_start(struct fscks *all, const struct disk_spec *d, uint64_t start, const char *subject,
                struct findings *out)
{
	struct fsck *f = &all->v[all->n];
	struct err err = ERR_INIT;

	if (all->n == FSCKS_MAX)
		return;
	*f = (struct fsck){.jail = JAIL_INIT, .output = -1};
	if (run_start(f, d, start, &err) == 0) {
		f->subject = xstrdup(subject);
		all->n++;
		return;
	}
	findings_add(out, FINDING_UNKNOWN, "fsck", subject, "install e2fsprogs",
	             "the file system's structure was not checked as a whole: e2fsck: %s; the "
	             "checksums of all that was read were",
	             err.text);
	io_close(&f->output);
}

/* Keep the lines that report problems, not those of passes and version. */
static void pick_lines(struct str text, struct buf *out)
{
	static const char *const noise[] = {"Pass ", "e2fsck ", "Checking ",
	                                    "ERROR: Couldn't open /dev/null"};
	unsigned lines = 0;

	while (text.p) {
		struct str line = str_trim(str_cut(&text, '\n'));
		bool skip = line.n == 0;

		for (size_t i = 0; i < ARRAY_LEN(noise); i++)
			skip = skip || str_starts(line, noise[i]);
		if (skip || lines++ >= LINES_MAX)
			continue;
		buf_puts(out, out->n ? " | " : "");
		buf_put(out, line.p, line.n);
	}
	if (lines > LINES_MAX)
		buf_putf(out, " | and %u more lines", lines - LINES_MAX);
}

static void finish_one(struct fsck *f, struct findings *out)
{
	_cleanup_(buf_fini) struct buf said = BUF_INIT;
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct err how = ERR_INIT;
	int64_t got;
	int status = 0, rc;

	rc = jail_status(&f->jail, "e2fsck", &status, &how);
	got = io_pread(f->output, "e2fsck", buf_zeros(&said, OUTPUT_MAX), OUTPUT_MAX, 0, &err);
	if (got >= 0)
		pick_lines((struct str){said.p, (size_t)got}, &text);
	else
		buf_puts(&text, err.text);
	buf_puts(&text, "");
	if (rc < 0)
		findings_add(out, FINDING_ERROR, "fsck", f->subject, "",
		             "the file system was not fully checked: %s%s%s", how.text,
		             text.n ? ": " : "", text.p);
	else if (status & ~STATUS_DAMAGED)
		findings_add(out, FINDING_ERROR, "fsck", f->subject, "", "e2fsck failed: %s",
		             text.p);
	else if (status)
		findings_add(out, FINDING_ERROR, "fsck", f->subject,
		             "repair it with \"e2fsck -f\"; then \"domstrap verify\" shows what "
		             "was lost",
		             "the file system is damaged: %s", text.p);
	jail_fini(&f->jail);
	io_close(&f->output);
	free(f->subject);
}

void fsck_finish(struct fscks *all, struct findings *out)
{
	for (size_t i = 0; i < all->n; i++)
		finish_one(&all->v[i], out);
	all->n = 0;
}
