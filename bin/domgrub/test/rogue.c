/* SPDX-License-Identifier: MIT */
/*
 * Children that a guest has taken over. They replace inmate.c and renamer.c in domgrub_rogue; the
 * environment variable ROGUE selects what they try.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "inmate_state.h"

static struct inmate in;

void inmate_note(struct inmate *i, struct str text)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	msg_text_put(&b, text);
	(void)wire_put(&i->wire, MSG_NOTE, buf_str(&b), &err);
	buf_fini(&b);
}

static int send_text(uint32_t type, const char *text)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	msg_text_put(&b, str_from(text));
	return wire_put(&in.wire, type, buf_str(&b), &err);
}

static int send_size(uint64_t n)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	msg_size_put(&b, n);
	return wire_put(&in.wire, MSG_SIZE, buf_str(&b), &err);
}

static struct msg_plan plan = {
        .kernel = {"(hd0)/k", 7}, .args = {"args", 4}, .output = {"", 0}, .kernel_size = 6};

static void send_plan(void)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	msg_plan_put(&b, &plan);
	(void)wire_put(&in.wire, MSG_PLAN, buf_str(&b), &err);
}

static void request_in(uint32_t state)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	uint32_t type;

	in.wire.state = state;
	if (wire_get(&in.wire, &type, &b, &err) != 0)
		_exit(0);
}

static void next_request(void)
{
	request_in(STATE_PLANNED);
}

/* Finish as an honest child does: six bytes of kernel, no ramdisk. */
static void copy(uint64_t said_kernel, uint64_t said_ramdisk)
{
	struct err err = ERR_INIT;

	next_request();
	if (write(JAIL_FD(JAIL_OUTPUT, 0), "kernel", 6) != 6)
		_exit(9);
	(void)send_size(said_kernel);
	(void)send_size(said_ramdisk);
	(void)wire_put(&in.wire, MSG_DONE, STR(""), &err);
	next_request();
}

static void try_open(void)
{
	_exit(open("/etc/shadow", O_RDONLY) >= 0);
}

