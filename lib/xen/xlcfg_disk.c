/* SPDX-License-Identifier: MIT */
/*
 * libxlutil takes a spec apart by a table of patterns: the longest that fits at a
 * place counts, of equally long ones the first. The same table is here, as rules.
 */
#include "xen/xlcfg_disk.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "base/str.h"

/* Keys that are of no use here, and may come once. */
static const char *const once[] = {"colo-host=", "colo-export=", "active-disk=", "hidden-disk="};

struct scan {
	const char *spec;
	struct str rest;
	struct xl_disk_spec d;
	bool has_path, has_vdev; /* said, be it empty */
	bool old_prefix, access_set;
	char *seen[ARRAY_LEN(once)];
	struct err *err;
};

/* What a rule finds: how much of the rest counts, and how much is used up. */
struct match {
	size_t n, used;
};

struct rule {
	const char *word;
	/* n is 0 where it does not fit. */
	struct match (*fits)(const struct rule *r, struct str rest);
	/* part: what is used up, without the comma at its end. -ERR_FORMAT. */
	int (*act)(struct scan *s, const struct rule *r, struct str part);
};

static int bad(const struct scan *s, const char *what, struct str at)
{
	char near[SHOW_SIZE], spec[SHOW_SIZE];

	return err_set(s->err, ERR_FORMAT, "disk '%s': %s%s%s%s", show_str(str_from(s->spec), spec),
	               what, at.n ? " near \"" : "", show_str(at, near), at.n ? "\"" : "");
}

static int save(struct scan *s, const char *what, char **field, struct str value)
{
	char text[64];

	if (*field && **field) {
		snprintf(text, sizeof text, "%s respecified", what);
		return bad(s, text, value);
	}
	free(*field);
	*field = xstrndup(value.p, value.n);
	return 0;
}

/* ---- values --------------------------------------------------------------- */

static const char *const formats[] = {"", "raw", "qcow", "qcow2", "vhd", "qed", "empty"};

const char *xlcfg_disk_format(enum xl_disk_format format)
{
	return formats[format];
}

static int set_format(struct scan *s, struct str value)
{
	enum xl_disk_format f = XL_FORMAT_RAW;

	while (value.n && f < ARRAY_LEN(formats) && !str_is(value, formats[f]))
		f++;
	if (f == ARRAY_LEN(formats))
		return bad(s, "unknown value for format", value);
	if (s->d.format && s->d.format != f)
		return bad(s, "format respecified", value);
	s->d.format = f;
	return 0;
}

static int set_access(struct scan *s, struct str value)
{
	s->d.readonly = str_is(value, "r") || str_is(value, "ro");
	if (s->d.readonly || !value.n || str_is(value, "rw") || str_is(value, "w"))
		return 0;
	return bad(s, "unknown value for access", value);
}

static int set_backendtype(struct scan *s, struct str value)
{
	static const char *const types[] = {"phy", "tap", "qdisk", "standalone"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!str_is(value, types[i]))
			continue;
		if (s->d.backendtype && strcmp(s->d.backendtype, types[i]) != 0)
			return bad(s, "backend respecified", value);
		free(s->d.backendtype);
		s->d.backendtype = xstrdup(types[i]);
		return 0;
	}
	return bad(s, "unknown value for backendtype", value);
}

static int set_vdev(struct scan *s, struct str value)
{
	s->has_vdev = true;
	return save(s, "vdev", &s->d.vdev, value);
}

/* "hdc:cdrom", where the last colon counts. *taken: it was one. */
static int set_vdev_and_type(struct scan *s, struct str value, bool *taken)
{
	const char *colon = memrchr(value.p, ':', value.n);
	struct str type;
	int rc;

	*taken = colon != NULL;
	if (!colon)
		return 0;
	type = str_drop(value, (size_t)(colon + 1 - value.p));
	rc = set_vdev(s, (struct str){value.p, (size_t)(colon - value.p)});
	s->d.cdrom = str_is(type, "cdrom");
	if (rc == 0 && !s->d.cdrom && !str_is(type, "disk"))
		rc = bad(s, "unknown deprecated type", type);
	return rc;
}

/* ---- actions -------------------------------------------------------------- */

static struct str value_of(const struct rule *r, struct str part)
{
	return str_drop(part, strlen(r->word));
}

