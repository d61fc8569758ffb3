/* SPDX-License-Identifier: MIT */
/* Generations, and what boots by default, in the words of generations, inspect, list, check and
 * verify. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "inspector/generation_json.h"
#include "inspector/inspector_child.h"
#include "inspector/inspector.h"
#include "nixos/guest_fs.h"
#include "nixos/trial.h"

json_t *generation_json(const struct generation *g, bool sizes, bool known)
{
	const struct guest_system *s = &g->system;
	json_t *o = json_object();

	json_object_set_new(o, "generation", json_integer(g->number));
	json_object_set_new(o, "time", json_integer(g->time));
	json_object_set_new(o, "current", json_boolean(g->current));
	json_object_set_new(o, "default", json_boolean(g->boots));
	json_object_set_new(o, "trial",
	                    g->trial == GENERATION_TO_BE_TRIED ? json_string(GENERATION_JSON_NEXT)
	                    : g->trial == GENERATION_TRIED     ? json_string(GENERATION_JSON_TRIED)
	                                                       : json_null());
	json_object_set_new(o, "activated", json_boolean(g->activated));
	json_object_set_new(o, "system", json_string(s->toplevel));
	/* The guest's text becomes null if it is not UTF-8. */
	json_object_set_new(o, "version", json_string(s->version));
	json_object_set_new(o, "kernelVersion", json_string(s->kernel_version));
	json_object_set_new(o, "description", json_string(s->name));
	if (sizes)
		json_object_set_new(o, "ownBytes",
		                    known ? json_integer((json_int_t)g->own_bytes) : json_null());
	json_object_set_new(o, "bootable", json_boolean(!s->broken));
	return o;
}

static void set_number(json_t *o, const char *key, const struct generation *g)
{
	json_object_set_new(o, key, g ? json_integer(g->number) : json_null());
}

/* Whether the file that an init= names exists. */
static int find_init(struct off_guest *off, const char *init, bool *found, struct err *err)
{
	uint32_t ino;
	int rc;

	*found = false;
	if (!init || *init != '/')
		return 0;
	rc = err_absent(guest_fs_find(&off->root, init, true, &ino, err));
	*found = rc == 0;
	return rc < 0 ? rc : 0;
}

static json_t *next_json(const struct booting *b, const struct guest_state *in)
{
	json_t *o;

	if (!b->once)
		return json_null();
	o = json_object();
	inspector_set(o, "system", b->once_toplevel);
	set_number(o, "generation", trial_find(in));
	return o;
}

int generation_boot_json(struct off_guest *off, const struct guest_state *in, json_t **out,
                         struct err *err)
{
	const struct booting *b = &off->booting;
	const struct generation *g = guest_state_boots(in);
	bool found;
	int rc = find_init(off, b->init, &found, err);
	json_t *o;

	if (rc < 0)
		return rc;
	o = json_object();
	json_object_set_new(o, "by",
	                    !b->place                   ? json_null()
	                    : b->place == b->menu_place ? json_string("menu")
	                                                : json_string("config"));
	inspector_set(o, "file", b->place);
	inspector_set(o, "init", b->init);
	json_object_set_new(o, "initFound", json_boolean(found));
	inspector_set(o, "system", b->toplevel);
	set_number(o, "generation", g);
	inspector_set(o, "specialisation", g ? g->special : NULL);
	set_number(o, "profileGeneration", guest_state_current(in));
	json_object_set_new(o, "next", next_json(b, in));
	inspector_set(o, "error", b->why);
	*out = o;
	return 0;
}

bool generation_boot_differs(const json_t *boot)
{
	return !json_equal(json_object_get(boot, "generation"),
	                   json_object_get(boot, "profileGeneration")) ||
	       *inspector_text(boot, "specialisation") || !inspector_number(boot, "generation");
}

bool generation_boot_once(const json_t *boot)
{
	return json_is_object(json_object_get(boot, "next"));
}

static void put(struct buf *out, const char *before, const char *text)
{
	if (!*text)
		return;
	buf_puts(out, before);
	inspector_put(out, text);
}

static void put_next(const json_t *next, struct buf *out)
{
	uint64_t number = inspector_number(next, "generation");

	if (!json_is_object(next))
		return;
	buf_puts(out, "; the next start, and only that, boots ");
	if (number)
		buf_putf(out, "generation %" PRIu64, number);
	else if (*inspector_text(next, "system"))
		inspector_put(out, inspector_text(next, "system"));
	else
		buf_puts(out, "another menu entry");
}

void generation_boot_text(const json_t *boot, struct buf *out)
{
	uint64_t number = inspector_number(boot, "generation");

	if (*inspector_text(boot, "error")) {
		put(out, "unknown: ", inspector_text(boot, "error"));
		return;
	}
	if (number)
		buf_putf(out, "generation %" PRIu64, number);
	else
		buf_puts(out, "none of the generations");
	put(out, ", its specialisation ", inspector_text(boot, "specialisation"));
	if (!number)
		put(out, ", init=", inspector_text(boot, "init"));
	put(out, ", by ", inspector_text(boot, "file"));
	put_next(json_object_get(boot, "next"), out);
}

const char *generation_note(const json_t *g)
{
	if (!strcmp(inspector_text(g, "trial"), GENERATION_JSON_NEXT))
		return "to be tried at the next start";
	if (!strcmp(inspector_text(g, "trial"), GENERATION_JSON_TRIED))
		return inspector_true(g, "activated") ? "tried and not confirmed, booted last"
		                                      : "tried and not confirmed";
	return inspector_true(g, "activated") && !inspector_true(g, "default") ? "booted last" : "";
}

char generation_mark(bool boots, bool current)
{
	return boots ? '*' : current ? '+' : ' ';
}

const char *generation_when(int64_t t, char out[static 32])
{
	time_t at = (time_t)t;
	struct tm tm;

	if (!localtime_r(&at, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm))
		return "?";
	return out;
}
