/* SPDX-License-Identifier: MIT */
/*
 * Several processes, each in a jail of its own, take one path after the other
 * from a counter that they share, the largest first, so that they end together.
 * They are processes and not threads so that what takes one over has no other's; what one of
 * them could do if the guest's bytes took it over is lie about its paths.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/io.h"
#include "base/mem.h"
#include "fs/fs_walk.h"
#include "jail/wire.h"
#include "nix/nar_hash.h"
#include "nixos/guest_root.h"
#include "store/settle.h"
#include "ui/ui.h"
#include "verify/verify.h"

#define PROCESSES_MAX 16u
#define MEMORY (1ull << 30)
#define SECONDS 86400
#define PIECE (1u << 20)
#define BROKEN 3 /* exit status: the parent closed the line, or there is no such file system */

enum {
	BAD = 1, /* le32 index, text: what is wrong with it */
	END = 2, /* le32 number of paths that were read */
};

static const struct wire_rule rules[] = {
        {0, BAD, 4 + 4 + ERR_TEXT_MAX, 0},
        {0, END, 4, 1},
        {0, WIRE_BROKEN, ERR_TEXT_MAX, 1},
};

/* In memory that all processes share. */
struct shared {
	_Atomic uint32_t next;
	struct ui_progress progress;
};

struct work {
	struct inspector_disks disks; /* inside the jail */
	const struct verify_place *at;
	const struct verify_path *v;
	size_t n;
	struct shared *shared;
};

/* ---- in the jail ---------------------------------------------------------- */

static int hash_file(struct work *w, struct walk *walk, struct nar_hash *h, uint64_t size,
                     uint8_t *piece, struct err *err)
{
	size_t got = 0;

	for (uint64_t done = 0; done < size; done += got) {
		int rc = walk_read(walk, piece, PIECE, &got, err);

		if (rc < 0)
			return rc;
		if (!got)
			return err_set(err, ERR_FORMAT, "file ends early");
		nar_hash_data(h, piece, got);
		atomic_fetch_add_explicit(&w->shared->progress.bytes, got, memory_order_relaxed);
	}
	return 0;
}

/*
 * What is longer than it may be is different; how long it is, a file may have
 * in its inode what its guest likes. A size that is not known, or that the file
 * system could not hold, ends where the file system does.
 */
static int check_room(const struct work *w, const struct verify_path *p, uint64_t size,
                      struct err *err)
{
	uint64_t most = p->nar_size && p->nar_size <= w->at->size ? p->nar_size : w->at->size;

	if (size <= most)
		return 0;
	if (most == p->nar_size)
		return err_set(err, ERR_MISMATCH,
		               "differs from the Nix database: larger than the %llu bytes there; "
		               "not read further",
		               (unsigned long long)most);
	return err_set(err, ERR_LIMIT, "larger than its file system, %llu bytes; not read further",
	               (unsigned long long)most);
}

static int hash_tree(struct work *w, struct fs *fs, const struct verify_path *p, struct nar_hash *h,
                     uint8_t *piece, struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = NULL;
	struct walk_entry ent;
	int rc = fs_walk_new(fs, str_from(p->path), &walk, err);

	while (rc == 0 && (rc = walk_next(walk, &ent, err)) == 0) {
		rc = nar_hash_entry(h, &ent, err);
		if (rc == 0)
			rc = check_room(w, p, h->size, err);
		if (rc < 0 || ent.kind != WALK_FILE)
			continue;
		rc = check_room(w, p,
		                ent.size > UINT64_MAX - h->size ? UINT64_MAX : ent.size + h->size,
		                err);
		if (rc == 0)
			rc = hash_file(w, walk, h, ent.size, piece, err);
	}
	return rc < 0 ? rc : 0;
}

/* 0: the hash is right; 1: it is not, *err says how. */
static int look_at(struct work *w, struct fs *fs, const struct verify_path *p, struct nar_hash *h,
                   uint8_t *piece, struct err *err)
{
	char is[HASH_HEX_SIZE], should[HASH_HEX_SIZE];
	uint8_t hash[HASH_SHA256_LEN];
	uint64_t size = 0;
	int rc = hash_tree(w, fs, p, h, piece, err);

	if (rc < 0) {
		nar_hash_reset(h);
		return 1;
	}
	if (nar_hash_final(h, hash, &size, err) < 0)
		return 1;
	/* 0: old databases do not have all sizes. */
	if (!memcmp(hash, p->nar_hash, sizeof hash) && (!p->nar_size || size == p->nar_size))
		return 0;
	err_set(err, ERR_MISMATCH,
	        "differs from the Nix database: NAR hash %s, %llu bytes; expected %s, %llu bytes",
	        hash_format_hex(hash, is), (unsigned long long)size,
	        hash_format_hex(p->nar_hash, should), (unsigned long long)p->nar_size);
	return 1;
}

static int say_bad(struct wire *w, uint32_t index, const struct err *why)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct err err = ERR_INIT;

	wire_u32_put(&body, index);
	wire_text_put(&body, str_from(why->text));
	return wire_put(w, BAD, buf_str(&body), &err);
}

static int look_at_all(struct work *w, struct fs *fs, struct wire *wire)
{
	_free_ uint8_t *piece = xmalloc(PIECE);
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t done = 0, i;
	struct nar_hash h;
	int rc = 0;

	nar_hash_init(&h);
	while (rc == 0 && (i = atomic_fetch_add(&w->shared->next, 1)) < w->n) {
		struct err err = ERR_INIT;

		if (look_at(w, fs, &w->v[i], &h, piece, &err))
			rc = say_bad(wire, i, &err);
		atomic_fetch_add(&w->shared->progress.paths, 1);
		done++;
	}
	nar_hash_fini(&h);
	wire_u32_put(&body, done);
	return rc < 0 ? rc : wire_put(wire, END, buf_str(&body), &(struct err)ERR_INIT);
}

