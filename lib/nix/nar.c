/* SPDX-License-Identifier: MIT */
/*
 * One section for each layer, lowest first: bytes from the source, tokens,
 * objects, the walk. Only a file's contents are not buffered as a token: they are
 * passed from the source to the reader.
 */
#include "nix/nar.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BUF_SIZE 65536
/* No keyword is longer than "nix-archive-1". */
#define KEYWORD_MAX 13
/* ext4 ends at 16 TiB; this is far beyond, and far from overflow. */
#define FILE_SIZE_MAX ((uint64_t)1 << 60)

enum state {
	BEFORE,  /* nothing was read */
	ENTRIES, /* inside a directory, before an entry or its end */
	DATA,    /* inside a file's contents */
	AFTER,   /* behind the root object */
	ENDED,   /* the source's end was seen */
	BROKEN,  /* an error was reported */
};

struct name {
	size_t n; /* 0: no entry yet */
	char text[WALK_NAME_MAX];
};

struct nar_reader {
	struct walk walk;
	struct stream *src;
	enum state state;
	uint64_t offset; /* of buf[pos] in the archive */
	size_t pos, end; /* unread bytes in buf */
	uint64_t left;   /* contents still to come */
	size_t pad;      /* zero bytes behind them */
	unsigned depth;  /* open directories */
	char target[WALK_TARGET_MAX];
	struct name last[WALK_DEPTH_MAX]; /* newest entry of each open directory */
	uint8_t buf[BUF_SIZE];
};

