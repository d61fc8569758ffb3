/* SPDX-License-Identifier: MIT */
#include "store/resolve.h"
#include "store/files.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/show.h"
#include "nix/store_path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As the kernel's own limit. */
#define LINKS_MAX 40

struct resolver {
	struct store_files *files;
	const char *path; /* as asked, for errors */
	const char *root;
	size_t root_len;
	size_t store_len; /* of root and /nix/store */
	struct buf at;    /* the position: an absolute path without links */
	struct buf todo;  /* the rest of the path */
	bool inside;      /* inside the root: absolute links stay in it */
	bool in_store;    /* inside the store: must not leave it again */
	unsigned links;
};

int resolve_root(const char *root, char **out, struct err *err)
{
	char *real;

	if (!*root || strspn(root, "/") == strlen(root)) {
		*out = xstrdup("");
		return 0;
	}
	real = realpath(root, NULL);
	if (!real)
		return err_sys(err, errno, "%s", root);
	if (strcmp(real, "/") == 0)
		*real = '\0';
	*out = real;
	return 0;
}

static bool at_starts(const struct resolver *r, size_t len)
{
	return r->at.n >= len && strncmp(r->at.p, r->root, r->root_len) == 0 &&
	       strncmp(r->at.p + r->root_len, STORE_DIR, len - r->root_len) == 0;
}

/* The root, /nix or /nix/store in it: what the store is mounted on or linked
 * to on this host is the host's own affair. */
static bool above_store(const struct resolver *r)
{
	return r->at.n <= r->store_len && at_starts(r, r->at.n) &&
	       (r->at.n == r->store_len || r->at.n == r->root_len + strlen("/nix") ||
	        r->at.n == r->root_len);
}

static bool below_store(const struct resolver *r)
{
	return r->at.n > r->store_len && at_starts(r, r->store_len) && r->at.p[r->store_len] == '/';
}

static int left_store(const struct resolver *r, struct err *err)
{
	char shown[SHOW_SIZE];

	return err_set(err, ERR_FORMAT, "%s leads out of the store",
	               show_str(str_from(r->path), shown));
}

static int go_up(struct resolver *r, struct err *err)
{
	if (r->inside && r->at.n == r->root_len)
		return 0;
	while (r->at.n && r->at.p[--r->at.n] != '/')
		;
	if (r->at.p)
		r->at.p[r->at.n] = '\0';
	if (r->in_store && r->at.n < r->store_len)
		return left_store(r, err);
	return 0;
}

/* Begin again at the root of the store, or of the host. */
static void go_to_top(struct resolver *r)
{
	buf_reset(&r->at);
	if (r->inside)
		buf_puts(&r->at, r->root);
}

static int follow_link(struct resolver *r, const char *target, struct err *err)
{
	_cleanup_(buf_fini) struct buf rest = r->todo;
	char shown[SHOW_SIZE];

	r->todo = (struct buf)BUF_INIT;
	if (++r->links > LINKS_MAX)
		return err_set(err, ERR_FORMAT, "%s: more than %d symbolic links",
		               show_str(str_from(r->path), shown), LINKS_MAX);
	buf_puts(&r->todo, target);
	if (rest.n)
		buf_putf(&r->todo, "/%s", rest.p);
	if (*target != '/')
		return go_up(r, err);
	if (r->in_store && !str_starts(str_from(target), STORE_DIR "/"))
		return left_store(r, err);
	if (str_starts(str_from(target), STORE_DIR "/"))
		r->inside = true;
	go_to_top(r);
	return 0;
}

