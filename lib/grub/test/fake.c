/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/grubenv.h"
#include "grub/test/fake.h"

#include <stdio.h>
#include <string.h>

static int fake_probe(struct grub_files *files, size_t dev, struct grub_probe *out, struct err *err)
{
	struct fake *f = (struct fake *)files;

	if (!*f->probes[dev].fs)
		return err_set(err, ERR_NOENT, "no file system");
	*out = f->probes[dev];
	return 0;
}

static bool below(struct str path, struct str dir)
{
	if (str_is(dir, "/"))
		return true;
	return path.n > dir.n && memcmp(path.p, dir.p, dir.n) == 0 && path.p[dir.n] == '/';
}

static struct fake_file *find(struct fake *f, size_t dev, struct str path)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].dev == dev && str_eq(f->v[i].path, path))
			return &f->v[i];
	return NULL;
}

static int fake_stat(struct grub_files *files, size_t dev, struct str path, struct grub_stat *out,
                     struct err *err)
{
	struct fake *f = (struct fake *)files;
	struct fake_file *file = find(f, dev, path);

	*out = (struct grub_stat){.kind = GRUB_DIR};
	if (file) {
		out->kind = GRUB_FILE;
		out->size = file->data.n;
		out->mtime = 1000 + (file - f->v);
		return 0;
	}
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].dev == dev && below(f->v[i].path, path))
			return 0;
	return err_set(err, ERR_NOENT, "no such file");
}

static int fake_read(struct grub_files *files, size_t dev, struct str path, size_t limit,
                     struct buf *out, struct err *err)
{
	struct fake_file *file = find((struct fake *)files, dev, path);

	if (!file)
		return err_set(err, ERR_NOENT, "no such file");
	if (file->data.n > limit)
		return err_set(err, ERR_LIMIT, "%zu bytes, over %zu", file->data.n, limit);
	buf_put(out, file->data.p, file->data.n);
	return 0;
}

static int fake_piece(struct grub_files *files, const struct grub_at *at, void *p, size_t n,
                      struct err *err)
{
	struct fake_file *file = find((struct fake *)files, at->dev, at->path);

	if (!file || at->off > file->data.n || n > file->data.n - at->off)
		return err_set(err, ERR_NOENT, "no such bytes");
	memcpy(p, file->data.p + at->off, n);
	return 0;
}

static int fake_list(struct grub_files *files, size_t dev, struct str path, grub_name_fn *fn,
                     void *arg, struct err *err)
{
	struct fake *f = (struct fake *)files;
	struct str last = STR("");
	bool any = false;

	for (size_t i = 0; i < f->n; i++) {
		struct str rest = f->v[i].path, name;

		if (f->v[i].dev != dev || !below(rest, path))
			continue;
		any = true;
		rest = str_drop(rest, str_is(path, "/") ? 1 : path.n + 1);
		name = str_cut(&rest, '/');
		if (!str_eq(name, last) && fn(arg, name))
			return 0;
		last = name; /* files of a directory are adjacent */
	}
	return any ? 0 : err_set(err, ERR_NOENT, "no such directory");
}

static const struct grub_files_ops ops = {fake_probe, fake_stat, fake_read, fake_piece, fake_list};

/* Copy the next word of a line to out, which has n bytes. */
static void take_word(struct str *line, char *out, size_t n)
{
	struct str w = line->p ? str_cut(line, ' ') : STR("-");

	snprintf(out, n, "%.*s", str_is(w, "-") ? 0 : (int)MIN(w.n, n - 1), w.p);
}

static void add_device(struct fake *f, struct str line)
{
	size_t i = f->files.device_count;
	struct grub_probe *p = &f->probes[i];

	if (i >= FAKE_DEVICES)
		return;
	take_word(&line, f->names[i], sizeof f->names[i]);
	take_word(&line, p->fs, sizeof p->fs);
	take_word(&line, p->uuid, sizeof p->uuid);
	if (line.p)
		snprintf(p->label, sizeof p->label, "%.*s", (int)MIN(line.n, 200), line.p);
	f->devices[i].name = f->names[i];
	f->files.device_count++;
}

static void make_env(struct fake_file *file)
{
	buf_puts(&file->own, "# GRUB Environment Block\n");
	buf_put(&file->own, file->data.p, file->data.n);
	while (file->own.n < GRUBENV_SIZE)
		buf_puts(&file->own, "#");
	file->data = buf_str(&file->own);
}

static void add_file(struct fake *f, struct str kind, struct str path, struct str data)
{
	struct fake_file *file;

	GROW(f->v, f->n, f->cap);
	file = &f->v[f->n++];
	*file = (struct fake_file){.dev = f->files.device_count - 1, .path = path, .data = data};
	if (str_is(kind, "@touch"))
		file->data = STR("x");
	if (str_is(kind, "@env"))
		make_env(file);
}

void fake_init(struct fake *f, struct str text)
{
	*f = (struct fake){.files = {.ops = &ops}};
	f->files.devices = f->devices;
	while (text.p) {
		struct str line = str_cut(&text, '\n'), kind = str_cut(&line, ' '), data = text;

		if (str_is(kind, "@device"))
			add_device(f, line);
		if (!line.p || !str_starts(kind, "@") || str_is(kind, "@device"))
			continue;
		while (text.p && text.n && text.p[0] != '@')
			(void)str_cut(&text, '\n');
		data.n = text.p ? (size_t)(text.p - data.p) : data.n;
		if (f->files.device_count)
			add_file(f, kind, line, data);
	}
}

void fake_fini(struct fake *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_fini(&f->v[i].own);
	free(f->v);
}
