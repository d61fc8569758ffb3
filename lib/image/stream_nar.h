/* SPDX-License-Identifier: MIT */
/* One NAR from a stream_source, again from elsewhere where it is bad; inside
 * lib/image only. */
#ifndef IMAGE_STREAM_NAR_H
#define IMAGE_STREAM_NAR_H

#include "image/stream_fill.h"

/* Between a source and who reads it: counts, copies, and remembers whose fault
 * an error is. */
struct stream_tap {
	struct stream stream;      /* for the reader */
	_Atomic uint64_t *counter; /* of bytes; may be NULL */
	struct stream *from;
	int copy;                   /* fd, or -1; */
	uint64_t copy_at, copy_end; /* where the next bytes go, and at most up to here */
	uint64_t bytes;
	bool bad; /* the source failed */
};

/* Whether after this error another source could do better. */
bool stream_tap_is_bad(const struct stream_tap *t, int rc);

/* Uses a whole NAR, to the end that says that it was right. */
typedef int stream_use(struct stream_tap *t, void *ctx, struct err *err);

/* Let use() have the NAR of an item, until it goes well or nobody is left. */
int stream_nar(const struct stream_source *src, size_t item, _Atomic uint64_t *counter,
               stream_use *use, void *ctx, struct err *err);

#endif
