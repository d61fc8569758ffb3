/* SPDX-License-Identifier: MIT */
/*
 * A command line for lib/nix and lib/store, so that a script can compare them with
 * Nix. Not installed.
 *
 *     storetool dump PATH             a file tree as a NAR on stdout
 *     storetool copy                  the NAR on stdin, read and written again
 *     storetool list                  the NAR on stdin, one line for each entry
 *     storetool closure ROOT PATH     as "nix-store --dump-db" prints it
 *     storetool build ROOT PATH TIME  the closure's database on stdout
 *     storetool verify ROOT PATH      hash every path of the closure
 *     storetool system ROOT PATH      what nixos_system_load() finds
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/walk_dir.h"
#include "nix/nar.h"
#include "nix/nar_hash.h"
#include "nixos/system.h"
#include "store/local.h"
#include "store/store_db.h"

static int die(const struct err *err)
{
	fprintf(stderr, "storetool: %s\n", err->text);
	return 1;
}

static void to_stdout(void *ctx, const void *p, size_t n)
{
	if (fwrite(p, 1, n, stdout) != n)
		exit(1);
}

static int from_stdin(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	return io_read(STDIN_FILENO, "stdin", p, n, got, err);
}

/* Write a whole walk with a writer. */
static int push(struct walk *walk, struct nar_writer *w, struct err *err)
{
	static char data[65536];
	struct walk_entry ent;
	size_t got;
	int rc;

	while ((rc = walk_next(walk, &ent, err)) == 0) {
		rc = nar_writer_entry(w, &ent, err);
		for (uint64_t left = ent.kind == WALK_FILE ? ent.size : 0; rc == 0 && left;) {
			rc = walk_read(walk, data, MIN(left, sizeof data), &got, err);
			if (rc == 0)
				nar_writer_data(w, data, got);
			left -= got;
		}
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

static int write_nar(struct walk *walk, struct err *err)
{
	struct nar_writer w;
	int rc;

	nar_writer_init(&w, to_stdout, NULL);
	rc = push(walk, &w, err);
	return rc < 0 ? rc : nar_writer_finish(&w, err);
}

static int dump(char **args, struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk =
	        walk_dir_new(AT_FDCWD, args[0], WALK_DIR_CANONICAL);

	return write_nar(walk, err);
}

static int copy(char **args, struct err *err)
{
	struct stream in = {from_stdin};
	_cleanup_(walk_freep) struct walk *walk = nar_walk_new(&in);

	return write_nar(walk, err);
}

static int list(char **args, struct err *err)
{
	struct stream in = {from_stdin};
	_cleanup_(walk_freep) struct walk *walk = nar_walk_new(&in);
	struct walk_entry ent;
	int rc;

	while ((rc = walk_next(walk, &ent, err)) == 0)
		printf("%c %o %" PRIu64 " %.*s %.*s\n", "flduu"[ent.kind], ent.mode, ent.size,
		       STR_ARG(ent.name), STR_ARG(ent.target));
	return rc < 0 ? rc : 0;
}

static int load(char **args, struct closure *c, struct err *err)
{
	_cleanup_(local_store_freep) struct local_store *s = NULL;
	int rc = local_store_open(args[0], &s, err);

	return rc < 0 ? rc : local_store_closure(s, args[1], c, err);
}

static int closure(char **args, struct err *err)
{
	_cleanup_(closure_fini) struct closure c = {0};
	char hex[HASH_HEX_SIZE];
	int rc = load(args, &c, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < c.n; i++) {
		const struct path_info *p = &c.paths[i];

		printf("%s\n%s\n%" PRIu64 "\n%s\n%zu\n", p->path,
		       hash_format_hex(p->nar_hash, hex) + strlen("sha256:"), p->nar_size,
		       p->deriver ? p->deriver : "", p->nrefs);
		for (size_t r = 0; r < p->nrefs; r++)
			printf("%s\n", c.paths[p->refs[r]].path);
	}
	return 0;
}

static int build(char **args, struct err *err)
{
	_cleanup_(closure_fini) struct closure c = {0};
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	int rc = load(args, &c, err);

	if (rc == 0)
		rc = store_db_build(&c, strtoll(args[2], NULL, 10), &db, err);
	return rc < 0 ? rc : io_write(STDOUT_FILENO, "stdout", db.p, db.n, err);
}

static int verify_path(const char *root, const struct path_info *p, struct nar_hash *h,
                       struct err *err)
{
	_free_ char *at = xasprintf("%s%s", root, p->path);
	_cleanup_(walk_freep) struct walk *walk = walk_dir_new(AT_FDCWD, at, WALK_DIR_CANONICAL);
	uint8_t hash[HASH_SHA256_LEN];
	uint64_t size;
	int rc = push(walk, &h->w, err);

	if (rc == 0)
		rc = nar_hash_final(h, hash, &size, err);
	if (rc < 0)
		return rc;
	if (size != p->nar_size || memcmp(hash, p->nar_hash, sizeof hash) != 0)
		return err_set(err, ERR_MISMATCH, "%s: not what the database says", p->path);
	return 0;
}

static int verify(char **args, struct err *err)
{
	_cleanup_(closure_fini) struct closure c = {0};
	struct nar_hash h;
	int rc = load(args, &c, err);

	nar_hash_init(&h);
	for (size_t i = 0; rc == 0 && i < c.n; i++)
		rc = verify_path(args[0], &c.paths[i], &h, err);
	nar_hash_fini(&h);
	return rc;
}

static int show_system(char **args, struct err *err)
{
	struct nixos_system s;
	int rc = nixos_system_load(args[0], args[1], &s, err);

	if (rc < 0)
		return rc;
	printf("toplevel %s\ninit %s\nkernel %s\ninitrd %s\nversion %s\nlabel %s\nsystem %s\n",
	       s.toplevel, s.init, s.kernel ? s.kernel : "-", s.initrd ? s.initrd : "-", s.version,
	       s.label, s.system);
	for (size_t i = 0; i < s.nparams; i++)
		printf("param %s\n", s.params[i]);
	nixos_system_fini(&s);
	return 0;
}

static const struct {
	const char *name;
	int nargs;
	int (*run)(char **args, struct err *err);
} commands[] = {
        {"dump", 1, dump},          {"copy", 0, copy},   {"list", 0, list},
        {"closure", 2, closure},    {"build", 3, build}, {"verify", 2, verify},
        {"system", 2, show_system},
};

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0 || argc != commands[i].nargs + 2)
			continue;
		if (commands[i].run(argv + 2, &err) < 0)
			return die(&err);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	fprintf(stderr, "storetool: usage\n");
	return 2;
}
