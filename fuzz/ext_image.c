/* SPDX-License-Identifier: MIT */
#include "ext_image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "image/image.h"

#define BLOCK 4096u
#define CHUNK 4096u
#define EDGE (64u << 10) /* bytes before and behind the file system */
#define ROOM (4u << 20)  /* in which it may grow */
#define EDGE_BYTE 0xa5
#define OBJECTS_MAX 4096
#define PATCHES_MAX 64
#define PATCH_MAX 8
#define FILES_MANY 200 /* in a directory with an index */

/* Offsets in the superblock, a group's descriptor, an inode; see "ext4_disk.h". */
#define SUPER_AT 1024u
#define SUPER_SIZE 1024u
#define GROUP_SIZE 64u
#define INODE_SIZE 256u
#define INODE_MAP 0x28u
#define EXTENT_MAGIC 0xf30au
#define JOURNAL_INO 8u

struct object {
	uint32_t at, size; /* bytes in the file system */
	uint32_t ino;
};

static struct {
	uint8_t *bytes; /* as it was made */
	uint64_t n;
	struct object object[EXT_CLASSES][OBJECTS_MAX];
	uint32_t count[EXT_CLASSES];
	uint32_t seed, block_map, inode_map, inode_table, inodes;
	struct ext_image disk;
	uint8_t *map; /* of the disk's memory */
} image;

static uint8_t *fs(void)
{
	return image.map + image.disk.base;
}

/* ---- checksums ------------------------------------------------------------ */

static uint32_t crc_le32(uint32_t crc, uint32_t v)
{
	uint8_t le[4];

	put_le32(le, v);
	return crc32c(crc, le, sizeof le);
}

static uint32_t inode_at(uint32_t ino)
{
	return image.inode_table + (ino - 1) * INODE_SIZE;
}

static uint32_t inode_seed(const uint8_t *p, uint32_t ino)
{
	return crc32c(crc_le32(image.seed, ino), p + inode_at(ino) + 0x64, 4);
}

static void sum_inode(uint8_t *p, const struct object *o)
{
	uint8_t *in = p + o->at;
	uint32_t crc;

	put_le16(in + 0x7c, 0);
	put_le16(in + 0x82, 0);
	crc = crc32c(inode_seed(p, o->ino), in, INODE_SIZE);
	put_le16(in + 0x7c, (uint16_t)crc);
	put_le16(in + 0x82, (uint16_t)(crc >> 16));
}

/* The block of a hash tree, whose entries begin at "entries"; false: it is none. */
static bool sum_index(uint8_t *block, uint32_t seed, uint32_t entries)
{
	uint32_t limit = get_le16(block + entries), count = get_le16(block + entries + 2);
	uint32_t tail = entries + limit * 8, crc;

	if (!limit || count > limit || tail + 8 > BLOCK)
		return false;
	crc = crc32c(seed, block, entries + count * 8);
	crc = crc_le32(crc32c(crc, block + tail, 4), 0);
	put_le32(block + tail + 4, crc);
	return true;
}

static void sum_dir(uint8_t *p, const struct object *o)
{
	uint8_t *block = p + o->at, *tail = block + BLOCK - 12;
	uint32_t seed = inode_seed(p, o->ino);

	if (get_le32(tail) == 0 && get_le16(tail + 4) == 12 && tail[7] == 0xde)
		put_le32(tail + 8, crc32c(seed, block, BLOCK - 12));
	else if (!sum_index(block, seed, 32))
		(void)sum_index(block, seed, 8);
}

static void sum_extents(uint8_t *p, const struct object *o)
{
	uint8_t *block = p + o->at;
	uint32_t tail = 12 + 12u * get_le16(block + 4);

	if (get_le16(block) == EXTENT_MAGIC && tail + 4 <= BLOCK)
		put_le32(block + tail, crc32c(inode_seed(p, o->ino), block, tail));
}

static void sum_bitmap(uint8_t *p, const struct object *o, uint32_t field)
{
	uint8_t *group = p + BLOCK;
	uint32_t crc = crc32c(image.seed, p + o->at, o->size);

	put_le16(group + field, (uint16_t)crc);
	put_le16(group + field + 0x20, (uint16_t)(crc >> 16));
}

static void sum_group(uint8_t *p)
{
	uint8_t *group = p + BLOCK;

	put_le16(group + 0x1e, 0);
	put_le16(group + 0x1e, (uint16_t)crc32c(crc_le32(image.seed, 0), group, GROUP_SIZE));
}

