/* SPDX-License-Identifier: MIT */
#include "guest_make.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "image/image.h"
#include "nixos/grubcfg.h"

#define ROOT_UUID "01234567-89ab-cdef-0123-456789abcd00"
#define BOOT_UUID "01234567-89ab-cdef-0123-456789abcd01"
#define PARAMS "loglevel=4"
#define SPARE (2u << 20) /* bytes that stay free */

#define E2FSCK "/sbin/e2fsck"

extern char **environ;

/* ---- names ---------------------------------------------------------------- */

static const char *name(unsigned kind, const char *what, unsigned n)
{
	static char names[4][GUEST_SYSTEMS_MAX + 1][96];
	char *s = names[kind][n];

	assert_in_range(n, 1, GUEST_SYSTEMS_MAX);
	(void)snprintf(s, sizeof names[0][0], "/nix/store/%032u-%s%u", kind * 100 + n, what, n);
	return s;
}

const char *guest_kernel(unsigned n)
{
	return name(1, "linux-6.12.", n);
}

const char *guest_initrd(unsigned n)
{
	return name(2, "initrd-linux-6.12.", n);
}

const char *guest_system(unsigned n)
{
	return name(3, "nixos-system-t-25.11.", n);
}

/* ---- store paths ---------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void put(struct tree *t, const char *path,
                                                      const char *fmt, ...)
{
	_free_ char *text = NULL;
	va_list args;

	va_start(args, fmt);
	assert_true(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	tree_file(t, path, 0444, text, strlen(text));
}

__attribute__((format(printf, 3, 4))) static void lead(struct tree *t, const char *path,
                                                       const char *fmt, ...)
{
	_free_ char *text = NULL;
	va_list args;

	va_start(args, fmt);
	assert_true(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	tree_link(t, path, text);
}

static void fill_kernel(struct tree *t, const char *at, unsigned n)
{
	_free_ char *path = xasprintf("%s/bzImage", at);

	put(t, path, "kernel %u\n", n);
}

static void fill_initrd(struct tree *t, const char *at, unsigned n)
{
	_free_ char *path = xasprintf("%s/initrd", at);

	put(t, path, "initrd %u\n", n);
}

static void fill_system(struct tree *t, const char *at, unsigned n)
{
	_free_ char *init = xasprintf("%s/init", at);
	_free_ char *kernel = xasprintf("%s/kernel", at);
	_free_ char *initrd = xasprintf("%s/initrd", at);
	_free_ char *params = xasprintf("%s/kernel-params", at);
	_free_ char *version = xasprintf("%s/nixos-version", at);

	put(t, init, "#!" GUEST_GLIBC "/sh\n");
	lead(t, kernel, "%s/bzImage", guest_kernel(n));
	lead(t, initrd, "%s/initrd", guest_initrd(n));
	put(t, params, PARAMS);
	put(t, version, "25.11.%u", n);
}

static const struct part {
	const char *(*path)(unsigned n);
	void (*fill)(struct tree *t, const char *at, unsigned n);
} parts[] = {
        {guest_kernel, fill_kernel},
        {guest_initrd, fill_initrd},
        {guest_system, fill_system},
};

void guest_add_system(struct ext4_edit *e, unsigned n)
{
	struct err err = ERR_INIT;
	uint32_t store;

	assert_ok(ext4_edit_find(e, "/nix/store", true, &store, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		_cleanup_(tree_freep) struct tree *t = tree_new(0555, 1);
		_cleanup_(walk_freep) struct walk *w = NULL;

		parts[i].fill(t, "", n);
		w = tree_walk(t);
		assert_ok(ext4_edit_add(e, store, strrchr(parts[i].path(n), '/') + 1, w, &err),
		          &err);
	}
}

/* Path i of the closure; its references. */
static void describe(struct path_info *p, const char *path, size_t i)
{
	p->path = xstrdup(path);
	memset(p->nar_hash, (int)i + 1, sizeof p->nar_hash);
	p->nar_size = 1000 * (i + 1);
	p->registration_time = GUEST_TIME;
	p->refs = xcalloc(4, sizeof *p->refs);
}

