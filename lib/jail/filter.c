/* SPDX-License-Identifier: MIT */
/*
 * The filter is a sum of tables: what is harmless, what may be done with a descriptor of each use
 * (its block of numbers is all that is looked at), and what a role's threads, network or program
 * add.
 */
#include "jail/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* The kernel uses only the lower 32 bits of such an argument. */
#define IS(arg, value) {arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)(value) & UINT32_MAX}
#define LACKS(arg, bits) {arg, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), 0}
#define IS_NULL(arg) {arg, SCMP_CMP_EQ, 0, 0}
#define USE(what) (1u << JAIL_##what)

#define CALL(name) {.call = SCMP_SYS(name)}
#define CALL1(name, a)                                                                             \
	{                                                                                          \
		.call = SCMP_SYS(name), .conditions = 1, .arg = { a }                              \
	}
#define CALL2(name, a, b)                                                                          \
	{                                                                                          \
		.call = SCMP_SYS(name), .conditions = 2, .arg = { a, b }                           \
	}
#define CALL3(name, a, b, c)                                                                       \
	{                                                                                          \
		.call = SCMP_SYS(name), .conditions = 3, .arg = { a, b, c }                        \
	}
#define SHARED_FILE {3, SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_ANONYMOUS, MAP_SHARED}

/* What glibc's pthread_create() asks clone(2) for where there is no clone3(2). */
#define THREAD_FLAGS                                                                               \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |        \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define NO_THREAD {0, SCMP_CMP_NE, THREAD_FLAGS, 0}
/* open(2) to read what is there. */
#define NOT_TO_READ (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* A call, and conditions on its arguments. */
struct rule {
	int call;
	unsigned conditions;
	struct scmp_arg_cmp arg[3];
};

/* Allowed with any arguments: they reach nothing outside the process. */
static const struct rule harmless[] = {
        CALL(munmap),
        CALL(mremap),
        CALL(brk),
        CALL(madvise),
        CALL(exit),
        CALL(exit_group),
        CALL(rt_sigreturn),
        /* System calls only where the vDSO cannot read the clock, as in some dom0s. */
        CALL(clock_gettime),
        CALL(gettimeofday),
        CALL(time),
        CALL(restart_syscall),
        /* libext2fs 1.47.2 asks before it looks for E2FSPROGS_FAKE_TIME. */
        CALL(getuid),
        CALL(geteuid),
        CALL(getgid),
        CALL(getegid),
        CALL1(prctl, IS(0, PR_GET_DUMPABLE)),
        /* Closed: the message "out of memory" is lost, and the process exits. */
        CALL1(write, IS(0, STDERR_FILENO)),
#ifdef SANITIZED
        /* The sanitizer's own; a program that is shipped has none of it. */
        CALL(mprotect),
        CALL(sigaltstack),
        CALL(futex),
        CALL(sched_yield),
        CALL(gettid),
        CALL(getpid),
        CALL(rt_sigprocmask),
        CALL(rt_sigaction),
        CALL(prctl),
        CALL(set_robust_list),
        CALL(sched_getaffinity),
#endif
};

/* Only private anonymous memory that is not executable: limits do not count shared memory. */
static const struct rule plain_memory[] = {
        CALL3(mmap, LACKS(2, PROT_EXEC), LACKS(3, MAP_SHARED), IS(4, -1)),
};

static const struct rule file_memory[] = {
        CALL2(mmap, LACKS(2, PROT_EXEC), LACKS(3, MAP_SHARED)),
        CALL2(mmap, LACKS(2, PROT_EXEC), SHARED_FILE),
};

/* clone3(2) hides its flags from a filter, so there is none: the C library then uses clone(2). */
static const struct rule threads[] = {
        CALL1(clone, IS(0, THREAD_FLAGS)),
        CALL(futex),
        CALL(set_robust_list),
        CALL(rseq),
        CALL1(mprotect, LACKS(2, PROT_EXEC)),
        CALL(rt_sigaction),
        CALL(rt_sigprocmask),
        CALL(sched_yield),
        CALL1(sched_getaffinity, IS(0, 0)),
        CALL(nanosleep),
        CALL(clock_nanosleep),
        CALL(getrandom),
        CALL(gettid),
        CALL(getpid),
        CALL(poll),
        CALL(ppoll),
        CALL(close),
};

/* Reading the files that the process can see. */
static const struct rule files[] = {
        CALL1(open, LACKS(1, NOT_TO_READ)),
        CALL1(openat, LACKS(2, NOT_TO_READ)),
        CALL(close),
        CALL(read),
        CALL(readv),
        CALL(pread64),
        CALL(lseek),
        CALL(fstat),
        CALL(stat),
        CALL(lstat),
        CALL(newfstatat),
        CALL(statx),
        CALL(access),
        CALL(faccessat),
        CALL(faccessat2),
        CALL(readlink),
        CALL(readlinkat),
        CALL(getdents64),
        CALL(fadvise64),
        CALL(getpid),
        CALL(getrandom),
        CALL(uname),
        CALL(sysinfo),
        CALL(rt_sigaction),
        CALL(rt_sigprocmask),
        CALL(sigaltstack),
};

