/* SPDX-License-Identifier: MIT */
/*
 * GRUB as a guest's kernel, as "grub-mkimage -O i386-xen_pvh" makes it
 * (grub-i386-xen_pvh.bin). It reads the boot menu and the kernel inside the guest.
 *
 *     image = ELF32 program: code; a segment that begins with GRUB's modules
 *             ("mimg", include/grub/kernel.h); for PVH a note with its 32-bit entry
 */
#ifndef XEN_GRUB_IMAGE_H
#define XEN_GRUB_IMAGE_H

#include <stdbool.h>

#include "disk/window.h"

/* Reads only headers and notes; unpacks nothing. false also if w cannot be read. */
bool grub_image_is_pvh(const struct window *w);

#endif
