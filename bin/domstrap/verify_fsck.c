/* SPDX-License-Identifier: MIT */
/*
 * e2fsck as it is installed, told to change nothing (-n) and given the disk as
 * an open descriptor, so that it reads the very file that we did. It knows
 * "?offset=" for partitions; what it does to it in the replay of a journal does
 * not matter, for with -n there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "verify.h"

#define DISK_FD 3
#define OUTPUT_MAX (256u << 10)
#define LINES_MAX 8u
#define STATUS_OPERATION 8 /* e2fsck(8): it could not do its work */

extern char **environ;

static const char *const programs[] = {"/usr/sbin/e2fsck", "/sbin/e2fsck", "e2fsck"};

static int spawn_one(const char *program, int disk, int output, char *name, pid_t *pid)
{
	char verb[] = "e2fsck", flags[] = "-fn";
	char *argv[] = {verb, flags, name, NULL};
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, disk, DISK_FD);
	rc = posix_spawnp(pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

void fsck_start(struct fscks *all, const struct disk_spec *d, uint64_t start, const char *subject,
                struct findings *out)
{
	_free_ char *name = xasprintf("/proc/self/fd/%d?offset=%" PRIu64, DISK_FD, start);
	/* Not where it would be in the way of its own copy. */
	_close_ int disk = fcntl(d->fd, F_DUPFD_CLOEXEC, DISK_FD + 1);
	struct fsck *f = &all->v[all->n];
	int rc = disk < 0 ? errno : 0;

	if (all->n == FSCKS_MAX)
		return;
	f->output = memfd_create("e2fsck", MFD_CLOEXEC);
	if (rc == 0 && f->output < 0)
		rc = errno;
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(programs); i++) {
		rc = spawn_one(programs[i], disk, f->output, name, &f->pid);
		if (rc != ENOENT)
			break;
		rc = i + 1 < ARRAY_LEN(programs) ? 0 : rc;
	}
	if (rc == 0) {
		f->subject = xstrdup(subject);
		all->n++;
		return;
	}
	findings_add(out, FINDING_UNKNOWN, "fsck", subject, "install e2fsprogs",
	             "the file system's structure was not checked as a whole: e2fsck: %s; the "
	             "checksums of all that was read were",
	             strerror(rc));
	io_close(&f->output);
}

/* The lines that say what is wrong: not its passes, nor its greeting. */
static void pick_lines(struct str text, struct buf *out)
{
	static const char *const noise[] = {"Pass ", "e2fsck ", "Checking "};
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
		buf_putf(out, " | and %u lines more", lines - LINES_MAX);
}

static void finish_one(struct fsck *f, struct findings *out)
{
	_cleanup_(buf_fini) struct buf said = BUF_INIT;
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	size_t got = 0;
	int status = 0;

	while (waitpid(f->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (io_pread(f->output, "e2fsck", buf_zeros(&said, OUTPUT_MAX), OUTPUT_MAX, 0, &got,
	             &err) == 0)
		pick_lines((struct str){said.p, got}, &text);
	else
		buf_puts(&text, err.text);
	buf_puts(&text, "");
	if (!WIFEXITED(status) || WEXITSTATUS(status) & STATUS_OPERATION)
		findings_add(out, FINDING_ERROR, "fsck", f->subject, "",
		             "e2fsck could not do its work: %s", text.p);
	else if (WEXITSTATUS(status))
		findings_add(out, FINDING_ERROR, "fsck", f->subject,
		             "e2fsck -f repairs it; what it takes away, \"domstrap verify\" then "
		             "tells",
		             "the file system is damaged: %s", text.p);
	io_close(&f->output);
	free(f->subject);
}

void fsck_finish(struct fscks *all, struct findings *out)
{
	for (size_t i = 0; i < all->n; i++)
		finish_one(&all->v[i], out);
	all->n = 0;
}
