/* SPDX-License-Identifier: MIT */
/*
 * From the top down: exec_text reads units, exec_list runs statements, each kind of
 * statement has its function; commands are looked up in command.c.
 */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/context.h"
#include "grub/exec.h"
#include "grub/parse.h"
#include "grub/texts.h"

#include <stdio.h>
#include <string.h>

/* Nested blocks of all active calls; bounds the stack. */
#define NESTING_MAX 256

void exec_init(struct exec *x, const struct grub_menu *menu)
{
	*x = (struct exec){.files = menu->context->files,
	                   .limits = menu->context->limits,
	                   .home = menu->dev,
	                   .file = "",
	                   .command = ""};
	env_init(&x->env, x->limits);
}

void exec_fini(struct exec *x)
{
	env_fini(&x->env);
	grub_boot_fini(&x->boot);
	grub_menu_free(take(&x->next));
}

int exec_charge(struct exec *x, size_t bytes, struct err *err)
{
	x->steps += 1 + bytes / 256;
	if (x->steps > x->limits->steps)
		return err_set(err, ERR_LIMIT, "%s:%u: the script runs for more than %zu steps",
		               x->file, x->line, x->limits->steps);
	return 0;
}

static void __attribute__((format(printf, 2, 0))) warn(struct exec *x, const char *fmt, va_list ap)
{
	struct grub_texts *t = &x->boot.warnings;
	char text[512];
	int n;

	if (t->n >= x->limits->warnings)
		return;
	n = snprintf(text, sizeof text, "%s:%u: %s%s", x->file, x->line, x->command,
	             *x->command ? ": " : "");
	if (n >= 0 && (size_t)n < sizeof text)
		vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
	texts_add(t, str_from(text));
}

void exec_warn(struct exec *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	warn(x, fmt, ap);
	va_end(ap);
}

int exec_fail(struct exec *x, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	warn(x, fmt, ap);
	va_end(ap);
	return status;
}

void exec_print(struct exec *x, struct str text)
{
	size_t left = x->limits->output - MIN(x->boot.output.n, x->limits->output);

	buf_put(&x->boot.output, text.p, MIN(text.n, left));
}

int exec_set(struct exec *x, const char *name, struct str value, struct err *err)
{
	return env_set(&x->env, str_from(name), value, err);
}

int exec_call(struct exec *x, const struct env_function *f, const struct grub_texts *argv,
              struct err *err)
{
	_cleanup_(script_putp) struct script *script = script_ref(f->script);
	_cleanup_(texts_fini) struct grub_texts args = {0};
	struct grub_texts *outer = x->args;
	unsigned loops = x->loops, line = x->line;
	const char *file = x->file;
	int rc;

	if (x->calls >= x->limits->calls)
		return err_set(err, ERR_LIMIT, "%s:%u: calls nested deeper than %zu", x->file,
		               x->line, x->limits->calls);
	for (size_t i = 1; i < argv->n; i++)
		texts_add(&args, str_from(argv->v[i]));
	x->calls++;
	x->args = &args;
	x->file = script->source->file;
	x->loops = 0;
	rc = exec_list(x, script, f->body, err); /* the function may redefine itself */
	x->calls--;
	x->args = outer;
	x->file = file;
	x->line = line;
	x->loops = loops;
	if (x->flow == FLOW_RETURN)
		x->flow = FLOW_ON;
	return rc;
}

/* A word that is neither a function nor a command: "name=value", or unknown. */
static int exec_unknown(struct exec *x, struct str word, struct err *err)
{
	struct str value = word, name = str_cut(&value, '=');

	if (value.p)
		return env_set(&x->env, name, value, err);
	x->command = "";
	return exec_fail(x, STATUS_UNKNOWN_COMMAND, "unknown command \"%.*s\"", STR_ARG(word));
}

static int run_words(struct exec *x, struct grub_texts *argv, struct err *err)
{
	struct str name = str_from(argv->v[0]);
	const struct command *cmd = command_find(name);
	const struct env_function *f;
	int rc;

	if (cmd) {
		x->command = cmd->name;
		return cmd->run(x, argv, err);
	}
	f = env_function(&x->env, name);
	if (!f)
		return exec_unknown(x, name, err);
	rc = exec_call(x, f, argv, err);
	return rc < 0 ? rc : x->status;
}

