/* SPDX-License-Identifier: MIT */
/*
 * The only thing that the parent ever writes to a disk: GRUB's environment block, where it finds
 * one itself, with one in its place. A boot counter is changed by a child, see count.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "grub/grubenv.h"
#include "say.h"
#include "warden.h"

static bool env_block(const uint8_t p[static ENV_BLOCK_SIZE])
{
	return memcmp(p, GRUBENV_SIGNATURE, sizeof GRUBENV_SIGNATURE - 1) == 0 &&
	       !memchr(p, '\0', ENV_BLOCK_SIZE);
}

/* By its descriptor: the name may lead to another file now. */
int disk_open_again(const struct warden *w, uint32_t disk, int *fd, struct err *err)
{
	_free_ char *self = xasprintf("/proc/self/fd/%d", w->disk_fd[disk]);

	*fd = open(self, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return *fd < 0 ? err_sys(err, errno, "%s", w->disk[disk].name) : 0;
}

static int block_write(const struct warden *w, const struct msg_write *mw, struct err *err)
{
	const struct disk_spec *d = &w->disk[mw->disk];
	_close_ int fd = -1;
	uint8_t old[ENV_BLOCK_SIZE];
	int64_t got;
	int rc = disk_open_again(w, mw->disk, &fd, err);

	if (rc < 0)
		return rc;
	if (mw->at > d->size || ENV_BLOCK_SIZE > d->size - mw->at)
		return err_set(err, ERR_FORMAT, "%s: environment block beyond the end of the disk",
		               d->name);
	got = io_pread(fd, d->name, old, sizeof old, mw->at, err);
	if (got < 0)
		return (int)got;
	if (got != sizeof old || !env_block(old) || !env_block(mw->data))
		return err_set(err, ERR_FORMAT, "%s: no GRUB environment block at byte %llu",
		               d->name, (unsigned long long)mw->at);
	if (memcmp(old, mw->data, sizeof old) == 0)
		return 0;
	rc = io_pwrite(fd, d->name, mw->data, sizeof old, mw->at, err);
	return rc < 0 ? rc : io_sync(fd, d->name, err);
}

int warden_write(struct warden *w, const struct msg_writes *writes, struct err *err)
{
	int rc = 0;

	if (writes->n && !w->o->write_env) {
		say_warning(STR("the menu writes GRUB's environment block; it is left unchanged "
		                "without --write-env"));
	} else {
		for (uint32_t i = 0; i < writes->n && rc == 0; i++)
			rc = block_write(w, &writes->v[i], err);
	}
	return rc < 0 ? rc : warden_count(w, &writes->count, err);
}
