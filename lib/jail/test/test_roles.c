/* SPDX-License-Identifier: MIT */
/* What each role may do, what ends it, and that doc/security.md agrees with the
 * tables. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
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

#define USER 65534

enum { REFUSED = 40, WRONG };

static int temp_file(void)
{
	char name[] = "/tmp/roles-test-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

/* A file for each use that the role may have, except lines. */
static struct jail_spec spec_of(enum jail_role_id role, int (*fn)(void *), void *arg)
{
	struct jail_spec spec = {.role = role,
	                         .uid = USER,
	                         .memory = 512u << 20,
	                         .file_size = 16u << 20,
	                         .cpu = 5,
	                         .main = fn,
	                         .arg = arg};

	for (unsigned use = JAIL_OUTPUT; use < JAIL_USES; use++)
		if (jail_roles[role].uses & 1u << use)
			jail_give(&spec, use, temp_file());
	return spec;
}

static void spec_fini(struct jail_spec *s)
{
	while (s->fds)
		close(s->fd[--s->fds].fd);
}

/* ---- what ends it -----------------------------------------------------------
 */

/* 0: it was allowed. EPERM and ENOSYS: refused. */
static int said(long rc)
{
	if (rc >= 0)
		return 0;
	return errno == EPERM || errno == ENOSYS ? REFUSED : WRONG;
}

static int try_open(void *arg)
{
	return said(open("/etc/passwd", O_RDONLY));
}

static int try_open_to_write(void *arg)
{
	return said(open("/dev/null", O_WRONLY));
}

static int try_create(void *arg)
{
	return said(openat(AT_FDCWD, "/tmp/x", O_RDONLY | O_CREAT, 0600));
}

static int try_unlink(void *arg)
{
	return said(unlink("/tmp/x"));
}

static int try_socket(void *arg)
{
	return said(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_packets(void *arg)
{
	return said(socket(AF_PACKET, SOCK_RAW, 0));
}

static int try_listen(void *arg)
{
	return said(listen(JAIL_PARENT, 1));
}

static int try_bind(void *arg)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	return said(bind(JAIL_PARENT, (struct sockaddr *)&a, sizeof a));
}

static int try_fork(void *arg)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return said(pid);
}

