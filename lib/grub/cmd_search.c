/* SPDX-License-Identifier: MIT */
/* search in its three spellings, and probe. */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/device.h"
#include "grub/opts.h"
#include "grub/texts.h"

#include <string.h>
#include <strings.h>

enum by {
	BY_NONE,
	BY_FILE,
	BY_LABEL,
	BY_UUID,
};

struct search {
	struct exec *x;
	enum by by;
	struct str key;
	struct str var; /* p NULL: print what is found */
	bool *tried;    /* per device */
	bool found;
};

static bool device_has(struct search *s, size_t dev)
{
	struct grub_files *files = s->x->files;
	struct grub_probe probe = {.fs = ""};
	struct err ignored;

	if (s->by == BY_FILE) {
		_cleanup_(buf_fini) struct buf path = BUF_INIT;

		path_tidy(s->key, &path);
		return file_check(files, dev, buf_str(&path), &ignored) == 0;
	}
	if (files->ops->probe(files, dev, &probe, &ignored) < 0)
		return false;
	if (s->by == BY_LABEL)
		return str_is(s->key, probe.label);
	return *probe.uuid && s->key.n == strlen(probe.uuid) &&
	       strncasecmp(s->key.p, probe.uuid, s->key.n) == 0;
}

/* Returns 0, or 1 when the search is over. */
static int try_device(struct search *s, size_t dev, struct err *err)
{
	struct str name = str_from(s->x->files->devices[dev].name);

	if (s->tried[dev])
		return 0;
	s->tried[dev] = true;
	if (exec_charge(s->x, EXEC_FILE_BYTES, err) < 0)
		return -ERR_LIMIT;
	if (!device_has(s, dev))
		return 0;
	s->found = true;
	if (s->var.p) {
		int rc = env_set(&s->x->env, s->var, name, err);

		return rc < 0 ? rc : 1;
	}
	exec_print(s->x, STR(" "));
	exec_print(s->x, name);
	return 0;
}

static int run_search(struct search *s, const struct grub_texts *hints, struct err *err)
{
	struct grub_files *files = s->x->files;
	_free_ bool *tried = xcalloc(files->device_count, sizeof *tried);
	struct err ignored;
	int rc = 0;
	size_t dev;

	s->tried = tried;
	for (size_t i = 0; rc == 0 && i < hints->n; i++)
		if (device_find(files, str_from(hints->v[i]), 1, &dev, &ignored) == 0)
			rc = try_device(s, dev, err);
	for (dev = 0; rc == 0 && dev < files->device_count; dev++)
		rc = try_device(s, dev, err);
	s->tried = NULL;
	if (rc < 0)
		return rc;
	if (!s->found)
		return exec_fail(s->x, STATUS_NO_FILE, "no such device: %.*s", STR_ARG(s->key));
	return STATUS_OK;
}

static const struct opt search_opts[] = {
        {"file", 'f', OPT_FLAG},
        {"label", 'l', OPT_FLAG},
        {"fs-uuid", 'u', OPT_FLAG},
        {"set", 's', OPT_MAYBE},
        {"hint", 'h', OPT_TEXT},
        {"hint-bios", '\0', OPT_TEXT},
        {"hint-baremetal", '\0', OPT_TEXT},
        {"hint-efi", '\0', OPT_TEXT},
        {"hint-ieee1275", '\0', OPT_TEXT},
        {"hint-arc", '\0', OPT_TEXT},
        {"no-floppy", 'n', OPT_FLAG},
        {"efidisk-only", '\0', OPT_FLAG},
        {"cryptodisk-only", '\0', OPT_FLAG},
};
#define OPT_SET 3
#define OPT_HINT_FIRST 4
#define OPT_HINT_LAST 9

