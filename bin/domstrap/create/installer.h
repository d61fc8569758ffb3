/* SPDX-License-Identifier: MIT */
/*
 * "domstrap installer": its options.
 */
#ifndef DOMSTRAP_INSTALLER_H
#define DOMSTRAP_INSTALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "create/domain.h"
#include "ui/ui.h"

enum {
	INSTALLER_BOOT,
	INSTALLER_ROOT,
	INSTALLER_DISKS,
};

/* As given; strings are argv's. */
struct installer_options {
	const char *name;
	const char *iso;
	const char *disks[INSTALLER_DISKS]; /* an existing file or device; NULL: a new file */
	uint64_t sizes[INSTALLER_DISKS];    /* of new files; 0: not given */
	const char *output;
	enum { INSTALLER_DOMGRUB, INSTALLER_PYGRUB } boot; /* of NAME.cfg */
	struct domain_options domain;                      /* its type: afterwards */
	bool dry_run, json, force;
	enum ui_level level;
};

/* 0; 1 where --help was asked for and printed; -ERR_USAGE. */
int installer_options_parse(int argc, char **argv, struct installer_options *out, struct err *err);

#endif