static int try_vm_clone(void *arg)
{
	return said(syscall(SYS_clone, CLONE_VM | CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
}

static int try_namespace(void *arg)
{
	return said(unshare(CLONE_NEWUSER));
}

static int try_exec(void *arg)
{
	char *const argv[] = {NULL};

	return said(execve("/bin/true", argv, argv));
}

static int try_exec_at(void *arg)
{
	char *const argv[] = {NULL};

	return said(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, argv, 0));
}

static int try_ptrace(void *arg)
{
	return said(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_kill(void *arg)
{
	return said(kill(1, 0));
}

static int try_uid(void *arg)
{
	return said(syscall(SYS_setuid, 0));
}

static int try_mount(void *arg)
{
	return said(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int try_run_memory(void *arg)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
	               -1, 0);

	return said(p == MAP_FAILED ? -1 : 0);
}

static int try_share_memory(void *arg)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return said(p == MAP_FAILED ? -1 : 0);
}

#ifndef SANITIZED
static int try_make_code(void *arg)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return said(p == MAP_FAILED ? -1 : mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
#endif

static int try_ioctl(void *arg)
{
	return said(ioctl(JAIL_PARENT, TIOCSTI, "x"));
}

static int try_handle(void *arg)
{
	return said(syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0));
}

static int try_queue(void *arg)
{
	return said(syscall(SYS_io_uring_setup, 1, NULL));
}

/* The filter checks descriptor numbers, whether they are open or not. */
static int try_write_input(void *arg)
{
	return said(pwrite(JAIL_FD(JAIL_INPUT, 0), "x", 1, 0));
}

static int try_write_output_back(void *arg)
{
	return said(pwrite(JAIL_FD(JAIL_OUTPUT, 0), "x", 1, 0));
}

static int try_write_disk(void *arg)
{
	return said(pwrite(JAIL_FD(JAIL_DISK, 0), "x", 1, 0));
}

static int try_truncate_input(void *arg)
{
	return said(ftruncate(JAIL_FD(JAIL_INPUT, 0), 0));
}

static int try_disk_ioctl(void *arg)
{
	return said(ioctl(JAIL_FD(JAIL_DISK, 0), BLKRRPART, 0));
}

static int try_input_zero(void *arg)
{
	uint64_t range[2] = {0, 4096};

	return said(ioctl(JAIL_FD(JAIL_INPUT, 0), BLKZEROOUT, range));
}

static int try_pass(void *arg)
{
	struct msghdr m = {.msg_iovlen = 0};

	return said(sendmsg(JAIL_FD(JAIL_LINE, 0), &m, 0));
}

#define ALL ((1u << JAIL_ROLES) - 1)
#define ROLE(name) (1u << JAIL_##name)
#define FOREIGN (ROLE(FETCHER) | ROLE(FSCK))

/* may: roles that are allowed it; refused: roles that get EPERM or ENOSYS and
 * continue. */
static const struct {
	const char *what;
	int (*fn)(void *);
	unsigned may, refused;
} attempts[] = {
        {"open", try_open, FOREIGN, 0},
        {"open to write", try_open_to_write, 0, FOREIGN},
        {"create a file", try_create, 0, FOREIGN},
        {"unlink", try_unlink, 0, FOREIGN},
        {"socket", try_socket, ROLE(FETCHER), ROLE(FSCK)},
        {"packet socket", try_packets, 0, FOREIGN},
        {"listen", try_listen, 0, FOREIGN},
        {"bind", try_bind, 0, FOREIGN},
        {"fork", try_fork, 0, 0},
        {"clone with memory", try_vm_clone, 0, 0},
        {"namespace", try_namespace, 0, 0},
        {"exec", try_exec, ROLE(FSCK), 0},
        {"execveat", try_exec_at, 0, 0},
        {"ptrace", try_ptrace, 0, 0},
        {"kill", try_kill, 0, 0},
        {"setuid", try_uid, 0, 0},
        {"mount", try_mount, 0, 0},
        {"memory to run", try_run_memory, 0, FOREIGN},
        {"memory to share", try_share_memory, 0, FOREIGN},
#ifndef SANITIZED
        {"memory made to run", try_make_code, 0, FOREIGN},
#endif
        {"ioctl", try_ioctl, 0, FOREIGN},
        {"file handle", try_handle, 0, 0},
        {"io_uring", try_queue, 0, FOREIGN},
        {"write to an input", try_write_input, 0, FOREIGN},
        {"write back in an output", try_write_output_back, 0, FOREIGN},
        {"write to a disk", try_write_disk, ROLE(EDITOR) | ROLE(WRITER) | ROLE(RENAMER), FOREIGN},
        {"truncate an input", try_truncate_input, 0, FOREIGN},
        {"ioctl of a disk", try_disk_ioctl, 0, FOREIGN},
        {"zero an input", try_input_zero, 0, FOREIGN},
        {"pass descriptors", try_pass, ROLE(FETCHER), ROLE(FSCK)},
};

static void none_gets_out(void **state)
{
	for (unsigned role = 0; role < JAIL_ROLES; role++)
		for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
			struct jail_spec spec = spec_of(role, attempts[i].fn, NULL);
			const char *name = jail_roles[role].name;
			struct jail j = JAIL_INIT;
			struct err err = ERR_INIT;
			int status = 0, rc;

			if (attempts[i].may & 1u << role) {
				spec_fini(&spec);
				continue;
			}
			assert_ok(jail_start(&spec, &j, &err), &err);
			rc = jail_status(&j, name, &status, &err);
			if (attempts[i].refused & 1u << role) {
				if (rc != 0 || status != REFUSED)
					fail_msg("%s: %s: status %d, %s", name, attempts[i].what,
					         status, err.text);
			} else if (rc != -ERR_CHILD || !strstr(err.text, "forbids") ||
			           strncmp(err.text, name, strlen(name)) != 0) {
				fail_msg("%s: %s: it lives: status %d, \"%s\"", name,
				         attempts[i].what, status, err.text);
			}
			jail_fini(&j);
			spec_fini(&spec);
		}
}

/* ---- what it may ------------------------------------------------------------
 */

static void must_work(struct jail_spec *spec)
{
	const char *name = jail_roles[spec->role].name;
	struct jail j = JAIL_INIT;
	struct err err = ERR_INIT;

	assert_ok(jail_start(spec, &j, &err), &err);
	assert_ok(jail_wait(&j, name, &err), &err);
	jail_fini(&j);
}

#define THREADS 8

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned done;
};

