/* SPDX-License-Identifier: MIT */
#include "source/source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cache/cache.h"
#include "cache/nar_files.h"
#include "source/netrc.h"
#include "store/resolve.h"
#include "ui/ui.h"

#define DEFAULT_CACHE "https://cache.nixos.org"
#define DEFAULT_KEY "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="
#define JOBS 16u
#define CONNECT_TIMEOUT_S 15u
#define ANSWER_TIMEOUT_S 300u /* Nix's stalled-download-timeout */
#define STALL_TIMEOUT_S 30u
#define TRIES 5u

/* ---- the local store --------------------------------------------------------- */

/* The system may be named by its 32 digits alone. */
static int find_system(struct system_source *s, const char *system, char **path, struct err *err)
{
	_free_ char *found = local_store_find(s->store, str_from(system));
	struct store_path sp;
	int rc = resolve_in_store(&s->host, found ? found : system, path, err);

	if (rc == 0 && store_path_parse(str_from(*path), &sp, err) < 0) {
		err->code = ERR_USAGE;
		rc = -ERR_USAGE;
	}
	return rc;
}

static int open_store(struct system_source *s, const char *root, const char *system,
                      struct err *err)
{
	_free_ char *path = NULL;
	const struct path_info *top;
	int rc = local_store_open(root, &s->store, err);

	if (rc == 0)
		rc = store_files_host(&s->host, root, err);
	if (rc == 0)
		rc = find_system(s, system, &path, err);
	if (rc == 0)
		rc = local_store_closure(s->store, path, &s->closure, err);
	if (rc == 0)
		rc = local_store_measure(s->store, &s->closure, err);
	if (rc < 0) {
		local_store_free(s->store);
		store_files_fini(&s->host);
		s->store = NULL;
		return rc;
	}
	top = closure_find(&s->closure, path);
	s->toplevel = top->path;
	s->files = &s->host;
	return 0;
}

/* ---- caches ------------------------------------------------------------------ */

static void warn(const char *text)
{
	ui_warn("%s", text);
}

char *source_cache_dir(const char *option, const struct conf *conf)
{
	const char *dir = option ? option : conf->cache_dir;
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (dir)
		return strcmp(dir, "none") == 0 ? NULL : xstrdup(dir);
	if (geteuid() == 0)
		return NULL;
	if (xdg && *xdg == '/')
		return xasprintf("%s/domstrap", xdg);
	return home && *home == '/' ? xasprintf("%s/.cache/domstrap", home) : NULL;
}

static int add_key(struct system_source *s, const char *text, const char *where, struct err *err)
{
	int rc;

	if (s->n_keys == ARRAY_LEN(s->keys))
		return err_set(err, ERR_LIMIT, "more than %zu trusted keys", ARRAY_LEN(s->keys));
	rc = public_key_parse(str_from(text), &s->keys[s->n_keys], err);
	if (rc < 0)
		return err_prefix(err, "%s", where);
	s->n_keys++;
	return 0;
}

/* Keys of the configuration file, else the public cache's key; and those of the command line. */
static int set_keys(struct system_source *s, const struct source_options *opt, struct err *err)
{
	_free_ char *where = xasprintf("%s: trusted-keys", opt->conf ? opt->conf : CONF_FILE);
	int rc = 0;

	for (size_t i = 0; i < s->conf.n_keys && rc == 0; i++)
		rc = add_key(s, s->conf.keys[i], where, err);
	if (rc == 0 && !s->conf.n_keys)
		rc = add_key(s, DEFAULT_KEY, "the default key", err);
	for (size_t i = 0; i < opt->trusted_keys.n && rc == 0; i++) {
		rc = add_key(s, opt->trusted_keys.items[i], "--trusted-key", err);
		if (rc < 0)
			err->code = ERR_USAGE;
	}
	return rc < 0 ? -(int)err->code : 0;
}

static const char *ca_file(void)
{
	static const char *const names[] = {"CURL_CA_BUNDLE", "NIX_SSL_CERT_FILE", "SSL_CERT_FILE"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = getenv(names[i]);

		if (v && *v)
			return v;
	}
	return NULL;
}

