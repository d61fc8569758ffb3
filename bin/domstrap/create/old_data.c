/* SPDX-License-Identifier: MIT */
#include "create/old_data.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "ext4/target.h"
#include "ext4/wipe.h"
#include "ui/ui.h"

static const char *duration(double seconds, char out[static 48])
{
	if (seconds < 1)
		snprintf(out, 48, "takes about a second");
	else if (seconds < 120)
		snprintf(out, 48, "takes about %.0f s", seconds);
	else
		snprintf(out, 48, "takes about %.0f min", seconds / 60);
	return out;
}

int old_data_look(struct target *t, uint64_t off, uint64_t end, bool wipe, bool dry_run,
                  struct old_data *out, struct err *err)
{
	char bytes[16], time[48];
	bool found = false;
	int rc;

	*out = (struct old_data){.bytes = off < end ? end - off : 0};
	str_human(out->bytes, bytes);
	if (wipe) {
		out->seconds = wipe_seconds(t, out->bytes);
		ui_say("%s %s of %s that the image does not fill; it %s",
		       dry_run ? "would wipe" : "wiping", bytes, t->name,
		       duration(out->seconds, time));
		return 0;
	}
	rc = wipe_sample(t, off, end, &found, err);
	if (found)
		ui_say("note: %s has old data in the %s that the image does not fill, and the "
		       "guest can read it; --wipe clears it",
		       t->name, bytes);
	return rc;
}
