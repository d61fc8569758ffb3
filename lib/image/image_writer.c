/* SPDX-License-Identifier: MIT */
#include "image/image_writer.h"

#include <stdlib.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "image/stream_unit.h"
#include "image/stream_wire.h"
#include "jail/jail_lines.h"
#include "jail/wire.h"

#define WRITER_MEMORY (2ull << 30)
#define WRITER_SECONDS 86400
#define STOP_GRACE_MS 60000 /* to end after ^C: it may wait for the disk */
/* An image is at most so many times the size of its NARs: a file of one byte takes a block. */
#define IMAGE_FACTOR 64
#define IMAGE_MORE (16ull << 30)
/* Kernels, initrds and the user's files that a tree can have. */
#define FILES_MAX (JAIL_USE_MAX - 1)

enum writer_message {
	WRITER_DONE = 1,
	WRITER_FAILED,
};

#define DONE_SIZE 24u

static const struct wire_rule rules[] = {
        {0, WRITER_DONE, DONE_SIZE, 0},
        {0, WRITER_FAILED, WIRE_ERR_MAX, 0},
        {0, WIRE_BROKEN, ERR_TEXT_MAX, 0},
};

/* Descriptors of the host's files in the tree: here, and in the child. */
struct file_map {
	int here[FILES_MAX], there[FILES_MAX];
	size_t n;
	bool full;
};

struct image_writer {
	struct image_plan *plan;
	struct target *target;
	struct jail jail;
	struct wire wire;
	struct jail_lines lines;
	struct stream_memory *memory;
	/* For the child, which gets them by the fork. */
	int their_spool[IMAGE_SPOOLS];
	int their_fd, their_direct_fd;
	bool *slow;
	struct file_map files;
};

/* ---- the child -------------------------------------------------------------- */

static int to_there(void *ctx, int fd)
{
	const struct file_map *m = ctx;

	for (size_t i = 0; i < m->n; i++)
		if (m->here[i] == fd)
			return m->there[i];
	return -1;
}

static int write_image(struct image_writer *w, struct err *err)
{
	struct image_request req = *w->plan->req;
	struct stream_client *client = stream_client_new(w->lines.given, w->memory, w->lines.n,
	                                                 req.stream->items, req.stream->n, w->slow);
	int rc;

	req.stream = stream_client_source(client);
	for (size_t i = 0; i < IMAGE_SPOOLS; i++)
		req.spool[i] = w->their_spool[i];
	tree_map_fds(req.root, to_there, &w->files);
	w->plan->req = &req;
	w->target->fd = w->their_fd;
	w->target->direct_fd = w->their_direct_fd;
	rc = image_write(w->plan, w->target, err);
	stream_client_free(client);
	return rc;
}

static int writer_main(void *arg)
{
	struct image_writer *w = arg;
	const struct ext4_layout *lay = &w->plan->layout;
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct wire line = {.fd = JAIL_PARENT, .peer = "parent"};
	struct err err = ERR_INIT, lost = ERR_INIT;
	int rc = write_image(w, &err);

	if (rc < 0) {
		wire_err_put(&body, &err);
	} else {
		wire_u64_put(&body, w->plan->size);
		wire_u64_put(&body, lay->free_blocks);
		wire_u32_put(&body, lay->groups);
		wire_u32_put(&body, lay->inodes_per_group);
	}
	return wire_put(&line, rc < 0 ? WRITER_FAILED : WRITER_DONE, buf_str(&body), &lost) < 0;
}

/* ---- starting --------------------------------------------------------------- */

static int collect(void *ctx, int fd)
{
	struct file_map *m = ctx;

	for (size_t i = 0; i < m->n; i++)
		if (m->here[i] == fd)
			return fd;
	if (m->n == FILES_MAX)
		m->full = true;
	else
		m->here[m->n++] = fd;
	return fd;
}

static int give_files(struct image_writer *w, struct jail_spec *spec, struct err *err)
{
	tree_map_fds(w->plan->req->root, collect, &w->files);
	if (w->files.full)
		return err_set(err, ERR_LIMIT, "%s: more than %u kernels and initrds",
		               w->plan->req->name, FILES_MAX);
	for (size_t i = 0; i < w->files.n; i++)
		w->files.there[i] = jail_give(spec, JAIL_INPUT, w->files.here[i]);
	return 0;
}

static void give_target(struct image_writer *w, struct jail_spec *spec)
{
	w->their_fd = jail_give(spec, JAIL_DISK, w->target->fd);
	w->their_direct_fd =
	        w->target->direct_fd < 0 ? -1 : jail_give(spec, JAIL_DISK, w->target->direct_fd);
}

static int give_spools(struct image_writer *w, struct jail_spec *spec, const char *dir, int *fd,
                       struct err *err)
{
	for (size_t i = 0; i < IMAGE_SPOOLS; i++) {
		int rc = spool_open(dir, &fd[i], err);

		if (rc < 0)
			return rc;
		w->their_spool[i] = jail_give(spec, JAIL_SPOOL, fd[i]);
	}
	return 0;
}

