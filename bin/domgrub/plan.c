/* SPDX-License-Identifier: MIT */
/* In the jail: finds the files of an entry, and copies them to the outputs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inmate_state.h"
#include "sparse.h"

#define PIECE (256u << 10) /* bytes read and written at once: fits into caches */
#define INITRD_ALIGN 4     /* where the next ramdisk starts, as GRUB has it */

static uint64_t aligned(uint64_t n)
{
	return (n + INITRD_ALIGN - 1) & ~(uint64_t)(INITRD_ALIGN - 1);
}

/*
 * A file of the plan, borrowed; *own keeps it open if nothing else does. An image with a boot
 * counter gets another name before it is copied, so it stays open.
 */
static int file_get(struct inmate *in, const struct grub_boot_file *f, struct fs_file **own,
                    struct fs_file **out, struct err *err)
{
	const struct grub_counted *c = &in->plan.counted;
	bool counted = c->path && f->dev == c->dev && strcmp(f->path, c->path) == 0;
	struct fs_file **to = counted ? &in->counted : own;
	int rc = *to ? 0 : disks_open(in->disks, f->dev, str_from(f->path), to, err);

	*out = *to;
	return rc;
}

static int file_size(struct inmate *in, const struct grub_boot_file *f, uint64_t *out,
                     uint64_t *stored, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *own = NULL;
	struct fs_file *file;
	int rc = file_get(in, f, &own, &file, err);

	if (rc < 0)
		return rc;
	*out = f->part ? f->n : fs_file_size(file);
	*stored += f->part ? f->n : fs_file_stored(file, SPARSE_BLOCK);
	return 0;
}

static int sizes_get(struct inmate *in, struct msg_plan *p, struct err *err)
{
	const struct inmate_spec *s = in->spec;
	int rc = file_size(in, &in->plan.kernel, &p->kernel_size, &p->stored, err);

	if (rc == 0 && p->kernel_size > s->kernel_max)
		rc = err_set(err, ERR_LIMIT,
		             "kernel: %" PRIu64 " bytes, larger than the limit of %" PRIu64,
		             p->kernel_size, s->kernel_max);
	for (size_t i = 0; rc == 0 && i < in->plan.initrd_count; i++) {
		uint64_t one;

		rc = file_size(in, &in->plan.initrds[i], &one, &p->stored, err);
		if (rc == 0 && one > s->ramdisk_max - MIN(p->ramdisk_size, s->ramdisk_max))
			rc = err_set(err, ERR_LIMIT,
			             "ramdisk: larger than the limit of %" PRIu64 " bytes",
			             s->ramdisk_max);
		if (rc == 0)
			p->ramdisk_size = aligned(p->ramdisk_size) + one;
	}
	return rc;
}

/* The place of a file that the menu wants to write. */
static int write_find(struct inmate *in, const struct grub_write *w, struct msg_writes *out,
                      struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *file = NULL;
	struct msg_write *to = &out->v[out->n];
	int rc;

	if (out->n == MSG_WRITES_MAX || w->data.n != ENV_BLOCK_SIZE)
		return err_set(err, ERR_UNSUPPORTED,
		               "the menu writes a file that is not a GRUB environment block; "
		               "the file is left unchanged");
	rc = disks_open(in->disks, w->dev, str_from(w->path), &file, err);
	if (rc < 0)
		return rc;
	if (fs_file_size(file) != ENV_BLOCK_SIZE ||
	    fs_file_where(file, 0, ENV_BLOCK_SIZE, &to->at) != 0)
		return err_set(err, ERR_UNSUPPORTED,
		               "GRUB's environment block cannot be changed in place "
		               "(fragmented, on btrfs, on LVM2, or on half of a RAID1); "
		               "it is left unchanged");
	to->disk = (uint32_t)disks_index(in->disks, w->dev);
	memcpy(to->data, w->data.p, ENV_BLOCK_SIZE);
	out->n++;
	return 0;
}

void writes_find_all(struct inmate *in, const struct grub_writes *w, bool say,
                     struct msg_writes *out)
{
	for (size_t i = 0; i < w->n; i++) {
		struct err err = ERR_INIT;

		if (write_find(in, &w->v[i], out, &err) < 0 && say)
			inmate_note(in, str_from(err.text));
	}
}

/* Whether the file's name can be changed, and where. */
static int counted_find(struct inmate *in, const struct grub_counted *c, struct msg_count *out,
                        struct err *err)
{
	const struct window *w = disks_window(in->disks, c->dev);
	size_t disk = disks_index(in->disks, c->dev);
	struct fs *fs;
	int rc = disks_fs(in->disks, c->dev, &fs, err);

