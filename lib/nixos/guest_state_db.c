/* SPDX-License-Identifier: MIT */
/* The Nix database of a guest that is off. */
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "nixos/guest_fs.h"
#include "nixos/guest_state.h"
#include "store/store_db.h"

#define NAME "the guest's Nix database"
/* A file's inode may not promise more than its blocks hold, holes for page-sized zeros aside. */
#define HOLES_MAX (16u << 20)
#define SCHEMA_MAX 64u

/* A non-empty rollback journal is an unfinished transaction. */
static int check_journal(struct off_guest_fs *fs, struct err *err)
{
	struct ext4_stat st = {.size = 0};
	uint32_t ino;
	int rc =
	        err_absent(guest_fs_find(fs, GUEST_STATE_DB "/db.sqlite-journal", true, &ino, err));

	if (rc == 0)
		rc = guest_fs_stat(fs, ino, &st, err);
	if (rc < 0 || !st.size)
		return rc < 0 ? rc : 0;
	return err_set(
	        err, ERR_BUSY,
	        NAME
	        " has an unfinished transaction; start the guest and run any Nix command in it");
}

/* ---- the file ------------------------------------------------------------- */

static int read_bytes(struct walk *w, char *p, size_t n, size_t *got, struct err *err)
{
	size_t m = 0;
	int rc;

	*got = 0;
	do {
		rc = walk_read(w, p + *got, n - *got, &m, err);
		*got += rc < 0 ? 0 : m;
	} while (rc == 0 && m && *got < n);
	return rc;
}

static int open_file(struct off_guest_fs *fs, uint32_t ino, struct walk **out, struct err *err)
{
	struct walk_entry ent;
	int rc = guest_fs_walk(fs, ino, out, err);

	return rc < 0 ? rc : walk_next(*out, &ent, err);
}

/* Whether so many of a file's bytes may be read into memory. */
static int check_size(const struct ext4_stat *st, uint64_t n, struct err *err)
{
	if (n > STORE_DB_MAX)
		return err_set(err, ERR_LIMIT, NAME ": %llu bytes, larger than the limit of %u",
		               (unsigned long long)n, STORE_DB_MAX);
	if (n > st->disk_bytes + HOLES_MAX)
		return err_set(err, ERR_FORMAT,
		               NAME ": %llu bytes, of which only %llu are allocated on the disk",
		               (unsigned long long)n, (unsigned long long)st->disk_bytes);
	return 0;
}

/* Read as many bytes as its header says. */
static int read_db(struct off_guest_fs *fs, struct buf *db, struct err *err)
{
	_cleanup_(walk_freep) struct walk *w = NULL;
	char header[STORE_DB_HEADER];
	struct ext4_stat st;
	size_t got = 0;
	uint64_t n = 0;
	uint32_t ino;
	int rc = guest_fs_find(fs, GUEST_STATE_DB "/db.sqlite", true, &ino, err);

	if (rc == 0)
		rc = guest_fs_stat(fs, ino, &st, err);
	if (rc == 0)
		rc = open_file(fs, ino, &w, err);
	if (rc == 0)
		rc = read_bytes(w, header, sizeof header, &got, err);
	if (rc < 0)
		return rc;
	n = store_db_bytes(header, got, st.size);
	rc = check_size(&st, n, err);
	if (rc < 0 || n <= got) {
		buf_put(db, header, rc < 0 ? 0 : (size_t)n);
		return rc;
	}
	(void)buf_zeros(db, (size_t)n);
	memcpy(db->p, header, got);
	rc = read_bytes(w, db->p + got, (size_t)n - got, &got, err);
	if (rc == 0 && got + sizeof header != n)
		rc = err_set(err, ERR_FORMAT, NAME ": ends early");
	return rc;
}

/* ---- its log -------------------------------------------------------------- */

struct log_file {
	struct off_guest_fs *fs;
	uint32_t ino;
	struct walk *w;
};

static int log_rewind(void *ctx, struct err *err)
{
	struct log_file *l = ctx;

	walk_free(l->w);
	l->w = NULL;
	return open_file(l->fs, l->ino, &l->w, err);
}

static int log_read(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	struct log_file *l = ctx;

	return walk_read(l->w, p, n, got, err);
}

