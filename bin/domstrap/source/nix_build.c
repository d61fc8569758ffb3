/* SPDX-License-Identifier: MIT */
#include "source/nix_build.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "nix/store_path.h"
#include "source/nix_flake.h"
#include "nixos/system.h"
#include "ui/rows.h"

#define MAX_JOBS_MAX 10000u

/* ---- options -------------------------------------------------------------- */

int option_max_jobs(const struct option_row *row, void *to, const char *text, struct err *err)
{
	uint64_t v;

	if (strcmp(text, "auto") != 0 && !str_u64(str_from(text), 10, MAX_JOBS_MAX, &v))
		return err_set(err, ERR_USAGE, "--max-jobs '%s': expected a number or auto", text);
	return option_text(row, to, text, err);
}

#define TEXT(long_name, argument, text, field)                                                     \
	ROW_TEXT(long_name, argument, text, struct nix_options, field)

const struct option_row nix_rows[] = {
        TEXT("nixpkgs", "PATH|NAME", "nixpkgs to build with (default: <nixpkgs>)", nixpkgs),
        TEXT("flake", "REF[#HOST]", "build a flake's nixosConfigurations.HOST instead", flake),
        TEXT("file", "FILE", "build the NixOS system that a Nix file evaluates to", file),
        TEXT("attr", "ATTR", "its attribute in FILE (default FILE: " NIX_SYSTEM_FILE ")", attr),
        {.name = "option",
         0,
         "NAME VALUE",
         "a setting of nix.conf(5); may repeat",
         option_list,
         offsetof(struct nix_options, option),
         .two = true},
        ROW_TRUE("show-trace", "print where an evaluation error comes from", struct nix_options,
                 show_trace),
        {.name = "print-build-logs",
         'L',
         NULL,
         "print the builders' full output",
         option_true,
         offsetof(struct nix_options, build_logs)},
        TEXT("log-format", "FORMAT", "of Nix's messages: raw, bar, internal-json…", log_format),
};

/* Which options require or exclude each other. */
static int check_build(const struct nix_options *o, struct err *err)
{
	if (!!o->config + !!o->flake + (o->file || o->attr) > 1)
		return err_set(err, ERR_USAGE,
		               "--config, --flake and --file (or --attr) are mutually exclusive");
	if (o->flake && o->nixpkgs)
		return err_set(
		        err, ERR_USAGE,
		        "--nixpkgs requires --config or --file; a flake has its own nixpkgs input");
	if (o->flake && (*o->flake == '-' || !*o->flake))
		return err_set(err, ERR_USAGE,
		               "--flake '%s': expected a flake reference such as . or .#web1",
		               o->flake);
	if (o->attr && !*o->attr)
		return err_set(err, ERR_USAGE,
		               "--attr: empty attribute; omit --attr if the file itself evaluates "
		               "to the system");
	return 0;
}

int nix_options_check(const struct nix_options *o, const char *system, bool from, struct err *err)
{
	const char *build = o->config ? "--config" : o->flake ? "--flake" : "--file";

	if (!nix_wanted(o) && (o->nixpkgs || o->option.n || o->max_jobs || o->log_format ||
	                       o->show_trace || o->build_logs))
		return err_set(err, ERR_USAGE,
		               "--nixpkgs, --option, --max-jobs, --log-format, --show-trace and -L "
		               "require --config, --file or --flake");
	if (nix_wanted(o) && system)
		return err_set(
		        err, ERR_USAGE,
		        "--system (a built system) and %s (builds one) are mutually exclusive",
		        build);
	if (nix_wanted(o) && from)
		return err_set(err, ERR_USAGE,
		               "--from requires --system; a system built by this command is in the "
		               "host's store");
	return check_build(o, err);
}

/* ---- the result ----------------------------------------------------------- */

/* Check the link's directory before the build, which could not be kept without it. */
static int check_place(const char *link, struct err *err)
{
	_free_ char *dir = xstrdup(link);
	char *slash = strrchr(dir, '/');

	if (!slash)
		strcpy(dir, ".");
	else
		slash[slash == dir] = '\0';
	return access(dir, W_OK | X_OK) < 0 ? err_sys(err, errno, "%s", dir) : 0;
}

/* Only a link into a store may be replaced. */
static int check_link(const char *link, struct err *err)
{
	char target[4096];
	ssize_t n = readlink(link, target, sizeof target - 1);

	if (n < 0 && errno == ENOENT)
		return check_place(link, err);
	if (n < 0 && errno != EINVAL)
		return err_sys(err, errno, "%s", link);
	target[n < 0 ? 0 : n] = '\0';
	if (strncmp(target, "/nix/store/", strlen("/nix/store/")) != 0)
		return err_set(err, ERR_EXISTS,
		               "%s: already exists and is not a link to a built system", link);
	return check_place(link, err);
}

/* Check the new link: unless it leads to a NixOS system, remove it. */
static int read_result(const char *link, char **system, struct err *err)
{
	struct nixos_system s = {0};
	int rc = nixos_system_load("", link, &s, err);

	if (rc < 0) {
		(void)unlink(link);
		return rc;
	}
	*system = xstrdup(s.toplevel);
	nixos_system_fini(&s);
	return 0;
}

static int parse_path(struct str json, char **system, struct err *err)
{
	json_t *v = json_loadb(json.p ? json.p : "", json.n, JSON_DECODE_ANY, NULL);
	const char *text = json_string_value(v);
	struct store_path sp;
	int rc;

	if (!text)
		rc = err_set(err, ERR_FORMAT, "Nix did not print the system's store path");
	else
		rc = store_path_parse(str_from(text), &sp, err);
	if (rc == 0)
		*system = xstrdup(text);
	json_decref(v);
	return rc;
}

static int build_args(struct nix_args *a, const struct nix_request *req, struct err *err)
{
	if (req->opt->flake)
		return nix_flake_args(a, req, err);
	return req->opt->config ? nix_config_args(a, req, err) : nix_file_args(a, req, err);
}

int nix_build(const struct nix_request *req, char **system, struct err *err)
{
	_cleanup_(nix_args_fini) struct nix_args args = {0};
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	int rc = req->dry_run ? 0 : check_link(req->link, err);

	if (rc == 0)
		rc = build_args(&args, req, err);
	if (rc < 0)
		return rc;
	if (!req->dry_run) {
		nix_args_add(&args, "--out-link");
		nix_args_add(&args, req->link);
	}
	rc = nix_run(&args, &out, err);
	if (rc == -ERR_CHILD && req->opt->config)
		nix_config_explain(req, args.v[0], err);
	if (rc < 0)
		return rc;
	return req->dry_run ? parse_path(buf_str(&out), system, err)
	                    : read_result(req->link, system, err);
}

int nix_build_guest(const struct nix_request *req, char **system, struct err *err)
{
	_free_ char *path = NULL;
	int rc = nix_build(req, &path, err);

	if (rc == 0 && access(path, F_OK) < 0)
		rc = err_set(err, ERR_NOENT,
		             "%s is not built yet, so --dry-run cannot read it; run \"domstrap "
		             "build\" first",
		             path);
	if (rc == 0)
		*system = take(&path);
	return rc;
}
