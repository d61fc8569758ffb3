/* SPDX-License-Identifier: MIT */
/* syslinux's modules that lead to a Linux kernel or a menu; others are left alone. */
#include "base/mem.h"
#include "grub/context.h"
#include "grub/extlinux_enter.h"

#include <string.h>

/* "a.gz … --- kernel args --- initrd": Linux is the second of mboot.c32's modules. */
static bool split_modules(struct extlinux_body *b)
{
	struct str part[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}}, rest = b->append;
	size_t n = 0;

	part[0] = (struct str){rest.p, 0};
	while (rest.n) {
		struct str word = extlinux_cut(&rest);

		if (!str_is(word, "---")) {
			part[n].n = (size_t)(word.p + word.n - part[n].p);
			continue;
		}
		if (++n >= ARRAY_LEN(part))
			break;
		part[n] = (struct str){rest.p, 0};
	}
	if (!part[1].n)
		return false;
	b->kind = EXT_LINUX;
	b->kernel = extlinux_cut(&part[1]);
	b->kernel_args = part[1];
	b->append = STR("");
	if (part[2].n)
		b->initrds = extlinux_cut(&part[2]);
	return true;
}

/* A command line, "label args" or "file args", in the entry's place. */
static void run_command(struct grub_menu *m, struct extlinux_body *b, struct str command)
{
	struct str args = command, label = extlinux_cut(&args);

	for (size_t i = 0; i < m->n; i++) {
		if (m->entries[i].submenu || !str_is(label, m->entries[i].id))
			continue;
		*b = extlinux_body(str_from(m->entries[i].body));
		b->more = args;
		return;
	}
	*b = (struct extlinux_body){.kind = EXT_KERNEL, .kernel = label, .append = args};
}

/* The arguments after one word, up to another. */
static struct str behind(struct str args, const char *word, const char *const *ends, size_t n)
{
	struct str part = {NULL, 0};

	while (args.n) {
		struct str one = extlinux_cut(&args);
		bool end = false;

		for (size_t i = 0; i < n; i++)
			end = end || str_is(one, ends[i]);
		if (part.p && end)
			return part;
		if (part.p)
			part.n = (size_t)(one.p + one.n - part.p);
		else if (str_is(one, word))
			part = (struct str){args.p, 0};
	}
	return part;
}

/* "whichsys.c32 -pxe- COMMAND -sys- COMMAND -iso- COMMAND": a disk is not a network. */
static int run_whichsys(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                        struct err *err)
{
	static const char *const ends[] = {"-sys-", "-iso-", "-pxe-"};
	struct str command = behind(b->append, "-sys-", ends, ARRAY_LEN(ends));

	if (!command.n)
		command = behind(b->append, "-iso-", ends, ARRAY_LEN(ends));
	if (command.n)
		run_command(m, b, command);
	return 0;
}

/* "ifcpu64.c32 COMMAND [-- COMMAND] -- COMMAND": the first is for 64 bits. */
static int run_ifcpu64(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                       struct err *err)
{
	struct str rest = b->append, first = {rest.p, 0};

	while (rest.n) {
		struct str one = extlinux_cut(&rest);

		if (str_is(one, "--"))
			break;
		first.n = (size_t)(one.p + one.n - first.p);
	}
	if (first.n)
		run_command(m, b, first);
	return 0;
}

/* "ifcpu.c32 WHAT… -- COMMAND [-- COMMAND]": the host's CPU has what is asked for. */
static int run_ifcpu(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                     struct err *err)
{
	static const char *const ends[] = {"--"};
	struct str command = behind(b->append, "--", ends, ARRAY_LEN(ends));

	if (command.n)
		run_command(m, b, command);
	return 0;
}

/* "linux.c32 [-OPTION…] KERNEL ARGS" */
static int run_linux(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                     struct err *err)
{
	struct str rest = b->append, word = extlinux_cut(&rest);

	while (str_starts(word, "-"))
		word = extlinux_cut(&rest);
	b->kind = EXT_LINUX;
	b->kernel = word;
	b->append = rest;
	return 0;
}

static int run_mboot(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                     struct err *err)
{
	(void)split_modules(b);
	return 0;
}

/* "menu.c32 FILE"; without FILE it is the current menu. */
static int run_menu(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                    struct err *err)
{
	struct str rest = b->append, name = extlinux_cut(&rest);

	return name.n ? extlinux_open(m, name, STR(""), next, err) : 0;
}

static int run_config(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                      struct err *err)
{
	struct str rest = b->append, name = extlinux_cut(&rest);

	return name.n ? extlinux_open(m, name, rest, next, err) : 0;
}

static const struct {
	const char *name;
	int (*run)(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
	           struct err *err);
} modules[] = {
        {"whichsys.c32", run_whichsys}, {"ifcpu64.c32", run_ifcpu64}, {"ifcpu.c32", run_ifcpu},
        {"linux.c32", run_linux},       {"mboot.c32", run_mboot},     {"vesamenu.c32", run_menu},
        {"menu.c32", run_menu},         {"config.c32", run_config},
};

static bool is_named(struct str path, const char *name)
{
	size_t n = strlen(name);

	return extlinux_suffix(path, name) && (path.n == n || path.p[path.n - n - 1] == '/');
}

int extlinux_module(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                    struct err *err)
{
	/* A module may lead to another's label; labels that lead to each other end somewhere. */
	for (size_t left = m->context->limits->calls; left > 0; left--) {
		const char *before = b->kernel.p;
		size_t i = 0;
		int rc;

		if (b->kind != EXT_KERNEL)
			return 0;
		while (i < ARRAY_LEN(modules) && !is_named(b->kernel, modules[i].name))
			i++;
		if (i == ARRAY_LEN(modules))
			return 0;
		if (!b->append.n)
			b->append = b->kernel_args;
		rc = modules[i].run(m, b, next, err);
		if (rc || b->kernel.p == before)
			return rc;
	}
	return err_set(err, ERR_LIMIT, "more than %zu COM32 modules that load each other",
	               m->context->limits->calls);
}
