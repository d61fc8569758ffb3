/* SPDX-License-Identifier: MIT */
/*
 * The first match in the table wins. Earlier contents may have left their magic, so volumes and
 * encryption come first, and formats with a magic at the end of the disk last.
 */
#include "disk/contents.h"

#include <string.h>

#include "base/mem.h"

#define MAGIC_MAX 24 /* bytes of one */
#define SWAP_MAGIC "SWAPSPACE2"
#define UBERBLOCKS (128u << 10) /* bytes; in the first of ZFS's labels they begin there */

enum from {
	START,
	END,     /* bytes before the end */
	END_4K,  /* md 1.0: sectors of 512 bytes, less 16, rounded down to 8 */
	END_64K, /* md 0.90: rounded down to 64 KiB, less 64 KiB */
};

static const struct magic {
	const char *name;
	enum from from;
	uint64_t at; /* bytes */
	const char *bytes;
	size_t n;
} magics[] = {
#define MAGIC(name, from, at, bytes) {name, from, at, bytes, sizeof(bytes) - 1}
        MAGIC("LUKS1", START, 0, "LUKS\xba\xbe\0\1"),
        MAGIC("LUKS2", START, 0, "LUKS\xba\xbe\0\2"),
        MAGIC("LUKS", START, 0, "LUKS\xba\xbe"),
        MAGIC("LUKS2", START, 0x4000, "SKUL\xba\xbe"), /* the second header */
        MAGIC("LVM2", START, 512 + 24, "LVM2 001"),
        MAGIC("LVM2", START, 24, "LVM2 001"),
        MAGIC("LVM2", START, 1024 + 24, "LVM2 001"),
        MAGIC("LVM2", START, 1536 + 24, "LVM2 001"),
        MAGIC("Linux md RAID", START, 4096, "\xfc\x4e\x2b\xa9\1\0\0\0"),
        MAGIC("Linux md RAID", START, 0, "\xfc\x4e\x2b\xa9\1\0\0\0"),
        MAGIC("BitLocker", START, 3, "-FVE-FS-"),
        MAGIC("Stratis", START, 512 + 4, "!Stra0tis\x86\xff\x02^\x41rh"),
        MAGIC("VDO", START, 0, "dmvdo001"),
        MAGIC("dm-integrity", START, 0, "integrt\0"),
        MAGIC("dm-verity", START, 0, "verity\0\0"),
        MAGIC("bcache", START, 4096 + 24,
              "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
        MAGIC("bcachefs", START, 4096 + 24,
              "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"),
        MAGIC("F2FS", START, 1024, "\x10\x20\xf5\xf2"),
        MAGIC("NTFS", START, 3, "NTFS    "),
        MAGIC("exFAT", START, 3, "EXFAT   "),
        MAGIC("ReFS", START, 3, "ReFS\0\0\0\0"),
        MAGIC("ReiserFS", START, 65536 + 52, "ReIsEr2Fs"),
        MAGIC("ReiserFS", START, 65536 + 52, "ReIsEr3Fs"),
        MAGIC("ReiserFS", START, 65536 + 52, "ReIsErFs"),
        MAGIC("Reiser4", START, 65536, "ReIsEr4"),
        MAGIC("JFS", START, 32768, "JFS1"),
        MAGIC("EROFS", START, 1024, "\xe2\xe1\xf5\xe0"),
        MAGIC("HFS+", START, 1024, "H+\0\4"),
        MAGIC("HFSX", START, 1024, "HX\0\5"),
        MAGIC("APFS", START, 32, "NXSB"),
        MAGIC("UFS", START, 8192 + 1372, "\x54\x19\1\0"),
        MAGIC("UFS2", START, 65536 + 1372, "\x19\1\x54\x19"),
        MAGIC("GFS2", START, 65536, "\1\x16\x19\x70\0\0\0\1"),
        MAGIC("OCFS2", START, 4096 * 2, "OCFSV2"),
        MAGIC("OCFS2", START, 2048 * 2, "OCFSV2"),
        MAGIC("OCFS2", START, 1024 * 2, "OCFSV2"),
        MAGIC("OCFS2", START, 512 * 2, "OCFSV2"),
        MAGIC("squashfs", START, 0, "hsqs"),
        MAGIC("cramfs", START, 0, "\x45\x3d\xcd\x28"),
        MAGIC("romfs", START, 0, "-rom1fs-"),
        MAGIC("UDF", START, 32768 + 1, "BEA01"),
        MAGIC("swap", START, 4096 - 10, SWAP_MAGIC),
        MAGIC("swap", START, 8192 - 10, SWAP_MAGIC),
        MAGIC("swap", START, 16384 - 10, SWAP_MAGIC),
        MAGIC("swap", START, 65536 - 10, SWAP_MAGIC),
        MAGIC("swap with a suspended system", START, 4096 - 10, "S1SUSPEND"),
        MAGIC("a qcow2 image", START, 0, "QFI\xfb"),
        MAGIC("a QED image", START, 0, "QED\0"),
        MAGIC("a VHDX image", START, 0, "vhdxfile"),
        MAGIC("a dynamic VHD image", START, 0, "conectix"),
        MAGIC("a VMDK image", START, 0, "KDMV"),
        MAGIC("a VMDK image", START, 0, "COWD"),
        MAGIC("a VMDK image's description", START, 0, "# Disk DescriptorFile"),
        MAGIC("a VDI image", START, 0x40, "\x7f\x10\xda\xbe"),
        MAGIC("a Parallels image", START, 0, "WithoutFreeSpace"),
        MAGIC("a Parallels image", START, 0, "WithouFreSpacExt"),
        MAGIC("an Android sparse image", START, 0, "\x3a\xff\x26\xed"),
        MAGIC("xz data", START, 0,
              "\xfd"
              "7zXZ\0"),
        MAGIC("zstd data", START, 0, "\x28\xb5\x2f\xfd"),
        MAGIC("bzip2 data", START, 0, "BZh91AY&SY"),
        MAGIC("LZ4 data", START, 0, "\x04\x22\x4d\x18"),
        MAGIC("a tar archive", START, 257, "ustar"),
        MAGIC("a ZIP archive", START, 0, "PK\3\4"),
        MAGIC("Linux md RAID", END_4K, 0, "\xfc\x4e\x2b\xa9\1\0\0\0"),
        MAGIC("Linux md RAID", END_64K, 0, "\xfc\x4e\x2b\xa9\0\0\0\0"),
        MAGIC("Intel RAID", END, 1024, "Intel Raid ISM Cfg Sig. "),
        MAGIC("DDF RAID", END, 512, "\xde\x11\xde\x11"),
        MAGIC("a VHD image", END, 512, "conectix"),
        /* Only two or three bytes, so the match may be chance. */
        MAGIC("LVM1", START, 0, "HM\1\0"),
        MAGIC("NILFS2", START, 1024 + 6, "\x34\x34"),
        MAGIC("Minix", START, 1024 + 16, "\x8f\x13"),
        MAGIC("Minix", START, 1024 + 16, "\x7f\x13"),
        MAGIC("Minix", START, 1024 + 16, "\x68\x24"),
        MAGIC("Minix", START, 1024 + 16, "\x78\x24"),
        MAGIC("Minix", START, 1024 + 24, "\x5a\x4d"),
        MAGIC("gzip data", START, 0, "\x1f\x8b\x08"),
#undef MAGIC
};

/* The offset of a magic in w; false if w is too short. */
static bool place_of(const struct magic *m, const struct window *w, uint64_t *at)
{
	switch (m->from) {
	case END:
		*at = w->size - m->at;
		return w->size >= m->at;
	case END_4K:
		*at = (w->size / 512 - 16) / 8 * 8 * 512;
		return w->size >= (16u << 10);
	case END_64K:
		*at = (w->size & ~UINT64_C(0xffff)) - 0x10000;
		return w->size >= 0x10000;
	default:
		*at = m->at;
		return true;
	}
}

static bool is_there(const struct magic *m, const struct window *w)
{
	char bytes[MAGIC_MAX];
	struct err ignored;
	uint64_t at;

	/* Unreadable means unknown: this only finds names. */
	return place_of(m, w, &at) && at <= w->size && m->n <= w->size - at &&
	       window_read(w, bytes, m->n, at, &ignored) == 0 && memcmp(bytes, m->bytes, m->n) == 0;
}

/* ZFS's uberblocks lie in slots, of which a few are used, in either byte order. */
static bool is_zfs(const struct window *w)
{
	_free_ uint8_t *slots = NULL;
	struct err ignored;

	if (w->size < 2 * UBERBLOCKS)
		return false;
	slots = xmalloc(UBERBLOCKS);
	if (window_read(w, slots, UBERBLOCKS, UBERBLOCKS, &ignored) < 0)
		return false;
	for (size_t i = 0; i < UBERBLOCKS; i += 1024)
		if (memcmp(slots + i, "\x0c\xb1\xba\0\0\0\0\0", 8) == 0 ||
		    memcmp(slots + i, "\0\0\0\0\0\xba\xb1\x0c", 8) == 0)
			return true;
	return false;
}

const char *contents_name(const struct window *w)
{
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (is_there(&magics[i], w))
			return magics[i].name;
	return is_zfs(w) ? "ZFS" : NULL;
}
