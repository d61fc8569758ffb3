/* SPDX-License-Identifier: MIT */
/* The parent's side. It reads nothing of a disk. */
#include "inspector/inspector.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "guest/host.h"
#include "jail/wire.h"
#include "inspector/inspector_child.h"
#include "store/settle.h"

#define ANSWER_MAX (16u << 20)
#define CHILD_MEMORY (1ull << 30)
#define CHILD_SECONDS 600

void inspector_close(struct inspector_disks *d)
{
	while (d->n)
		io_close(&d->spec[--d->n].fd);
	for (size_t i = 0; i < ARRAY_LEN(d->host); i++)
		if (d->host[i].name)
			io_close(&d->host[i].fd);
}

struct booting_config inspector_config(const struct inspector_disks *d)
{
	return d->cfg ? booting_config(d->config, d->cfg) : (struct booting_config){.path = NULL};
}

int inspector_jail(const struct inspector_job *job, const struct inspector_disks *d,
                   struct jail *out, struct err *err)
{
	struct inspector_disks *inside = job->inside;
	struct jail_spec spec = {.role = job->role,
	                         .uid = JAIL_NOBODY,
	                         .memory = job->memory,
	                         .cpu = job->seconds,
	                         .main = job->main,
	                         .arg = job->arg};
	int rc = settle_libraries(err);

	if (rc < 0)
		return rc;
	*inside = *d;
	for (size_t i = 0; i < d->n; i++)
		inside->spec[i].fd = jail_give(&spec, JAIL_INPUT, d->spec[i].fd);
	for (size_t i = 0; i < ARRAY_LEN(d->host); i++)
		if (d->host[i].name)
			inside->host[i].fd = jail_give(&spec, JAIL_INPUT, d->host[i].fd);
	return jail_start(&spec, out, err);
}

/* ---- the answer ----------------------------------------------------------- */

/* The child's answer as it came, not yet taken apart. */
struct answer {
	struct buf bytes;
	json_t *paths, *missing;
};

static void answer_fini(struct answer *a)
{
	buf_fini(&a->bytes);
	json_decref(a->paths);
	json_decref(a->missing);
}

static int take_piece(struct answer *a, uint32_t type, const struct buf *body, struct err *err)
{
	if (type == INSPECTOR_ROWS)
		return inspector_rows_get(body, a->paths, a->missing, err);
	if (body->n > ANSWER_MAX - a->bytes.n)
		return err_set(err, ERR_LIMIT, "disk inspection: more than %u bytes", ANSWER_MAX);
	buf_put(&a->bytes, buf_str(body).p, body->n);
	return 0;
}

static int failed(const struct buf *body, struct err *err)
{
	char shown[SHOW_SIZE];

	return err_set(err, ERR_CHILD, "%s", show_str(buf_str(body), shown));
}

static int collect(struct jail *jail, struct answer *answer, struct err *err)
{
	struct wire w = {.fd = jail->fd,
	                 .rules = inspector_rules,
	                 .rule_count = inspector_rule_count,
	                 .peer = "disk inspection"};
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = 0;
	int rc;

	while ((rc = wire_recv(&w, &type, &body, -1, NULL, err)) == 0 &&
	       (type == INSPECTOR_PIECE || type == INSPECTOR_ROWS)) {
		rc = take_piece(answer, type, &body, err);
		if (rc < 0)
			return rc;
	}
	if (rc == 0 && type == INSPECTOR_FAILED)
		return failed(&body, err);
	if (rc == 0 && type == WIRE_BROKEN)
		return jail_broken(buf_str(&body), w.peer, err);
	if (rc != 0) /* the child has ended; its exit status tells more */
		return rc == -ERR_FORMAT ? rc : 1;
	return 0;
}

static int take_apart(struct answer *a, unsigned wants, json_t **out, struct err *err)
{
	json_t *nixos;
	int rc = inspector_record_get(buf_str(&a->bytes), &inspector_schema, out, err);

	if (rc < 0)
		return rc;
	nixos = json_object_get(*out, "nixos");
	if (wants & INSPECTOR_PATHS && json_is_integer(json_object_get(nixos, "pathCount"))) {
		json_object_set(nixos, "paths", a->paths);
		json_object_set(nixos, "missing", a->missing);
	}
	return 0;
}

int inspector_run(const struct inspector_disks *d, unsigned wants, json_t **out, struct err *err)
{
	_cleanup_(jail_fini) struct jail jail = JAIL_INIT;
	_cleanup_(answer_fini) struct answer answer = {.paths = json_array(),
	                                               .missing = json_array()};
	struct inspector_child child = {.wants = wants, .xen = host_xen_version()};
	const struct inspector_job job = {.role = JAIL_INSPECTOR,
	                                  .memory = CHILD_MEMORY,
	                                  .seconds = CHILD_SECONDS,
	                                  .main = inspector_main,
	                                  .arg = &child,
	                                  .inside = &child.disks};
	int rc = inspector_jail(&job, d, &jail, err);

	if (rc < 0)
		return rc;
	rc = collect(&jail, &answer, err);
	io_close(&jail.fd);
	if (rc >= 0 && jail_reap(&jail, "disk inspection", err) < 0)
		rc = -(int)err->code;
	if (rc == 1)
		rc = err_set(err, ERR_CHILD, "disk inspection: ended early");
	return rc < 0 ? rc : take_apart(&answer, wants, out, err);
}

/* ---- taking it apart ------------------------------------------------------ */

const char *inspector_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

uint64_t inspector_number(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (uint64_t)v : 0;
}

bool inspector_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

void inspector_put(struct buf *b, const char *text)
{
	str_escape(b, str_from(text));
}