static void sum_journal(uint8_t *p, const struct object *o)
{
	uint8_t *super = p + o->at;
	uint32_t crc;

	put_le32(super + 0xfc, 0);
	if (!(get_be32(super + 0x28) & 0x18))
		return;
	crc = crc32c(~0u, super, 1024);
	for (unsigned i = 0; i < 4; i++)
		super[0xfc + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void sum(uint8_t *p, enum ext_class class, const struct object *o)
{
	switch (class) {
	case EXT_INODE:
		sum_inode(p, o);
		break;
	case EXT_DIR:
		sum_dir(p, o);
		break;
	case EXT_DATA:
		sum_extents(p, o);
		break;
	case EXT_BLOCK_MAP:
		sum_bitmap(p, o, 0x18);
		break;
	case EXT_INODE_MAP:
		sum_bitmap(p, o, 0x1a);
		break;
	case EXT_JOURNAL:
		if (o == image.object[EXT_JOURNAL])
			sum_journal(p, o);
		break;
	default:
		break;
	}
	sum_group(p);
	put_le32(p + SUPER_AT + 0x3fc, crc32c(~0u, p + SUPER_AT, 0x3fc));
}

/* ---- what is in it -------------------------------------------------------- */

static void add(enum ext_class class, uint64_t at, uint32_t size, uint32_t ino)
{
	if (image.count[class] == OBJECTS_MAX || at + size > image.n)
		abort();
	image.object[class][image.count[class]++] = (struct object){(uint32_t)at, size, ino};
}

/* The blocks of an inode whose extents are in it. */
static void add_blocks(uint32_t ino, enum ext_class class, uint32_t most)
{
	const uint8_t *map = image.bytes + inode_at(ino) + INODE_MAP;

	if (get_le16(map) != EXTENT_MAGIC)
		return;
	for (uint32_t i = 0; i < get_le16(map + 2); i++)
		for (uint32_t k = 0; k < MIN(get_le16(map + 16 + 12 * i), most); k++)
			add(class, (uint64_t)(get_le32(map + 20 + 12 * i) + k) * BLOCK, BLOCK, ino);
}

static void find_objects(void)
{
	const uint8_t *super = image.bytes + SUPER_AT, *group = image.bytes + BLOCK;

	image.seed = crc32c(~0u, super + 0x68, 16);
	image.inodes = get_le32(super);
	image.inode_table = get_le32(group + 8) * BLOCK;
	add(EXT_SUPER, SUPER_AT, SUPER_SIZE, 0);
	add(EXT_GROUP, BLOCK, GROUP_SIZE, 0);
	add(EXT_BLOCK_MAP, (uint64_t)get_le32(group) * BLOCK, BLOCK, 0);
	add(EXT_INODE_MAP, (uint64_t)get_le32(group + 4) * BLOCK, get_le32(super + 0x28) / 8, 0);
	for (uint32_t ino = 1; ino <= image.inodes; ino++) {
		unsigned type = get_le16(image.bytes + inode_at(ino)) >> 12;

		if (!type)
			continue;
		add(EXT_INODE, inode_at(ino), INODE_SIZE, ino);
		if (ino == JOURNAL_INO)
			add_blocks(ino, EXT_JOURNAL, 4);
		else if (type == 4)
			add_blocks(ino, EXT_DIR, 16);
		else
			add_blocks(ino, EXT_DATA, 16);
	}
}

/* ---- making it ------------------------------------------------------------ */

static struct tree *make_tree(void)
{
	static const char text[3 * BLOCK] = "text";
	struct tree *t = tree_new(0755, EXT_IMAGE_TIME);
	char target[81];

	memset(target, 'l', sizeof target - 1);
	target[sizeof target - 1] = 0;
	tree_file(t, "/nix/store/a/file", 0444, text, 10);
	tree_file(t, "/nix/store/a/empty", 0444, text, 0);
	tree_file(t, "/nix/store/b", 0555, text, sizeof text);
	tree_file(t, "/nix/store/deep", 0444, text, sizeof text);
	tree_link(t, "/nix/var/profiles/system", "system-1-link");
	tree_link(t, "/nix/var/profiles/system-1-link", "/nix/store/a");
	tree_link(t, "/long", target);
	tree_dir(t, "/nix/store/.links", 0755, 0, 0);
	for (unsigned i = 0; i < FILES_MANY; i++) {
		_free_ char *path = xasprintf("/many/a-name-of-some-length-%u", i);

		tree_file(t, path, 0644, text, 0);
	}
	return t;
}

/* Give the file "deep" an extent block: the first of its three. */
static void deepen(void)
{
	for (uint32_t i = 0, seen = 0; i < image.count[EXT_DATA]; i++) {
		const struct object *o = &image.object[EXT_DATA][i];
		uint8_t *in = image.bytes + inode_at(o->ino), *map = in + INODE_MAP;
		struct object inode = {inode_at(o->ino), INODE_SIZE, o->ino};
		uint8_t *leaf = image.bytes + o->at;

		/* The second file of this size. */
		if (get_le32(in + 4) != 3 * BLOCK || get_le32(map + 20) != o->at / BLOCK || !seen++)
			continue;
		memset(leaf, 0, BLOCK);
		memcpy(leaf, map, 24);
		put_le16(leaf + 4, (BLOCK - 12) / 12);
		put_le16(leaf + 16, 2);
		put_le32(leaf + 20, o->at / BLOCK + 1);
		put_le32(in + 4, 2 * BLOCK);
		put_le16(map + 6, 1); /* depth */
		memset(map + 12, 0, 12);
		put_le32(map + 16, o->at / BLOCK);
		sum(image.bytes, EXT_DATA, o);
		sum(image.bytes, EXT_INODE, &inode);
		return;
	}
	abort();
}

static void must(int rc)
{
	if (rc)
		abort();
}

static void write_image(int fd)
{
	_cleanup_(tree_freep) struct tree *root = make_tree();
	struct image_request req = {.name = "image",
	                            .root = root,
	                            .label = "FUZZ",
	                            .time = EXT_IMAGE_TIME,
	                            .uuid = {1, 2, 3},
	                            .spare = 256u << 10,
	                            .threads = 1};
	struct err err = ERR_INIT;
	struct image_plan plan;
	struct target t;

	must(target_from_file(&t, fd, "image", CLONE_NEVER, &err));
	must(image_plan(&req, &plan, &err));
	must(image_write(&plan, &t, &err));
	image.n = plan.size;
	image_plan_fini(&plan);
	target_fini(&t);
}

static void make_disk(void)
{
	struct ext_image *d = &image.disk;
	uint64_t disk = EDGE + image.n + ROOM + EDGE;
	int fd = memfd_create("disk", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)disk) != 0)
		abort();
	d->target = (struct target){.fd = fd, .direct_fd = -1, .name = xstrdup("disk")};
	pthread_mutex_init(&d->target.lock, NULL);
	d->target.size = disk;
	d->base = EDGE;
	d->size = image.n + ROOM;
	image.map = mmap(NULL, disk, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (image.map == MAP_FAILED)
		abort();
	memset(image.map, EDGE_BYTE, EDGE);
	memset(image.map + disk - EDGE, EDGE_BYTE, EDGE);
}

static void make(void)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	write_image(fd);
	image.bytes = mmap(NULL, image.n, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	if (image.bytes == MAP_FAILED)
		abort();
	find_objects();
	deepen();
	make_disk();
}

/* ---- an input ------------------------------------------------------------- */

/* The image as it was made, and zeros behind it. Comparing is cheaper than writing everything. */
static void restore(void)
{
	static const uint8_t zeros[CHUNK];

	for (uint64_t at = 0; at < image.disk.size; at += CHUNK) {
		const uint8_t *was = at < image.n ? image.bytes + at : zeros;

		if (memcmp(fs() + at, was, CHUNK) != 0)
			memcpy(fs() + at, was, CHUNK);
	}
}

const struct ext_image *ext_image_patch(const uint8_t *data, size_t size)
{
	struct {
		enum ext_class class;
		const struct object *o;
	} touched[PATCHES_MAX];
	struct bytes b = bytes_over(data, size);
	size_t n = 0;

	if (!image.bytes)
		make();
	restore();
	for (; n < PATCHES_MAX && bytes_left(&b) > 5; n++) {
		enum ext_class class = bytes_u8(&b) % EXT_CLASSES;
		const struct object *o = &image.object[class][bytes_u8(&b) % image.count[class]];
		uint32_t at = bytes_le16(&b) % o->size;
		uint32_t len = bytes_u8(&b) % PATCH_MAX + 1u;

		for (uint32_t i = 0; i < len && bytes_left(&b); i++)
			fs()[o->at + (at + i) % o->size] = bytes_u8(&b);
		touched[n].class = class;
		touched[n].o = o;
	}
	for (size_t i = 0; i < n; i++)
		sum(fs(), touched[i].class, touched[i].o);
	return &image.disk;
}

void ext_image_check(void)
{
	const struct ext_image *d = &image.disk;
	uint64_t end = d->base + d->size;

	if (lseek(d->target.fd, 0, SEEK_END) != (off_t)(end + EDGE))
		abort();
	for (uint32_t i = 0; i < EDGE; i++)
		if (image.map[i] != EDGE_BYTE || image.map[end + i] != EDGE_BYTE)
			abort();
}
