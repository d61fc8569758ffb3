/* SPDX-License-Identifier: MIT */
#include "xen/xlcfg.h"
#include "base/mem.h"
#include "xen/xlcfg_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define NAME_MAX_BYTES 63u

static const char *const vif_keys[] = {
        "accel",      "backend", "bridge",  "devid",
        "gatewaydev", "ip",      "mac",     "model",
        "mtu",        "netdev",  "rate",    "script",
        "type",       "trusted", "vifname", "coloft_forwarddev",
};

/* Keys that --set must not change, because the guest might not start. */
static const char *const own_keys[] = {
        "name", "type", "disk", "vif", "kernel", "ramdisk", "cmdline", "bootloader", "builder",
};

static void format_assignment(const char *assignment, struct buf *out);

static bool is_one_of(struct str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(s, list[i]))
			return true;
	return false;
}

int xlcfg_name_check(const char *name, struct err *err)
{
	bool digits = true;
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MAX_BYTES)
		return err_set(err, ERR_USAGE, "guest name of %zu bytes: expected 1 to %u", n,
		               NAME_MAX_BYTES);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];

		digits = digits && isdigit(c);
		if (c < 0x80 && isalnum(c))
			continue;
		if (i == 0 || !strchr("._+-", c)) {
			struct buf shown = BUF_INIT;

			str_escape(&shown, str_from(name));
			err_set(err, ERR_USAGE,
			        "guest name '%s': only letters, digits and \"._+-\" are allowed, a "
			        "letter or digit first",
			        shown.p);
			buf_fini(&shown);
			return -ERR_USAGE;
		}
	}
	if (digits)
		return err_set(err, ERR_USAGE, "guest name '%s': xl takes digits for a domain ID",
		               name);
	if (strcmp(name, "Domain-0") == 0)
		return err_set(err, ERR_USAGE, "guest name 'Domain-0' is the name of dom0");
	return 0;
}

