/* SPDX-License-Identifier: MIT */
#include "create/extra.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "create/keys_file.h"
#include "nixos/extra_files.h"
#include "nixos/guestconf.h"

#define ID_MAX 0xfffffffeu /* one more means "unchanged" to chown(2) */
#define MODE_MAX 07777u
#define AUTHORIZED "/root/.ssh/authorized_keys"

/* A change of a path in the guest. */
struct change_of {
	char *path; /* owned */
	uint32_t uid, gid, mode;
};

#define LIST(long_name, argument, text, field)                                                     \
	ROW_LIST(long_name, argument, text, struct extra_options, field)

const struct option_row extra_rows[] = {
        LIST("extra-files", "DIR", "copy the files in DIR to the root; may repeat", files),
        LIST("chown", "PATH:UID:GID", "owner of PATH and all below it (default: 0:0)", chowns),
        LIST("chmod", "PATH:MODE", "PATH's mode, octal (default: as in DIR)", chmods),
        LIST("ssh-host-key", "FILE", "private host key for sshd; may repeat", host_keys),
        LIST("authorized-key", "KEY", "public key of root, or a file of such; may repeat",
             authorized_keys),
};

/* ---- owners and modes ----------------------------------------------------- */

/* Cut "…:NUMBER" from the end; a path may have colons itself. */
static bool cut_number(char *text, unsigned base, uint32_t max, uint32_t *out)
{
	char *colon = strrchr(text, ':');
	uint64_t v;

	if (!colon || !str_u64(str_from(colon + 1), base, max, &v))
		return false;
	*colon = '\0';
	*out = (uint32_t)v;
	return true;
}

static int parse_chown(const char *text, struct change_of *out, struct err *err)
{
	_free_ char *path = xstrdup(text);

	if (!cut_number(path, 10, ID_MAX, &out->gid) || !cut_number(path, 10, ID_MAX, &out->uid) ||
	    *path != '/')
		return err_set(err, ERR_USAGE,
		               "--chown '%s': expected PATH:UID:GID with numbers, such as "
		               "/home/me:1000:100",
		               text);
	out->path = take(&path);
	return 0;
}

static int parse_chmod(const char *text, struct change_of *out, struct err *err)
{
	_free_ char *path = xstrdup(text);

	if (!cut_number(path, 8, MODE_MAX, &out->mode) || *path != '/')
		return err_set(err, ERR_USAGE,
		               "--chmod '%s': expected PATH:MODE with an octal mode, such as "
		               "/root/secret:0600",
		               text);
	out->path = take(&path);
	return 0;
}

static int check_changes(const struct extra_options *o, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < o->chowns.n + o->chmods.n && rc == 0; i++) {
		struct change_of c = {0};

		rc = i < o->chowns.n ? parse_chown(o->chowns.items[i], &c, err)
		                     : parse_chmod(o->chmods.items[i - o->chowns.n], &c, err);
		free(c.path);
	}
	return rc;
}

static int put_changes(const struct extra *x, const struct extra_files *files, struct err *err)
{
	const struct extra_options *o = x->opt;
	int rc = 0;

	for (size_t i = 0; i < o->chowns.n + o->chmods.n && rc == 0; i++) {
		bool owner = i < o->chowns.n;
		const char *text = owner ? o->chowns.items[i] : o->chmods.items[i - o->chowns.n];
		const char *option = owner ? "chown" : "chmod";
		struct change_of c = {0};
		_free_ char *place = NULL;

		rc = owner ? parse_chown(text, &c, err) : parse_chmod(text, &c, err);
		if (rc == 0 && (rc = extra_files_path_check(files, c.path, err)) < 0)
			err_prefix(err, "--%s", option);
		place = rc == 0 ? extra_files_place(files, c.path) : NULL;
		if (rc == 0 && !(owner ? tree_chown(files->tree, place, c.uid, c.gid)
		                       : tree_chmod(files->tree, place, c.mode)))
			rc = err_set(err, ERR_USAGE, "--%s '%s': no such file in the guest", option,
			             text);
		free(c.path);
	}
	return rc;
}

/* ---- keys ----------------------------------------------------------------- */

/* The .pub beside the key keeps its comment; without one it is made from the key. */
static int load_public(const char *file, struct extra_host_key *k, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	_free_ char *path = xasprintf("%s.pub", file);
	struct str line, rest;
	int rc = io_read_file(AT_FDCWD, path, SSH_KEY_FILE_MAX, &text, err);

	if (rc == -ERR_NOENT) {
		k->public = xasprintf("%s\n", k->key.line);
		return 0;
	}
	if (rc < 0)
		return rc;
	rest = buf_str(&text);
	line = str_trim(str_cut(&rest, '\n'));
	if (!ssh_key_matches(&k->key, line))
		return err_set(err, ERR_FORMAT, "%s: not the public key of %s", path, file);
	k->public = xasprintf("%.*s\n", STR_ARG(line));
	return 0;
}

