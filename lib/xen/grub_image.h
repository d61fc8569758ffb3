/* SPDX-License-Identifier: MIT */
/*
 * GRUB itself as a guest's kernel, as "grub-mkimage -O i386-xen_pvh" makes it
 * (grub-i386-xen_pvh.bin). It reads the guest's menu inside the guest, so the
 * host does not read the guest's kernel.
 *
 *     image = ELF32 program: code; a segment that begins with GRUB's modules
 *             ("mimg", include/grub/kernel.h); for PVH a note with its 32-bit entry
 */
#ifndef XEN_GRUB_IMAGE_H
#define XEN_GRUB_IMAGE_H

#include <stdbool.h>

#include "disk/window.h"

/* Only headers and notes are read, and nothing is unpacked. false also where w cannot be read. */
bool grub_image_is_pvh(const struct window *w);

#endif
