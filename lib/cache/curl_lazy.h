/* SPDX-License-Identifier: MIT */
/*
 * libcurl is loaded when something is downloaded. It needs some 30 other libraries; loading them
 * takes longer than most commands. curl_lazy.c has libcurl's functions by their own names, so
 * curl/curl.h is used as ever.
 */
#ifndef CACHE_CURL_LAZY_H
#define CACHE_CURL_LAZY_H

#include "base/err.h"

/*
 * Load and initialize it, before the first of its functions is called; later calls only return what
 * the first returned. -ERR_UNSUPPORTED if it is not installed.
 */
int curl_lazy_load(struct err *err);

#endif
