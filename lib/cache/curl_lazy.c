/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "cache/curl_lazy.h"

/* These are also macros, which check the types of their callers' arguments. */
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

#define LIBRARY "libcurl.so.4"
/* The type of an option's argument is the thousands' place of its number, as in curl/curl.h. */
#define OPTION_TYPE(option) ((option) / 10000 * 10000)

#define FUNCTIONS(X)                                                                               \
	X(curl_easy_cleanup)                                                                       \
	X(curl_easy_getinfo)                                                                       \
	X(curl_easy_init)                                                                          \
	X(curl_easy_pause)                                                                         \
	X(curl_easy_setopt)                                                                        \
	X(curl_easy_strerror)                                                                      \
	X(curl_global_init)                                                                        \
	X(curl_multi_add_handle)                                                                   \
	X(curl_multi_info_read)                                                                    \
	X(curl_multi_init)                                                                         \
	X(curl_multi_perform)                                                                      \
	X(curl_multi_poll)                                                                         \
	X(curl_multi_remove_handle)                                                                \
	X(curl_multi_setopt)

#define FIELD(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(FIELD)
} library;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err failed;

static void set_function(void *handle, const char *name, void *field)
{
	void *function = dlsym(handle, name);

	if (!function)
		err_set(&failed, ERR_UNSUPPORTED, "%s", dlerror());
	memcpy(field, &function, sizeof function);
}

static void load(void)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		err_set(&failed, ERR_UNSUPPORTED, "%s", dlerror());
		return;
	}
#define SET(name) set_function(handle, #name, &library.name);
	FUNCTIONS(SET)
	if (!failed.code && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		err_set(&failed, ERR_UNSUPPORTED, "%s: cannot be initialized", LIBRARY);
}

int curl_lazy_load(struct err *err)
{
	pthread_once(&once, load);
	if (!failed.code)
		return 0;
	*err = failed;
	return -(int)err->code;
}

/* ---- libcurl's functions ---------------------------------------------------- */

void curl_easy_cleanup(CURL *c)
{
	library.curl_easy_cleanup(c);
}

CURLcode curl_easy_getinfo(CURL *c, CURLINFO info, ...)
{
	va_list ap;
	CURLcode code;

	va_start(ap, info);
	code = library.curl_easy_getinfo(c, info, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURL *curl_easy_init(void)
{
	return library.curl_easy_init();
}

CURLcode curl_easy_pause(CURL *c, int what)
{
	return library.curl_easy_pause(c, what);
}

CURLcode curl_easy_setopt(CURL *c, CURLoption option, ...)
{
	va_list ap;
	CURLcode code;

	va_start(ap, option);
	if (OPTION_TYPE(option) == CURLOPTTYPE_LONG)
		code = library.curl_easy_setopt(c, option, va_arg(ap, long));
	else if (OPTION_TYPE(option) == CURLOPTTYPE_OFF_T)
		code = library.curl_easy_setopt(c, option, va_arg(ap, curl_off_t));
	else
		code = library.curl_easy_setopt(c, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

const char *curl_easy_strerror(CURLcode code)
{
	return library.curl_easy_strerror(code);
}

CURLcode curl_global_init(long flags)
{
	return library.curl_global_init(flags);
}

CURLMcode curl_multi_add_handle(CURLM *m, CURL *c)
{
	return library.curl_multi_add_handle(m, c);
}

CURLMsg *curl_multi_info_read(CURLM *m, int *left)
{
	return library.curl_multi_info_read(m, left);
}

CURLM *curl_multi_init(void)
{
	return library.curl_multi_init();
}

CURLMcode curl_multi_perform(CURLM *m, int *running)
{
	return library.curl_multi_perform(m, running);
}

CURLMcode curl_multi_poll(CURLM *m, struct curl_waitfd extra[], unsigned n, int ms, int *numfds)
{
	return library.curl_multi_poll(m, extra, n, ms, numfds);
}

CURLMcode curl_multi_remove_handle(CURLM *m, CURL *c)
{
	return library.curl_multi_remove_handle(m, c);
}

CURLMcode curl_multi_setopt(CURLM *m, CURLMoption option, ...)
{
	va_list ap;
	CURLMcode code;

	va_start(ap, option);
	if (OPTION_TYPE(option) == CURLOPTTYPE_LONG)
		code = library.curl_multi_setopt(m, option, va_arg(ap, long));
	else
		code = library.curl_multi_setopt(m, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}