/* fcntl(2) could have signals sent to other processes, so only these commands are allowed. */
static const struct rule network[] = {
        CALL1(socket, IS(0, AF_INET)),
        CALL1(socket, IS(0, AF_INET6)),
        CALL1(socket, IS(0, AF_UNIX)),
        CALL2(socket, IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE)),
        CALL1(socketpair, IS(0, AF_UNIX)),
        /*
         * The resolver's netlink socket for the list of addresses: its address is the only one of
         * this length.
         */
        CALL1(bind, IS(2, sizeof(struct sockaddr_nl))),
        CALL(connect),
        CALL(getsockopt),
        CALL(setsockopt),
        CALL(getsockname),
        CALL(getpeername),
        CALL(shutdown),
        CALL(write),
        CALL(writev),
        CALL(sendto),
        CALL(sendmsg),
        CALL(sendmmsg),
        CALL(recvfrom),
        CALL(recvmsg),
        CALL(recvmmsg),
        CALL(select),
        CALL(pselect6),
        CALL(epoll_create1),
        CALL(epoll_ctl),
        CALL(epoll_wait),
        CALL(epoll_pwait),
        CALL(eventfd2),
        CALL(pipe2),
        CALL1(fcntl, IS(1, F_GETFL)),
        CALL1(fcntl, IS(1, F_SETFL)),
        CALL1(fcntl, IS(1, F_GETFD)),
        CALL1(fcntl, IS(1, F_SETFD)),
        CALL1(fcntl, IS(1, F_DUPFD_CLOEXEC)),
        CALL1(ioctl, IS(1, FIONBIO)),
        CALL1(ioctl, IS(1, FIONREAD)),
};

/* The loader maps code of files, not to be written; whatever runs has this filter, too. */
static const struct rule program[] = {
        CALL(execve),
        CALL1(mmap, LACKS(2, PROT_WRITE)),
        CALL1(mprotect, LACKS(2, PROT_EXEC)),
        CALL1(write, IS(0, STDOUT_FILENO)),
        CALL(arch_prctl),
        CALL(set_tid_address),
        CALL(set_robust_list),
        CALL(rseq),
        CALL(futex),
        CALL1(prlimit64, IS_NULL(2)),
        CALL(getrusage),
        CALL1(sched_getaffinity, IS(0, 0)),
        CALL1(ioctl, IS(1, BLKGETSIZE64)),
        CALL1(ioctl, IS(1, BLKGETSIZE)),
        CALL1(ioctl, IS(1, BLKSSZGET)),
        CALL1(ioctl, IS(1, BLKPBSZGET)),
        CALL1(ioctl, IS(1, BLKROGET)),
        CALL1(ioctl, IS(1, TCGETS)),
};

/* Calls that kill the process in roles where unknown calls fail with EPERM. */
static const struct rule deadly[] = {
        CALL(fork),
        CALL(vfork),
        CALL1(clone, NO_THREAD),
        CALL(execve),
        CALL(execveat),
        CALL(ptrace),
        CALL(process_vm_readv),
        CALL(process_vm_writev),
        CALL(kill),
        CALL(tkill),
        CALL(setuid),
        CALL(setgid),
        CALL(setgroups),
        CALL(setreuid),
        CALL(setregid),
        CALL(setresuid),
        CALL(setresgid),
        CALL(mount),
        CALL(umount2),
        CALL(chroot),
        CALL(pivot_root),
        CALL(unshare),
        CALL(setns),
        CALL(open_by_handle_at),
        CALL(bpf),
        CALL(keyctl),
        CALL(perf_event_open),
        CALL(userfaultfd),
};

/* Calls on descriptors; argument 0 is the descriptor. */
static const struct {
	unsigned uses;
	struct rule rule; /* at most two conditions beside the one on the descriptor */
} rights[] = {
        {USE(LINE) | USE(SPOOL), CALL(read)},
        {USE(LINE) | USE(OUTPUT) | USE(SPOOL), CALL(write)},
        {USE(LINE), CALL(recvfrom)},
        {USE(LINE), CALL1(sendto, IS_NULL(4))},
        {USE(LINE), CALL(shutdown)},
        {USE(INPUT) | USE(DISK) | USE(SPOOL), CALL(pread64)},
        {USE(INPUT) | USE(DISK) | USE(SPOOL), CALL(lseek)},
        {USE(INPUT) | USE(DISK) | USE(SPOOL), CALL(fstat)},
        {USE(DISK) | USE(SPOOL), CALL(pwrite64)},
        {USE(DISK), CALL(pwritev)},
        {USE(DISK), CALL(fsync)},
        {USE(DISK), CALL(fdatasync)},
        {USE(DISK) | USE(SPOOL), CALL(fallocate)},
        {USE(DISK) | USE(SPOOL), CALL(ftruncate)},
        {USE(DISK), CALL1(ioctl, IS(1, BLKZEROOUT))},
        {USE(DISK), CALL1(ioctl, IS(1, BLKGETSIZE64))},
        {USE(DISK), CALL1(ioctl, IS(1, BLKSSZGET))},
        {USE(DISK), CALL1(ioctl, IS(1, BLKROGET))},
};

