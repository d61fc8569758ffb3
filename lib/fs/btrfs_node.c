/* SPDX-License-Identifier: MIT */
/*
 *     node    checksum (32), UUID (16), its address, flags (64 bits each), UUID of chunks (16),
 *             generation, owner, number of keys (32 bits), level (8 bits)
 *             level 0    { key, offset behind the head, size (32 bits each) }, the items' bytes
 *             others     { key, address, generation }
 */
#include <inttypes.h>
#include <nettle/sha2.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "fs/btrfs.h"

#define HEAD 101u
#define KEY 17u
#define ITEM (KEY + 8u)
#define POINTER (KEY + 16u)

bool btrfs_sum_ok(enum btrfs_sum sum, const uint8_t *p, size_t n)
{
	const uint8_t *from = p + BTRFS_SUM_SIZE;
	uint8_t is[BTRFS_SUM_SIZE];
	struct sha256_ctx sha;

	n -= BTRFS_SUM_SIZE;
	switch (sum) {
	case BTRFS_CRC32C:
		return ~crc32c(UINT32_MAX, from, n) == get_le32(p);
	case BTRFS_XXHASH:
		return XXH64(from, n, 0) == get_le64(p);
	case BTRFS_SHA256:
		sha256_init(&sha);
		sha256_update(&sha, n, from);
		sha256_digest(&sha, sizeof is, is);
		break;
	default:
		/* Without sodium_init(), which asks for random bytes, this is libsodium's plain C.
		 */
		if (crypto_generichash_blake2b(is, sizeof is, from, n, NULL, 0) != 0)
			return false;
		break;
	}
	return memcmp(is, p, sizeof is) == 0;
}

int btrfs_key_compare(const struct btrfs_key *a, const struct btrfs_key *b)
{
	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static const uint8_t *record(const struct btrfs_node *node, uint32_t i)
{
	return node->p + HEAD + (size_t)i * (node->level ? POINTER : ITEM);
}

struct btrfs_key btrfs_node_key(const struct btrfs_node *node, uint32_t i)
{
	const uint8_t *p = record(node, i);

	return (struct btrfs_key){get_le64(p), p[8], get_le64(p + 9)};
}

struct bytes btrfs_node_item(const struct btrfs_node *node, uint32_t i)
{
	const uint8_t *p = record(node, i) + KEY;

	return bytes_over(node->p + HEAD + get_le32(p), get_le32(p + 4));
}

void btrfs_node_below(const struct btrfs_node *node, uint32_t i, uint64_t *at, uint64_t *generation)
{
	const uint8_t *p = record(node, i) + KEY;

	*at = get_le64(p);
	*generation = get_le64(p + 8);
}

/* Keys rise, and items are inside of the node. */
static int check_records(const struct btrfs *b, const struct btrfs_node *node, struct err *err)
{
	uint32_t room = b->node - HEAD, used = node->n * (node->level ? POINTER : ITEM);

	for (uint32_t i = 0; i < node->n; i++) {
		struct btrfs_key key = btrfs_node_key(node, i), last;
		const uint8_t *p = record(node, i) + KEY;

		if (i) {
			last = btrfs_node_key(node, i - 1);
			if (btrfs_key_compare(&last, &key) >= 0)
				return err_set(err, ERR_FORMAT,
				               "key %u is not above the one before it", i);
		}
		if (!node->level && (get_le32(p) < used || get_le32(p) > room ||
		                     get_le32(p + 4) > room - get_le32(p)))
			return err_set(err, ERR_FORMAT,
			               "item %u has %" PRIu32 " bytes at %" PRIu32
			               " of a node with room for %" PRIu32,
			               i, get_le32(p + 4), get_le32(p), room);
	}
	return 0;
}

static int check(const struct btrfs *b, struct btrfs_node *node, struct err *err)
{
	struct bytes in = bytes_over(node->p, b->node);
	uint32_t most;

	if (!btrfs_sum_ok(b->sum, node->p, b->node))
		return err_set(err, ERR_FORMAT, "wrong checksum");
	bytes_seek(&in, 48);
	if (memcmp(node->p + 32, b->uuid, sizeof b->uuid) != 0 || bytes_le64(&in) != node->at)
		return err_set(err, ERR_FORMAT,
		               "it is a node of another file system or of another address");
	bytes_seek(&in, 80);
	node->generation = bytes_le64(&in);
	bytes_skip(&in, 8);
	node->n = bytes_le32(&in);
	node->level = bytes_u8(&in);
	most = (b->node - HEAD) / (node->level ? POINTER : ITEM);
	if (node->level >= BTRFS_LEVELS || node->n > most || (node->level && !node->n))
		return err_set(err, ERR_FORMAT,
		               "%" PRIu32 " keys at level %u (at most %" PRIu32 ", below level %u)",
		               node->n, node->level, most, BTRFS_LEVELS);
	return check_records(b, node, err);
}

/* Read the copies of a node until one is right. The error is the first copy's. */
static int read_copies(struct btrfs *b, struct btrfs_node *node, struct err *err)
{
	struct err first = ERR_INIT;

	for (unsigned copy = 0; copy < BTRFS_COPIES; copy++) {
		int rc = btrfs_at(b, node->at, b->node, copy, &node->disk, err);

		if (rc == 0)
			rc = window_read(&b->fs.w, node->p, b->node, node->disk, err);
		if (rc == 0)
			rc = check(b, node, err);
		if (rc == 0)
			return 0;
		if (rc < 0 && !copy)
			first = *err;
		if (rc != -ERR_FORMAT)
			break;
	}
	*err = first;
	return -(int)err->code;
}

int btrfs_node_read(struct btrfs *b, uint64_t at, const struct btrfs_node **out, struct err *err)
{
	struct btrfs_node *node = &b->kept[at / b->node % BTRFS_NODES_KEPT];
	int rc;

	*out = node;
	if (at && node->at == at)
		return 0;
	if (!at || at % b->sector)
		return err_set(err, ERR_FORMAT, "invalid address %" PRIu64 " of a node", at);
	if (!node->p)
		node->p = xmalloc(b->node);
	node->at = at;
	rc = read_copies(b, node, err);
	if (rc < 0) {
		node->at = 0;
		return err_prefix(err, "node at the logical address %" PRIu64, at);
	}
	return 0;
}
