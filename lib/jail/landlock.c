/* SPDX-License-Identifier: MIT */
/* Landlock, Linux 5.13 and later; its C library calls do not exist, and its header may be older
 * than the kernel. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "jail/view.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define VERSION_ASKED 1u /* LANDLOCK_CREATE_RULESET_VERSION */
#define PATH_BENEATH 1   /* LANDLOCK_RULE_PATH_BENEATH */

/* LANDLOCK_ACCESS_FS_*: what version 1 knows are bits 0 to 12. */
#define EXECUTE (1u << 0)
#define READ_FILE (1u << 2)
#define READ_DIR (1u << 3)
#define FS_VERSION_1 ((1u << 13) - 1)
#define REFER (1u << 13)    /* version 2 */
#define TRUNCATE (1u << 14) /* version 3 */
#define SCOPE_ALL 3u        /* version 6: abstract sockets and signals of others */

struct ruleset {
	uint64_t fs, net, scoped;
};

struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static void allow(int rules, int fd, uint64_t access)
{
	struct beneath b = {access, fd};

	/* Rules for a file may not have rights for directories. */
	if (fd >= 0 && syscall(SYS_landlock_add_rule, rules, PATH_BENEATH, &b, 0) < 0) {
		b.allowed &= ~(uint64_t)READ_DIR;
		(void)syscall(SYS_landlock_add_rule, rules, PATH_BENEATH, &b, 0);
	}
}

static void allow_path(int rules, const char *path, uint64_t access)
{
	_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	allow(rules, fd, access);
}

static void allow_view(int rules, const struct jail_spec *s, bool own_root)
{
	const struct jail_role *r = &jail_roles[s->role];
	uint64_t access = READ_FILE | READ_DIR | (r->runs ? EXECUTE : 0);

	if (own_root)
		allow_path(rules, "/", access);
	for (const char *const *p = r->view; !own_root && *p; p++)
		allow_path(rules, *p, access);
	if (!own_root && r->runs) {
		allow_path(rules, "/proc", READ_FILE | READ_DIR);
		if (s->program)
			allow_path(rules, s->program, access);
	}
	/* A program opens its input by name. */
	for (unsigned i = 0; r->runs && i < JAIL_USE_MAX; i++)
		if (fcntl(JAIL_FD(JAIL_INPUT, i), F_GETFD) >= 0)
			allow(rules, JAIL_FD(JAIL_INPUT, i), READ_FILE);
}

void landlock_enter(const struct jail_spec *s, bool own_root)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_ASKED);
	struct ruleset set = {.fs = FS_VERSION_1 | (version >= 2 ? REFER : 0) |
	                            (version >= 3 ? TRUNCATE : 0),
	                      .scoped = SCOPE_ALL};
	/* An older kernel knows only the first fields of the struct. */
	size_t size = version >= 6 ? sizeof set : sizeof set.fs;
	_close_ int rules = -1;

	if (version < 1)
		return;
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
	if (rules < 0)
		return;
	allow_view(rules, s, own_root);
	(void)syscall(SYS_landlock_restrict_self, rules, 0);
}
