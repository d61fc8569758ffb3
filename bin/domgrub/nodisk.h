/* SPDX-License-Identifier: MIT */
/* For --isconfig: a device on which every file exists and is empty. */
#ifndef DOMGRUB_NODISK_H
#define DOMGRUB_NODISK_H

#include "grub/files.h"

extern struct grub_files nodisk_files;

#endif
