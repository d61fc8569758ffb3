/* SPDX-License-Identifier: MIT */
#include "store/local.h"
#include "store/store_db.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "nix/store_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DB_DIR "/nix/var/nix/db"
#define SCHEMA_SIZE_MAX 64

struct local_store {
	char *root; /* without slashes at its end */
	struct store_db *db;
};

/* A directory that users give instead of the root of a store. */
static bool is_cache(const char *root)
{
	_free_ char *info = xasprintf("%s/nix-cache-info", root);

	return access(info, F_OK) == 0;
}

/* An error message that names the missing or unreadable part of the store. */
static int explain(const char *root, struct err *err)
{
	const char *of = *root ? root : "this host";

	if (err->code == ERR_NOENT && is_cache(root))
		return err_set(err, ERR_NOENT,
		               "%s has no Nix store; it is a binary cache: use file:// and its "
		               "absolute path",
		               root);
	if (err->code == ERR_NOENT)
		return err_prefix(err, "%s has no Nix store", of);
	if (err->sys_errno == EACCES || err->sys_errno == EPERM)
		return err_prefix(err,
		                  "the Nix database of %s is not readable for this user; run as "
		                  "root or another user who can read it",
		                  of);
	return -(int)err->code;
}

/* The file "schema": a number, the version of the database schema. */
static int check_schema(const char *path, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	char shown[SHOW_SIZE];
	uint64_t version, known;
	struct str s;
	int rc = io_read_file(AT_FDCWD, path, SCHEMA_SIZE_MAX, &text, err);

	if (rc < 0)
		return rc;
	s = str_trim(buf_str(&text));
	if (!str_u64(s, 10, UINT32_MAX, &version))
		return err_set(err, ERR_FORMAT, "%s: \"%s\" is not a schema number", path,
		               show_str(s, shown));
	(void)str_u64(STR(STORE_DB_SCHEMA), 10, UINT32_MAX, &known);
	if (version > known)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: schema %llu is newer than " STORE_DB_SCHEMA
		               ", the newest that domstrap supports",
		               path, (unsigned long long)version);
	if (version < known)
		return err_set(
		        err, ERR_UNSUPPORTED,
		        "%s: schema %llu is older than " STORE_DB_SCHEMA
		        "; upgrade it by running any Nix command (Nix 1.12 or later) as root",
		        path, (unsigned long long)version);
	return 0;
}

int local_store_open(const char *root, struct local_store **out, struct err *err)
{
	_cleanup_(local_store_freep) struct local_store *s = xcalloc(1, sizeof *s);
	_free_ char *schema = NULL;
	_free_ char *db = NULL;
	size_t n = strlen(root);
	int rc;

	while (n && root[n - 1] == '/')
		n--;
	s->root = xstrndup(root, n);
	schema = xasprintf("%s" DB_DIR "/schema", s->root);
	db = xasprintf("%s" DB_DIR "/db.sqlite", s->root);
	rc = check_schema(schema, err);
	if (rc < 0)
		return explain(s->root, err);
	rc = store_db_open(db, &s->db, err);
	if (rc < 0)
		return explain(s->root, err);
	*out = take(&s);
	return 0;
}

void local_store_free(struct local_store *s)
{
	if (!s)
		return;
	store_db_free(s->db);
	free(s->root);
	free(s);
}

void local_store_freep(struct local_store **s)
{
	local_store_free(*s);
}

int local_store_closure(struct local_store *s, const char *toplevel, struct closure *out,
                        struct err *err)
{
	return store_db_closure(s->db, toplevel, out, err);
}

char *local_store_real_path(const struct local_store *s, const char *path)
{
	return xasprintf("%s%s", s->root, path);
}

const char *local_store_root(const struct local_store *s)
{
	return s->root;
}

char *local_store_find(const struct local_store *s, struct str digest)
{
	_free_ char *at = xasprintf("%s" STORE_DIR, s->root);
	DIR *dir = digest.n == STORE_DIGEST_LEN ? opendir(at) : NULL;
	char *found = NULL;
	struct store_path sp;
	struct dirent *de;

	while (dir && !found && (de = readdir(dir)))
		if (store_path_is_base(str_from(de->d_name), &sp) && str_eq(sp.digest, digest) &&
		    !str_ends(sp.name, ".lock"))
			found = store_path_format(&sp);
	if (dir)
		closedir(dir);
	return found;
}