static int merge_log(struct off_guest_fs *fs, struct buf *db, struct err *err)
{
	struct log_file file = {.fs = fs};
	struct store_log log = {log_rewind, log_read, &file};
	int rc = err_absent(
	        guest_fs_find(fs, GUEST_STATE_DB "/db.sqlite-wal", true, &file.ino, err));

	if (rc == 0)
		rc = store_wal_apply(NAME, db, &log, STORE_DB_MAX, err);
	walk_free(file.w);
	return rc < 0 ? rc : 0;
}

/* ---- what it says --------------------------------------------------------- */

/* NULL, or the contents of the file "schema" if that is not the version that we write. */
static int other_schema(struct off_guest_fs *fs, char **out, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	char shown[SHOW_SIZE];
	struct str s;
	int rc = err_absent(
	        guest_fs_read_path(fs, GUEST_STATE_DB "/schema", SCHEMA_MAX, &text, err));

	if (rc < 0)
		return rc;
	s = str_trim(buf_str(&text));
	if (s.n && !str_is(s, STORE_DB_SCHEMA))
		*out = xasprintf("schema \"%s\" instead of " STORE_DB_SCHEMA, show_str(s, shown));
	return 0;
}

static int load(struct off_guest_fs *fs, struct guest_state *in, struct err *err)
{
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	_cleanup_(store_db_freep) struct store_db *sql = NULL;
	int rc = check_journal(fs, err);

	if (rc == 0)
		rc = read_db(fs, &db, err);
	if (rc == 0)
		rc = merge_log(fs, &db, err);
	if (rc == 0)
		rc = other_schema(fs, &in->db_lost, err);
	if (rc == 0)
		rc = store_db_open_bytes(NAME, db.p, db.n, &sql, err);
	if (rc == 0)
		rc = store_db_all(sql, &in->db, err);
	if (rc == 0)
		rc = store_db_rest(sql, &in->db_rest, err);
	if (rc == 0 && store_db_rest_lost(in->db_rest) && !in->db_lost)
		in->db_lost = xstrdup(store_db_rest_lost(in->db_rest));
	return rc;
}

void guest_state_load_db(struct off_guest *off, struct guest_state *in)
{
	struct err err = ERR_INIT;

	if (load(&off->root, in, &err) == 0)
		return;
	guest_state_fini_db(in);
	in->db_err = err;
	err_prefix(&in->db_err, "%s", off->root.target->name);
}

void guest_state_fini_db(struct guest_state *in)
{
	closure_fini(&in->db);
	store_db_rest_free(in->db_rest);
	free(in->db_lost);
	in->db_rest = NULL;
	in->db_lost = NULL;
}

int guest_state_need_db(const struct guest_state *in, struct err *err)
{
	*err = in->db_err;
	return -(int)in->db_err.code;
}

int guest_state_need_put_db(const struct guest_state *in, struct err *err)
{
	int rc = guest_state_need_db(in, err);

	if (rc < 0 || !in->db_lost)
		return rc;
	return err_set(
	        err, ERR_UNSUPPORTED,
	        NAME " has data that domstrap does not support and would lose: %s. Change the "
	             "guest from inside (nixos-rebuild, nix-collect-garbage); nothing was changed",
	        in->db_lost);
}

/* ---- writing it ----------------------------------------------------------- */

static int drop(struct ext4_edit *e, uint32_t dir, const char *name, struct err *err)
{
	int rc = err_absent(ext4_edit_remove(e, dir, name, NULL, err));

	return rc < 0 ? rc : 0;
}

int guest_state_put_db(struct off_guest *off, const struct guest_state *in,
                       const struct closure *db, struct err *err)
{
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	struct ext4_edit *e = off->root.edit;
	uint32_t dir;
	int rc = guest_state_need_put_db(in, err);

	if (rc == 0)
		rc = store_db_rebuild(db, in->db_rest, &bytes, err);
	if (rc == 0)
		rc = ext4_edit_find(e, GUEST_STATE_DB, true, &dir, err);
	if (rc == 0)
		rc = drop(e, dir, "db.sqlite-wal", err);
	if (rc == 0)
		rc = drop(e, dir, "db.sqlite-shm", err);
	return rc < 0 ? rc : ext4_edit_add_file(e, dir, "db.sqlite", 0644, buf_str(&bytes), err);
}
