/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/mem.h"
#include "ext4/claim.h"
#include "ext4/ext4_layout.h"
#include "ext4/target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* fallocate() ahead of direct writes: else the host's ext4 serialises them. */
#define LARGE_WRITE (256u << 10)
#define AHEAD (32ull << 20)
#define ZERO_PIECE (4u << 20)
#define LOCK_WAIT_MS 2000

/* Not in a file system in memory: newer kernels accept O_DIRECT there, but copy as ever. */
static void open_direct(struct target *t)
{
	struct statfs fs;
	char path[64];

	if (fstatfs(t->fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", t->fd);
	t->direct_fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
}

/* Whether the block device's queue in sysfs has a value; a partition has that of its disk. */
static bool queue_has(const struct target *t, const char *name)
{
	static const char *const places[] = {"queue", "../queue"};
	struct stat st;
	uint64_t v = 0;

	if (fstat(t->fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		_cleanup_(buf_fini) struct buf text = BUF_INIT;
		_free_ char *path = xasprintf("/sys/dev/block/%u:%u/%s/%s", major(st.st_rdev),
		                              minor(st.st_rdev), places[i], name);
		struct err ignored = ERR_INIT;

		if (io_read_file(AT_FDCWD, path, 64, &text, &ignored) == 0 &&
		    str_u64(str_trim(buf_str(&text)), 10, UINT64_MAX, &v))
			return v != 0;
	}
	return false;
}

static void look_at_queue(struct target *t)
{
	t->discards = queue_has(t, "discard_max_bytes");
	t->zeroes_fast = queue_has(t, "write_zeroes_max_bytes");
}

/*
 * Whether to allocate ahead: not if blocks may be cloned. Cloning a file into itself never works,
 * but the error depends on the file system.
 */
static bool wants_ahead(const struct target *t)
{
	struct file_clone_range range = {.src_fd = t->fd};

	return t->direct_fd >= 0 &&
	       (t->clone == CLONE_NEVER || (ioctl(t->fd, FICLONERANGE, &range) < 0 &&
	                                    (errno == EOPNOTSUPP || errno == ENOTTY)));
}

int target_from_file(struct target *t, int fd, const char *name, enum clone_mode clone,
                     struct err *err)
{
	*t = (struct target)TARGET_INIT;
	t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (t->fd < 0)
		return err_sys(err, errno, "%s", name);
	t->name = xstrdup(name);
	t->sparse = true;
	t->clone = clone;
	t->cloning = clone != CLONE_NEVER;
	open_direct(t);
	t->wants_ahead = wants_ahead(t);
	return 0;
}

int target_open_device(struct target *t, const char *path, struct err *err)
{
	/* On a block device O_EXCL without O_CREAT means exclusive use. */
	_close_ int fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	uint64_t size;
	int sector, protected, rc;

	if (fd < 0 && errno == EBUSY)
		return err_set(err, ERR_BUSY,
		               "%s: in use (mounted, or used by a running guest, LVM or md)", path);
	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s: stat", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(err, ERR_USAGE, "%s: not a block device", path);
	if (ioctl(fd, BLKGETSIZE64, &size) < 0 || ioctl(fd, BLKSSZGET, &sector) < 0 ||
	    ioctl(fd, BLKROGET, &protected) < 0)
		return err_sys(err, errno, "%s: size", path);
	if (protected)
		return err_set(err, ERR_IO, "%s: is write-protected", path);
	/* udev, too, locks a device while it probes it. */
	rc = io_lock(fd, path, true, LOCK_WAIT_MS, err);
	if (rc < 0)
		return rc;
	*t = (struct target)TARGET_INIT;
	t->fd = fd;
	fd = -1;
	t->name = xstrdup(path);
	t->is_device = t->in_place = true;
	t->size = size;
	t->sector = (unsigned)sector;
	t->clone = CLONE_NEVER;
	look_at_queue(t);
	open_direct(t);
	return 0;
}

/* Locks that belong to the open file, not to the process: QEMU takes the same. */
static int lock_file(int fd, const char *path, bool read_only, struct err *err)
{
	struct flock lock = {
	        .l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET, .l_len = CLAIM_BYTE};

	/* domgrub may still be exiting after it has answered. */
	if (io_lock(fd, path, !read_only, LOCK_WAIT_MS, err) == 0 &&
	    (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EACCES && errno != EAGAIN)))
		return 0;
	return err_set(err, ERR_BUSY,
	               "%s: locked by another program, such as a running guest's QEMU or another "
	               "domstrap; try again when it has ended",
	               path);
}

int target_open_existing(struct target *t, const char *path, bool read_only, struct err *err)
{
	_close_ int fd = -1;
	struct stat st;
	int rc;

	if (stat(path, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (S_ISBLK(st.st_mode) && !read_only)
		return target_open_device(t, path, err);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(err, ERR_USAGE, "%s: neither a file nor a block device", path);
	fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	rc = lock_file(fd, path, read_only, err);
	if (rc < 0)
		return rc;
	*t = (struct target)TARGET_INIT;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &t->size) < 0)
		return err_sys(err, errno, "%s: size", path);
	if (S_ISREG(st.st_mode))
		t->size = (uint64_t)st.st_size;
	t->is_device = S_ISBLK(st.st_mode);
	t->fd = fd;
	fd = -1;
	t->name = xstrdup(path);
	t->cloning = !t->is_device && !read_only;
	if (t->is_device)
		look_at_queue(t);
	if (!read_only)
		open_direct(t);
	return 0;
}

int target_open_in_place(struct target *t, const char *path, enum clone_mode clone, struct err *err)
{
	int rc = target_open_existing(t, path, false, err);

	if (rc < 0)
		return rc;
	if (!t->size)
		return err_set(
		        err, ERR_SPACE,
		        "%s: has 0 bytes; set its size first, for example with \"truncate -s 10G\"",
		        path);
	t->in_place = true;
	t->clone = t->is_device ? CLONE_NEVER : clone;
	t->cloning = t->clone != CLONE_NEVER;
	return 0;
}

void target_fini(struct target *t)
{
	io_close(&t->direct_fd);
	io_close(&t->fd);
	free(t->name);
	t->name = NULL;
}

static bool all_zero(const void *p, size_t n)
{
	const char *b = p;

	return n && !b[0] && memcmp(b, b + 1, n - 1) == 0;
}

int target_write_small(struct target *t, const void *p, size_t n, uint64_t off, struct err *err)
{
	return io_pwrite(t->fd, t->name, p, n, off, err);
}

/* -1: the disk is full. Other errors are reported by the write. */
static int find_blocks(struct target *t, uint64_t off, size_t n)
{
	uint64_t from, to = off + n + AHEAD;
	int rc = -1;

	pthread_mutex_lock(&t->lock);
	from = t->reserved;
	if (t->ahead && off + n > from) {
		/* A large gap stays a hole. */
		from = off > from + AHEAD ? off : from;
		rc = fallocate(t->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from));
		if (rc == 0)
			t->reserved = to;
	}
	pthread_mutex_unlock(&t->lock);
	if (rc == 0 || off + n <= t->reserved)
		return 0;
	return fallocate(t->fd, FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)n) < 0 && errno == ENOSPC
	               ? -1
	               : 0;
}

