/* SPDX-License-Identifier: MIT */
#include "inspector/inspector_child.h"

#include <string.h>

#include "base/mem.h"

#define ENTRIES_MAX 4096u
#define BROKEN_LINE 3 /* exit status: the parent closed the line */

const struct wire_rule inspector_rules[] = {
        {0, INSPECTOR_PIECE, INSPECTOR_PIECE_MAX, 0},
        {0, INSPECTOR_ROWS, INSPECTOR_PIECE_MAX, 0},
        {0, INSPECTOR_END, 0, 1},
        {0, INSPECTOR_FAILED, ERR_TEXT_MAX, 1},
        {0, WIRE_BROKEN, ERR_TEXT_MAX, 1},
};
const size_t inspector_rule_count = ARRAY_LEN(inspector_rules);

json_t *inspector_string(struct str s)
{
	struct buf b = BUF_INIT;
	json_t *text = memchr(s.n ? s.p : "", 0, s.n) ? NULL : json_stringn(s.n ? s.p : "", s.n);

	if (text)
		return text;
	str_escape(&b, s);
	text = json_stringn(buf_str(&b).p, b.n);
	buf_fini(&b);
	return text;
}

void inspector_set(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, text ? inspector_string(str_from(text)) : json_null());
}

void inspector_set_number(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)MIN(v, (uint64_t)INT64_MAX)));
}

/* Whether a device has an ext4 with the store, as the commands that change guests need it. */
static bool is_plain_root(struct inspector_child *c, size_t dev, struct fs **fs)
{
	const struct window *w = disks_window(c->d, dev);
	struct err err = ERR_INIT;
	struct fs_stat st;
	int rc = disks_fs(c->d, dev, fs, &err);

	if (rc < 0 || w->fixed || !str_starts(str_from(fs_type(*fs)), "ext"))
		return false;
	rc = fs_stat(*fs, STR("/nix/store"), true, &st, &err);
	if (err_absent(rc) < 0 && !c->root_err.code)
		c->root_err = err;
	return rc == 0 && st.kind == FS_DIR;
}

/* The file system with the store, or the view that has it. */
static void find_root(struct inspector_child *c)
{
	const struct booting_config config = inspector_config(&c->disks);
	struct err err = ERR_INIT;
	struct fs *fs;
	int rc;

	for (size_t i = 0; i < c->files->device_count && !c->root; i++)
		if (is_plain_root(c, i, &fs))
			c->root = fs;
	if (!c->root) {
		rc = guest_root_find(c->d, &config, &c->joined, &c->notes, &err);
		c->root = c->joined.view;
		if (rc < 0 && !c->root_err.code)
			c->root_err = err;
	}
	if (c->root)
		c->root_err.code = ERR_NONE;
}

static void put_part(json_t *o, const char *key, const char *error_key, struct inspector_child *c,
                     int (*part)(struct inspector_child *c, json_t **out, struct err *err))
{
	struct err err = ERR_INIT;
	json_t *v = NULL;

	if (part(c, &v, &err) < 0)
		inspector_set(o, error_key, err.text);
	json_object_set_new(o, key, v ? v : json_null());
}

static json_t *make_answer(struct inspector_child *c)
{
	struct err fault = ERR_INIT;
	json_t *o = json_object();

	json_object_set_new(o, "disks", inspector_disks_json(c));
	json_object_set_new(o, "volumes", inspector_volumes_json(c));
	c->kernels = json_object();
	json_object_set_new(o, "kernels", c->kernels);
	c->entries_left = ENTRIES_MAX;
	find_root(c);
	json_object_set_new(o, "direct",
	                    c->disks.host[INSPECTOR_HOST_KERNEL].name || c->wants & INSPECTOR_INITRD
	                            ? inspector_direct_json(c)
	                            : json_null());
	put_part(o, "menu", "menuError", c, inspector_menu_json);
	put_part(o, "nixos", "nixosError", c, inspector_nixos_json);
	if (disks_fault(c->d, &fault) < 0)
		inspector_set(o, "unreadable", fault.text);
	return o;
}

int inspector_main(void *arg)
{
	struct inspector_child *c = arg;
	struct wire w = {.fd = JAIL_PARENT, .peer = "parent"};
	struct err err = ERR_INIT;
	_cleanup_(buf_fini) struct buf answer = BUF_INIT;
	json_t *o;
	int rc;

	c->line = &w;
	c->d = disks_new(c->disks.spec, c->disks.n, &c->notes);
	c->files = disks_files(c->d);
	o = make_answer(c);
	rc = inspector_record_put(o, &inspector_schema, &answer, &err);
	json_decref(o);
	if (rc < 0)
		return wire_put(&w, INSPECTOR_FAILED, str_from(err.text), &err) < 0 ? BROKEN_LINE
		                                                                    : 0;
	if (wire_put_pieces(&w, INSPECTOR_PIECE, buf_str(&answer), INSPECTOR_PIECE_MAX, &err) < 0 ||
	    wire_put(&w, INSPECTOR_END, STR(""), &err) < 0)
		return BROKEN_LINE;
	return 0;
}
