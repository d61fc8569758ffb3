/* SPDX-License-Identifier: MIT */
/* Children that try to escape from the jail, and how each one ends. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "jail/filter.h"
#include "jail/jail.h"
#include "jail/wire.h"

#define UID 65534
#define WRITE_FD JAIL_FD(JAIL_OUTPUT, 0)
#define READ_FD JAIL_FD(JAIL_INPUT, 0)

struct rig {
	int write_fd[2], read_fd[1];
	int leak; /* open in the parent, not close-on-exec, not given to the child */
};

static int temp_file(void)
{
	char name[] = "/tmp/jail-test-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

static int rig_setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof *r);

	r->write_fd[0] = temp_file();
	r->write_fd[1] = temp_file();
	r->read_fd[0] = temp_file();
	r->leak = temp_file();
	assert_int_equal(write(r->read_fd[0], "guest bytes", 11), 11);
	*state = r;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *r = *state;

	close(r->write_fd[0]);
	close(r->write_fd[1]);
	close(r->read_fd[0]);
	close(r->leak);
	free(r);
	return 0;
}

static struct jail_spec spec_of(const struct rig *r, int (*fn)(void *), void *arg)
{
	struct jail_spec spec = {.role = JAIL_READER,
	                         .uid = UID,
	                         .memory = 64u << 20,
	                         .file_size = 1u << 20,
	                         .cpu = 1,
	                         .main = fn,
	                         .arg = arg};

	assert_int_equal(jail_give(&spec, JAIL_OUTPUT, r->write_fd[0]), WRITE_FD);
	assert_int_equal(jail_give(&spec, JAIL_INPUT, r->read_fd[0]), READ_FD);
	assert_int_equal(jail_give(&spec, JAIL_OUTPUT, r->write_fd[1]), WRITE_FD + 1);
	return spec;
}

static int good_child(void *arg)
{
	struct wire w = {.fd = JAIL_PARENT, .peer = "parent"};
	struct err err = ERR_INIT;
	char b[16] = "";

	if (pread(READ_FD, b, sizeof b, 6) != 5 || memcmp(b, "bytes", 5) != 0)
		return 2;
	if (write(WRITE_FD, "kernel", 6) != 6 || write(WRITE_FD + 1, "initrd", 6) != 6)
		return 3;
	free(xmalloc(20u << 20));
	if (wire_put(&w, 9, STR("done"), &err) < 0)
		return 4;
	if (read(JAIL_PARENT, b, 1) != 0) /* until the parent has examined this process */
		return 5;
	return 0;
}

static void status_has(pid_t pid, const char *words)
{
	_free_ char *path = xasprintf("/proc/%d/status", (int)pid);
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	assert_ok(io_read_file(AT_FDCWD, path, 65536, &b, &err), &err);
	if (!strstr(b.p, words))
		fail_msg("no \"%s\" in %s", words, b.p);
	buf_fini(&b);
}

static bool namespace_own(pid_t pid, const char *which)
{
	_free_ char *theirs = xasprintf("/proc/%d/ns/%s", (int)pid, which);
	_free_ char *ours = xasprintf("/proc/self/ns/%s", which);
	char a[64] = "", b[64] = "";

	if (readlink(theirs, a, sizeof a - 1) < 0 || readlink(ours, b, sizeof b - 1) < 0)
		return false;
	return strcmp(a, b) != 0;
}

/* What the kernel reports about a child in the jail. */
/* Not so as root of "unshare -r". */
static bool others_exist(void)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned from = 0, count = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u %*u %u", &from, &count), 2);
	(void)fclose(f);
	return from == 0 && count > 65534;
}

