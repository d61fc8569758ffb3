/* SPDX-License-Identifier: MIT */
/*
 *     kernel = { "format", "packing", "release", "banner", "pv": bool, "pvh": bool,
 *                "notPv", "notPvh": text, "trouble": text, "advice": [ text ] }
 *
 * "banner" begins with the release and has who built it, and when. "advice" is what speaks against
 * it on this host's Xen.
 */
#include <string.h>

#include "base/mem.h"
#include "inspector/inspector_child.h"
#include "xen/kernel.h"

#define KERNELS_MAX 64u
#define WHY_MAX 512

static json_t *lines_json(const struct buf *lines)
{
	json_t *list = json_array();
	struct str rest = buf_str(lines);

	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		if (line.n)
			json_array_append_new(list, inspector_string(line));
	}
	return list;
}

static void put_kernel(json_t *o, const struct kernel_info *k, unsigned xen)
{
	_cleanup_(buf_fini) struct buf advice = BUF_INIT;
	char text[64], why[WHY_MAX], release[KERNEL_RELEASE_MAX];
	bool can;

	inspector_set(o, "format", kernel_describe(k, text));
	inspector_set(o, "packing", unpack_name(k->packing));
	inspector_set(o, "banner", k->release);
	memcpy(release, k->release, sizeof release);
	release[strcspn(release, " ")] = '\0';
	inspector_set(o, "release", release);
	inspector_set(o, "trouble", k->trouble);
	can = k->notes_read && kernel_notes_pv(&k->notes, why, sizeof why);
	json_object_set_new(o, "pv", json_boolean(can));
	inspector_set(o, "notPv", can || !k->notes_read ? "" : why);
	can = k->notes_read && kernel_notes_pvh(&k->notes, why, sizeof why);
	json_object_set_new(o, "pvh", json_boolean(can));
	inspector_set(o, "notPvh", can || !k->notes_read ? "" : why);
	json_object_set_new(o, "notesRead", json_boolean(k->notes_read));
	kernel_advise(k, xen, &advice);
	json_object_set_new(o, "advice", lines_json(&advice));
}

void inspector_kernel_window(struct inspector_child *c, const struct window *w, const char *name)
{
	json_t *key = inspector_string(str_from(name)), *o;
	struct err err = ERR_INIT;
	struct kernel_info k;

	if (!json_object_get(c->kernels, json_string_value(key)) &&
	    json_object_size(c->kernels) < KERNELS_MAX) {
		o = json_object();
		if (kernel_read(w, NULL, &k, &err) < 0)
			inspector_set(o, "trouble", err.text);
		else
			put_kernel(o, &k, c->xen);
		json_object_set_new(c->kernels, json_string_value(key), o);
	}
	json_decref(key);
}