int target_write(struct target *t, const void *p, size_t n, uint64_t off, struct err *err)
{
	bool aligned = ((uintptr_t)p | n | off) % EXT4_BLOCK == 0;

	if (aligned && t->sparse && all_zero(p, n))
		return off < t->reserved ? target_zero(t, off, n, err) : 0;
	if (!aligned || t->direct_fd < 0)
		return target_write_small(t, p, n, off, err);
	if (!t->is_device && n >= LARGE_WRITE && off + n > t->reserved &&
	    find_blocks(t, off, n) < 0)
		return err_sys(err, errno, "%s: write", t->name);
	while (n) {
		ssize_t w = pwrite(t->direct_fd, p, n, (off_t)off);

		if (w < 0 && errno == EINTR)
			continue;
		/* Some file systems refuse O_DIRECT only here, or require larger alignment. */
		if (w < 0 && errno == EINVAL)
			return target_write_small(t, p, n, off, err);
		if (w < 0)
			return err_sys(err, errno, "%s: write of %zu bytes at %llu", t->name, n,
			               (unsigned long long)off);
		p = (const char *)p + w;
		n -= (size_t)w;
		off += (uint64_t)w;
		if (w % EXT4_BLOCK)
			return target_write_small(t, p, n, off, err);
	}
	return 0;
}