static bool mac_valid(struct str s)
{
	if (s.n != 17)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (i % 3 == 2 ? s.p[i] != ':' : !isxdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

int xlcfg_vif_check(const char *spec, struct err *err)
{
	struct str rest = str_from(spec);

	for (const char *p = spec; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, ERR_USAGE, "vif with a control character");
	if (!rest.n)
		return 0;
	while (rest.p) {
		struct str value = str_trim(str_cut(&rest, ','));
		struct str key = str_trim(str_cut(&value, '='));

		if (!is_one_of(key, vif_keys, ARRAY_LEN(vif_keys)))
			return err_set(
			        err, ERR_USAGE,
			        "vif '%s': '%.*s' is not a key of xl-network-configuration(5)",
			        spec, STR_ARG(key));
		if (!value.p)
			return err_set(err, ERR_USAGE, "vif '%s': '%.*s' has no value", spec,
			               STR_ARG(key));
		if (str_is(key, "mac") && !mac_valid(str_trim(value)))
			return err_set(
			        err, ERR_USAGE,
			        "vif '%s': '%.*s' is not a MAC address such as 00:16:3e:01:02:03",
			        spec, STR_ARG(value));
	}
	return 0;
}

/* xl must read the assignment as exactly one setting. */
static int check_readable(const char *assignment, struct err *err)
{
	_cleanup_(xlcfg_text_fini) struct xlcfg_text t = {.n = 0};
	_cleanup_(buf_fini) struct buf line = BUF_INIT;
	int rc;

	format_assignment(assignment, &line);
	rc = xlcfg_text_parse(line.p, line.n, &t, err);
	if (rc < 0)
		err_prefix(err, "--set '%s': xl cannot read it", assignment);
	else if (t.n != 1)
		err_set(err, ERR_USAGE, "--set '%s': expected one setting", assignment);
	if (rc < 0 || t.n != 1)
		err->code = ERR_USAGE;
	return rc < 0 || t.n != 1 ? -ERR_USAGE : 0;
}

int xlcfg_set_check(const char *assignment, struct err *err)
{
	struct str value = str_from(assignment), key = str_cut(&value, '=');

	if (!value.p || !key.n)
		return err_set(err, ERR_USAGE, "--set '%s': expected KEY=VALUE", assignment);
	for (size_t i = 0; i < key.n; i++)
		if (!islower((unsigned char)key.p[i]) &&
		    (i == 0 || (!isdigit((unsigned char)key.p[i]) && !strchr("_.", key.p[i]))))
			return err_set(err, ERR_USAGE,
			               "--set '%s': a key has lowercase letters, digits, '_' and "
			               "'.' only, a letter first",
			               assignment);
	for (const char *p = assignment; *p; p++)
		if ((unsigned char)*p < 0x20)
			return err_set(err, ERR_USAGE, "--set: value with a control character");
	if (is_one_of(key, own_keys, ARRAY_LEN(own_keys)))
		return err_set(err, ERR_USAGE,
		               "--set '%s': domstrap writes '%.*s' itself; use the option for it, "
		               "if there is one",
		               assignment, STR_ARG(key));
	return check_readable(assignment, err);
}

static void quoted(struct buf *out, struct str s)
{
	buf_puts(out, "\"");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_puts(out, "\\");
		if (s.p[i] == '\n')
			buf_puts(out, "\\n");
		else
			buf_put(out, &s.p[i], 1);
	}
	buf_puts(out, "\"");
}

/* Whether domstrap writes the key: the user did not set it. */
static bool ours(const struct xlcfg *cfg, const char *key)
{
	for (size_t i = 0; i < cfg->n_set; i++) {
		struct str rest = str_from(cfg->set[i]);

		if (str_is(str_cut(&rest, '='), key))
			return false;
	}
	return true;
}

static void text_key(const struct xlcfg *cfg, struct buf *out, const char *key, const char *value)
{
	if (!value || !ours(cfg, key))
		return;
	buf_putf(out, "%s = ", key);
	quoted(out, str_from(value));
	buf_puts(out, "\n");
}

static void number_key(const struct xlcfg *cfg, struct buf *out, const char *key, uint64_t value)
{
	if (value && ours(cfg, key))
		buf_putf(out, "%s = %" PRIu64 "\n", key, value);
}

static void list_key(struct buf *out, const char *key, const char *const *items, size_t n)
{
	buf_putf(out, "%s = [", key);
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i ? ",\n    " : "\n    ");
		quoted(out, str_from(items[i]));
	}
	buf_puts(out, n ? "\n]\n" : "]\n");
}

static void format_disks(const struct xlcfg *cfg, struct buf *out)
{
	/* target= comes last, because it takes the rest of the line, including commas. */
	buf_puts(out, "disk = [");
	for (size_t i = 0; i < cfg->n_disks; i++) {
		_free_ char *spec = xasprintf("format=raw,vdev=%s,access=rw,target=%s",
		                              cfg->disks[i].vdev, cfg->disks[i].path);

		buf_puts(out, i ? ",\n    " : "\n    ");
		quoted(out, str_from(spec));
	}
	if (cfg->cdrom) {
		_free_ char *spec = xasprintf(
		        "format=raw,vdev=hdc,access=ro,devtype=cdrom,target=%s", cfg->cdrom);

		buf_puts(out, ",\n    ");
		quoted(out, str_from(spec));
	}
	buf_puts(out, "\n]\n");
}

static void format_assignment(const char *assignment, struct buf *out)
{
	struct str value = str_from(assignment), key = str_cut(&value, '=');
	uint64_t number;

	buf_putf(out, "%.*s = ", STR_ARG(key));
	value = str_trim(value);
	if (str_u64(value, 10, INT64_MAX, &number) || str_starts(value, "[") ||
	    str_starts(value, "\"") || str_starts(value, "'"))
		buf_put(out, value.p, value.n);
	else
		quoted(out, value);
	buf_puts(out, "\n");
}

