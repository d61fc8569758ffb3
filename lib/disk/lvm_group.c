/* SPDX-License-Identifier: MIT */
/* A volume group's text into volumes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disk/lvm_internal.h"
#include "disk/lvm_text.h"

/* Linux's limits are higher for all but the stripes; no guest comes near these. */
#define PVS_MAX 256u
#define LOGICAL_MAX 1024u /* volumes of a group */
#define AREAS_MAX 65536u  /* of a volume */
#define STRIPES_MAX 128u
#define NAME_LIMIT 127u
#define EXTENT_MAX (UINT64_C(1) << 32) /* sectors */
#define COUNT_MAX UINT32_MAX           /* extents */

/* A physical volume of the text. */
struct member {
	struct str name;
	char id[LVM_ID_SIZE];
	struct str device;       /* where it was */
	const struct lvm_pv *pv; /* NULL: it is not there */
	uint64_t start;          /* bytes before its first extent */
	uint64_t n;              /* extents */
};

struct reader {
	struct lvm *l;
	const struct lvm_group *group;
	uint64_t extent; /* bytes */
	struct member member[PVS_MAX];
	size_t n_members;
	struct str volumes; /* the section */
	size_t first;       /* of its volumes in l */
};

/* What names may have (lvm(8)); "-" is not first. */
static bool valid_name(struct str name)
{
	if (!name.n || name.n > NAME_LIMIT || *name.p == '-' || str_is(name, ".") ||
	    str_is(name, ".."))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      strchr("_-+.", c)))
			return false;
	}
	return true;
}

static bool id_get(struct str text, char out[static LVM_ID_SIZE])
{
	struct str id;

	if (!lvm_text_string(text, "id", &id) || id.n != LVM_ID_SIZE - 1)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] <= ' ' || id.p[i] > '~' || id.p[i] == '/')
			return false;
	memcpy(out, id.p, id.n);
	out[id.n] = '\0';
	return true;
}

static int bad(const char *what, struct str name, struct err *err)
{
	return err_set(err, ERR_FORMAT, "LVM2 metadata: %s of \"%.*s\" is missing or invalid", what,
	               (int)MIN(name.n, NAME_LIMIT), name.p);
}

/* The group's section: the only one. */
static int group_section(struct str text, struct lvm_item *out, struct err *err)
{
	struct lvm_item item;
	bool found = false;
	int rc;

	while ((rc = lvm_text_next(&text, &item, err)) == 0) {
		if (!item.section)
			continue;
		if (found)
			return err_set(err, ERR_FORMAT, "LVM2 metadata: two groups in one text");
		*out = item;
		found = true;
	}
	if (rc < 0)
		return rc;
	return found ? 0 : err_set(err, ERR_FORMAT, "LVM2 metadata: no group");
}

int lvm_group_head(struct str text, struct lvm_group *group, struct err *err)
{
	struct lvm_item item;
	struct str contents;
	uint64_t version;
	int rc = group_section(text, &item, err);

	if (rc < 0)
		return rc;
	if (!lvm_text_string(text, "contents", &contents) ||
	    !str_is(contents, "Text Format Volume Group") ||
	    !lvm_text_u64(text, "version", UINT32_MAX, &version) || version != 1)
		return err_set(err, ERR_UNSUPPORTED, "LVM2 metadata: not of version 1");
	if (!valid_name(item.key))
		return bad("the name", item.key, err);
	if (!id_get(item.body, group->id))
		return bad("the UUID", item.key, err);
	if (!lvm_text_u64(item.body, "seqno", UINT32_MAX, &group->seqno))
		return bad("seqno", item.key, err);
	group->name = xstrndup(item.key.p, item.key.n);
	return 0;
}

/* ---- physical volumes ----------------------------------------------------- */

static const struct lvm_pv *pv_find(const struct lvm *l, const char *id)
{
	for (size_t i = 0; i < l->n_pvs; i++)
		if (!strcmp(l->pv[i].id, id))
			return &l->pv[i];
	return NULL;
}

