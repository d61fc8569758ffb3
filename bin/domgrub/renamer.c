/* SPDX-License-Identifier: MIT */
/*
 * In a jail of its own, with nothing but the disk: renames the file of an entry with a boot
 * counter, through the journal of its file system. The new name comes from the old one, so whoever
 * names the file can only have it counted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ext4/ext4_edit.h"
#include "ext4/ext4_journal.h"
#include "grub/blscount.h"
#include "inmate.h"
#include "inmate_state.h"

/* 0; 1: the name stays as it is, because it cannot count any further. */
static int rename_in(struct ext4_edit *e, const char *path, struct err *err)
{
	_cleanup_(buf_fini) struct buf next = BUF_INIT;
	_free_ char *parent = NULL, *old = NULL;
	struct ext4_entry ent;
	struct str dir, name;
	struct blscount c;
	uint32_t ino;
	int rc;

	if (!blscount_path(str_from(path), &dir, &name) || !blscount_parse(name, &c))
		return err_set(err, ERR_FORMAT, "%s: not an entry with a boot counter", path);
	blscount_next(&c, &next);
	if (str_is(name, next.p))
		return 1;
	parent = xstrndup(dir.p, dir.n);
	old = xstrndup(name.p, name.n);
	rc = ext4_edit_find(e, parent, true, &ino, err);
	if (rc == 0)
		rc = ext4_edit_lookup(e, ino, old, &ent, err);
	if (rc == 0 && ent.type != EXT4_FT_FILE)
		rc = err_set(err, ERR_FORMAT, "%s: not a regular file", path);
	return rc < 0 ? rc : ext4_edit_rename(e, ino, old, next.p, err);
}

static int count_down(const struct renamer_spec *s, struct err *err)
{
	_cleanup_(ext4_edit_freep) struct ext4_edit *e = NULL;
	struct target t = TARGET_INIT;
	const struct ext4_edit_request req = {.target = &t,
	                                      .base = s->count->start,
	                                      .size = s->count->size,
	                                      .time = s->now,
	                                      .write = true};
	enum ext4_left left;
	bool happened = false;
	int rc;

	t.fd = s->fd;
	t.name = xstrdup(s->disk->name);
	t.in_place = true;
	t.size = s->disk->size;
	t.clone = CLONE_NEVER;
	rc = ext4_journal_recover(&t, req.base, req.size, true, &left, err);
	if (rc == 0 && left == EXT4_LEFT_UNREPLAYED)
		rc = ext4_journal_not_clean(&t, req.base, err);
	if (rc == 0)
		rc = ext4_edit_open(&req, &e, err);
	if (rc == 0)
		rc = rename_in(e, s->count->path, err);
	if (rc == 0)
		rc = ext4_edit_commit(e, &happened, err);
	free(t.name);
	return rc < 0 ? rc : 0;
}

int renamer_main(void *arg)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct wire line = {.fd = JAIL_PARENT,
	                    .rules = message_requests,
	                    .rule_count = message_request_count,
	                    .state = STATE_IDLE,
	                    .peer = "parent"};
	struct err err = ERR_INIT;
	uint32_t type;
	int rc;

	if (wire_get(&line, &type, &body, &err) != 0 || type != REQ_COUNT)
		return INMATE_BROKEN_LINE;
	rc = count_down(arg, &err);
	if (rc < 0)
		msg_fail_put(&body, &err);
	rc = wire_put(&line, rc < 0 ? MSG_FAIL : MSG_DONE, buf_str(&body), &err);
	return rc < 0 ? INMATE_BROKEN_LINE : 0;
}
