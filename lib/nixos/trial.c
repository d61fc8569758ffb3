/* SPDX-License-Identifier: MIT */
#include "nixos/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grub/grubenv.h"
#include "nixos/guest_fs.h"

#define NEXT "next_entry"
#define TRY "domstrap_try"
#define TRIED "domstrap_tried"
#define KEPT "domstrap_kept"
#define FILE_NAME "grubenv"
#define MODE 0644
#define STATIC_ETC "/etc/static" /* of the system that was activated last */

enum { V_NEXT, V_TRY, V_TRIED, V_KEPT, VARIABLES };
static const char *const names[VARIABLES] = {NEXT, TRY, TRIED, KEPT};

/* The block of a guest. Start from zeros; end with block_fini(). */
struct block {
	struct buf text;
	uint32_t mode;
	bool found, valid;
	bool empty;             /* a file without a byte, as good as none */
	char *value[VARIABLES]; /* NULL: not set, or empty */
};

static void block_fini(struct block *b)
{
	buf_fini(&b->text);
	for (size_t i = 0; i < VARIABLES; i++)
		free(b->value[i]);
}

/* ---- reading -------------------------------------------------------------- */

static char *block_path(const struct off_guest *off)
{
	const char *menu = off->menu_path;

	if (!menu)
		return xasprintf("%s/grub/" FILE_NAME, off->boot_dir);
	return xasprintf("%.*s" FILE_NAME, (int)(str_base(menu) - menu), menu);
}

static void take_variables(struct block *b)
{
	_cleanup_(buf_fini) struct buf value = BUF_INIT;
	struct str name;
	size_t pos = 0;

	while (grubenv_next(buf_str(&b->text), &pos, &name, &value) == 0)
		for (size_t i = 0; i < VARIABLES; i++)
			if (str_is(name, names[i])) {
				free(b->value[i]);
				b->value[i] = value.n ? xstrndup(value.p, value.n) : NULL;
			}
}

