/* SPDX-License-Identifier: MIT */
/* GRUB's command line over a menu. */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/context.h"
#include "grub/texts.h"

struct grub_shell {
	struct exec x;
};

struct grub_shell *grub_shell_new(struct grub_menu *menu)
{
	struct grub_shell *sh = xcalloc(1, sizeof *sh);
	struct exec *x = &sh->x;
	struct err ignored;

	exec_init(x, menu);
	if (menu->dialect == GRUB_SCRIPT) {
		env_fini(&x->env);
		env_copy(&x->env, &menu->context->env, false);
	} else {
		(void)script_set_vars(x, menu, &ignored); /* short texts: within any limit */
	}
	writes_copy(&x->boot.writes, &menu->writes);
	return sh;
}

void grub_shell_free(struct grub_shell *sh)
{
	if (!sh)
		return;
	exec_fini(&sh->x);
	free(sh);
}

/* The warnings of a line are its answer, and so is what it printed. */
static void show(struct exec *x, struct buf *out)
{
	buf_put(out, x->boot.output.p, x->boot.output.n);
	for (size_t i = 0; i < x->boot.warnings.n; i++)
		buf_putf(out, "error: %s\n", x->boot.warnings.v[i]);
	buf_reset(&x->boot.output);
	texts_fini(&x->boot.warnings);
}

int grub_shell_line(struct grub_shell *sh, struct str line, struct buf *out, struct grub_boot *boot,
                    struct grub_menu **next, struct err *err)
{
	struct exec *x = &sh->x;
	enum exec_flow flow;
	int rc;

	x->steps = 0; /* each line has its own budget */
	rc = exec_text(x, "line", line, true, err);
	show(x, out);
	flow = x->flow;
	x->flow = FLOW_ON;
	if (rc == -ERR_FORMAT) {
		buf_putf(out, "error: %s\n", err->text);
		return 0;
	}
	if (rc < 0)
		return rc;
	if (flow == FLOW_MENU) {
		*next = take(&x->next);
		return 2;
	}
	if (flow != FLOW_BOOT)
		return 0;
	grub_boot_fini(boot);
	return script_result(x, boot, next, err) < 0 ? -(int)err->code : 1;
}