static void *thread(void *arg)
{
	struct shared *s = arg;
	const struct timespec moment = {0, 1000000};

	for (int i = 0; i < 100; i++)
		free(xmalloc(300000));
	nanosleep(&moment, NULL);
	pthread_mutex_lock(&s->lock);
	s->done++;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static int threads_run(void)
{
	struct shared s = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
	pthread_t id[THREADS];
	struct timespec until;

	for (unsigned i = 0; i < THREADS; i++)
		if (pthread_create(&id[i], NULL, thread, &s) != 0)
			return 10;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&s.lock);
	while (s.done < THREADS)
		if (pthread_cond_timedwait(&s.wake, &s.lock, &until) != 0)
			return 11;
	pthread_mutex_unlock(&s.lock);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	return 0;
}

static int spool_work(void)
{
	int spool = JAIL_FD(JAIL_SPOOL, 0);
	char b[6] = "";

	if (write(spool, "spool", 5) != 5 || lseek(spool, 0, SEEK_SET) != 0 ||
	    read(spool, b, 6) != 5 || memcmp(b, "spool", 5) != 0)
		return 20;
	if (pwrite(spool, "S", 1, 0) != 1 || pread(spool, b, 1, 0) != 1 || b[0] != 'S')
		return 21;
	return ftruncate(spool, 0) == 0 ? 0 : 22;
}

static int editor_works(void *arg)
{
	const int disk = JAIL_FD(JAIL_DISK, 0), input = JAIL_FD(JAIL_INPUT, 0);
	uint64_t range[2] = {0, 4096};
	struct stat st;
	char b[4] = "";
	int rc = threads_run();

	if (rc == 0)
		rc = spool_work();
	if (rc)
		return rc;
	if (ftruncate(disk, 1 << 20) != 0 || pwrite(disk, "disk", 4, 4096) != 4 ||
	    pread(disk, b, 4, 4096) != 4 || memcmp(b, "disk", 4) != 0)
		return 2;
	if (fsync(disk) != 0 || fdatasync(disk) != 0)
		return 3;
	if (fallocate(disk, FALLOC_FL_KEEP_SIZE, 0, 8192) != 0 ||
	    fallocate(disk, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8192) != 0)
		return 4;
	if (jail_fstat(disk, &st) != 0 || st.st_size != 1 << 20 ||
	    lseek(disk, 0, SEEK_END) != 1 << 20)
		return 5;
	/* ENOTTY, because it is not a device: the filter allowed the call. */
	if (ioctl(disk, BLKZEROOUT, range) != -1 || errno != ENOTTY ||
	    ioctl(disk, BLKGETSIZE64, range) != -1 || errno != ENOTTY)
		return 6;
	return pread(input, b, 4, 0) == 0 ? 0 : 7;
}

/* As SQLite does on hosts where the vDSO cannot read the clock. */
static int clocks_work(void *arg)
{
	struct timespec t;
	struct timeval v;

	if (syscall(SYS_clock_gettime, CLOCK_REALTIME, &t) != 0 ||
	    syscall(SYS_gettimeofday, &v, NULL) != 0)
		return 2;
#ifdef SYS_time
	if (syscall(SYS_time, NULL) < 0)
		return 3;
#endif
	return 0;
}

static void clocks(void **state)
{
	for (unsigned role = 0; role < JAIL_ROLES; role++) {
		struct jail_spec spec = spec_of(role, clocks_work, NULL);

		must_work(&spec);
		spec_fini(&spec);
	}
}