/* The limit of a file's size: of the image, and of a spool, which holds NARs. */
static uint64_t largest_file(const struct image_plan *plan, const struct target *t)
{
	const struct image_request *req = plan->req;
	uint64_t n = IMAGE_MORE + req->spare;

	for (size_t i = 0; i < req->stream->n; i++)
		n += req->stream->items[i].nar_size * IMAGE_FACTOR;
	return MAX(MAX(n, plan->size), t->size);
}

static int start(struct image_writer *w, const char *spool_dir, struct err *err)
{
	struct jail_spec spec = {.role = JAIL_WRITER,
	                         .uid = JAIL_NOBODY,
	                         .memory = WRITER_MEMORY,
	                         .file_size = largest_file(w->plan, w->target),
	                         .cpu = WRITER_SECONDS,
	                         .main = writer_main,
	                         .arg = w};
	unsigned n_lines = MIN(w->plan->req->threads, STREAM_WORKERS_MAX) + 1;
	int spool[IMAGE_SPOOLS] = {-1, -1};
	int rc = give_files(w, &spec, err);

	_Static_assert(STREAM_WORKERS_MAX < STREAM_LINES_MAX, "a line for each worker");
	give_target(w, &spec);
	if (rc == 0)
		rc = give_spools(w, &spec, spool_dir, spool, err);
	if (rc == 0)
		rc = jail_lines_make(&w->lines, n_lines, &spec, err);
	if (rc == 0)
		rc = jail_start(&spec, &w->jail, err);
	jail_lines_started(&w->lines);
	for (size_t i = 0; i < IMAGE_SPOOLS; i++)
		io_close(&spool[i]);
	return rc;
}

int image_writer_start(struct image_plan *plan, struct target *target, const char *spool_dir,
                       struct image_writer **out, struct err *err)
{
	const struct stream_source *src = plan->req->stream;
	struct image_writer *w = xcalloc(1, sizeof *w);
	int rc;

	w->plan = plan;
	w->target = target;
	w->jail = (struct jail)JAIL_INIT;
	w->slow = xcalloc(src->n + 1, sizeof *w->slow);
	for (size_t i = 0; i < src->n; i++)
		w->slow[i] = src->is_slow(src, i);
	rc = stream_memory_new(STREAM_LINES_MAX, &w->memory, err);
	if (rc == 0)
		rc = start(w, spool_dir, err);
	if (rc < 0)
		image_writer_free(w);
	else
		*out = w;
	return rc;
}

/* ---- the parent ------------------------------------------------------------- */

static int take_sizes(struct image_writer *w, const struct buf *body, struct err *err)
{
	struct bytes b = bytes_over(body->p, body->n);
	struct ext4_layout *lay = &w->plan->layout;

	w->plan->size = wire_u64_get(&b, INT64_MAX);
	lay->free_blocks = wire_u64_get(&b, INT64_MAX / EXT4_BLOCK);
	lay->groups = wire_u32_get(&b, UINT32_MAX);
	lay->inodes_per_group = wire_u32_get(&b, UINT32_MAX);
	return wire_end(&b) && lay->groups
	               ? 0
	               : err_set(err, ERR_CHILD, "%s: an invalid answer", w->wire.peer);
}

/* 1: it ended without one. */
static int get_answer(struct image_writer *w, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = 0;
	int rc = wire_recv(&w->wire, &type, &body, -1, NULL, err);

	if (rc)
		return rc;
	if (type == WIRE_BROKEN)
		return jail_broken(buf_str(&body), w->wire.peer, err);
	return type == WRITER_FAILED ? wire_err_get(buf_str(&body), err)
	                             : take_sizes(w, &body, err);
}

int image_writer_run(struct image_writer *w, struct err *err)
{
	const struct stream_source *src = w->plan->req->stream;
	struct stream_server *server;
	struct err broken = ERR_INIT;
	int rc = stream_serve(src, w->lines.ours, w->memory, w->lines.n, &server, err), served;

	if (rc < 0)
		return rc;
	w->wire = (struct wire){.fd = w->jail.fd,
	                        .rules = rules,
	                        .rule_count = ARRAY_LEN(rules),
	                        .peer = "the process that writes the image",
	                        .stop = w->plan->req->stop,
	                        .grace_ms = STOP_GRACE_MS};
	rc = get_answer(w, err);
	if (rc)
		src->cancel(src);
	if (rc < 0)
		jail_end(&w->jail, true);
	served = stream_serve_end(server, &broken);
	if (rc < 0)
		return rc;
	if (jail_reap(&w->jail, w->wire.peer, err) < 0)
		return -ERR_CHILD;
	if (rc == 1)
		return err_set(err, ERR_CHILD, "%s: ended early", w->wire.peer);
	if (served < 0)
		*err = broken;
	return served;
}

void image_writer_free(struct image_writer *w)
{
	if (!w)
		return;
	jail_fini(&w->jail);
	jail_lines_fini(&w->lines);
	stream_memory_free(w->memory, STREAM_LINES_MAX);
	free(w->slow);
	free(w);
}
