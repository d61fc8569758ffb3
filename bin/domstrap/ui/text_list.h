/* SPDX-License-Identifier: MIT */
/* The arguments of an option that may be given several times. */
#ifndef DOMSTRAP_TEXT_LIST_H
#define DOMSTRAP_TEXT_LIST_H

#include <stddef.h>

#include "base/options.h"

#define LIST_MAX 64

/* Zeroed: empty. The strings are argv's. */
struct text_list {
	const char *items[LIST_MAX];
	size_t n;
};

/* -ERR_USAGE if the list is full; option is its name without hyphens. */
int text_list_add(const char *option, struct text_list *list, const char *text, struct err *err);

option_setter option_list; /* [struct text_list] adds the argument */

#define ROW_LIST(long_name, argument, text, type, field)                                           \
	{.name = (long_name), 0, argument, text, option_list, offsetof(type, field)}

#endif
