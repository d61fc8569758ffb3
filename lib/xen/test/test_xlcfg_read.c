/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "xen/xlcfg.h"
#include "xen/xlcfg_read.h"

/* One example of each kind; test/xlcfg compares many more with libxlutil. */
static void accepts(void **state)
{
	static const struct {
		const char *text, *path, *vdev;
		bool raw, cdrom;
	} good[] = {
	        {"disk = [ '/a/b.img,raw,xvda,w' ]", "/a/b.img", "xvda", true, false},
	        {"disk=[\"/dev/vg/x, raw, xvdb, rw\"]", "/dev/vg/x", "xvdb", true, false},
	        {"disk = [ 'phy:/dev/vg/x,xvda,w' ]", "/dev/vg/x", "xvda", true, false},
	        {"disk = [ 'file:/x.img,hda,r' ]", "/x.img", "hda", true, false},
	        {"disk = [ 'format=raw, vdev=xvda, access=rw, target=/a,b c.img' ]", "/a,b c.img",
	         "xvda", true, false},
	        {"disk = [\n  # one\n  'vdev=xvda,format=qcow2,target=x.q', # two\n]\n", "x.q",
	         "xvda", false, false},
	        {"name = \"x\"; disk = [ '/c.iso,,hdc,cdrom' ]", "/c.iso", "hdc", true, true},
	        {"vif = [ 'a', 'b' ]\nmemory = 512\ndisk = [ '/x,,xvda,w', ]", "/x", "xvda", true,
	         false},
	        {"disk = [ '/x,raw,hdc:cdrom,r' ]", "/x", "hdc", true, true},
	        {"disk = [ 'discard,/x,,direct-io-safe,xvda,no-discard,w,trusted' ]", "/x", "xvda",
	         true, false},
	        {"disk = [ 'backendtype=qdisk,format=raw,vdev=xvda,discard,target=/x' ]", "/x",
	         "xvda", true, false},
	        {"disk = [ '/old,,xvda' ]\ndisk = [ '/x,,xvdb' ]", "/x", "xvdb", true, false},
	        {"disk = []\ndisk += [ '/x,,xvda' ]", "/x", "xvda", true, false},
	        {"disk = [ '/x,,xvda', [ '/y,,xvdb' ], '/z,,xvdc' ]", "/x", "xvda", true, false},
	        {"disk = [ 'tap:aio:/x,xvda,w' ]", "/x", "xvda", true, false},
	        {"disk = [ 'tap2:tapdisk:aio:/x,xvda,w' ]", "/x", "xvda", true, false},
	        {"a = [ [ 'b', [], [ [ 1 ] ] ], ]\ndisk = [ '/x,,xvda' ]", "/x", "xvda", true,
	         false},
	        {"a = \"b=\\\"q\\\" \\'\\\\\"\ndisk = [ \"/x \\\"y\\\",,xvda\" ]", "/x \"y\"",
	         "xvda", true, false},
	        {"a.b_1 = 0x1f # c\n;\ndisk = [\n\t'/x,,xvda' ]#", "/x", "xvda", true, false},
	        {"disk = [ ',hdc:cdrom,r' ]", "", "hdc", false, true},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(xlcfg_guest_fini) struct xlcfg_guest d = {0};
		char why[320];

		assert_ok(xlcfg_guest_parse(good[i].text, strlen(good[i].text), &d, &err), &err);
		assert_int_equal(d.n, 1);
		assert_string_equal(d.v[0].path, good[i].path);
		assert_string_equal(d.v[0].vdev, good[i].vdev);
		assert_int_equal(xlcfg_disk_is_raw(&d.v[0], why, sizeof why), good[i].raw);
		assert_int_equal(d.v[0].cdrom, good[i].cdrom);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
	        {"disk = [ '/a", "line 1: lexical error near \"'/a\""},
	        {"disk = [ '/a,,xvda'",
	         "line 1: syntax error, \",\" or \"]\" expected in a list, not the end"},
	        {"disk = [ '/a' '/b' ]",
	         "syntax error, \",\" or \"]\" expected in a list near \"'/b'\""},
	        {"\n\ndisk", "line 3: syntax error, \"=\" expected after a key"},
	        {"disk =", "line 1: syntax error, a value expected"},
	        {"a = b", "a value expected: a number, \"text\" or a list near \"b\""},
	        {"a = 1 b = 2", "more after a value near \"b\""},
	        {"a = $x", "line 1: lexical error near \"$x\""},
	        {"a = 1\r\n", "line 1: lexical error near \"\\x0d\""},
	        {"a = 1\n# the end", "line 2: lexical error near \"#\""},
	        {"a = 1.5", "lexical error near \".5\""},
	        {"a = '\\x41'", "invalid digit after backslash hex"},
	        {"a = '\\8'", "invalid character after backslash"},
	        {"a = 'b'\na += [ 1 ]", "line 2: can't add [list]"},
	        {"a = [ 1 ; ]", "expected in a list near \";\""},
	        {"disk = [ '/a,raw,xvda,w' ]\ndisk = [ '/a , raw , xvda' ]",
	         "disk '/a , raw , xvda': unknown value for format near \"raw \""},
	        {"disk = [ 'file:/a,raw,xvda,w' ]", "unknown value for access near \"xvda\""},
	        {"disk = [ '/a,raw' ]", "no vdev specified"},
	        {"disk = [ 'vdev=xvda' ]", "no target specified"},
	        {"disk = [ 'format=raw,format=vhd,vdev=xvda,target=/a' ]", "format respecified"},
	        {"disk = [ '/a,raw,xvda,w,x' ]", "too many positional parameters near \"x\""},
	        {"disk = [ 'backenddomain=x,vdev=xvda,target=/a' ]",
	         "unknown parameter near \"backenddomain=x\""},
	        {"disk = [ 'vdi:/a,xvda,w' ]", "unknown deprecated disk prefix near \"vdi:\""},
	        {"disk = [ '/a,raw,xvda,w,Foo=b' ]", "too many positional"},
	        {"disk = [ '/a,raw,Foo=b' ]", "bad disk syntax near \"=b\""},
	        {"type = 'xen'", "invalid domain type \"xen\""},
	        {"type = 'pvh'\nbuilder = 'hvm'", "contradict"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct xlcfg_guest d = {0};

		assert_fails(xlcfg_guest_parse(bad[i].text, strlen(bad[i].text), &d, &err), &err,
		             ERR_FORMAT, bad[i].words);
	}
	assert_int_equal(xlcfg_guest_parse("a = '\0'", 8, &(struct xlcfg_guest){0}, &err),
	                 -ERR_FORMAT);
}

/* Disks that are not a raw file or device of this host. */
static void not_raw(void **state)
{
	static const struct {
		const char *spec, *words;
	} disks[] =
	        {
	                {"drbd:r0,xvda,w", "the script block-drbd sets up this disk"},
	                {"nbd:x,xvda,w", "the script block-nbd"},
	                {"vdev=xvda,script=block-rbd,target=pool/web", "the script block-rbd"},
	                {"backend=storage,vdev=xvda,target=/x", "in the domain \"storage\""},
	                {"backend=3,vdev=xvda,target=/x", "in the domain \"3\""},
	                {"/x,qcow2,xvda", "format qcow2"},
	                {"tap:qcow2:/x,xvda,w", "format qcow2"},
	                {"tap2:vhd:/x,xvda,w", "format vhd"},
	                {"qcow2:/x,xvda,w", "format qcow2"},
	                {"/x,qed,xvda", "format qed"},
	                {"rbd:pool/web,raw,xvda", "QEMU"},
	                {",,hdc,cdrom", "empty"},
	        },
	  ours[] = {
	          {"backend=0,vdev=xvda,target=/x", ""},
	          {"backend=Domain-0,vdev=xvda,target=/x:y", ""},
	          {"x:y,,xvda", ""},
	          {"script=,vdev=xvda,target=x", ""},
	  };
	struct err err = ERR_INIT;
	struct xl_disk_spec d;
	char why[320];

	for (size_t i = 0; i < ARRAY_LEN(disks); i++) {
		assert_ok(xlcfg_disk_parse(disks[i].spec, &d, &err), &err);
		assert_false(xlcfg_disk_is_raw(&d, why, sizeof why));
		if (!strstr(why, disks[i].words))
			fail_msg("'%s': %s", disks[i].spec, why);
		xlcfg_disk_fini(&d);
	}
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		assert_ok(xlcfg_disk_parse(ours[i].spec, &d, &err), &err);
		if (!xlcfg_disk_is_raw(&d, why, sizeof why))
			fail_msg("'%s': %s", ours[i].spec, why);
		xlcfg_disk_fini(&d);
	}
}

