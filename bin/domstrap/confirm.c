/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>

#include "command.h"
#include "editor/editor.h"
#include "ui/json_out.h"
#include "nixos/change.h"
#include "nixos/follow.h"
#include "nixos/trial.h"
#include "host/guest_options.h"

static const char intro[] =
        "usage: domstrap confirm GUEST [options]\n\n"
        "Makes the generation that an update put on trial boot by default, in a guest\n"
        "that is off. GUEST is its xl config, or its disks: images or block devices.\n\n";

static const struct option_row rows[] = {
        GUEST_DRY_RUN("print the generation, write nothing"),
        GUEST_JSON("print the generation as JSON"),
        GUEST_LAST("more messages"),
};

static const struct option_set options = SET_OF_ROWS("confirm", intro, rows);

static void report(FILE *out, const struct guest_options *req, const struct generation *g)
{
	json_t *o;

	if (!req->json) {
		if (req->level >= UI_NORMAL)
			fprintf(out, "%sgeneration %u: %s\n",
			        req->dry_run ? "would confirm " : "confirmed ", g->number,
			        g->system.toplevel);
		return;
	}
	o = json_out_new();
	json_object_set_new(o, "dryRun", json_boolean(req->dry_run));
	json_object_set_new(o, "generation", json_integer(g->number));
	json_object_set_new(o, "system", json_string(g->system.toplevel));
	json_out_print(o, out);
}

static int work(struct editor *e, void *arg, struct err *err)
{
	const struct guest_options *req = arg;
	struct generation *g = trial_find(&e->in);
	int rc = follow_check(&e->off, &e->in, err);

	if (rc == 0 && !g)
		rc = err_set(err, ERR_NOENT,
		             "no generation is on trial; \"domstrap update --try\" adds one, and "
		             "\"domstrap rollback --to\" chooses among the others");
	if (rc == 0 && !req->dry_run)
		rc = change_default(&e->off, &e->in, g, err);
	if (rc == 0)
		report(e->out, req, g);
	return rc;
}

int cmd_confirm(int argc, char **argv)
{
	struct guest_options req = {.n_args = 0};

	return editor_command(argc, argv, &options, &req, work);
}
