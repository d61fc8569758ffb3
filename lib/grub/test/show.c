/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/grubenv.h"
#include "grub/test/fake.h"

#include <string.h>

static void show_file(struct fake *f, const char *indent, const char *what,
                      const struct grub_boot_file *file, struct buf *out)
{
	buf_putf(out, "%s%s (%s)%s\n", indent, what, f->names[file->dev], file->path);
}

static void show_texts(const char *indent, const char *what, const struct grub_texts *t,
                       struct buf *out)
{
	for (size_t i = 0; i < t->n; i++)
		buf_putf(out, "%s%s %s\n", indent, what, t->v[i]);
}

static void show_output(const char *indent, const struct buf *output, struct buf *out)
{
	struct str rest = buf_str(output);

	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		if (line.n)
			buf_putf(out, "%soutput %.*s\n", indent, STR_ARG(line));
	}
}

void show_writes(struct fake *f, const struct grub_writes *w, const char *indent, struct buf *out)
{
	_cleanup_(buf_fini) struct buf value = BUF_INIT;

	for (size_t i = 0; i < w->n; i++) {
		struct str name;
		size_t pos = 0;

		buf_putf(out, "%swrite (%s)%s %zu\n", indent, f->names[w->v[i].dev], w->v[i].path,
		         w->v[i].data.n);
		while (grubenv_next(buf_str(&w->v[i].data), &pos, &name, &value) == 0)
			buf_putf(out, "%s      %.*s=%s\n", indent, STR_ARG(name),
			         value.p ? value.p : "");
	}
}

void show_boot(struct fake *f, const struct grub_boot *b, const char *indent, struct buf *out)
{
	show_file(f, indent, "kernel", &b->kernel, out);
	for (size_t i = 0; i < b->initrd_count; i++)
		show_file(f, indent, "initrd", &b->initrds[i], out);
	buf_putf(out, "%sargs %s\n", indent, b->args);
	show_texts(indent, "warning", &b->warnings, out);
	show_output(indent, &b->output, out);
	show_writes(f, &b->writes, indent, out);
	if (b->counted.path)
		buf_putf(out, "%scounts (%s)%s\n", indent, f->names[b->counted.dev],
		         b->counted.path);
}

static void show_entry(struct fake *f, struct grub_menu *m, size_t i, unsigned depth,
                       struct buf *out)
{
	static const char blanks[] = "                                ";
	const char *indent = blanks + sizeof blanks - 1 - MIN(depth * 4, sizeof blanks - 1);
	const struct grub_entry *e = &m->entries[i];
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct grub_menu *next = NULL;
	struct err err = ERR_INIT;
	int rc;

	buf_putf(out, "%s%zu. %s%s%s%s", indent, i, e->title, e->submenu ? " >" : "",
	         i == grub_menu_default(m) ? " *" : "", e->unrestricted ? " unrestricted" : "");
	if (strcmp(e->id, e->title) != 0)
		buf_putf(out, " id=%s", e->id);
	if (*e->classes)
		buf_putf(out, " class=%s", e->classes);
	buf_puts(out, "\n");
	rc = grub_menu_enter(m, i, (struct str){NULL, 0}, &boot, &next, &err);
	indent = blanks + sizeof blanks - 1 - MIN(depth * 4 + 4, sizeof blanks - 1);
	if (rc < 0)
		buf_putf(out, "%serror %d %s\n", indent, -rc, err.text);
	else if (rc == 0)
		show_boot(f, &boot, indent, out);
	else
		show_menu(f, next, depth + 1, out);
	grub_menu_free(next);
	grub_boot_fini(&boot);
}

void show_menu(struct fake *f, struct grub_menu *m, unsigned depth, struct buf *out)
{
	static const char *const styles[] = {"menu", "countdown", "hidden"};

	if (depth > 6)
		return;
	buf_putf(out, "%*smenu (%s)%s", (int)depth * 4, "", f->names[m->dev], m->path);
	if (*m->title)
		buf_putf(out, " title=%s", m->title);
	if (*m->default_)
		buf_putf(out, " default=%s", m->default_);
	if (*m->fallback)
		buf_putf(out, " fallback=%s", m->fallback);
	buf_putf(out, " timeout=%ld %s%s\n", m->timeout, styles[m->style],
	         m->locked ? " locked" : "");
	show_texts("", "warning", &m->warnings, out);
	show_output("", &m->output, out);
	show_writes(f, &m->writes, "", out);
	for (size_t i = 0; i < m->n; i++)
		show_entry(f, m, i, depth, out);
}
