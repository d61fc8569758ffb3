/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/test/test.h"
#include "nixos/fstab.h"

static const struct {
	const char *text;
	bool found;
	enum fstab_by by;
	const char *value, *type;
} cases[] = {
        {"", false, FSTAB_DEVICE, "", ""},
        {"/dev/xvda1 / ext4 x 0 1\n", true, FSTAB_DEVICE, "/dev/xvda1", "ext4"},
        {"# /dev/a / ext4\n/dev/disk/by-label/NIXOS / ext4 defaults 0 1", true, FSTAB_LABEL,
         "NIXOS", "ext4"},
        {"LABEL=x\t/\tbtrfs", true, FSTAB_LABEL, "x", "btrfs"},
        {"\n\n  UUID=ab-cd   /   auto  \n", true, FSTAB_UUID, "ab-cd", "auto"},
        {"/dev/disk/by-uuid/ab / ext4", true, FSTAB_UUID, "ab", "ext4"},
        {"/dev/a /boot ext4\n/dev/b / ext4\n/dev/c / xfs\n", true, FSTAB_DEVICE, "/dev/b", "ext4"},
        {"/dev/a", false, FSTAB_DEVICE, "", ""},
        {"/dev/a /", true, FSTAB_DEVICE, "/dev/a", ""},
        {"/dev/a /nix ext4\n", false, FSTAB_DEVICE, "", ""},
};

static void roots(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fstab_entry e;

		assert_int_equal(fstab_find(str_from(cases[i].text), "/", &e), cases[i].found);
		if (!cases[i].found)
			continue;
		assert_int_equal(e.by, cases[i].by);
		assert_true(str_is(e.value, cases[i].value));
		assert_true(str_is(e.type, cases[i].type));
	}
}

static void all(void **state)
{
	struct str text =
	        STR("# x\n\nUUID=a / btrfs rw,subvol=@,x 0 0\n/b\\040c /nix none bind\nd\n");
	struct fstab_entry e;

	assert_true(fstab_next(&text, &e));
	assert_true(str_is(e.value, "a") && str_is(e.mountpoint, "/") && str_is(e.type, "btrfs"));
	assert_true(str_is(fstab_option(e.options, "subvol"), "@"));
	assert_null(fstab_option(e.options, "sub").p);
	assert_null(fstab_option(e.options, "x").p);
	assert_true(fstab_has_option(e.options, "x") && !fstab_has_option(e.options, "subvol"));
	assert_true(fstab_next(&text, &e));
	assert_true(str_is(e.value, "/b\\040c") && fstab_has_option(e.options, "bind"));
	assert_true(fstab_next(&text, &e));
	assert_true(str_is(e.value, "d") && !e.mountpoint.n && !e.options.n);
	assert_false(fstab_next(&text, &e));
	assert_true(str_is(fstab_option(STR("subvol=a,subvol=/b/c"), "subvol"), "/b/c"));
	assert_true(str_is(fstab_option(STR("subvol="), "subvol"), ""));
}

static void escapes(void **state)
{
	static const char *const words[][2] = {
	        {"", ""},         {"/a b", "/a b"},   {"a\\040b", "a b"}, {"\\134", "\\"},
	        {"\\04", "\\04"}, {"\\049", "\\049"}, {"\\777", "\\777"}, {"\\\\040", "\\ "},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		_cleanup_(buf_fini) struct buf out = BUF_INIT;

		fstab_unescape(str_from(words[i][0]), &out);
		assert_true(str_is(buf_str(&out), words[i][1]));
	}
}

static void volumes(void **state)
{
	static const struct {
		const char *path, *name;
		bool same;
	} v[] = {
	        {"/dev/mapper/v--g-root", "lvm/v--g-root", true},
	        {"/dev/v-g/root", "lvm/v--g-root", true},
	        {"/dev/vg/ro-ot", "lvm/vg-ro--ot", true},
	        {"/dev/v/g-root", "lvm/v--g-root", false},
	        {"/dev/mapper/vg-root", "hd0", false},
	        {"/dev/xvda1", "lvm/vg-root", false},
	        {"LABEL=root", "lvm/root", false},
	        {"/dev/", "lvm/vg-root", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(fstab_is_volume(str_from(v[i].path), v[i].name), v[i].same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(roots), cmocka_unit_test(all),
	                                   cmocka_unit_test(escapes), cmocka_unit_test(volumes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
