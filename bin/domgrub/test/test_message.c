/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "message.h"

static void menus(void **state)
{
	struct msg_entry e[] = {{STR("One"), false}, {STR("More"), true}};
	struct msg_menu m = {.depth = 1,
	                     .title = STR("title"),
	                     .timeout_ms = 5000,
	                     .style = 1,
	                     .default_ = 1,
	                     .output = STR("hello"),
	                     .n = 2,
	                     .entry = e};
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct msg_menu got;

	msg_menu_put(&b, &m);
	assert_ok(msg_menu_get(buf_str(&b), &got, &err), &err);
	assert_int_equal(got.depth, 1);
	assert_int_equal(got.timeout_ms, 5000);
	assert_true(str_is(got.entry[1].title, "More"));
	assert_true(got.entry[1].submenu);
	msg_menu_fini(&got);
	/* Every shorter message, and a longer one, is refused. */
	for (size_t n = 0; n < b.n; n++)
		assert_fails(msg_menu_get((struct str){b.p, n}, &got, &err), &err, ERR_FORMAT,
		             "menu");
	buf_u8(&b, 0);
	assert_fails(msg_menu_get(buf_str(&b), &got, &err), &err, ERR_FORMAT, "menu");
	buf_reset(&b);
	m.default_ = 2;
	msg_menu_put(&b, &m);
	assert_fails(msg_menu_get(buf_str(&b), &got, &err), &err, ERR_FORMAT, "menu");
	buf_reset(&b);
	m.timeout_ms = -1;
	m.n = m.default_ = 0;
	msg_menu_put(&b, &m);
	assert_ok(msg_menu_get(buf_str(&b), &got, &err), &err);
	assert_int_equal(got.timeout_ms, -1);
	msg_menu_fini(&got);
	buf_fini(&b);
}

static void plans(void **state)
{
	_free_ struct msg_plan *p = xcalloc(1, sizeof *p);
	_free_ struct msg_plan *got = xcalloc(1, sizeof *got);
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	p->kernel = STR("(hd0)/k");
	p->args = STR("a b");
	p->output = STR("");
	p->kernel_size = 1000;
	p->ramdisk_size = 1ull << 33;
	p->stored = 5000;
	p->initrds = 2;
	p->initrd[0] = STR("(hd0)/i");
	p->initrd[1] = STR("(hd0)/j");
	p->writes.n = 1;
	p->writes.v[0].at = 4096;
	memset(p->writes.v[0].data, '#', ENV_BLOCK_SIZE);
	p->writes.count = (struct msg_count){1, 1 << 20, 1 << 30, "/loader/entries/x+3.conf"};
	msg_plan_put(&b, p);
	assert_ok(msg_plan_get(buf_str(&b), got, &err), &err);
	assert_true(str_is(got->initrd[1], "(hd0)/j"));
	assert_int_equal(got->ramdisk_size, 1ull << 33);
	assert_int_equal(got->stored, 5000);
	assert_memory_equal(got->writes.v[0].data, p->writes.v[0].data, ENV_BLOCK_SIZE);
	assert_string_equal(got->writes.count.path, "/loader/entries/x+3.conf");
	assert_int_equal(got->writes.count.start, 1 << 20);
	for (size_t n = 0; n < b.n; n += 7)
		assert_fails(msg_plan_get((struct str){b.p, n}, got, &err), &err, ERR_FORMAT,
		             "plan");
	buf_reset(&b);
	msg_writes_put(&b, &p->writes);
	assert_ok(msg_writes_get(buf_str(&b), &got->writes, &err), &err);
	assert_int_equal(got->writes.n, 1);
	assert_int_equal(got->writes.v[0].at, 4096);
	assert_fails(msg_writes_get((struct str){b.p, b.n - 1}, &got->writes, &err), &err,
	             ERR_FORMAT, "writes");
	buf_fini(&b);
}

