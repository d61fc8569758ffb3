/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "cache/netrc.h"

static const char file[] = "# machine comment login x password y\n"
                           "machine Cache.Example.org\n"
                           "  login alice\n"
                           "  password secret # the rest is a comment\n"
                           "machine two login bob account z password b1 machine two login carol "
                           "password c1\n"
                           "macdef init\n"
                           "machine macro login m password m\n"
                           "\n"
                           "machine quoted login \"a b\" password \"q\\\"\\t\\\\\"\n"
                           "machine token login t0ken\n"
                           "machine bare password only\n"
                           "machine ::1 login six password p6\n";

static void finds(void **state)
{
	static const struct {
		const char *url, *user, *password;
	} cases[] = {
	        {"https://cache.example.org/a/b", "alice", "secret"},
	        {"https://CACHE.example.org:8080", "alice", "secret"},
	        {"http://alice@cache.example.org/", "alice", "secret"},
	        {"http://mallory@cache.example.org/", NULL, NULL},
	        {"http://x:y@cache.example.org/", NULL, NULL},
	        {"http://two/", "bob", "b1"},
	        {"http://carol@two/", "carol", "c1"},
	        {"http://c%61rol@two/", "carol", "c1"},
	        {"http://macro/", NULL, NULL},
	        {"http://comment/", NULL, NULL},
	        {"http://quoted/?x", "a b", "q\"\t\\"},
	        {"http://token#x", "t0ken", ""},
	        {"http://bare", "", "only"},
	        {"http://[::1]:80/", "six", "p6"},
	        {"http://[::1/", NULL, NULL},
	        {"http://[::1]x/", NULL, NULL},
	        /* Other parsers might find another host. */
	        {"http://evil#@two/", NULL, NULL},
	        {"http://evil\\@two/", NULL, NULL},
	        {"http://a@b@two/", NULL, NULL},
	        {"http://two:80x/", NULL, NULL},
	        {"http://two evil/", NULL, NULL},
	        {"http:///two/", NULL, NULL},
	        {"two", NULL, NULL},
	        {"", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *user, *password;

		netrc_for_url(STR(file), str_from(cases[i].url), &user, &password);
		if (cases[i].user ? !user || strcmp(user, cases[i].user) ||
		                            strcmp(password, cases[i].password)
		                  : user != NULL)
			fail_msg("%s: %s, %s", cases[i].url, user ? user : "none",
			         password ? password : "none");
		free(user);
		free(password);
	}
}

static void falls_back(void **state)
{
	char *user, *password;

	netrc_for_url(STR("machine a login x password y\ndefault login d password e"),
	              STR("http://other/"), &user, &password);
	assert_string_equal(user, "d");
	assert_string_equal(password, "e");
	free(user);
	free(password);
	netrc_for_url(STR("machine"), STR("http://other/"), &user, &password);
	assert_null(user);
	netrc_for_url((struct str){NULL, 0}, STR("http://other/"), &user, &password);
	assert_null(user);
	netrc_for_url(STR("machine other login \"x"), STR("http://other/"), &user, &password);
	assert_string_equal(user, "x");
	free(user);
	free(password);
}

static void follows(void **state)
{
	static const struct {
		const char *from, *to, *user, *password;
	} cases[] = {
	        {"http://u:p%40@a/x", "http://a/y", "u", "p@"},
	        {"http://u:p@a/x", "http://A:80/y", "u", "p"},
	        {"http://u:p@a/x", "http://a:81/y", NULL, NULL},
	        {"http://u:p@a/x", "https://a/y", NULL, NULL},
	        {"http://u:p@a/x", "http://b/y", NULL, NULL},
	        {"http://u:p@a/x", "http://v:q@a/y", NULL, NULL},
	        {"http://u:p@a/x", "http://two/y", "bob", "b1"},
	        {"http://u:p@two/x", "http://two/y", "u", "p"},
	        {"http://two/x", "https://two/y", "bob", "b1"},
	        {"http://two/x", "file://two/y", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *user, *password;

		netrc_for_redirect(STR(file), str_from(cases[i].from), str_from(cases[i].to), &user,
		                   &password);
		if (cases[i].user ? !user || strcmp(user, cases[i].user) ||
		                            strcmp(password, cases[i].password)
		                  : user != NULL)
			fail_msg("%s to %s: %s", cases[i].from, cases[i].to, user ? user : "none");
		free(user);
		free(password);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(finds),
	        cmocka_unit_test(falls_back),
	        cmocka_unit_test(follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
