/* SPDX-License-Identifier: MIT */
/* Downloads from a small server in this process. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "cache/http.h"

#define BODY (3u << 20) /* more than window and the sockets' buffers */
#define WINDOW (64u << 10)
#define CLIENTS 8

static struct http *http;
static pthread_t server, clients[CLIENTS];
static unsigned n_clients;
static int listener = -1;
static char url[64];

static void send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t r = send(fd, p, n, MSG_NOSIGNAL);

		if (r <= 0)
			return;
		p += r;
		n -= (size_t)r;
	}
}

/* One request of a connection: a body of zeros, however it is called. */
static void *answer(void *arg)
{
	_close_ int fd = (int)(intptr_t)arg;
	_free_ char *body = xcalloc(1, BODY);
	char request[4096], head[128];
	size_t n = 0;
	ssize_t r = 1;

	while (r > 0 && !memmem(request, n, "\r\n\r\n", 4)) {
		r = recv(fd, request + n, sizeof request - n, 0);
		n += r > 0 ? (size_t)r : 0;
	}
	snprintf(head, sizeof head,
	         "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %u\r\n\r\n", BODY);
	send_all(fd, head, strlen(head));
	send_all(fd, body, BODY);
	return NULL;
}

static void *serve(void *arg)
{
	(void)arg;
	while (n_clients < CLIENTS) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			break;
		if (pthread_create(&clients[n_clients], NULL, answer, (void *)(intptr_t)fd) != 0)
			abort();
		n_clients++;
	}
	return NULL;
}

static int begin(void **state)
{
	static const struct http_options opt = {.jobs = 1,
	                                        .connect_timeout = 10,
	                                        .answer_timeout = 60,
	                                        .stall_timeout = 60,
	                                        .tries = 1,
	                                        .agent = "test",
	                                        .netrc = "/dev/null"};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	struct err err = ERR_INIT;

	(void)state;
	assert_ok(http_new(&opt, &http, &err), &err);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 ||
	    listen(listener, CLIENTS) < 0 || getsockname(listener, (struct sockaddr *)&at, &n) < 0)
		return -1;
	snprintf(url, sizeof url, "http://127.0.0.1:%u/x", ntohs(at.sin_port));
	return pthread_create(&server, NULL, serve, NULL);
}

static int end(void **state)
{
	(void)state;
	http_free(http);
	shutdown(listener, SHUT_RDWR);
	pthread_join(server, NULL);
	for (unsigned i = 0; i < n_clients; i++)
		pthread_join(clients[i], NULL);
	io_close(&listener);
	return 0;
}

static void read_to_end(struct download *d)
{
	_free_ char *p = xcalloc(1, WINDOW);
	struct err err = ERR_INIT;
	size_t got = 1, all = 0;

	while (got) {
		assert_ok(download_read(d, p, WINDOW, &got, &err), &err);
		all += got;
	}
	assert_int_equal(all, BODY);
}

/* One download at once; but one that nobody reads must not stop the others. */
static void an_unread_download_gives_way(void **state)
{
	struct download *first = http_get(http, url, "first", BODY, WINDOW),
	                *second = http_get(http, url, "second", BODY, WINDOW),
	                *third = http_get(http, url, "third", BODY, WINDOW);

	(void)state;
	read_to_end(third);
	read_to_end(second);
	read_to_end(first);
	download_free(first);
	download_free(second);
	download_free(third);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_unread_download_gives_way),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