static int nothing(struct scan *s, const struct rule *r, struct str part)
{
	return 0;
}

static int act_format(struct scan *s, const struct rule *r, struct str part)
{
	return set_format(s, value_of(r, part));
}

static int act_access(struct scan *s, const struct rule *r, struct str part)
{
	return set_access(s, value_of(r, part));
}

static int act_backend(struct scan *s, const struct rule *r, struct str part)
{
	return save(s, "backend", &s->d.backend, value_of(r, part));
}

static int act_backendtype(struct scan *s, const struct rule *r, struct str part)
{
	return set_backendtype(s, value_of(r, part));
}

static int act_specification(struct scan *s, const struct rule *r, struct str part)
{
	struct str value = value_of(r, part);

	return str_is(value, "xen") || str_is(value, "virtio")
	               ? 0
	               : bad(s, "unknown value for specification", value);
}

static int act_vdev(struct scan *s, const struct rule *r, struct str part)
{
	return set_vdev(s, value_of(r, part));
}

static int act_script(struct scan *s, const struct rule *r, struct str part)
{
	return save(s, "script", &s->d.script, value_of(r, part));
}

static int act_target(struct scan *s, const struct rule *r, struct str part)
{
	s->has_path = true;
	return save(s, "target", &s->d.path, value_of(r, part));
}

static int act_once(struct scan *s, const struct rule *r, struct str part)
{
	_free_ char *name = xstrndup(r->word, strlen(r->word) - 1);
	size_t i = 0;

	while (strcmp(once[i], r->word) != 0)
		i++;
	return save(s, name, &s->seen[i], value_of(r, part));
}

static int act_colo_port(struct scan *s, const struct rule *r, struct str part)
{
	_free_ char *value = xstrndup(value_of(r, part).p, value_of(r, part).n);

	return atoi(value) ? 0 : bad(s, "unknown value for colo_port", str_from(value));
}

static int act_cdrom(struct scan *s, const struct rule *r, struct str part)
{
	s->d.cdrom = !str_ends(part, "disk");
	return 0;
}

static int act_discard(struct scan *s, const struct rule *r, struct str part)
{
	s->d.discard = str_starts(part, "no-") ? -1 : 1;
	return 0;
}

static int act_type(struct scan *s, const struct rule *r, struct str part)
{
	return bad(s, "unknown value for type", part);
}

static int act_unknown(struct scan *s, const struct rule *r, struct str part)
{
	return bad(s, "unknown parameter", part);
}

static int act_prefix(struct scan *s, const struct rule *r, struct str part)
{
	struct str name = {part.p, part.n - 1};

	s->old_prefix = true;
	return str_is(name, "raw") || str_is(name, "qcow") || str_is(name, "qcow2") ||
	                       str_is(name, "vhd")
	               ? set_format(s, name)
	               : 0;
}

static int act_script_prefix(struct scan *s, const struct rule *r, struct str part)
{
	_free_ char *script = xasprintf("block-%.*s", (int)part.n - 1, part.p);

	s->old_prefix = true;
	return save(s, "script", &s->d.script, str_from(script));
}

static int act_unknown_prefix(struct scan *s, const struct rule *r, struct str part)
{
	return bad(s, "unknown deprecated disk prefix", part);
}

static int act_place(struct scan *s, const struct rule *r, struct str part)
{
	bool taken = false;
	int rc = 0;

	if (!s->has_path) {
		s->has_path = true;
		return save(s, "target", &s->d.path, part);
	}
	if (!s->old_prefix && !s->d.format) {
		if (!*s->d.path)
			rc = set_vdev_and_type(s, part, &taken);
		if (taken)
			s->d.format = XL_FORMAT_EMPTY;
		return taken ? rc : set_format(s, part);
	}
	if (!s->has_vdev) {
		rc = set_vdev_and_type(s, part, &taken);
		return taken ? rc : set_vdev(s, part);
	}
	if (s->access_set)
		return bad(s, "too many positional parameters", part);
	s->access_set = true;
	return set_access(s, part);
}

static int act_rest(struct scan *s, const struct rule *r, struct str part)
{
	/* One such byte at the very end is not noticed. */
	return s->rest.n == 1 ? 0 : bad(s, "bad disk syntax", s->rest);
}

/* ---- what fits ------------------------------------------------------------ */

