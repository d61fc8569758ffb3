/* SPDX-License-Identifier: MIT */
/* Making archives token by token, good ones and bad ones. */
#ifndef NIX_TEST_NAR_MAKE_H
#define NIX_TEST_NAR_MAKE_H

#include <string.h>

#include "base/buf.h"
#include "nix/nar.h"

static inline void put_token(struct buf *b, const void *p, size_t n)
{
	buf_le64(b, n);
	buf_put(b, p, n);
	(void)buf_zeros(b, -n & 7);
}

/* Words separated by blanks; "''" is the empty word. */
static inline void put_words(struct buf *b, const char *words)
{
	struct str rest = str_from(words), word;

	while (rest.p) {
		word = str_cut(&rest, ' ');
		if (str_is(word, "''"))
			word.n = 0;
		put_token(b, word.p, word.n);
	}
}

/* A source over a buffer that gives at most step bytes at a time. */
struct slow_source {
	struct stream stream;
	struct str left;
	size_t step;
};

static inline int slow_read(struct stream *stream, void *p, size_t n, size_t *got, struct err *err)
{
	struct slow_source *s = (struct slow_source *)stream;

	if (n > s->step)
		n = s->step;
	if (n > s->left.n)
		n = s->left.n;
	if (n)
		memcpy(p, s->left.p, n);
	s->left = str_drop(s->left, n);
	*got = n;
	return 0;
}

static inline struct stream *source_over(struct slow_source *s)
{
	s->stream.read = slow_read;
	return &s->stream;
}

#endif
