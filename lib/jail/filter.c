/* SPDX-License-Identifier: MIT */
#include "jail/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"

/* Allowed with any arguments: they reach nothing outside the process. */
static const int harmless[] = {
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(brk),
        SCMP_SYS(madvise),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(restart_syscall),
        /* libext2fs 1.47.2 asks before it looks for E2FSPROGS_FAKE_TIME; so it does with prctl().
         */
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(getgid),
        SCMP_SYS(getegid),
#ifdef SANITIZED
        /* The sanitizer's own; a program that is shipped has none of it. */
        SCMP_SYS(mprotect),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(futex),
        SCMP_SYS(sched_yield),
        SCMP_SYS(gettid),
        SCMP_SYS(getpid),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigaction),
#endif
};

static int allow_fd(scmp_filter_ctx f, int call, int fd)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1,
	                        SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)fd));
}

/*
 * An output grows at its end, where nothing that is there can change any more. Forward from there
 * the child may skip, which leaves a hole: lseek(fd, 0..file_size, SEEK_CUR).
 */
static int allow_output(scmp_filter_ctx f, int fd, uint64_t file_size)
{
	int rc = allow_fd(f, SCMP_SYS(write), fd);

	if (rc < 0)
		return rc;
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(lseek), 3,
	                        SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)fd),
	                        SCMP_A1(SCMP_CMP_LE, MIN(file_size, (uint64_t)INT64_MAX), 0),
	                        SCMP_A2(SCMP_CMP_MASKED_EQ, UINT32_MAX, SEEK_CUR));
}

static int allow_fds(scmp_filter_ctx f, const struct jail_spec *s)
{
	int first_read = JAIL_WRITE + (int)s->write_n;
	int rc = allow_fd(f, SCMP_SYS(read), JAIL_LINE);

	if (rc == 0)
		rc = allow_fd(f, SCMP_SYS(write), JAIL_LINE);
	/* Closed: "out of memory" is said to nobody, and the exit follows. */
	if (rc == 0)
		rc = allow_fd(f, SCMP_SYS(write), STDERR_FILENO);
	for (int i = JAIL_WRITE; rc == 0 && i < first_read; i++)
		rc = allow_output(f, i, s->file_size);
	for (int i = 0; rc == 0 && i < (int)s->read_n; i++) {
		rc = allow_fd(f, SCMP_SYS(pread64), first_read + i);
		if (rc == 0)
			rc = allow_fd(f, SCMP_SYS(lseek), first_read + i);
	}
	return rc;
}

/* Memory that can be run, or that is a file, is not memory. */
static int allow_mmap(scmp_filter_ctx f)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
	                        SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
	                        SCMP_A4(SCMP_CMP_MASKED_EQ, UINT32_MAX, UINT32_MAX));
}

int filter_load(const struct jail_spec *spec, struct err *err)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = f ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(harmless); i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, harmless[i], 0);
	if (rc == 0)
		rc = allow_fds(f, spec);
	if (rc == 0)
		rc = allow_mmap(f);
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
		                      SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, PR_GET_DUMPABLE));
	if (rc == 0)
		rc = seccomp_load(f);
	if (f)
		seccomp_release(f);
	if (rc < 0)
		return err_sys(err, -rc, "system call filter");
	return 0;
}
