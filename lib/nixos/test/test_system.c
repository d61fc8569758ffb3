/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "nix/store_path.h"
#include "nixos/system.h"
#include "store/resolve.h"

#include <string.h>

#define D32 "0123456789abcdfghijklmnpqrsvwxyz"
#define S "/nix/store/" D32 "-"
#define SYS S "nixos-system-x-25.11"
#define LINUX S "linux-6.12"

/*
 * BASE has a host's files: BASE/root is a root with a store, BASE/host has files
 * outside it. Paths in the tests are relative to BASE.
 */
static char base[64], root[80];

static char *in_base(const char *path)
{
	return xasprintf("%s%s", base, path);
}

static char *in_root(const char *path)
{
	return xasprintf("%s%s", root, path);
}

/* Create the parent directories. */
static void make_parents(const char *at)
{
	_free_ char *dir = xstrdup(at);

	for (char *c = dir + strlen(base) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		(void)mkdir(dir, 0755);
		*c = '/';
	}
}

static void put_file(const char *path, const char *text)
{
	_free_ char *at = in_root(path);
	struct err err = ERR_INIT;

	make_parents(at);
	(void)unlink(at);

	_close_ int fd = open(at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_ok(io_write(fd, at, text, strlen(text), &err), &err);
}

static void put_link(const char *path, const char *target)
{
	_free_ char *at = in_base(path);

	make_parents(at);
	(void)unlink(at);
	assert_int_equal(symlink(target, at), 0);
}

static void drop(const char *path)
{
	_free_ char *at = in_root(path);

	assert_int_equal(unlink(at), 0);
}

#define BOOT(sys, kernel)                                                                          \
	"{\"org.nixos.bootspec.v1\":{\"init\":\"" sys "/init\",\"toplevel\":\"" sys "\","          \
	"\"label\":\"NixOS Label\",\"system\":\"x86_64-linux\",\"kernelParams\":[\"a=1\","         \
	"\"b c\"]" kernel "}}"
#define BOTH ",\"kernel\":\"" LINUX "/bzImage\",\"initrd\":\"" S "initrd/initrd\""

static int set_up(void **state)
{
	snprintf(base, sizeof base, "/tmp/domstrap-test-XXXXXX");
	assert_non_null(mkdtemp(base));
	snprintf(root, sizeof root, "%s/root", base);
	put_file(SYS "/init", "#!");
	put_file(SYS "/boot.json", BOOT(SYS, BOTH));
	put_file(SYS "/nixos-version", "25.11.20251201.ccccccc");
	put_file(SYS "/kernel-params", " p=1  q \n");
	put_file(SYS "/system", "aarch64-linux");
	put_file(LINUX "/bzImage", "MZ");
	put_file(S "initrd/initrd", "");
	put_link("/root" SYS "/kernel", LINUX "/bzImage");
	put_link("/root" SYS "/initrd", S "initrd/initrd");
	put_link("/root/nix/var/nix/profiles/system", "system-7-link");
	put_link("/root/nix/var/nix/profiles/system-7-link", SYS);
	put_link("/host/result", SYS);
	return 0;
}

static int tear_down(void **state)
{
	_free_ char *command = xasprintf("rm -rf '%s'", base);

	return system(command);
}

static void from_boot_json(void **state)
{
	struct nixos_system s;
	struct err err = ERR_INIT;

	assert_ok(nixos_system_load(root, SYS, &s, &err), &err);
	assert_string_equal(s.toplevel, SYS);
	assert_string_equal(s.init, SYS "/init");
	assert_string_equal(s.kernel, LINUX "/bzImage");
	assert_string_equal(s.initrd, S "initrd/initrd");
	assert_int_equal(s.nparams, 2);
	assert_string_equal(s.params[1], "b c");
	assert_string_equal(s.version, "25.11.20251201.ccccccc");
	assert_string_equal(s.label, "NixOS Label");
	assert_string_equal(s.system, "x86_64-linux");
	nixos_system_fini(&s);
}

static void from_files(void **state)
{
	struct nixos_system s;
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < 2; i++) {
		if (i == 0)
			drop(SYS "/boot.json");
		else
			put_file(SYS "/boot.json", "{\"org.nixos.bootspec.v9\":{}}");
		assert_ok(nixos_system_load(root, SYS, &s, &err), &err);
		assert_string_equal(s.init, SYS "/init");
		assert_string_equal(s.kernel, LINUX "/bzImage");
		assert_string_equal(s.initrd, S "initrd/initrd");
		assert_int_equal(s.nparams, 2);
		assert_string_equal(s.params[0], "p=1");
		assert_string_equal(s.params[1], "q");
		assert_string_equal(s.version, "25.11.20251201.ccccccc");
		assert_string_equal(s.label, "NixOS 25.11.20251201.ccccccc");
		assert_string_equal(s.system, "aarch64-linux");
		nixos_system_fini(&s);
	}
}

