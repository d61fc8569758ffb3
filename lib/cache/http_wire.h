/* SPDX-License-Identifier: MIT */
/*
 * Messages between the parent (http.c) and the fetcher (fetcher.c). Every download has an id:
 *
 *     parent                             fetcher
 *     GET    id, URL, limits, password
 *                                        BYTES  id, their place in shared memory      any number
 *     TAKEN  id, bytes read                                                           any number
 *                                        MOVED  id, URL of a redirect                 a few times
 *     LOGIN  id, password for that URL
 *                                        END    id, error                             once
 *     DONE   id                                        before END: cancels the download
 *                                        GONE   id: no more messages about it
 */
#ifndef CACHE_HTTP_WIRE_H
#define CACHE_HTTP_WIRE_H

#include "cache/http_body.h"
#include "jail/wire.h"

enum {
	HTTP_GET = 1,
	HTTP_TAKEN,
	HTTP_DONE,
	HTTP_BYTES,
	HTTP_END,
	HTTP_GONE,
	HTTP_MOVED,
	HTTP_LOGIN,
};

#define HTTP_MOVES_MAX 5u /* redirects of one try */
#define HTTP_URL_MAX 65536u
#define HTTP_SECRET_MAX 4096u
#define HTTP_WHY_MAX 1024u
#define HTTP_ENCODING_MAX 31u

/* The messages that the fetcher and the parent may send. */
extern const struct wire_rule http_fetcher_rules[], http_parent_rules[];
extern const size_t http_fetcher_rule_count, http_parent_rule_count;

/* Texts are borrowed from the message. */
struct http_get {
	uint32_t id;
	uint64_t limit, window; /* bytes */
	struct str url, user, password;
};

struct http_moved {
	uint32_t id;
	struct str url;
};

struct http_login {
	uint32_t id;
	struct str user, password;
};

struct http_bytes {
	uint32_t id;
	struct body_part part;
};

struct http_end {
	uint32_t id;
	enum err_code code; /* NONE, NOENT, LIMIT or IO */
	struct str why;     /* of an error */
	struct str encoding;
};

/* put appends a whole message to out; get decodes a message's body. -ERR_FORMAT: malformed. */
void http_get_put(struct buf *out, const struct http_get *m);
int http_get_get(struct str body, struct http_get *m, struct err *err);
void http_taken_put(struct buf *out, uint32_t id, uint64_t bytes);
int http_taken_get(struct str body, uint32_t *id, uint64_t *bytes, struct err *err);
void http_bytes_put(struct buf *out, const struct http_bytes *m);
int http_bytes_get(struct str body, struct http_bytes *m, struct err *err);
void http_end_put(struct buf *out, const struct http_end *m);
int http_end_get(struct str body, struct http_end *m, struct err *err);
void http_moved_put(struct buf *out, const struct http_moved *m);
int http_moved_get(struct str body, struct http_moved *m, struct err *err);
void http_login_put(struct buf *out, const struct http_login *m);
int http_login_get(struct str body, struct http_login *m, struct err *err);
/* DONE and GONE */
void http_id_put(struct buf *out, uint32_t type, uint32_t id);
int http_id_get(struct str body, uint32_t *id, struct err *err);

/* One end of the line. Both ends have buffers, so that neither process ever blocks on it. */
struct http_line {
	struct wire wire;
	struct buf in, out;
	size_t pos; /* bytes read from in */
};

/* Send as much as the socket takes; out keeps the rest. */
int http_line_push(struct http_line *l, struct err *err);
/* Receive what has arrived. 1: the other end is closed. */
int http_line_pull(struct http_line *l, struct err *err);
/* The next complete message: its body is borrowed until the next call. 1: none. */
int http_line_next(struct http_line *l, uint32_t *type, struct str *body, struct err *err);
void http_line_fini(struct http_line *l);

#endif
