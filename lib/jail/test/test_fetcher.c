/* SPDX-License-Identifier: MIT */
/* A fetcher's jail allows downloads with the real libcurl and resolver, and nothing else. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "jail/jail.h"

#define USER 65534

/* A server that always sends the same answer. */
struct server {
	pid_t pid;
	unsigned port;
};

static void serve(int fd)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nanswer";

	for (;;) {
		int c = accept(fd, NULL, NULL);
		char b[4096];

		if (c < 0 || read(c, b, sizeof b) <= 0 ||
		    write(c, answer, sizeof answer - 1) != sizeof answer - 1)
			_exit(1);
		close(c);
	}
}

static int setup(void **state)
{
	static struct server s;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	s.port = ntohs(a.sin_port);
	s.pid = fork();
	if (s.pid == 0)
		serve(fd);
	close(fd);
	*state = &s;
	/* Required before a fetcher is started, because this reads the TLS configuration. */
	return curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK;
}

static int teardown(void **state)
{
	struct server *s = *state;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	curl_global_cleanup();
	return 0;
}

static size_t keep(char *p, size_t size, size_t n, void *out)
{
	buf_put(out, p, size * n);
	return size * n;
}

static int fetch(const char *host, unsigned port)
{
	_free_ char *url = xasprintf("http://%s:%u/", host, port);
	struct buf body = BUF_INIT;
	CURL *c = curl_easy_init();
	int rc;

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
	rc = (int)curl_easy_perform(c);
	curl_easy_cleanup(c);
	if (rc == 0 && !str_is(buf_str(&body), "answer"))
		rc = 98;
	buf_fini(&body);
	return rc;
}

/* Download by address, then by name, and write to the line. */
static int fetches(void *arg)
{
	const struct server *s = arg;
	int rc = fetch("127.0.0.1", s->port);

	if (rc == 0)
		rc = fetch("localhost", s->port);
	if (rc == 0)
		rc = write(JAIL_FD(JAIL_LINE, 0), "done", 4) != 4;
	return rc;
}

static int resolves(void *arg)
{
	struct addrinfo *all = NULL;
	/* AI_ADDRCONFIG gets the host's addresses through a netlink socket. */
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	int rc = getaddrinfo("localhost", "80", &hints, &all);

	if (rc != 0)
		return 50;
	freeaddrinfo(all);
	return access("/etc/hosts", R_OK) == 0 && access("/etc/ssl/certs", R_OK) == 0 ? 0 : 51;
}

/* Begin a TLS connection, which reads the certificates. */
static int trusts(void *arg)
{
	const struct server *s = arg;
	_free_ char *url = xasprintf("https://127.0.0.1:%u/", s->port);
	CURL *c = curl_easy_init();
	int rc;

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 60L);
	rc = (int)curl_easy_perform(c);
	/* The server has no TLS, but the certificates could be read. */
	return rc == CURLE_SSL_CONNECT_ERROR ? 0 : rc;
}

static void run(struct server *s, int (*fn)(void *))
{
	struct jail_spec spec = {.role = JAIL_FETCHER,
	                         .uid = USER,
	                         .memory = 1u << 30,
	                         .cpu = 20,
	                         .main = fn,
	                         .arg = s};
	struct jail j = JAIL_INIT;
	struct err err = ERR_INIT;
	int line[2];

	assert_ok(jail_pair(line, &err), &err);
	jail_give(&spec, JAIL_LINE, line[1]);
	assert_ok(jail_start(&spec, &j, &err), &err);
	close(line[1]);
	assert_ok(jail_wait(&j, "fetcher", &err), &err);
	if (fn == fetches) {
		char b[8];

		assert_int_equal(read(line[0], b, sizeof b), 4);
	}
	close(line[0]);
	jail_fini(&j);
}

static void http(void **state)
{
	run(*state, fetches);
}

static void resolver(void **state)
{
	if (access("/etc/hosts", R_OK) != 0 || access("/etc/ssl/certs", R_OK) != 0)
		skip();
	run(*state, resolves);
}

static void certificates(void **state)
{
	run(*state, trusts);
}

/* Root and other users see different file systems, so test both. */
static int again_as_user(char **argv)
{
	int status = 1;
	pid_t pid;

	if (geteuid() != 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		if (setgid(USER) == 0 && setuid(USER) == 0)
			execv("/proc/self/exe", argv);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return status != 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(http),
	        cmocka_unit_test(resolver),
	        cmocka_unit_test(certificates),
	};

	return cmocka_run_group_tests(tests, setup, teardown) || again_as_user(argv);
}