int target_read(struct target *t, void *p, size_t n, uint64_t off, struct err *err)
{
	int64_t got = io_pread(t->fd, t->name, p, n, off, err);

	if (got < 0)
		return (int)got;
	memset((char *)p + got, 0, n - (size_t)got);
	return 0;
}

int target_reserve(struct target *t, uint64_t off, uint64_t n, struct err *err)
{
	if (t->is_device || fallocate(t->fd, FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)n) == 0)
		return 0;
	return errno == ENOSPC || errno == EDQUOT ? err_sys(err, errno, "%s", t->name) : 0;
}

int target_reserve_ahead(struct target *t, uint64_t off, uint64_t n, struct err *err)
{
	int rc = target_reserve(t, off, n, err);

	if (rc == 0)
		t->reserved = off + n;
	return rc;
}

void target_begin(struct target *t, uint64_t size)
{
	/* Writes beyond the end of the file are serialised, too. */
	t->ahead = t->wants_ahead && ftruncate(t->fd, (off_t)size) == 0;
}

int target_end(struct target *t, uint64_t end, struct err *err)
{
	uint64_t reserved = t->reserved;

	t->ahead = false;
	if (reserved <= end)
		return 0;
	t->reserved = end;
	return target_zero(t, end, reserved - end, err);
}

/* Use O_DIRECT where possible; in a sparse file zeros are left as a hole. */
static int write_zeros(struct target *t, uint64_t off, uint64_t n, struct err *err)
{
	_free_ char *zeros = xaligned(EXT4_BLOCK, ZERO_PIECE);
	int rc = 0;

	memset(zeros, 0, ZERO_PIECE);
	while (n && rc == 0) {
		size_t m = (size_t)MIN(n, (uint64_t)ZERO_PIECE);

		rc = t->sparse ? target_write_small(t, zeros, m, off, err)
		               : target_write(t, zeros, m, off, err);
		off += m;
		n -= m;
	}
	return rc;
}

int target_zero(struct target *t, uint64_t off, uint64_t n, struct err *err)
{
	uint64_t range[2] = {off, n};

	if (t->is_device) {
		if (ioctl(t->fd, BLKZEROOUT, range) == 0)
			return 0;
		return write_zeros(t, off, n, err);
	}
	if (fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)n) == 0)
		return 0;
	return write_zeros(t, off, n, err);
}

bool target_wants_clone(const struct target *t, uint64_t size)
{
	if (!t->cloning)
		return false;
	return size >= (t->clone == CLONE_ALWAYS ? EXT4_BLOCK : CLONE_AUTO_MIN);
}

int target_clone(struct target *t, int src, uint64_t src_off, uint64_t n, uint64_t off,
                 struct err *err)
{
	struct file_clone_range range = {
	        .src_fd = src, .src_offset = src_off, .src_length = n, .dest_offset = off};

	if (ioctl(t->fd, FICLONERANGE, &range) == 0)
		return 0;
	if (t->clone == CLONE_ALWAYS)
		return err_sys(err, errno,
		               "%s: cannot share blocks with the store (--reflink always)",
		               t->name);
	if (errno == ENOSPC || errno == EIO)
		return err_sys(err, errno, "%s: sharing blocks with the store", t->name);
	/* Another file system, or one without reflinks; EINVAL may concern only this file. */
	if (errno != EINVAL)
		t->cloning = false;
	return 1;
}

int target_sync(struct target *t, struct err *err)
{
	return io_sync(t->fd, t->name, err);
}
