/* SPDX-License-Identifier: MIT */
#include "ui/conf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"

#define NUMBER_MAX 3600u

struct parser {
	struct conf *conf;
	const char *name;
	unsigned line;
};

static int refuse(const struct parser *p, struct str what, const char *rule, struct err *err)
{
	char shown[SHOW_SIZE];

	return err_set(err, ERR_FORMAT, "%s, line %u: \"%s\" %s", p->name, p->line,
	               show_str(what, shown), rule);
}

/* Words of the file's text, which is modified: a NUL ends each word. */
static int add_words(const struct parser *p, struct str value, const char **list, size_t *n,
                     struct err *err)
{
	while (value.p) {
		struct str word = str_trim(str_cut(&value, ' '));

		if (!word.n)
			continue;
		if (*n == CONF_LIST_MAX)
			return refuse(p, word, "is more than 64", err);
		list[*n] = word.p;
		((char *)(uintptr_t)word.p)[word.n] = '\0';
		(*n)++;
	}
	return 0;
}

static int set_number(const struct parser *p, struct str value, unsigned *out, struct err *err)
{
	uint64_t v;

	if (!str_u64(value, 10, NUMBER_MAX, &v) || v == 0)
		return refuse(p, value, "is not a number from 1 to 3600", err);
	*out = (unsigned)v;
	return 0;
}

static int set(const struct parser *p, struct str key, struct str value, struct err *err)
{
	struct conf *c = p->conf;
	const struct {
		const char *key, **text;
	} texts[] = {
	        {"cache-dir", &c->cache_dir},
	        {"netrc-file", &c->netrc},
	};
	const struct {
		const char *key;
		unsigned *number;
	} numbers[] = {
	        {"jobs", &c->jobs},
	        {"connect-timeout", &c->connect_timeout},
	        {"answer-timeout", &c->answer_timeout},
	        {"stall-timeout", &c->stall_timeout},
	        {"tries", &c->tries},
	};

	if (str_is(key, "caches"))
		return add_words(p, value, c->caches, &c->n_caches, err);
	if (str_is(key, "trusted-keys"))
		return add_words(p, value, c->keys, &c->n_keys, err);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_is(key, texts[i].key) && value.n) {
			*texts[i].text = value.p;
			((char *)(uintptr_t)value.p)[value.n] = '\0';
			return 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (str_is(key, numbers[i].key))
			return set_number(p, value, numbers[i].number, err);
	return refuse(p, key, "is no key with such a value", err);
}

int conf_parse(struct str text, const char *name, struct conf *out, struct err *err)
{
	struct conf c = {0};
	struct parser p = {.conf = &c, .name = name};
	struct str rest;
	int rc = 0;

	if (text.n > CONF_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "%s: larger than %u bytes", name, CONF_BYTES_MAX);
	c.text = xstrndup(text.p, text.n);
	rest = (struct str){c.text, strlen(c.text)};
	if (rest.n != text.n)
		rc = err_set(err, ERR_FORMAT, "%s: contains a NUL", name);
	while (rest.p && rc == 0) {
		struct str line = str_cut(&rest, '\n'), value = str_cut(&line, '#'), key;

		p.line++;
		value = str_trim(value);
		if (!value.n)
			continue;
		key = str_trim(str_cut(&value, '='));
		if (!value.p)
			rc = refuse(&p, key, "is not \"key = value\"", err);
		else
			rc = set(&p, key, str_trim(value), err);
	}
	if (rc < 0)
		conf_fini(&c);
	else
		*out = c;
	return rc;
}

int conf_load(const char *path, bool needed, struct conf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = io_read_file(AT_FDCWD, path, CONF_BYTES_MAX, &text, err);

	*out = (struct conf){0};
	if (rc == -ERR_NOENT && !needed)
		return 0;
	return rc < 0 ? rc : conf_parse(buf_str(&text), path, out, err);
}

void conf_fini(struct conf *c)
{
	free(c->text);
	*c = (struct conf){0};
}
