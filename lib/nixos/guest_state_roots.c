/* SPDX-License-Identifier: MIT */
/*
 * What keeps store paths alive: profiles, and /nix/var/nix/gcroots with its
 * links (nix-store(1), "gc"). Links that lead nowhere keep nothing, as for Nix.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/u32_map.h"
#include "nix/store_path.h"
#include "nixos/guest_fs.h"
#include "nixos/guest_state.h"
#include "nixos/nixroot.h"

#define GCROOTS "/nix/var/nix/gcroots"
#define DEPTH_MAX 32u
/* Limit for names in both directories, links included. */
#define ENTRIES_MAX (1u << 18)
#define PROFILES_AND_ROOTS GUEST_STATE_PROFILES " and " GCROOTS

struct finder {
	struct off_guest_fs *fs;
	const struct closure *db;
	bool *reached;
	const char *skip;           /* the system's own profile, "DIR" of its links; NULL: none */
	bool skip_direct;           /* NIXROOT_DIRECT, too */
	struct u32_map dirs, links; /* inodes that were scanned, and followed */
	unsigned entries;
};

/*
 * A directory has one name. A guest can give it more, 2^28 ways to the same
 * one, so it is scanned once.
 */

/* The store path that a path is in. */
static bool reach_text(struct finder *f, struct str text)
{
	_free_ char *path = NULL;
	struct store_path sp;
	struct str rest;

	if (!store_path_is_in(text, &sp, &rest))
		return false;
	path = store_path_format(&sp);
	guest_state_reach(f->db, path, f->reached);
	return true;
}

/* Any link on the way may be the one that names a store path. */
static int follow(struct finder *f, const char *path, struct err *err)
{
	_free_ char *at = xstrdup(path);

	for (unsigned i = 0; i < EXT4_EDIT_LINKS_MAX; i++) {
		_cleanup_(buf_fini) struct buf target = BUF_INIT;
		char *slash = strrchr(at, '/'), *next;
		struct ext4_stat st;
		uint32_t ino;
		int rc = guest_fs_find(f->fs, at, false, &ino, err);

		if (rc == 0)
			rc = guest_fs_stat(f->fs, ino, &st, err);
		rc = err_absent(rc);
		if (rc)
			return rc < 0 ? rc : 0;
		/* A relative link with several names may lead elsewhere from each. */
		if (st.type != EXT4_FT_LINK || (st.links == 1 && !u32_map_put(&f->links, ino, 0)))
			return 0;
		rc = guest_fs_readlink(f->fs, ino, &target, err);
		if (rc < 0)
			return rc;
		if (reach_text(f, buf_str(&target)))
			return 0;
		next = target.p[0] == '/' ? xstrdup(target.p)
		                          : xasprintf("%.*s/%s", (int)(slash - at), at, target.p);
		free(at);
		at = next;
	}
	return 0;
}

static bool is_system_link(const struct finder *f, const char *dir, const char *name)
{
	if (!f->skip || strcmp(dir, f->skip) != 0)
		return false;
	if (!strcmp(name, "system"))
		return true;
	return str_starts(str_from(name), "system-") && str_ends(str_from(name), "-link");
}

static int scan(struct finder *f, const char *dir, uint32_t ino, unsigned depth, struct err *err);

static int scan_entry(struct finder *f, const char *dir, const struct ext4_entry *ent,
                      unsigned depth, struct err *err)
{
	_free_ char *path = xasprintf("%s/%s", dir, ent->name);
	_free_ char *as_store = NULL;
	struct ext4_stat st;
	int rc;

	if (is_system_link(f, dir, ent->name) || (f->skip_direct && !strcmp(path, NIXROOT_DIRECT)))
		return 0;
	rc = guest_fs_stat(f->fs, ent->ino, &st, err);
	if (rc < 0)
		return rc;
	switch ((int)st.type) {
	case EXT4_FT_DIR:
		return scan(f, path, ent->ino, depth + 1, err);
	case EXT4_FT_LINK:
		return follow(f, path, err);
	case EXT4_FT_FILE:
		/* A file named like a store path is a root, too. */
		as_store = xasprintf(STORE_DIR "/%s", ent->name);
		guest_state_reach(f->db, as_store, f->reached);
		return 0;
	default:
		return 0;
	}
}

static int scan(struct finder *f, const char *dir, uint32_t ino, unsigned depth, struct err *err)
{
	const struct ext4_entry *v;
	size_t n;
	int rc;

	if (!u32_map_put(&f->dirs, ino, 0))
		return 0;
	if (depth > DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "%s: directories nested deeper than %u", dir,
		               DEPTH_MAX);
	rc = guest_fs_list(f->fs, ino, &v, &n, err);
	if (rc == 0 && n > ENTRIES_MAX - f->entries)
		return err_set(err, ERR_LIMIT,
		               "%s: more than %u names in all of " PROFILES_AND_ROOTS, dir,
		               ENTRIES_MAX);
	f->entries += rc == 0 ? (unsigned)n : 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = scan_entry(f, dir, &v[i], depth, err);
	return rc;
}

static int scan_top(struct finder *f, const char *dir, struct err *err)
{
	uint32_t ino;
	int rc = err_absent(guest_fs_find(f->fs, dir, true, &ino, err));

	if (rc)
		return rc < 0 ? rc : 0;
	return scan(f, dir, ino, 0, err);
}

int guest_state_roots(struct off_guest *off, const struct guest_state *in, bool direct,
                      bool *reached, struct err *err)
{
	struct finder f = {.fs = &off->root,
	                   .db = &in->db,
	                   .reached = reached,
	                   .skip = GUEST_STATE_PROFILES,
	                   .skip_direct = !direct};
	int rc = scan_top(&f, GUEST_STATE_PROFILES, err);

	if (rc == 0)
		rc = scan_top(&f, GCROOTS, err);
	u32_map_fini(&f.dirs);
	u32_map_fini(&f.links);
	return rc;
}
