/* SPDX-License-Identifier: MIT */
#include "xen/xlcfg_read.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/str.h"

#include <string.h>

struct scanner {
	const char *p, *end;
	unsigned line;
	struct xlcfg_guest out;
};

void xlcfg_guest_fini(struct xlcfg_guest *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].path);
		free(d->v[i].vdev);
	}
	for (size_t i = 0; i < d->n_vifs; i++)
		free(d->vifs[i]);
	free(d->v);
	free(d->vifs);
	free(d->name);
	free(d->type);
	free(d->bootloader);
	free(d->kernel);
	free(d->ramdisk);
	free(d->cmdline);
	*d = (struct xlcfg_guest){0};
}

/* ---- one disk ------------------------------------------------------------- */

static void set_text(char **field, struct str s)
{
	free(*field);
	*field = xstrndup(s.p, s.n);
}

/* The target, with the prefixes of old. */
static void set_target(struct xl_disk_spec *d, struct str s)
{
	static const char *const prefixes[] = {"phy:", "file:", "raw:", "tap:aio:", "tap:"};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_starts(s, prefixes[i])) {
			s = str_drop(s, strlen(prefixes[i]));
			break;
		}
	}
	set_text(&d->path, s);
}

/* A word without a value: a device type, or the next place in line. */
static void put_word(struct xl_disk_spec *d, struct str s, unsigned *place)
{
	if (str_is(s, "cdrom") || str_is(s, "devtype=cdrom")) {
		d->cdrom = true;
		return;
	}
	switch ((*place)++) {
	case 0:
		set_target(d, s);
		break;
	case 1:
		d->raw = !s.n || str_is(s, "raw");
		break;
	case 2:
		if (str_ends(s, ":cdrom")) {
			d->cdrom = true;
			s.n -= strlen(":cdrom");
		}
		set_text(&d->vdev, s);
		break;
	default:
		break;
	}
}

static bool word_is_vdev(struct str s)
{
	return str_starts(s, "xvd") || str_starts(s, "hd") || str_starts(s, "sd");
}

static void parse_disk(struct str spec, struct xl_disk_spec *d)
{
	struct str rest = spec;
	unsigned place = 0;

	*d = (struct xl_disk_spec){.raw = true, .vdev = xstrdup("")};
	while (rest.p) {
		struct str before = rest, s = str_trim(str_cut(&rest, ','));

		if (str_starts(s, "target=")) {
			set_target(d, str_drop(str_trim(before), strlen("target=")));
			break;
		}
		if (str_starts(s, "format="))
			d->raw = str_is(s, "format=raw");
		else if (str_starts(s, "vdev="))
			set_text(&d->vdev, str_drop(s, strlen("vdev=")));
		else if (str_starts(s, "script=") || str_starts(s, "backendtype=qdisk,"))
			d->raw = d->raw && !str_starts(s, "script=");
		else if (place == 1 && word_is_vdev(s))
			/* "phy:/dev/x,xvda,w": the old order has no format. */
			place = 2, put_word(d, s, &place);
		else if (!memchr(s.p, '=', s.n) || place == 0)
			put_word(d, s, &place);
	}
	if (!d->path)
		d->path = xstrdup("");
}

/* ---- the text ------------------------------------------------------------- */

static int bad(const struct scanner *s, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "line %u: %s", s->line, what);
}

static void skip_blanks(struct scanner *s, bool newlines)
{
	while (s->p < s->end) {
		if (*s->p == '#') {
			while (s->p < s->end && *s->p != '\n')
				s->p++;
		} else if (*s->p == '\n' && newlines) {
			s->line++;
			s->p++;
		} else if (*s->p == ' ' || *s->p == '\t' || *s->p == '\r') {
			s->p++;
		} else {
			return;
		}
	}
}

static bool bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-' || c == '+';
}

/* A quoted text or a bare word; what is between the quotes is taken as it is. */
static int scan_atom(struct scanner *s, struct str *out, struct err *err)
{
	const char *from = s->p;
	char quote;

	if (s->p == s->end)
		return bad(s, "ends early", err);
	quote = *s->p;
	if (quote == '"' || quote == '\'') {
		from = ++s->p;
		while (s->p < s->end && *s->p != quote && *s->p != '\n')
			s->p++;
		if (s->p == s->end || *s->p != quote)
			return bad(s, "a quote without its end", err);
		*out = (struct str){from, (size_t)(s->p++ - from)};
		return 0;
	}
	while (s->p < s->end && bare(*s->p))
		s->p++;
	*out = (struct str){from, (size_t)(s->p - from)};
	return s->p == from ? bad(s, "a character that xl does not take", err) : 0;
}

