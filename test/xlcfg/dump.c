/* SPDX-License-Identifier: MIT */
/* Prints configs as domstrap's reader parses them: see dump.h. */
#include <fcntl.h>

#include "base/io.h"
#include "base/mem.h"
#include "dump.h"
#include "xen/xlcfg_read.h"

static void dump_value(const struct xlcfg_value *v)
{
	if (v->text) {
		dump_text(v->text);
		return;
	}
	printf("[");
	for (size_t i = 0; i < v->n; i++) {
		printf(" ");
		dump_value(&v->v[i]);
	}
	printf(" ]");
}

/* WHY in "disk 'SPEC': WHY near ...". */
static const char *reason(char *text)
{
	char *p = strstr(text, "': "), *end = strstr(text, " near \"");

	if (end)
		*end = '\0';
	return p ? p + 3 : text;
}

static void dump_disks(const struct xlcfg_text *t)
{
	const struct xlcfg_value *v;
	size_t n = xlcfg_text_list(t, "disk", &v);

	for (size_t i = 0; i < n; i++) {
		struct err err = ERR_INIT;
		struct xl_disk_spec d;

		if (xlcfg_disk_parse(v[i].text, &d, &err) < 0) {
			printf("refused disk %s\n", reason(err.text));
			return;
		}
		printf("disk %s|%s|%s|%s|%s|%s|%s|%s|%d\n", d.path, d.vdev,
		       xlcfg_disk_format(d.format), d.readonly ? "r" : "w",
		       d.cdrom ? "cdrom" : "disk", d.backend ? d.backend : "",
		       d.backendtype ? d.backendtype : "", d.script ? d.script : "", d.discard);
		xlcfg_disk_fini(&d);
	}
}

static void dump(const char *path)
{
	_cleanup_(xlcfg_text_fini) struct xlcfg_text t = {.n = 0};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	printf("file %s\n", path);
	if (io_read_file(AT_FDCWD, path, XLCFG_BYTES_MAX, &text, &err) < 0 ||
	    xlcfg_text_parse(buf_str(&text).p, text.n, &t, &err) < 0) {
		dump_refusal(err.text);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(dump_keys); i++) {
		const struct xlcfg_setting *set = xlcfg_text_find(&t, dump_keys[i]);

		if (!set)
			continue;
		printf("%s ", dump_keys[i]);
		dump_value(&set->value);
		printf("\n");
	}
	dump_disks(&t);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		dump(argv[i]);
	return 0;
}