static int open_caches(struct system_source *s, const struct source_options *opt,
                       const char *const *from, size_t n_from, const atomic_bool *stop,
                       struct err *err)
{
	static const char *const public_cache[] = {DEFAULT_CACHE};
	const struct conf *conf = &s->conf;
	struct caches_options co = {
	        .from = n_from           ? from
	                : conf->n_caches ? conf->caches
	                                 : public_cache,
	        .n_from = n_from           ? n_from
	                  : conf->n_caches ? conf->n_caches
	                                   : 1,
	        .keys = s->keys,
	        .check_sigs = !opt->no_check_sigs,
	        .dir = s->cache_dir = source_cache_dir(opt->cache_dir, conf),
	        .dir_asked = opt->cache_dir || conf->cache_dir,
	        .keeps_nothing = opt->dry_run,
	        .warn = warn,
	        .http =
	                {
	                        .jobs = opt->jobs    ? opt->jobs
	                                : conf->jobs ? conf->jobs
	                                             : JOBS,
	                        .connect_timeout = conf->connect_timeout ? conf->connect_timeout
	                                                                 : CONNECT_TIMEOUT_S,
	                        .answer_timeout = conf->answer_timeout ? conf->answer_timeout
	                                                               : ANSWER_TIMEOUT_S,
	                        .stall_timeout =
	                                conf->stall_timeout ? conf->stall_timeout : STALL_TIMEOUT_S,
	                        .tries = conf->tries ? conf->tries : TRIES,
	                        .ca_file = ca_file(),
	                        .agent = "domstrap/" VERSION,
	                        .stop = stop,
	                },
	};
	int rc = set_keys(s, opt, err);

	if (rc == 0)
		rc = netrc_find(conf->netrc, &s->netrc, err);
	if (rc < 0)
		return rc;
	co.n_keys = s->n_keys;
	co.http.netrc = s->netrc;
	if (opt->no_check_sigs)
		ui_warn("signatures are not checked: whoever controls a cache, or the network path "
		        "to it, decides what is in this guest");
	for (size_t i = 0; i < co.n_from; i++) {
		_free_ char *shown = cache_shown(co.from[i]);

		ui_detail("from %s", shown);
	}
	return caches_open(&co, &s->caches, err);
}

/* ---- opening ----------------------------------------------------------------- */

static int use_caches(struct system_source *s, const struct source_options *opt,
                      const char *const *from, size_t n_from, const struct source_request *w,
                      struct err *err)
{
	int rc = open_caches(s, opt, from, n_from, w->stop, err);

	if (rc < 0)
		return rc;
	ui_say("querying the closure of %s", w->system);
	rc = caches_closure(s->caches, w->system, w->have, &s->closure, &s->toplevel, err);
	if (rc < 0)
		return rc;
	s->files = nar_files_new(s->caches, &s->closure, w->have, w->spool_dir);
	return nar_files_outputs(s->files, &s->closure, err);
}

/* A name that a cache could have, too. */
static bool is_store_name(const char *system)
{
	struct store_path sp;

	return strlen(system) == STORE_DIGEST_LEN || store_path_is(str_from(system), &sp);
}

static int choose(struct system_source *s, const struct source_options *opt,
                  const struct source_request *w, struct err *err)
{
	const struct text_list *from = &opt->from;
	bool automatic = !from->n || (from->n == 1 && strcmp(from->items[0], "auto") == 0);
	struct err local;
	int rc;

	for (size_t i = 0; i < from->n && !automatic; i++)
		if (strcmp(from->items[i], "auto") == 0)
			return err_set(err, ERR_USAGE,
			               "--from auto and another --from are mutually exclusive");
	if (automatic) {
		rc = open_store(s, "", w->system, err);
		if (rc != -ERR_NOENT || !is_store_name(w->system))
			return rc;
		ui_detail("%s", err->text);
		local = *err;
		rc = use_caches(s, opt, NULL, 0, w, err);
		/* Keep the local store's error: the user may not know about caches. */
		return rc < 0 ? err_prefix(err, "%s; trying the caches", local.text) : rc;
	}
	if (from->n == 1 && !cache_is_url(from->items[0]))
		return open_store(s, from->items[0], w->system, err);
	return use_caches(s, opt, from->items, from->n, w, err);
}

const char *source_tmp(const char *fallback)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp == '/' ? tmp : fallback;
}

int source_open(struct system_source *s, const struct source_options *opt,
                const struct source_request *req, struct err *err)
{
	int rc = conf_load(opt->conf ? opt->conf : CONF_FILE, opt->conf, &s->conf, err);

	if (rc == 0)
		rc = choose(s, opt, req, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->closure.n && opt->no_sigs; i++)
		free(take(&s->closure.paths[i].sigs));
	source_list(s, req->have);
	return 0;
}

void source_fini(struct system_source *s)
{
	if (s->files && s->files != &s->host)
		nar_files_free(s->files);
	store_files_fini(&s->host);
	caches_free(s->caches);
	local_store_free(s->store);
	closure_fini(&s->closure);
	conf_fini(&s->conf);
	free(s->items);
	free(s->numbers);
	free(s->cache_dir);
	free(s->netrc);
}
