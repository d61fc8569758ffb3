/* SPDX-License-Identifier: MIT */
/*
 *     zlib, zstd    a stream; a sector's rest behind it is zeros
 *     lzo           bytes with this number (32 bits), { bytes (32 bits), a sector packed }; no
 *                   number is cut by the end of a sector: what is too short for one is left out
 */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/unlzo.h"
#include "fs/btrfs.h"

/* The last extent that was unpacked, for those who read it in pieces. */
struct btrfs_unpacker {
	uint64_t disk; /* where it is; 0: none */
	ZSTD_DCtx *zstd;
	uint8_t packed[BTRFS_PACKED_MAX], unpacked[BTRFS_PACKED_MAX];
};

/* One way of unpacking: *got of at most room bytes are there. */
typedef int unpack_fn(struct btrfs *b, struct str in, uint8_t *out, size_t room, size_t *got,
                      struct err *err);

static int unpack_zlib(struct btrfs *b, struct str in, uint8_t *out, size_t room, size_t *got,
                       struct err *err)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)in.p,
	              .avail_in = (uInt)in.n,
	              .next_out = out,
	              .avail_out = (uInt)room};
	int rc = inflateInit(&z);

	(void)b;
	mem_or_die(rc == Z_OK ? out : NULL);
	rc = inflate(&z, Z_FINISH);
	*got = room - z.avail_out;
	inflateEnd(&z);
	/* Linux, too, stops where it has enough. */
	if (rc == Z_STREAM_END || (rc == Z_BUF_ERROR && !z.avail_out))
		return 0;
	return err_set(err, ERR_FORMAT, "zlib data is invalid: %s", zError(rc));
}

static int unpack_zstd(struct btrfs *b, struct str in, uint8_t *out, size_t room, size_t *got,
                       struct err *err)
{
	size_t frame = ZSTD_findFrameCompressedSize(in.p, in.n);

	if (!b->unpacker->zstd)
		b->unpacker->zstd = mem_or_die(ZSTD_createDCtx());
	if (!ZSTD_isError(frame))
		frame = ZSTD_decompressDCtx(b->unpacker->zstd, out, room, in.p, frame);
	if (ZSTD_isError(frame))
		return err_set(err, ERR_FORMAT, "zstd data is invalid: %s",
		               ZSTD_getErrorName(frame));
	*got = frame;
	return 0;
}

static int unpack_lzo(struct btrfs *b, struct str packed, uint8_t *out, size_t room, size_t *got,
                      struct err *err)
{
	struct bytes in = bytes_over(packed.p, packed.n);
	uint32_t all = bytes_le32(&in);

	if (!bytes_ok(&in) || all > packed.n)
		return err_set(err, ERR_FORMAT, "LZO data of %" PRIu32 " bytes in %zu", all,
		               packed.n);
	in.n = MAX(all, in.pos);
	*got = 0;
	while (bytes_left(&in) && *got < room) {
		size_t rest = b->sector - in.pos % b->sector, size, one;
		const uint8_t *from;
		int rc;

		if (rest < 4)
			bytes_skip(&in, rest);
		size = bytes_le32(&in);
		from = bytes_take(&in, size);
		if (!from)
			return err_set(err, ERR_FORMAT,
			               "LZO data of %zu bytes at byte %zu of %" PRIu32, size,
			               in.pos, all);
		rc = unlzo(from, size, out + *got, MIN(room - *got, b->sector), &one, err);
		if (rc < 0)
			return rc;
		*got += one;
	}
	return 0;
}

static unpack_fn *const ways[BTRFS_PACKINGS] = {
        [BTRFS_ZLIB] = unpack_zlib,
        [BTRFS_LZO] = unpack_lzo,
        [BTRFS_ZSTD] = unpack_zstd,
};

/* A whole extent into out. */
static int extent_unpack(struct btrfs *b, const struct fs_run *run, uint8_t *out, struct err *err)
{
	const struct fs_pack *pack = &run->pack;
	size_t got = 0;
	int rc = window_read(&b->fs.w, b->unpacker->packed, pack->packed, run->disk, err);

	if (rc < 0)
		return rc;
	rc = ways[pack->how](b, (struct str){(const char *)b->unpacker->packed, pack->packed}, out,
	                     pack->unpacked, &got, err);
	if (rc < 0)
		return err_prefix(err, "compressed extent at byte %" PRIu64 " of the disk",
		                  run->disk);
	memset(out + got, 0, pack->unpacked - got);
	return 0;
}

int btrfs_unpack(struct fs *fs, const struct fs_run *run, uint64_t from, void *p, size_t n,
                 struct err *err)
{
	struct btrfs *b = (struct btrfs *)fs;
	struct btrfs_unpacker *u = b->unpacker;

	if (!u)
		u = b->unpacker = xcalloc(1, sizeof *u);
	if (n == run->pack.unpacked)
		return extent_unpack(b, run, p, err);
	if (u->disk != run->disk) {
		int rc;

		u->disk = 0;
		rc = extent_unpack(b, run, u->unpacked, err);
		if (rc < 0)
			return rc;
		u->disk = run->disk;
	}
	memcpy(p, u->unpacked + run->pack.skip + from, n);
	return 0;
}

void btrfs_unpacker_free(struct btrfs_unpacker *u)
{
	if (u)
		ZSTD_freeDCtx(u->zstd);
	free(u);
}
