/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "nixos/nixroot.h"

static const struct {
	const char *path;
	uint32_t mode;
} dirs[] = {
        {"/boot", 0755},
        {"/dev", 0755},
        {"/etc", 0755},
        {"/etc/nixos", 0755},
        {"/home", 0755},
        {"/nix/var/log/nix/drvs", 0755},
        {"/nix/var/nix/db", 0755},
        {"/nix/var/nix/gcroots/auto", 0755},
        {"/nix/var/nix/gcroots/per-user", 0755},
        {"/nix/var/nix/profiles/per-user/root", 0755},
        {"/nix/var/nix/temproots", 0755},
        {"/nix/var/nix/userpool", 0755},
        {"/proc", 0555},
        {"/root", 0700},
        {"/root/.nix-defexpr", 0700},
        {"/run", 0755},
        {"/sys", 0555},
        {"/tmp", 01777},
        {"/var/db", 0755},
        {"/var/lib", 0755},
        {"/var/log", 0755},
        {"/var/tmp", 01777},
};

static void add_channel(struct tree *t, const struct nixroot *root)
{
	_free_ char *line = NULL;

	tree_link(t, "/root/.nix-defexpr/channels", "/nix/var/nix/profiles/per-user/root/channels");
	if (!root->channel_url)
		return;
	line = xasprintf("%s %s\n", root->channel_url, root->channel_name);
	tree_file(t, "/root/.nix-channels", 0644, line, str_from(line).n);
}

static void add_etc(struct tree *t, const struct nixroot *root)
{
	const char *etc = root->etc_upper ? NIXROOT_ETC_UPPER : "/etc";

	/* The overlay will be mounted on /etc; these two files are read before that. */
	tree_file(t, "/etc/NIXOS", 0644, "", 0);
	tree_link(t, "/etc/mtab", "/proc/mounts");
	if (root->etc_upper)
		tree_file(t, NIXROOT_ETC_UPPER "/NIXOS", 0644, "", 0);
	for (size_t i = 0; i < root->n_etc_nixos; i++) {
		const struct nixroot_file *f = &root->etc_nixos[i];
		_free_ char *path = xasprintf("%s/nixos/%s", etc, f->name);

		tree_file(t, path, 0644, f->text.p, f->text.n);
	}
}

struct tree *nixroot_tree(const struct nixroot *root)
{
	struct tree *t = tree_new(0755, root->time);

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		tree_dir(t, dirs[i].path, dirs[i].mode, 0, 0);
	add_etc(t, root);
	tree_file(t, "/nix/var/nix/db/db.sqlite", 0644, root->database.p, root->database.n);
	tree_file(t, "/nix/var/nix/db/schema", 0644, root->schema.p, root->schema.n);
	tree_file(t, "/nix/var/nix/db/big-lock", 0600, "", 0);
	tree_file(t, "/nix/var/nix/gc.lock", 0600, "", 0);
	tree_link(t, "/nix/var/nix/gcroots/profiles", "/nix/var/nix/profiles");
	tree_link(t, "/nix/var/nix/profiles/system", "system-1-link");
	tree_link(t, "/nix/var/nix/profiles/system-1-link", root->toplevel);
	if (root->direct)
		tree_link(t, NIXROOT_DIRECT, root->toplevel);
	add_channel(t, root);
	return t;
}
