/* SPDX-License-Identifier: MIT */
/* Commands of the language itself: variables, flow, parameters, text. */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/texts.h"

#include <limits.h>
#include <string.h>

int cmd_nothing(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return STATUS_OK;
}

int cmd_false(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return STATUS_FALSE;
}

/* Commands of GRUB that domgrub lacks on purpose. The script goes on. */
int cmd_unsupported(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return exec_fail(x, STATUS_UNSUPPORTED, "not supported by domgrub");
}

static void print_var(struct exec *x, const struct env_var *v)
{
	_cleanup_(buf_fini) struct buf line = BUF_INIT;

	buf_putf(&line, "%s=%s\n", v->name, v->value ? v->value : "");
	exec_print(x, buf_str(&line));
}

int cmd_set(struct exec *x, struct grub_texts *argv, struct err *err)
{
	struct str value, name;

	if (argv->n < 2) {
		if (exec_charge(x, x->env.memory, err) < 0)
			return -ERR_LIMIT;
		for (size_t i = 0; i < x->env.n; i++)
			if (x->env.vars[i].value)
				print_var(x, &x->env.vars[i]);
		return STATUS_OK;
	}
	value = str_from(argv->v[1]);
	name = str_cut(&value, '=');
	if (!value.p)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "not an assignment: %s", argv->v[1]);
	return env_set(&x->env, name, value, err);
}

int cmd_unset(struct exec *x, struct grub_texts *argv, struct err *err)
{
	if (argv->n < 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a variable's name is missing");
	env_unset(&x->env, str_from(argv->v[1])); /* GRUB takes the first only */
	return STATUS_OK;
}

int cmd_export(struct exec *x, struct grub_texts *argv, struct err *err)
{
	int rc = 0;

	if (argv->n < 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a variable's name is missing");
	for (size_t i = 1; rc == 0 && i < argv->n; i++)
		rc = env_export(&x->env, str_from(argv->v[i]), err);
	return rc;
}

/* Fedora's GRUB: count a variable up or down, as a boot counter. */
static int count(struct exec *x, struct grub_texts *argv, int step, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	uint64_t v;

	if (argv->n != 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a variable's name is missing");
	if (!str_u64(exec_get(x, argv->v[1]), 10, INT_MAX, &v))
		return exec_fail(x, STATUS_BAD_ARGUMENT, "%s is not a number", argv->v[1]);
	buf_putf(&text, "%d", v == 0 && step < 0 ? 0 : (int)((int64_t)v + step));
	return exec_set(x, argv->v[1], buf_str(&text), err);
}

int cmd_increment(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return count(x, argv, 1, err);
}

int cmd_decrement(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return count(x, argv, -1, err);
}

/* The number that break, continue, shift and return take: 0 or a status. */
static int number(struct exec *x, const struct grub_texts *argv, unsigned missing, unsigned *out)
{
	uint64_t v = missing;

	if (argv->n > 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "one number expected");
	if (argv->n > 1 && !str_u64(str_from(argv->v[1]), 10, INT_MAX, &v))
		return exec_fail(x, STATUS_BAD_NUMBER, "not a number: %s", argv->v[1]);
	*out = (unsigned)v;
	return STATUS_OK;
}

static int leave(struct exec *x, struct grub_texts *argv, enum exec_flow flow)
{
	unsigned levels = 1;
	int status = number(x, argv, 1, &levels);

	if (status)
		return status;
	if (!levels)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "of 0 loops");
	if (x->loops) {
		x->levels = MIN(levels, x->loops);
		x->flow = flow;
	}
	return STATUS_OK;
}

int cmd_break(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return leave(x, argv, FLOW_BREAK);
}

int cmd_continue(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return leave(x, argv, FLOW_CONTINUE);
}

int cmd_return(struct exec *x, struct grub_texts *argv, struct err *err)
{
	unsigned status = 0;
	int rc;

	if (!x->args)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "not in a function or entry");
	rc = number(x, argv, (unsigned)x->before, &status);
	if (rc)
		return rc;
	x->flow = FLOW_RETURN;
	return (int)status;
}

int cmd_shift(struct exec *x, struct grub_texts *argv, struct err *err)
{
	struct grub_texts *args = x->args;
	unsigned n = 0;
	int rc;

	if (!args)
		return STATUS_OK;
	rc = number(x, argv, 1, &n);
	if (rc)
		return rc;
	if (n > args->n)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "%s is more than the %zu parameters",
		                 argv->n > 1 ? argv->v[1] : "1", args->n);
	for (unsigned i = 0; i < n; i++)
		free(args->v[i]);
	args->n -= n;
	if (args->n)
		memmove(args->v, args->v + n, args->n * sizeof *args->v);
	return STATUS_OK;
}