/* What GRUB does not take for a block is not valid, which is no error. */
static int block_read(struct off_guest *off, const char *path, struct block *b, struct err *err)
{
	struct err why = ERR_INIT;
	struct ext4_stat st = {.mode = MODE};
	uint32_t ino;
	int rc = err_absent(guest_fs_find(&off->boot, path, true, &ino, err));

	b->mode = MODE;
	if (rc)
		return rc < 0 ? rc : 0;
	rc = guest_fs_stat(&off->boot, ino, &st, err);
	b->found = true;
	b->mode = st.mode & 0777;
	b->empty = st.type == EXT4_FT_FILE && !st.size;
	if (rc < 0 || st.type != EXT4_FT_FILE || st.size > GRUBENV_MAX)
		return rc;
	rc = guest_fs_read(&off->boot, ino, GRUBENV_MAX, &b->text, err);
	b->valid = rc == 0 && grubenv_check(buf_str(&b->text), &why) == 0;
	if (b->valid)
		take_variables(b);
	return rc;
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* ---- what is known of generations ----------------------------------------- */

static struct generation *find_system(const struct guest_state *in, const char *toplevel)
{
	const struct profile *p = &in->profiles[0];

	for (size_t i = p->n; i-- > 0;)
		if (same(p->v[i].system.toplevel, toplevel))
			return &p->v[i];
	return NULL;
}

/* It was started, and is not the default: nobody has confirmed it. */
static int mark_started(struct off_guest *off, struct guest_state *in, struct err *err)
{
	_cleanup_(block_fini) struct block b = {.text = BUF_INIT};
	_free_ char *path = block_path(off);
	const struct generation *current = guest_state_current(in);
	struct generation *g;
	int rc = block_read(off, path, &b, err);

	if (rc < 0 || !current || !same(b.value[V_KEPT], current->system.toplevel))
		return rc;
	g = find_system(in, b.value[V_TRY] ? b.value[V_TRY] : b.value[V_TRIED]);
	if (g && !g->boots && !g->current)
		g->trial = GENERATION_TRIED;
	return 0;
}

int trial_mark(struct off_guest *off, struct guest_state *in, struct err *err)
{
	struct generation *next;

	guest_state_mark_boots(in, off->booting.toplevel);
	for (size_t i = 0; i < in->profiles[0].n; i++)
		in->profiles[0].v[i].trial = GENERATION_NO_TRIAL;
	if (off->menu_kind != MENU_GRUB)
		return 0;
	next = off->booting.once ? find_system(in, off->booting.once_toplevel) : NULL;
	if (!next)
		return off->booting.once ? 0 : mark_started(off, in, err);
	next->trial = GENERATION_TO_BE_TRIED;
	return 0;
}

struct generation *trial_find(const struct guest_state *in)
{
	for (size_t i = 0; i < in->profiles[0].n; i++)
		if (in->profiles[0].v[i].trial != GENERATION_NO_TRIAL)
			return &in->profiles[0].v[i];
	return NULL;
}

/* Where a path leads to; *out NULL: nowhere. */
static int leads_to(struct off_guest_fs *fs, const char *path, char **out, struct err *err)
{
	uint32_t ino;
	int rc = err_absent(guest_fs_resolve(fs, path, &ino, out, err));

	return rc < 0 ? rc : 0;
}

static int has_etc(struct off_guest_fs *fs, const struct guest_system *s, const char *real,
                   bool *has, struct err *err)
{
	_free_ char *path = xasprintf("%s/etc", s->toplevel), *etc = NULL;
	int rc = leads_to(fs, path, &etc, err);

	*has = *has || same(etc, real);
	for (size_t i = 0; i < s->n_specials && rc == 0 && !*has; i++)
		rc = has_etc(fs, &s->specials[i].system, real, has, err);
	return rc;
}

/* Stage 2 of every start, and every switch, makes /etc/static lead to the etc of the system. */
int trial_activated(struct off_guest *off, struct guest_state *in, struct err *err)
{
	const struct profile *p = &in->profiles[0];
	struct off_guest_fs *fs = &off->root;
	_free_ char *real = NULL;
	struct generation *found = NULL;
	bool has, several = false;
	int rc = leads_to(fs, STATIC_ETC, &real, err);

	for (size_t i = 0; rc == 0 && real && i < p->n; i++) {
		struct generation *g = &p->v[i];

		has = false;
		rc = has_etc(fs, &g->system, real, &has, err);
		several = several ||
		          (has && found && !same(found->system.toplevel, g->system.toplevel));
		if (has)
			found = g;
	}
	if (rc == 0 && found && !several)
		found->activated = true;
	return rc;
}

/* ---- whether a guest can try ---------------------------------------------- */

#define LINE "bootloader_args = [ \"" BOOTING_WRITE_ENV "\" ]"

static int refuse(const struct off_guest *off, const char *why, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, "%s: --try: %s",
	               off->config.path ? off->config.path : off->root.target->name, why);
}

static int check_helper(struct off_guest *off, struct err *err)
{
	const char *helper = off->cfg.bootloader;
	int rc;

	if (off->config.writes)
		return 0;
	if (!helper)
		return refuse(off,
		              "GRUB's image in kernel= does not read " FILE_NAME
		              " of the guest. Set "
		              "bootloader = \"" BOOTING_HELPER "\" and " LINE,
		              err);
	if (strcmp(str_base(helper), BOOTING_HELPER) != 0)
		return refuse(off,
		              "pygrub and others ignore next_entry. Set bootloader = "
		              "\"" BOOTING_HELPER "\" and " LINE,
		              err);
	if (!off->write_env)
		return refuse(off, "add to the config: " LINE, err);
	rc = off->write_env(off, true, err);
	if (rc == 0)
		off->config.writes = true;
	return rc;
}

int trial_check(struct off_guest *off, const struct guest_state *in, struct err *err)
{
	const struct generation *current = guest_state_current(in);

	if (!off->config.path)
		return refuse(off,
		              "give the guest's xl config instead of its disks: its boot helper "
		              "must have " BOOTING_WRITE_ENV,
		              err);
	if (off->booting.kind != BOOTING_MENU || off->menu_kind != MENU_GRUB)
		return refuse(off,
		              "requires a GRUB menu in the guest: an extlinux menu, or a kernel on "
		              "the host, cannot be booted for one start",
		              err);
	if (!current || !current->boots || current->special)
		return refuse(off,
		              "what boots by default is not the generation that the profile points "
		              "at; choose one with \"domstrap rollback --to\" first",
		              err);
	return check_helper(off, err);
}

