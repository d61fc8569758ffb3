/* SPDX-License-Identifier: MIT */
/*
 * In an editor's parent: what the editor needs of a new system. The parent finds the system in the
 * local store or in caches, and serves its closure, files and NARs. The editor is told only of
 * paths of this closure, and can read only those.
 */
#ifndef DOMSTRAP_EDITOR_SUPPLY_H
#define DOMSTRAP_EDITOR_SUPPLY_H

#include "editor/editor_child.h"
#include "jail/jail_lines.h"
#include "jail/wire.h"
#include "source/source.h"

/* Borrowed. */
struct supply_options {
	const struct source_options *source;
	const char *system;
	bool verify; /* NAR hashes of a local store */
	unsigned threads;
	const char *spool_dir; /* for unnamed files */
	const atomic_bool *stop;
};

struct editor_supply {
	const struct supply_options *opt; /* NULL: nothing is supplied */
	struct jail_lines lines;
	struct stream_memory *memory;
	int spool;
	struct buf said; /* HAVE */
	struct closure have;
	bool opened;
	struct system_source source;
	struct stream_server *server;
};

/* Before the fork: lines and a spool for the child. */
int editor_supply_start(struct editor_supply *s, const struct supply_options *opt,
                        struct jail_spec *spec, struct editor_child *c, struct err *err);
/* After it. */
void editor_supply_forked(struct editor_supply *s);
/*
 * Serve HAVE, SOURCE, LOOK, READ or STREAM. -ERR_CHILD: the request was invalid, or there is
 * nothing to supply.
 */
int editor_supply_serve(struct editor_supply *s, uint32_t type, const struct buf *body,
                        struct wire *line, struct err *err);
/* When the child has ended. */
void editor_supply_fini(struct editor_supply *s);

#endif
