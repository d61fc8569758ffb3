/* SPDX-License-Identifier: MIT */
/*
 * Each node below must begin with the key that its parent has for it, and end before the next one,
 * one level down: then keys rise all along, no node comes twice, and a walk has an end.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fs/btrfs.h"

void btrfs_place_fini(struct btrfs_place *p)
{
	for (size_t i = 0; i < ARRAY_LEN(p->level); i++)
		free(p->level[i].node.p);
}

/* A node of the tree, as p's own at its level. */
static int level_load(struct btrfs_place *p, const struct btrfs_root *is, struct err *err)
{
	struct btrfs_node *own = &p->level[is->level].node;
	const struct btrfs_node *node;
	uint8_t *mine = own->p;
	int rc = btrfs_node_read(p->b, is->at, &node, err);

	if (rc < 0)
		return rc;
	if (node->level != is->level || node->generation != is->generation)
		return err_set(err, ERR_FORMAT,
		               "node at the logical address %" PRIu64
		               " has level %u, generation %" PRIu64
		               "; expected level %u, generation %" PRIu64,
		               is->at, node->level, node->generation, is->level, is->generation);
	if (!mine)
		mine = xmalloc(p->b->node);
	memcpy(mine, node->p, p->b->node);
	*own = *node;
	own->p = mine;
	p->level[is->level].i = 0;
	return 0;
}

/* Load what is below the current key of a level. */
static int descend(struct btrfs_place *p, unsigned level, struct err *err)
{
	struct btrfs_level *up = &p->level[level], *down = &p->level[level - 1];
	struct btrfs_root is = {.level = level - 1};
	struct btrfs_key want = btrfs_node_key(&up->node, up->i), first, last;
	int rc;

	btrfs_node_below(&up->node, up->i, &is.at, &is.generation);
	rc = level_load(p, &is, err);
	if (rc < 0)
		return rc;
	down->end = up->end;
	down->bounded = up->bounded;
	if (up->i + 1 < up->node.n) {
		down->end = btrfs_node_key(&up->node, up->i + 1);
		down->bounded = true;
	}
	if (!down->node.n)
		return err_set(err, ERR_FORMAT, "node at the logical address %" PRIu64 " is empty",
		               is.at);
	first = btrfs_node_key(&down->node, 0);
	last = btrfs_node_key(&down->node, down->node.n - 1);
	if (btrfs_key_compare(&first, &want) != 0 ||
	    (down->bounded && btrfs_key_compare(&last, &down->end) >= 0))
		return err_set(err, ERR_FORMAT,
		               "node at the logical address %" PRIu64
		               " has other keys than the node above it says",
		               is.at);
	return 0;
}

/* The number of keys of a node that are below *key, or with same also those that are the same. */
static uint32_t keys_below(const struct btrfs_node *node, const struct btrfs_key *key, bool same)
{
	uint32_t low = 0, high = node->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		struct btrfs_key k = btrfs_node_key(node, mid);
		int order = btrfs_key_compare(&k, key);

		if (order < 0 || (same && order == 0))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The item that the place is at; behind the last of a leaf, the next leaf's first. */
static int settle(struct btrfs_place *p, struct err *err)
{
	struct btrfs_level *leaf = &p->level[0];
	unsigned level = 0;

	while (p->level[level].i >= p->level[level].node.n) {
		if (level == p->top)
			return 1;
		p->level[++level].i++;
	}
	for (; level; level--) {
		int rc = descend(p, level, err);

		if (rc < 0)
			return rc;
	}
	p->key = btrfs_node_key(&leaf->node, leaf->i);
	p->item = btrfs_node_item(&leaf->node, leaf->i);
	return 0;
}

int btrfs_place_seek(struct btrfs_place *p, const struct btrfs_root *root,
                     const struct btrfs_key *key, struct err *err)
{
	int rc = level_load(p, root, err);

	p->top = root->level;
	p->level[p->top].bounded = false;
	for (unsigned level = p->top; level && rc == 0; level--) {
		uint32_t i = keys_below(&p->level[level].node, key, true);

		p->level[level].i = i ? i - 1 : 0;
		rc = descend(p, level, err);
	}
	if (rc < 0)
		return rc;
	p->level[0].i = keys_below(&p->level[0].node, key, false);
	return settle(p, err);
}

int btrfs_place_next(struct btrfs_place *p, struct err *err)
{
	p->level[0].i++;
	return settle(p, err);
}
