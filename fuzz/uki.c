/* SPDX-License-Identifier: MIT */
/* A unified kernel image: its sections, and the entry that it is. */
#include <string.h>

#include "base/mem.h"
#include "grub/uki.h"

struct one {
	struct grub_files files;
	const uint8_t *p;
	size_t n;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int one_stat(struct grub_files *f, size_t dev, struct str path, struct grub_stat *out,
                    struct err *err)
{
	(void)err;
	*out = (struct grub_stat){.kind = GRUB_FILE, .size = ((struct one *)f)->n};
	return 0;
}

static int one_piece(struct grub_files *f, const struct grub_at *at, void *p, size_t n,
                     struct err *err)
{
	const struct one *o = (const struct one *)f;

	(void)err;
	if (at->off > o->n || n > o->n - at->off)
		abort(); /* it knows the size */
	memcpy(p, o->p + at->off, n);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct grub_files_ops ops = {.stat = one_stat, .piece = one_piece};
	static const struct grub_device device = {.name = "hd0"};
	struct one o = {{&ops, &device, 1}, data, size};
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct err err = ERR_INIT;
	struct bls_entry e;

	if (uki_entry(&o.files, 0, STR("/EFI/Linux/x.efi"), STR("x.efi"), &e, &err) == 0)
		bls_fini(&e);
	if (uki_boot(&o.files, 0, STR("/EFI/Linux/x.efi"), &boot, &err) == 0 &&
	    (boot.kernel.at > size || boot.kernel.n > size - boot.kernel.at))
		abort();
	grub_boot_fini(&boot);
	return 0;
}
