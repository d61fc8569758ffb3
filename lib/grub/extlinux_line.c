/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/extlinux.h"

#include <string.h>

static const struct keyword {
	const char *name;
	enum extlinux_word word;
} keywords[] = {
        {"default", EXT_DEFAULT},
        {"ontimeout", EXT_ONTIMEOUT},
        {"timeout", EXT_TIMEOUT},
        {"prompt", EXT_PROMPT},
        {"ui", EXT_UI},
        {"include", EXT_INCLUDE},
        {"label", EXT_LABEL},
        {"linux", EXT_LINUX},
        {"kernel", EXT_KERNEL},
        {"initrd", EXT_INITRD},
        {"append", EXT_APPEND},
        {"config", EXT_CONFIG},
        {"localboot", EXT_REFUSED},
        {"com32", EXT_COM32},
        {"boot", EXT_REFUSED},
        {"bss", EXT_REFUSED},
        {"pxe", EXT_REFUSED},
        {"fdimage", EXT_REFUSED},
        {"comboot", EXT_COM32},
        {"text", EXT_TEXT},
        {"endtext", EXT_ENDTEXT},
};

static const struct keyword menu_keywords[] = {
        {"title", EXT_MENU_TITLE}, {"hidden", EXT_MENU_HIDDEN},   {"begin", EXT_MENU_BEGIN},
        {"end", EXT_MENU_END},     {"label", EXT_MENU_LABEL},     {"default", EXT_MENU_DEFAULT},
        {"include", EXT_INCLUDE},  {"disable", EXT_MENU_DISABLE}, {"goto", EXT_MENU_GOTO},
        {"exit", EXT_MENU_GOTO},   {"quit", EXT_MENU_GOTO},
};

static enum extlinux_word find(const struct keyword *k, size_t n, struct str word)
{
	for (size_t i = 0; i < n; i++)
		if (str_is_nocase(word, k[i].name))
			return k[i].word;
	return EXT_NONE;
}

struct str extlinux_cut(struct str *s)
{
	struct str word = {s->p, 0};

	while (word.n < s->n && !strchr(" \t", s->p[word.n]))
		word.n++;
	*s = str_trim(str_drop(*s, word.n));
	return word;
}

bool extlinux_line(struct str *text, enum extlinux_word *word, struct str *rest, struct str *line)
{
	struct str first;

	if (!text->p)
		return false;
	*line = str_trim(str_cut(text, '\n'));
	*rest = *line;
	*word = EXT_NONE;
	if (!line->n || line->p[0] == '#')
		return true;
	first = extlinux_cut(rest);
	if (str_is_nocase(first, "menu"))
		*word = find(menu_keywords, ARRAY_LEN(menu_keywords), extlinux_cut(rest));
	else
		*word = find(keywords, ARRAY_LEN(keywords), first);
	return true;
}