/* Only entries with a boot counter are accepted. */
static void counts(void **state)
{
	static const struct {
		const char *path;
		bool good;
	} cases[] = {
	        {"", true},
	        {"/EFI/Linux/x+3.efi", true},
	        {"/boot/loader/entries/x+0-3.conf", true},
	        {"/loader/entries/x.conf", false},
	        {"/loader/loader+3.conf", false},
	        {"/etc/x+3.conf", false},
	        {"/loader/entries/../../etc/loader/entries/x+3.conf", false},
	        {"loader/entries/x+3.conf", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_free_ struct msg_writes *w = xcalloc(1, sizeof *w);
		_free_ struct msg_writes *got = xcalloc(1, sizeof *got);
		struct buf b = BUF_INIT;
		struct err err = ERR_INIT;

		strcpy(w->count.path, cases[i].path);
		msg_writes_put(&b, w);
		if (cases[i].good) {
			assert_ok(msg_writes_get(buf_str(&b), got, &err), &err);
			assert_string_equal(got->count.path, cases[i].path);
			assert_int_equal(msg_writes_any(got), i > 0);
		} else {
			assert_fails(msg_writes_get(buf_str(&b), got, &err), &err, ERR_FORMAT,
			             "writes");
		}
		buf_fini(&b);
	}
}

static void failures(void **state)
{
	struct err sent = ERR_INIT, got = ERR_INIT;
	struct buf b = BUF_INIT;

	err_set(&sent, ERR_NOENT, "no such thing");
	msg_fail_put(&b, &sent);
	assert_fails(msg_fail_get(buf_str(&b), &got), &got, ERR_NOENT, "no such thing");
	/* A failure with the code "none" or an unknown code is refused. */
	put_le32(b.p, ERR_NONE);
	assert_fails(msg_fail_get(buf_str(&b), &got), &got, ERR_FORMAT, "without an error code");
	put_le32(b.p, 1000);
	assert_fails(msg_fail_get(buf_str(&b), &got), &got, ERR_FORMAT, "failure");
	buf_fini(&b);
}

/* Each request accepts only its own answers. */
static void sums(void **state)
{
	uint8_t got[KNOWN_SUM], sum[KNOWN_SUM + 1];
	struct err err = ERR_INIT;

	memset(sum, 0xa5, sizeof sum);
	assert_ok(msg_sum_get((struct str){(char *)sum, KNOWN_SUM}, got, &err), &err);
	assert_memory_equal(got, sum, KNOWN_SUM);
	assert_fails(msg_sum_get((struct str){(char *)sum, KNOWN_SUM - 1}, got, &err), &err,
	             ERR_FORMAT, "checksum of 31 bytes, expected 32");
	assert_fails(msg_sum_get((struct str){(char *)sum, KNOWN_SUM + 1}, got, &err), &err,
	             ERR_FORMAT, "checksum of 33 bytes, expected 32");
}

static void rules(void **state)
{
	static const struct {
		uint32_t state, type;
		bool allowed;
	} table[] = {
	        {REQ_MENU, MSG_MENU, true},     {REQ_MENU, MSG_PLAN, false},
	        {REQ_ENTER, MSG_MENU, true},    {REQ_ENTER, MSG_PLAN, true},
	        {REQ_ENTER, MSG_SIZE, false},   {REQ_AUTO, MSG_MENU, false},
	        {REQ_COPY, MSG_SIZE, true},     {REQ_COPY, MSG_PLAN, false},
	        {REQ_CHECK, MSG_DONE, true},    {REQ_CHECK, MSG_SIZE, false},
	        {REQ_CHECK, MSG_SUM, true},     {REQ_COPY, MSG_SUM, false},
	        {REQ_COUNT, MSG_DONE, true},    {REQ_COUNT, MSG_FAIL, true},
	        {REQ_COUNT, MSG_PLAN, false},   {REQ_COUNT, MSG_SIZE, false},
	        {STATE_SUMMED, MSG_SUM, false}, {STATE_SUMMED, MSG_NOTE, false},
	        {STATE_SUMMED, MSG_DONE, true}, {STATE_IDLE, MSG_NOTE, false},
	        {STATE_IDLE, MSG_DONE, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct wire w = {.rules = message_answers,
		                 .rule_count = message_answer_count,
		                 .state = table[i].state,
		                 .peer = "child"};
		struct err err = ERR_INIT;
		uint8_t head[WIRE_HEAD];
		uint32_t type, size;

		wire_head_put(head, table[i].type, 0);
		assert_int_equal(wire_head_get(&w, head, &type, &size, &err) == 0,
		                 table[i].allowed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(menus),    cmocka_unit_test(plans), cmocka_unit_test(counts),
	        cmocka_unit_test(failures), cmocka_unit_test(sums),  cmocka_unit_test(rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
