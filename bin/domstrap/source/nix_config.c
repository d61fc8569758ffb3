/* SPDX-License-Identifier: MIT */
/* Command lines that build a configuration, or what a Nix file evaluates to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "source/nix_flake.h"
#include "host/program.h"

/* A Nix expression for a path, whatever is in its name. */
static char *path_expression(const char *path)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "/. + \"");
	for (const char *p = path; *p; p++) {
		if (*p == '"' || *p == '\\' || *p == '$')
			buf_puts(&b, "\\");
		buf_put(&b, p, 1);
	}
	buf_puts(&b, "\"");
	return buf_steal(&b);
}

static int add_configuration(struct nix_args *a, const char *config, struct err *err)
{
	_free_ char *real = realpath(config, NULL);
	_free_ char *expression = NULL;
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return err_sys(err, errno, "%s", config);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE,
		               "%s: not a regular file; expected a NixOS configuration such as "
		               "configuration.nix",
		               config);
	if (access(real, R_OK) < 0)
		return err_sys(err, errno, "%s", config);
	expression = path_expression(real);
	nix_args_add(a, "--arg");
	nix_args_add(a, "configuration");
	nix_args_add(a, expression);
	return 0;
}

/* A path has a slash, a URL a colon; any other word is looked up in NIX_PATH. */
enum nixpkgs_kind {
	NIXPKGS_NAME,
	NIXPKGS_PATH,
	NIXPKGS_URL,
};

static enum nixpkgs_kind nixpkgs_kind(const char *s)
{
	if (*s != '/' && *s != '.' && strchr(s, ':'))
		return NIXPKGS_URL;
	return strchr(s, '/') || !strcmp(s, ".") || !strcmp(s, "..") ? NIXPKGS_PATH : NIXPKGS_NAME;
}

/* Its directory; the caller frees it. */
static int find_nixpkgs(const char *nixpkgs, char **real, struct err *err)
{
	_free_ char *dir = realpath(nixpkgs, NULL), *file = NULL;
	struct stat st;

	if (!dir)
		return err_sys(err, errno, "--nixpkgs %s", nixpkgs);
	file = xasprintf("%s/nixos/default.nix", dir);
	if (stat(file, &st) < 0)
		return err_set(err, ERR_USAGE,
		               "--nixpkgs %s: not a nixpkgs: it has no nixos/default.nix", nixpkgs);
	*real = take(&dir);
	return 0;
}

/* Set <nixpkgs>, in front of the entries of NIX_PATH. */
static void add_search_path(struct nix_args *a, const char *where)
{
	_free_ char *word = xasprintf("nixpkgs=%s", where);

	nix_args_add(a, "-I");
	nix_args_add(a, word);
}

static int add_nixpkgs(struct nix_args *a, const char *nixpkgs, struct err *err)
{
	const char *name = nixpkgs ? nixpkgs : "nixpkgs";
	enum nixpkgs_kind kind = nixpkgs_kind(name);
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                        "0123456789._+-");
	_free_ char *word = NULL, *real = NULL;
	int rc = kind == NIXPKGS_PATH ? find_nixpkgs(name, &real, err) : 0;

	if (rc < 0)
		return rc;
	if (kind == NIXPKGS_NAME && (!n || name[n] || *name == '-'))
		return err_set(err, ERR_USAGE,
		               "--nixpkgs '%s': expected a directory such as ./nixpkgs, or a name "
		               "in NIX_PATH",
		               name);
	if (kind == NIXPKGS_URL)
		add_search_path(a, name);
	word = kind == NIXPKGS_PATH  ? xasprintf("%s/nixos", real)
	       : kind == NIXPKGS_URL ? xstrdup("<nixpkgs/nixos>")
	                             : xasprintf("<%s/nixos>", name);
	nix_args_add(a, word);
	return 0;
}

/* -A ATTRIBUTE, and what makes nix-instantiate evaluate only. */
static void add_attribute(struct nix_args *a, const struct nix_request *req, const char *attribute)
{
	_free_ char *out_path = xasprintf("%s.outPath", attribute);

	nix_args_add(a, "-A");
	nix_args_add(a, req->dry_run ? out_path : attribute);
	if (req->dry_run) {
		nix_args_add(a, "--eval");
		nix_args_add(a, "--json");
	}
}

int nix_config_args(struct nix_args *a, const struct nix_request *req, struct err *err)
{
	int rc;

	nix_args_add(a, req->dry_run ? "nix-instantiate" : "nix-build");
	rc = add_nixpkgs(a, req->opt->nixpkgs, err);
	if (rc < 0)
		return rc;
	add_attribute(a, req, "system");
	rc = add_configuration(a, req->opt->config, err);
	if (rc == 0)
		nix_args_common(a, req);
	return rc;
}

void nix_config_explain(const struct nix_request *req, const char *program, struct err *err)
{
	const char *name = req->opt->nixpkgs ? req->opt->nixpkgs : "nixpkgs";
	_cleanup_(nix_args_fini) struct nix_args find = {0};
	_cleanup_(buf_fini) struct buf found = BUF_INIT;
	struct err unused = ERR_INIT;
	int status = 0;

	if (nixpkgs_kind(name) != NIXPKGS_NAME)
		return;
	nix_args_add(&find, "nix-instantiate");
	nix_args_add(&find, "--find-file");
	nix_args_add(&find, name);
	if (program_run(find.v, true, &found, &status, &unused) < 0 || !status)
		return;
	err_set(err, ERR_CHILD,
	        "%s failed: %s not found in NIX_PATH; pass --nixpkgs channel:nixos-26.05 or a "
	        "directory",
	        program, name);
}

/* ---- a file --------------------------------------------------------------- */

static int add_file(struct nix_args *a, const struct nix_options *o, struct err *err)
{
	const char *name = o->file ? o->file : NIX_SYSTEM_FILE;
	_free_ char *real = realpath(name, NULL);

	if (!real && errno == ENOENT && !o->file)
		return err_set(err, ERR_USAGE,
		               "--attr %s: no " NIX_SYSTEM_FILE
		               " in the current directory; name the file with --file",
		               o->attr);
	if (!real || access(real, R_OK) < 0)
		return err_sys(err, errno, "%s", name);
	nix_args_add(a, real);
	return 0;
}

int nix_file_args(struct nix_args *a, const struct nix_request *req, struct err *err)
{
	const struct nix_options *o = req->opt;
	_free_ char *attribute =
	        xasprintf("%s%s" NIX_TOPLEVEL, o->attr ? o->attr : "", o->attr ? "." : "");
	_free_ char *real = NULL;
	int rc = 0;

	nix_args_add(a, req->dry_run ? "nix-instantiate" : "nix-build");
	if (o->nixpkgs && nixpkgs_kind(o->nixpkgs) == NIXPKGS_NAME)
		return err_set(err, ERR_USAGE,
		               "--nixpkgs '%s': with --file, expected a directory such as "
		               "./nixpkgs, or a URL",
		               o->nixpkgs);
	if (o->nixpkgs && nixpkgs_kind(o->nixpkgs) == NIXPKGS_PATH)
		rc = find_nixpkgs(o->nixpkgs, &real, err);
	if (rc == 0 && o->nixpkgs)
		add_search_path(a, real ? real : o->nixpkgs);
	if (rc == 0)
		rc = add_file(a, o, err);
	if (rc < 0)
		return rc;
	add_attribute(a, req, attribute);
	nix_args_common(a, req);
	return 0;
}
