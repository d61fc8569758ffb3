/* SPDX-License-Identifier: MIT */
/*
 * Memory. Running out of it ends the process at once with a message and
 * status 1; a size that comes from outside must meet a named limit first.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

/* Run FN(&variable) when the variable's scope ends. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}
#define _free_ _cleanup_(free_ptr)

/* Hand over ownership: returns the pointer and sets the variable to NULL. */
#define take(pp)                                                                                   \
	__extension__({                                                                            \
		__typeof__(*(pp)) taken_ = *(pp);                                                  \
		*(pp) = NULL;                                                                      \
		taken_;                                                                            \
	})

/* The struct of which *p is a member. */
#define CONTAINER(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Returns p; if it is NULL, ends the process. */
void *mem_or_die(void *p);

/* The caller owns what these return; free() it. None returns NULL. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Page-aligned memory for O_DIRECT; in huge pages if it is large. */
void *xaligned(size_t align, size_t n);

/* Make room for one more element at array[n]; cap is in elements. */
#define GROW(array, n, cap)                                                                        \
	do {                                                                                       \
		if ((n) >= (cap)) {                                                                \
			(cap) = (cap) ? (cap) * 2 : 16;                                            \
			(array) = xreallocarray((array), (cap), sizeof *(array));                  \
		}                                                                                  \
	} while (0)

#endif
