/* SPDX-License-Identifier: MIT */
#include "image/stream_nar.h"
#include "base/io.h"

static int tap_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct stream_tap *t = (struct stream_tap *)s;
	int rc = stream_read(t->from, p, n, got, err);

	t->bad = rc < 0;
	if (rc < 0 || *got == 0)
		return rc;
	t->bytes += *got;
	if (t->counter)
		atomic_fetch_add_explicit(t->counter, *got, memory_order_relaxed);
	if (t->copy >= 0) {
		t->bad = *got > t->copy_end - t->copy_at;
		if (t->bad)
			return err_set(err, ERR_MISMATCH, "its NAR is larger than expected");
		rc = io_pwrite(t->copy, "a temporary file", p, *got, t->copy_at, err);
		t->copy_at += *got;
	}
	return rc;
}

bool stream_tap_is_bad(const struct stream_tap *t, int rc)
{
	return rc < 0 && rc != -ERR_INTERRUPTED && rc != -ERR_CHILD &&
	       (t->bad || rc == -ERR_FORMAT);
}

int stream_nar(const struct stream_source *src, size_t item, _Atomic uint64_t *counter,
               stream_use *use, void *ctx, struct err *err)
{
	struct stream_tap t = {.stream = {tap_read}, .counter = counter, .copy = -1};
	struct err other = ERR_INIT;
	int rc = src->open(src, item, false, &t.from, err);

	if (rc)
		return rc < 0 ? rc : err_set(err, ERR_NOENT, "not found in any cache");
	for (;;) {
		rc = use(&t, ctx, err);
		if (rc == -ERR_FORMAT && !t.bad) {
			rc = src->refused(src, item, t.from, err);
			t.bad = true;
		}
		src->close(src, t.from);
		if (!stream_tap_is_bad(&t, rc) || src->open(src, item, true, &t.from, &other))
			return rc;
		src->warn(src, err);
		if (counter)
			atomic_fetch_sub(counter, t.bytes);
		t.bytes = 0;
	}
}