/* Limits of depth and number. */
static void bounds(void **state)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct xlcfg_guest g = {0};
	struct err err = ERR_INIT;

	buf_puts(&text, "a = ");
	for (int i = 0; i < XLCFG_DEPTH_MAX + 1; i++)
		buf_puts(&text, "[");
	assert_fails(xlcfg_guest_parse(text.p, text.n, &g, &err), &err, ERR_LIMIT, "deeper");
	buf_reset(&text);
	for (unsigned i = 0; i < XLCFG_SETTINGS_MAX; i++)
		buf_puts(&text, "a += 'bcd'\n");
	assert_ok(xlcfg_guest_parse(text.p, text.n, &g, &err), &err);
	buf_puts(&text, "b = 1");
	assert_fails(xlcfg_guest_parse(text.p, text.n, &g, &err), &err, ERR_LIMIT, "settings");
	buf_reset(&text);
	buf_puts(&text, "disk = [");
	for (int i = 0; i < XLCFG_DISKS_MAX + 1; i++)
		buf_puts(&text, "'/x,,xvda',");
	buf_puts(&text, "]");
	assert_fails(xlcfg_guest_parse(text.p, text.n, &g, &err), &err, ERR_LIMIT, "65 disks");
}

static void cmdlines(void **state)
{
	static const struct {
		const char *text, *cmdline;
	} all[] = {
	        {"root = '/dev/xvda1 ro'", "root=/dev/xvda1 ro"},
	        {"root = '/dev/xvda1 ro'\nextra = 'quiet'", "root=/dev/xvda1 ro quiet"},
	        {"root = 'x'\nextra = 'y'\ncmdline = 'z'", "z"},
	        {"extra = [ 'y' ]", NULL},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		_cleanup_(xlcfg_guest_fini) struct xlcfg_guest g = {0};

		assert_ok(xlcfg_guest_parse(all[i].text, strlen(all[i].text), &g, &err), &err);
		if (all[i].cmdline)
			assert_string_equal(g.cmdline, all[i].cmdline);
		else
			assert_null(g.cmdline);
	}
}