/* How many bytes until one of stops. */
static size_t until(struct str s, const char *stops)
{
	size_t n = 0;

	while (n < s.n && !strchr(stops, s.p[n]))
		n++;
	return n;
}

static struct match whole(size_t n)
{
	return (struct match){n, n};
}

static struct match fits_blanks(const struct rule *r, struct str rest)
{
	size_t n = 0;

	while (n < rest.n && strchr(" \t\n", rest.p[n]))
		n++;
	return (struct match){n ? n + until(str_drop(rest, n), "\n") : 0, n};
}

/* Its comma is part of it. */
static size_t with_comma(struct str rest, size_t n)
{
	return n < rest.n && rest.p[n] == ',' ? n + 1 : n;
}

static struct match fits_flag(const struct rule *r, struct str rest)
{
	return whole(str_starts(rest, r->word) ? with_comma(rest, strlen(r->word)) : 0);
}

static struct match fits_value(const struct rule *r, struct str rest)
{
	return whole(str_starts(rest, r->word) ? with_comma(rest, until(rest, ",")) : 0);
}

static struct match fits_target(const struct rule *r, struct str rest)
{
	return whole(str_starts(rest, r->word) ? until(rest, "\n") : 0);
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static size_t word_length(struct str rest, const char *more)
{
	size_t n = rest.n && is_lower(rest.p[0]) ? 1 : 0;

	while (n && n < rest.n &&
	       (is_lower(rest.p[n]) || (rest.p[n] >= '0' && rest.p[n] <= '9') ||
	        strchr(more, rest.p[n])))
		n++;
	return n;
}

/* key=, one byte of its value, and perhaps a comma: longer than any other that fits there. */
static struct match fits_unknown(const struct rule *r, struct str rest)
{
	size_t n = word_length(rest, "-");

	if (!n || n + 1 >= rest.n || rest.p[n] != '=' || rest.p[n + 1] == ',')
		return whole(0);
	return whole(with_comma(rest, n + 2));
}

/* Counted with all that follows, so that it comes before a word in its place. */
static struct match fits_prefix(const struct rule *r, struct str rest)
{
	if (!str_starts(rest, r->word))
		return whole(0);
	return (struct match){until(rest, "\n"), strlen(r->word)};
}

static struct match fits_unknown_prefix(const struct rule *r, struct str rest)
{
	size_t n = word_length(rest, "");

	if (!n || n >= rest.n || rest.p[n] != ':')
		return whole(0);
	n++;
	if (n == rest.n || is_lower(rest.p[n]) || (rest.p[n] >= '0' && rest.p[n] <= '9'))
		return whole(n);
	return (struct match){n + 1 + until(str_drop(rest, n + 1), "\n"), n};
}

static struct match fits_place(const struct rule *r, struct str rest)
{
	return whole(with_comma(rest, until(rest, "=,")));
}

static struct match fits_rest(const struct rule *r, struct str rest)
{
	return whole(1);
}

static const struct rule rules[] = {
        {"", fits_blanks, nothing},
        {"format=", fits_value, act_format},
        {"cdrom", fits_flag, act_cdrom},
        {"devtype=cdrom", fits_flag, act_cdrom},
        {"devtype=disk", fits_flag, act_cdrom},
        {"devtype=", fits_value, act_type},
        {"access=", fits_value, act_access},
        {"backend=", fits_value, act_backend},
        {"backendtype=", fits_value, act_backendtype},
        {"specification=", fits_value, act_specification},
        {"vdev=", fits_value, act_vdev},
        {"script=", fits_value, act_script},
        {"direct-io-safe", fits_flag, nothing},
        {"discard", fits_flag, act_discard},
        {"no-discard", fits_flag, act_discard},
        {"colo", fits_flag, nothing},
        {"no-colo", fits_flag, nothing},
        {"colo-host=", fits_value, act_once},
        {"colo-port=", fits_value, act_colo_port},
        {"colo-export=", fits_value, act_once},
        {"active-disk=", fits_value, act_once},
        {"hidden-disk=", fits_value, act_once},
        {"trusted", fits_flag, nothing},
        {"untrusted", fits_flag, nothing},
        {"grant_usage=1", fits_flag, nothing},
        {"grant_usage=0", fits_flag, nothing},
        {"target=", fits_target, act_target},
        {"", fits_unknown, act_unknown},
        {"raw:", fits_prefix, act_prefix},
        {"qcow:", fits_prefix, act_prefix},
        {"qcow2:", fits_prefix, act_prefix},
        {"vhd:", fits_prefix, act_prefix},
        {"iscsi:", fits_prefix, act_script_prefix},
        {"nbd:", fits_prefix, act_script_prefix},
        {"enbd:", fits_prefix, act_script_prefix},
        {"drbd:", fits_prefix, act_script_prefix},
        {"tapdisk:", fits_prefix, act_prefix},
        {"tap:", fits_prefix, act_prefix},
        {"tap2:", fits_prefix, act_prefix},
        {"aio:", fits_prefix, act_prefix},
        {"ioemu:", fits_prefix, act_prefix},
        {"file:", fits_prefix, act_prefix},
        {"phy:", fits_prefix, act_prefix},
        {"", fits_unknown_prefix, act_unknown_prefix},
        {"", fits_place, act_place},
        {"", fits_rest, act_rest},
};

/* ---- the whole ------------------------------------------------------------ */

void xlcfg_disk_fini(struct xl_disk_spec *d)
{
	free(d->path);
	free(d->vdev);
	free(d->backend);
	free(d->backendtype);
	free(d->script);
	*d = (struct xl_disk_spec){.format = XL_FORMAT_UNSET};
}

static int scan_part(struct scan *s)
{
	const struct rule *best = NULL;
	struct match most = {0, 0}, m;
	struct str part;
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		m = rules[i].fits(&rules[i], s->rest);
		if (m.n > most.n) {
			most = m;
			best = &rules[i];
		}
	}
	part = (struct str){s->rest.p, most.used};
	if (str_ends(part, ","))
		part.n--;
	rc = best->act(s, best, part);
	s->rest = str_drop(s->rest, most.used);
	return rc;
}

