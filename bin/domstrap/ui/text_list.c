/* SPDX-License-Identifier: MIT */
#include "ui/text_list.h"

int text_list_add(const char *option, struct text_list *list, const char *text, struct err *err)
{
	if (list->n == LIST_MAX)
		return err_set(err, ERR_USAGE, "--%s: given more than %d times", option, LIST_MAX);
	list->items[list->n++] = text;
	return 0;
}

int option_list(const struct option_row *row, void *to, const char *text, struct err *err)
{
	return text_list_add(row->name, (struct text_list *)(void *)((char *)to + row->offset),
	                     text, err);
}