/* Configs written by domstrap. */
static void reads_ours(void **state)
{
	static const struct xl_disk disks[] = {{"/srv/web 1-boot.img", "xvda"},
	                                       {"/dev/vg0/web1", "xvdb"}};
	_cleanup_(xlcfg_guest_fini) struct xlcfg_guest d = {0};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct xlcfg cfg = {.name = "web1",
	                    .file = "/srv/web1.cfg",
	                    .system = "/nix/store/x",
	                    .uuid = "u",
	                    .memory = 1024,
	                    .vcpus = 1,
	                    .kernel = "/srv/web1.kernel",
	                    .disks = disks,
	                    .n_disks = 2};
	struct err err = ERR_INIT;

	xlcfg_format(&cfg, &text);
	assert_ok(xlcfg_guest_parse(text.p, text.n, &d, &err), &err);
	assert_int_equal(d.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(d.v[i].path, disks[i].path);
		assert_string_equal(d.v[i].vdev, disks[i].vdev);
		assert_int_equal(d.v[i].format, XL_FORMAT_RAW);
	}
	assert_string_equal(d.kernel, "/srv/web1.kernel");
}

static void reads_more(void **state)
{
	static const char text[] =
	        "name = 'web'\nbuilder = 'generic'\nmemory = 0x200\nmaxmem=1024\n"
	        "vif = [ 'mac=00:16:3e:00:00:01, bridge=br7', '' ]\nbootloader = \"pygrub\"\n"
	        "extra = 'console=hvc0'\nextra += ' quiet'\nramdisk='/r'\nkernel='/k'\n"
	        "bootloader_args = ' -q\\t--disk=/x'\n";
	_cleanup_(xlcfg_guest_fini) struct xlcfg_guest g = {0};
	struct err err = ERR_INIT;

	assert_ok(xlcfg_guest_parse(text, strlen(text), &g, &err), &err);
	assert_string_equal(g.name, "web");
	assert_string_equal(g.type, "pv");
	assert_string_equal(g.bootloader, "pygrub");
	assert_string_equal(g.cmdline, "console=hvc0 quiet");
	assert_null(g.ramdisk); /* with a bootloader, it is in the guest */
	assert_null(g.kernel);
	assert_string_equal(g.guest_kernel, "/k");
	assert_int_equal(g.n_bootloader_args, 2);
	assert_string_equal(g.bootloader_args[1], "--disk=/x");
	assert_int_equal(g.memory, 512);
	assert_int_equal(g.n_vifs, 2);
	assert_true(str_is(xlcfg_vif_get(g.vifs[0], "bridge"), "br7"));
	assert_true(str_is(xlcfg_vif_get(g.vifs[0], "mac"), "00:16:3e:00:00:01"));
	assert_int_equal(xlcfg_vif_get(g.vifs[0], "backend").n, 0);
	assert_int_equal(xlcfg_vif_get(g.vifs[1], "bridge").n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(accepts),    cmocka_unit_test(refuses),
	        cmocka_unit_test(not_raw),    cmocka_unit_test(bounds),
	        cmocka_unit_test(reads_ours), cmocka_unit_test(reads_more),
	        cmocka_unit_test(cmdlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
