/* SPDX-License-Identifier: MIT */
/* The options that give a guest a name and addresses of its own (nixos/host_files.h). */
#ifndef DOMSTRAP_HOST_OPTIONS_H
#define DOMSTRAP_HOST_OPTIONS_H

#include "nixos/host_files.h"
#include "ui/text_list.h"

/* As given. */
struct host_options {
	const char *hostname, *machine_id;
	struct text_list ips, gateways, dns;
};

extern const struct option_row host_rows[5];

/* Check them. *out borrows from opt, and has no MAC address yet. */
int host_options_load(const struct host_options *opt, struct host_files *out, struct err *err);
/* The MAC address that a network card's text has; "" if it has none. */
void host_vif_mac(const char *vif, char out[static 18]);
/* The name of an option whose file goes below /etc, or NULL. */
const char *host_options_in_etc(const struct host_options *opt);

#endif
