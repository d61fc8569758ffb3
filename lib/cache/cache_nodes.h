/* SPDX-License-Identifier: MIT */
/*
 * The nodes of a closure while it is queried: what cache_closure.c knows of each
 * path, found by its base name. Included by that file and cache_nodes.c only.
 */
#ifndef CACHE_CACHE_NODES_H
#define CACHE_CACHE_NODES_H

#include "cache/caches_internal.h"

#define NOBODY UINT32_MAX

enum state {
	ASKED_FOR, /* waits for its turn */
	ASKING,
	KNOWN,
};

struct node {
	char *base; /* digest and name; of the system, perhaps only the digest */
	enum state state;
	uint32_t needed_by;
	size_t supplier; /* the one that is queried */
	struct cache_file *file;
	struct buf said;       /* the errors of the suppliers queried so far */
	int code;              /* the worst of them */
	struct path_info info; /* its refs are nodes until the end */
	struct offer offer;
};

struct search {
	struct caches *c;
	const struct closure *have; /* NULL: nothing */
	struct node *nodes;
	size_t n, cap;
	uint32_t *table; /* hash table of node numbers plus one; 0: free */
	size_t table_n;
	size_t next; /* no node before it is ASKED_FOR */
	size_t known, asking, refs;
	uint64_t nar_sum;
	uint64_t seen; /* for http_wait() */
};

/* The node of a base name, which is added if there is none. -ERR_LIMIT. */
int search_node(struct search *s, struct str base, uint32_t needed_by, uint32_t *out,
                struct err *err);

/* The node is known now: count it. -ERR_LIMIT if the closure is too large. */
int search_settle(struct search *s, uint32_t i, struct err *err);

/*
 * All nodes are known: turn them into the closure and its offers, in order of path.
 * *toplevel: the path of node 0, borrowed from the closure.
 */
int search_gather(struct search *s, struct closure *out, const char **toplevel, struct err *err);

void search_fini(struct search *s);

#endif
