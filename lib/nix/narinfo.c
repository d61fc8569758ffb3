/* SPDX-License-Identifier: MIT */
#include "nix/narinfo.h"
#include "base/mem.h"
#include "base/show.h"
#include "nix/content_address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_COMPRESSION "bzip2"
#define UNKNOWN_DERIVER "unknown-deriver"
/* Compressors add little to what they cannot compress. */
#define FILE_SLACK 65536u

struct parser {
	struct narinfo info;
	unsigned seen; /* bit per field */
	size_t refs_cap, sigs_cap;
};

static int refuse(struct err *err, const char *key, struct str value, const char *rule)
{
	char shown[SHOW_SIZE];

	return err_set(err, ERR_FORMAT, "narinfo: %s \"%s\": %s", key, show_str(value, shown),
	               rule);
}

uint64_t narinfo_file_max(uint64_t nar_size)
{
	return nar_size + nar_size / 8 + FILE_SLACK;
}

/* A base name, with or without the store before it. */
static int parse_base(struct str value, struct store_path *out, struct err *err)
{
	if (str_starts(value, STORE_DIR "/"))
		value = str_drop(value, strlen(STORE_DIR "/"));
	return store_path_parse_base(value, out, err);
}

static int parse_store_path(struct parser *p, struct str value, struct err *err)
{
	return store_path_parse(value, &p->info.path, err);
}

static bool url_char(char c)
{
	return c > ' ' && c < 0x7f && c != '\\' && c != '#' && c != '"' && c != '<' && c != '>';
}

/* Escaped '.' and '/' could hide a "..". */
static bool hides_dots(struct str path)
{
	for (size_t i = 0; i + 2 < path.n; i++)
		if (path.p[i] == '%' && (strncasecmp(path.p + i, "%2e", 3) == 0 ||
		                         strncasecmp(path.p + i, "%2f", 3) == 0 ||
		                         strncasecmp(path.p + i, "%5c", 3) == 0))
			return true;
	return false;
}

/* "//host/path", behind the scheme. */
static int check_absolute(struct str value, struct str rest, struct err *err)
{
	struct str host = str_cut(&rest, '/');

	if (!host.n || !rest.p)
		return refuse(err, "URL", value, "it has no host or no path");
	if (memchr(host.p, '@', host.n))
		return refuse(err, "URL", value, "it contains a user name or password");
	return 0;
}

/* Below the cache; "./" as some caches write it. */
static int check_relative(struct str value, struct str path, struct err *err)
{
	struct str parts = path, last = {0};

	if (path.n && memchr(path.p, ':', path.n))
		return refuse(err, "URL", value, "expected http://, https:// or a relative URL");
	if (hides_dots(path))
		return refuse(err, "URL", value, "it leads out of the cache");
	while (parts.p) {
		last = str_cut(&parts, '/');
		if (!last.n || str_is(last, ".."))
			return refuse(err, "URL", value, "it leads out of the cache");
	}
	return str_is(last, ".") ? refuse(err, "URL", value, "it does not name a file") : 0;
}

bool narinfo_url_is_absolute(struct str url)
{
	return str_starts(url, "http://") || str_starts(url, "https://");
}

static int parse_url(struct parser *p, struct str value, struct err *err)
{
	struct str rest = value, path = str_cut(&rest, '?');
	int rc;

	if (!value.n || value.n > NARINFO_URL_MAX)
		return refuse(err, "URL", value, "expected 1 to 2048 bytes");
	for (size_t i = 0; i < value.n; i++)
		if (!url_char(value.p[i]))
			return refuse(err, "URL", value, "it has a character that must be escaped");
	if (narinfo_url_is_absolute(value))
		rc = check_absolute(value, str_drop(value, value.p[4] == 's' ? 8 : 7), err);
	else
		rc = check_relative(value, path, err);
	if (rc == 0)
		p->info.url = value;
	return rc;
}

static int parse_compression(struct parser *p, struct str value, struct err *err)
{
	if (value.n > NARINFO_COMPRESSION_MAX)
		return refuse(err, "Compression", value, "longer than 64 bytes");
	p->info.compression = value;
	return 0;
}

static int parse_file_hash(struct parser *p, struct str value, struct err *err)
{
	int rc = hash_parse(value, p->info.file_hash, err);

	p->info.has_file_hash = rc == 0;
	return rc < 0 ? err_prefix(err, "narinfo: FileHash") : 0;
}

