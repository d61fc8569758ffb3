/* SPDX-License-Identifier: MIT */
#include "host/grub_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "xen/grub_image.h"

#define IMAGE "grub-i386-xen_pvh.bin"

static const char *const places[] = {
        "/usr/lib/grub-xen/" IMAGE, /* Debian */
        "/run/current-system/sw/lib/grub-xen_pvh/" IMAGE,
        "/nix/var/nix/profiles/default/lib/grub-xen_pvh/" IMAGE,
        "/usr/local/lib/grub-xen/" IMAGE,
};

bool grub_kernel_is(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct source_fd src;
	struct window w;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	source_fd_init(&src, fd, path);
	w = window_over(&src.src, (uint64_t)st.st_size, path);
	return grub_image_is_pvh(&w);
}

int grub_kernel_find(const char *named, char **out, struct err *err)
{
	char *real;

	for (size_t i = 0; !named && i < ARRAY_LEN(places); i++)
		if (grub_kernel_is(places[i])) {
			*out = xstrdup(places[i]);
			return 0;
		}
	if (!named)
		return err_set(err, ERR_NOENT,
		               "--boot grub: no " IMAGE
		               " found: install grub-xen-host (Debian) or grub2_pvhgrub_image "
		               "(nixpkgs), or set the file with --grub-image");
	real = realpath(named, NULL);
	if (!real)
		return err_sys(err, errno, "--grub-image %s", named);
	if (!grub_kernel_is(real)) {
		free(real);
		return err_set(err, ERR_FORMAT,
		               "--grub-image %s: not GRUB's image for PVH guests, such as " IMAGE
		               " of Debian's grub-xen-host",
		               named);
	}
	*out = real;
	return 0;
}
