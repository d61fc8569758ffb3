/* SPDX-License-Identifier: MIT */
/*
 * What a script knows by name: variables and functions. A context (a submenu,
 * a configfile) starts from its parent's exported variables.
 */
#ifndef GRUB_ENV_H
#define GRUB_ENV_H

#include <stdbool.h>

#include "base/err.h"
#include "grub/ast.h"
#include "grub/limit.h"

struct env_var {
	char *name;
	char *value; /* NULL: exported before it was set */
	bool exported;
};

struct env_function {
	char *name;
	struct script *script; /* a reference: it holds body */
	const struct node *body;
};

struct env {
	struct env_var *vars; /* by name */
	size_t n, cap;
	struct env_function *functions; /* in order of definition */
	size_t function_n, function_cap;
	size_t memory;
	size_t memory_max;
};

void env_init(struct env *env, const struct grub_limits *limits);
void env_fini(struct env *env);
/* A copy into an uninitialised *to; functions come along always. */
void env_copy(struct env *to, const struct env *from, bool exported_only);

/* The value, borrowed until the next env_set(); "" where unset. */
struct str env_get(const struct env *env, struct str name);
bool env_isset(const struct env *env, struct str name);
/* 0 or -ERR_LIMIT. A value in parentheses for "root" loses them. */
int env_set(struct env *env, struct str name, struct str value, struct err *err);
void env_unset(struct env *env, struct str name);
int env_export(struct env *env, struct str name, struct err *err);

const struct env_function *env_function(const struct env *env, struct str name);
int env_define(struct env *env, struct script *script, const struct node *function,
               struct err *err);

#endif
