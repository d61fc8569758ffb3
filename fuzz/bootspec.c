/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "nix/bootspec.h"
#include "nix/store_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_path(const char *path, bool optional)
{
	struct err err = ERR_INIT;
	struct store_path sp;
	struct str rest;

	if (!path && optional)
		return;
	if (!path || store_path_split(str_from(path), &sp, &rest, &err) < 0)
		abort();
}

static void check(const struct bootspec *b)
{
	must_be_path(b->init, false);
	must_be_path(b->toplevel, false);
	must_be_path(b->kernel, true);
	must_be_path(b->initrd, true);
	must_be_path(b->secrets, true);
	if (!b->label || !b->system)
		abort();
	for (size_t i = 0; i < b->nparams; i++) {
		if (!bootspec_text_valid(str_from(b->params[i])))
			abort();
	}
	for (size_t i = 0; i < b->nspecial; i++)
		check(&b->special[i].spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct bootspec b;

	if (bootspec_parse(data, size, &b, &err) < 0)
		return 0;
	check(&b);
	bootspec_fini(&b);
	return 0;
}