/* The file type at the position, in a store that is not on this host. */
static int look(struct resolver *r, struct err *err)
{
	_cleanup_(buf_fini) struct buf target = BUF_INIT;
	char shown[SHOW_SIZE];
	enum walk_kind kind;
	int rc = r->files->ops->look(r->files, r->at.p, &kind, &target, err);

	if (rc < 0)
		return rc;
	if (kind == WALK_LINK && (!target.n || strlen(target.p) != target.n))
		return err_set(err, ERR_FORMAT,
		               "%s: a symbolic link with an empty or invalid target",
		               show_str(buf_str(&r->at), shown));
	return kind == WALK_LINK ? follow_link(r, target.p, err) : 0;
}

/* Take one component from todo. */
static int step(struct resolver *r, struct str part, struct err *err)
{
	char target[PATH_MAX], shown[SHOW_SIZE];
	ssize_t n;

	if (part.n == 0 || str_is(part, "."))
		return 0;
	if (str_is(part, ".."))
		return go_up(r, err);
	buf_putf(&r->at, "/%.*s", STR_ARG(part));
	if (!r->inside && r->root_len && at_starts(r, r->root_len))
		r->inside = r->at.n == r->root_len || r->at.p[r->root_len] == '/';
	if (above_store(r))
		return 0;
	r->in_store |= below_store(r);
	if (r->files->ops)
		return look(r, err);
	n = readlink(r->at.p, target, sizeof target);
	if (n < 0 && errno == EINVAL)
		return 0;
	if (n < 0)
		return err_sys(err, errno, "%s", show_str(buf_str(&r->at), shown));
	if (n == 0 || n == sizeof target)
		return err_set(err, ERR_FORMAT,
		               "%s: a symbolic link with an empty or invalid target",
		               show_str(buf_str(&r->at), shown));
	target[n] = '\0';
	return follow_link(r, target, err);
}

static int run(struct resolver *r, struct err *err)
{
	while (r->todo.n) {
		_cleanup_(buf_fini) struct buf todo = r->todo;
		struct str rest = buf_str(&todo), part = str_cut(&rest, '/');
		int rc;

		r->todo = (struct buf)BUF_INIT;
		if (rest.n)
			buf_put(&r->todo, rest.p, rest.n);
		rc = step(r, part, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int start(struct resolver *r, struct err *err)
{
	_free_ char *cwd = NULL;

	if (str_starts(str_from(r->path), STORE_DIR "/")) {
		r->inside = true;
		buf_puts(&r->at, r->root);
	} else if (r->files->ops) {
		return err_set(err, ERR_USAGE, "%s is not in the store", r->path);
	} else if (*r->path != '/') {
		cwd = realpath(".", NULL);
		if (!cwd)
			return err_sys(err, errno, "the working directory");
		buf_puts(&r->at, strcmp(cwd, "/") == 0 ? "" : cwd);
	}
	buf_puts(&r->todo, r->path);
	return 0;
}

static void resolver_fini(struct resolver *r)
{
	buf_fini(&r->at);
	buf_fini(&r->todo);
}

int resolve_in_store(struct store_files *files, const char *path, char **out, struct err *err)
{
	const char *root = files->root;
	_cleanup_(resolver_fini) struct resolver r = {
	        .files = files,
	        .path = path,
	        .root = root,
	        .root_len = strlen(root),
	        .store_len = strlen(root) + strlen(STORE_DIR),
	        .at = BUF_INIT,
	        .todo = BUF_INIT,
	        .inside = !*root,
	};
	char shown[SHOW_SIZE], end[SHOW_SIZE];
	int rc = start(&r, err);

	if (rc < 0)
		return rc;
	rc = run(&r, err);
	if (rc < 0)
		return rc;
	if (!below_store(&r)) {
		const char *at = r.at.n ? r.at.p : "/";

		if (strcmp(path, at) == 0)
			return err_set(err, ERR_USAGE, "%s is not in a Nix store",
			               show_str(str_from(path), shown));
		return err_set(err, ERR_USAGE, "%s is not in a Nix store: it is a link to %s",
		               show_str(str_from(path), shown), show_str(str_from(at), end));
	}
	*out = xstrdup(r.at.p + r.root_len);
	return 0;
}
