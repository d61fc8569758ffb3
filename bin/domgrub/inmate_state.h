/* SPDX-License-Identifier: MIT */
/* State of the child, shared by inmate.c, plan.c and list.c. */
#ifndef DOMGRUB_INMATE_STATE_H
#define DOMGRUB_INMATE_STATE_H

#include "grub/menu.h"
#include "inmate.h"
#include "jail/jail.h"
#include "jail/wire.h"
#include "message.h"

#define NOTE_MAX 4096        /* bytes of one warning */
#define INMATE_BROKEN_LINE 3 /* exit status */

struct inmate {
	const struct inmate_spec *spec;
	struct wire wire;
	struct disks *disks;
	struct grub_files *files;
	struct grub_menu *menu[MSG_DEPTH_MAX]; /* the first, and what was opened in it */
	uint32_t menus;
	uint32_t depth; /* the menu of the last request */
	struct grub_boot plan;
	struct fs_file
	        *counted; /* the plan's file with a counter, whose name may change; or NULL */
	struct grub_shell *shell;
	uint32_t listed;             /* entries reported so far */
	struct grub_boot_file *seen; /* the menus that they are in, while the list is made */
	size_t seen_n, seen_cap;
};

void inmate_note(struct inmate *in, struct str text);

/* plan.c: where the files are that the menu writes. say: what cannot be written becomes a note. */
void writes_find_all(struct inmate *in, const struct grub_writes *w, bool say,
                     struct msg_writes *out);
/* The same for the plan's file whose name has a boot counter. */
void count_find(struct inmate *in, bool say, struct msg_count *out);
/* Make the plan's message, with the sizes of its files, which are limited. */
int plan_put(struct inmate *in, struct buf *body, struct err *err);
/* Copy its files to the outputs, and report the size of each complete file. */
int plan_copy(struct inmate *in, struct err *err);

/*
 * list_items.c: a menu's entries and those of its submenus, an ITEM each. A file that several
 * entries open as a menu is listed below the first.
 */
int list_put(struct inmate *in, struct grub_menu *menu, struct err *err);

#endif
