/* SPDX-License-Identifier: MIT */
/*
 * One disk of an xl config, as libxlutil reads it (xl-disk-configuration(5)):
 *
 *     spec  = part { "," part }
 *     part  = target | format | vdev | access      without a key: in this order
 *             key "=" value | flag                 anywhere
 *     target= "target=" and all that follows, or old: { prefix ":" } path
 *
 * After an old prefix no format is expected. Blanks before a part are skipped; those
 * after it belong to it.
 */
#ifndef XEN_XLCFG_DISK_H
#define XEN_XLCFG_DISK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum xl_disk_format {
	XL_FORMAT_UNSET,
	XL_FORMAT_RAW,
	XL_FORMAT_QCOW,
	XL_FORMAT_QCOW2,
	XL_FORMAT_VHD,
	XL_FORMAT_QED,
	XL_FORMAT_EMPTY, /* an empty drive */
};

struct xl_disk_spec {
	char *path; /* as written: may be relative to xl's working directory; "" none */
	char *vdev; /* such as xvda; "" none */
	enum xl_disk_format format;
	bool cdrom;
	bool readonly;
	char *backend;     /* the domain that has it, as written; NULL: dom0 */
	char *backendtype; /* NULL: libxl decides */
	char *script;      /* block script that sets up the disk from path; NULL: none */
	int discard;       /* 1 on, -1 off, 0 not set */
};

/* Free *out with xlcfg_disk_fini(). -ERR_FORMAT: xl refuses it, with xl's reason. */
int xlcfg_disk_parse(const char *spec, struct xl_disk_spec *out, struct err *err);
void xlcfg_disk_fini(struct xl_disk_spec *d);

/* Whether the value of backend= is dom0, by ID or name. */
bool xlcfg_is_dom0(struct str domain);

const char *xlcfg_disk_format(enum xl_disk_format format);

/*
 * Whether the path is a file or device of this host that holds the raw disk; if
 * not, why gets the reason (at most n bytes).
 */
bool xlcfg_disk_is_raw(const struct xl_disk_spec *d, char *why, size_t n);

#endif