int cmd_setparams(struct exec *x, struct grub_texts *argv, struct err *err)
{
	if (!x->args)
		return STATUS_BAD_ARGUMENT;
	texts_fini(x->args);
	for (size_t i = 1; i < argv->n; i++)
		texts_add(x->args, str_from(argv->v[i]));
	return STATUS_OK;
}

int cmd_exit(struct exec *x, struct grub_texts *argv, struct err *err)
{
	x->flow = FLOW_EXIT;
	return STATUS_OK;
}

int cmd_eval(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc;

	if (x->calls >= x->limits->calls)
		return err_set(err, ERR_LIMIT, "%s:%u: calls nested deeper than %zu", x->file,
		               x->line, x->limits->calls);
	texts_join(argv, 1, &text);
	rc = exec_charge(x, text.n, err);
	if (rc < 0)
		return rc;
	x->status = STATUS_OK;
	x->calls++;
	rc = exec_text(x, x->file, buf_str(&text), false, err);
	x->calls--;
	return rc < 0 ? rc : x->status;
}

/* \a \b … of "echo -e"; -1: no such escape. */
static int escape_of(char c)
{
	static const char from[] = "\\abfnrtv", to[] = "\\\a\b\f\n\r\t\v";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : -1;
}

/* An unknown escape is dropped. */
static void unescape(const char *s, struct buf *out)
{
	for (; *s; s++) {
		int c = *s == '\\' ? escape_of(s[1]) : (unsigned char)*s;

		if (*s == '\\' && s[1])
			s++;
		if (c >= 0)
			buf_u8(out, (uint8_t)c);
	}
}

/* Bits: 1 for "-n", 2 for "-e", 3 for both in one word; 0: not an option of echo. */
static unsigned echo_option(const char *s)
{
	unsigned got = 0;

	if (*s != '-')
		return 0;
	for (s++; *s; s++) {
		if (*s != 'n' && *s != 'e')
			return 0;
		got |= *s == 'n' ? 1 : 2;
	}
	return got;
}

int cmd_echo(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	unsigned got = 0, more;
	size_t i = 1;

	while (i < argv->n && (more = echo_option(argv->v[i]))) {
		got |= more;
		i++;
	}
	if (i < argv->n && strcmp(argv->v[i], "--") == 0)
		i++;
	for (size_t first = i; i < argv->n; i++) {
		if (i > first)
			buf_puts(&text, " ");
		if (got & 2)
			unescape(argv->v[i], &text);
		else
			buf_puts(&text, argv->v[i]);
	}
	if (!(got & 1))
		buf_puts(&text, "\n");
	exec_print(x, buf_str(&text));
	return STATUS_OK;
}

int cmd_gettext(struct exec *x, struct grub_texts *argv, struct err *err)
{
	if (argv->n != 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "one argument expected");
	exec_print(x, str_from(argv->v[1]));
	return STATUS_OK;
}

/* Scripts choose kernels by the answer: every Xen host has 64 bits and PAE. */
int cmd_cpuid(struct exec *x, struct grub_texts *argv, struct err *err)
{
	static const char *const yes[] = {"-l", "--long-mode", "-p", "--pae"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (argv->n > 1 && strcmp(argv->v[1], yes[i]) == 0)
			return STATUS_OK;
	return argv->n > 1 ? STATUS_FALSE : STATUS_OK;
}