int cmd_search(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	_cleanup_(texts_fini) struct grub_texts hints = {0};
	struct search s = {.x = x};
	struct err why;
	int opt;

	o.lenient = true;
	while ((opt = opts_next(&o, search_opts, ARRAY_LEN(search_opts), &why)) <
	       (int)ARRAY_LEN(search_opts)) {
		if (opt < 0)
			return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
		if (opt < OPT_SET)
			s.by = BY_FILE + (enum by)opt;
		else if (opt == OPT_SET)
			s.var = o.value.p ? o.value : STR("root");
		else if (opt >= OPT_HINT_FIRST && opt <= OPT_HINT_LAST)
			texts_add(&hints, o.value);
	}
	if (!s.by)
		return exec_fail(x, STATUS_BAD_COMMAND,
		                 "none of --file, --label and --fs-uuid given");
	if (o.words.n) {
		s.key = str_from(o.words.v[0]);
	} else if (s.var.p) { /* "search --fs-uuid --set UUID", as older menus have it */
		s.key = s.var;
		s.var = STR("root");
	} else {
		return exec_fail(x, STATUS_BAD_ARGUMENT, "what to search for is missing");
	}
	return run_search(&s, &hints, err);
}

/* search.fs_uuid KEY [VAR [HINT]…] and its sisters. */
int cmd_search_short(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(texts_fini) struct grub_texts hints = {0};
	struct search s = {.x = x, .by = BY_LABEL};

	if (argv->n < 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "what to search for is missing");
	if (strcmp(argv->v[0], "search.file") == 0)
		s.by = BY_FILE;
	else if (strcmp(argv->v[0], "search.fs_uuid") == 0)
		s.by = BY_UUID;
	s.key = str_from(argv->v[1]);
	if (argv->n > 2)
		s.var = str_from(argv->v[2]);
	for (size_t i = 3; i < argv->n; i++)
		if (strcmp(argv->v[i], "--no-floppy") != 0)
			texts_add(&hints, str_from(argv->v[i]));
	return run_search(&s, &hints, err);
}

static const struct opt probe_opts[] = {
        {"set", 's', OPT_TEXT},        {"driver", 'd', OPT_FLAG},  {"partmap", 'p', OPT_FLAG},
        {"fs", 'f', OPT_FLAG},         {"fs-uuid", 'u', OPT_FLAG}, {"label", 'l', OPT_FLAG},
        {"part-uuid", '\0', OPT_FLAG},
};

/* "msdos" of "hd0,msdos1"; "none" for a whole disk. */
static struct str partmap_of(const char *name)
{
	struct str part = str_from(name);

	str_cut(&part, ',');
	while (part.n && part.p[part.n - 1] >= '0' && part.p[part.n - 1] <= '9')
		part.n--;
	return part.p ? part : STR("none");
}

static struct str probe_answer(const struct grub_probe *probe, const char *device, int what)
{
	switch (what) {
	case 1:
		return STR("pata");
	case 2:
		return partmap_of(device);
	case 4:
		return str_from(probe->uuid);
	case 5:
		return str_from(probe->label);
	case 6:
		return str_from(probe->part_uuid);
	default:
		return str_from(probe->fs);
	}
}

int cmd_probe(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	struct grub_probe probe = {.fs = ""};
	struct str var = {NULL, 0}, answer;
	int opt, what = 0;
	struct err why;
	size_t dev;

	while ((opt = opts_next(&o, probe_opts, ARRAY_LEN(probe_opts), &why)) <
	       (int)ARRAY_LEN(probe_opts)) {
		if (opt < 0)
			return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
		if (opt == 0)
			var = o.value;
		else
			what = opt;
	}
	if (!o.words.n)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a device is missing");
	if (device_find(x->files, str_from(o.words.v[0]), 1, &dev, &why) < 0)
		return exec_fail(x, STATUS_NO_DEVICE, "%s", why.text);
	if (exec_charge(x, EXEC_FILE_BYTES, err) < 0)
		return -ERR_LIMIT;
	if (what > 2 && x->files->ops->probe(x->files, dev, &probe, &why) < 0)
		return exec_fail(x, STATUS_BAD_FS, "%s", why.text);
	answer = probe_answer(&probe, x->files->devices[dev].name, what);
	if (var.p)
		return env_set(&x->env, var, answer, err);
	exec_print(x, answer);
	exec_print(x, STR("\n"));
	return STATUS_OK;
}
