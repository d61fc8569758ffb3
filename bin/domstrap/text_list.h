/* SPDX-License-Identifier: MIT */
/* The arguments of an option that may be given several times. */
#ifndef DOMSTRAP_TEXT_LIST_H
#define DOMSTRAP_TEXT_LIST_H

#include <stddef.h>

#include "base/err.h"

#define LIST_MAX 64

/* Zeroed: empty. The strings are argv's. */
struct text_list {
	const char *items[LIST_MAX];
	size_t n;
};

/* -ERR_USAGE where the list is full; option is its name without hyphens. */
int text_list_add(const char *option, struct text_list *list, const char *text, struct err *err);

#endif