static int member_get(struct reader *r, const struct lvm_item *item, struct err *err)
{
	struct member m = {.name = item->key};

	if (!id_get(item->body, m.id))
		return bad("the UUID", item->key, err);
	if (!lvm_text_u64(item->body, "pe_start", UINT64_MAX / LVM_SECTOR, &m.start) ||
	    !lvm_text_u64(item->body, "pe_count", COUNT_MAX, &m.n))
		return bad("pe_start or pe_count", item->key, err);
	m.start *= LVM_SECTOR;
	if (!lvm_text_string(item->body, "device", &m.device))
		m.device = STR("?");
	/* It was missing when the text was written, and may be older. */
	if (!lvm_text_has(item->body, "flags", "MISSING"))
		m.pv = pv_find(r->l, m.id);
	if (r->n_members == PVS_MAX)
		return err_set(err, ERR_LIMIT, "LVM2 metadata: more than %u physical volumes",
		               PVS_MAX);
	r->member[r->n_members++] = m;
	return 0;
}

static int members_get(struct reader *r, struct str group, struct err *err)
{
	struct lvm_item list, item;
	int rc;

	if (!lvm_text_find(group, "physical_volumes", &list) || !list.section)
		return err_set(err, ERR_FORMAT, "LVM2 metadata: no physical volumes");
	while ((rc = lvm_text_next(&list.body, &item, err)) == 0) {
		rc = item.section ? member_get(r, &item, err) : 0;
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; rc == 1 && i < r->l->n_pvs; i++) {
		struct lvm_pv *pv = &r->l->pv[i];

		for (size_t k = 0; !pv->group && k < r->n_members; k++)
			if (!strcmp(r->member[k].id, pv->id))
				pv->group = xstrdup(r->group->name);
	}
	return rc < 0 ? rc : 0;
}

/* ---- a logical volume ----------------------------------------------------- */

static const struct member *member_find(const struct reader *r, struct str name)
{
	for (size_t i = 0; i < r->n_members; i++)
		if (str_eq(r->member[i].name, name))
			return &r->member[i];
	return NULL;
}

/* n extents from the extent "first" of the physical volume. */
static int area_get(const struct reader *r, struct lvm_logical *v, struct str name, uint64_t first,
                    uint64_t n, struct err *err)
{
	const struct member *m = member_find(r, name);

	if (!m)
		return err_set(err, ERR_UNSUPPORTED, "parts on \"%.*s\", not a physical volume",
		               (int)MIN(name.n, NAME_LIMIT), name.p);
	if (!m->pv)
		return err_set(err, ERR_NOENT, "physical volume %s (was %.*s) is missing", m->id,
		               (int)MIN(m->device.n, NAME_LIMIT), m->device.p);
	if (first > m->n || n > m->n - first)
		return err_set(err, ERR_FORMAT,
		               "%" PRIu64 " extents at %" PRIu64 " of \"%.*s\", which has %" PRIu64,
		               n, first, STR_ARG(name), m->n);
	if (m->start > m->pv->w.size || first + n > (m->pv->w.size - m->start) / r->extent)
		return err_set(err, ERR_FORMAT,
		               "%s: physical volume %s has %" PRIu64
		               " bytes, too few for extent %" PRIu64,
		               m->pv->w.name, m->id, m->pv->w.size, first + n - 1);
	if (v->n_areas == AREAS_MAX)
		return err_set(err, ERR_LIMIT, "more than %u areas", AREAS_MAX);
	GROW(v->area, v->n_areas, v->cap_areas);
	v->area[v->n_areas++] =
	        (struct lvm_area){.w = &m->pv->w, .at = m->start + first * r->extent};
	return 0;
}

