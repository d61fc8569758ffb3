/* SPDX-License-Identifier: MIT */
/*
 * Commands that only examine files or the machine. A script asks and goes on, so they answer
 * that the files are intact and the machine has no special hardware.
 */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/device.h"
#include "grub/opts.h"
#include "grub/texts.h"

#include <string.h>

/* What no Xen guest has: a pressed key, SMBIOS, CMOS, a network at boot. */
int cmd_lacking(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return STATUS_FALSE;
}

/* Bytes of a file, at most as many as a configuration may have: 0, a status, or -ERR_LIMIT. */
static int read_file(struct exec *x, struct str name, struct grub_stat *st, struct buf *out,
                     struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct file_base base = exec_base(x);
	struct err why = ERR_INIT;
	size_t dev = 0;
	int rc = exec_charge(x, EXEC_FILE_BYTES, err);

	if (rc < 0)
		return rc;
	rc = file_locate(&base, name, &dev, &path, NULL, &why);
	if (rc == 0)
		rc = file_check(x->files, dev, buf_str(&path), &why);
	if (rc == 0)
		rc = x->files->ops->stat(x->files, dev, buf_str(&path), st, &why);
	if (rc == 0 && out && st->size <= x->limits->config)
		rc = x->files->ops->read(x->files, dev, buf_str(&path), x->limits->config, out,
		                         &why);
	if (rc < 0)
		return exec_fail(x, STATUS_NO_FILE, "%s", why.text);
	return out ? exec_charge(x, out->n, err) : STATUS_OK;
}

int cmd_cmp(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(buf_fini) struct buf a = BUF_INIT, b = BUF_INIT;
	struct grub_stat sa, sb;
	int rc;

	if (argv->n != 3)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "two files expected");
	rc = read_file(x, str_from(argv->v[1]), &sa, &a, err);
	if (rc == 0)
		rc = read_file(x, str_from(argv->v[2]), &sb, &b, err);
	if (rc)
		return rc;
	if (sa.size != sb.size)
		return STATUS_FALSE;
	if (sa.size > x->limits->config)
		return exec_fail(x, STATUS_FALSE, "files larger than %zu bytes are not compared",
		                 x->limits->config);
	return str_eq(buf_str(&a), buf_str(&b)) ? STATUS_OK : STATUS_FALSE;
}

/* Every kernel is checked before it is handed over, so here it need only exist. */
int cmd_file(struct exec *x, struct grub_texts *argv, struct err *err)
{
	static const char *const kinds[] = {
	        "--is-x86-linux",       "--is-x86-linux32",       "--is-i386-xen-pae-domu",
	        "--is-x86_64-xen-domu", "--is-i386-xen-pae-dom0", "--is-x86_64-xen-dom0",
	};
	struct grub_stat st;
	int rc;

	if (argv->n != 3)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "an option and a file expected");
	rc = read_file(x, str_from(argv->v[2]), &st, NULL, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(argv->v[1], kinds[i]) == 0)
			return STATUS_OK;
	return STATUS_FALSE;
}

static const struct opt sum_opts[] = {
        {"hash", 'h', OPT_TEXT},       {"check", 'c', OPT_TEXT},      {"prefix", 'p', OPT_TEXT},
        {"uncompress", 'u', OPT_FLAG}, {"keep-going", 'k', OPT_FLAG},
};

/* hashsum, md5sum and so on: the files must exist, but their checksums are not computed. */
int cmd_sum(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	struct err why = ERR_INIT;
	struct grub_stat st;
	int opt, rc = 0;

	while ((opt = opts_next(&o, sum_opts, ARRAY_LEN(sum_opts), &why)) <
	       (int)ARRAY_LEN(sum_opts)) {
		if (opt < 0)
			return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
		if (opt == 1)
			exec_warn(x, "checksums are not verified");
	}
	for (size_t i = 0; rc == 0 && i < o.words.n; i++)
		rc = read_file(x, str_from(o.words.v[i]), &st, NULL, err);
	return rc;
}

/* "fwsetup --is-supported" is a question; without a word it is where an entry leads. */
int cmd_fwsetup(struct exec *x, struct grub_texts *argv, struct err *err)
{
	return argv->n > 1 ? STATUS_FALSE : cmd_refused(x, argv, err);
}