static int parse_size(const char *key, struct str value, uint64_t *out, struct err *err)
{
	if (!str_u64(value, 10, NARINFO_NAR_MAX, out) || *out == 0)
		return refuse(err, key, value, "not a size from 1 byte to 1024 TiB");
	return 0;
}

static int parse_file_size(struct parser *p, struct str value, struct err *err)
{
	/* Some caches write 0 for an unknown size. */
	if (str_is(value, "0"))
		return 0;
	return parse_size("FileSize", value, &p->info.file_size, err);
}

static int parse_nar_hash(struct parser *p, struct str value, struct err *err)
{
	int rc = hash_parse(value, p->info.nar_hash, err);

	return rc < 0 ? err_prefix(err, "narinfo: NarHash") : 0;
}

static int parse_nar_size(struct parser *p, struct str value, struct err *err)
{
	return parse_size("NarSize", value, &p->info.nar_size, err);
}

static int parse_refs(struct parser *p, struct str value, struct err *err)
{
	while (value.p) {
		struct str word = str_cut(&value, ' ');
		struct store_path sp;
		int rc;

		if (!word.n)
			continue;
		rc = parse_base(word, &sp, err);
		if (rc < 0)
			return err_prefix(err, "narinfo: References");
		if (p->info.nrefs == NARINFO_REFS_MAX)
			return err_set(err, ERR_LIMIT, "narinfo: more than %u references",
			               NARINFO_REFS_MAX);
		GROW(p->info.refs, p->info.nrefs, p->refs_cap);
		p->info.refs[p->info.nrefs++] = sp.base;
	}
	return 0;
}

static int parse_deriver(struct parser *p, struct str value, struct err *err)
{
	struct store_path sp;
	int rc;

	if (!value.n || str_is(value, UNKNOWN_DERIVER))
		return 0;
	rc = parse_base(value, &sp, err);
	if (rc < 0)
		return err_prefix(err, "narinfo: Deriver");
	p->info.deriver = sp.base;
	return 0;
}

/* A signature's form is checked when it is used: others may be valid. */
static int parse_sig(struct parser *p, struct str value, struct err *err)
{
	if (!value.n || memchr(value.p, ' ', value.n))
		return refuse(err, "Sig", value, "not name:base64");
	for (size_t i = 0; i < p->info.nsigs; i++)
		if (str_eq(p->info.sigs[i], value))
			return 0;
	if (p->info.nsigs == NARINFO_SIGS_MAX)
		return err_set(err, ERR_LIMIT, "narinfo: more than %u signatures",
		               NARINFO_SIGS_MAX);
	GROW(p->info.sigs, p->info.nsigs, p->sigs_cap);
	p->info.sigs[p->info.nsigs++] = value;
	return 0;
}

static int parse_ca(struct parser *p, struct str value, struct err *err)
{
	if (value.n && !ca_valid(value))
		return refuse(err, "CA", value, "not a content address");
	p->info.ca = value;
	return 0;
}

static const struct field {
	const char *key;
	int (*parse)(struct parser *p, struct str value, struct err *err);
	bool needed, repeats;
} fields[] = {
        {"StorePath", parse_store_path, true, false},
        {"URL", parse_url, true, false},
        {"Compression", parse_compression, false, false},
        {"FileHash", parse_file_hash, false, false},
        {"FileSize", parse_file_size, false, false},
        {"NarHash", parse_nar_hash, true, false},
        {"NarSize", parse_nar_size, true, false},
        {"References", parse_refs, false, false},
        {"Deriver", parse_deriver, false, false},
        {"Sig", parse_sig, false, true},
        {"CA", parse_ca, false, false},
};

static int parse_line(struct parser *p, struct str line, struct err *err)
{
	struct str value = line, key = str_cut(&value, ':');
	char shown[SHOW_SIZE];

	if (!value.p)
		return err_set(err, ERR_FORMAT, "narinfo: \"%s\" is not a line \"key: value\"",
		               show_str(line, shown));
	value = str_trim(value);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!str_is(key, fields[i].key))
			continue;
		if (p->seen & 1u << i && !fields[i].repeats)
			return err_set(err, ERR_FORMAT, "narinfo: duplicate %s", fields[i].key);
		p->seen |= 1u << i;
		return fields[i].parse(p, value, err);
	}
	return 0;
}

