/* SPDX-License-Identifier: MIT */
#include "restart/restart_disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/store_path.h"
#include "nixos/change.h"
#include "nixos/follow.h"
#include "nixos/trial.h"
#include "ui/ui.h"

#define UNIT "/etc/systemd/system/domstrap-confirm.service"

/* ---- in the jail ---------------------------------------------------------- */

static struct generation *find_pending(const struct guest_state *in)
{
	struct generation *g = trial_find(in);

	return g && g->trial == GENERATION_TO_BE_TRIED ? g : NULL;
}

/* "SYSTEM\nKEPT\n", and "confirms\n" where it has the unit. */
static int tell_next(struct editor *e, void *arg, struct err *err)
{
	const struct generation *g = find_pending(&e->in), *current = guest_state_current(&e->in);
	_free_ char *unit = g ? xasprintf("%s" UNIT, g->system.toplevel) : NULL;
	uint32_t ino;
	int rc;

	(void)arg;
	if (!g || !current)
		return 0;
	rc = err_absent(ext4_edit_find(e->off.root.edit, unit, true, &ino, err));
	if (rc < 0)
		return rc;
	fprintf(e->out, "%s\n%s\n%s", g->system.toplevel, current->system.toplevel,
	        rc ? "" : "confirms\n");
	return 0;
}

struct confirmation {
	const char *system;
	bool look;
};

static struct generation *find_generation(const struct guest_state *in, const char *system)
{
	const struct profile *p = &in->profiles[0];

	for (size_t i = p->n; i-- > 0;)
		if (!strcmp(p->v[i].system.toplevel, system))
			return &p->v[i];
	return NULL;
}

/* The guest may have been stopped while it confirmed itself: the profile without the menu. */
static int confirm(struct editor *e, void *arg, struct err *err)
{
	const struct confirmation *c = arg;
	struct generation *g = find_generation(&e->in, c->system);
	int rc;

	if (!g || (c->look && !g->boots))
		return err_set(err, ERR_NOENT, "the guest has not confirmed %s", c->system);
	if (g->boots && g->current)
		return 0;
	rc = follow_check(&e->off, &e->in, err);
	return rc < 0 ? rc : change_default(&e->off, &e->in, g, err);
}

struct retreat {
	const struct next_start *from;
	bool write;
};

static int go_back(struct editor *e, void *arg, struct err *err)
{
	const struct retreat *r = arg;
	const struct generation *g = find_generation(&e->in, r->from->system);
	const struct generation *kept = find_generation(&e->in, r->from->kept);

	if (!g || (!g->boots && !g->current))
		return 0;
	if (!r->write || !kept)
		return err_set(err, ERR_EXISTS, "the guest has confirmed %s itself",
		               r->from->system);
	return change_default(&e->off, &e->in, kept, err);
}

static int drop_trial(struct editor *e, void *arg, struct err *err)
{
	const struct generation *g = find_pending(&e->in), *current = guest_state_current(&e->in);

	(void)arg;
	if (!g || !current)
		return 0;
	ui_say("ended the trial of generation %u, which was not started", g->number);
	return change_default(&e->off, &e->in, current, err);
}

/* ---- outside -------------------------------------------------------------- */

static int take_path(struct str *rest, char **out, struct err *err)
{
	struct str line = rest->p ? str_cut(rest, '\n') : STR("");
	struct store_path path;
	int rc = store_path_parse(line, &path, err);

	if (rc == 0)
		*out = store_path_format(&path);
	return rc;
}

int next_start_find(const struct guest_options *opt, struct next_start *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	const struct editor_job job = {.mode = OFF_GUEST_READ, .work = tell_next, .out = &text};
	int rc = editor_run(opt, &job, err);
	struct str rest;

	*out = (struct next_start){.trial = false};
	if (rc < 0 || !text.n)
		return rc;
	rest = buf_str(&text);
	rc = take_path(&rest, &out->system, err);
	if (rc == 0)
		rc = take_path(&rest, &out->kept, err);
	if (rc < 0)
		return err_prefix(err, "the guest's process");
	out->trial = true;
	out->confirms = rest.p && str_is(str_cut(&rest, '\n'), "confirms");
	return 0;
}

void next_start_fini(struct next_start *n)
{
	free(take(&n->system));
	free(take(&n->kept));
}

int restart_confirm(const struct guest_options *opt, const char *system, bool look, struct err *err)
{
	struct confirmation c = {system, look};
	const struct editor_job job = {
	        .mode = look ? OFF_GUEST_READ : OFF_GUEST_WRITE, .work = confirm, .arg = &c};

	return editor_run(opt, &job, err);
}

int restart_go_back(const struct guest_options *opt, const struct next_start *n, bool write,
                    struct err *err)
{
	struct retreat r = {n, write};
	const struct editor_job job = {
	        .mode = write ? OFF_GUEST_WRITE : OFF_GUEST_LOOK, .work = go_back, .arg = &r};

	return editor_run(opt, &job, err);
}

int restart_drop_trial(const struct guest_options *opt, struct err *err)
{
	const struct editor_job job = {.mode = OFF_GUEST_WRITE, .work = drop_trial};

	return editor_run(opt, &job, err);
}