	if (rc < 0)
		return rc;
	if (strcmp(fs_family(fs), "ext2") != 0)
		return err_set(err, ERR_UNSUPPORTED,
		               "it is on %s; domgrub renames files only on ext2, ext3 and ext4",
		               fs_type(fs));
	if (disk == SIZE_MAX || w->fixed)
		return err_set(err, ERR_UNSUPPORTED,
		               "it is on LVM2 or on half of a RAID1, which are only read");
	if (strlen(c->path) > MSG_PATH_MAX)
		return err_set(err, ERR_LIMIT, "a path of %zu bytes, more than the limit of %d",
		               strlen(c->path), MSG_PATH_MAX);
	out->disk = (uint32_t)disk;
	out->start = w->start;
	out->size = w->size;
	strcpy(out->path, c->path);
	return 0;
}

void count_find(struct inmate *in, bool say, struct msg_count *out)
{
	const struct grub_counted *c = &in->plan.counted;
	_cleanup_(buf_fini) struct buf line = BUF_INIT;
	struct err err = ERR_INIT;

	if (!c->path || counted_find(in, c, out, &err) == 0 || !say)
		return;
	disks_name(in->disks, c->dev, c->path, &line);
	buf_putf(&line, ": its boot counter is not changed: %s", err.text);
	inmate_note(in, buf_str(&line));
}

static void file_name(const struct inmate *in, const struct grub_boot_file *f, struct buf *out)
{
	if (in->spec->is_config)
		buf_puts(out, f->path);
	else
		disks_name(in->disks, f->dev, f->path, out);
}

int plan_put(struct inmate *in, struct buf *body, struct err *err)
{
	_free_ struct msg_plan *p = xcalloc(1, sizeof *p);
	const struct grub_boot *b = &in->plan;
	struct buf kernel = BUF_INIT, initrd[MSG_INITRDS_MAX] = {{0}};
	int rc;

	if (b->initrd_count > MSG_INITRDS_MAX)
		return err_set(err, ERR_LIMIT, "%zu ramdisks, more than the limit of %d",
		               b->initrd_count, MSG_INITRDS_MAX);
	file_name(in, &b->kernel, &kernel);
	p->kernel = buf_str(&kernel);
	p->args = str_from(b->args);
	p->output = buf_str(&b->output);
	p->initrds = (uint32_t)b->initrd_count;
	for (uint32_t i = 0; i < p->initrds; i++) {
		file_name(in, &b->initrds[i], &initrd[i]);
		p->initrd[i] = buf_str(&initrd[i]);
	}
	writes_find_all(in, &b->writes, true, &p->writes);
	count_find(in, true, &p->writes.count);
	rc = in->spec->is_config ? 0 : sizes_get(in, p, err);
	if (rc == 0)
		msg_plan_put(body, p);
	for (uint32_t i = 0; i < p->initrds; i++)
		buf_fini(&initrd[i]);
	buf_fini(&kernel);
	return rc;
}

/* Holes of the file are skipped unread, other zeros by sparse_write(). */
static int file_copy(struct inmate *in, const struct grub_boot_file *f, struct sparse *to,
                     char *piece, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *own = NULL;
	struct fs_file *file;
	size_t got = 0;
	int rc = file_get(in, f, &own, &file, err);
	uint64_t off = f->part ? f->at : 0, end = f->part ? f->at + f->n : UINT64_MAX;

	for (; rc == 0; off += got) {
		for (uint64_t hole; (hole = fs_file_hole(file, off)) > 0 && !f->part; off += hole)
			sparse_skip(to, hole);
		rc = fs_file_read(file, piece, (size_t)MIN(PIECE, end - off), off, &got, err);
		if (rc == 0 && got == 0)
			return 0;
		if (rc == 0)
			rc = sparse_write(to, piece, got, err);
	}
	return rc;
}

static int size_say(struct inmate *in, uint64_t size, struct err *err)
{
	struct buf body = BUF_INIT;
	int rc;

	msg_size_put(&body, size);
	rc = wire_put(&in->wire, MSG_SIZE, buf_str(&body), err);
	buf_fini(&body);
	return rc;
}

int plan_copy(struct inmate *in, struct err *err)
{
	_free_ char *piece = xmalloc(PIECE);
	struct sparse kernel = {.fd = in->spec->kernel_fd}, ramdisk = {.fd = in->spec->ramdisk_fd};
	int rc;

	if (in->spec->kernel_fd < 0 || !in->plan.kernel.path)
		return err_set(err, ERR_USAGE, "nothing to copy: no kernel was chosen");
	rc = file_copy(in, &in->plan.kernel, &kernel, piece, err);
	if (rc == 0)
		rc = sparse_finish(&kernel, err);
	if (rc == 0)
		rc = size_say(in, kernel.size, err);
	for (size_t i = 0; rc == 0 && i < in->plan.initrd_count; i++) {
		sparse_skip(&ramdisk, aligned(ramdisk.size) - ramdisk.size);
		rc = file_copy(in, &in->plan.initrds[i], &ramdisk, piece, err);
	}
	if (rc == 0)
		rc = sparse_finish(&ramdisk, err);
	return rc < 0 ? rc : size_say(in, ramdisk.size, err);
}
