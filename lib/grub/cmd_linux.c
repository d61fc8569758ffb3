/* SPDX-License-Identifier: MIT */
/* linux, initrd and boot; and the loaders that a PV or PVH guest cannot use. */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/command.h"

#include <ctype.h>
#include <string.h>

/* Remember why nothing can be booted, and say so. */
static int broken(struct exec *x, int status, const struct err *why)
{
	x->broken = *why;
	return exec_fail(x, status, "%s", why->text);
}

/* An escape that the kernel itself takes apart: \x and two hex digits. */
static bool hex_escape(const char *s)
{
	return s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
	       isxdigit((unsigned char)s[3]);
}

/* One word of the kernel's command line, quoted as GRUB quotes it. */
static void put_arg(struct buf *out, const char *arg)
{
	bool blank = strchr(arg, ' ') != NULL;

	if (blank)
		buf_puts(out, "\"");
	for (; *arg; arg++) {
		if (hex_escape(arg)) {
			buf_put(out, arg, 3);
			arg += 3;
		} else if (*arg == '\\' || *arg == '\'' || *arg == '"') {
			buf_puts(out, "\\");
		}
		buf_put(out, arg, 1);
	}
	if (blank)
		buf_puts(out, "\"");
}

int cmd_linux(struct exec *x, struct grub_texts *argv, struct err *err)
{
	struct buf args = BUF_INIT;
	struct err why = ERR_INIT;
	struct file_base base = exec_base(x);
	int rc;

	boot_unload(&x->boot);
	if (exec_charge(x, EXEC_FILE_BYTES, err) < 0)
		return -ERR_LIMIT;
	if (argv->n < 2) {
		err_set(&why, ERR_FORMAT, "a kernel's file name is missing");
		return broken(x, STATUS_BAD_ARGUMENT, &why);
	}
	rc = boot_set_kernel(&x->boot, &base, str_from(argv->v[1]), &why);
	if (rc < 0)
		return broken(x, STATUS_NO_FILE, &why);
	for (size_t i = 2; i < argv->n; i++) {
		if (i > 2)
			buf_puts(&args, " ");
		put_arg(&args, argv->v[i]);
	}
	x->broken.code = ERR_NONE;
	x->boot.args = buf_steal(&args);
	return STATUS_OK;
}

static int load_initrds(struct exec *x, const struct grub_texts *argv, struct err *why)
{
	for (size_t i = 1; i < argv->n; i++) {
		int rc;
		struct file_base base = exec_base(x);

		if (strncmp(argv->v[i], "newc:", 5) == 0)
			return err_set(why, ERR_UNSUPPORTED, "%s: newc: is not supported",
			               argv->v[i]);
		rc = boot_add_initrd(&x->boot, &base, str_from(argv->v[i]), why);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int cmd_initrd(struct exec *x, struct grub_texts *argv, struct err *err)
{
	struct err why = ERR_INIT;
	int rc;

	if (argv->n > 1 && exec_charge(x, argv->n * EXEC_FILE_BYTES, err) < 0)
		return -ERR_LIMIT;
	if (argv->n < 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a file name is missing");
	if (!x->boot.kernel.path) {
		err_set(&why, ERR_FORMAT, "an initrd before a kernel");
		return x->broken.code ? exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text)
		                      : broken(x, STATUS_BAD_ARGUMENT, &why);
	}
	if (x->boot.initrd_count)
		exec_warn(x, "replaces the entry's earlier initrd");
	boot_drop_initrds(&x->boot);
	x->broken.code = ERR_NONE;
	if (argv->n - 1 > x->limits->initrds) {
		err_set(&why, ERR_LIMIT, "%zu initrd files, more than the limit of %zu",
		        argv->n - 1, x->limits->initrds);
		return broken(x, STATUS_BAD_ARGUMENT, &why);
	}
	rc = load_initrds(x, argv, &why);
	return rc < 0 ? broken(x, STATUS_NO_FILE, &why) : STATUS_OK;
}

/* Something that only boots by itself or on bare metal. */
int cmd_refused(struct exec *x, struct grub_texts *argv, struct err *err)
{
	struct err why = ERR_INIT;

	boot_unload(&x->boot);
	err_set(&why, ERR_UNSUPPORTED,
	        "the entry boots by \"%s\"; a Xen guest needs \"linux\" and \"initrd\"",
	        argv->v[0]);
	if (x->broken.code == ERR_UNSUPPORTED) /* module2 after multiboot2: said already */
		return STATUS_UNSUPPORTED;
	return broken(x, STATUS_UNSUPPORTED, &why);
}

int cmd_boot(struct exec *x, struct grub_texts *argv, struct err *err)
{
	if (!x->boot.kernel.path || x->broken.code)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "no kernel is loaded");
	x->flow = FLOW_BOOT;
	return STATUS_OK;
}
