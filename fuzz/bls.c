/* SPDX-License-Identifier: MIT */
/* Whole disks in the form of lib/grub/test/fake.h, with entries below /loader. */
#include "base/mem.h"
#include "grub/blscount.h"
#include "grub/test/explore.h"
#include "grub/vercmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The order must be consistent, as qsort() requires. */
static void check_order(int (*cmp)(struct str, struct str), struct str a, struct str b,
                        struct str c)
{
	int ab = cmp(a, b), bc = cmp(b, c);

	if ((ab < 0) != (cmp(b, a) > 0) || cmp(a, a) != 0)
		abort();
	if (ab <= 0 && bc <= 0 && cmp(a, c) > 0)
		abort();
}

static void check_orders(struct str text)
{
	struct str a = str_cut(&text, '\n'), b = str_cut(&text, '\n'), c = str_cut(&text, '\n');

	check_order(version_cmp, a, b, c);
	check_order(package_cmp, a, b, c);
	(void)glob_matches(a, b);
}

/* The name after a start has a counter again, with the same stem. */
static void check_counts(struct str text)
{
	while (text.p) {
		_cleanup_(buf_fini) struct buf next = BUF_INIT;
		struct str line = str_cut(&text, '\n'), dir, name;
		struct blscount c, after;

		if (blscount_path(line, &dir, &name) && dir.n + 1 + name.n != line.n)
			abort();
		if (!blscount_parse(line, &c))
			continue;
		blscount_next(&c, &next);
		if (!blscount_parse(buf_str(&next), &after) || !str_eq(after.stem, c.stem) ||
		    after.left > c.left || after.done < c.done)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	struct str text = {(const char *)data, size};
	struct err err = ERR_INIT;
	struct fake f;

	check_orders(text);
	check_counts(text);
	fake_init(&f, text);
	if (f.files.device_count &&
	    grub_menu_load(&f.files, &explore_limits,
	                   &(const struct grub_menu_file){GRUB_BLS, 0, STR("/loader")}, &m,
	                   &err) == 0)
		explore_menu(m, text);
	grub_menu_freep(&m);
	if (grub_menu_probe(&f.files, &explore_limits, &m, &err) == 0)
		explore_menu(m, text);
	fake_fini(&f);
	return 0;
}
