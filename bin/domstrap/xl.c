/* SPDX-License-Identifier: MIT */
#include "xl.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "program.h"

#define XEN_HERE "/proc/xen/privcmd"

bool xl_same_disk(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) < 0 || stat(b, &y) < 0)
		return false;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int xl_run(char *const argv[], struct buf *out, int *status, struct err *err)
{
	return err_absent(program_run(argv, true, out, status, err));
}

int xl_domains(json_t **out, struct err *err)
{
	char program[] = "xl", list[] = "list", full[] = "-l";
	char *argv[] = {program, list, full, NULL};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	json_t *domains;
	int status, rc = xl_run(argv, &text, &status, err);

	if (rc)
		return rc;
	if (status && access(XEN_HERE, F_OK) == 0)
		return err_set(err, ERR_BUSY,
		               "\"xl list -l\" failed (status %d), so that it is not known whether "
		               "a guest uses the disk",
		               status);
	if (status)
		return 1;
	domains = json_loadb(text.p ? text.p : "", text.n, 0, NULL);
	if (!json_is_array(domains)) {
		json_decref(domains);
		return err_set(err, ERR_BUSY, "\"xl list -l\" printed no list of guests");
	}
	*out = domains;
	return 0;
}

const char *xl_domain_name(const json_t *domain)
{
	const json_t *info = json_object_get(json_object_get(domain, "config"), "c_info");
	const char *name = json_string_value(json_object_get(info, "name"));

	return name ? name : "";
}

int xl_domain_id(const json_t *domain)
{
	return (int)json_integer_value(json_object_get(domain, "domid"));
}

bool xl_domain_has(const json_t *domain, const char *path)
{
	const json_t *disks = json_object_get(json_object_get(domain, "config"), "disks");

	for (size_t i = 0; i < json_array_size(disks); i++) {
		const json_t *disk = json_array_get(disks, i);
		const char *at = json_string_value(json_object_get(disk, "pdev_path"));

		if (at && xl_same_disk(at, path))
			return true;
	}
	return false;
}

/* The last letter of "-b----" that is one. */
static const char *state_name(struct str flags)
{
	static const struct {
		char flag;
		const char *name;
	} states[] = {{'d', "dying"}, {'c', "crashed"}, {'s', "shutdown"}, {'p', "paused"}};

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (memchr(flags.p, states[i].flag, flags.n))
			return states[i].name;
	return "running"; /* on a processor or not: xl calls an idle guest blocked */
}

/* "xl list ID": a head, then NAME ID MEM VCPUS STATE TIME. */
const char *xl_domain_state(int id)
{
	char program[] = "xl", list[] = "list", number[16];
	char *argv[] = {program, list, number, NULL};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct str line, word = {NULL, 0}, state = {NULL, 0};
	struct err err = ERR_INIT;
	int status;

	snprintf(number, sizeof number, "%d", id);
	if (xl_run(argv, &text, &status, &err) != 0 || status)
		return "";
	line = buf_str(&text);
	(void)str_cut(&line, '\n');
	line = str_cut(&line, '\n');
	while (line.p) {
		struct str next = str_cut(&line, ' ');

		if (!next.n)
			continue;
		state = word;
		word = next;
	}
	return state.p ? state_name(state) : "";
}
