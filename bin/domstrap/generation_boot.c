/* SPDX-License-Identifier: MIT */
/* What boots by default, in the words of generations, inspect, list, check and verify. */
#include <inttypes.h>
#include <string.h>

#include "generations.h"
#include "look_child.h"
#include "nixos/trial.h"

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
	rc = err_absent(ext4_edit_find(off->root.edit, init, true, &ino, err));
	*found = rc == 0;
	return rc < 0 ? rc : 0;
}

static json_t *next_json(const struct booting *b, const struct guest_state *in)
{
	json_t *o;

	if (!b->once)
		return json_null();
	o = json_object();
	look_set(o, "system", b->once_toplevel);
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
	look_set(o, "file", b->place);
	look_set(o, "init", b->init);
	json_object_set_new(o, "initFound", json_boolean(found));
	look_set(o, "system", b->toplevel);
	set_number(o, "generation", g);
	look_set(o, "specialisation", g ? g->special : NULL);
	set_number(o, "profileGeneration", guest_state_current(in));
	json_object_set_new(o, "next", next_json(b, in));
	look_set(o, "error", b->why);
	*out = o;
	return 0;
}

bool generation_boot_differs(const json_t *boot)
{
	return !json_equal(json_object_get(boot, "generation"),
	                   json_object_get(boot, "profileGeneration")) ||
	       *look_text(boot, "specialisation") || !look_number(boot, "generation");
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
	look_put(out, text);
}

static void put_next(const json_t *next, struct buf *out)
{
	uint64_t number = look_number(next, "generation");

	if (!json_is_object(next))
		return;
	buf_puts(out, "; the next start, and only that, boots ");
	if (number)
		buf_putf(out, "generation %" PRIu64, number);
	else if (*look_text(next, "system"))
		look_put(out, look_text(next, "system"));
	else
		buf_puts(out, "another menu entry");
}

void generation_boot_text(const json_t *boot, struct buf *out)
{
	uint64_t number = look_number(boot, "generation");

	if (*look_text(boot, "error")) {
		put(out, "unknown: ", look_text(boot, "error"));
		return;
	}
	if (number)
		buf_putf(out, "generation %" PRIu64, number);
	else
		buf_puts(out, "none of the generations");
	put(out, ", its specialisation ", look_text(boot, "specialisation"));
	if (!number)
		put(out, ", init=", look_text(boot, "init"));
	put(out, ", by ", look_text(boot, "file"));
	put_next(json_object_get(boot, "next"), out);
}

const char *generation_note(const json_t *g)
{
	if (!strcmp(look_text(g, "trial"), GENERATION_JSON_NEXT))
		return "to be tried at the next start";
	if (!strcmp(look_text(g, "trial"), GENERATION_JSON_TRIED))
		return look_true(g, "activated") ? "tried and not confirmed, booted last"
		                                 : "tried and not confirmed";
	return look_true(g, "activated") && !look_true(g, "default") ? "booted last" : "";
}

char generation_mark(bool boots, bool current)
{
	return boots ? '*' : current ? '+' : ' ';
}
