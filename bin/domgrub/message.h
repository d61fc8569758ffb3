/* SPDX-License-Identifier: MIT */
/*
 * What the parent asks the child in the jail, and what it may answer. One
 * request at a time; notes may come before the answer.
 *
 *     MENU   the guest's first menu              menu
 *     ENTER  an entry of a menu                  menu, plan
 *     AUTO   what boots without a person         writes (if any), plan
 *     FILES  two files, whatever the menu says   plan
 *     BODY   an entry's lines                    text
 *     SHELL  a line for GRUB's command line      text, menu, plan
 *     LIST   every entry                         item…, done
 *     COPY   the files of the last plan          size (kernel), size (ramdisk), done
 *     CHECK  the kernel (another child)          sum (of a good one, maybe), done
 *     COUNT  an entry's boot counter (another)   done
 *
 * "fail" may come instead of any answer. Texts are the guest's own bytes. What
 * a _get gives is borrowed from the body; of each pair, _put is for the side
 * that speaks and _get for the one that believes nothing.
 */
#ifndef DOMGRUB_MESSAGE_H
#define DOMGRUB_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "jail/wire.h"
#include "known.h"

enum {
	REQ_MENU = 1,
	REQ_ENTER,
	REQ_AUTO,
	REQ_FILES,
	REQ_BODY,
	REQ_SHELL,
	REQ_LIST,
	REQ_COPY,
	REQ_CHECK,
	REQ_COUNT,
};

enum {
	MSG_NOTE = 101,
	MSG_FAIL,
	MSG_MENU,
	MSG_PLAN,
	MSG_TEXT,
	MSG_ITEM,
	MSG_SIZE,
	MSG_DONE,
	MSG_SUM,
	MSG_WRITES,
};

/* No message is expected. */
#define STATE_IDLE 0
/* In the child: a plan was made, so COPY is allowed. */
#define STATE_PLANNED 1
/* In the parent: the kernel's sum has come, so only DONE is allowed. */
#define STATE_SUMMED 200
/* In the parent: AUTO's writes have come, so its plan is next. */
#define STATE_WRITES 201

#define MSG_TEXT_MAX (1u << 20) /* bytes of one text */
#define MSG_MENU_MAX (4u << 20) /* bytes of a menu's message */
#define MSG_ENTRIES_MAX 65536
#define MSG_INITRDS_MAX 256
#define MSG_WRITES_MAX 16
#define MSG_DEPTH_MAX 32    /* menus within each other */
#define MSG_PATH_MAX 4096   /* bytes of a path */
#define ENV_BLOCK_SIZE 1024 /* bytes of GRUB's environment block */

/* The parent's side sets state to the request that it sent. */
extern const struct wire_rule message_answers[];
extern const size_t message_answer_count;
extern const struct wire_rule message_requests[];
extern const size_t message_request_count;

struct req {
	uint32_t depth; /* the menu: 0 is the first */
	uint32_t entry;
	bool has_text;
	struct str text; /* AUTO: which; ENTER: edited lines; SHELL: line; FILES: kernel */
	struct str more; /* FILES: ramdisk */
};

void req_put(struct buf *out, const struct req *r);
int req_get(struct str body, struct req *out, struct err *err);

struct msg_entry {
	struct str title;
	bool submenu;
};

struct msg_menu {
	uint32_t depth;
	struct str title;
	int64_t timeout_ms; /* -1: for ever */
	uint32_t style;     /* enum grub_style */
	uint32_t default_;
	struct str output; /* what the script printed */
	uint32_t n;
	struct msg_entry *entry;
};

void msg_menu_put(struct buf *out, const struct msg_menu *m);
/* out->entry is the caller's: msg_menu_fini(). */
int msg_menu_get(struct str body, struct msg_menu *out, struct err *err);
void msg_menu_fini(struct msg_menu *m);

/* A block of a disk as it should become. */
struct msg_write {
	uint32_t disk;
	uint64_t at; /* byte of the disk */
	uint8_t data[ENV_BLOCK_SIZE];
};

/*
 * The file of the entry that is booted has a boot counter in its name: it gets the next name. The
 * path is one of blscount_path().
 */
struct msg_count {
	uint32_t disk;
	uint64_t start, size;        /* bytes of the disk: its file system's */
	char path[MSG_PATH_MAX + 1]; /* "": there is none */
};

/*
 * What is to be written before anything is booted. With AUTO it comes first: as in GRUB and
 * systemd-boot, an entry for one start or with a counter is used up even if it cannot be booted.
 */
struct msg_writes {
	uint32_t n;
	struct msg_write v[MSG_WRITES_MAX];
	struct msg_count count;
};

static inline bool msg_writes_any(const struct msg_writes *w)
{
	return w->n || *w->count.path;
}

void msg_writes_put(struct buf *out, const struct msg_writes *w);
int msg_writes_get(struct str body, struct msg_writes *out, struct err *err);

struct msg_plan {
	struct str kernel; /* "(hd0,msdos1)/boot/vmlinuz": to be shown only */
	struct str args;
	struct str output;
	uint64_t kernel_size, ramdisk_size; /* bytes to come; 0: no ramdisk */
	uint64_t stored;                    /* of both, bytes that are not in holes */
	uint32_t initrds;
	struct str initrd[MSG_INITRDS_MAX];
	struct msg_writes writes;
};

void msg_plan_put(struct buf *out, const struct msg_plan *p);
int msg_plan_get(struct str body, struct msg_plan *out, struct err *err);

/* One line of a list: an entry, or the head of a submenu. */
struct msg_item {
	uint32_t depth; /* 0: of the first menu */
	bool submenu;
	bool default_;
	struct str title, id, root, kernel, args, trouble;
	bool has_initrd;
	struct str initrd; /* several: separated by blanks */
};

void msg_item_put(struct buf *out, const struct msg_item *i);
int msg_item_get(struct str body, struct msg_item *out, struct err *err);

/* FAIL: an error from the child, its code and text. */
void msg_fail_put(struct buf *out, const struct err *e);
/* Makes it *err and returns its code. */
int msg_fail_get(struct str body, struct err *err);

/* NOTE, TEXT, SIZE, SUM. */
void msg_text_put(struct buf *out, struct str s);
int msg_text_get(struct str body, struct str *out, struct err *err);
void msg_size_put(struct buf *out, uint64_t n);
int msg_size_get(struct str body, uint64_t *out, struct err *err);
int msg_sum_get(struct str body, uint8_t out[static KNOWN_SUM], struct err *err);

#endif
