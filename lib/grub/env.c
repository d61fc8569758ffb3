/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/env.h"
#include "grub/texts.h"

#include <string.h>

void env_init(struct env *env, const struct grub_limits *limits)
{
	*env = (struct env){.memory_max = limits->memory};
}

void env_fini(struct env *env)
{
	for (size_t i = 0; i < env->n; i++) {
		free(env->vars[i].name);
		free(env->vars[i].value);
	}
	for (size_t i = 0; i < env->function_n; i++) {
		free(env->functions[i].name);
		script_put(env->functions[i].script);
	}
	free(env->vars);
	free(env->functions);
	*env = (struct env){0};
}

void env_copy(struct env *to, const struct env *from, bool exported_only)
{
	*to = (struct env){.memory_max = from->memory_max};
	to->vars = xcalloc(from->n, sizeof *to->vars);
	to->cap = from->n;
	for (size_t i = 0; i < from->n; i++) {
		const struct env_var *v = &from->vars[i];

		if (exported_only && !v->exported)
			continue;
		to->vars[to->n++] = (struct env_var){
		        xstrdup(v->name), v->value ? xstrdup(v->value) : NULL, v->exported};
	}
	to->functions = xcalloc(from->function_n, sizeof *to->functions);
	to->function_cap = from->function_n;
	for (size_t i = 0; i < from->function_n; i++) {
		const struct env_function *f = &from->functions[i];

		to->functions[to->function_n++] =
		        (struct env_function){xstrdup(f->name), script_ref(f->script), f->body};
	}
	to->memory = from->memory;
}

static struct str name_of(const void *var)
{
	return str_from(((const struct env_var *)var)->name);
}

/* The index of a name, or where to insert it. */
static size_t place(const struct env *env, struct str name, bool *found)
{
	return str_place(env->vars, env->n, sizeof *env->vars, name_of, name, found);
}

struct str env_get(const struct env *env, struct str name)
{
	bool found;
	size_t i = place(env, name, &found);

	return found && env->vars[i].value ? str_from(env->vars[i].value) : STR("");
}

bool env_isset(const struct env *env, struct str name)
{
	bool found;
	size_t i = place(env, name, &found);

	return found && env->vars[i].value;
}

/*
 * What a name costs besides its texts. This limits names to a few thousand, so
 * a sorted array is fast enough whatever a script does.
 */
#define NAME_COST 1024

static int charge(struct env *env, size_t bytes, struct err *err)
{
	if (bytes > env->memory_max - MIN(env->memory, env->memory_max))
		return err_set(err, ERR_LIMIT,
		               "the script's variables and functions take more than %zu bytes",
		               env->memory_max);
	env->memory += bytes;
	return 0;
}

static void refund(struct env *env, size_t bytes)
{
	env->memory -= MIN(bytes, env->memory);
}

/* The variable of that name, created if there is none. */
static int put(struct env *env, struct str name, struct env_var **out, struct err *err)
{
	bool found;
	size_t i = place(env, name, &found);

	if (!found) {
		if (charge(env, NAME_COST + name.n, err) < 0)
			return -ERR_LIMIT;
		GROW(env->vars, env->n, env->cap);
		memmove(&env->vars[i + 1], &env->vars[i], (env->n - i) * sizeof *env->vars);
		env->n++;
		env->vars[i] = (struct env_var){.name = str_dup(name)};
	}
	*out = &env->vars[i];
	return 0;
}

int env_set(struct env *env, struct str name, struct str value, struct err *err)
{
	struct env_var *v = NULL;
	char *text;

	if (str_is(name, "root") && value.n >= 2 && value.p[0] == '(' &&
	    value.p[value.n - 1] == ')')
		value = (struct str){value.p + 1, value.n - 2};
	if (put(env, name, &v, err) < 0 || charge(env, value.n, err) < 0)
		return -ERR_LIMIT;
	text = str_dup(value); /* before the old value goes: it may be the same */
	if (v->value)
		refund(env, strlen(v->value));
	free(v->value);
	v->value = text;
	return 0;
}

void env_unset(struct env *env, struct str name)
{
	bool found;
	size_t i = place(env, name, &found);
	struct env_var *v;

	if (!found)
		return;
	v = &env->vars[i];
	refund(env, NAME_COST + name.n + (v->value ? strlen(v->value) : 0));
	free(v->name);
	free(v->value);
	env->n--;
	memmove(v, v + 1, (env->n - i) * sizeof *v);
}

int env_export(struct env *env, struct str name, struct err *err)
{
	struct env_var *v = NULL;

	if (put(env, name, &v, err) < 0)
		return -ERR_LIMIT;
	v->exported = true;
	return 0;
}

const struct env_function *env_function(const struct env *env, struct str name)
{
	for (size_t i = 0; i < env->function_n; i++)
		if (str_is(name, env->functions[i].name))
			return &env->functions[i];
	return NULL;
}

int env_define(struct env *env, struct script *script, const struct node *function, struct err *err)
{
	struct env_function *f = NULL;

	for (size_t i = 0; i < env->function_n; i++)
		if (str_is(function->name, env->functions[i].name))
			f = &env->functions[i];
	if (!script->source->kept && charge(env, script->source->n, err) < 0)
		return -ERR_LIMIT;
	script->source->kept = true;
	if (!f) {
		if (charge(env, NAME_COST + function->name.n, err) < 0)
			return -ERR_LIMIT;
		GROW(env->functions, env->function_n, env->function_cap);
		f = &env->functions[env->function_n++];
		*f = (struct env_function){.name = str_dup(function->name)};
	}
	script_ref(script);
	script_put(f->script);
	f->script = script;
	f->body = function->body;
	return 0;
}