static void format_set(const struct xlcfg *cfg, struct buf *out)
{
	if (cfg->n_set)
		buf_puts(out, "\n# Set with --set.\n");
	for (size_t i = 0; i < cfg->n_set; i++)
		format_assignment(cfg->set[i], out);
}

static void format_hvm(const struct xlcfg *cfg, struct buf *out)
{
	buf_puts(out, "\n# An emulated PC that boots the CD. Its screen is available by VNC, only\n"
	              "# from this host; \"xl console\" shows its serial port.\n");
	text_key(cfg, out, "bios", "seabios");
	text_key(cfg, out, "device_model_version", "qemu-xen");
	text_key(cfg, out, "boot", "dc");
	number_key(cfg, out, "vnc", 1);
	text_key(cfg, out, "vnclisten", "127.0.0.1");
	text_key(cfg, out, "serial", "pty");
}

static void format_boot(const struct xlcfg *cfg, struct buf *out)
{
	if (cfg->type == XL_HVM) {
		format_hvm(cfg, out);
		return;
	}
	if (cfg->bootloader) {
		buf_puts(
		        out,
		        "\n# The boot helper reads the boot menu on the guest's disk, so a kernel\n"
		        "# that the guest installs is used at its next start.\n");
		text_key(cfg, out, "bootloader", cfg->bootloader);
		if (cfg->n_bootloader_args)
			list_key(out, "bootloader_args", cfg->bootloader_args,
			         cfg->n_bootloader_args);
	} else if (cfg->grub) {
		buf_puts(out,
		         "\n# GRUB runs in the guest and reads the guest's boot menu, so a kernel\n"
		         "# that the guest installs is used at its next start.\n");
	} else {
		buf_puts(
		        out,
		        "\n# Copies of the guest's kernel and initrd. \"domstrap update\" and\n"
		        "# \"domstrap rollback\" replace them; an update in the guest does not.\n");
	}
	text_key(cfg, out, "kernel", cfg->kernel);
	text_key(cfg, out, "ramdisk", cfg->ramdisk);
	text_key(cfg, out, "cmdline", cfg->cmdline);
	text_key(cfg, out, "extra", cfg->extra);
}

void xlcfg_format(const struct xlcfg *cfg, struct buf *out)
{
	static const char *const types[] = {"pv", "pvh", "hvm"};

	buf_putf(out, XLCFG_FIRST_LINE "%s; see xl.cfg(5).\n", cfg->name);
	buf_putf(out, "# Start it with:  xl create -c %s\n", cfg->file);
	if (cfg->system)
		buf_putf(out, "# Made from %s\n", cfg->system);
	buf_puts(out, "\n");
	text_key(cfg, out, "name", cfg->name);
	text_key(cfg, out, "uuid", cfg->uuid);
	text_key(cfg, out, "type", types[cfg->type]);
	buf_puts(out, "\n# MiB of memory, and virtual CPUs.\n");
	number_key(cfg, out, "memory", cfg->memory);
	number_key(cfg, out, "vcpus", cfg->vcpus);
	format_boot(cfg, out);
	buf_puts(out, "\n");
	format_disks(cfg, out);
	buf_puts(out, "\n# Network cards; without \"bridge=\" on the host's default bridge.\n");
	list_key(out, "vif", cfg->vifs, cfg->n_vifs);
	buf_puts(out, "\n");
	text_key(cfg, out, "on_poweroff", "destroy");
	/*
	 * An HVM guest would boot the CD again. Other guests restart after a panic, too, and when
	 * they hang, if they have armed Xen's watchdog.
	 */
	text_key(cfg, out, "on_reboot", cfg->type == XL_HVM ? "destroy" : "restart");
	text_key(cfg, out, "on_crash", cfg->type == XL_HVM ? "destroy" : "restart");
	text_key(cfg, out, "on_watchdog", cfg->type == XL_HVM ? "destroy" : "restart");
	format_set(cfg, out);
}
