/* SPDX-License-Identifier: MIT */
/*
 * Running GRUB script. One struct exec is one run: of a configuration, of an
 * entry, or of the lines of a shell. Functions return 0 (or a status >= 0
 * where it says so), or -ERR_* where the run cannot go on: a limit was met.
 * What merely goes wrong in the script is a warning and a status.
 *
 * Deliberate differences from GRUB 2.06:
 * - An unknown command is false; GRUB says so and goes on as if it were true.
 * - An entry whose initrd cannot be read does not boot; GRUB would try.
 * - Each entry starts from the menu's variables; GRUB's keep what an entry
 *   that failed has set.
 * - "fallback" may be a title or id; GRUB takes numbers only.
 * - A partition of a disk that has none is the disk itself.
 * - ".." in a path goes by names, not through symbolic links.
 * - The kernel's arguments do not begin with BOOT_IMAGE=, as with pygrub.
 * - "\xHH" outside quotes stays as it is, as in Red Hat's GRUB.
 * - Checksums of files are not computed. Questions about the machine get fixed
 *   answers, since no guest runs yet.
 * - A function may be defined anew while it runs.
 * - menuentry within an entry is left out; "newc:" ramdisks and devices other
 *   than disks are not supported.
 * - Passwords are not asked for: whoever has the guest's console controls the
 *   guest anyway.
 */
#ifndef GRUB_EXEC_H
#define GRUB_EXEC_H

#include "grub/device.h"
#include "grub/env.h"
#include "grub/menu.h"

/* GRUB's numbers, as $? shows them. */
enum {
	STATUS_OK = 0,
	STATUS_FALSE = 1,
	STATUS_NO_FILE = 5,
	STATUS_BAD_NAME = 7,
	STATUS_BAD_FS = 9,
	STATUS_BAD_NUMBER = 10,
	STATUS_NO_DEVICE = 12,
	STATUS_UNKNOWN_COMMAND = 16,
	STATUS_BAD_COMMAND = 17,
	STATUS_BAD_ARGUMENT = 18,
	STATUS_UNSUPPORTED = 24,
	STATUS_BAD_MENU = 27,
};

/* Where the run goes after a command. */
enum exec_flow {
	FLOW_ON,
	FLOW_BREAK,
	FLOW_CONTINUE,
	FLOW_RETURN,
	FLOW_EXIT, /* exit, halt, reboot */
	FLOW_BOOT,
	FLOW_MENU, /* x->next is to be shown */
};

struct exec {
	struct grub_files *files;
	const struct grub_limits *limits;
	size_t home; /* the device that the menu lies on */
	struct env env;
	struct grub_texts *args; /* $1… */
	struct grub_menu *menu;  /* where menuentry puts entries; NULL: nowhere */
	struct grub_menu *next;  /* a menu that configfile made */
	struct grub_boot boot;   /* kernel.path NULL: no kernel yet; warnings and so on too */
	struct err broken;       /* why a kernel or ramdisk that was asked for is not there */
	enum exec_flow flow;
	unsigned levels; /* FLOW_BREAK, FLOW_CONTINUE: loops still to leave */
	unsigned loops;  /* loops open in this function */
	unsigned calls;
	unsigned nesting;
	size_t steps;
	int status; /* $? */
	int before; /* $? when the command that runs began */
	const char *file;
	unsigned line;
	const char *command;
	struct str block; /* of the command that runs; p NULL: none */
};

void exec_init(struct exec *x, const struct grub_menu *menu);
void exec_fini(struct exec *x);

/*
 * Run a text. A syntax error ends it with -ERR_FORMAT if strict (an entry's
 * body); else only its own lines are skipped, with a warning.
 */
int exec_text(struct exec *x, const char *file, struct str text, bool strict, struct err *err);

/* Run statements; the last status is in x->status. */
int exec_list(struct exec *x, struct script *script, const struct node *list, struct err *err);

/* Call a function with the words after argv[0]. */
int exec_call(struct exec *x, const struct env_function *f, const struct grub_texts *argv,
              struct err *err);

/* One step, and one more for each 256 bytes of text. 0 or -ERR_LIMIT. */
int exec_charge(struct exec *x, size_t bytes, struct err *err);
/* What reading or looking up a file is charged as. */
#define EXEC_FILE_BYTES ((size_t)16 * 256)

/* Add "file:line: command: …" to the warnings. */
void exec_warn(struct exec *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same; returns the status. */
int exec_fail(struct exec *x, int status, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* What a script prints, up to the limit. */
void exec_print(struct exec *x, struct str text);

/* expand.c: the words of a command, appended to *argv. */
int expand_words(struct exec *x, const struct word *words, struct grub_texts *argv,
                 struct err *err);

static inline struct str exec_get(const struct exec *x, const char *name)
{
	return env_get(&x->env, str_from(name));
}

/* Names are relative to $root; valid until that changes. */
static inline struct file_base exec_base(const struct exec *x)
{
	return (struct file_base){x->files, exec_get(x, "root"), 1, x->home};
}

int exec_set(struct exec *x, const char *name, struct str value, struct err *err);

#endif
