/* SPDX-License-Identifier: MIT */
/* For --isconfig: one device on which every file is, and nothing is in them. */
#ifndef DOMGRUB_NODISK_H
#define DOMGRUB_NODISK_H

#include "grub/files.h"

extern struct grub_files nodisk_files;

#endif
