/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "nixos/fstab.h"

/* The next blank-separated word; empty at the end. */
static struct str next_word(struct str *line)
{
	struct str word;

	*line = str_trim(*line);
	word = *line;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == ' ' || word.p[i] == '\t') {
			word.n = i;
			break;
		}
	}
	*line = str_drop(*line, word.n);
	return word;
}

static void set_source(struct fstab_entry *out, struct str source)
{
	static const struct {
		const char *prefix;
		enum fstab_by by;
	} forms[] = {
	        {"LABEL=", FSTAB_LABEL},
	        {"/dev/disk/by-label/", FSTAB_LABEL},
	        {"UUID=", FSTAB_UUID},
	        {"/dev/disk/by-uuid/", FSTAB_UUID},
	};

	out->by = FSTAB_DEVICE;
	out->value = source;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (!str_starts(source, forms[i].prefix))
			continue;
		out->by = forms[i].by;
		out->value = str_drop(source, str_from(forms[i].prefix).n);
		return;
	}
}

bool fstab_find(struct str text, const char *mountpoint, struct fstab_entry *out)
{
	while (text.p) {
		struct str line = str_cut(&text, '\n');
		struct str source = next_word(&line);

		if (!source.n || source.p[0] == '#' || !str_is(next_word(&line), mountpoint))
			continue;
		set_source(out, source);
		out->type = next_word(&line);
		return true;
	}
	return false;
}