static void little(void **state)
{
	static const char *const files[] = {SYS "/boot.json",     SYS "/kernel",
	                                    SYS "/initrd",        SYS "/nixos-version",
	                                    SYS "/kernel-params", SYS "/system"};
	struct nixos_system s;
	struct err err = ERR_INIT;

	put_file(SYS "/boot.json", BOOT(SYS, ""));
	assert_ok(nixos_system_load(root, SYS, &s, &err), &err);
	assert_null(s.kernel);
	assert_null(s.initrd);
	nixos_system_fini(&s);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		drop(files[i]);
	assert_ok(nixos_system_load(root, SYS, &s, &err), &err);
	assert_null(s.kernel);
	assert_int_equal(s.nparams, 0);
	assert_string_equal(s.version, "");
	assert_string_equal(s.label, "NixOS");
	assert_string_equal(s.system, "");
	nixos_system_fini(&s);
}

/* Every name of the system leads to the same path. */
static void names(void **state)
{
	static const char *const good[] = {
	        "/host/result",   "/host/./../host//result/",
	        "/host/twice",    "/host/profile",
	        "/host/special",  "/root/nix/var/nix/profiles/system",
	        "/root" SYS,      "/root/etc/current",
	        "/by-link" SYS,   "/by-link/etc/current",
	        "/root/etc/deep", "/rootless/absolute",
	};
	_free_ char *result = in_base("/host/result");
	struct err err = ERR_INIT;
	char cwd[4096];

	put_link("/host/twice", "result");
	put_link("/host/profile", "../root/nix/var/nix/profiles/system");
	put_link("/host/special", "result/specialisation/one");
	put_link("/root" SYS "/specialisation/one", "../../" D32 "-nixos-system-x-25.11");
	put_link("/root/etc/current", "/nix/var/nix/profiles/system");
	put_link("/root/etc/deep", "../../../../../../nix/var/nix/profiles/system");
	put_link("/rootless/absolute", result);
	put_link("/by-link", "root");
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_free_ char *path = in_base(good[i]);
		struct nixos_system s;

		assert_ok(nixos_system_load(root, path, &s, &err), &err);
		assert_string_equal(s.toplevel, SYS);
		nixos_system_fini(&s);
	}
	/* /nix is a link to another place on this host. */
	_free_ char *linked = in_base("/linked");
	struct nixos_system moved;

	put_link("/linked/nix", "../root/nix");
	assert_ok(nixos_system_load(linked, SYS, &moved, &err), &err);
	assert_string_equal(moved.kernel, LINUX "/bzImage");
	nixos_system_fini(&moved);
	/* The root is given by a link, and the names are relative. */
	_free_ char *by_link = in_base("/by-link/");
	_free_ char *host = in_base("/host");
	struct nixos_system s;

	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_int_equal(chdir(host), 0);
	assert_ok(nixos_system_load(by_link, "./result", &s, &err), &err);
	nixos_system_fini(&s);
	assert_ok(nixos_system_load("../root", "result", &s, &err), &err);
	nixos_system_fini(&s);
	assert_int_equal(chdir(cwd), 0);
}

static void not_systems(void **state)
{
	static const struct {
		const char *path;
		enum err_code code;
		const char *words;
	} bad[] = {
	        {"/host/none", ERR_NOENT, "/host/none: No such file"},
	        {"/host", ERR_USAGE, "/host is not in a Nix store"},
	        {"/root/nix/store", ERR_USAGE, "is not in a Nix store"},
	        {"/root", ERR_USAGE, "is not in a Nix store"},
	        {"/host/dangling", ERR_NOENT, "-gone: No such file"},
	        {"/host/loop", ERR_FORMAT, "more than 40 symbolic links"},
	        {"/host/etc", ERR_USAGE, "is not in a Nix store: it is a link to /"},
	        {"/root" SYS "/init", ERR_USAGE, "inside one"},
	        {"/root" LINUX, ERR_USAGE, "not a NixOS system: "},
	        {"/root/nix/store/.links", ERR_USAGE, "32 digits"},
	        {"/root" S "out", ERR_FORMAT, "leads out of the store"},
	        {"/root" S "up", ERR_FORMAT, "leads out of the store"},
	        {"/root" S "sly", ERR_FORMAT, "leads out of the store"},
	};
	struct nixos_system s;
	struct err err = ERR_INIT;

	put_link("/host/dangling", S "gone");
	put_link("/host/loop", "loop");
	put_link("/host/etc", "../../..");
	put_file("/nix/store/.links/x", "");
	put_link("/root" S "out", root);
	put_link("/root" S "up", "../../host");
	put_link("/root" S "sly", "/nix/store/../../host");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_free_ char *path = in_base(bad[i].path);

		assert_fails(nixos_system_load(root, path, &s, &err), &err, bad[i].code,
		             bad[i].words);
	}
	assert_fails(nixos_system_load(root, S "none", &s, &err), &err, ERR_NOENT, root);
	assert_fails(nixos_system_load("/tmp/domstrap-none", SYS, &s, &err), &err, ERR_NOENT,
	             "/tmp/domstrap-none");
}