static void editor(void **state)
{
	struct jail_spec spec = spec_of(JAIL_EDITOR, editor_works, NULL);
	struct stat st;
	char b[4];

	must_work(&spec);
	for (size_t i = 0; i < spec.fds; i++)
		if (spec.fd[i].use == JAIL_DISK) {
			assert_int_equal(fstat(spec.fd[i].fd, &st), 0);
			assert_int_equal(st.st_size, 1 << 20);
			assert_int_equal(pread(spec.fd[i].fd, b, 4, 4096), 4);
			assert_memory_equal(b, "\0\0\0\0", 4);
		}
	spec_fini(&spec);
}

#ifndef SANITIZED
static void *eat(void *arg)
{
	for (int i = 0; i < 1000; i++)
		memset(xmalloc(1u << 20), 1, 1u << 20);
	return NULL;
}

static int eats(void *arg)
{
	pthread_t id;

	return pthread_create(&id, NULL, eat, NULL) != 0 || pthread_join(id, NULL) != 0;
}

/* The memory of threads is limited, too. */
static void memory(void **state)
{
	struct jail_spec spec = spec_of(JAIL_EDITOR, eats, NULL);
	struct jail j = JAIL_INIT;
	struct err err = ERR_INIT;

	assert_ok(jail_start(&spec, &j, &err), &err);
	assert_fails(jail_wait(&j, "editor", &err), &err, ERR_CHILD, "editor: out of memory");
	jail_fini(&j);
	spec_fini(&spec);
}
#endif

static int renamer_works(void *arg)
{
	const int disk = JAIL_FD(JAIL_DISK, 0);
	char b[4] = "";

	return pwrite(disk, "disk", 4, 4096) == 4 && pread(disk, b, 4, 4096) == 4 &&
	                       memcmp(b, "disk", 4) == 0 && fsync(disk) == 0
	               ? 0
	               : 2;
}

static void renamer(void **state)
{
	struct jail_spec spec = spec_of(JAIL_RENAMER, renamer_works, NULL);

	must_work(&spec);
	spec_fini(&spec);
}

static int writer_works(void *arg)
{
	const int image = JAIL_FD(JAIL_DISK, 0);
	int rc = threads_run();

	if (rc == 0)
		rc = spool_work();
	if (rc)
		return rc;
	return pwrite(image, "image", 5, 100) == 5 && fsync(image) == 0 &&
	                       fallocate(image, 0, 0, 8192) == 0
	               ? 0
	               : 3;
}

static void writer(void **state)
{
	struct jail_spec spec = spec_of(JAIL_WRITER, writer_works, NULL);

	must_work(&spec);
	spec_fini(&spec);
}

/* Two processes with a line between them, and a page of shared memory. */
static int asks(void *arg)
{
	const int line = JAIL_FD(JAIL_LINE, 0);
	struct pollfd p = {.fd = line, .events = POLLIN};
	char b[8] = "";

	if (send(line, "ask", 3, MSG_NOSIGNAL) != 3 || shutdown(line, SHUT_WR) != 0)
		return 2;
	if (poll(&p, 1, 60000) != 1 || recv(line, b, sizeof b, 0) != 6 || memcmp(b, "answer", 6))
		return 3;
	++*(unsigned *)arg;
	return close(line) == 0 ? 0 : 4;
}

static int answers(void *arg)
{
	const int line = JAIL_FD(JAIL_LINE, 0);
	char b[8];
	size_t n = 0;
	ssize_t got;

	while ((got = read(line, b + n, sizeof b - n)) > 0)
		n += (size_t)got;
	return n == 3 && write(line, "answer", 6) == 6 ? 0 : 2;
}

