/* SPDX-License-Identifier: MIT */
/* In the jail: every entry of a menu, evaluated but not booted. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inmate_state.h"

#define ITEM_TEXT_MAX (MSG_TEXT_MAX / 8) /* an item has eight texts */

static struct str cut(struct str s)
{
	s.n = MIN(s.n, ITEM_TEXT_MAX);
	return s;
}

static int item_say(struct inmate *in, const struct msg_item *item, struct err *err)
{
	struct buf body = BUF_INIT;
	int rc;

	msg_item_put(&body, item);
	rc = wire_put(&in->wire, MSG_ITEM, buf_str(&body), err);
	buf_fini(&body);
	return rc;
}

/* The root as pygrub shows it: nothing for GRUB 2, "d0p0" for menu.lst. */
static void root_name(const struct inmate *in, const struct grub_menu *m, const struct grub_boot *b,
                      struct buf *out)
{
	const char *name, *comma, *digits;

	if (m->dialect == GRUB_SCRIPT || m->dialect == GRUB_BLS)
		buf_puts(out, "None");
	if (m->dialect != GRUB_LEGACY || b->kernel.dev >= in->files->device_count)
		return;
	name = in->files->devices[b->kernel.dev].name;
	if (!strncmp(name, "lvm/", 4)) {
		buf_puts(out, name);
		return;
	}
	comma = strchr(name, ',');
	buf_putf(out, "d%.*s", comma ? (int)(comma - name - 2) : (int)strlen(name) - 2, name + 2);
	if (!comma)
		return;
	digits = comma + strcspn(comma, "0123456789");
	buf_putf(out, "p%ld", strtol(digits, NULL, 10) - 1);
}

static void item_fill(struct inmate *in, const struct grub_menu *m, const struct grub_boot *b,
                      struct msg_item *item, struct buf *root, struct buf *initrd)
{
	root_name(in, m, b, root);
	for (size_t i = 0; i < b->initrd_count; i++)
		buf_putf(initrd, "%s%s", i ? " " : "", b->initrds[i].path);
	item->root = cut(buf_str(root));
	item->kernel = cut(str_from(b->kernel.path ? b->kernel.path : ""));
	item->args = cut(str_from(b->args ? b->args : ""));
	item->has_initrd = b->initrd_count > 0;
	item->initrd = cut(buf_str(initrd));
}

/* Whether this file is a menu for the first time. Submenus are part of their file. */
static bool is_new(struct inmate *in, const struct grub_menu *m)
{
	if (m->part)
		return true;
	for (size_t i = 0; i < in->seen_n; i++)
		if (in->seen[i].dev == m->dev && strcmp(in->seen[i].path, m->path) == 0)
			return false;
	GROW(in->seen, in->seen_n, in->seen_cap);
	in->seen[in->seen_n++] = (struct grub_boot_file){.dev = m->dev, .path = xstrdup(m->path)};
	return true;
}

static void seen_reset(struct inmate *in)
{
	while (in->seen_n)
		free(in->seen[--in->seen_n].path);
	in->listed = 0;
}

static int menu_put(struct inmate *in, struct grub_menu *menu, uint32_t depth, struct err *err);

static int entry_put(struct inmate *in, struct grub_menu *m, size_t i, uint32_t depth,
                     struct err *err)
{
	_cleanup_(grub_boot_fini) struct grub_boot boot = GRUB_BOOT_INIT;
	_cleanup_(grub_menu_freep) struct grub_menu *next = NULL;
	struct msg_item item = {.depth = depth,
	                        .default_ = i == grub_menu_default(m),
	                        .title = cut(str_from(m->entries[i].title)),
	                        .id = cut(str_from(m->entries[i].id ? m->entries[i].id : ""))};
	struct buf root = BUF_INIT, initrd = BUF_INIT;
	struct err why = ERR_INIT;
	int rc = grub_menu_enter(m, i, (struct str){NULL, 0}, &boot, &next, &why);

	item.submenu = rc == 1;
	if (rc < 0)
		item.trouble = cut(str_from(why.text));
	if (rc == 0)
		item_fill(in, m, &boot, &item, &root, &initrd);
	if (rc == 1 && depth + 1 >= MSG_DEPTH_MAX)
		item.trouble = STR("menus nested too deeply");
	rc = item_say(in, &item, err);
	buf_fini(&root);
	buf_fini(&initrd);
	if (rc < 0 || !next || depth + 1 >= MSG_DEPTH_MAX || !is_new(in, next))
		return rc;
	return menu_put(in, next, depth + 1, err);
}

static int menu_put(struct inmate *in, struct grub_menu *menu, uint32_t depth, struct err *err)
{
	for (size_t i = 0; i < menu->n; i++) {
		int rc;

		if (++in->listed > MSG_ENTRIES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d entries", MSG_ENTRIES_MAX);
		rc = entry_put(in, menu, i, depth, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int list_put(struct inmate *in, struct grub_menu *menu, struct err *err)
{
	int rc;

	seen_reset(in);
	(void)is_new(in, menu);
	rc = menu_put(in, menu, 0, err);
	seen_reset(in);
	return rc;
}