static void try_socket(void)
{
	_exit(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static void try_fork(void)
{
	_exit(fork() >= 0);
}

static void try_write(void)
{
	/* The disk is an input. */
	_exit(pwrite(JAIL_FD(JAIL_INPUT, 0), "x", 1, 0) == 1);
}

static void crash(void)
{
	__builtin_trap();
}

static void leave(void)
{
	_exit(0);
}

static void silence(void)
{
	next_request();
}

static void wrong_message(void)
{
	(void)send_size(1);
}

static void endless_message(void)
{
	uint8_t head[WIRE_HEAD];

	wire_head_put(head, MSG_PLAN, UINT32_MAX);
	if (write(JAIL_PARENT, head, sizeof head) < 0)
		_exit(9);
	next_request();
}

static void half_message(void)
{
	uint8_t head[WIRE_HEAD];

	wire_head_put(head, MSG_PLAN, 100);
	if (write(JAIL_PARENT, head, sizeof head) < 0)
		_exit(9);
	_exit(0);
}

static void no_format(void)
{
	(void)send_text(MSG_PLAN, "no plan at all");
}

static void newline(void)
{
	plan.args = STR("a\nkernel /etc/shadow");
	send_plan();
}

static void large_kernel(void)
{
	plan.kernel_size = 1ull << 60;
	send_plan();
}

static void other_kernel_size(void)
{
	send_plan();
	copy(7, 0);
}

static void larger_file(void)
{
	plan.kernel_size = 5;
	send_plan();
	copy(5, 0);
}

static void hidden_ramdisk(void)
{
	send_plan();
	copy(6, 1);
}

static void foreign_disk(void)
{
	plan.writes.n = 1;
	plan.writes.v[0].disk = 5;
	send_plan();
}

/* Before a plan that never comes. */
static void early_write(uint32_t disk)
{
	struct msg_writes w = {.n = 1, .v = {{.disk = disk}}};
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	memset(w.v[0].data, 'x', ENV_BLOCK_SIZE);
	msg_writes_put(&b, &w);
	(void)wire_put(&in.wire, MSG_WRITES, buf_str(&b), &err);
	buf_fini(&b);
	_exit(0);
}

static void early_disk(void)
{
	early_write(5);
}

static void early_block(void)
{
	early_write(0);
}

static void foreign_block(void)
{
	plan.writes.n = 1;
	plan.writes.v[0].at = 0;
	memset(plan.writes.v[0].data, 'x', ENV_BLOCK_SIZE);
	send_plan();
	copy(6, 0);
}

static void escapes(void)
{
	inmate_note(&in, STR("\033[2Jnote\r\n"));
	send_plan();
	copy(6, 0);
}

/* Hangs before it copies the ramdisk. */
static void stall(void)
{
	send_plan();
	next_request();
	if (write(JAIL_FD(JAIL_OUTPUT, 0), "kernel", 6) != 6)
		_exit(9);
	(void)send_size(6);
	next_request();
}

/* Data in an output must be final: else the kernel might change after it was checked. */
static void change(void)
{
	send_plan();
	next_request();
	if (write(JAIL_FD(JAIL_OUTPUT, 0), "kernel", 6) != 6)
		_exit(9);
	(void)send_size(6);
	_exit(lseek(JAIL_FD(JAIL_OUTPUT, 0), -6, SEEK_CUR) == 0);
}

/* Only the size is right. */
static void hole(void)
{
	struct err err = ERR_INIT;

	plan.kernel_size = 1u << 20;
	send_plan();
	next_request();
	if (lseek(JAIL_FD(JAIL_OUTPUT, 0), 1u << 20, SEEK_CUR) < 0)
		_exit(9);
	(void)send_size(1u << 20);
	(void)send_size(0);
	(void)wire_put(&in.wire, MSG_DONE, STR(""), &err);
	next_request();
}

/* An entry to be renamed: where its file system would be, and its path. */
static void count(uint32_t disk, uint64_t start, const char *path)
{
	struct msg_count *c = &plan.writes.count;

	c->disk = disk;
	c->start = start;
	c->size = 8192 - 1024;
	strcpy(c->path, path);
	send_plan();
	copy(6, 0);
}

static void count_disk(void)
{
	count(5, 0, "/loader/entries/x+3.conf");
}

static void count_place(void)
{
	count(0, 1025, "/loader/entries/x+3.conf");
}

static void count_far(void)
{
	count(0, INT64_MAX, "/loader/entries/x+3.conf");
}

static void count_file(void)
{
	count(0, 0, "/etc/x+3.conf");
}

static void count_plain(void)
{
	count(0, 0, "/loader/entries/x.conf");
}

static void count_above(void)
{
	count(0, 0, "/x/../loader/entries/x+3.conf");
}

/* What the parent accepts; the other child tries something, see renamer_main(). */
static void count_some(void)
{
	count(0, 1024, "/loader/entries/x+3.conf");
}

static void honest(void)
{
	send_plan();
	copy(6, 0);
}

static const struct {
	const char *name;
	void (*fn)(void);
} deeds[] = {
        {"open", try_open},
        {"socket", try_socket},
        {"fork", try_fork},
        {"write", try_write},
        {"crash", crash},
        {"leave", leave},
        {"silence", silence},
        {"wrong-message", wrong_message},
        {"endless-message", endless_message},
        {"half-message", half_message},
        {"no-format", no_format},
        {"newline", newline},
        {"large-kernel", large_kernel},
        {"other-kernel-size", other_kernel_size},
        {"larger-file", larger_file},
        {"hidden-ramdisk", hidden_ramdisk},
        {"foreign-disk", foreign_disk},
        {"foreign-block", foreign_block},
        {"early-disk", early_disk},
        {"early-block", early_block},
        {"escapes", escapes},
        {"stall", stall},
        {"change", change},
        {"hole", hole},
        {"count-disk", count_disk},
        {"count-place", count_place},
        {"count-far", count_far},
        {"count-file", count_file},
        {"count-plain", count_plain},
        {"count-above", count_above},
        {"honest", honest},
};

int inmate_main(void *arg)
{
	const char *name = getenv("ROGUE");

	in.wire = (struct wire){.fd = JAIL_PARENT,
	                        .rules = message_requests,
	                        .rule_count = message_request_count,
	                        .peer = "parent"};
	next_request();
	if (name && strncmp(name, "renamer-", 8) == 0)
		count_some();
	for (size_t i = 0; name && i < ARRAY_LEN(deeds); i++)
		if (strcmp(name, deeds[i].name) == 0)
			deeds[i].fn();
	next_request();
	return 0;
}

static void renamer_fails(void)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	err_set(&err, ERR_BUSY, "\033[2Jit says\n");
	msg_fail_put(&b, &err);
	(void)wire_put(&in.wire, MSG_FAIL, buf_str(&b), &err);
	buf_fini(&b);
}

static void renamer_done(void)
{
	struct err err = ERR_INIT;

	(void)wire_put(&in.wire, MSG_DONE, STR(""), &err);
}

static void renamer_writes(void)
{
	_exit(pwrite(JAIL_FD(JAIL_DISK, 0), "x", 1, 1u << 20) == 1);
}

static const struct {
	const char *name;
	void (*fn)(void);
} renamer_deeds[] = {
        {"renamer-open", try_open},         {"renamer-fork", try_fork},
        {"renamer-crash", crash},           {"renamer-leave", leave},
        {"renamer-silence", silence},       {"renamer-plan", send_plan},
        {"renamer-message", wrong_message}, {"renamer-endless", endless_message},
        {"renamer-grows", renamer_writes},  {"renamer-fails", renamer_fails},
        {"renamer-done", renamer_done},
};

int renamer_main(void *arg)
{
	const char *name = getenv("ROGUE");

	in.wire = (struct wire){.fd = JAIL_PARENT,
	                        .rules = message_requests,
	                        .rule_count = message_request_count,
	                        .peer = "parent"};
	request_in(STATE_IDLE);
	for (size_t i = 0; name && i < ARRAY_LEN(renamer_deeds); i++)
		if (strcmp(name, renamer_deeds[i].name) == 0)
			renamer_deeds[i].fn();
	return 0;
}
