/* SPDX-License-Identifier: MIT */
#include "domain.h"

#include <string.h>

#include "base/mem.h"
#include "options.h"

#define VCPUS_MAX 512u

static int vif_option(const char *text, struct domain_options *out, struct err *err)
{
	int rc;

	if (strcmp(text, "none") == 0) {
		out->no_vif = true;
		return 0;
	}
	rc = xlcfg_vif_check(text, err);
	return rc < 0 ? rc : text_list_add("vif", &out->vifs, text, err);
}

int domain_option(int c, const char *arg, struct domain_options *out, struct err *err)
{
	static const char *const types[] = {"pv", "pvh", "auto"};
	unsigned n;
	int rc;

	switch (c) {
	case OPT_DOMAIN_TYPE:
		rc = option_word("type", arg, types, ARRAY_LEN(types), &n, err);
		if (rc < 0)
			return rc;
		out->type_given = true;
		out->type_auto = n == 2;
		out->type = out->type_auto ? XL_PV : (enum xl_type)n;
		return 0;
	case 'm':
		return option_memory(arg, &out->memory, err);
	case OPT_DOMAIN_VCPUS:
		return option_count("vcpus", arg, VCPUS_MAX, &out->vcpus, err);
	case OPT_DOMAIN_VIF:
		return vif_option(arg, out, err);
	case OPT_DOMAIN_SET:
		rc = xlcfg_set_check(arg, err);
		return rc < 0 ? rc : text_list_add("set", &out->set, arg, err);
	default:
		return 1;
	}
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