/* "stripes": a list of names and extents. */
static int areas_get(const struct reader *r, struct lvm_logical *v, struct str segment,
                     uint64_t stripes, uint64_t extents, struct err *err)
{
	struct str name, first;
	struct lvm_item list;
	uint64_t at, n = 0;
	int rc = 0;

	if (!lvm_text_find(segment, "stripes", &list) || list.section)
		return err_set(err, ERR_FORMAT, "no stripes in a segment");
	while (rc == 0 && lvm_list_next(&list.body, &first)) {
		if (!lvm_string(first, &name) || !lvm_list_next(&list.body, &first) ||
		    !lvm_u64(first, COUNT_MAX, &at) || n == stripes)
			return err_set(err, ERR_FORMAT, "invalid list of stripes");
		rc = area_get(r, v, name, at, extents / stripes, err);
		n++;
	}
	if (rc == 0 && n != stripes)
		return err_set(err, ERR_FORMAT, "%" PRIu64 " stripes instead of %" PRIu64, n,
		               stripes);
	return rc;
}

static bool valid_stripe(uint64_t bytes, uint64_t extent)
{
	return bytes && !(bytes & (bytes - 1)) && extent % bytes == 0;
}

static int segment_get(const struct reader *r, struct lvm_logical *v, struct str text,
                       struct err *err)
{
	struct lvm_segment s = {.start = v->volume.w.size, .area = v->n_areas};
	uint64_t start, count, stripes, stripe = r->extent / LVM_SECTOR;
	struct str type;
	int rc;

	if (!lvm_text_string(text, "type", &type) ||
	    !lvm_text_u64(text, "start_extent", COUNT_MAX, &start) ||
	    !lvm_text_u64(text, "extent_count", COUNT_MAX, &count))
		return err_set(err, ERR_FORMAT, "invalid segment");
	if (!str_is(type, "striped") && !str_is(type, "linear"))
		return err_set(err, ERR_UNSUPPORTED, "type %.*s is not supported",
		               (int)MIN(type.n, NAME_LIMIT), type.p);
	if (start != s.start / r->extent)
		return err_set(err, ERR_FORMAT,
		               "a segment starts at extent %" PRIu64 " instead of %" PRIu64, start,
		               s.start / r->extent);
	if (!lvm_text_u64(text, "stripe_count", STRIPES_MAX, &stripes) || !stripes || !count ||
	    count % stripes || count > (INT64_MAX - s.start) / r->extent)
		return err_set(err, ERR_FORMAT,
		               "a segment of %" PRIu64 " extents: invalid stripe_count", count);
	if (stripes > 1 && (!lvm_text_u64(text, "stripe_size", EXTENT_MAX, &stripe) ||
	                    !valid_stripe(stripe * LVM_SECTOR, r->extent)))
		return err_set(err, ERR_FORMAT,
		               "a segment of %" PRIu64 " stripes: invalid stripe_size", stripes);
	s.stripe = stripes > 1 ? stripe * LVM_SECTOR : count * r->extent;
	s.size = count * r->extent;
	s.n = (size_t)stripes;
	rc = areas_get(r, v, text, stripes, count, err);
	if (rc < 0)
		return rc;
	GROW(v->segment, v->n_segments, v->cap_segments);
	v->segment[v->n_segments++] = s;
	v->volume.w.size += s.size;
	return 0;
}

static int segments_get(const struct reader *r, struct lvm_logical *v, struct str body,
                        struct err *err)
{
	struct lvm_item item;
	int rc;

	while ((rc = lvm_text_next(&body, &item, err)) == 0) {
		rc = item.section && str_starts(item.key, "segment")
		             ? segment_get(r, v, item.body, err)
		             : 0;
		if (rc < 0)
			return rc;
	}
	if (rc == 1 && !v->n_segments)
		return err_set(err, ERR_FORMAT, "no segments");
	return rc < 0 ? rc : 0;
}

static void name_put(struct buf *out, struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		buf_puts(out, name.p[i] == '-' ? "--" : (char[]){name.p[i], '\0'});
}

static char *full_name(const struct reader *r, struct str name)
{
	struct buf out = BUF_INIT;

	name_put(&out, str_from(r->group->name));
	buf_puts(&out, "-");
	name_put(&out, name);
	return buf_steal(&out);
}