/* "time command": only runs it. */
int cmd_time(struct exec *x, struct grub_texts *argv, struct err *err)
{
	if (argv->n < 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a command is missing");
	if (exec_charge(x, 0, err) < 0)
		return -ERR_LIMIT;
	free(argv->v[0]);
	memmove(argv->v, argv->v + 1, --argv->n * sizeof *argv->v);
	return run_words(x, argv, err);
}

/* "! command": run argv without the "!" and invert its status. */
static int run_inverted(struct exec *x, struct grub_texts *argv, struct err *err)
{
	int rc;

	if (argv->n < 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a ! without a command");
	free(argv->v[0]);
	memmove(argv->v, argv->v + 1, --argv->n * sizeof *argv->v);
	rc = run_words(x, argv, err);
	return rc < 0 ? rc : rc == 0 ? STATUS_FALSE : STATUS_OK;
}

/* To any other command a block is one more word. */
static bool takes_block(const char *command)
{
	return strcmp(command, "menuentry") == 0 || strcmp(command, "submenu") == 0;
}

static int exec_command(struct exec *x, const struct node *n, struct err *err)
{
	_cleanup_(texts_fini) struct grub_texts argv = {0};
	struct str block = x->block;
	int rc = expand_words(x, n->words, &argv, err);

	if (rc < 0)
		return rc;
	x->before = x->status;
	x->status = STATUS_OK;
	if (!argv.n)
		return 0;
	x->block = n->has_block ? n->block : (struct str){NULL, 0};
	if (n->has_block && !takes_block(argv.v[0]))
		texts_give(&argv, xasprintf("{%.*s}", STR_ARG(n->block)));
	x->command = "";
	if (strcmp(argv.v[0], "!") == 0)
		rc = run_inverted(x, &argv, err);
	else
		rc = run_words(x, &argv, err);
	x->block = block;
	if (rc < 0)
		return rc;
	x->status = rc;
	return 0;
}

/* Run conditions; *met says whether the last succeeded. */
static int exec_cond(struct exec *x, struct script *s, const struct node *cond, bool *met,
                     struct err *err)
{
	int rc = exec_list(x, s, cond, err);

	*met = x->status == STATUS_OK && x->flow == FLOW_ON;
	return rc;
}

static int exec_if(struct exec *x, struct script *s, const struct node *n, struct err *err)
{
	for (const struct clause *c = n->clauses; c; c = c->next) {
		bool met = true;
		int rc = c->cond ? exec_cond(x, s, c->cond, &met, err) : 0;

		if (rc < 0 || x->flow != FLOW_ON)
			return rc;
		if (met)
			return exec_list(x, s, c->body, err);
	}
	x->status = STATUS_OK;
	return 0;
}

/* After a turn of a loop: does it go on? Consumes a break or continue meant for it. */
static bool loop_on(struct exec *x)
{
	bool more;

	if (x->flow != FLOW_BREAK && x->flow != FLOW_CONTINUE)
		return x->flow == FLOW_ON;
	if (--x->levels)
		return false; /* meant for an outer loop */
	more = x->flow == FLOW_CONTINUE;
	x->flow = FLOW_ON;
	return more;
}

static int exec_for(struct exec *x, struct script *s, const struct node *n, struct err *err)
{
	_cleanup_(texts_fini) struct grub_texts list = {0};
	int rc = expand_words(x, n->words, &list, err);

	x->status = STATUS_OK;
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		rc = env_set(&x->env, n->name, str_from(list.v[i]), err);
		x->loops++;
		if (rc == 0)
			rc = exec_list(x, s, n->body, err);
		x->loops--;
		if (!loop_on(x))
			break;
	}
	return rc;
}

static int exec_while(struct exec *x, struct script *s, const struct node *n, struct err *err)
{
	bool met = false, more = true;
	int rc = 0;

	while (rc == 0 && more) {
		rc = exec_charge(x, 0, err);
		if (rc == 0)
			rc = exec_cond(x, s, n->clauses->cond, &met, err);
		if (rc < 0 || x->flow != FLOW_ON || met != (n->kind == NODE_WHILE))
			return rc;
		x->loops++;
		rc = exec_list(x, s, n->clauses->body, err);
		x->loops--;
		more = loop_on(x);
	}
	return rc;
}

static int exec_node(struct exec *x, struct script *s, const struct node *n, struct err *err)
{
	switch (n->kind) {
	case NODE_IF:
		return exec_if(x, s, n, err);
	case NODE_FOR:
		return exec_for(x, s, n, err);
	case NODE_WHILE:
	case NODE_UNTIL:
		return exec_while(x, s, n, err);
	case NODE_FUNCTION:
		return 0;
	default:
		return exec_command(x, n, err);
	}
}

int exec_list(struct exec *x, struct script *script, const struct node *list, struct err *err)
{
	int rc = 0;

	if (x->nesting >= NESTING_MAX)
		return err_set(err, ERR_LIMIT, "%s:%u: more than %d blocks and calls open", x->file,
		               x->line, NESTING_MAX);
	x->nesting++;
	for (; rc == 0 && list && x->flow == FLOW_ON; list = list->next) {
		x->line = list->line;
		rc = exec_charge(x, 0, err);
		if (rc == 0)
			rc = exec_node(x, script, list, err);
	}
	x->nesting--;
	return rc;
}

/* Functions are defined when parsed, before anything in their unit runs. */
static int define_functions(struct exec *x, struct script *s, struct err *err)
{
	int rc = 0;

	for (const struct node *n = s->first; rc == 0 && n; n = n->next)
		if (n->kind == NODE_FUNCTION)
			rc = env_define(&x->env, s, n, err);
	return rc;
}

static int exec_units(struct exec *x, struct parser *ps, bool strict, struct err *err)
{
	for (;;) {
		_cleanup_(script_putp) struct script *script = NULL;
		int rc = parse_next(ps, &script, err);

		if (rc == 1)
			return 0;
		if (rc == -ERR_FORMAT && !strict) {
			x->command = "";
			x->line = ps->lex.token_line;
			exec_warn(x, "%s", err->text);
			continue;
		}
		if (rc < 0)
			return err_prefix(err, "%s", x->file);
		rc = define_functions(x, script, err);
		if (rc == 0)
			rc = exec_list(x, script, script->first, err);
		if (rc < 0 || x->flow != FLOW_ON)
			return rc;
	}
}

int exec_text(struct exec *x, const char *file, struct str text, bool strict, struct err *err)
{
	_cleanup_(parse_fini) struct parser ps;
	const char *outer = x->file;
	unsigned line = x->line;
	int rc;

	parse_init(&ps, file, text, x->limits);
	x->file = file;
	rc = exec_units(x, &ps, strict, err);
	x->file = outer;
	x->line = line;
	return rc;
}