static int add(scmp_filter_ctx f, uint32_t action, const struct rule *r)
{
	int rc = seccomp_rule_add_array(f, action, r->call, r->conditions, r->arg);

	/* Two tables may have the same rule; a call may not exist on this architecture. */
	return rc == -EEXIST || rc == -EDOM ? 0 : rc;
}

static int add_all(scmp_filter_ctx f, uint32_t action, const struct rule *r, size_t n)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add(f, action, &r[i]);
	return rc;
}

#define ALLOW(table) add_all(f, SCMP_ACT_ALLOW, table, ARRAY_LEN(table))

/* A rule for the parent's line, or for all numbers of a use (JAIL_USE_MAX of them). */
static int add_on(scmp_filter_ctx f, const struct rule *r, int first, int n)
{
	struct scmp_arg_cmp arg[3] = {
	        {0, SCMP_CMP_MASKED_EQ, UINT32_MAX & ~((scmp_datum_t)n - 1), (scmp_datum_t)first}};

	for (unsigned i = 0; i < r->conditions; i++)
		arg[i + 1] = r->arg[i];
	return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, r->call, r->conditions + 1, arg);
}

/*
 * An output grows at its end, where nothing that is there can change any more. Forward from there
 * the child may skip, which leaves a hole: lseek(fd, 0..file_size, SEEK_CUR).
 */
static int allow_output(scmp_filter_ctx f, uint64_t file_size)
{
	const struct rule skip = {
	        SCMP_SYS(lseek),
	        2,
	        {{1, SCMP_CMP_LE, MIN(file_size, (uint64_t)INT64_MAX), 0}, IS(2, SEEK_CUR)}};

	return add_on(f, &skip, JAIL_FD(JAIL_OUTPUT, 0), JAIL_USE_MAX);
}

static int allow_use(scmp_filter_ctx f, enum jail_use use)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(rights); i++) {
		if (!(rights[i].uses & 1u << use))
			continue;
		rc = add_on(f, &rights[i].rule, JAIL_FD(use, 0), JAIL_USE_MAX);
		if (rc == 0 && use == JAIL_LINE)
			rc = add_on(f, &rights[i].rule, JAIL_PARENT, 1);
	}
	return rc;
}

void jail_use_row(enum jail_use use, struct buf *out)
{
	buf_putf(out, "| %s |", jail_use_name(use));
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const struct rule *r = &rights[i].rule;
		char *name;

		if (!(rights[i].uses & 1u << use))
			continue;
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, r->call);
		if (r->call != SCMP_SYS(ioctl))
			buf_putf(out, " %s", name ? name : "?");
		free(name);
	}
	if (use == JAIL_OUTPUT)
		buf_puts(out, " lseek forward");
	if (use == JAIL_DISK)
		buf_puts(out, " ioctl BLKZEROOUT BLKGETSIZE64 BLKSSZGET BLKROGET");
	buf_puts(out, " |");
}

/* Rules for code of libraries and programs: what is allowed, and what kills. */
static int foreign_rules(scmp_filter_ctx f, const struct jail_role *r)
{
	int rc = ALLOW(files);

	if (rc == 0 && r->network)
		rc = ALLOW(network);
	if (rc == 0)
		rc = ALLOW(file_memory);
	if (rc == 0 && r->runs)
		rc = ALLOW(program);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(deadly); i++)
		if (!r->runs || deadly[i].call != SCMP_SYS(execve))
			rc = add(f, SCMP_ACT_KILL_PROCESS, &deadly[i]);
	return rc;
}

static int rules(scmp_filter_ctx f, const struct jail_spec *s)
{
	const struct jail_role *r = &jail_roles[s->role];
	const struct rule no_clone3 = CALL(clone3);
	int rc = ALLOW(harmless);

	if (rc == 0 && r->threads)
		rc = ALLOW(threads);
	if (rc == 0 && (r->threads || r->view))
		rc = add(f, SCMP_ACT_ERRNO(ENOSYS), &no_clone3);
	for (unsigned use = 0; rc == 0 && use < JAIL_USES; use++)
		if (r->uses & 1u << use)
			rc = allow_use(f, use);
	if (rc == 0 && r->uses & USE(OUTPUT))
		rc = allow_output(f, s->file_size);
	if (rc < 0)
		return rc;
	return r->view ? foreign_rules(f, r) : ALLOW(plain_memory);
}

int filter_load(const struct jail_spec *spec, struct err *err)
{
	bool foreign = jail_roles[spec->role].view != NULL;
	scmp_filter_ctx f = seccomp_init(foreign ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
	int rc = f ? 0 : -ENOMEM;

	if (rc == 0 && foreign)
		rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = rules(f, spec);
	if (rc == 0)
		rc = seccomp_load(f);
	if (f)
		seccomp_release(f);
	if (rc < 0)
		return err_sys(err, -rc, "system call filter");
	return 0;
}
