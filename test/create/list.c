/* SPDX-License-Identifier: MIT */
/*
 * list DIR
 * list IMAGE OFFSET PATH
 *
 * Lists everything below a host's directory, or below PATH in the ext2/3/4 file
 * system at a byte offset of IMAGE, as lines to be sorted and compared:
 *
 *     TYPE MODE UID GID MTIME SIZE CONTENTS NAME
 *
 * CONTENTS is a file's SHA-256, or a link's target. The host is read with
 * nftw(3), the image with libext2fs, not with domstrap's own code. If the
 * environment variable LIST_ONLY is "stat", contents are left out.
 */
#include <ctype.h>
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 65536
#define PIECE (1u << 20)

static uint8_t piece[PIECE];
static bool stat_only;
static size_t root_len;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "list: %s: %s\n", what, why);
	exit(1);
}

static void put_text(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (isgraph(c) && c != '\\' && c < 0x80)
			putchar(c);
		else
			printf("\\x%02x", c);
	}
}

/* Read the next bytes of a file into piece; returns their number, 0 at the end. */
typedef size_t more(void *file);

static void put_digest(void *file, more *next)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	size_t n;

	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	while ((n = next(file)))
		EVP_DigestUpdate(ctx, piece, n);
	EVP_DigestFinal_ex(ctx, md, &len);
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; i < len; i++)
		printf("%02x", md[i]);
}

static void put_head(mode_t mode, unsigned uid, unsigned gid, long long mtime,
                     unsigned long long size)
{
	printf("%c %04o %u %u %lld %llu ",
	       S_ISDIR(mode)   ? 'd'
	       : S_ISLNK(mode) ? 'l'
	                       : 'f',
	       (unsigned)mode & 07777, uid, gid, mtime, S_ISDIR(mode) ? 0 : size);
}

static void put_name(const char *name)
{
	putchar(' ');
	put_text(name, strlen(name));
	putchar('\n');
}

/* ---- a host's directory --------------------------------------------------- */

static size_t more_of_fd(void *file)
{
	ssize_t n = read(*(int *)file, piece, PIECE);

	if (n < 0)
		die("read", strerror(errno));
	return (size_t)n;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char target[4096];
	ssize_t n;
	int fd;

	(void)ftw;
	if (type == FTW_NS || type == FTW_DNR)
		die(path, "cannot be read");
	put_head(st->st_mode, st->st_uid, st->st_gid, st->st_mtime,
	         (unsigned long long)st->st_size);
	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, target, sizeof target);
		if (n < 0)
			die(path, strerror(errno));
		put_text(target, (size_t)n);
	} else if (S_ISREG(st->st_mode) && !stat_only) {
		fd = open(path, O_RDONLY);
		if (fd < 0)
			die(path, strerror(errno));
		put_digest(&fd, more_of_fd);
		close(fd);
	}
	put_name(path + root_len);
	return 0;
}

/* ---- an image ------------------------------------------------------------- */

static ext2_filsys fs;
static char path[PATH_SIZE];

static void check(errcode_t code)
{
	if (code)
		die(*path ? path : "image", error_message(code));
}

static size_t more_of_inode(void *file)
{
	unsigned n;

	check(ext2fs_file_read(*(ext2_file_t *)file, piece, PIECE, &n));
	return n;
}

static void put_target(ext2_ino_t ino, struct ext2_inode *in)
{
	unsigned n = in->i_size;
	ext2_file_t file;

	if (ext2fs_is_fast_symlink(in)) {
		put_text((const char *)in->i_block, n);
		return;
	}
	check(ext2fs_file_open(fs, ino, 0, &file));
	check(ext2fs_file_read(file, piece, PIECE, &n));
	ext2fs_file_close(file);
	put_text((const char *)piece, n);
}

static void list_inode(ext2_ino_t ino);

static int list_entry(ext2_ino_t dir, int entry, struct ext2_dir_entry *de, int offset,
                      int blocksize, char *buf, void *ctx)
{
	size_t len = strlen(path), n = (size_t)ext2fs_dirent_name_len(de);

	(void)dir, (void)offset, (void)blocksize, (void)buf, (void)ctx;
	if (entry != DIRENT_OTHER_FILE)
		return 0;
	if (len + n + 2 > PATH_SIZE)
		die(path, "too long");
	path[len] = '/';
	memcpy(path + len + 1, de->name, n);
	path[len + 1 + n] = '\0';
	list_inode(de->inode);
	path[len] = '\0';
	return 0;
}

static void list_inode(ext2_ino_t ino)
{
	struct ext2_inode_large in;
	ext2_file_t file;

	check(ext2fs_read_inode_full(fs, ino, (struct ext2_inode *)&in, sizeof in));
	put_head(in.i_mode, inode_uid(in), inode_gid(in), in.i_mtime, EXT2_I_SIZE(&in));
	if (in.i_mtime != in.i_ctime || in.i_mtime != in.i_atime || in.i_mtime != in.i_crtime ||
	    in.i_mtime_extra || in.i_ctime_extra || in.i_atime_extra || in.i_crtime_extra)
		printf("(times differ) ");
	if (LINUX_S_ISLNK(in.i_mode)) {
		put_target(ino, (struct ext2_inode *)&in);
	} else if (LINUX_S_ISREG(in.i_mode) && !stat_only) {
		check(ext2fs_file_open(fs, ino, 0, &file));
		put_digest(&file, more_of_inode);
		ext2fs_file_close(file);
	}
	put_name(path + root_len);
	if (LINUX_S_ISDIR(in.i_mode))
		check(ext2fs_dir_iterate2(fs, ino, 0, NULL, list_entry, NULL));
}

static void list_image(const char *image, const char *offset, const char *top)
{
	char options[64];
	ext2_ino_t ino;

	snprintf(options, sizeof options, "offset=%s", offset);
	check(ext2fs_open2(image, options, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs));
	check(ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, top, &ino));
	root_len = strlen(top);
	memcpy(path, top, root_len + 1);
	list_inode(ino);
	ext2fs_close_free(&fs);
}

int main(int argc, char **argv)
{
	const char *only = getenv("LIST_ONLY");

	stat_only = only && strcmp(only, "stat") == 0;
	if (argc == 4) {
		list_image(argv[1], argv[2], argv[3]);
	} else if (argc == 2) {
		root_len = strlen(argv[1]);
		if (nftw(argv[1], visit, 128, FTW_PHYS) != 0)
			die(argv[1], strerror(errno));
	} else {
		return 2;
	}
	return fflush(stdout) ? 1 : 0;
}
