/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "command.h"
#include "editor/editor.h"
#include "inspector/generation_json.h"
#include "ui/json_out.h"
#include "inspector/inspector.h"
#include "nixos/change.h"
#include "nixos/trial.h"
#include "host/guest_options.h"

static const char intro[] =
        "usage: domstrap generations GUEST [options]\n\n"
        "Lists the generations of a guest that is off. GUEST is its xl config, or its\n"
        "disks: images or block devices. \"*\" marks the one that boots by default, \"+\"\n"
        "the one that the profile points at, if it is another.\n\n";

static const struct option_row rows[] = {
        GUEST_JSON("print JSON"),
        GUEST_LAST("more messages"),
};

static const struct option_set options = SET_OF_ROWS("generations", intro, rows);

static void put_escaped(struct buf *b, const char *text)
{
	str_escape(b, str_from(text));
}

static void print_one(FILE *out, const struct generation *g, bool known)
{
	const struct guest_system *s = &g->system;
	struct buf version = BUF_INIT, kernel = BUF_INIT, name = BUF_INIT;
	json_t *o = generation_json(g, false, false);
	const char *note = generation_note(o);
	char time[32], size[16];

	put_escaped(&version, *s->version ? s->version : "-");
	put_escaped(&kernel, *s->kernel_version ? s->kernel_version : "-");
	put_escaped(&name, s->name);
	fprintf(out, "%4u%c  %s  %-28s %-14s %10s  %s%s%s%s%s\n", g->number,
	        generation_mark(g->boots, g->current), generation_when(g->time, time), version.p,
	        kernel.p, known ? str_human(g->own_bytes, size) : "?", name.p ? name.p : "",
	        s->broken ? " (cannot boot: parts are missing)" : "", *note ? " (" : "", note,
	        *note ? ")" : "");
	json_decref(o);
	buf_fini(&version);
	buf_fini(&kernel);
	buf_fini(&name);
}

static void print_boot(FILE *out, const json_t *boot)
{
	struct buf b = BUF_INIT;

	if (!generation_boot_differs(boot) && !generation_boot_once(boot))
		return;
	generation_boot_text(boot, &b);
	fprintf(out, "boots by default: %s\n", b.p);
	if (generation_boot_differs(boot) &&
	    json_is_integer(json_object_get(boot, "profileGeneration")))
		fprintf(out, "the profile points at generation %" PRIu64 "\n",
		        inspector_number(boot, "profileGeneration"));
	buf_fini(&b);
}

static void report(FILE *out, const struct guest_state *in, json_t *boot, bool json)
{
	const struct profile *p = &in->profiles[0];
	bool known = !in->db_err.code;
	json_t *o, *list;

	if (!json) {
		fprintf(out, "%5s  %-19s  %-28s %-14s %10s\n", "", "made", "NixOS", "kernel",
		        "alone");
		for (size_t i = 0; i < p->n; i++)
			print_one(out, &p->v[i], known);
		print_boot(out, boot);
		return;
	}
	o = json_out_new();
	list = json_array();
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, generation_json(&p->v[i], true, known));
	json_object_set_new(o, "generations", list);
	json_object_set(o, "boot", boot);
	json_out_print(o, out);
}

static int work(struct editor *e, void *arg, struct err *err)
{
	const struct guest_options *req = arg;
	json_t *boot = NULL;
	int rc;

	guest_state_load_db(&e->off, &e->in);
	if (e->in.db_err.code)
		ui_warn("%s; the size of each generation is unknown", e->in.db_err.text);
	rc = guest_state_sizes(&e->off, &e->in, err);
	if (rc == 0)
		rc = trial_activated(&e->off, &e->in, err);
	if (rc == 0)
		rc = generation_boot_json(&e->off, &e->in, &boot, err);
	if (rc == 0)
		report(e->out, &e->in, boot, req->json);
	json_decref(boot);
	return rc;
}

int cmd_generations(int argc, char **argv)
{
	struct guest_options req = {.n_args = 0};
	const struct editor_job job = {
	        .mode = OFF_GUEST_READ, .work = work, .arg = &req, .any_root = true};
	struct err err = ERR_INIT;
	int rc;

	ui_init(UI_NORMAL);
	rc = guest_options_parse(argc, argv, &options, true, &req, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(req.level);
	rc = editor_run(&req, &job, &err);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
