/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/context.h"
#include "grub/places.h"
#include "grub/texts.h"

#include <stdio.h>
#include <string.h>

const struct grub_place grub_places[] = {
        {"/boot/grub/grub.cfg", GRUB_SCRIPT},
        {"/grub/grub.cfg", GRUB_SCRIPT},
        {"/boot/grub2/grub.cfg", GRUB_SCRIPT},
        {"/grub2/grub.cfg", GRUB_SCRIPT},
        {"/boot/isolinux/isolinux.cfg", GRUB_EXTLINUX},
        {"/boot/extlinux/extlinux.conf", GRUB_EXTLINUX},
        {"/boot/extlinux.conf", GRUB_EXTLINUX},
        {"/extlinux/extlinux.conf", GRUB_EXTLINUX},
        {"/extlinux.conf", GRUB_EXTLINUX},
        {"/boot/grub/menu.lst", GRUB_LEGACY},
        {"/boot/grub/grub.conf", GRUB_LEGACY},
        {"/grub/menu.lst", GRUB_LEGACY},
        {"/grub/grub.conf", GRUB_LEGACY},
        {"/loader", GRUB_BLS},
        {"/boot/loader", GRUB_BLS},
};
const size_t grub_place_count = ARRAY_LEN(grub_places);

struct search {
	struct grub_files *files;
	const struct grub_limits *limits;
	struct grub_texts trouble;
	struct err first; /* what went wrong first; code ERR_NONE: nothing */
};

static void search_fini(struct search *s)
{
	texts_fini(&s->trouble);
}

static bool is_there(struct search *s, size_t dev, const struct grub_place *place)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct grub_stat st;
	struct err ignored;

	buf_putf(&path, "%s%s", place->path, place->dialect == GRUB_BLS ? "/entries" : "");
	return s->files->ops->stat(s->files, dev, buf_str(&path), &st, &ignored) == 0 &&
	       st.kind == (place->dialect == GRUB_BLS ? GRUB_DIR : GRUB_FILE);
}

/* NULL where the place has no menu. */
static struct grub_menu *try_place(struct search *s, size_t dev, const struct grub_place *place)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	struct err err = ERR_INIT;
	int rc;

	if (!is_there(s, dev, place))
		return NULL;
	rc = grub_menu_load(s->files, s->limits, place->dialect, dev, str_from(place->path), &m,
	                    &err);
	if (rc == 0 && m->n)
		return take(&m);
	if (rc == 0)
		err_set(&err, ERR_FORMAT, "(%s)%s: no entries%s%s", s->files->devices[dev].name,
		        place->path, m->warnings.n ? ": " : "",
		        m->warnings.n ? m->warnings.v[0] : "");
	texts_add(&s->trouble, str_from(err.text));
	if (!s->first.code)
		s->first = err;
	return NULL;
}

static struct grub_menu *try_device(struct search *s, size_t dev)
{
	struct grub_probe probe = {.fs = ""};
	struct grub_menu *m = NULL;
	struct err ignored;

	if (s->files->ops->probe(s->files, dev, &probe, &ignored) < 0)
		return NULL;
	for (size_t i = 0; !m && i < grub_place_count; i++)
		m = try_place(s, dev, &grub_places[i]);
	return m;
}

/*
 * In the order of the tables. pygrub means to ask the active partition first,
 * but under Python 3 it compares bytes with text and never does.
 */
int grub_menu_probe(struct grub_files *files, const struct grub_limits *limits,
                    struct grub_menu **out, struct err *err)
{
	_cleanup_(search_fini) struct search s = {.files = files, .limits = limits};
	struct grub_menu *m = NULL;

	for (size_t dev = 0; !m && dev < files->device_count; dev++)
		m = try_device(&s, dev);
	if (!m && s.first.code) {
		*err = s.first;
		return -(int)err->code;
	}
	if (!m)
		return err_set(err, ERR_NOENT,
		               "no boot menu on any of the %zu disks and partitions",
		               files->device_count);
	texts_copy(&m->warnings, &s.trouble);
	*out = m;
	return 0;
}

/* Words that begin a line in one dialect only. */
enum grub_dialect grub_menu_guess(struct str text)
{
	static const struct {
		const char *word;
		enum grub_dialect dialect;
	} words[] = {
	        {"menuentry", GRUB_SCRIPT}, {"submenu", GRUB_SCRIPT},  {"set", GRUB_SCRIPT},
	        {"if", GRUB_SCRIPT},        {"function", GRUB_SCRIPT}, {"insmod", GRUB_SCRIPT},
	        {"search", GRUB_SCRIPT},    {"title", GRUB_LEGACY},    {"label", GRUB_EXTLINUX},
	        {"LABEL", GRUB_EXTLINUX},   {"Label", GRUB_EXTLINUX},  {"ui", GRUB_EXTLINUX},
	        {"UI", GRUB_EXTLINUX},      {"menu", GRUB_EXTLINUX},   {"MENU", GRUB_EXTLINUX},
	};

	while (text.p) {
		struct str line = str_trim(str_cut(&text, '\n')), word = {line.p, 0};

		while (word.n < line.n && !strchr(" \t=", line.p[word.n]))
			word.n++;
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (str_is(word, words[i].word))
				return words[i].dialect;
	}
	return GRUB_SCRIPT;
}