static int complete(struct scan *s)
{
	struct xl_disk_spec *d = &s->d;

	if (!d->format)
		d->format = XL_FORMAT_RAW;
	if (d->cdrom) {
		d->readonly = true;
		if (!d->path || !*d->path)
			d->format = XL_FORMAT_EMPTY;
	}
	if (!s->has_vdev)
		return bad(s, "no vdev specified", STR(""));
	if (!s->has_path && !d->cdrom)
		return bad(s, "no target specified (and device not removable)", STR(""));
	if (!d->path)
		d->path = xstrdup("");
	return 0;
}

int xlcfg_disk_parse(const char *spec, struct xl_disk_spec *out, struct err *err)
{
	struct scan s = {.spec = spec, .rest = str_from(spec), .err = err};
	int rc = 0;

	while (s.rest.n && rc == 0)
		rc = scan_part(&s);
	if (rc == 0)
		rc = complete(&s);
	for (size_t i = 0; i < ARRAY_LEN(s.seen); i++)
		free(s.seen[i]);
	if (rc < 0)
		xlcfg_disk_fini(&s.d);
	else
		*out = s.d;
	return rc;
}

/* ---- what can be read ----------------------------------------------------- */

bool xlcfg_is_dom0(struct str domain)
{
	return !domain.n || str_is(domain, "0") || str_is(domain, "Domain-0");
}

/* "rbd:pool/image": a name that only QEMU knows what to make of. */
static bool is_protocol(const char *path)
{
	size_t n = word_length(str_from(path), "+-.");

	return n > 1 && path[n] == ':';
}

bool xlcfg_disk_is_raw(const struct xl_disk_spec *d, char *why, size_t n)
{
	if (d->script && *d->script)
		snprintf(why, n, "the script %s makes this disk when the guest starts", d->script);
	else if (d->backend && !xlcfg_is_dom0(str_from(d->backend)))
		snprintf(why, n, "it is in the domain \"%s\" (backend=), not on this host",
		         d->backend);
	else if (d->format == XL_FORMAT_EMPTY || !*d->path)
		snprintf(why, n, "the drive is empty");
	else if (d->format != XL_FORMAT_RAW)
		snprintf(why, n, "format %s: only raw disks can be read; convert it with qemu-img",
		         formats[d->format]);
	else if (is_protocol(d->path))
		snprintf(why, n, "a name for QEMU, no file of this host");
	else
		return true;
	return false;
}