static int bad(struct nar_reader *rd, struct err *err, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

static int bad(struct nar_reader *rd, struct err *err, const char *fmt, ...)
{
	char text[2 * SHOW_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_FORMAT, "NAR, byte %llu: %s", (unsigned long long)rd->offset, text);
}

/* Bytes. */

/* Up to n bytes from the source, behind what is buffered. */
static int from_source(struct nar_reader *rd, void *p, size_t n, size_t *got, struct err *err)
{
	int rc = stream_read(rd->src, p, n, got, err);

	if (rc == 0 && *got == 0)
		return bad(rd, err, "the archive is truncated");
	return rc;
}

/* Make n bytes available in the buffer, in one piece. */
static int need(struct nar_reader *rd, size_t n, struct err *err)
{
	size_t got;
	int rc;

	if (rd->end - rd->pos >= n)
		return 0;
	memmove(rd->buf, rd->buf + rd->pos, rd->end - rd->pos);
	rd->end -= rd->pos;
	rd->pos = 0;
	while (rd->end < n) {
		rc = from_source(rd, rd->buf + rd->end, BUF_SIZE - rd->end, &got, err);
		if (rc < 0)
			return rc;
		rd->end += got;
	}
	return 0;
}

static const uint8_t *consume(struct nar_reader *rd, size_t n)
{
	const uint8_t *p = rd->buf + rd->pos;

	rd->pos += n;
	rd->offset += n;
	return p;
}

static size_t padding(uint64_t n)
{
	return (size_t)(-n & 7);
}

static int read_padding(struct nar_reader *rd, size_t n, struct err *err)
{
	int rc = need(rd, n, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (rd->buf[rd->pos + i] != 0)
			return bad(rd, err, "padding is not zero");
	}
	(void)consume(rd, n);
	return 0;
}

/* Tokens. */

static int read_u64(struct nar_reader *rd, uint64_t *out, struct err *err)
{
	int rc = need(rd, 8, err);

	if (rc < 0)
		return rc;
	*out = get_le64(consume(rd, 8));
	return 0;
}

/*
 * A str of at most max bytes. The view is into the buffer: valid until the
 * next token. "what" names it in errors.
 */
static int read_str(struct nar_reader *rd, const char *what, size_t max, struct str *out,
                    struct err *err)
{
	uint64_t n;
	int rc = read_u64(rd, &n, err);

	if (rc < 0)
		return rc;
	if (n > max)
		return bad(rd, err, "%s has %llu bytes, more than the limit of %zu", what,
		           (unsigned long long)n, max);
	/* With the padding, so that reading that does not move the buffer. */
	rc = need(rd, (size_t)n + padding(n), err);
	if (rc < 0)
		return rc;
	out->p = (const char *)consume(rd, (size_t)n);
	out->n = (size_t)n;
	return read_padding(rd, padding(n), err);
}

static int read_keyword(struct nar_reader *rd, struct str *out, struct err *err)
{
	return read_str(rd, "a keyword", KEYWORD_MAX, out, err);
}

static int expect(struct nar_reader *rd, const char *want, struct err *err)
{
	char shown[SHOW_SIZE];
	struct str got;
	int rc = read_keyword(rd, &got, err);

	if (rc < 0)
		return rc;
	if (!str_is(got, want))
		return bad(rd, err, "found \"%s\", expected \"%s\"", show_str(got, shown), want);
	return 0;
}

/* Objects. */

/* After an object's ")": the entry whose node it is ends, too. */
static int end_object(struct nar_reader *rd, struct err *err)
{
	if (rd->depth == 0) {
		rd->state = AFTER;
		return 0;
	}
	rd->state = ENTRIES;
	return expect(rd, ")", err);
}

static int begin_file(struct nar_reader *rd, struct walk_entry *ent, struct err *err)
{
	struct str word;
	int rc = read_keyword(rd, &word, err);

	if (rc < 0)
		return rc;
	ent->kind = WALK_FILE;
	ent->mode = 0444;
	if (str_is(word, "executable")) {
		ent->mode = 0555;
		rc = expect(rd, "", err);
		if (rc < 0)
			return rc;
		rc = expect(rd, "contents", err);
		if (rc < 0)
			return rc;
	} else if (!str_is(word, "contents")) {
		return bad(rd, err, "a regular file without contents");
	}
	rc = read_u64(rd, &ent->size, err);
	if (rc < 0)
		return rc;
	if (ent->size > FILE_SIZE_MAX)
		return bad(rd, err, "a file of %llu bytes, more than the limit of %llu",
		           (unsigned long long)ent->size, (unsigned long long)FILE_SIZE_MAX);
	rd->left = ent->size;
	rd->pad = padding(ent->size);
	rd->state = DATA;
	return 0;
}

static int read_link(struct nar_reader *rd, struct walk_entry *ent, struct err *err)
{
	struct str target;
	int rc = expect(rd, "target", err);

	if (rc < 0)
		return rc;
	rc = read_str(rd, "a link target", WALK_TARGET_MAX, &target, err);
	if (rc < 0)
		return rc;
	if (target.n == 0 || memchr(target.p, '\0', target.n))
		return bad(rd, err, "a link target that is empty or has a NUL");
	memcpy(rd->target, target.p, target.n);
	ent->kind = WALK_LINK;
	ent->mode = 0777;
	ent->target = (struct str){rd->target, target.n};
	rc = expect(rd, ")", err);
	if (rc < 0)
		return rc;
	return end_object(rd, err);
}

static int begin_dir(struct nar_reader *rd, struct walk_entry *ent)
{
	ent->kind = WALK_DIR;
	ent->mode = 0555;
	rd->last[rd->depth++].n = 0;
	rd->state = ENTRIES;
	return 0;
}

static int read_object(struct nar_reader *rd, struct walk_entry *ent, struct err *err)
{
	char shown[SHOW_SIZE];
	struct str type;
	int rc;

	/* Leaves room in rd->last if this is a directory. */
	if (rd->depth >= WALK_DEPTH_MAX)
		return bad(rd, err, "directories nested deeper than %d", WALK_DEPTH_MAX);
	ent->mtime = 1;
	rc = expect(rd, "(", err);
	if (rc < 0)
		return rc;
	rc = expect(rd, "type", err);
	if (rc < 0)
		return rc;
	rc = read_keyword(rd, &type, err);
	if (rc < 0)
		return rc;
	if (str_is(type, "regular"))
		return begin_file(rd, ent, err);
	if (str_is(type, "symlink"))
		return read_link(rd, ent, err);
	if (str_is(type, "directory"))
		return begin_dir(rd, ent);
	return bad(rd, err, "unknown type \"%s\"", show_str(type, shown));
}

/* A name that is valid and greater than the one before it. */
static int read_name(struct nar_reader *rd, struct str *out, struct err *err)
{
	struct name *last = &rd->last[rd->depth - 1];
	char shown[SHOW_SIZE], before[SHOW_SIZE];
	struct str name, prev = {last->text, last->n};
	int rc = read_str(rd, "a name", WALK_NAME_MAX, &name, err);

	if (rc < 0)
		return rc;
	if (!walk_name_valid(name))
		return bad(rd, err, "\"%s\" is not a file name", show_str(name, shown));
	if (prev.n && str_cmp(prev, name) >= 0)
		return bad(rd, err, "\"%s\" comes after \"%s\"; names must be in ascending order",
		           show_str(name, shown), show_str(prev, before));
	memcpy(last->text, name.p, name.n);
	last->n = name.n;
	*out = (struct str){last->text, last->n};
	return 0;
}

/* The next of a directory: an entry, or its end. */
static int read_entry(struct nar_reader *rd, struct walk_entry *ent, struct err *err)
{
	char shown[SHOW_SIZE];
	struct str word;
	int rc = read_keyword(rd, &word, err);

	if (rc < 0)
		return rc;
	if (str_is(word, ")")) {
		ent->kind = WALK_UP;
		rd->depth--;
		return end_object(rd, err);
	}
	if (!str_is(word, "entry"))
		return bad(rd, err, "found \"%s\", expected \"entry\" or the end of the directory",
		           show_str(word, shown));
	rc = expect(rd, "(", err);
	if (rc < 0)
		return rc;
	rc = expect(rd, "name", err);
	if (rc < 0)
		return rc;
	rc = read_name(rd, &ent->name, err);
	if (rc < 0)
		return rc;
	rc = expect(rd, "node", err);
	if (rc < 0)
		return rc;
	return read_object(rd, ent, err);
}

/* The walk. */

/* Up to n bytes of contents, from the buffer if it holds any. */
static int some_data(struct nar_reader *rd, void *p, size_t n, size_t *got, struct err *err)
{
	int rc = 0;

	if (n > rd->left)
		n = (size_t)rd->left;
	if (rd->pos < rd->end) {
		*got = MIN(n, rd->end - rd->pos);
		memcpy(p, rd->buf + rd->pos, *got);
		rd->pos += *got;
	} else {
		rc = from_source(rd, p, n, got, err);
		if (rc < 0)
			return rc;
	}
	rd->offset += *got;
	rd->left -= *got;
	return rc;
}

static int end_file(struct nar_reader *rd, struct err *err)
{
	int rc;

	while (rd->left) {
		if (rd->pos == rd->end) {
			rd->pos = rd->end = 0;
			rc = need(rd, 1, err);
			if (rc < 0)
				return rc;
		}
		size_t n = (size_t)MIN(rd->left, (uint64_t)(rd->end - rd->pos));

		(void)consume(rd, n);
		rd->left -= n;
	}
	rc = read_padding(rd, rd->pad, err);
	if (rc < 0)
		return rc;
	rc = expect(rd, ")", err);
	if (rc < 0)
		return rc;
	return end_object(rd, err);
}

static int end_archive(struct nar_reader *rd, struct err *err)
{
	size_t got = 0;
	int rc;

	if (rd->pos == rd->end) {
		rc = stream_read(rd->src, rd->buf, BUF_SIZE, &got, err);
		if (rc < 0)
			return rc;
	}
	if (rd->pos < rd->end || got)
		return bad(rd, err, "extra bytes after the end of the archive");
	rd->state = ENDED;
	return 0;
}

static int step(struct nar_reader *rd, struct walk_entry *ent, struct err *err)
{
	int rc = 0;

	*ent = (struct walk_entry){.name = STR("")};
	if (rd->state == DATA)
		rc = end_file(rd, err);
	if (rc < 0)
		return rc;
	switch (rd->state) {
	case BEFORE:
		rc = expect(rd, "nix-archive-1", err);
		return rc < 0 ? rc : read_object(rd, ent, err);
	case ENTRIES:
		return read_entry(rd, ent, err);
	case AFTER:
		rc = end_archive(rd, err);
		return rc < 0 ? rc : 1;
	case ENDED:
		return 1;
	default:
		return bad(rd, err, "read on after an error");
	}
}

static int nar_next(struct walk *w, struct walk_entry *ent, struct err *err)
{
	struct nar_reader *rd = (struct nar_reader *)w;
	struct walk_entry got;
	int rc = step(rd, &got, err);

	if (rc < 0)
		rd->state = BROKEN;
	else if (rc == 0)
		*ent = got;
	return rc;
}

static int nar_read(struct walk *w, void *p, size_t n, size_t *got, struct err *err)
{
	struct nar_reader *rd = (struct nar_reader *)w;
	size_t done = 0, piece;
	int rc;

	while (done < n && rd->state == DATA && rd->left) {
		rc = some_data(rd, (char *)p + done, n - done, &piece, err);
		if (rc < 0) {
			rd->state = BROKEN;
			return rc;
		}
		done += piece;
	}
	if (rd->state == BROKEN)
		return bad(rd, err, "read on after an error");
	*got = done;
	return 0;
}

static void nar_free(struct walk *w)
{
	free(w);
}

static const struct walk_ops nar_ops = {
        .next = nar_next,
        .read = nar_read,
        .free = nar_free,
};

struct walk *nar_walk_new(struct stream *src)
{
	/* Not xcalloc: 80 KiB of buffers need no zeroing. */
	struct nar_reader *rd = xmalloc(sizeof *rd);

	rd->walk.ops = &nar_ops;
	rd->src = src;
	rd->state = BEFORE;
	rd->offset = rd->left = 0;
	rd->pos = rd->end = rd->pad = 0;
	rd->depth = 0;
	return &rd->walk;
}

uint64_t nar_walk_offset(const struct walk *w)
{
	return ((const struct nar_reader *)w)->offset;
}
