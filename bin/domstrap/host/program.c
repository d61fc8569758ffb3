/* SPDX-License-Identifier: MIT */
#include "host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "ui/ui.h"

extern char **environ;

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};

/* The child starts with no signal blocked, and SIGXFSZ as it was before us. */
static void set_signals(posix_spawnattr_t *attr)
{
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGXFSZ);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &usual);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int start(char *const argv[], bool quiet, int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (quiet)
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	set_signals(&attr);
	rc = posix_spawnp(pid, argv[0], &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Read to the end of its output. Signals are unblocked only while we wait. */
static int read_all(int fd, const char *name, pid_t pid, const sigset_t *outside, struct buf *out,
                    struct err *err)
{
	size_t got = 1, before = out->n;
	char piece[4096];
	bool told = false;

	while (got) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int n = ppoll(&p, 1, NULL, outside), rc;

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "%s: poll", name);
		if (ui_signal() && !told)
			told = kill(pid, ui_signal()) == 0;
		if (n <= 0)
			continue;
		/* Forward what has arrived; do not wait for a full buffer. */
		n = (int)read(fd, piece, sizeof piece);
		if (n < 0)
			return err_sys(err, errno, "%s: cannot read its output", name);
		got = (size_t)n;
		rc = out->n - before + got > PROGRAM_OUTPUT_MAX
		             ? err_set(err, ERR_LIMIT, "%s: printed more than %u bytes", name,
		                       PROGRAM_OUTPUT_MAX)
		             : 0;
		if (rc < 0)
			return rc;
		buf_put(out, piece, got);
	}
	return 0;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(char *const argv[], bool quiet, struct buf *out, int *status, struct err *err)
{
	sigset_t block, outside;
	pid_t pid;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	rc = start(argv, quiet, fds[1], &pid);
	close(fds[1]);
	if (rc) {
		close(fds[0]);
		return err_sys(err, rc, "%s", argv[0]);
	}
	sigemptyset(&block);
	for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++)
		sigaddset(&block, passed_on[i]);
	pthread_sigmask(SIG_BLOCK, &block, &outside);
	rc = read_all(fds[0], argv[0], pid, &outside, out, err);
	pthread_sigmask(SIG_SETMASK, &outside, NULL);
	close(fds[0]);
	if (rc < 0)
		kill(pid, SIGTERM);
	*status = wait_for(pid);
	return rc;
}
