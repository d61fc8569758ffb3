/* SPDX-License-Identifier: MIT */
/* malloc() and similar functions, for faults.c. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "faults.h"

static void *(*real_malloc)(size_t), *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t), *(*real_memalign)(size_t, size_t);

static void find(void *function, const char *name)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
}

/* A program may have its own allocator on top of these. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *__libc_malloc(size_t n)
{
	if (!real_malloc)
		find(&real_malloc, "__libc_malloc");
	return fails(ALLOC) ? NULL : real_malloc(n);
}

void *__libc_calloc(size_t n, size_t size)
{
	if (!real_calloc)
		find(&real_calloc, "__libc_calloc");
	return fails(ALLOC) ? NULL : real_calloc(n, size);
}

void *__libc_realloc(void *p, size_t n)
{
	if (!real_realloc)
		find(&real_realloc, "__libc_realloc");
	return fails(ALLOC) ? NULL : real_realloc(p, n);
}

void *__libc_memalign(size_t align, size_t n)
{
	if (!real_memalign)
		find(&real_memalign, "__libc_memalign");
	return fails(ALLOC) ? NULL : real_memalign(align, n);
}

void *malloc(size_t n)
{
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return __libc_memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
	void *p = __libc_memalign(align, n);

	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}
