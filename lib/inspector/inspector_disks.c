/* SPDX-License-Identifier: MIT */
/*
 *     disk = { "size", "table": "mbr" | "gpt" | "none", "uuid", "trouble",
 *              "partitions": [ { "number", "device", "start", "size", "type", "uuid", "label",
 *                                "active", "fileSystem": fs | null, "trouble" } ],
 *              "fileSystem": fs | null }                 of a disk without partitions
 *     volume = { "device", "id", "size", "fileSystem": fs | null, "trouble" }   of LVM2
 *     fs   = { "type", "label", "uuid", "size", "free", "clean", "start": of a volume null }
 *
 * Sizes are bytes. "device" is GRUB's name.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "disk/table.h"
#include "inspector/inspector_child.h"

static size_t device_by_name(const struct inspector_child *c, const char *name)
{
	for (size_t i = 0; i < c->files->device_count; i++)
		if (!strcmp(c->files->devices[i].name, name))
			return i;
	return SIZE_MAX;
}

static void put_fs(struct inspector_child *c, json_t *o, size_t dev)
{
	struct err err = ERR_INIT;
	uint64_t size = 0, unused = 0;
	struct fs *fs;
	json_t *f;

	json_object_set_new(o, "fileSystem", json_null());
	if (dev == SIZE_MAX)
		return;
	if (disks_fs(c->d, dev, &fs, &err) < 0 || fs_space(fs, &size, &unused, &err) < 0) {
		inspector_set(o, "trouble", err.text);
		return;
	}
	f = json_object();
	inspector_set(f, "type", fs_type(fs));
	inspector_set(f, "label", fs_label(fs));
	inspector_set(f, "uuid", fs_uuid(fs));
	inspector_set_number(f, "size", size);
	inspector_set_number(f, "free", unused);
	json_object_set_new(f, "clean", json_boolean(!fs_unclean(fs)));
	inspector_set(f, "notice", fs_notice(fs));
	if (disks_index(c->d, dev) != SIZE_MAX)
		inspector_set_number(f, "start", disks_window(c->d, dev)->start);
	json_object_set_new(o, "fileSystem", f);
}

static json_t *part_json(struct inspector_child *c, size_t disk, const struct table *t,
                         const struct table_part *p)
{
	json_t *o = json_object();
	char device[32], type[8];

	snprintf(device, sizeof device, "hd%zu,%s%u", disk, t->kind == TABLE_GPT ? "gpt" : "msdos",
	         p->number);
	snprintf(type, sizeof type, "%02x", p->type);
	inspector_set_number(o, "number", p->number);
	inspector_set(o, "device", device);
	inspector_set_number(o, "start", p->start);
	inspector_set_number(o, "size", p->size);
	inspector_set(o, "type", t->kind == TABLE_GPT ? p->type_guid : type);
	inspector_set(o, "uuid", p->uuid);
	inspector_set(o, "label", p->label);
	json_object_set_new(o, "active", json_boolean(p->active));
	put_fs(c, o, device_by_name(c, device));
	return o;
}

static json_t *disk_json(struct inspector_child *c, size_t disk)
{
	json_t *o = json_object(), *parts = json_array();
	struct err err = ERR_INIT;
	struct window w;
	char device[32];
	struct table t;

	snprintf(device, sizeof device, "hd%zu", disk);
	w = *disks_window(c->d, device_by_name(c, device));
	inspector_set_number(o, "size", w.size);
	json_object_set_new(o, "partitions", parts);
	if (table_read(&w, &t, &err) < 0) {
		inspector_set(o, "table", "none");
		inspector_set(o, "trouble", err.text);
		return o;
	}
	inspector_set(o, "table", table_kind_name(t.kind));
	inspector_set(o, "uuid", t.uuid);
	for (size_t i = 0; i < t.n; i++)
		json_array_append_new(parts, part_json(c, disk, &t, &t.part[i]));
	if (!t.n)
		put_fs(c, o, device_by_name(c, device));
	table_fini(&t);
	return o;
}

json_t *inspector_disks_json(struct inspector_child *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->disks.n; i++)
		json_array_append_new(list, disk_json(c, i));
	return list;
}

json_t *inspector_volumes_json(struct inspector_child *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->files->device_count; i++) {
		json_t *o;

		if (disks_index(c->d, i) != SIZE_MAX)
			continue;
		o = json_object();
		inspector_set(o, "device", c->files->devices[i].name);
		inspector_set(o, "id", c->files->devices[i].alias[0]);
		inspector_set_number(o, "size", disks_window(c->d, i)->size);
		put_fs(c, o, i);
		json_array_append_new(list, o);
	}
	return list;
}
