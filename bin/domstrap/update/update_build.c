/* SPDX-License-Identifier: MIT */
#include "update/update_build.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "editor/editor.h"
#include "nixos/follow.h"

/* "web1" of the names that create gives to a guest's files. */
static char *guest_name(const char *file)
{
	static const char *const suffixes[] = {".cfg", "-root.img", "-boot.img", ".img"};
	struct str s = str_from(file);

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (str_ends(s, suffixes[i]) && s.n > strlen(suffixes[i]))
			return xstrndup(s.p, s.n - strlen(suffixes[i]));
	return xstrdup(file);
}

/* The guest's name, and the directory of its file with a slash, or "". */
static void name_and_place(const char *arg, char **name, char **dir)
{
	const char *slash = strrchr(arg, '/');
	struct stat st;

	*name = guest_name(str_base(arg));
	if (slash && stat(arg, &st) == 0 && !S_ISBLK(st.st_mode))
		*dir = xstrndup(arg, (size_t)(slash + 1 - arg));
	else
		*dir = xstrdup("");
}

static int look(struct editor *e, void *arg, struct err *err)
{
	return follow_check(&e->off, &e->in, err);
}

int update_build(struct update_options *r, char **built, struct err *err)
{
	const struct editor_job first = {.mode = OFF_GUEST_LOOK, .work = look};
	_free_ char *name = NULL, *dir = NULL, *link = NULL;
	struct nix_request req = {
	        .opt = &r->nix, .dry_run = r->common.dry_run, .level = r->common.level};
	int rc;

	if (!nix_wanted(&r->nix))
		return 0;
	/* Read the guest first, so that its errors are found before a long build, unless it runs.
	 */
	rc = r->common.claimed ? 0 : editor_run(&r->common, &first, err);
	if (rc < 0)
		return rc;
	name_and_place(r->common.args[0], &name, &dir);
	link = xasprintf("%s%s.system", dir, name);
	req.name = name;
	req.link = link;
	rc = nix_build_guest(&req, built, err);
	if (rc < 0)
		return rc;
	r->system = *built;
	return text_list_add("from", &r->source.from, "/", err);
}
