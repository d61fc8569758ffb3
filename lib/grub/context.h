/* SPDX-License-Identifier: MIT */
/* A menu's internal state, for all dialects. */
#ifndef GRUB_CONTEXT_H
#define GRUB_CONTEXT_H

#include "grub/env.h"
#include "grub/exec.h"
#include "grub/menu.h"

struct dialect {
	const char *name;
	/* Fill a menu that menu_new() made. BLS ignores text. */
	int (*load)(struct grub_menu *menu, struct str text, struct err *err);
	/* As grub_menu_enter(); the body is never NULL. */
	int (*enter)(struct grub_menu *menu, const struct grub_entry *entry, struct str body,
	             struct grub_boot *boot, struct grub_menu **next, struct err *err);
};

extern const struct dialect dialect_script, dialect_extlinux, dialect_legacy, dialect_bls;

struct grub_context {
	struct grub_files *files;
	const struct grub_limits *limits;
	struct env env;  /* GRUB script: as the menu's script left it */
	char *chosen;    /* ids of the entries that led here, joined by '>'; "" at the top */
	unsigned depth;  /* menus above this one */
	size_t bytes;    /* GRUB script: of all entries' bodies */
	struct buf text; /* GRUB legacy: the lines before the first title */
	char *base;      /* extlinux: where relative names begin; NULL: where the file lies */
	bool grubs;      /* BLS: entries are written for Fedora's GRUB */
};

/* An empty menu of a file at dev:path. */
struct grub_menu *menu_new(enum grub_dialect dialect, struct grub_files *files,
                           const struct grub_limits *limits, size_t dev, struct str path);

/* grub_menu_load() with this text in place of the file's contents. */
int menu_load_text(struct grub_files *files, const struct grub_limits *limits,
                   const struct grub_menu_file *file, struct str text, struct grub_menu **out,
                   struct err *err);

/* A new last entry with empty texts; NULL where the menu is full. */
struct grub_entry *grub_menu_add(struct grub_menu *menu);
void entry_fini(struct grub_entry *e);

void menu_warn(struct grub_menu *menu, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What follows the first single '>' in "a>b"; p NULL: no '>'. */
struct str menu_spec_rest(struct str spec);

/* Replace an owned string. */
void set_text(char **to, struct str text);

/* A new entry for a body of that many bytes, within the limits: 0 or -ERR_LIMIT. */
int exec_add_entry(struct exec *x, size_t bytes, struct grub_entry **out, struct err *err);

/* script.c: set the variables that GRUB sets before it runs a menu. */
int script_set_vars(struct exec *x, const struct grub_menu *menu, struct err *err);
/* Take what a menu's script left: default, timeout, variables. */
void script_finish(struct exec *x, struct grub_menu *menu);
/* Move a run's warnings, output and writes to the menu that it ends in. */
void script_hand_over(struct exec *x, struct grub_menu *menu);
/* The end of a run of an entry: 0, 1 or -ERR_* as grub_menu_enter(). */
int script_result(struct exec *x, struct grub_boot *boot, struct grub_menu **next, struct err *err);

/* "/boot/grub" of "/boot/grub/grub.cfg"; "" of "/grub.cfg". */
static inline struct str dir_of(struct str path)
{
	while (path.n && path.p[path.n - 1] != '/')
		path.n--;
	if (path.n)
		path.n--;
	return path;
}

#endif
