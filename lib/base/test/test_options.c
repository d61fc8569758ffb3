/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"

struct values {
	const char *name;
	bool on, off;
	int word, level;
	unsigned count;
	char pairs[64];
};

static int add_pair(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct values *v = to;

	strcat(v->pairs, text);
	strcat(v->pairs, ";");
	return 0;
}

static int check_short(const char *text, struct err *err)
{
	return strlen(text) < 3 ? 0 : err_set(err, ERR_USAGE, "too long");
}

static const char *const words[] = {"one", "two", "three", NULL};

#define AT(field) offsetof(struct values, field)

static const struct option_row first[] = {
        {.help = "values:"},
        {.name = "name", 'n', "TEXT", "a name", option_text, AT(name)},
        {.name = "short", 0, "TEXT", NULL, option_text, AT(name), .check = check_short},
        {.name = "on", 0, NULL, "of two\nlines", option_true, AT(on)},
        {.name = "off", 0, NULL, NULL, option_false, AT(off)},
};
static const struct option_row second[] = {
        {.name = "word", 0, "one|two|three", "a word", option_word, AT(word), .words = words},
        {.name = "quiet", 'q', NULL, "less", option_enum, AT(level), (uint64_t)-1},
        {.name = "count", 'c', "N", "how many", option_count, AT(count), 16},
        {.name = "pair", 0, "A B", "two", add_pair, .two = true},
        {.name = "help", 'h', .help = "print this help"},
};
static const struct option_group groups[] = {OPTION_GROUP(first, 0), OPTION_GROUP(second, 0)};
static const struct option_set set = {.program = "program",
                                      .intro = "usage: program\n\n",
                                      .groups = groups,
                                      .n_groups = 2,
                                      .column = 20};

/* The words of a line as argv, in a static array. */
static char **argv_of(const char *line, int *argc)
{
	static char text[256], *v[32];

	strcpy(text, line);
	*argc = 0;
	v[(*argc)++] = text;
	for (char *p = text; *p; p++)
		if (*p == ' ') {
			*p = 0;
			v[(*argc)++] = p + 1;
		}
	v[*argc] = NULL;
	return v;
}

static int read_line(const char *line, struct values *v, struct err *err)
{
	int argc;
	char **argv = argv_of(line, &argc);

	*v = (struct values){.off = true};
	return options_read(&set, argc, argv, v, err);
}

static void sets(void **state)
{
	struct err err = ERR_INIT;
	struct values v;

	assert_ok(read_line("p file -qn x --on --off --word=three -c7 --pair a b other", &v, &err),
	          &err);
	assert_string_equal(v.name, "x");
	assert_true(v.on);
	assert_false(v.off);
	assert_int_equal(v.word, 2);
	assert_int_equal(v.level, -1);
	assert_int_equal(v.count, 7);
	assert_string_equal(v.pairs, "a;b;");
	assert_int_equal(optind, 10);
}

/* --help is found before an error after it. */
static void stops(void **state)
{
	struct option_given *given;
	struct err err = ERR_INIT;
	size_t n;
	int argc;
	char **argv = argv_of("p -q --help --none", &argc);

	assert_ok(options_find(&set, argc, argv, &given, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_string_equal(given[1].row->name, "help");
	free(given);
}

static void refuses(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
	        {"p --none=3", "unknown option \"--none\"; see \"program --help\""},
	        {"p -qx", "unknown option \"-x\""},
	        {"p --o", "ambiguous option \"--o\""},
	        {"p --on=x", "option \"--on\" takes no value, got \"--on=x\""},
	        {"p --name", "option \"--name\" needs a value"},
	        {"p -n", "option \"-n\" needs a value"},
	        {"p --word four", "--word 'four': expected one, two or three"},
	        {"p -c 0", "--count '0': expected a number from 1 to 16"},
	        {"p -c 17", "--count '17': expected a number from 1 to 16"},
	        {"p --short abc", "too long"},
	        {"p --pair a", "--pair a needs two values"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct values v;

		assert_int_equal(read_line(cases[i].line, &v, &err), -ERR_USAGE);
		assert_non_null(strstr(err.text, cases[i].words));
	}
}

static void helps(void **state)
{
	struct buf text = BUF_INIT;

	options_help(&set, &text);
	buf_u8(&text, 0);
	assert_string_equal(text.p, "usage: program\n\n"
	                            "values:\n"
	                            "  -n, --name TEXT   a name\n"
	                            "      --on          of two\n"
	                            "                    lines\n"
	                            "      --word one|two|three\n"
	                            "                    a word\n"
	                            "  -q, --quiet       less\n"
	                            "  -c, --count N     how many\n"
	                            "      --pair A B    two\n"
	                            "  -h, --help        print this help\n");
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sets), cmocka_unit_test(refuses),
	                                   cmocka_unit_test(stops), cmocka_unit_test(helps)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
