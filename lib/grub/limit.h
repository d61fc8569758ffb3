/* SPDX-License-Identifier: MIT */
/*
 * What a guest's boot menu may cost. A menu that asks for more ends with
 * -ERR_LIMIT and a text that names the limit.
 */
#ifndef GRUB_LIMIT_H
#define GRUB_LIMIT_H

#include <stddef.h>

struct grub_limits {
	size_t config;   /* bytes of a configuration file or environment block */
	size_t steps;    /* work of one evaluation: a command is 1, 256 bytes of text are 1 */
	size_t tree;     /* bytes that the parsed form of one unit of script takes */
	size_t nesting;  /* blocks within blocks in a script */
	size_t calls;    /* functions, source, configfile, eval and include within each other */
	size_t value;    /* bytes of one word or variable */
	size_t memory;   /* bytes of all variables and functions, and of all entries of a menu */
	size_t words;    /* words of one command */
	size_t entries;  /* entries of one menu */
	size_t initrds;  /* initial ramdisks of one entry */
	size_t output;   /* bytes that echo and its like may print */
	size_t warnings; /* warnings kept; later ones are only counted */
	size_t names;    /* names looked at in a directory */
};

extern const struct grub_limits grub_limits_default;

#endif
