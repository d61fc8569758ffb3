/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)

void *mem_or_die(void *p)
{
	static const char msg[] = "out of memory\n";

	if (p)
		return p;
	if (write(STDERR_FILENO, msg, sizeof msg - 1) < 0)
		_exit(1);
	_exit(1);
}

void *xmalloc(size_t n)
{
	return mem_or_die(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return mem_or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return mem_or_die(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return mem_or_die(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return mem_or_die(strndup(s, n));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return mem_or_die(s);
}

void *xaligned(size_t align, size_t n)
{
	void *p = NULL;

	if (n >= HUGE_PAGE)
		align = MAX(align, HUGE_PAGE);
	if (posix_memalign(&p, align, n ? n : align) != 0)
		p = NULL;
	if (p && n >= HUGE_PAGE)
		(void)madvise(p, n / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return mem_or_die(p);
}