static int logical_get(struct reader *r, const struct lvm_item *item, struct err *err)
{
	struct lvm *l = r->l;
	struct lvm_logical *v;
	char id[LVM_ID_SIZE];
	struct err why = ERR_INIT;

	if (!valid_name(item->key))
		return bad("the name", item->key, err);
	if (!id_get(item->body, id))
		return bad("the UUID", item->key, err);
	v = xcalloc(1, sizeof *v);
	v->src.read = lvm_logical_read;
	GROW(l->logical, l->n_logical, l->cap_logical);
	l->logical[l->n_logical++] = v;
	v->volume.name = full_name(r, item->key);
	v->volume.id = xasprintf("%s/%s", r->group->id, id);
	v->volume.w = window_over(&v->src, 0, v->volume.name);
	v->volume.w.fixed = true;
	if (segments_get(r, v, item->body, &why) < 0)
		v->volume.trouble = xstrdup(why.text);
	else
		v->volume.w.sector = v->area[0].w->sector;
	return 0;
}

/* The segment has the volume under this key; that cannot be read alone. */
static void mark(const struct reader *r, struct str segment, const char *key, const char *why)
{
	_free_ char *name = NULL;
	struct str of;

	if (!lvm_text_string(segment, key, &of))
		return;
	name = full_name(r, of);
	for (size_t i = r->first; i < r->l->n_logical; i++) {
		struct lvm_volume *v = &r->l->logical[i]->volume;

		if (!v->trouble && !strcmp(v->name, name))
			v->trouble = xstrdup(why);
	}
}

/* A snapshot has its own volume, of this type, that names those with the old and the new blocks. */
static int snapshots_mark(const struct reader *r, struct err *err)
{
	struct str list = r->volumes, type;
	struct lvm_item volume, segment;
	int rc;

	while ((rc = lvm_text_next(&list, &volume, err)) == 0) {
		if (!volume.section || !lvm_text_find(volume.body, "segment1", &segment) ||
		    !segment.section || !lvm_text_string(segment.body, "type", &type) ||
		    !str_is(type, "snapshot"))
			continue;
		mark(r, segment.body, "cow_store", "type snapshot is not supported");
		if (!lvm_text_find(segment.body, "merging_store", &volume))
			continue;
		mark(r, segment.body, "merging_store", "type snapshot is not supported");
		mark(r, segment.body, "origin",
		     "a snapshot is being merged into it, which is not supported");
	}
	return rc < 0 ? rc : 0;
}

static int volumes_get(struct reader *r, struct err *err)
{
	struct str list = r->volumes;
	struct lvm_item item;
	size_t n = 0;
	int rc;

	while ((rc = lvm_text_next(&list, &item, err)) == 0) {
		/* The others are parts of volumes. */
		if (!item.section || !lvm_text_has(item.body, "status", "VISIBLE"))
			continue;
		if (n++ == LOGICAL_MAX)
			return err_set(err, ERR_LIMIT, "LVM2: more than %u logical volumes",
			               LOGICAL_MAX);
		rc = logical_get(r, &item, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : snapshots_mark(r, err);
}

int lvm_group_read(struct lvm *l, const struct lvm_group *group, struct err *err)
{
	_free_ struct reader *r = xcalloc(1, sizeof *r);
	struct lvm_item item, volumes;
	uint64_t extent;
	int rc = group_section((struct str){group->text, group->n}, &item, err);

	*r = (struct reader){.l = l, .group = group, .first = l->n_logical};
	if (rc < 0)
		return rc;
	if (!lvm_text_u64(item.body, "extent_size", EXTENT_MAX, &extent) || !extent)
		return bad("extent_size", item.key, err);
	r->extent = extent * LVM_SECTOR;
	rc = members_get(r, item.body, err);
	if (rc < 0 || !lvm_text_find(item.body, "logical_volumes", &volumes) || !volumes.section)
		return rc;
	r->volumes = volumes.body;
	return volumes_get(r, err);
}
