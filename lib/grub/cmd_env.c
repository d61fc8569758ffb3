/* SPDX-License-Identifier: MIT */
/*
 * load_env, save_env and list_env. Nothing is written here: save_env leaves
 * the block as it should become in the run's list of writes, where a later
 * load_env finds it.
 */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/command.h"
#include "grub/device.h"
#include "grub/grubenv.h"
#include "grub/opts.h"

#include <string.h>

/* Blocks that one run may want written; each costs up to GRUBENV_MAX bytes. */
#define WRITES_MAX 16

struct envfile {
	size_t dev;
	struct buf path;
	struct buf block;
};

static void envfile_fini(struct envfile *f)
{
	buf_fini(&f->path);
	buf_fini(&f->block);
}

static const struct opt env_opts[] = {
        {"file", 'f', OPT_TEXT},
        {"skip-sig", 's', OPT_FLAG},
};

static int read_block(struct exec *x, struct envfile *f, struct err *why)
{
	const struct grub_write *pending = writes_find(&x->boot.writes, f->dev, buf_str(&f->path));
	int rc = 0;

	if (pending)
		buf_put(&f->block, pending->data.p, pending->data.n);
	else
		rc = x->files->ops->read(x->files, f->dev, buf_str(&f->path), GRUBENV_MAX,
		                         &f->block, why);
	return rc < 0 ? rc : grubenv_check(buf_str(&f->block), why);
}

/* Options and file of the three commands: 0, a status, or -ERR_LIMIT. */
static int open_env(struct exec *x, struct opts *o, struct envfile *f, struct err *err)
{
	_cleanup_(buf_fini) struct buf name = BUF_INIT;
	struct err why = ERR_INIT;
	struct str file = {NULL, 0};
	struct file_base base = exec_base(x);
	int opt;

	while ((opt = opts_next(o, env_opts, ARRAY_LEN(env_opts), &why)) <
	       (int)ARRAY_LEN(env_opts)) {
		if (opt < 0)
			return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
		if (opt == 0)
			file = o->value;
	}
	if (!file.p) {
		buf_putf(&name, "%.*s/grubenv", STR_ARG(exec_get(x, "prefix")));
		file = buf_str(&name);
	}
	if (exec_charge(x, 32 * 256, err) < 0)
		return -ERR_LIMIT;
	if (file_locate(&base, file, &f->dev, &f->path, NULL, &why) < 0 ||
	    read_block(x, f, &why) < 0)
		return exec_fail(x, STATUS_NO_FILE, "%.*s: %s", STR_ARG(file), why.text);
	return exec_charge(x, f->block.n, err);
}

static bool wanted(const struct grub_texts *names, struct str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_is(name, names->v[i]))
			return true;
	return !names->n;
}

int cmd_load_env(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(envfile_fini) struct envfile f = {.dev = 0};
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	_cleanup_(buf_fini) struct buf value = BUF_INIT;
	int rc = open_env(x, &o, &f, err);
	struct str name;
	size_t pos = 0;

	if (rc)
		return rc;
	while (rc == 0 && grubenv_next(buf_str(&f.block), &pos, &name, &value) == 0)
		if (wanted(&o.words, name))
			rc = env_set(&x->env, name, buf_str(&value), err);
	return rc;
}

int cmd_list_env(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(envfile_fini) struct envfile f = {.dev = 0};
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	_cleanup_(buf_fini) struct buf value = BUF_INIT, line = BUF_INIT;
	int rc = open_env(x, &o, &f, err);
	struct str name;
	size_t pos = 0;

	if (rc)
		return rc;
	while (grubenv_next(buf_str(&f.block), &pos, &name, &value) == 0)
		buf_putf(&line, "%.*s=%s\n", STR_ARG(name), value.p ? value.p : "");
	exec_print(x, buf_str(&line));
	return STATUS_OK;
}

static int save(struct exec *x, struct envfile *f, const char *name)
{
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	struct str key = str_from(name), value = {NULL, 0};
	struct err why = ERR_INIT;

	if (env_isset(&x->env, key))
		value = env_get(&x->env, key);
	if (grubenv_format(buf_str(&f->block), key, value, &out, &why) < 0)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
	buf_fini(&f->block);
	f->block = out;
	out = (struct buf)BUF_INIT;
	return 0;
}

int cmd_save_env(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(envfile_fini) struct envfile f = {.dev = 0};
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	int rc = open_env(x, &o, &f, err);

	if (rc)
		return rc;
	if (!o.words.n)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a variable's name is missing");
	for (size_t i = 0; rc == 0 && i < o.words.n; i++) {
		if (exec_charge(x, f.block.n, err) < 0)
			return -ERR_LIMIT;
		rc = save(x, &f, o.words.v[i]);
	}
	if (rc)
		return rc;
	if (x->boot.writes.n >= WRITES_MAX &&
	    !writes_find(&x->boot.writes, f.dev, buf_str(&f.path)))
		return exec_fail(x, STATUS_BAD_ARGUMENT, "save_env writes more than %d files",
		                 WRITES_MAX);
	writes_put(&x->boot.writes, f.dev, buf_str(&f.path), &f.block);
	return STATUS_OK;
}
