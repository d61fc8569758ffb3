/* SPDX-License-Identifier: MIT */
/*
 * Reading a guest's disks for inspect, list, check and verify. A child in a jail
 * (jail/jail.h) reads them and sends the results as records with known fields (inspector_wire.h).
 * The parent has them as JSON, does not trust them, and reads them with the functions below.
 *
 *     look = { "disks": [ disk ], "volumes": [ volume ], "menu": menu | null, "menuError": text,
 *              "nixos": nixos | null, "nixosError": text, "kernels": { NAME: kernel },
 *              "unreadable": text,                  a read of a disk that failed
 *              "direct": start | null }        of files of the host: kernel, initrd, args…
 *
 * The members of each: see inspector_disks.c, inspector_menu.c, inspector_nixos.c,
 * inspector_kernel.c and inspector_system.c. Text of the guest that is not UTF-8 is escaped
 * (str_escape).
 */
#ifndef INSPECTOR_INSPECTOR_H
#define INSPECTOR_INSPECTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "guest/disks.h"
#include "jail/jail.h"
#include "nixos/booting.h"
#include "nixos/root_reader.h"

#define INSPECTOR_DISKS_MAX 8

enum inspector_want {
	INSPECTOR_PATHS = 1,   /* all paths of the Nix database, missing and unregistered ones */
	INSPECTOR_KERNELS = 2, /* what the menu's kernels are */
	INSPECTOR_SYSTEM = 4,  /* what the default entry's start needs */
	INSPECTOR_SIZES = 8,   /* what each generation alone needs */
	INSPECTOR_INITRD = 16, /* of the host: what is in it, without a kernel, too */
};

/* Disks that are open; the paths are borrowed from the arguments. */
struct inspector_disks {
	struct disk_spec spec[INSPECTOR_DISKS_MAX];
	size_t n;
	struct disk_spec host[2]; /* files of the host; name NULL: none */
	const char *cmdline;      /* that goes with them; may be NULL */
	const char *config;       /* the xl config's path, and what it says; NULL: none */
	const struct xlcfg_guest *cfg;
};

enum {
	INSPECTOR_HOST_KERNEL,
	INSPECTOR_HOST_INITRD,
};

/*
 * What inspector_system.c says, into o; init is "TOPLEVEL/init". What could not be read is
 * "trouble" there.
 */
void inspector_system(const struct root_reader *r, const char *init, const char *release,
                      json_t *o);

/* What inspector_etc.c says, into o. */
int inspector_etc(const struct root_reader *r, const char *init, json_t *o, struct err *err);

void inspector_close(struct inspector_disks *d);

/* What boots, as the xl config has it, if there is one. */
struct booting_config inspector_config(const struct inspector_disks *d);

/*
 * wants: enum inspector_want. *out is for json_decref(). -ERR_CHILD: the child was
 * killed or sent invalid data. Problems of the disks are not errors; they are in *out.
 */
int inspector_run(const struct inspector_disks *d, unsigned wants, json_t **out, struct err *err);

/* A child that reads the disks. */
struct inspector_job {
	enum jail_role_id role;
	uint64_t memory;  /* bytes */
	unsigned seconds; /* of processor time */
	int (*main)(void *arg);
	void *arg;
	struct inspector_disks
	        *inside; /* a part of arg: becomes the disks with the jail's descriptors */
};

/* Start it in a jail. */
int inspector_jail(const struct inspector_job *job, const struct inspector_disks *d,
                   struct jail *out, struct err *err);

/* A field of what came: "" where it is no text, 0 where it is no number >= 0. */
const char *inspector_text(const json_t *o, const char *key);
uint64_t inspector_number(const json_t *o, const char *key);
bool inspector_true(const json_t *o, const char *key);

/* Append a text of the guest's, escaped. */
void inspector_put(struct buf *b, const char *text);

#endif
