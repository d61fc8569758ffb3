/* SPDX-License-Identifier: MIT */
#include "host/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

#define GRACE_MS 2000 /* from SIGTERM to SIGKILL */
#define STEP_MS 20
#define LAST_PIECES 16u /* of a pipe of 64 KiB */

/* ---- the end of an output ------------------------------------------------- */

void tail_put(struct tail *t, struct str s)
{
	if (s.n > TAIL_MAX)
		s = str_drop(s, s.n - TAIL_MAX);
	if (t->n + s.n > TAIL_MAX) {
		size_t lost = t->n + s.n - TAIL_MAX;

		memmove(t->text, t->text + lost, t->n - lost);
		t->n -= lost;
	}
	memcpy(t->text + t->n, s.p, s.n);
	t->n += s.n;
}

struct str tail_lines(const struct tail *t, size_t n)
{
	struct str all = str_trim((struct str){t->text, t->n});
	size_t at = all.n;

	while (at && (all.p[at - 1] != '\n' || --n))
		at--;
	return str_drop(all, at);
}

/* ---- the program ---------------------------------------------------------- */

/* In the child, after fork(). */
_Noreturn static void run(char *const argv[], int out, bool ends, pid_t parent)
{
	int none = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	if (ends)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	else
		signal(SIGPIPE, SIG_IGN); /* it goes on if this process is killed */
	signal(SIGXFSZ, SIG_DFL);
	/* The parent may have ended before it was asked for. */
	if (none >= 0 && dup2(none, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0 && (!ends || getppid() == parent))
		execvp(argv[0], argv);
	_exit(127);
}

int subprocess_start(struct subprocess *s, char *const argv[], bool ends, struct err *err)
{
	pid_t self = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	s->pid = fork();
	if (s->pid == 0)
		run(argv, fds[1], ends, self);
	close(fds[1]);
	s->fd = fds[0];
	if (s->pid < 0) {
		int e = errno;

		io_close(&s->fd);
		s->pid = 0;
		return err_sys(err, e, "%s: fork", argv[0]);
	}
	setpgid(s->pid, s->pid);
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	return 0;
}

/* One piece; at the end what a pipe can hold. */
static void read_some(struct subprocess *s, unsigned pieces, struct tail *out)
{
	char piece[TAIL_MAX];
	ssize_t n = 1;

	while (pieces-- && n > 0) {
		n = read(s->fd, piece, sizeof piece);
		if (n > 0)
			tail_put(out, (struct str){piece, (size_t)n});
	}
	if (n == 0)
		io_close(&s->fd);
}

static bool ended(struct subprocess *s, int *status)
{
	int how = 0;

	if (waitpid(s->pid, &how, WNOHANG) != s->pid)
		return false;
	*status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
	return true;
}

int subprocess_poll(struct subprocess *s, int ms, struct tail *out, int *status)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	/* It may close its output before it ends, or leave it to another process. */
	bool over = ended(s, status);

	if (!over) {
		poll(&p, 1, ms);
		over = ended(s, status);
	}
	if (s->fd >= 0)
		read_some(s, over ? LAST_PIECES : 1, out);
	if (!over)
		return 0;
	io_close(&s->fd);
	s->pid = 0;
	return 1;
}

void subprocess_kill(struct subprocess *s)
{
	int64_t end = clock_ms() + GRACE_MS;
	int status;

	if (!s->pid)
		return;
	io_close(&s->fd);
	kill(-s->pid, SIGTERM);
	while (!ended(s, &status)) {
		if (clock_ms() >= end)
			kill(-s->pid, SIGKILL);
		poll(NULL, 0, STEP_MS);
	}
	kill(-s->pid, SIGKILL); /* what it has left behind */
	s->pid = 0;
}