static void two_processes(void **state)
{
	unsigned *page =
	        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct jail_spec first = spec_of(JAIL_EDITOR, asks, page);
	struct jail_spec second = spec_of(JAIL_UNPACKER, answers, NULL);
	struct jail a = JAIL_INIT, b = JAIL_INIT;
	struct err err = ERR_INIT;
	int line[2];

	assert_true(page != MAP_FAILED);
	assert_ok(jail_pair(line, &err), &err);
	assert_int_equal(jail_give(&first, JAIL_LINE, line[0]), JAIL_FD(JAIL_LINE, 0));
	jail_give(&second, JAIL_LINE, line[1]);
	assert_ok(jail_start(&first, &a, &err), &err);
	assert_ok(jail_start(&second, &b, &err), &err);
	spec_fini(&first); /* the lines, too */
	spec_fini(&second);
	assert_ok(jail_wait(&a, "editor", &err), &err);
	assert_ok(jail_wait(&b, "unpacker", &err), &err);
	assert_int_equal(*page, 1);
	jail_fini(&a);
	jail_fini(&b);
	munmap(page, 4096);
}

/* ---- a program --------------------------------------------------------------
 */

static int cat(void *arg)
{
	_free_ char *path = jail_path(0);
	char verb[] = "cat";
	char *argv[] = {verb, path, NULL}, *env[] = {NULL};

	execve("/bin/cat", argv, env);
	execve("/usr/bin/cat", argv, env);
	return 30;
}

static void program(void **state)
{
	struct jail_spec spec = spec_of(JAIL_FSCK, cat, NULL);
	char b[16] = "";

	spec.program = access("/usr/bin/cat", X_OK) == 0 ? "/usr/bin/cat" : "/bin/cat";
	for (size_t i = 0; i < spec.fds; i++)
		if (spec.fd[i].use == JAIL_INPUT)
			assert_int_equal(write(spec.fd[i].fd, "of root", 7), 7);
	must_work(&spec);
	for (size_t i = 0; i < spec.fds; i++)
		if (spec.fd[i].use == JAIL_OUTPUT)
			assert_int_equal(pread(spec.fd[i].fd, b, sizeof b, 0), 7);
	assert_string_equal(b, "of root");
	spec_fini(&spec);
}

static int looks_around(void *arg)
{
	/* If the jail has its own root directory, nothing else is in it. */
	return access("/etc/passwd", F_OK) == 0 || access("/root", F_OK) == 0 ? 31 : 0;
}

static void sees_little(void **state)
{
	for (unsigned role = JAIL_FETCHER; geteuid() == 0 && role <= JAIL_FSCK; role++) {
		struct jail_spec spec = spec_of(role, looks_around, NULL);

		must_work(&spec);
		spec_fini(&spec);
	}
}

/* ---- the document -----------------------------------------------------------
 */

static void documented(void **state)
{
	const char *path = getenv("SECURITY_MD");
	struct buf text = BUF_INIT, row = BUF_INIT;
	struct err err = ERR_INIT;

	if (!path)
		skip();
	assert_ok(io_read_file(AT_FDCWD, path, 1u << 20, &text, &err), &err);
	for (unsigned i = 0; i < JAIL_ROLES + JAIL_USES; i++) {
		buf_reset(&row);
		if (i < JAIL_ROLES)
			jail_role_row(&jail_roles[i], &row);
		else
			jail_use_row(i - JAIL_ROLES, &row);
		buf_puts(&row, "");
		if (!strstr(text.p, row.p))
			fail_msg("%s lacks: %s", path, row.p);
	}
	buf_fini(&text);
	buf_fini(&row);
}

/* Root and other users may do different things with namespaces and mounts, so test
 * both. */
static int again_as_user(char **argv)
{
	int status = 1;
	pid_t pid;

	if (geteuid() != 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		/* The document was compared already, and this user may be unable to read it. */
		if (unsetenv("SECURITY_MD") == 0 && setgid(USER) == 0 && setuid(USER) == 0)
			execv("/proc/self/exe", argv);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return status != 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#ifndef SANITIZED
	        cmocka_unit_test(memory),
#endif
	        cmocka_unit_test(none_gets_out), cmocka_unit_test(editor),
	        cmocka_unit_test(writer),        cmocka_unit_test(two_processes),
	        cmocka_unit_test(program),       cmocka_unit_test(sees_little),
	        cmocka_unit_test(documented),    cmocka_unit_test(renamer),
	        cmocka_unit_test(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) || again_as_user(argv);
}
