/* SPDX-License-Identifier: MIT */
/*
 * Prints configs as libxlutil, xl's own reader, parses them: see dump.h. Built by
 * test-xlcfg.sh with Debian's libxen-dev; not installed.
 */
#include <libxlutil.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dump.h"

static void dump_value(const XLU_Config *cfg, XLU_ConfigValue *v);

static void dump_list(const XLU_Config *cfg, const XLU_ConfigList *list)
{
	XLU_ConfigValue *one;

	printf("[");
	for (int i = 0; (one = xlu_cfg_get_listitem2(list, i)); i++) {
		printf(" ");
		dump_value(cfg, one);
	}
	printf(" ]");
}

static void dump_value(const XLU_Config *cfg, XLU_ConfigValue *v)
{
	XLU_ConfigList *list;
	char *text;

	if (xlu_cfg_value_get_string(cfg, v, &text, 1) == 0)
		dump_text(text);
	else if (xlu_cfg_value_get_list(cfg, v, &list, 1) == 0)
		dump_list(cfg, list);
}

/* The reason in the first line of a report, without prefix, "near ..." and the spec. */
static char *disk_reason(char *report)
{
	static const char head[] = "disk specification: ";
	char *p = strstr(report, head), *end;

	p = p ? p + strlen(head) : report;
	end = strstr(p, " in `");
	if (end)
		*end = '\0';
	end = strstr(p, ": near `");
	if (end)
		*end = '\0';
	return p;
}

static bool dump_disk(const char *spec)
{
	char *report = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&report, &n);
	XLU_Config *cfg = xlu_cfg_init(f, "x");
	libxl_device_disk d;

	libxl_device_disk_init(&d);
	if (xlu_disk_parse(cfg, 1, &spec, &d) != 0) {
		fflush(f);
		printf("refused disk %s\n", disk_reason(report));
		return false;
	}
	printf("disk %s|%s|%s|%s|%s|%s|%s|%s|%d\n", d.pdev_path ? d.pdev_path : "", d.vdev,
	       libxl_disk_format_to_string(d.format), d.readwrite ? "w" : "r",
	       d.is_cdrom ? "cdrom" : "disk", d.backend_domname ? d.backend_domname : "",
	       d.backend ? libxl_disk_backend_to_string(d.backend) : "", d.script ? d.script : "",
	       libxl_defbool_is_default(d.discard_enable) ? 0
	       : libxl_defbool_val(d.discard_enable)      ? 1
	                                                  : -1);
	return true;
}

static void dump(const char *path)
{
	char *report = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&report, &n);
	XLU_Config *cfg = xlu_cfg_init(f, "x");
	XLU_ConfigList *list;
	const char *spec;

	if (xlu_cfg_readfile(cfg, path) != 0) {
		fflush(f);
		if (strchr(report, '\n'))
			*strchr(report, '\n') = '\0';
		dump_refusal(strrchr(report, ':') ? strrchr(report, ':') : report);
		return;
	}
	for (size_t i = 0; i < sizeof dump_keys / sizeof *dump_keys; i++) {
		if (xlu_cfg_get_string(cfg, dump_keys[i], &spec, 1) == 0) {
			printf("%s ", dump_keys[i]);
			dump_text(spec);
		} else if (xlu_cfg_get_list(cfg, dump_keys[i], &list, NULL, 1) == 0) {
			printf("%s ", dump_keys[i]);
			dump_list(cfg, list);
		} else {
			continue;
		}
		printf("\n");
	}
	if (xlu_cfg_get_list(cfg, "disk", &list, NULL, 1) == 0)
		for (int i = 0; (spec = xlu_cfg_get_listitem(list, i)); i++)
			if (!dump_disk(spec))
				return;
}

/* Each file is read in its own process; if that crashes, the result is "killed". */
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int status;

		printf("file %s\n", argv[i]);
		fflush(stdout);
		if (fork() == 0) {
			dump(argv[i]);
			fflush(stdout);
			_exit(0);
		}
		wait(&status);
		if (status)
			printf("killed\n");
	}
	return 0;
}