/* ---- changing ------------------------------------------------------------- */

static int set(struct buf *text, size_t variable, const char *value, struct err *err)
{
	struct str v = value ? str_from(value) : (struct str){NULL, 0};
	struct buf out = BUF_INIT;
	int rc = grubenv_format(buf_str(text), str_from(names[variable]), v, &out, err);

	if (rc < 0) {
		buf_fini(&out);
		return rc;
	}
	buf_fini(text);
	*text = out;
	return 0;
}

/* A block of the only size that GRUB and domgrub both write, with all variables of b. */
static int block_new(const struct block *b, struct buf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf value = BUF_INIT;
	struct str name;
	size_t pos = 0;
	int rc = 0;

	if (b->text.n == GRUBENV_SIZE) {
		buf_put(out, b->text.p, b->text.n);
		return 0;
	}
	buf_puts(out, GRUBENV_SIGNATURE);
	while (out->n < GRUBENV_SIZE)
		buf_puts(out, "#");
	while (rc == 0 && grubenv_next(buf_str(&b->text), &pos, &name, &value) == 0) {
		struct buf next = BUF_INIT;

		rc = grubenv_format(buf_str(out), name, buf_str(&value), &next, err);
		buf_fini(out);
		*out = next;
	}
	return rc;
}

static int put_file(struct off_guest *off, const char *path, const struct block *b,
                    const struct buf *text, struct err *err)
{
	_free_ char *dir = xstrndup(path, (size_t)(str_base(path) - path - 1));
	uint32_t ino;
	int rc = ext4_edit_find(off->boot.edit, *dir ? dir : "/", true, &ino, err);

	if (rc < 0 || (b->text.n == text->n && !memcmp(b->text.p, text->p, text->n)))
		return rc;
	return ext4_edit_add_file(off->boot.edit, ino, FILE_NAME, b->mode, buf_str(text), err);
}

static int change(const struct block *b, enum trial_step step, const char *const *value,
                  struct buf *text, struct err *err)
{
	int rc = 0;

	if (step == TRIAL_BEGIN)
		rc = block_new(b, text, err);
	else
		buf_put(text, b->text.p, b->text.n);
	/* Nothing but the entry may have moved; GRUB's own choice does not become a trial. */
	if (step == TRIAL_KEEP)
		return set(text, V_NEXT, value[V_NEXT], err);
	/* Values that go make room for others. */
	for (size_t i = 0; i < VARIABLES && rc == 0; i++)
		rc = set(text, i, NULL, err);
	for (size_t i = 0; i < VARIABLES && rc == 0; i++)
		if (value[i])
			rc = set(text, i, value[i], err);
	return rc;
}

static bool has_any(const struct block *b)
{
	for (size_t i = 0; i < VARIABLES; i++)
		if (b->value[i])
			return true;
	return false;
}

int trial_put(struct off_guest *off, const char *menu, const struct trial_change *c,
              struct err *err)
{
	const char *const value[VARIABLES] = {c->entry, c->tried, NULL, c->kept};
	_free_ char *path = xasprintf("%.*s" FILE_NAME, (int)(str_base(menu) - menu), menu);
	_cleanup_(block_fini) struct block b = {.text = BUF_INIT};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = block_read(off, path, &b, err);

	if (rc < 0 || (c->step == TRIAL_END && !has_any(&b)) ||
	    (c->step == TRIAL_KEEP && (!c->entry || !b.valid)))
		return rc;
	if (b.found && !b.valid && !b.empty)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: %s is not GRUB's environment block; remove it in the guest",
		               off->boot.target->name, path);
	rc = change(&b, c->step, value, &text, err);
	if (rc == 0)
		rc = put_file(off, path, &b, &text, err);
	return rc < 0 ? err_prefix(err, "%s: %s", off->boot.target->name, path) : 0;
}
