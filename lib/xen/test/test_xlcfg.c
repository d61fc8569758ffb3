/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "xen/xlcfg.h"

#define LONGEST "a23456789012345678901234567890123456789012345678901234567890123"

static void names(void **state)
{
	static const char *const good[] = {"web1", "a", "1a", "web.example-1_x+y", LONGEST};
	static const struct {
		const char *name, *words;
	} bad[] = {
	        {"", "0 bytes"},
	        {"12", "domain ID"},
	        {"-x", "letter or digit first"},
	        {".x", "letter or digit first"},
	        {"a b", "letters, digits"},
	        {"a/b", "letters, digits"},
	        {"a\nb", "a\\x0ab"},
	        {"Domain-0", "dom0"},
	        {"\xc3\xa9", "\\xc3"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(xlcfg_name_check(good[i], &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(xlcfg_name_check(bad[i].name, &err), &err, ERR_USAGE, bad[i].words);
}

static void vifs(void **state)
{
	static const char *const good[] = {
	        "",
	        "bridge=br0",
	        "mac=00:16:3e:01:02:aF,bridge=xenbr0",
	        " ip = 10.0.0.2 ,vifname=x",
	        "rate=10MB/s@50ms",
	};
	static const struct {
		const char *spec, *words;
	} bad[] = {
	        {"br0", "'br0' is not a key"},     {"bridge", "has no value"},
	        {"mac=00:16", "MAC address"},      {"mac=00:16:3e:01:02:0g", "MAC address"},
	        {"bridge=a,,", "'' is not a key"}, {"bridge=a\n", "control"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(xlcfg_vif_check(good[i], &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(xlcfg_vif_check(bad[i].spec, &err), &err, ERR_USAGE, bad[i].words);
}

static void installer(void **state)
{
	const struct xl_disk disk = {"/dev/vg/boot", "xvda"};
	const char *const set[] = {"serial=none"};
	const struct xlcfg cfg = {
	        .name = "web1",
	        .file = "/etc/xen/web1-install.cfg",
	        .type = XL_HVM,
	        .memory = 2048,
	        .disks = &disk,
	        .n_disks = 1,
	        .cdrom = "/srv/a \"b\", c.iso",
	        .set = set,
	        .n_set = 1,
	};
	struct buf out = BUF_INIT;

	xlcfg_format(&cfg, &out);
	assert_non_null(strstr(out.p, "type = \"hvm\"\n"));
	assert_non_null(strstr(out.p, "bios = \"seabios\"\n"));
	assert_non_null(strstr(out.p, "boot = \"dc\"\n"));
	assert_non_null(strstr(out.p,
	                       "access=rw,target=/dev/vg/boot\",\n    \"format=raw,vdev=hdc,"
	                       "access=ro,devtype=cdrom,target=/srv/a \\\"b\\\", c.iso\"\n"));
	assert_non_null(strstr(out.p, "on_reboot = \"destroy\"\n"));
	assert_null(strstr(out.p, "serial = \"pty\""));
	assert_null(strstr(out.p, "bootloader"));
	assert_null(strstr(out.p, "Made from"));
	buf_fini(&out);
}

static void assignments(void **state)
{
	static const char *const good[] = {
	        "on_crash=preserve", "cpus=[\"1\"]",      "maxmem=2048", "x=",
	        "a.b_1=x \"y\" \\z", "vnuma=[[1],['2']]", "x='a'",       "x=1G",
	        "x= [ ] # none"};
	static const struct {
		const char *text, *words;
	} bad[] = {
	        {"on_crash", "KEY=VALUE"},
	        {"=x", "KEY=VALUE"},
	        {"a b=1", "letters, digits"},
	        {"name=x", "writes '"},
	        {"x=a\nb", "control"},
	        {"Xa=1", "lowercase"},
	        {"1a=1", "lowercase"},
	        {"a-b=1", "lowercase"},
	        {"x=[1", "xl cannot read it: line 2: syntax error"},
	        {"x=\"a", "xl cannot read it: line 1: lexical error"},
	        {"x='a' b", "more after a value"},
	        {"x='\\q'", "invalid character after backslash"},
	        {"x=[1]; disk=[]", "expected one setting"},
	        {"x=\"1\"; y = 2", "expected one setting"},
	        {"x=[a]", "a value expected"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(xlcfg_set_check(good[i], &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(xlcfg_set_check(bad[i].text, &err), &err, ERR_USAGE, bad[i].words);
}

static void has(const struct buf *b, const char *line)
{
	if (!strstr(b->p, line))
		fail_msg("no '%s' in:\n%s", line, b->p);
}

static void whole(void **state)
{
	static const struct xl_disk disks[] = {{"/srv/a \"b\".img", "xvda"}, {"/dev/vg/r", "xvdb"}};
	static const char *const vifs[] = {"bridge=br0", "mac=00:16:3e:00:00:01"};
	static const char *const sets[] = {"on_crash=preserve", "cpus=[\"1\"]", "maxmem=99",
	                                   "memory=7"};
	struct xlcfg cfg = {
	        .name = "web1",
	        .file = "/x/web1.cfg",
	        .system = "/nix/store/s",
	        .type = XL_PVH,
	        .memory = 512,
	        .vcpus = 2,
	        .kernel = "/x/web1.kernel",
	        .cmdline = "init=/a\\b",
	        .disks = disks,
	        .n_disks = 2,
	        .vifs = vifs,
	        .n_vifs = 2,
	        .set = sets,
	        .n_set = ARRAY_LEN(sets),
	};
	struct buf out = BUF_INIT;

	xlcfg_format(&cfg, &out);
	has(&out, "\nname = \"web1\"\n");
	has(&out, "\ntype = \"pvh\"\n");
	has(&out, "\nvcpus = 2\n");
	has(&out, "\ncmdline = \"init=/a\\\\b\"\n");
	has(&out, "\"format=raw,vdev=xvda,access=rw,target=/srv/a \\\"b\\\".img\",\n");
	has(&out, "vif = [\n    \"bridge=br0\",\n    \"mac=00:16:3e:00:00:01\"\n]\n");
	has(&out, "\non_crash = \"preserve\"\ncpus = [\"1\"]\nmaxmem = 99\nmemory = 7\n");
	assert_null(strstr(out.p, "ramdisk"));
	assert_null(strstr(out.p, "memory = 512"));
	assert_null(strstr(out.p, "on_crash = \"restart\""));
	buf_reset(&out);
	cfg.kernel = NULL;
	cfg.bootloader = "domgrub";
	cfg.n_vifs = cfg.n_set = 0;
	xlcfg_format(&cfg, &out);
	has(&out, "\nbootloader = \"domgrub\"\n");
	has(&out, "\nvif = []\n");
	has(&out, "\nmemory = 512\n");
	has(&out, "\non_crash = \"restart\"\non_watchdog = \"restart\"\n");
	buf_reset(&out);
	cfg.bootloader = cfg.cmdline = NULL;
	cfg.extra = "panic=30";
	cfg.kernel = "/usr/lib/grub-xen/grub-i386-xen_pvh.bin";
	cfg.grub = true;
	xlcfg_format(&cfg, &out);
	has(&out, "# GRUB ");
	has(&out, "\nkernel = \"/usr/lib/grub-xen/grub-i386-xen_pvh.bin\"\n");
	has(&out, "\nextra = \"panic=30\"\n");
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names),       cmocka_unit_test(vifs),  cmocka_unit_test(installer),
	        cmocka_unit_test(assignments), cmocka_unit_test(whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
