/* SPDX-License-Identifier: MIT */
#include "host/old_data.h"

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

int old_data_look(struct old_data *d, struct target *t, bool wipe, bool dry_run, struct err *err)
{
	char bytes[16], time[48];
	bool found = false;
	int rc;

	d->bytes = d->from < d->to ? d->to - d->from : 0;
	str_human(d->bytes, bytes);
	if (wipe) {
		d->seconds = wipe_seconds(t, d->bytes);
		ui_say("%s %s of %s that the image does not fill; it %s",
		       dry_run ? "would wipe" : "wiping", bytes, t->name,
		       duration(d->seconds, time));
		return 0;
	}
	rc = wipe_sample(t, d->from, d->to, &found, err);
	if (found)
		ui_say("note: %s has old data in the %s that the image does not fill, and the "
		       "guest can read it; --wipe clears it",
		       t->name, bytes);
	return rc;
}
