#include "menu.h"
int menu_run(struct warden *w, struct msg_plan *plan, struct buf *body, char **args,
             struct err *err)
{
	return 1;
}