void guest_closure(unsigned n, struct closure *out)
{
	*out = (struct closure){.paths = xcalloc(3 * n + 1, sizeof *out->paths)};
	describe(&out->paths[out->n++], GUEST_GLIBC, 0);
	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		for (unsigned i = 1; i <= n; i++, out->n++)
			describe(&out->paths[out->n], parts[k].path(i), out->n);
	for (unsigned i = 1; i <= n; i++) {
		struct path_info *system = &out->paths[2 * n + i];

		system->refs[system->nrefs++] = 0;
		system->refs[system->nrefs++] = i;
		system->refs[system->nrefs++] = n + i;
	}
}

/* ---- the menu ------------------------------------------------------------- */

struct texts {
	char *kernel, *initrd, *init, *version;
};

static void write_grub(const struct guest_make *g, struct grubcfg *cfg, struct tree *boot)
{
	const struct grub_place place = {.by = GRUB_BY_UUID,
	                                 .boot_id = g->separate_boot ? BOOT_UUID : ROOT_UUID,
	                                 .root_id = ROOT_UUID,
	                                 .separate_boot = g->separate_boot,
	                                 .copy_kernels = g->separate_boot,
	                                 .timeout = 5};
	const char *dir = g->separate_boot ? "" : "/boot";
	_free_ char *file = xasprintf("%s/grub/grub.cfg", dir);
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct grub_form form;
	const char **copies;
	size_t n;

	grub_form_new(&place, &form);
	cfg->form = &form;
	assert_ok(grubcfg_format(cfg, &text, &err), &err);
	tree_file(boot, file, 0644, text.p, text.n);
	n = grubcfg_copies(cfg, &copies);
	for (size_t i = 0; i < n && g->separate_boot; i++) {
		_free_ char *base = grubcfg_copy_name(copies[i]);
		_free_ char *path = xasprintf("%s/kernels/%s", dir, base);

		put(boot, path, "a copy\n");
	}
	free(copies);
	grub_form_fini(&form);
}

static void write_extlinux(const struct grubcfg *cfg, struct tree *boot)
{
	static const char entry[] = "LABEL nixos-%s\n  MENU LABEL NixOS - %s\n  LINUX %s\n"
	                            "  INITRD %s\n  APPEND init=%s %s\n\n";
	const struct grub_profile *p = cfg->profiles;
	_cleanup_(buf_fini) struct buf text = BUF_INIT;

	buf_puts(&text, "DEFAULT nixos-default\nTIMEOUT 50\n\n");
	for (size_t i = 0; i <= p->n; i++) {
		const struct grub_generation *g = &p->generations[i ? i - 1 : 0];
		const struct grub_entry *e = &g->entry;
		_free_ char *tag = i ? xasprintf("%u", g->number) : xstrdup("default");
		_free_ char *title = i ? xasprintf("Configuration %u (2025-10-03 00:00 - %s)",
		                                   g->number, g->version)
		                       : xstrdup("Default");

		buf_putf(&text, entry, tag, title, e->kernel, e->initrd, e->init, e->params);
	}
	tree_file(boot, "/boot/extlinux/extlinux.conf", 0644, text.p, text.n);
}

static void write_menu(const struct guest_make *g, struct tree *boot)
{
	unsigned n = g->generations;
	_free_ struct grub_generation *v = xcalloc(n, sizeof *v);
	_free_ struct texts *texts = xcalloc(n, sizeof *texts);
	struct grub_profile profile = {.generations = v, .n = n};
	struct grubcfg cfg = {.limit = 100, .current = v, .profiles = &profile, .n_profiles = 1};

	for (unsigned i = 0; i < n; i++) {
		struct texts *t = &texts[i];

		t->init = xasprintf("%s/init", guest_system(n - i));
		t->kernel = xasprintf("%s/bzImage", guest_kernel(n - i));
		t->initrd = xasprintf("%s/initrd", guest_initrd(n - i));
		t->version = xasprintf("25.11.%u", n - i);
		v[i] = (struct grub_generation){.number = n - i,
		                                .time = GUEST_TIME,
		                                .version = t->version,
		                                .entry = {.init = t->init,
		                                          .kernel = t->kernel,
		                                          .initrd = t->initrd,
		                                          .params = PARAMS}};
	}
	if (g->menu == GUEST_GRUB)
		write_grub(g, &cfg, boot);
	else
		write_extlinux(&cfg, boot);
	for (unsigned i = 0; i < n; i++) {
		free(texts[i].init);
		free(texts[i].kernel);
		free(texts[i].initrd);
		free(texts[i].version);
	}
}

/* ---- the disks ------------------------------------------------------------ */

