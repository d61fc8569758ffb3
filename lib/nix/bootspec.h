/* SPDX-License-Identifier: MIT */
/*
 * boot.json, what a built NixOS system says of how it boots.
 *
 *     { "org.nixos.bootspec.v1":
 *         { "init": PATH, "toplevel": PATH, "label": TEXT, "system": TEXT,
 *           "kernelParams": [TEXT...],
 *           "kernel": PATH, "initrd": PATH, "initrdSecrets": PATH },  optional
 *       "org.nixos.specialisation.v1": { NAME: { both of these keys }... },
 *       "org.nixos.nixos-init.v1":
 *         { "etc_basedir": PATH, "etc_metadata_image": PATH } }         optional
 *
 * A PATH is in the store. Other keys are ignored.
 */
#ifndef NIX_BOOTSPEC_H
#define NIX_BOOTSPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define BOOTSPEC_BYTES_MAX (4u << 20)
/* Its brackets and commas: 1000 specialisations have some 100,000. */
#define BOOTSPEC_VALUES_MAX (1u << 18)
#define BOOTSPEC_TEXT_MAX 4096
#define BOOTSPEC_PARAMS_MAX 1024
#define BOOTSPEC_SPECIAL_MAX 256
/* Specialisations of specialisations. */
#define BOOTSPEC_DEPTH_MAX 4

struct bootspec {
	char *init;
	char *toplevel;
	char *label;
	char *system;      /* such as x86_64-linux */
	char *kernel;      /* NULL: none */
	char *initrd;      /* NULL: none */
	char *secrets;     /* program that appends secrets to an initrd; NULL: none */
	char *etc_basedir; /* of a system whose /etc is an overlay; NULL: it is none */
	char *etc_image;
	char **params; /* kernel command line without init= */
	size_t nparams;
	struct bootspec_special *special; /* in byte order of name */
	size_t nspecial;
};

struct bootspec_special {
	char *name;
	struct bootspec spec;
};

/*
 * Parse n bytes. *out owns its memory: bootspec_fini() it.
 * 0, -ERR_FORMAT, -ERR_LIMIT, or -ERR_UNSUPPORTED: no v1 in it.
 */
int bootspec_parse(const void *p, size_t n, struct bootspec *out, struct err *err);
void bootspec_fini(struct bootspec *b);

/*
 * Text that may stand on a kernel command line or in a menu: at most
 * BOOTSPEC_TEXT_MAX bytes, no control characters.
 */
bool bootspec_text_valid(struct str s);

#endif
