/* SPDX-License-Identifier: MIT */
#include "source/nix_flake.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/show.h"
#include "host/program.h"

/* ---- command lines -------------------------------------------------------- */

void nix_args_add(struct nix_args *a, const char *word)
{
	/* The last element stays NULL. */
	if (a->n + 1 == ARRAY_LEN(a->v))
		abort();
	a->v[a->n++] = xstrdup(word);
}

void nix_args_fini(struct nix_args *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
	*a = (struct nix_args){0};
}

/* nix-build prints everything that builders print; "nix build" only a status line. */
void nix_args_common(struct nix_args *a, const struct nix_request *req)
{
	const struct nix_options *o = req->opt;

	for (size_t i = 0; i + 1 < o->option.n; i += 2) {
		nix_args_add(a, "--option");
		nix_args_add(a, o->option.items[i]);
		nix_args_add(a, o->option.items[i + 1]);
	}
	if (o->max_jobs && !req->dry_run) {
		nix_args_add(a, "--max-jobs");
		nix_args_add(a, o->max_jobs);
	}
	if (o->show_trace)
		nix_args_add(a, "--show-trace");
	if (o->log_format || o->build_logs) {
		nix_args_add(a, "--log-format");
		nix_args_add(a, o->log_format ? o->log_format : "bar-with-logs");
	}
	if (req->level < UI_NORMAL)
		nix_args_add(a, "--quiet");
	if (req->level > UI_NORMAL)
		nix_args_add(a, "--verbose");
}

void nix_args_flakes(struct nix_args *a, const char *subcommand)
{
	nix_args_add(a, "nix");
	nix_args_add(a, "--extra-experimental-features");
	nix_args_add(a, "nix-command flakes");
	nix_args_add(a, subcommand);
}

int nix_run(struct nix_args *a, struct buf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf line = BUF_INIT;
	int status, rc;

	for (size_t i = 0; i < a->n; i++)
		buf_putf(&line, " %s", a->v[i]);
	ui_detail("%s", line.p + 1);
	rc = program_run(a->v, false, out, &status, err);
	if (rc == -ERR_NOENT)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s not found in PATH; install Nix (Debian: apt install nix-bin; "
		               "else see nixos.org/download), or build on another machine and use "
		               "its cache: domstrap create NAME --system PATH --from CACHE",
		               a->v[0]);
	if (ui_signal())
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (rc < 0)
		return rc;
	return status ? err_set(err, ERR_CHILD, "%s failed with status %d; its messages are above",
	                        a->v[0], status)
	              : 0;
}

/* ---- which host ----------------------------------------------------------- */

static bool host_valid(struct str host)
{
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '-' && c != '_' && c != '.')
			return false;
	}
	return host.n > 0;
}

/* From the names of nixosConfigurations: the guest's, or the only one. */
static int choose(const json_t *names, const char *ref, const char *name, char **host,
                  struct err *err)
{
	_cleanup_(buf_fini) struct buf list = BUF_INIT;
	size_t n = json_array_size(names);
	const char *found = n == 1 ? json_string_value(json_array_get(names, 0)) : NULL;

	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(names, i));

		if (!s)
			continue;
		if (name && strcmp(s, name) == 0)
			found = s;
		buf_puts(&list, list.n ? ", " : "");
		str_escape(&list, str_from(s));
	}
	if (found) {
		*host = xstrdup(found);
		return 0;
	}
	if (!n)
		return err_set(err, ERR_USAGE, "--flake %s: the flake has no nixosConfigurations",
		               ref);
	return err_set(err, ERR_USAGE,
	               "--flake %s: its nixosConfigurations are %s; choose one with %s#HOST", ref,
	               list.n ? list.p : "unnamed", ref);
}

static int ask_for_host(const struct nix_request *req, const char *ref, char **host,
                        struct err *err)
{
	_cleanup_(nix_args_fini) struct nix_args args = {0};
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	_free_ char *installable = xasprintf("%s#nixosConfigurations", ref);
	struct nix_options opt = *req->opt;
	struct nix_request quiet = *req;
	json_t *names;
	int rc;

	/* Nix's messages of the evaluation are shown by the build. */
	opt.build_logs = false;
	quiet.opt = &opt;
	nix_args_flakes(&args, "eval");
	nix_args_add(&args, installable);
	nix_args_add(&args, "--apply");
	nix_args_add(&args, "builtins.attrNames");
	nix_args_add(&args, "--json");
	if (req->dry_run)
		nix_args_add(&args, "--no-write-lock-file");
	nix_args_common(&args, &quiet);
	rc = nix_run(&args, &out, err);
	if (rc < 0)
		return rc;
	names = json_loadb(out.p ? out.p : "", out.n, 0, NULL);
	rc = choose(names, ref, req->name, host, err);
	json_decref(names);
	return rc;
}

static int flake_installable(const struct nix_request *req, const char *attribute, char **out,
                             struct err *err)
{
	struct str given = str_from(req->opt->flake), part = str_cut(&given, '#');
	_free_ char *ref = part.n ? xstrndup(part.p, part.n) : xstrdup(".");
	_free_ char *host = NULL;
	char shown[SHOW_SIZE];
	int rc = 0;

	if (given.n)
		host = xstrndup(given.p, given.n);
	else
		rc = ask_for_host(req, ref, &host, err);
	if (rc == 0 && !host_valid(str_from(host)))
		rc = err_set(err, ERR_USAGE,
		             "--flake: host '%s': only letters, digits and \"-_.\" are allowed, as "
		             "in .#web1",
		             show_str(str_from(host), shown));
	if (rc == 0)
		*out = xasprintf("%s#nixosConfigurations.\"%s\"%s", ref, host, attribute);
	return rc;
}

int nix_flake_args(struct nix_args *a, const struct nix_request *req, struct err *err)
{
	_free_ char *installable = NULL;
	int rc = flake_installable(req,
	                           req->dry_run ? "." NIX_TOPLEVEL ".outPath" : "." NIX_TOPLEVEL,
	                           &installable, err);

	if (rc < 0)
		return rc;
	nix_args_flakes(a, req->dry_run ? "eval" : "build");
	nix_args_add(a, installable);
	if (req->dry_run) {
		nix_args_add(a, "--json");
		nix_args_add(a, "--no-write-lock-file");
	}
	nix_args_common(a, req);
	return 0;
}

char *nix_flake_dir(const char *flake)
{
	struct str given = str_from(flake), ref = str_cut(&given, '#');
	_free_ char *dir = NULL, *file = NULL;
	struct stat st;

	if (str_starts(ref, "path:"))
		ref = str_drop(ref, strlen("path:"));
	else if (ref.n && *ref.p != '.' && *ref.p != '/')
		return NULL;
	dir = ref.n ? xstrndup(ref.p, ref.n) : xstrdup(".");
	file = xasprintf("%s/flake.nix", dir);
	return stat(file, &st) == 0 ? take(&dir) : NULL;
}