static int compare_str(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void sort_refs(struct narinfo *n)
{
	size_t kept = 0;

	if (n->nrefs > 1)
		qsort(n->refs, n->nrefs, sizeof *n->refs, compare_str);
	for (size_t i = 0; i < n->nrefs; i++)
		if (!kept || !str_eq(n->refs[kept - 1], n->refs[i]))
			n->refs[kept++] = n->refs[i];
	n->nrefs = kept;
}

/* Checks that involve several lines. */
static int check(struct parser *p, struct str digest, struct err *err)
{
	struct narinfo *n = &p->info;
	char shown[SHOW_SIZE], asked[SHOW_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].needed && !(p->seen & 1u << i))
			return err_set(err, ERR_FORMAT, "narinfo: %s is missing", fields[i].key);
	if (!str_eq(n->path.digest, digest))
		return err_set(err, ERR_MISMATCH, "narinfo: describes %s, not %s",
		               show_str(n->path.base, shown), show_str(digest, asked));
	if (n->file_size > narinfo_file_max(n->nar_size))
		return err_set(err, ERR_FORMAT,
		               "narinfo: FileSize %llu is implausibly large for a NarSize of %llu",
		               (unsigned long long)n->file_size, (unsigned long long)n->nar_size);
	if (!n->compression.n)
		n->compression = STR(DEFAULT_COMPRESSION);
	sort_refs(n);
	return 0;
}

int narinfo_parse(struct str text, struct str digest, struct narinfo *out, struct err *err)
{
	struct parser p = {0};
	int rc = 0;

	if (text.n > NARINFO_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "narinfo: %zu bytes, more than the limit of %u",
		               text.n, NARINFO_BYTES_MAX);
	if (text.n && memchr(text.p, '\0', text.n))
		return err_set(err, ERR_FORMAT, "narinfo: contains a NUL");
	while (text.p && rc == 0) {
		struct str line = str_trim(str_cut(&text, '\n'));

		if (line.n)
			rc = parse_line(&p, line, err);
	}
	if (rc == 0)
		rc = check(&p, digest, err);
	if (rc < 0) {
		narinfo_fini(&p.info);
		return rc;
	}
	*out = p.info;
	return 0;
}

void narinfo_fini(struct narinfo *n)
{
	free(n->refs);
	free(n->sigs);
	*n = (struct narinfo){0};
}

/* ---- fields from another process --------------------------------------------- */

/* Neither a line's end nor blanks around it: a line of a narinfo cannot have them in a value. */
static bool is_value(struct str s)
{
	return !s.n || (!memchr(s.p, '\n', s.n) && !memchr(s.p, '\0', s.n) && str_trim(s).n == s.n);
}

static bool refs_valid(const struct narinfo *n)
{
	struct store_path sp;

	for (size_t i = 0; i < n->nrefs; i++)
		if (!store_path_is_base(n->refs[i], &sp) ||
		    (i && str_cmp(n->refs[i - 1], n->refs[i]) >= 0))
			return false;
	return n->nrefs <= NARINFO_REFS_MAX;
}

static bool sigs_valid(const struct narinfo *n)
{
	struct parser p = {0};
	struct err ignored = ERR_INIT;
	bool ok = true;

	for (size_t i = 0; i < n->nsigs && ok; i++)
		ok = is_value(n->sigs[i]) && parse_sig(&p, n->sigs[i], &ignored) == 0 &&
		     p.info.nsigs == i + 1;
	free(p.info.sigs);
	return ok;
}

bool narinfo_complete(struct narinfo *n, struct str digest)
{
	struct parser p = {0};
	struct store_path sp;
	struct err ignored = ERR_INIT;

	return store_path_is_base(n->path.base, &n->path) && str_eq(n->path.digest, digest) &&
	       parse_url(&p, n->url, &ignored) == 0 && n->compression.n &&
	       is_value(n->compression) && parse_compression(&p, n->compression, &ignored) == 0 &&
	       n->nar_size && n->nar_size <= NARINFO_NAR_MAX &&
	       n->file_size <= narinfo_file_max(n->nar_size) && refs_valid(n) &&
	       (!n->deriver.n || store_path_is_base(n->deriver, &sp)) && sigs_valid(n) &&
	       is_value(n->ca) && parse_ca(&p, n->ca, &ignored) == 0;
}
