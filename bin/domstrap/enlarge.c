/* SPDX-License-Identifier: MIT */
#include "enlarge.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "disk/mbr.h"
#include "image/ext4_layout.h"

#define SECTOR 512u
#define ENTRIES_AT 446u
#define ENTRY_SIZE 16u

int size_wish_parse(const char *text, struct size_wish *out, struct err *err)
{
	bool more = *text == '+';
	uint64_t bytes;

	if (!strcmp(text, "all")) {
		*out = (struct size_wish){.kind = WISH_ALL};
		return 0;
	}
	if (!str_size(str_from(text + more), &bytes) || !bytes || bytes > EXT4_MAX_BYTES)
		return err_set(err, ERR_USAGE,
		               "--size '%s': such as 20G, +5G for that much more, or all of a "
		               "device",
		               text);
	*out = (struct size_wish){.kind = more ? WISH_ADD : WISH_SET, .bytes = bytes};
	return 0;
}

/* Bytes of the disk as it is to be, whole blocks. */
static int new_size(const struct offline *off, const struct size_wish *wish, uint64_t *out,
                    struct err *err)
{
	const struct target *t = off->root.target;
	uint64_t end = off->root.base + off->root.size, from = t->is_device ? end : t->size;
	char want[16], have[16];

	switch (wish->kind) {
	case WISH_ALL:
		*out = t->size;
		break;
	case WISH_ADD:
		*out = from + wish->bytes;
		break;
	default:
		*out = wish->bytes;
		break;
	}
	*out -= *out % EXT4_BLOCK;
	if (*out < from / EXT4_BLOCK * EXT4_BLOCK)
		return err_set(err, ERR_USAGE, "%s: has %s; it cannot shrink to %s", t->name,
		               str_human(from, have), str_human(*out, want));
	if (t->is_device && *out > t->size)
		return err_set(err, ERR_SPACE, "%s: the device has %s, %s are asked for", t->name,
		               str_human(t->size, have), str_human(*out, want));
	return 0;
}

/* The entry of the partition at base, which must be the last on the disk; or -1. */
static int last_entry(const struct mbr *mbr, uint64_t base)
{
	int found = -1;

	for (int i = 0; i < MBR_PRIMARIES; i++) {
		uint64_t start = (uint64_t)mbr->entry[i].start * SECTOR;

		if (!mbr->entry[i].type)
			continue;
		if (start == base)
			found = i;
		else if (start > base)
			return -1;
	}
	return found;
}

/* One sector is written whole or not at all. */
static int grow_partition(struct offline *off, uint64_t size, struct enlarged *old, struct err *err)
{
	struct target *t = off->root.target;
	uint8_t sector[SECTOR], *entry;
	uint64_t sectors = (size - off->root.base) / SECTOR;
	struct mbr mbr;
	int rc = target_read(t, sector, sizeof sector, 0, err), i = -1;

	if (rc < 0)
		return rc;
	if (mbr_parse(sector, &mbr) == 0 && mbr.entry[0].type != MBR_TYPE_GPT)
		i = last_entry(&mbr, off->root.base);
	if (i < 0)
		return err_set(
		        err, ERR_UNSUPPORTED,
		        "%s: its root is not the last primary partition of an MBR; enlarge the "
		        "partition with another program, then give --size again",
		        t->name);
	if (sectors > UINT32_MAX - mbr.entry[i].start)
		return err_set(err, ERR_LIMIT, "%s: an MBR's partitions end at 2 TiB", t->name);
	memcpy(old->sector, sector, sizeof sector);
	entry = sector + ENTRIES_AT + ENTRY_SIZE * (unsigned)i;
	memcpy(entry + 5, "\xfe\xff\xff", 3); /* beyond what CHS can say */
	put_le32(entry + 12, (uint32_t)sectors);
	rc = target_write_small(t, sector, sizeof sector, 0, err);
	if (rc < 0)
		return rc;
	old->table = true;
	return target_sync(t, err);
}

int enlarge(struct offline *off, const struct size_wish *wish, struct enlarged *old,
            struct err *err)
{
	struct target *t = off->root.target;
	uint64_t size = 0;
	int rc = new_size(off, wish, &size, err);

	*old = (struct enlarged){0};
	if (rc < 0)
		return rc;
	if (!t->is_device && size > t->size) {
		old->size = t->size;
		if (ftruncate(t->fd, (off_t)size) < 0)
			return err_sys(err, errno, "%s: a size of %" PRIu64 " bytes", t->name,
			               size);
		t->size = size;
	}
	if (off->root.base && size > off->root.base + off->root.size)
		rc = grow_partition(off, size, old, err);
	if (rc < 0)
		return rc;
	off->root.size = MAX(off->root.size, size - off->root.base);
	rc = offline_reopen(off, &off->root, err);
	return rc < 0 ? rc : ext4_edit_grow(off->root.edit, off->root.size, err);
}

void enlarge_undo(struct offline *off, const struct enlarged *old)
{
	struct target *t = off->root.target;
	struct err ignored = ERR_INIT;

	if (old->table && target_write_small(t, old->sector, sizeof old->sector, 0, &ignored) < 0)
		return;
	if (old->size && ftruncate(t->fd, (off_t)old->size) < 0)
		return;
}
