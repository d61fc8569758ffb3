/* SPDX-License-Identifier: MIT */
/* The command line, /etc/domgrub.conf, and the environment variables that pygrub reads. */
#ifndef DOMGRUB_OPTIONS_H
#define DOMGRUB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "grub/limit.h"
#include "xen/handoff.h"

#define OPTIONS_CONFIG "/etc/domgrub.conf"
#define OPTIONS_DISKS_MAX 16

/* Limits for a guest; each can be set in the configuration file. */
#define LIMIT_KERNEL (128ull << 20)  /* bytes */
#define LIMIT_RAMDISK (512ull << 20) /* bytes, all of an entry's together */
#define LIMIT_MEMORY (256ull << 20)  /* bytes of address space in the jail */
#define LIMIT_CPU 60                 /* seconds of processor time */
#define LIMIT_TIME 60                /* seconds until the child answers */
#define LIMIT_COPY 600               /* seconds until it has copied the files */
#define LIMIT_CHECK 30               /* seconds for the check of the kernel */

/* The user nobody on most systems; any user but root will do. */
#define DEFAULT_UID 65534
#define DEFAULT_DIRECTORY "/var/run/xen/pygrub/"
#define DEFAULT_KNOWN "/var/cache/domgrub/kernels"

struct options {
	bool quiet, list, json, not_really, debug, is_config, write_env, check_kernel;
	bool help, version;
	char *image; /* the first disk, or the file of --isconfig */
	char *disk[OPTIONS_DISKS_MAX];
	size_t disks;
	char *output;    /* NULL: standard output */
	char *directory; /* NULL: DEFAULT_DIRECTORY */
	char *known;     /* the file of known kernels; NULL: DEFAULT_KNOWN, "no": none */
	enum handoff_format format;
	bool has_offset;
	uint64_t offset; /* bytes */
	uid_t uid;
	bool uid_asked;                        /* on the command line */
	char *entry, *kernel, *ramdisk, *args; /* NULL: not given */
	char *config;
	uint64_t kernel_max, ramdisk_max, memory;
	uint64_t cpu, time, copy_time; /* seconds */
	struct grub_limits limits;
};

/* 0 and *out, which options_fini() frees; or -ERR_USAGE and others. */
int options_parse(int argc, char **argv, struct options *out, struct err *err);
void options_fini(struct options *o);

/* Append the text of --help. */
void options_usage(struct buf *out);

#endif
