/* SPDX-License-Identifier: MIT */
#include "jail/jail_lines.h"

#include "base/io.h"
#include "base/mem.h"

int jail_lines_make(struct jail_lines *l, size_t n, struct jail_spec *spec, struct err *err)
{
	for (; l->n < MIN(n, (size_t)JAIL_LINES_MAX); l->n++) {
		int pair[2], rc = jail_pair(pair, err);

		if (rc < 0)
			return rc;
		l->ours[l->n] = pair[0];
		l->theirs[l->n] = pair[1];
		l->given[l->n] = jail_give(spec, JAIL_LINE, pair[1]);
	}
	return 0;
}

void jail_lines_started(struct jail_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		io_close(&l->theirs[i]);
}

void jail_lines_fini(struct jail_lines *l)
{
	jail_lines_started(l);
	for (size_t i = 0; i < l->n; i++)
		io_close(&l->ours[i]);
	l->n = 0;
}
