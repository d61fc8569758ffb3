/* SPDX-License-Identifier: MIT */
/* Using a menu: find an entry, edit it, boot the default, run a command line; and limits. */
#include "base/mem.h"
#include "base/test/test.h"
#include "grub/test/fake.h"

#include <stdio.h>
#include <string.h>

static const char disks[] = "@device hd0 ext2 u l\n"
                            "@touch /vmlinuz\n"
                            "@touch /initrd\n"
                            "@env /grub/grubenv\n"
                            "v=1\n"
                            "@file /grub/sub.cfg\n"
                            "menuentry deep { linux /vmlinuz deep; }\n";

static const char config[] = "set default=1\n"
                             "menuentry One --id first { linux /vmlinuz one; initrd /initrd; }\n"
                             "menuentry Two { linux /vmlinuz two $1; }\n"
                             "submenu Three --id third {\n"
                             "menuentry 'a>b' { linux /vmlinuz ab; }\n"
                             "menuentry 7 { linux /vmlinuz seven; }\n"
                             "}\n"
                             "menuentry 2024 { linux /gone; }\n"
                             "menuentry Cfg { configfile /grub/sub.cfg }\n";

struct world {
	struct fake f;
	struct grub_menu *m;
	struct grub_boot boot;
	struct err err;
};

static void open_world(struct world *w, const char *text, const struct grub_limits *limits,
                       int want)
{
	*w = (struct world){.m = NULL};
	fake_init(&w->f, str_from(disks));
	assert_int_equal(
	        grub_menu_parse(&w->f.files, limits, GRUB_SCRIPT, str_from(text), &w->m, &w->err),
	        want);
}

static void close_world(struct world *w)
{
	grub_boot_fini(&w->boot);
	grub_menu_free(w->m);
	fake_fini(&w->f);
}

static void finding(void **state)
{
	static const struct {
		const char *spec;
		int entry; /* -1: none */
		const char *rest;
	} cases[] = {
	        {"0", 0, NULL},      {"3", 3, NULL},     {"One", 0, NULL},    {"first", 0, NULL},
	        {"Two", 1, NULL},    {"third", 2, NULL}, {"Three>1", 2, "1"}, {"2>a>>b", 2, "a>>b"},
	        {"1 x", 1, NULL},    {"2024", 3, NULL},  {"5", -1, NULL},     {"-1", -1, NULL},
	        {"one", -1, NULL},   {"", -1, NULL},     {">1", -1, NULL},    {"Two>>", -1, NULL},
	        {"Three>", 2, NULL},
	};
	struct world w;

	open_world(&w, config, &grub_limits_default, 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str rest;
		size_t entry = 99;
		int rc = grub_menu_find(w.m, str_from(cases[i].spec), &entry, &rest, &w.err);

		if (cases[i].entry < 0) {
			assert_int_equal(rc, -ERR_NOENT);
			continue;
		}
		if (rc < 0 || entry != (size_t)cases[i].entry)
			fail_msg("%s: %d %zu", cases[i].spec, rc, entry);
		if (cases[i].rest)
			assert_true(str_is(rest, cases[i].rest));
		else
			assert_null(rest.p);
	}
	assert_int_equal(grub_menu_default(w.m), 1);
	close_world(&w);
}

static void by_itself(void **state)
{
	static const struct {
		const char *spec, *args; /* args NULL: an error */
	} cases[] = {
	        {NULL, "two Two"},    {"first", "one"},   {"2", "ab"},     {"third>a>>b", "ab"},
	        {"Three>1", "seven"}, {"2>7", "seven"},   {"4", "deep"},   {"Cfg>0", "deep"},
	        {"nosuch", NULL},     {"2>nosuch", NULL}, {"One>x", NULL}, {"2024", NULL},
	        {"2>9", NULL},
	};
	struct world w;

	open_world(&w, config, &grub_limits_default, 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str spec = {NULL, 0};
		int rc;

		if (cases[i].spec)
			spec = str_from(cases[i].spec);
		rc = grub_menu_auto(w.m, spec, &w.boot, &w.err);
		if ((rc == 0) != (cases[i].args != NULL))
			fail_msg("%s: %d %s", cases[i].spec, rc, w.err.text);
		if (rc == 0)
			assert_string_equal(w.boot.args, cases[i].args);
	}
	close_world(&w);
}

