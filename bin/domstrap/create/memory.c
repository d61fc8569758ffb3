/* SPDX-License-Identifier: MIT */
/*
 * Out of memory ends the program at once (base/mem.h), inside the libraries that it uses, too: they
 * would go on with half of what they were asked for, or crash. Whatever has not been committed by
 * then has not happened.
 *
 * glibc lets a program have an allocator of its own and offers what is behind its own one; where it
 * is not glibc's, or a sanitizer's, this file is empty.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
        __has_feature(memory_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif

#if defined(__GLIBC__) || __has_include(<gnu/libc-version.h>)
#ifndef OWN_ALLOCATOR
#define OWN_ALLOCATOR 1
#endif
#endif

#if OWN_ALLOCATOR

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
	return mem_or_die(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	return mem_or_die(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	void *q = __libc_realloc(p, n);

	return n ? mem_or_die(q) : q;
}

void *aligned_alloc(size_t align, size_t n)
{
	return mem_or_die(__libc_memalign(align, n));
}

int posix_memalign(void **out, size_t align, size_t n)
{
	if (align % sizeof *out || !align || (align & (align - 1)))
		return EINVAL;
	*out = mem_or_die(__libc_memalign(align, n));
	return 0;
}

#else

/* C does not allow an empty source file. */
extern int nothing;

#endif
