/* SPDX-License-Identifier: MIT */
#include "host/xl.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "host/program.h"

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

bool xl_is_here(void)
{
	return access(XEN_HERE, F_OK) == 0;
}

/* "virt_caps              : pv hvm hap": what is behind the colon; p NULL: it is not there. */
static struct str info_value(struct str info, const char *key)
{
	while (info.p) {
		struct str line = str_cut(&info, '\n');
		struct str name = str_trim(str_cut(&line, ':'));

		if (line.p && str_is(name, key))
			return str_trim(line);
	}
	return (struct str){NULL, 0};
}

static bool has_word(struct str list, const char *word)
{
	while (list.p)
		if (str_is(str_cut(&list, ' '), word))
			return true;
	return false;
}

/* Older versions do not list hap and shadow. */
static bool tells_caps(struct str version)
{
	struct str major = str_cut(&version, '.'), minor = str_cut(&version, '.');
	uint64_t a, b;

	return str_u64(major, 10, UINT32_MAX, &a) && minor.n &&
	       str_u64((struct str){minor.p, strspn(minor.p, "0123456789")}, 10, UINT32_MAX, &b) &&
	       (a > 4 || (a == 4 && b >= 13));
}

int xl_host(struct xl_host *out, int *status, struct err *err)
{
	char program[] = "xl", info[] = "info";
	char *argv[] = {program, info, NULL};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = xl_run(argv, &text, status, err);
	struct xl_host h = {.version = ""};
	struct str version, caps;

	if (rc || *status)
		return rc;
	version = info_value(buf_str(&text), "xen_version");
	caps = info_value(buf_str(&text), "virt_caps");
	snprintf(h.version, sizeof h.version, "%.*s", STR_ARG(version));
	h.caps_known = version.p && caps.p && tells_caps(version);
	h.hvm = has_word(caps, "hvm");
	h.hap = has_word(caps, "hap");
	h.shadow = has_word(caps, "shadow");
	h.memory_known =
	        str_u64(info_value(buf_str(&text), "free_memory"), 10, UINT32_MAX, &h.unused_mib);
	*out = h;
	return 0;
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
	if (status && xl_is_here())
		return err_set(err, ERR_BUSY,
		               "\"xl list -l\" failed (status %d), so domstrap cannot tell whether "
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

/* The last letter of a state such as "-b----". */
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
