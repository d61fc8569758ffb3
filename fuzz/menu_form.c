/* SPDX-License-Identifier: MIT */
/* Reading the form of a menu and writing a menu in that form; a second time gives the same menu. */
#include <stdlib.h>
#include <string.h>

#include "nixos/extlinuxcfg.h"

#define S "/nix/store/"
#define ENTRY                                                                                      \
	{.toplevel = S "11111111111111111111111111111111-nixos",                                   \
	 .init = S "11111111111111111111111111111111-nixos/init",                                  \
	 .kernel = S "22222222222222222222222222222222-linux/bzImage",                             \
	 .initrd = S "33333333333333333333333333333333-initrd/initrd",                             \
	 .params = "quiet"}

static const struct grub_special special = {
        .name = "debug", .configuration_name = "", .version = "1", .time = 1, .entry = ENTRY};
static const struct grub_generation generations[] = {
        {.number = 2,
         .time = 1,
         .version = "1",
         .entry = ENTRY,
         .specials = &special,
         .n_specials = 1},
        {.number = 1, .time = 1, .version = "1", .entry = ENTRY},
};
static const struct grub_profile profile = {.generations = generations, .n = 2};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1: the form is not supported. */
static int grub(struct str text, struct buf *out)
{
	struct grub_form form;
	struct err err = ERR_INIT;
	struct grubcfg cfg = {.form = &form,
	                      .limit = 100,
	                      .current = &generations[0],
	                      .profiles = &profile,
	                      .n_profiles = 1};
	int rc;

	if (grub_form_learn("menu", text, &form, &err) < 0)
		return 1;
	rc = grubcfg_format(&cfg, out, &err);
	grub_form_fini(&form);
	return rc < 0;
}

static int extlinux(struct str text, struct buf *out)
{
	struct extlinux_form form;
	struct err err = ERR_INIT;
	struct extlinuxcfg cfg = {
	        .form = &form, .limit = 100, .current = &generations[0], .profile = &profile};
	int rc;

	if (extlinux_form_learn("menu", text, &form, &err) < 0)
		return 1;
	rc = extlinuxcfg_format(&cfg, out, &err);
	extlinux_form_fini(&form);
	return rc < 0;
}

static void twice(struct str text, int (*again)(struct str text, struct buf *out))
{
	struct buf first = BUF_INIT, second = BUF_INIT;

	if (again(text, &first) == 0 &&
	    (again(buf_str(&first), &second) || !str_eq(buf_str(&first), buf_str(&second))))
		abort();
	buf_fini(&first);
	buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};

	/* Text ends at a NUL. */
	text.n = strnlen(text.p ? text.p : "", size);
	twice(text, grub);
	twice(text, extlinux);
	return 0;
}
