/* SPDX-License-Identifier: MIT */
#include "nixos/fstab.h"

#include <string.h>

#include "base/mem.h"

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

void fstab_source(struct str source, struct fstab_entry *out)
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

bool fstab_next(struct str *text, struct fstab_entry *out)
{
	while (text->p) {
		struct str line = str_cut(text, '\n');
		struct str source = next_word(&line);

		if (!source.n || source.p[0] == '#')
			continue;
		fstab_source(source, out);
		out->mountpoint = next_word(&line);
		out->type = next_word(&line);
		out->options = next_word(&line);
		return true;
	}
	return false;
}

bool fstab_find(struct str text, const char *mountpoint, struct fstab_entry *out)
{
	struct fstab_entry e;

	while (fstab_next(&text, &e)) {
		if (!str_is(e.mountpoint, mountpoint))
			continue;
		*out = e;
		return true;
	}
	return false;
}

struct str fstab_option(struct str options, const char *name)
{
	struct str found = {NULL, 0};
	size_t n = strlen(name);

	while (options.p) {
		struct str word = str_cut(&options, ',');

		if (str_starts(word, name) && word.n > n && word.p[n] == '=')
			found = str_drop(word, n + 1);
	}
	return found;
}

bool fstab_has_option(struct str options, const char *name)
{
	while (options.p)
		if (str_is(str_cut(&options, ','), name))
			return true;
	return false;
}

bool fstab_is_volume(struct str path, const char *name)
{
	_cleanup_(buf_fini) struct buf lvm = BUF_INIT;

	if (!str_starts(path, "/dev/"))
		return false;
	path = str_drop(path, strlen("/dev/"));
	buf_puts(&lvm, "lvm/");
	if (str_starts(path, "mapper/")) {
		path = str_drop(path, strlen("mapper/"));
		buf_put(&lvm, path.p, path.n);
		return str_is(buf_str(&lvm), name);
	}
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '-')
			buf_puts(&lvm, "-");
		buf_put(&lvm, path.p[i] == '/' ? "-" : path.p + i, 1);
	}
	return str_is(buf_str(&lvm), name);
}

void fstab_unescape(struct str word, struct buf *out)
{
	for (size_t i = 0; i < word.n; i++) {
		uint64_t c;

		if (word.p[i] != '\\' || word.n - i < 4 ||
		    !str_u64((struct str){word.p + i + 1, 3}, 8, 0377, &c)) {
			buf_put(out, word.p + i, 1);
			continue;
		}
		buf_put(out, &(char){(char)c}, 1);
		i += 3;
	}
}