static int load_host_key(struct extra *x, const char *file, struct err *err)
{
	struct extra_host_key k = {0};
	int rc = io_read_file(AT_FDCWD, file, SSH_KEY_FILE_MAX, &k.private, err);

	if (rc == 0 && (rc = ssh_key_parse(buf_str(&k.private), &k.key, err)) < 0)
		err_prefix(err, "--ssh-host-key %s", file);
	for (size_t i = 0; i < x->n_host_keys && rc == 0; i++)
		if (!strcmp(x->host_keys[i].key.type, k.key.type))
			rc = err_set(err, ERR_USAGE,
			             "--ssh-host-key %s: another key of type %s was given before",
			             file, k.key.type);
	if (rc == 0)
		rc = load_public(file, &k, err);
	if (rc < 0) {
		buf_fini(&k.private);
		ssh_key_fini(&k.key);
		return rc;
	}
	x->host_keys[x->n_host_keys++] = k;
	return 0;
}

static int authorize(void *ctx, struct str line, struct err *err)
{
	struct extra *x = ctx;

	(void)err;
	buf_put(&x->authorized, line.p, line.n);
	buf_puts(&x->authorized, "\n");
	return 0;
}

/* A text in the form of a key is a key; all else is a file name. */
static int load_authorized(struct extra *x, const char *text, struct err *err)
{
	size_t before = x->authorized.n;
	struct err ignored = ERR_INIT;
	int rc;

	if (guestconf_ssh_key_check(str_from(text), &ignored) == 0)
		return strchr(text, '\n')
		               ? err_set(err, ERR_USAGE,
		                         "--authorized-key: expected one key, on one line")
		               : authorize(x, str_from(text), err);
	rc = keys_file_read(text, authorize, x, err);
	if (rc == 0 && x->authorized.n == before)
		rc = err_set(err, ERR_USAGE, "--authorized-key %s: contains no key", text);
	return rc;
}

static int check_readable(const char *option, const struct text_list *files, struct err *err)
{
	for (size_t i = 0; i < files->n; i++)
		if (access(files->items[i], R_OK) < 0)
			return err_sys(err, errno, "%s%s", option, files->items[i]);
	return 0;
}

int extra_load(const struct extra_options *opt, struct extra *out, struct err *err)
{
	int rc;

	*out = (struct extra){.opt = opt};
	rc = check_changes(opt, err);
	if (rc == 0)
		rc = check_readable("--extra-files ", &opt->files, err);
	if (rc == 0)
		rc = check_readable("", &opt->host_keys, err);
	for (size_t i = 0; i < opt->authorized_keys.n && rc == 0; i++)
		rc = load_authorized(out, opt->authorized_keys.items[i], err);
	return rc;
}

int extra_load_keys(struct extra *x, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < x->opt->host_keys.n && rc == 0; i++)
		rc = load_host_key(x, x->opt->host_keys.items[i], err);
	return rc;
}

const char *extra_in_etc(const struct extra *x)
{
	if (x->opt->host_keys.n)
		return "--ssh-host-key";
	for (size_t i = 0; i < x->opt->files.n; i++) {
		_free_ char *etc = xasprintf("%s/etc", x->opt->files.items[i]);

		if (access(etc, F_OK) == 0)
			return "--extra-files";
	}
	return NULL;
}

bool extra_is_secret(const struct extra *x)
{
	return x->n_host_keys || (x->opt && x->opt->files.n);
}

static int put_keys(const struct extra *x, struct tree *root, const char *etc, struct err *err)
{
	_free_ char *ssh = xasprintf("%s/ssh", etc);
	int rc = x->n_host_keys ? extra_files_put_dir(root, ssh, 0755, err) : 0;

	for (size_t i = 0; i < x->n_host_keys && rc == 0; i++) {
		const struct extra_host_key *k = &x->host_keys[i];
		_free_ char *path = xasprintf("%s/ssh_host_%s_key", ssh, k->key.type);
		_free_ char *public = xasprintf("%s.pub", path);

		rc = extra_files_put_file(root, path, 0600, k->private.p, k->private.n, err);
		if (rc == 0)
			rc = extra_files_put_file(root, public, 0644, k->public, strlen(k->public),
			                          err);
	}
	if (rc < 0 || !x->authorized.n)
		return rc;
	rc = extra_files_put_dir(root, "/root/.ssh", 0700, err);
	return rc < 0 ? rc
	              : extra_files_put_file(root, AUTHORIZED, 0600, x->authorized.p,
	                                     x->authorized.n, err);
}

int extra_put(struct extra *x, struct tree *root, const char *etc, bool separate_boot,
              const char *spool_dir, struct err *err)
{
	struct extra_files files = {.tree = root, .separate_boot = separate_boot, .etc = etc};
	const struct text_list *dirs = &x->opt->files;
	int rc = dirs->n ? spool_open(spool_dir, &x->spool, err) : 0;

	files.spool = x->spool;
	for (size_t i = 0; i < dirs->n && rc == 0; i++) {
		_free_ char *real = realpath(dirs->items[i], NULL);

		rc = real ? extra_files_add(&files, real, err)
		          : err_sys(err, errno, "--extra-files %s", dirs->items[i]);
	}
	if (rc == 0)
		rc = put_keys(x, root, etc, err);
	return rc < 0 ? rc : put_changes(x, &files, err);
}

void extra_fini(struct extra *x)
{
	for (size_t i = 0; i < x->n_host_keys; i++) {
		struct extra_host_key *k = &x->host_keys[i];

		explicit_bzero(k->private.p, k->private.n);
		buf_fini(&k->private);
		ssh_key_fini(&k->key);
		free(k->public);
	}
	buf_fini(&x->authorized);
	if (x->spool > 0)
		io_close(&x->spool);
	*x = (struct extra){0};
}
