/* SPDX-License-Identifier: MIT */
/* "test_contents FILE..." prints the contents of each file, for test/contents.sh. */
#include "disk/contents.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test/test.h"

#define SIZE ((1u << 20) + 512 * 3)

static const char *name_of(const void *p, size_t n)
{
	struct source_mem mem;
	struct window w;

	source_mem_init(&mem, p, n);
	w = window_over(&mem.src, n, "test");
	return contents_name(&w);
}

/* Only the magic bytes, in zeros. */
static void names(void **state)
{
	static const struct {
		size_t at;
		const char *bytes;
		size_t n;
		const char *want;
	} cases[] = {
	        {0, "LUKS\xba\xbe\0\1", 8, "LUKS1"},
	        {0, "LUKS\xba\xbe\0\2", 8, "LUKS2"},
	        {0, "LUKS\xba\xbe\0\3", 8, "LUKS"},
	        {0, "LUKS\xba\xbf\0\1", 8, NULL},
	        {1, "LUKS\xba\xbe\0\1", 8, NULL},
	        {512 + 24, "LVM2 001", 8, "LVM2"},
	        {512 + 23, "LVM2 001", 8, NULL},
	        {4096, "\xfc\x4e\x2b\xa9\1\0\0\0", 8, "Linux md RAID"},
	        {(SIZE & ~0xffffu) - 0x10000, "\xfc\x4e\x2b\xa9\0\0\0\0", 8, "Linux md RAID"},
	        {(SIZE / 512 - 16) / 8 * 4096, "\xfc\x4e\x2b\xa9\1\0\0\0", 8, "Linux md RAID"},
	        {SIZE - 512, "conectix", 8, "a VHD image"},
	        {0, "conectix", 8, "a dynamic VHD image"},
	        {0, "QFI\xfb", 4, "a qcow2 image"},
	        {65536 - 10, "SWAPSPACE2", 10, "swap"},
	        {(128 << 10) + 1024 * 33, "\x0c\xb1\xba\0\0\0\0\0", 8, "ZFS"},
	        {(255 << 10), "\0\0\0\0\0\xba\xb1\x0c", 8, "ZFS"},
	        {(255 << 10) + 8, "\0\0\0\0\0\xba\xb1\x0c", 8, NULL},
	        {0, "", 0, NULL},
	};
	_free_ char *disk = xmalloc(SIZE);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got;

		memset(disk, 0, SIZE);
		memcpy(disk + cases[i].at, cases[i].bytes, cases[i].n);
		got = name_of(disk, SIZE);
		if (cases[i].want ? !got || strcmp(got, cases[i].want) != 0 : got != NULL)
			fail_msg("case %zu: %s, not %s", i, got, cases[i].want);
	}
}

/* A disk of any length that matches several kinds: nothing is read beyond its end. */
static void short_disks(void **state)
{
	for (size_t n = 0; n < 5000; n += n < 1100 ? 1 : 97) {
		_free_ char *disk = xcalloc(n + 1, 1);

		memcpy(disk, "LUKS\xba\xbe\0\2", n < 8 ? n : 8);
		if ((name_of(disk, n) != NULL) != (n >= 6))
			fail_msg("%zu bytes", n);
	}
}

static int print(const char *path)
{
	struct source_fd src;
	struct stat st;
	struct window w;
	const char *name;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return 1;
	source_fd_init(&src, fd, path);
	w = window_over(&src.src, (uint64_t)st.st_size, path);
	name = contents_name(&w);
	puts(name ? name : "nothing");
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(short_disks)};
	int rc = 0;

	if (argc < 2)
		return cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 1; i < argc; i++)
		rc |= print(argv[i]);
	return rc;
}