static int add_disk(struct scanner *s, struct str spec, struct err *err)
{
	if (s->out.n == XLCFG_DISKS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d disks", XLCFG_DISKS_MAX);
	if (!s->out.v)
		s->out.v = xcalloc(XLCFG_DISKS_MAX, sizeof *s->out.v);
	parse_disk(spec, &s->out.v[s->out.n++]);
	return 0;
}

static int add_vif(struct scanner *s, struct str spec, struct err *err)
{
	if (s->out.n_vifs == XLCFG_VIFS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d vifs", XLCFG_VIFS_MAX);
	if (!s->out.vifs)
		s->out.vifs = xcalloc(XLCFG_VIFS_MAX, sizeof *s->out.vifs);
	s->out.vifs[s->out.n_vifs++] = xstrndup(spec.p, spec.n);
	return 0;
}

void xlcfg_vif_bridge(const char *vif, struct str *out)
{
	struct str rest = str_from(vif);

	*out = STR("");
	while (rest.p) {
		struct str s = str_trim(str_cut(&rest, ','));

		if (str_starts(s, "bridge="))
			*out = str_trim(str_drop(s, strlen("bridge=")));
	}
}

/* add: what is done with an item; NULL: nothing. */
static int scan_list(struct scanner *s,
                     int (*add)(struct scanner *s, struct str item, struct err *err),
                     struct err *err)
{
	int rc = 0;

	s->p++;
	for (;;) {
		struct str item;

		skip_blanks(s, true);
		if (s->p < s->end && *s->p == ']') {
			s->p++;
			return 0;
		}
		rc = scan_atom(s, &item, err);
		if (rc == 0 && add)
			rc = add(s, item, err);
		if (rc < 0)
			return rc;
		skip_blanks(s, true);
		if (s->p < s->end && *s->p == ',')
			s->p++;
		else if (s->p == s->end || *s->p != ']')
			return bad(s, "a list without its end", err);
	}
}

/* xl's old way to say which type. */
static void take_builder(struct xlcfg_guest *g, struct str value)
{
	if (!g->type)
		set_text(&g->type, str_is(value, "hvm") ? value : STR("pv"));
}

static void take_value(struct xlcfg_guest *g, struct str key, struct str value)
{
	const struct {
		const char *key;
		char **field;
	} texts[] = {
	        {"name", &g->name},     {"type", &g->type},       {"bootloader", &g->bootloader},
	        {"kernel", &g->kernel}, {"ramdisk", &g->ramdisk}, {"cmdline", &g->cmdline},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_is(key, texts[i].key))
			set_text(texts[i].field, value);
	if (str_is(key, "builder"))
		take_builder(g, value);
	if (str_is(key, "extra") && !g->cmdline)
		set_text(&g->cmdline, value);
	if (str_is(key, "memory"))
		(void)str_u64(value, 10, UINT32_MAX, &g->memory);
}

static int scan_setting(struct scanner *s, struct err *err)
{
	struct str key, value;
	int rc = scan_atom(s, &key, err);

	if (rc < 0)
		return rc;
	skip_blanks(s, false);
	if (s->p < s->end && *s->p == '+')
		s->p++;
	if (s->p == s->end || *s->p != '=')
		return bad(s, "no \"=\" after a key", err);
	s->p++;
	skip_blanks(s, false);
	if (s->p < s->end && *s->p == '[')
		return scan_list(s,
		                 str_is(key, "disk")  ? add_disk
		                 : str_is(key, "vif") ? add_vif
		                                      : NULL,
		                 err);
	rc = scan_atom(s, &value, err);
	if (rc == 0)
		take_value(&s->out, key, value);
	return rc;
}

int xlcfg_guest_parse(const char *p, size_t n, struct xlcfg_guest *out, struct err *err)
{
	struct scanner s = {.p = p, .end = p + n, .line = 1};
	int rc = 0;

	if (n > XLCFG_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "%zu bytes, %u at most", n, XLCFG_BYTES_MAX);
	for (;;) {
		skip_blanks(&s, true);
		while (s.p < s.end && *s.p == ';') {
			s.p++;
			skip_blanks(&s, true);
		}
		if (s.p == s.end)
			break;
		rc = scan_setting(&s, err);
		if (rc < 0)
			break;
		skip_blanks(&s, false);
		if (s.p < s.end && *s.p != '\n' && *s.p != ';') {
			rc = bad(&s, "more behind a value", err);
			break;
		}
	}
	if (rc < 0)
		xlcfg_guest_fini(&s.out);
	else
		*out = s.out;
	return rc;
}
