/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/test/explore.h"

#include <string.h>

#define LEVELS 3
#define PER_LEVEL 6

const struct grub_limits explore_limits = {
        .config = 64 << 10,
        .steps = 4000,
        .tree = 1 << 20,
        .nesting = 64,
        .calls = 32,
        .value = 4 << 10,
        .memory = 128 << 10,
        .words = 128,
        .entries = 64,
        .initrds = 8,
        .output = 4 << 10,
        .warnings = 16,
        .names = 64,
};

const char explore_disks[] = "@device hd0\n"
                             "@device hd0,msdos1 ext2 aaaa-bbbb NIXBOOT\n"
                             "@touch /vmlinuz\n"
                             "@touch /initrd\n"
                             "@env /grub/grubenv\n"
                             "saved_entry=1\n"
                             "next_entry=a>b\n"
                             "@file /grub/more.cfg\n"
                             "menuentry more { linux /vmlinuz more=$more; initrd /initrd; }\n"
                             "@file /loader/entries/one-5.10.conf\n"
                             "title One\n"
                             "linux /vmlinuz\n"
                             "initrd /initrd\n"
                             "options $kernelopts quiet\n"
                             "@file /loader/entries/one-5.9.conf\n"
                             "title One\n"
                             "linux /vmlinuz\n"
                             "@device hd1 ext2 1111-2222 NIXROOT\n"
                             "@touch /nix/store/k/bzImage\n"
                             "@touch /nix/store/i/initrd\n"
                             "@file /more.conf\n"
                             "LABEL more\n"
                             "KERNEL vmlinuz\n"
                             "@file /grub/default\n"
                             "1\n"
                             "#\n";

static void check_file(const struct grub_menu *m, const struct grub_boot_file *file)
{
	if (!file->path || file->path[0] != '/' || strstr(file->path, "//") ||
	    strstr(file->path, "/../"))
		abort();
}

static void check_boot(const struct grub_menu *m, const struct grub_boot *b)
{
	check_file(m, &b->kernel);
	for (size_t i = 0; i < b->initrd_count; i++)
		check_file(m, &b->initrds[i]);
	if (!b->args || b->initrd_count > explore_limits.initrds)
		abort();
}

static void explore(struct grub_menu *m, unsigned level)
{
	for (size_t i = 0; i < MIN(m->n, PER_LEVEL); i++) {
		struct grub_boot boot = GRUB_BOOT_INIT;
		struct grub_menu *next = NULL;
		struct err err = ERR_INIT;
		int rc = grub_menu_enter(m, i, (struct str){NULL, 0}, &boot, &next, &err);

		if (rc == 0)
			check_boot(m, &boot);
		if (rc == 1 && level < LEVELS)
			explore(next, level + 1);
		if (rc < 0 && !*err.text)
			abort();
		grub_menu_free(next);
		grub_boot_fini(&boot);
	}
}

static void run_shell(struct grub_menu *m, struct str text)
{
	struct grub_shell *sh = grub_shell_new(m);
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct grub_menu *next = NULL;
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (grub_shell_line(sh, text, &out, &boot, &next, &err) == 1)
		check_boot(m, &boot);
	grub_menu_free(next);
	grub_boot_fini(&boot);
	buf_fini(&out);
	grub_shell_free(sh);
}

void explore_menu(struct grub_menu *m, struct str text)
{
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct err err = ERR_INIT;

	explore(m, 0);
	if (grub_menu_auto(m, (struct str){NULL, 0}, &boot, &err) == 0)
		check_boot(m, &boot);
	grub_boot_fini(&boot);
	if (m->dialect == GRUB_SCRIPT)
		run_shell(m, text);
}

void explore_text(enum grub_dialect dialect, struct str text)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	struct err err = ERR_INIT;
	struct fake f;

	fake_init(&f, str_from(explore_disks));
	if (grub_menu_parse(&f.files, &explore_limits, dialect, text, &m, &err) == 0) {
		m->dev = 1;
		explore_menu(m, text);
	}
	fake_fini(&f);
}