static void seen_from_outside(void **state)
{
	static const char *const spaces[] = {"mnt", "net", "ipc", "pid", "user"};
	struct jail_spec spec = spec_of(*state, good_child, NULL);
	static const struct wire_rule rules[] = {{0, 9, 100, 0}};
	struct jail j = JAIL_INIT;
	struct buf body = BUF_INIT;
	struct err err = ERR_INIT;
	struct wire w = {.rules = rules, .rule_count = 1, .peer = "child"};
	struct stat st;
	uint32_t type;
	char *path;

	assert_ok(jail_start(&spec, &j, &err), &err);
	w.fd = j.fd;
	assert_ok(wire_recv(&w, &type, &body, 5000, NULL, &err), &err);
	status_has(j.pid, "NoNewPrivs:\t1");
	status_has(j.pid, "Seccomp:\t2");
	status_has(j.pid, "CapEff:\t0000000000000000");
	status_has(j.pid, "CapPrm:\t0000000000000000");
	if (geteuid() == 0 && others_exist()) {
		status_has(j.pid, "Uid:\t65534\t65534\t65534\t65534");
		status_has(j.pid, "Gid:\t65534\t65534\t65534\t65534");
		status_has(j.pid, "Groups:\t \n");
		for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
			if (!namespace_own(j.pid, spaces[i]))
				print_message("[   NOTE   ] no %s namespace here\n", spaces[i]);
		path = xasprintf("/proc/%d/fd/%d", (int)j.pid, ((struct rig *)*state)->leak);
		assert_int_equal(lstat(path, &st), -1);
		free(path);
	}
	shutdown(j.fd, SHUT_WR);
	assert_ok(jail_wait(&j, "child", &err), &err);
	assert_int_equal(lseek(((struct rig *)*state)->write_fd[0], 0, SEEK_END), 6);
	buf_fini(&body);
	jail_fini(&j);
}

static int try_open(void *arg)
{
	return open("/etc/passwd", O_RDONLY) >= 0 ? 0 : 9;
}

static int try_socket(void *arg)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : 9;
}

static int try_fork(void *arg)
{
	return fork() >= 0 ? 0 : 9;
}

static int try_exec(void *arg)
{
	char *const argv[] = {NULL};

	return execve("/bin/true", argv, argv);
}

static int try_write_disk(void *arg)
{
	return write(READ_FD, "x", 1) == 1 ? 0 : 9;
}

static int try_pwrite_disk(void *arg)
{
	return pwrite(READ_FD, "x", 1, 0) == 1 ? 0 : 9;
}

static int try_write_leak(void *arg)
{
	return write(*(int *)arg, "x", 1) == 1 ? 0 : 9;
}

static int try_read_output(void *arg)
{
	char b;

	return pread(WRITE_FD, &b, 1, 0) == 1 ? 0 : 9;
}

static int skipping_child(void *arg)
{
	/* Within the size limit of an output, then from there. */
	if (lseek(WRITE_FD, 1u << 19, SEEK_CUR) != 1u << 19 || write(WRITE_FD, "end", 3) != 3 ||
	    lseek(WRITE_FD, 0, SEEK_CUR) != (1u << 19) + 3 ||
	    lseek(WRITE_FD + 1, 1u << 20, SEEK_CUR) != 1u << 20)
		return 2;
	return 0;
}

/* Writing after a hole works, and seeking alone does not make a file longer. */
static void skips(void **state)
{
	struct rig *r = *state;
	struct jail_spec spec = spec_of(r, skipping_child, NULL);
	struct jail j = JAIL_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	assert_ok(jail_start(&spec, &j, &err), &err);
	assert_ok(jail_wait(&j, "child", &err), &err);
	assert_int_equal(fstat(r->write_fd[0], &st), 0);
	assert_int_equal(st.st_size, (1u << 19) + 3);
	assert_true(st.st_blocks <= 16); /* of 512 bytes */
	assert_int_equal(fstat(r->write_fd[1], &st), 0);
	assert_int_equal(st.st_size, 0);
	jail_fini(&j);
}

static int try_back(void *arg)
{
	return lseek(WRITE_FD, -1, SEEK_CUR) >= 0 ? 0 : 9;
}

static int try_start(void *arg)
{
	return lseek(WRITE_FD, 0, SEEK_SET) >= 0 ? 0 : 9;
}

static int try_end(void *arg)
{
	return lseek(WRITE_FD, 0, SEEK_END) >= 0 ? 0 : 9;
}

static int try_data(void *arg)
{
	return lseek(WRITE_FD, 0, SEEK_DATA) >= 0 ? 0 : 9;
}

static int try_far(void *arg)
{
	return lseek(WRITE_FD, (1u << 20) + 1, SEEK_CUR) >= 0 ? 0 : 9;
}