static int read_plain(struct work *w, struct wire *wire)
{
	const struct disk_spec *d = &w->disks.spec[w->at->disk];
	struct err err = ERR_INIT;
	struct source_fd src;
	struct window win;
	struct fs *fs;
	int rc;

	source_fd_init(&src, d->fd, d->name);
	win = window_over(&src.src, d->size, d->name);
	rc = window_sub(&win, w->at->start, w->at->size, &win, &err);
	if (rc == 0)
		rc = fs_open(&win, &fs, &err);
	if (rc != 0)
		return BROKEN;
	rc = look_at_all(w, fs, wire);
	fs_free(fs);
	return rc;
}

/* The root is found as the inspector found it. */
static int read_joined(struct work *w, struct wire *wire)
{
	const struct booting_config config = inspector_config(&w->disks);
	_cleanup_(buf_fini) struct buf notes = BUF_INIT;
	struct disks *d = disks_new(w->disks.spec, w->disks.n, &notes);
	struct guest_root root = {.view = NULL};
	struct err err = ERR_INIT;
	int rc = guest_root_find(d, &config, &root, &notes, &err);

	rc = rc ? BROKEN : look_at_all(w, root.view, wire);
	guest_root_fini(&root);
	disks_free(d);
	return rc;
}

static int inmate(void *arg)
{
	struct work *w = arg;
	struct wire wire = {.fd = JAIL_PARENT, .peer = "parent"};

	return (w->at->joined ? read_joined : read_plain)(w, &wire) ? BROKEN : 0;
}

/* ---- outside -------------------------------------------------------------- */

static int take_bad(struct work *w, const struct buf *body, struct findings *out, struct err *err)
{
	struct bytes b = bytes_over(buf_str(body).p, body->n);
	uint32_t index = wire_u32_get(&b, (uint32_t)w->n - 1);
	struct str why = wire_text_get(&b, ERR_TEXT_MAX);

	if (!wire_end(&b))
		return err_set(err, ERR_CHILD, "child: malformed report");
	findings_add(out, FINDING_ERROR, "modified", w->v[index].path,
	             "run \"nix-store --repair-path\" in the guest, or create the guest again",
	             "%.*s", STR_ARG(why));
	return 0;
}

/* Read the messages of one child until it ends. */
static int listen(struct work *w, struct jail *jail, uint32_t *seen, struct findings *out,
                  struct err *err)
{
	struct wire wire = {.fd = jail->fd,
	                    .rules = rules,
	                    .rule_count = ARRAY_LEN(rules),
	                    .peer = "store reader"};
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = 0;
	int rc;

	while ((rc = wire_recv(&wire, &type, &body, -1, NULL, err)) == 0 && type == BAD) {
		rc = take_bad(w, &body, out, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0 && rc != -ERR_CHILD)
		return rc;
	if (rc == 0 && type == WIRE_BROKEN)
		return jail_broken(buf_str(&body), wire.peer, err);
	if (rc == 0 && body.n == 4)
		*seen += get_le32(body.p);
	io_close(&jail->fd);
	return jail_reap(jail, wire.peer, err);
}

static int by_size(const void *a, const void *b)
{
	const struct verify_path *x = a, *y = b;

	return (x->nar_size < y->nar_size) - (x->nar_size > y->nar_size);
}

static int run(struct work *w, const struct inspector_disks *d, struct jail *jails, unsigned n,
               struct findings *out, struct err *err)
{
	const struct inspector_job job = {.role = JAIL_HASHER,
	                                  .memory = MEMORY,
	                                  .seconds = SECONDS,
	                                  .main = inmate,
	                                  .arg = w,
	                                  .inside = &w->disks};
	uint32_t seen = 0;
	int rc = 0;

	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = inspector_jail(&job, d, &jails[i], err);
	if (rc == 0)
		ui_progress_begin(&w->shared->progress);
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = listen(w, &jails[i], &seen, out, err);
	ui_progress_end();
	if (rc == 0 && seen != w->n)
		rc = err_set(err, ERR_CHILD, "only %u of %zu store paths were read", seen, w->n);
	return rc;
}

int verify_hashes(const struct inspector_disks *d, const struct verify_store *s,
                  struct findings *out, struct err *err)
{
	struct jail jails[PROCESSES_MAX];
	struct verify_path *v = s->paths;
	const size_t n = s->n;
	struct work w = {.at = &s->at, .v = v, .n = n};
	unsigned count = (unsigned)MIN(MIN(s->processes, PROCESSES_MAX), n);
	int rc;

	if (!n)
		return 0;
	w.shared = mmap(NULL, sizeof *w.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	                -1, 0);
	if (w.shared == MAP_FAILED)
		return err_set(err, ERR_LIMIT, "cannot allocate shared memory");
	settle_hashes();
	qsort(v, n, sizeof *v, by_size);
	w.shared->progress.total_paths = n;
	for (size_t i = 0; i < n; i++)
		w.shared->progress.total_bytes += v[i].nar_size;
	for (unsigned i = 0; i < PROCESSES_MAX; i++)
		jails[i] = (struct jail)JAIL_INIT;
	rc = run(&w, d, jails, count, out, err);
	for (unsigned i = 0; i < count; i++)
		jail_fini(&jails[i]);
	(void)munmap(w.shared, sizeof *w.shared);
	return rc;
}