static void editing(void **state)
{
	struct grub_menu *next = NULL;
	struct world w;

	open_world(&w, config, &grub_limits_default, 0);
	assert_string_equal(w.m->entries[0].body, " linux /vmlinuz one; initrd /initrd;\n");
	assert_ok(
	        grub_menu_enter(w.m, 0, STR("linux /vmlinuz edited $1\n"), &w.boot, &next, &w.err),
	        &w.err);
	assert_string_equal(w.boot.args, "edited One");
	assert_int_equal(w.boot.initrd_count, 0);
	assert_fails(grub_menu_enter(w.m, 0, STR("linux /vmlinuz }"), &w.boot, &next, &w.err),
	             &w.err, ERR_FORMAT, "unexpected \"}\"");
	assert_fails(grub_menu_enter(w.m, 0, STR(""), &w.boot, &next, &w.err), &w.err, ERR_FORMAT,
	             "loads no kernel");
	/* Variables set by one attempt do not exist in the next. */
	assert_ok(grub_menu_enter(w.m, 0, STR("x=1; linux /vmlinuz $x"), &w.boot, &next, &w.err),
	          &w.err);
	assert_ok(grub_menu_enter(w.m, 0, STR("linux /vmlinuz \"<$x>\""), &w.boot, &next, &w.err),
	          &w.err);
	assert_string_equal(w.boot.args, "<>");
	close_world(&w);
}

static void command_line(void **state)
{
	static const struct {
		const char *line, *out;
		int rc;
	} lines[] = {
	        {"echo $default", "1\n", 0},
	        {"x=5", "", 0},
	        {"echo $x; ls; ls /", "5\n(hd0)\ngrub initrd vmlinuz\n", 0},
	        {"nosuch", "error: line:1: unknown command \"nosuch\"\n", 0},
	        {"if", "error: line: line 1: the text ends where a command should begin\n", 0},
	        {"boot", "error: line:1: boot: no kernel is loaded\n", 0},
	        {"load_env; echo $v", "1\n", 0},
	        {"cat /grub/sub.cfg", "menuentry deep { linux /vmlinuz deep; }\n", 0},
	        {"configfile /grub/sub.cfg", "", 2},
	        {"linux /vmlinuz by hand", "", 0},
	        {"initrd /initrd", "", 0},
	        {"boot", "", 1},
	};
	struct grub_shell *sh;
	struct world w;

	open_world(&w, config, &grub_limits_default, 0);
	sh = grub_shell_new(w.m);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		_cleanup_(grub_menu_freep) struct grub_menu *next = NULL;
		_cleanup_(buf_fini) struct buf out = BUF_INIT;
		int rc = grub_shell_line(sh, str_from(lines[i].line), &out, &w.boot, &next, &w.err);

		if (rc != lines[i].rc || !str_is(buf_str(&out), lines[i].out))
			fail_msg("%s: %d %s", lines[i].line, rc, out.p ? out.p : "");
		assert_int_equal(rc == 2, next != NULL);
	}
	assert_string_equal(w.boot.args, "by hand");
	assert_int_equal(w.boot.initrd_count, 1);
	grub_shell_free(sh);
	close_world(&w);
}

static const struct grub_limits small = {
        .config = 1024,
        .steps = 500,
        .tree = 6000,
        .nesting = 8,
        .calls = 4,
        .value = 256,
        .memory = 40000,
        .words = 8,
        .entries = 3,
        .initrds = 2,
        .output = 16,
        .warnings = 2,
        .names = 8,
};

