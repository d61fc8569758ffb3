/* SPDX-License-Identifier: MIT */
/*
 * A guest's boot menu, whoever wrote it: GRUB 2, extlinux or isolinux, GRUB
 * legacy, or Boot Loader Specification entries. All texts are the guest's own
 * bytes: escape them (str_escape) before a person sees them.
 *
 *     grub_menu_probe() --> menu -- grub_menu_enter(entry) --> boot
 *                             ^              |
 *                             +-- another menu (submenu, configfile)
 *
 * "files" and "limits" are borrowed for as long as any menu lives; everything
 * else a menu holds is its own, and a menu made by grub_menu_enter() does not
 * need its parent any more.
 */
#ifndef GRUB_MENU_H
#define GRUB_MENU_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "grub/files.h"
#include "grub/limit.h"

enum grub_dialect {
	GRUB_SCRIPT,
	GRUB_EXTLINUX,
	GRUB_LEGACY,
	GRUB_BLS,
};

enum grub_style {
	GRUB_STYLE_MENU,
	GRUB_STYLE_COUNTDOWN,
	GRUB_STYLE_HIDDEN,
};

#define GRUB_WAIT (-1) /* timeout: for ever */

struct grub_texts {
	char **v;
	size_t n;
	size_t cap;
};

/* New contents for a file: the menu ran save_env. */
struct grub_write {
	size_t dev;
	char *path;
	struct buf data; /* the whole file; as long as it is now */
};

struct grub_writes {
	struct grub_write *v; /* at most one of each file, the last state */
	size_t n;
	size_t cap;
};

struct grub_entry {
	char *title;
	char *id;      /* what "default" may name besides title and number; the title if not set */
	char *classes; /* separated by blanks */
	char *users;   /* NULL: none named */
	char *hotkey;  /* NULL: none */
	bool unrestricted;
	bool submenu;
	char *body;             /* source lines, each with its newline: to show and to edit */
	struct grub_texts args; /* words that the body sees as $1, $2… */
	char *counted;       /* the path of its file, whose name has a boot counter; NULL: none */
	struct str private_; /* the dialect's own, do not touch */
};

struct grub_context; /* the dialect's state */

struct grub_menu {
	enum grub_dialect dialect;
	size_t dev; /* where its configuration lies */
	char *path;
	char *title; /* "" where the menu has none */
	bool part;   /* a submenu: lines of that file, not all of it */
	struct grub_entry *entries;
	size_t n;
	size_t cap;
	char *default_; /* as set: number, title, id, or a>b; "" none */
	char *fallback; /* likewise, several separated by blanks; "" none */
	long timeout;   /* milliseconds; GRUB_WAIT: for ever, 0: at once */
	enum grub_style style;
	bool locked;                /* superusers are set: GRUB would ask for a password */
	struct grub_texts warnings; /* in order of appearance */
	struct buf output;          /* what the menu's script printed */
	struct grub_writes writes;  /* to be written whichever entry is booted */
	struct grub_context *context;
};

struct grub_boot_file {
	size_t dev;
	char *path;
	bool part;      /* not all of it: n bytes at at */
	uint64_t at, n; /* bytes; checked against the file's size */
};

/*
 * A file whose name has a boot counter: renamed whenever its entry is chosen, even if that cannot
 * be booted (blscount.h).
 */
struct grub_counted {
	size_t dev;
	char *path; /* NULL: there is none */
};

/* What an entry wants booted. Start from GRUB_BOOT_INIT; end with fini. */
struct grub_boot {
	struct grub_boot_file kernel;
	char *args; /* the kernel's command line */
	struct grub_boot_file *initrds;
	size_t initrd_count;
	struct grub_texts warnings;
	struct buf output;
	struct grub_writes writes; /* the menu's included */
	struct grub_counted counted;
};

#define GRUB_BOOT_INIT {.args = NULL}

void grub_boot_fini(struct grub_boot *boot);

/*
 * Find the guest's menu in the order of places.c. A file that exists but yields no menu is
 * skipped; its error becomes a warning of the menu found, or is returned if none is.
 */
int grub_menu_probe(struct grub_files *files, const struct grub_limits *limits,
                    struct grub_menu **out, struct err *err);

/* The menu of one file (for BLS: the directory that holds entries/). */
struct grub_menu_file {
	enum grub_dialect dialect;
	size_t dev;
	struct str path;
};

int grub_menu_load(struct grub_files *files, const struct grub_limits *limits,
                   const struct grub_menu_file *file, struct grub_menu **out, struct err *err);

/* The menu in a text that is on no device (pygrub's --isconfig); not for BLS. */
int grub_menu_parse(struct grub_files *files, const struct grub_limits *limits,
                    enum grub_dialect dialect, struct str text, struct grub_menu **out,
                    struct err *err);

/* Guess the dialect of a text whose file name does not tell. */
enum grub_dialect grub_menu_guess(struct str text);

void grub_menu_free(struct grub_menu *menu);
void grub_menu_freep(struct grub_menu **menu);

/*
 * Evaluate an entry: 0 and *boot, or 1 and *next (it leads to another menu),
 * or -ERR_* where it cannot boot. "body" is the entry's text after editing;
 * p NULL: as it is. The menu stays as it was: it can be entered again. What
 * the entry said (warnings, output) is in *boot where it fails as well.
 */
int grub_menu_enter(struct grub_menu *menu, size_t entry, struct str body, struct grub_boot *boot,
                    struct grub_menu **next, struct err *err);

/*
 * The entry that "spec" names in this menu: the part before the first single
 * '>' is a number from 0, a title, or an id ("default" rules). *rest is what
 * follows the '>', p NULL: nothing. Returns 0 or -ERR_NOENT.
 */
int grub_menu_find(const struct grub_menu *menu, struct str spec, size_t *entry, struct str *rest,
                   struct err *err);

/* The default entry; the first one where the default names none. */
size_t grub_menu_default(const struct grub_menu *menu);

/*
 * What boots without a person: "spec" (p NULL: the default) through all its
 * submenus, then, for the default, the fallbacks (with a warning that says
 * why). Returns 0 or -ERR_*; *boot holds warnings and output in either case:
 * always end with grub_boot_fini().
 */
int grub_menu_auto(struct grub_menu *menu, struct str spec, struct grub_boot *boot,
                   struct err *err);

/*
 * GRUB's command line over a menu. Lines see what earlier ones set. The shell
 * is independent of the menu once made.
 */
struct grub_shell;

struct grub_shell *grub_shell_new(struct grub_menu *menu);
void grub_shell_free(struct grub_shell *shell);
/*
 * Run a line (or several); what it prints, errors included, goes to *out.
 * 0: ready for the next, 1: the command boot filled *boot, 2: a menu is
 * to be shown, *next, or -ERR_* where the shell cannot go on.
 */
int grub_shell_line(struct grub_shell *shell, struct str line, struct buf *out,
                    struct grub_boot *boot, struct grub_menu **next, struct err *err);

#endif
