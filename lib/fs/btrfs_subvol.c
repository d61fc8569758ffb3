/* SPDX-License-Identifier: MIT */
/*
 *     ROOT_ITEM    an inode (160 bytes), generation, inode of its directory, address; …
 *                  level (byte 238)
 *     ROOT_REF     in the tree of roots at (parent, subvolume): that the parent has it
 */
#include <inttypes.h>

#include "base/mem.h"
#include "fs/btrfs.h"

#define INODE_BITS 48
#define INODE_MAX ((UINT64_C(1) << INODE_BITS) - 1)
#define SUBVOLS_MAX (UINT64_C(1) << (64 - INODE_BITS))
#define ROOT_ITEM_MIN 239

int btrfs_inode_node(uint64_t subvol_node, uint64_t inode, uint64_t *node, struct err *err)
{
	if (inode > INODE_MAX)
		return err_set(err, ERR_LIMIT,
		               "inode %" PRIu64 ", larger than the limit of %" PRIu64, inode,
		               INODE_MAX);
	*node = (subvol_node & ~INODE_MAX) | inode;
	return 0;
}

/* Its root is not read yet, so the inode's number is 0. */
int btrfs_subvol_node(struct btrfs *b, uint64_t id, uint64_t parent, uint64_t *node,
                      struct err *err)
{
	size_t i = 0;

	while (i < b->subvols && (b->subvol[i].id != id || b->subvol[i].parent != parent))
		i++;
	if (i == SUBVOLS_MAX)
		return err_set(err, ERR_LIMIT, "more than %" PRIu64 " subvolumes", SUBVOLS_MAX);
	if (i == b->subvols) {
		GROW(b->subvol, b->subvols, b->subvols_cap);
		b->subvol[b->subvols++] = (struct btrfs_subvol){.id = id, .parent = parent};
	}
	*node = (uint64_t)i << INODE_BITS;
	return 0;
}

/* Whether the tree of roots has exactly this key; the place is there then. */
static int root_key(struct btrfs_place *p, const struct btrfs_key *key, bool exact, bool *is,
                    struct err *err)
{
	int rc = btrfs_place_seek(p, &p->b->roots, key, err);

	*is = rc == 0 && p->key.object == key->object && p->key.type == key->type &&
	      (!exact || p->key.offset == key->offset);
	return rc < 0 ? rc : 0;
}

static int root_read(struct btrfs *b, struct btrfs_subvol *s, struct err *err)
{
	_cleanup_(btrfs_place_fini) struct btrfs_place at = {.b = b};
	struct btrfs_key ref = {s->parent, BTRFS_ROOT_REF, s->id};
	struct btrfs_key item = {s->id, BTRFS_ROOT_ITEM, 0};
	bool is = true;
	int rc = 0;

	/* A snapshot has its original's entries for subvolumes, but not the subvolumes. */
	if (s->parent)
		rc = root_key(&at, &ref, true, &is, err);
	s->stub = !is;
	if (rc < 0 || s->stub)
		return rc;
	rc = root_key(&at, &item, false, &is, err);
	if (rc < 0)
		return rc;
	if (!is || at.item.n < ROOT_ITEM_MIN)
		return err_set(err, ERR_FORMAT, "no root of subvolume %" PRIu64, s->id);
	bytes_seek(&at.item, 160);
	s->root.generation = bytes_le64(&at.item);
	s->dir = bytes_le64(&at.item);
	s->root.at = bytes_le64(&at.item);
	bytes_seek(&at.item, 238);
	s->root.level = bytes_u8(&at.item);
	if (s->root.level >= BTRFS_LEVELS)
		return err_set(err, ERR_FORMAT, "root of subvolume %" PRIu64 " at level %u", s->id,
		               s->root.level);
	return 0;
}

int btrfs_node_subvol(struct btrfs *b, uint64_t node, struct btrfs_subvol *out, uint64_t *inode,
                      struct err *err)
{
	struct btrfs_subvol *s;

	if (node >> INODE_BITS >= b->subvols)
		return err_set(err, ERR_FORMAT, "no subvolume %" PRIu64, node >> INODE_BITS);
	s = &b->subvol[node >> INODE_BITS];
	if (!s->known) {
		struct btrfs_subvol read = *s;
		int rc = root_read(b, &read, err);

		if (rc < 0)
			return rc;
		read.known = true;
		*s = read;
	}
	*out = *s;
	*inode = node & INODE_MAX ? node & INODE_MAX : s->dir;
	return 0;
}

int btrfs_subvol_default(struct btrfs *b, uint64_t *id, struct err *err)
{
	_cleanup_(btrfs_place_fini) struct btrfs_place at = {.b = b};
	struct btrfs_key first = {b->root_dir, BTRFS_DIR_ITEM, 0};
	int rc = btrfs_place_seek(&at, &b->roots, &first, err);

	*id = BTRFS_TREE_TOP;
	while (rc == 0 && at.key.object == b->root_dir && at.key.type == BTRFS_DIR_ITEM) {
		struct btrfs_dirent ent;

		while (rc == 0 && bytes_left(&at.item)) {
			rc = btrfs_dirent_next(&at.item, &ent, err);
			if (rc == 0 && str_is(ent.name, "default") &&
			    ent.key.type == BTRFS_ROOT_ITEM)
				*id = ent.key.object;
		}
		if (rc == 0)
			rc = btrfs_place_next(&at, err);
	}
	return rc < 0 ? rc : 0;
}