/* Scripts that exceed a limit, and the error message. */
static void limits(void **state)
{
	static const struct {
		const char *script, *words;
	} cases[] = {
	        {"while true; do true; done", "500 steps"},
	        {"until false; do x=1; done", "500 steps"},
	        {"function f { f; }; f", "calls nested deeper"},
	        {"eval 'eval \"eval eval eval eval x\"'", "calls nested deeper"},
	        {"x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done", "256 bytes"},
	        {"s=1234567890123456789012345678901234567890; s=$s$s$s$s; a=$s; b=$s; c=$s; d=$s; "
	         "e=$s; "
	         "f=$s; g=$s; h=$s; i=$s; j=$s; k=$s; l=$s; m=$s; n=$s; o=$s; p=$s; q=$s; r=$s; "
	         "t=$s",
	         "40000 bytes"},
	        {"echo 1 2 3 4 5 6 7 8 9", "8 words"},
	        {"x='1 2 3 4 5 6 7 8 9'; echo $x", "8 words"},
	        {"if true; then if true; then if true; then if true; then if true; then if true; "
	         "then if "
	         "true; then if true; then if true; then true; fi; fi; fi; fi; fi; fi; fi; fi; fi",
	         "blocks nested deeper than 8"},
	        {"true; true; true; true; true; true; true; true; true; true; true; true; true; "
	         "true; true; true; true; true; true; true; true; true; true; true; true; true; "
	         "true; true; true; true; true; true; true; true; true; true; true; true; true; "
	         "true; true; true; true; true; true; true; true; true",
	         "more than 6000 bytes"},
	        {"menuentry a { true; }; menuentry a { true; }; menuentry a { true; }; menuentry a "
	         "{ true; }",
	         "more than 3 entries"},
	};
	struct world w;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		open_world(&w, cases[i].script, &small, -ERR_LIMIT);
		if (!strstr(w.err.text, cases[i].words))
			fail_msg("%s: %s", cases[i].script, w.err.text);
		close_world(&w);
	}
}

/* Limits that only truncate output and warnings, or make one entry fail. */
static void limits_survived(void **state)
{
	struct world w;

	open_world(&w,
	           "echo 1234567890; echo 1234567890; a; b; c; d; menuentry x { linux /vmlinuz; "
	           "initrd /initrd /initrd /initrd; }",
	           &small, 0);
	assert_int_equal(w.m->output.n, 16);
	assert_int_equal(w.m->warnings.n, 2);
	assert_fails(grub_menu_auto(w.m, (struct str){NULL, 0}, &w.boot, &w.err), &w.err, ERR_LIMIT,
	             "3 initrd files, more than the limit of 2");
	close_world(&w);
}

/* Nested blocks and calls: the stack must suffice for the deepest nesting allowed. */
static void depth(void **state)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct world w;

	buf_puts(&text, "function f { ");
	for (int i = 0; i < 50; i++)
		buf_puts(&text, "if true; then ");
	buf_puts(&text, "eval f; ");
	for (int i = 0; i < 50; i++)
		buf_puts(&text, "fi; ");
	buf_puts(&text, "}\nf\n");
	open_world(&w, text.p, &grub_limits_default, -ERR_LIMIT);
	assert_non_null(strstr(w.err.text, "blocks and calls open"));
	close_world(&w);
}

/* A guest's menu may load itself. */
static void endless_menus(void **state)
{
	static const char text[] = "submenu a { configfile /grub/grub.cfg }\n"
	                           "menuentry b { configfile /grub/grub.cfg; }\n";
	_cleanup_(buf_fini) struct buf guest = BUF_INIT;
	struct grub_menu *m = NULL;
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct err err = ERR_INIT;
	struct fake f;

	buf_putf(&guest, "@device hd0 ext2 u l\n@file /grub/grub.cfg\n%s", text);
	fake_init(&f, buf_str(&guest));
	assert_ok(grub_menu_probe(&f.files, &grub_limits_default, &m, &err), &err);
	assert_fails(grub_menu_auto(m, (struct str){NULL, 0}, &boot, &err), &err, ERR_LIMIT,
	             "menus nested deeper");
	grub_boot_fini(&boot);
	grub_menu_free(m);
	fake_fini(&f);
}

static void guessing(void **state)
{
	assert_int_equal(grub_menu_guess(STR("# x\nset timeout=5\nmenuentry a {\n}\n")),
	                 GRUB_SCRIPT);
	assert_int_equal(grub_menu_guess(STR("default=0\ntimeout=5\ntitle a\n")), GRUB_LEGACY);
	assert_int_equal(grub_menu_guess(STR("DEFAULT a\nTIMEOUT 5\nLABEL a\n")), GRUB_EXTLINUX);
	assert_int_equal(grub_menu_guess(STR("default a\n label a\n")), GRUB_EXTLINUX);
	assert_int_equal(grub_menu_guess(STR("")), GRUB_SCRIPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(finding),  cmocka_unit_test(by_itself),
	        cmocka_unit_test(editing),  cmocka_unit_test(command_line),
	        cmocka_unit_test(limits),   cmocka_unit_test(limits_survived),
	        cmocka_unit_test(depth),    cmocka_unit_test(endless_menus),
	        cmocka_unit_test(guessing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
