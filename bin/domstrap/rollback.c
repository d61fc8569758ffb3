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
        "usage: domstrap rollback GUEST [options]\n\n"
        "Makes an older generation of a guest that is off boot by default, or ends the\n"
        "trial of one. GUEST is its xl config, or its disks: images or block devices.\n\n";

struct rollback_options {
	struct guest_options common;
	unsigned to; /* 0: the one before */
};

static const struct option_row rows[] = {
        ROW_COUNT("to",
                  "generation N (default: the one before, or, to end\na trial, the one that "
                  "boots by default)",
                  struct rollback_options, to),
        GUEST_DRY_RUN("print the generation, write nothing"),
        GUEST_JSON("print the generation as JSON"),
        GUEST_LAST("more messages"),
};

static const struct option_set options = SET_OF_ROWS("rollback", intro, rows);

/* -ERR_NOENT: there is none. */
static int choose(const struct guest_state *in, unsigned to, struct generation **out,
                  struct err *err)
{
	struct generation *current = guest_state_current(in);
	const struct profile *p = &in->profiles[0];

	*out = NULL;
	if (to) {
		*out = guest_state_find(in, to);
		return *out ? 0 : err_set(err, ERR_NOENT, "there is no generation %u", to);
	}
	/* Nothing but the trial came after the default. */
	if (current && trial_find(in)) {
		*out = current;
		return 0;
	}
	if (!current)
		return err_set(err, ERR_NOENT,
		               "the profile points at no generation; choose one with --to");
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].number < current->number)
			*out = &p->v[i];
	return *out ? 0
	            : err_set(err, ERR_NOENT, "there is no generation before %u", current->number);
}

static void report(FILE *out, const struct guest_options *req, const struct generation *g,
                   unsigned ended)
{
	json_t *o;

	if (!req->json) {
		if (req->level < UI_NORMAL)
			return;
		fprintf(out, "%sgeneration %u: %s\n", req->dry_run ? "would boot " : "", g->number,
		        g->system.toplevel);
		if (ended)
			fprintf(out, "%s the trial of generation %u\n",
			        req->dry_run ? "would end" : "ended", ended);
		return;
	}
	o = json_out_new();
	json_object_set_new(o, "dryRun", json_boolean(req->dry_run));
	json_object_set_new(o, "generation", json_integer(g->number));
	json_object_set_new(o, "system", json_string(g->system.toplevel));
	json_object_set_new(o, "endedTrial", ended ? json_integer(ended) : json_null());
	json_out_print(o, out);
}

static int work(struct editor *e, void *arg, struct err *err)
{
	const struct rollback_options *req = arg;
	const struct generation *tried = trial_find(&e->in);
	struct generation *g = NULL;
	int rc = follow_check(&e->off, &e->in, err);

	if (rc == 0)
		rc = choose(&e->in, req->to, &g, err);
	if (rc == 0 && !req->common.dry_run)
		rc = change_default(&e->off, &e->in, g, err);
	if (rc == 0)
		report(e->out, &req->common, g, tried ? tried->number : 0);
	return rc;
}

int cmd_rollback(int argc, char **argv)
{
	struct rollback_options req = {.to = 0};

	return editor_command(argc, argv, &options, &req.common, work);
}
