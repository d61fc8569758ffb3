/* SPDX-License-Identifier: MIT */
#include "guest/file_source.h"

static int file_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	struct file_source *s = (struct file_source *)src;
	size_t got;
	int rc = fs_file_read(s->f, p, n, off, &got, err);

	if (rc == 0 && got != n)
		return err_set(err, ERR_FORMAT, "file ends at byte %llu",
		               (unsigned long long)fs_file_size(s->f));
	return rc;
}

struct window file_source_window(struct file_source *s, struct fs_file *f, const char *name)
{
	*s = (struct file_source){.src = {.read = file_read}, .f = f};
	return window_over(&s->src, fs_file_size(f), name);
}
