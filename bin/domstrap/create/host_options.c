/* SPDX-License-Identifier: MIT */
#include "create/host_options.h"

#include <string.h>

#include "base/str.h"
#include "nixos/guestconf.h"
#include "ui/rows.h"

#define AT(field) offsetof(struct host_options, field)
#define LIST(long_name, argument, text, field)                                                     \
	ROW_LIST(long_name, argument, text, struct host_options, field)

const struct option_row host_rows[] = {
        {.name = "hostname",
         0,
         "NAME",
         "if the system has none of its own",
         option_text,
         AT(hostname),
         .check = guestconf_hostname_check},
        {.name = "machine-id",
         0,
         "ID",
         "32 hexadecimal digits",
         option_text,
         AT(machine_id),
         .check = host_machine_id_check},
        LIST("ip", "ADDR/LEN", "address of its first network card; may repeat", ips),
        LIST("gateway", "ADDR", "default route; may repeat", gateways),
        LIST("dns", "ADDR", "name server; may repeat", dns),
};

static struct host_list list_of(const struct text_list *l)
{
	return (struct host_list){l->items, l->n};
}

int host_options_load(const struct host_options *opt, struct host_files *out, struct err *err)
{
	*out = (struct host_files){.hostname = opt->hostname,
	                           .machine_id = opt->machine_id,
	                           .addresses = list_of(&opt->ips),
	                           .gateways = list_of(&opt->gateways),
	                           .dns = list_of(&opt->dns)};
	return host_lists_check(out, err);
}

void host_vif_mac(const char *vif, char out[static 18])
{
	struct str rest = str_from(vif);

	out[0] = '\0';
	while (rest.p) {
		struct str value = str_trim(str_cut(&rest, ',')), key = str_cut(&value, '=');

		if (!value.p || !str_is(str_trim(key), "mac"))
			continue;
		value = str_trim(value);
		if (value.n == 17)
			memcpy(out, value.p, value.n), out[value.n] = '\0';
	}
}

const char *host_options_in_etc(const struct host_options *opt)
{
	return opt->hostname     ? "--hostname"
	       : opt->machine_id ? "--machine-id"
	       : opt->ips.n      ? "--ip"
	                         : NULL;
}
