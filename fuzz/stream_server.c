/* SPDX-License-Identifier: MIT */
/*
 * Messages of a hostile process to stream_wire.h's server: { line, size, bytes }, each 8 bits and
 * then size bytes, to two lines. The server calls its source only with items that exist, opens none
 * twice at once, closes what it opened, and uses nothing that is closed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/mem.h"
#include "image/stream_wire.h"
#include "jail/jail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ITEMS 3u
#define LINES 3u
#define MOST 2048u /* bytes, so that no answer has to wait for room */

struct nar {
	struct stream stream;
	size_t item;
	unsigned reads;
};

static _Atomic(struct nar *) open_nars[ITEMS];

static void must(bool good)
{
	if (!good)
		abort();
}

static int read_nar(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct nar *nar = (struct nar *)s;

	must(open_nars[nar->item] == nar && n > 0);
	if (nar->item == 1 && nar->reads)
		return err_set(err, ERR_MISMATCH, "a bad item");
	*got = nar->reads++ < 3 ? MIN(n, (size_t)5) : 0;
	memset(p, 'x', *got);
	return 0;
}

static int open_nar(const struct stream_source *src, size_t i, bool again, struct stream **out,
                    struct err *err)
{
	struct nar *nar;

	must(i < src->n && !open_nars[i]);
	if (i == 2)
		return again ? 1 : err_set(err, ERR_NOENT, "no such item");
	nar = xcalloc(1, sizeof *nar);
	nar->item = i;
	open_nars[i] = nar;
	nar->stream.read = read_nar;
	*out = &nar->stream;
	return 0;
}

static void close_nar(const struct stream_source *src, struct stream *out)
{
	struct nar *nar = (struct nar *)out;

	must(open_nars[nar->item] == nar);
	open_nars[nar->item] = NULL;
	free(nar);
}

static int refused(const struct stream_source *src, size_t i, struct stream *out, struct err *err)
{
	must(i < src->n && &open_nars[i]->stream == out);
	return err_prefix(err, "refused");
}

static bool is_slow(const struct stream_source *src, size_t i)
{
	return false;
}

static void order(const struct stream_source *src, const size_t *items, size_t n)
{
	must(n <= src->n);
	for (size_t i = 0; i < n; i++)
		must(items[i] < src->n);
}

static void warn(const struct stream_source *src, const struct err *err)
{
	must(memchr(err->text, '\0', sizeof err->text) && err->code);
	for (const char *s = err->text; *s; s++)
		must((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t');
}

static void cancel(const struct stream_source *src)
{
}

/* The server closes a line after an invalid message. */
static void say(const int *fd, const uint8_t *data, size_t size)
{
	struct bytes in = bytes_over(data, MIN(size, (size_t)MOST));

	while (bytes_ok(&in) && bytes_left(&in)) {
		size_t line = bytes_u8(&in) % LINES, n = bytes_u8(&in);
		const uint8_t *p;

		n = MIN(n, bytes_left(&in));
		p = bytes_take(&in, n);
		if (n)
			(void)!send(fd[line], p, n, MSG_NOSIGNAL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct store_item items[ITEMS];
	const struct stream_source src = {.items = items,
	                                  .n = ITEMS,
	                                  .open = open_nar,
	                                  .close = close_nar,
	                                  .refused = refused,
	                                  .is_slow = is_slow,
	                                  .order = order,
	                                  .warn = warn,
	                                  .cancel = cancel};
	static struct stream_memory *memory;
	int ours[LINES], theirs[LINES];
	struct stream_server *server;
	struct err err = ERR_INIT;

	must(memory || stream_memory_new(LINES, &memory, &err) == 0);
	for (size_t i = 0; i < LINES; i++) {
		int pair[2];

		must(jail_pair(pair, &err) == 0);
		ours[i] = pair[0];
		theirs[i] = pair[1];
	}
	must(stream_serve(&src, ours, memory, LINES, &server, &err) == 0);
	say(theirs, data, size);
	for (size_t i = 0; i < LINES; i++)
		(void)shutdown(theirs[i], SHUT_WR);
	(void)stream_serve_end(server, &err);
	for (size_t i = 0; i < ITEMS; i++)
		must(!open_nars[i]);
	for (size_t i = 0; i < LINES; i++) {
		io_close(&ours[i]);
		io_close(&theirs[i]);
	}
	return 0;
}