static int try_pwrite_output(void *arg)
{
	return pwrite(WRITE_FD, "x", 1, 0) == 1 ? 0 : 9;
}

static int try_truncate(void *arg)
{
	return ftruncate(WRITE_FD, 0) == 0 ? 0 : 9;
}

static int try_allocate(void *arg)
{
	return fallocate(WRITE_FD, 0, 0, 4096) == 0 ? 0 : 9;
}

static int try_seek_line(void *arg)
{
	return (int)lseek(JAIL_PARENT, 0, SEEK_CUR);
}

static int try_seek_leak(void *arg)
{
	return lseek(*(int *)arg, 0, SEEK_CUR) >= 0 ? 0 : 9;
}

/* Seeks forward, as allowed, but beyond the limit of a file's size. */
static int skip_over(void *arg)
{
	for (int i = 0; i < 2; i++)
		if (lseek(WRITE_FD, 1u << 20, SEEK_CUR) < 0)
			return 9;
	return write(WRITE_FD, "x", 1) == 1 ? 0 : 9;
}

static int try_ioctl(void *arg)
{
	return (int)syscall(SYS_ioctl, READ_FD, 0x1234, 0);
}

static int try_kill(void *arg)
{
	return kill(1, SIGTERM);
}

static int try_ptrace(void *arg)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int try_mmap_exec(void *arg)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int try_mmap_file(void *arg)
{
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, READ_FD, 0) == MAP_FAILED;
}

static int try_old_interface(void *arg)
{
#ifdef __x86_64__
	long rc;

	/* getpid() by its 32-bit number: the filter must distinguish the two tables. */
	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(20L) : "memory");
	return rc > 0 ? 0 : 9;
#else
	return (int)syscall(SYS_getppid);
#endif
}

/*
 * A kernel without 32-bit calls (no CONFIG_IA32_EMULATION) kills a process that tries one. Then
 * there is nothing to forbid.
 */
