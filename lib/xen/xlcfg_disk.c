/* SPDX-License-Identifier: MIT */
/*
 * libxlutil parses a spec with a table of patterns: the one with the longest match
 * is used, and the first of several equally long ones. This is the same table.
 */
#include "xen/xlcfg_disk.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "base/str.h"
#include "xen/xlcfg_disk_fits.h"

/* Keys that are ignored here, but may appear only once. */
static const char *const once[] = {"colo-host=", "colo-export=", "active-disk=", "hidden-disk="};

struct scan {
	const char *spec;
	struct str rest;
	struct xl_disk_spec d;
	bool has_path, has_vdev; /* given, perhaps empty */
	bool old_prefix, access_set;
	char *seen[ARRAY_LEN(once)];
	struct err *err;
};

struct rule {
	const char *word;
	/* Its n is 0 if the pattern does not match. */
	struct xl_match (*fits)(const char *word, struct str rest);
	/* part: the text that the match consumes, without a final comma. -ERR_FORMAT. */
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

/* "hdc:cdrom", split at the last colon. *taken: there was one. */
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
	/* libxlutil ignores such a byte at the end of the spec. */
	return s->rest.n == 1 ? 0 : bad(s, "bad disk syntax", s->rest);
}

static const struct rule rules[] = {
        {"", xl_fits_blanks, nothing},
        {"format=", xl_fits_value, act_format},
        {"cdrom", xl_fits_flag, act_cdrom},
        {"devtype=cdrom", xl_fits_flag, act_cdrom},
        {"devtype=disk", xl_fits_flag, act_cdrom},
        {"devtype=", xl_fits_value, act_type},
        {"access=", xl_fits_value, act_access},
        {"backend=", xl_fits_value, act_backend},
        {"backendtype=", xl_fits_value, act_backendtype},
        {"specification=", xl_fits_value, act_specification},
        {"vdev=", xl_fits_value, act_vdev},
        {"script=", xl_fits_value, act_script},
        {"direct-io-safe", xl_fits_flag, nothing},
        {"discard", xl_fits_flag, act_discard},
        {"no-discard", xl_fits_flag, act_discard},
        {"colo", xl_fits_flag, nothing},
        {"no-colo", xl_fits_flag, nothing},
        {"colo-host=", xl_fits_value, act_once},
        {"colo-port=", xl_fits_value, act_colo_port},
        {"colo-export=", xl_fits_value, act_once},
        {"active-disk=", xl_fits_value, act_once},
        {"hidden-disk=", xl_fits_value, act_once},
        {"trusted", xl_fits_flag, nothing},
        {"untrusted", xl_fits_flag, nothing},
        {"grant_usage=1", xl_fits_flag, nothing},
        {"grant_usage=0", xl_fits_flag, nothing},
        {"target=", xl_fits_target, act_target},
        {"", xl_fits_unknown, act_unknown},
        {"raw:", xl_fits_prefix, act_prefix},
        {"qcow:", xl_fits_prefix, act_prefix},
        {"qcow2:", xl_fits_prefix, act_prefix},
        {"vhd:", xl_fits_prefix, act_prefix},
        {"iscsi:", xl_fits_prefix, act_script_prefix},
        {"nbd:", xl_fits_prefix, act_script_prefix},
        {"enbd:", xl_fits_prefix, act_script_prefix},
        {"drbd:", xl_fits_prefix, act_script_prefix},
        {"tapdisk:", xl_fits_prefix, act_prefix},
        {"tap:", xl_fits_prefix, act_prefix},
        {"tap2:", xl_fits_prefix, act_prefix},
        {"aio:", xl_fits_prefix, act_prefix},
        {"ioemu:", xl_fits_prefix, act_prefix},
        {"file:", xl_fits_prefix, act_prefix},
        {"phy:", xl_fits_prefix, act_prefix},
        {"", xl_fits_unknown_prefix, act_unknown_prefix},
        {"", xl_fits_place, act_place},
        {"", xl_fits_rest, act_rest},
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
	struct xl_match most = {0, 0}, m;
	struct str part;
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		m = rules[i].fits(rules[i].word, s->rest);
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
