/* SPDX-License-Identifier: MIT */
/*
 * The format in which dump.c (domstrap's reader) and oracle.c (libxlutil) print the
 * contents of a config, so that diff(1) can compare them. For each file:
 *
 *     file NAME
 *     refused lexical | syntax | escape | join | disk TEXT     and no more, or
 *     KEY "TEXT" | KEY [ VALUE, ... ]                           for each of dump_keys
 *     disk PATH|VDEV|FORMAT|ACCESS|cdrom or disk|BACKEND|BACKENDTYPE|SCRIPT|DISCARD
 */
#ifndef TEST_XLCFG_DUMP_H
#define TEST_XLCFG_DUMP_H

#include <stdio.h>
#include <string.h>

static const char *const dump_keys[] = {
        "name",     "type", "builder", "memory", "vcpus",    "extra",           "root",
        "cmdline",  "disk", "vif",     "kernel", "ramdisk",  "bootloader",      "vnuma",
        "on_crash", "a",    "b.c",     "d_1",    "firmware", "bootloader_args", "uuid",
};

static inline void dump_text(const char *s)
{
	putchar('"');
	for (; *s; s++)
		if (*s < 0x20 || *s == '"' || *s == '\\')
			printf("\\%02x", (unsigned char)*s);
		else
			putchar(*s);
	putchar('"');
}

/* The kind of a refusal, from the message of either reader. */
static inline void dump_refusal(const char *text)
{
	static const char *const kinds[][2] = {
	        {"escape", "backslash"}, {"escape", "backlash"}, {"join", "can't add"},
	        {"lexical", "lexical"},  {"syntax", "syntax"},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strstr(text, kinds[i][1])) {
			printf("refused %s\n", kinds[i][0]);
			return;
		}
	printf("refused ? %s\n", text);
}

#endif
