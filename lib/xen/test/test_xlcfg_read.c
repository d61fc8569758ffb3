/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "xen/xlcfg.h"
#include "xen/xlcfg_read.h"

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
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(xlcfg_guest_fini) struct xlcfg_guest d = {0};

		assert_ok(xlcfg_guest_parse(good[i].text, strlen(good[i].text), &d, &err), &err);
		assert_int_equal(d.n, 1);
		assert_string_equal(d.v[0].path, good[i].path);
		assert_string_equal(d.v[0].vdev, good[i].vdev);
		assert_int_equal(d.v[0].raw, good[i].raw);
		assert_int_equal(d.v[0].cdrom, good[i].cdrom);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
	        {"disk = [ '/a", "line 1: a quote without its end"},
	        {"disk = [ '/a'", "a list without its end"},
	        {"disk = [ '/a' '/b' ]", "a list without its end"},
	        {"\n\ndisk", "line 3: no \"=\""},
	        {"disk =", "line 1: ends early"},
	        {"a = 1 b = 2", "more behind a value"},
	        {"a = $x", "a character that xl does not take"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct xlcfg_guest d = {0};

		assert_fails(xlcfg_guest_parse(bad[i].text, strlen(bad[i].text), &d, &err), &err,
		             ERR_FORMAT, bad[i].words);
	}
}

/* What we write ourselves. */
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
		assert_true(d.v[i].raw);
	}
	assert_string_equal(d.kernel, "/srv/web1.kernel");
}

static void reads_more(void **state)
{
	static const char text[] =
	        "name = 'web'\nbuilder = 'generic'\nmemory = 512\nmaxmem=1024\n"
	        "vif = [ 'mac=00:16:3e:00:00:01, bridge=br7', '' ]\nbootloader = \"pygrub\"\n"
	        "extra = 'console=hvc0 quiet'\nramdisk='/r'\n";
	_cleanup_(xlcfg_guest_fini) struct xlcfg_guest g = {0};
	struct err err = ERR_INIT;
	struct str bridge;

	assert_ok(xlcfg_guest_parse(text, strlen(text), &g, &err), &err);
	assert_string_equal(g.name, "web");
	assert_string_equal(g.type, "pv");
	assert_string_equal(g.bootloader, "pygrub");
	assert_string_equal(g.cmdline, "console=hvc0 quiet");
	assert_string_equal(g.ramdisk, "/r");
	assert_null(g.kernel);
	assert_int_equal(g.memory, 512);
	assert_int_equal(g.n_vifs, 2);
	xlcfg_vif_bridge(g.vifs[0], &bridge);
	assert_true(str_is(bridge, "br7"));
	xlcfg_vif_bridge(g.vifs[1], &bridge);
	assert_int_equal(bridge.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(accepts),
	        cmocka_unit_test(refuses),
	        cmocka_unit_test(reads_ours),
	        cmocka_unit_test(reads_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
