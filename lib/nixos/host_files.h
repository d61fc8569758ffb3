/* SPDX-License-Identifier: MIT */
/*
 * A guest's own name and addresses, as plain files that NixOS reads where its configuration leaves
 * them open, so that many guests can have the same system. Sources: hostname(5), machine-id(5),
 * systemd.network(5).
 */
#ifndef NIXOS_HOST_FILES_H
#define NIXOS_HOST_FILES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/walk_tree.h"
#include "store/files.h"

struct host_list {
	const char *const *v;
	size_t n;
};

/* Borrowed; NULL or empty: nothing. The texts are owned, and made by host_files_make(). */
struct host_files {
	const char *hostname, *machine_id;
	struct host_list addresses; /* "192.0.2.7/24" */
	struct host_list gateways, dns;
	const char *mac; /* of the network card that gets them; NULL: the Ethernet cards */
	struct buf hostname_text, machine_id_text, network_text;
};

/* AF_INET or AF_INET6 of an address; 0: it is none. */
int host_address_family(struct str text);
/* 32 lower-case hexadecimal digits, not all 0. -ERR_USAGE. */
int host_machine_id_check(const char *text, struct err *err);
/* -ERR_USAGE: an address is invalid, or missing. */
int host_lists_check(const struct host_files *h, struct err *err);

/* Whether the system would read them. -ERR_UNSUPPORTED: what to change in its configuration. */
int host_files_check_system(const struct host_files *h, struct store_files *files,
                            const char *toplevel, struct err *err);

void host_files_make(struct host_files *h);
/* Add them to the root's tree, which borrows their texts. etc: the directory for files of /etc. */
int host_files_put(const struct host_files *h, struct tree *root, const char *etc, struct err *err);
void host_files_fini(struct host_files *h);

#endif
