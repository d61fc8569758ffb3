/* SPDX-License-Identifier: MIT */
/* ls and cat, for a person at the command line. */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/device.h"
#include "grub/texts.h"

#include <string.h>

struct listing {
	struct grub_texts names;
	size_t max;
};

static void listing_fini(struct listing *l)
{
	texts_fini(&l->names);
}

static int take_name(void *arg, struct str name)
{
	struct listing *l = arg;

	if (!str_is(name, ".") && !str_is(name, ".."))
		texts_add(&l->names, name);
	return l->names.n >= l->max;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_names(struct exec *x, struct grub_texts *names)
{
	_cleanup_(buf_fini) struct buf line = BUF_INIT;

	if (names->n)
		qsort(names->v, names->n, sizeof *names->v, by_name);
	texts_join(names, 0, &line);
	buf_puts(&line, "\n");
	exec_print(x, buf_str(&line));
}

static int list_devices(struct exec *x)
{
	_cleanup_(buf_fini) struct buf line = BUF_INIT;

	for (size_t i = 0; i < x->files->device_count; i++)
		buf_putf(&line, "%s(%s)", i ? " " : "", x->files->devices[i].name);
	buf_puts(&line, "\n");
	exec_print(x, buf_str(&line));
	return STATUS_OK;
}

/* The last word; options before it (-l, -h, -a) change nothing here. */
static const char *operand(const struct grub_texts *argv)
{
	return argv->n > 1 && argv->v[argv->n - 1][0] != '-' ? argv->v[argv->n - 1] : NULL;
}

int cmd_ls(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = {.max = x->limits->names};
	_cleanup_(buf_fini) struct buf name = BUF_INIT, path = BUF_INIT;
	const char *what = operand(argv);
	struct err why = ERR_INIT;
	size_t dev;
	struct file_base base = exec_base(x);

	if (!what)
		return list_devices(x);
	if (exec_charge(x, EXEC_FILE_BYTES, err) < 0)
		return -ERR_LIMIT;
	buf_puts(&name, what);
	if (name.n && name.p[name.n - 1] == ')')
		buf_puts(&name, "/");
	if (file_locate(&base, buf_str(&name), &dev, &path, NULL, &why) < 0 ||
	    x->files->ops->list(x->files, dev, buf_str(&path), take_name, &l, &why) < 0)
		return exec_fail(x, STATUS_NO_FILE, "%s", why.text);
	print_names(x, &l.names);
	return exec_charge(x, l.names.n * 64, err);
}

int cmd_cat(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT;
	const char *what = operand(argv);
	struct err why = ERR_INIT;
	size_t dev;
	struct file_base base = exec_base(x);

	if (!what)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a file name is missing");
	if (exec_charge(x, EXEC_FILE_BYTES, err) < 0)
		return -ERR_LIMIT;
	if (file_locate(&base, str_from(what), &dev, &path, NULL, &why) < 0 ||
	    x->files->ops->read(x->files, dev, buf_str(&path), x->limits->output, &text, &why) < 0)
		return exec_fail(x, STATUS_NO_FILE, "%s", why.text);
	exec_print(x, buf_str(&text));
	return exec_charge(x, text.n, err);
}
