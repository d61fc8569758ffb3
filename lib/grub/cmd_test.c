/* SPDX-License-Identifier: MIT */
/*
 * test and [.
 *
 *     expr = { or } "-o" …,   or = { term } [ "-a" ] …
 *     term = "!" term | "(" expr ")" | word op word | "-z" word | … | word
 *
 * As GRUB has it: -a binds tighter than -o, terms without anything between
 * them are and-ed, no term at all is true, and what is missing at the end is
 * forgiven.
 */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/device.h"
#include "grub/number.h"

#include <string.h>

struct test {
	struct exec *x;
	char **v;
	size_t n;
	size_t at;
	unsigned depth;
	struct err *err;
	int fatal; /* -ERR_LIMIT once met */
};

#define TEST_DEPTH 64

static const char *word(const struct test *t, size_t ahead)
{
	return ahead < t->n - t->at ? t->v[t->at + ahead] : NULL;
}

static bool is(const char *w, const char *text)
{
	return w && strcmp(w, text) == 0;
}

static int number_cmp(const char *a, const char *b)
{
	int64_t l, r;

	(void)number_parse(a, &l);
	(void)number_parse(b, &r);
	return (l > r) - (l < r);
}

/* -pgt and -plt: the first numbers that differ. As in GRUB, none begins at the first byte. */
static int prefix_cmp(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	while (n > 1 && a[n - 1] >= '0' && a[n - 1] <= '9')
		n--;
	return number_cmp(a + n, b + n);
}

static bool stat_of(struct test *t, const char *name, struct grub_stat *st)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT, full = BUF_INIT;
	struct exec *x = t->x;
	struct err ignored;
	size_t dev;
	struct file_base base = exec_base(x);

	buf_puts(&full, name);
	if (!full.n || full.p[full.n - 1] == ')') /* a device is its root directory */
		buf_puts(&full, "/");
	if (exec_charge(x, EXEC_FILE_BYTES, t->err) < 0) {
		t->fatal = -ERR_LIMIT;
		return false;
	}
	if (file_locate(&base, buf_str(&full), &dev, &path, NULL, &ignored) < 0)
		return false;
	return x->files->ops->stat(x->files, dev, buf_str(&path), st, &ignored) == 0;
}

/* By time of change; a file that is not there is older than any. */
static bool newer(struct test *t, const char *a, const char *b, int sign)
{
	struct grub_stat sa = {.mtime = 0}, sb = {.mtime = 0};

	if (!stat_of(t, a, &sa))
		sa.mtime = 0;
	if (!stat_of(t, b, &sb))
		sb.mtime = 0;
	return (sa.mtime > sb.mtime) - (sa.mtime < sb.mtime) == sign;
}

enum op {
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
};

static bool compare(enum op op, int c)
{
	switch (op) {
	case OP_EQ:
		return c == 0;
	case OP_NE:
		return c != 0;
	case OP_LT:
		return c < 0;
	case OP_LE:
		return c <= 0;
	case OP_GT:
		return c > 0;
	default:
		return c >= 0;
	}
}

static const struct binary {
	const char *name;
	enum { BY_TEXT, BY_NUMBER, BY_PREFIX, BY_TIME } by;
	enum op op;
} binaries[] = {
        {"=", BY_TEXT, OP_EQ},     {"==", BY_TEXT, OP_EQ},     {"!=", BY_TEXT, OP_NE},
        {"<", BY_TEXT, OP_LT},     {"<=", BY_TEXT, OP_LE},     {">", BY_TEXT, OP_GT},
        {">=", BY_TEXT, OP_GE},    {"-eq", BY_NUMBER, OP_EQ},  {"-ne", BY_NUMBER, OP_NE},
        {"-lt", BY_NUMBER, OP_LT}, {"-le", BY_NUMBER, OP_LE},  {"-gt", BY_NUMBER, OP_GT},
        {"-ge", BY_NUMBER, OP_GE}, {"-pgt", BY_PREFIX, OP_GT}, {"-plt", BY_PREFIX, OP_LT},
        {"-nt", BY_TIME, OP_GT},   {"-ot", BY_TIME, OP_LT},
};

static bool binary(struct test *t, const struct binary *b, const char *l, const char *r)
{
	switch (b->by) {
	case BY_TEXT:
		return compare(b->op, strcmp(l, r));
	case BY_NUMBER:
		return compare(b->op, number_cmp(l, r));
	case BY_PREFIX:
		return compare(b->op, prefix_cmp(l, r));
	default:
		return newer(t, l, r, b->op == OP_GT ? 1 : -1);
	}
}

static const struct binary *find_binary(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(binaries); i++)
		if (strcmp(name, binaries[i].name) == 0)
			return &binaries[i];
	return NULL;
}

static bool unary(struct test *t, char op, const char *arg)
{
	struct grub_stat st;

	if (op == 'z' || op == 'n')
		return (*arg == '\0') == (op == 'z');
	if (!stat_of(t, arg, &st))
		return false;
	switch (op) {
	case 'd':
		return st.kind == GRUB_DIR;
	case 'f':
		return st.kind == GRUB_FILE;
	case 's':
		return st.kind == GRUB_FILE && st.size > 0;
	default:
		return true; /* -e */
	}
}

static bool test_or(struct test *t);

static bool test_term(struct test *t)
{
	const char *w = t->v[t->at]; /* callers have checked that there is one */
	const struct binary *b = find_binary(word(t, 1));
	bool v;

	if (b && word(t, 2)) {
		v = binary(t, b, w, word(t, 2));
		t->at += 3;
		return v;
	}
	t->at++;
	if (w[0] == '-' && w[1] && !w[2] && strchr("defszn", w[1]) && word(t, 0))
		return unary(t, w[1], t->v[t->at++]);
	if (is(w, "!") && word(t, 0) && t->depth < TEST_DEPTH) {
		t->depth++;
		v = !test_term(t);
		t->depth--;
		return v;
	}
	if (is(w, "(") && t->depth < TEST_DEPTH) {
		t->depth++;
		v = test_or(t);
		t->depth--;
		t->at += is(word(t, 0), ")");
		return v;
	}
	return *w != '\0';
}

static bool test_and(struct test *t)
{
	bool v = true;

	while (word(t, 0) && !is(word(t, 0), "-o") && !is(word(t, 0), ")")) {
		if (is(word(t, 0), "-a"))
			t->at++;
		else
			v = test_term(t) && v;
	}
	return v;
}

static bool test_or(struct test *t)
{
	bool v = test_and(t);

	while (is(word(t, 0), "-o")) {
		t->at++;
		v = test_and(t) || v;
	}
	return v;
}

int cmd_test(struct exec *x, struct grub_texts *argv, struct err *err)
{
	struct test t = {.x = x, .v = argv->v, .n = argv->n, .at = 1, .err = err};
	bool v;

	/* GRUB does not require the "]", and some of NixOS's menus lack it. */
	if (is(argv->v[0], "[") && is(argv->v[argv->n - 1], "]"))
		t.n--;
	v = test_or(&t);
	if (t.fatal < 0)
		return t.fatal;
	return v ? STATUS_OK : STATUS_FALSE;
}
