/* SPDX-License-Identifier: MIT */
/*
 * measure FILE COMMAND [ARGUMENT...]: run the command and append a line to FILE:
 * wall-clock seconds, CPU seconds, and the largest process's peak memory in KiB.
 * A command that fails adds no line. The exit status is the command's.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	double start = now();
	struct rusage ru;
	int status;
	pid_t pid;
	FILE *to;

	if (argc < 3)
		return 2;
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &ru) != pid)
		return 1;
	start = now() - start;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	to = fopen(argv[1], "a");
	if (!to)
		return 1;
	fprintf(to, "%.5f %.5f %ld\n", start, seconds(ru.ru_utime) + seconds(ru.ru_stime),
	        ru.ru_maxrss);
	return fclose(to) ? 1 : 0;
}