static int lacks_old_interface(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* cmocka has a handler */
		_exit(try_old_interface(NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

static int try_uid(void *arg)
{
	return (int)syscall(SYS_setuid, 0);
}

#ifndef SANITIZED
static int crash(void *arg)
{
	__builtin_trap();
}
#endif

static int hog_time(void *arg)
{
	volatile bool on = true;

	while (on)
		continue;
	return 0;
}

static int hog_disk(void *arg)
{
	static char b[65536];

	for (;;)
		if (write(WRITE_FD, b, sizeof b) < 0)
			return 9;
}

#ifndef SANITIZED
static int hog_memory(void *arg)
{
	for (int i = 0; i < 1000; i++)
		memset(xmalloc(1u << 20), 1, 1u << 20);
	return 0;
}
#endif

static int odd_status(void *arg)
{
	return 7;
}

static void none_gets_out(void **state)
{
	static const struct {
		const char *what;
		int (*fn)(void *);
		const char *words;
	} table[] = {
	        {"open", try_open, "forbids"},
	        {"socket", try_socket, "forbids"},
	        {"fork", try_fork, "forbids"},
	        {"exec", try_exec, "forbids"},
	        {"write to a disk", try_write_disk, "forbids"},
	        {"pwrite to a disk", try_pwrite_disk, "forbids"},
	        {"write to what leaked", try_write_leak, "forbids"},
	        {"read an output", try_read_output, "forbids"},
	        {"back in an output", try_back, "forbids"},
	        {"to an output's start", try_start, "forbids"},
	        {"to an output's end", try_end, "forbids"},
	        {"an output's data", try_data, "forbids"},
	        {"far in an output", try_far, "forbids"},
	        {"pwrite to an output", try_pwrite_output, "forbids"},
	        {"truncate", try_truncate, "forbids"},
	        {"fallocate", try_allocate, "forbids"},
	        {"seek the line", try_seek_line, "forbids"},
	        {"seek what leaked", try_seek_leak, "forbids"},
	        {"ioctl", try_ioctl, "forbids"},
	        {"kill", try_kill, "forbids"},
	        {"ptrace", try_ptrace, "forbids"},
	        {"run memory", try_mmap_exec, "forbids"},
	        {"map a file", try_mmap_file, "forbids"},
	        {"32-bit calls", try_old_interface, "forbids"},
	        {"setuid", try_uid, "forbids"},
#ifndef SANITIZED
	        {"crash", crash, "crashed: "},
	        {"memory", hog_memory, "out of memory"},
#endif
	        {"time", hog_time, "too much CPU time"},
	        {"disk", hog_disk, ""}, /* a signal or an error, depending on the namespace */
	        {"disk behind a hole", skip_over, ""},
	        {"status", odd_status, "ended with status 7"},
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct jail_spec spec = spec_of(r, table[i].fn, &r->leak);
		struct jail j = JAIL_INIT;
		struct err err = ERR_INIT;
		const char *words = table[i].words;

		if (table[i].fn == try_old_interface && lacks_old_interface())
			words = "crashed: ";
		assert_ok(jail_start(&spec, &j, &err), &err);
		if (jail_wait(&j, "child", &err) != -ERR_CHILD)
			fail_msg("%s: it got out: %s", table[i].what, err.text);
		if (!strstr(err.text, words))
			fail_msg("%s: \"%s\" does not say \"%s\"", table[i].what, err.text, words);
		jail_fini(&j);
	}
	assert_int_equal(lseek(r->write_fd[0], 0, SEEK_END), 1u << 20);
	assert_int_equal(lseek(r->leak, 0, SEEK_END), 0);
	assert_int_equal(lseek(r->read_fd[0], 0, SEEK_END), 11);
}

static int sleep_for_ever(void *arg)
{
	char b;

	return read(JAIL_PARENT, &b, 1) == 1 ? 0 : 9;
}

static void ended(void **state)
{
	struct jail_spec spec = spec_of(*state, sleep_for_ever, NULL);
	struct jail j = JAIL_INIT;
	struct err err = ERR_INIT;
	pid_t pid;

	assert_ok(jail_start(&spec, &j, &err), &err);
	pid = j.pid;
	jail_end(&j, true);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(j.fd, -1);
}

/* A child that ends by itself, and one that does not. */
static void reaped(void **state)
{
	struct jail_spec status = spec_of(*state, odd_status, NULL);
	struct jail_spec hangs = spec_of(*state, sleep_for_ever, NULL);
	struct jail j = JAIL_INIT;
	struct err err = ERR_INIT;
	pid_t pid;

	assert_ok(jail_start(&status, &j, &err), &err);
	assert_fails(jail_reap(&j, "child", &err), &err, ERR_CHILD, "ended with status 7");
	jail_fini(&j);
	assert_ok(jail_start(&hangs, &j, &err), &err);
	pid = j.pid;
	assert_fails(jail_reap(&j, "child", &err), &err, ERR_CHILD, "child: ended early");
	assert_int_equal(kill(pid, 0), -1);
	jail_fini(&j);
}

static void not_built(void **state)
{
	struct jail_spec spec = spec_of(*state, good_child, NULL);
	struct jail j = JAIL_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; geteuid() == 0 && i < 2; i++) {
		spec.uid = (uid_t)-i;
		assert_fails(jail_start(&spec, &j, &err), &err, ERR_USAGE, "cannot run as user");
	}
	spec.uid = UID;
	jail_give(&spec, JAIL_DISK, 0);
	assert_fails(jail_start(&spec, &j, &err), &err, ERR_USAGE, "reader: may have no disk");
	spec.fds = 0;
	for (size_t i = 0; i <= JAIL_USE_MAX; i++)
		jail_give(&spec, JAIL_INPUT, 0);
	assert_fails(jail_start(&spec, &j, &err), &err, ERR_LIMIT, "over 64 descriptors as input");
	while (spec.fds <= JAIL_FDS_MAX)
		jail_give(&spec, JAIL_OUTPUT, 0);
	assert_fails(jail_start(&spec, &j, &err), &err, ERR_LIMIT,
	             "129 file descriptors, more than the limit of 128");
	/* The child reports it and ends. */
	spec.fds = 0;
	jail_give(&spec, JAIL_INPUT, 12345);
	assert_ok(jail_start(&spec, &j, &err), &err);
	assert_fails(jail_wait(&j, "child", &err), &err, ERR_CHILD,
	             "could not be set up: descriptors: ");
	jail_fini(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(seen_from_outside, rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(skips, rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(none_gets_out, rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(ended, rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(reaped, rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(not_built, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
