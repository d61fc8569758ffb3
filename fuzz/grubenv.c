/* SPDX-License-Identifier: MIT */
/* An environment block; its first line names a variable and a value to set. */
#include "base/mem.h"
#include "grub/grubenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The value of a variable: 0, or 1 if it is not set. */
static int get(struct str block, struct str name, struct buf *value)
{
	struct str key;
	size_t pos = 0;

	while (grubenv_next(block, &pos, &key, value) == 0)
		if (str_eq(key, name))
			return 0;
	return 1;
}

static void set(struct str block, struct str name, struct str value)
{
	_cleanup_(buf_fini) struct buf out = BUF_INIT, back = BUF_INIT;
	struct err err = ERR_INIT;

	if (grubenv_format(block, name, value, &out, &err) < 0)
		return;
	if (out.n != block.n || grubenv_check(buf_str(&out), &err) < 0)
		abort();
	if (get(buf_str(&out), name, &back) != (value.p ? 0 : 1))
		abort();
	if (value.p && !str_eq(buf_str(&back), value))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str block = {(const char *)data, size};
	struct str value = str_cut(&block, '\n'), name = str_cut(&value, '=');
	struct err err = ERR_INIT;

	if (!block.p || grubenv_check(block, &err) < 0)
		return 0;
	set(block, name, value);
	set(block, name, (struct str){NULL, 0});
	return 0;
}