static void broken(void **state)
{
	static const struct {
		const char *boot;
		enum err_code code;
		const char *words;
	} bad[] = {
	        {"{", ERR_FORMAT, SYS ": boot.json: line 1"},
	        {BOOT(LINUX, ""), ERR_FORMAT, "describes another system, " LINUX},
	        {BOOT(SYS, ",\"kernel\":\"" LINUX "/none\""), ERR_FORMAT, "its kernel " LINUX},
	        {BOOT(SYS, ",\"kernel\":\"" LINUX "\""), ERR_FORMAT, "not a regular file"},
	        {BOOT(SYS, ",\"initrd\":\"" S "gone/x\""), ERR_FORMAT, "its initrd"},
	        {BOOT(SYS, ",\"initrd\":\"" S "out/x\""), ERR_FORMAT, "out of the store"},
	        {BOOT(SYS, ",\"initrd\":\"/boot/x\""), ERR_FORMAT, "must start with"},
	};
	struct nixos_system s;
	struct err err = ERR_INIT;

	put_link("/root" S "out", "/etc");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put_file(SYS "/boot.json", bad[i].boot);
		assert_fails(nixos_system_load(root, SYS, &s, &err), &err, bad[i].code,
		             bad[i].words);
	}
	drop(SYS "/boot.json");
	put_link("/root" SYS "/kernel", "/etc/passwd");
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_FORMAT, "out of the store");
	put_link("/root" SYS "/kernel", S "gone");
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_NOENT, "-gone");
	drop(SYS "/kernel");
	put_file(SYS "/kernel-params", "a\tb");
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_FORMAT, "control");
	drop(SYS "/kernel-params");
	put_file(SYS "/nixos-version", "a\nb");
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_FORMAT, "control");
	drop(SYS "/nixos-version");
	drop(SYS "/init");
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_USAGE, "not a NixOS system");
}

/* A boot.json whose init is in another store path. */
static void foreign_init(void **state)
{
	struct nixos_system s;
	struct err err = ERR_INIT;

	put_file(LINUX "/init", "");
	put_file(SYS "/boot.json",
	         "{\"org.nixos.bootspec.v1\":{\"init\":\"" LINUX "/init\",\"toplevel\":\"" SYS
	         "\",\"label\":\"\",\"system\":\"\",\"kernelParams\":[]}}");
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_FORMAT,
	             "outside the system");
}

/* A system whose /etc is made by nixos-init: the files for it must exist. */
static void etc_overlay(void **state)
{
#define OVERLAY(image)                                                                             \
	"{\"org.nixos.bootspec.v1\":{\"init\":\"" SYS "/init\",\"toplevel\":\"" SYS                \
	"\",\"label\":\"\",\"system\":\"\",\"kernelParams\":[]},\"org.nixos.nixos-init.v1\":"      \
	"{\"etc_basedir\":\"" S "etc\",\"etc_metadata_image\":\"" image "\",\"more\":[]}}"
	struct nixos_system s;
	struct err err = ERR_INIT;

	assert_ok(nixos_system_load(root, SYS, &s, &err), &err);
	assert_false(s.etc_overlay);
	nixos_system_fini(&s);
	put_file(SYS "/boot.json", OVERLAY(LINUX "/bzImage"));
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_FORMAT,
	             "etc_basedir " S "etc does not exist");
	put_file(S "etc/hosts", "");
	assert_ok(nixos_system_load(root, SYS, &s, &err), &err);
	assert_true(s.etc_overlay);
	nixos_system_fini(&s);
	put_file(SYS "/boot.json", OVERLAY(S "image"));
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_FORMAT,
	             "etc_metadata_image " S "image does not exist");
}

/* As in NixOS before nixos-init: links in the system. */
static void etc_links(void **state)
{
	struct nixos_system s;
	struct err err = ERR_INIT;

	put_link("/root" SYS "/etc-basedir", S "etc");
	put_link("/root" SYS "/etc-metadata-image", S "image");
	assert_fails(nixos_system_load(root, SYS, &s, &err), &err, ERR_NOENT, S "image");
	put_file(S "image", "");
	assert_ok(nixos_system_load(root, SYS, &s, &err), &err);
	assert_true(s.etc_overlay);
	nixos_system_fini(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(from_boot_json), TEST(from_files),  TEST(little),
	        TEST(names),          TEST(not_systems), TEST(broken),
	        TEST(foreign_init),   TEST(etc_overlay), TEST(etc_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