static void add_generations(struct tree *t, unsigned n)
{
	lead(t, GUEST_STATE_PROFILES "/system", "system-%u-link", n);
	put(t, GUEST_GLIBC "/sh", "a library\n");
	for (unsigned i = 1; i <= n; i++) {
		_free_ char *link = xasprintf(GUEST_STATE_PROFILES "/system-%u-link", i);

		tree_link(t, link, guest_system(i));
		for (size_t k = 0; k < ARRAY_LEN(parts); k++)
			parts[k].fill(t, parts[k].path(i), i);
	}
}

static struct tree *root_tree(const struct guest_make *g)
{
	struct tree *t = tree_new(0755, GUEST_TIME);
	_cleanup_(closure_fini) struct closure c = {0};
	_cleanup_(buf_fini) struct buf db = BUF_INIT;
	struct err err = ERR_INIT;

	guest_closure(g->generations, &c);
	assert_ok(store_db_build(&c, GUEST_TIME, &db, &err), &err);
	tree_file(t, GUEST_STATE_DB "/db.sqlite", 0644, db.p, db.n);
	tree_file(t, GUEST_STATE_DB "/schema", 0644, STORE_DB_SCHEMA, strlen(STORE_DB_SCHEMA));
	tree_dir(t, "/boot", 0755, 0, 0);
	tree_dir(t, "/nix/var/nix/gcroots", 0755, 0, 0);
	add_generations(t, g->generations);
	return t;
}

static void write_disk(struct guest_make *g, struct tree *root)
{
	_free_ char *label = xasprintf("disk%zu.img", g->n_disks);
	struct image_request req = {.name = label,
	                            .root = root,
	                            .label = "NIXOS",
	                            .time = GUEST_TIME,
	                            .spare = SPARE,
	                            .partitioned = g->partitioned,
	                            .disk_id = 1,
	                            .threads = 1,
	                            .uuid = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01,
	                                     0x23, 0x45, 0x67, 0x89, 0xab, 0xcd}};
	int fd = memfd_create(label, MFD_CLOEXEC);
	struct image_plan plan;
	struct err err = ERR_INIT;
	struct target t;

	req.uuid[15] = (uint8_t)g->n_disks;
	assert_true(fd >= 0);
	assert_ok(target_from_file(&t, fd, label, CLONE_NEVER, &err), &err);
	assert_ok(image_plan(&req, &plan, &err), &err);
	assert_ok(image_write(&plan, &t, &err), &err);
	g->base = plan.base;
	image_plan_fini(&plan);
	target_fini(&t);
	g->fd[g->n_disks] = fd;
	g->path[g->n_disks++] = xasprintf("/proc/%d/fd/%d", (int)getpid(), fd);
}

void guest_make(struct guest_make *g)
{
	_cleanup_(tree_freep) struct tree *root = root_tree(g);
	_cleanup_(tree_freep) struct tree *boot = tree_new(0755, GUEST_TIME);

	if (g->menu != GUEST_MENU_NONE)
		write_menu(g, g->separate_boot ? boot : root);
	g->n_disks = 0;
	write_disk(g, root);
	if (g->separate_boot)
		write_disk(g, boot);
}

void guest_make_fini(struct guest_make *g)
{
	while (g->n_disks) {
		free(g->path[--g->n_disks]);
		close(g->fd[g->n_disks]);
	}
}

struct buf guest_bytes(const struct guest_make *g, size_t disk)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	off_t n = lseek(g->fd[disk], 0, SEEK_END);

	assert_true(n > 0);
	assert_int_equal(
	        io_pread(g->fd[disk], "disk", buf_zeros(&out, (size_t)n), (size_t)n, 0, &err), n);
	return out;
}

/* e2fsck reads from an offset that follows the name. */
void guest_fsck(const struct guest_make *g)
{
	for (size_t i = 0; i < g->n_disks; i++) {
		_free_ char *disk =
		        xasprintf("%s?offset=%llu", g->path[i], (unsigned long long)g->base);
		char name0[] = "e2fsck", force[] = "-f", look[] = "-n";
		char *const argv[] = {name0, force, look, disk, NULL};
		posix_spawn_file_actions_t quiet;
		int status, rc;
		pid_t pid;

		posix_spawn_file_actions_init(&quiet);
		posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		rc = posix_spawn(&pid, E2FSCK, &quiet, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&quiet);
		if (rc != 0)
			return;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("e2fsck -fn %s: status %#x", disk, status);
	}
}
