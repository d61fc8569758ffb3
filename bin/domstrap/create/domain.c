/* SPDX-License-Identifier: MIT */
#include "create/domain.h"

#include <string.h>

#include "base/mem.h"

#define MEMORY_MIN_MIB 64u

static int vif_option(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct domain_options *out = to;
	int rc;

	if (strcmp(text, "none") == 0) {
		out->no_vif = true;
		return 0;
	}
	rc = xlcfg_vif_check(text, err);
	return rc < 0 ? rc : option_list(row, to, text, err);
}

const struct option_row domain_rows[] = {
        {.name = "vif",
         0,
         "SPEC",
         "network card, as in xl.cfg(5); may repeat; or none",
         vif_option,
         offsetof(struct domain_options, vifs)},
        {.name = "set",
         0,
         "KEY=VALUE",
         "another key of the xl config; may repeat",
         option_list,
         offsetof(struct domain_options, set),
         .check = xlcfg_set_check},
};

int option_type(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct domain_options *out = (struct domain_options *)(void *)((char *)to + row->offset);
	struct option_row at_zero = *row;
	int type, rc;

	at_zero.offset = 0;
	rc = option_word(&at_zero, &type, text, err);
	if (rc < 0)
		return rc;
	out->type_given = true;
	out->type_auto = strcmp(text, "auto") == 0;
	out->type = out->type_auto ? XL_PV : (enum xl_type)type;
	return 0;
}

int option_memory(const struct option_row *row, void *to, const char *text, struct err *err)
{
	uint64_t v;

	if (!str_u64(str_from(text), 10, 1u << 30, &v)) {
		if (!str_size(str_from(text), &v))
			return err_set(err, ERR_USAGE,
			               "--memory '%s': expected MiB, or a size such as 2G", text);
		v >>= 20;
	}
	if (v < MEMORY_MIN_MIB)
		return err_set(err, ERR_USAGE, "--memory '%s': expected at least %u MiB", text,
		               MEMORY_MIN_MIB);
	memcpy((char *)to + row->offset, &v, sizeof v);
	return 0;
}

int domain_options_check(const struct domain_options *o, struct err *err)
{
	if (o->no_vif && o->vifs.n)
		return err_set(err, ERR_USAGE,
		               "--vif none and another --vif are mutually exclusive");
	return 0;
}

void domain_config(const struct domain_options *o, const char *const *own, struct xlcfg *cfg)
{
	cfg->type = o->type;
	cfg->memory = o->memory;
	cfg->vcpus = o->vcpus;
	cfg->vifs = o->vifs.n ? o->vifs.items : own;
	cfg->n_vifs = o->no_vif ? 0 : o->vifs.n ? o->vifs.n : 1;
	cfg->set = o->set.items;
	cfg->n_set = o->set.n;
}
