/* SPDX-License-Identifier: MIT */
/* tr [ -s VAR ] [ -U | -D | SET1 SET2 ] [ TEXT ]: without a text it is VAR's own. */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/opts.h"
#include "grub/texts.h"

#include <string.h>

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct request {
	struct str var;  /* p NULL: print */
	struct str text; /* p NULL: missing */
	const char *from, *to;
};

static const struct opt tr_opts[] = {
        {"set", 's', OPT_TEXT},
        {"upcase", 'U', OPT_FLAG},
        {"downcase", 'D', OPT_FLAG},
};

/* Two words are sets, a third or a single one is the text. */
static void take_words(struct request *r, const struct grub_texts *words)
{
	if (words->n > 1) {
		r->from = words->v[0];
		r->to = words->v[1];
	}
	if (words->n % 2)
		r->text = str_from(words->v[words->n - 1]);
}

static int translate(struct exec *x, const struct request *r, struct err *err)
{
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	int rc = exec_charge(x, r->text.n * strlen(r->from), err);

	for (size_t i = 0; rc == 0 && i < r->text.n; i++) {
		const char *at = strchr(r->from, r->text.p[i]);

		buf_put(&out, at ? &r->to[at - r->from] : &r->text.p[i], 1);
	}
	if (rc < 0)
		return rc;
	if (r->var.p)
		return env_set(&x->env, r->var, buf_str(&out), err);
	buf_puts(&out, "\n");
	exec_print(x, buf_str(&out));
	return STATUS_OK;
}

int cmd_tr(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	struct request r = {.text = {NULL, 0}};
	bool up = false, down = false;
	struct err why = ERR_INIT;
	int opt;

	while ((opt = opts_next(&o, tr_opts, ARRAY_LEN(tr_opts), &why)) < (int)ARRAY_LEN(tr_opts)) {
		if (opt < 0)
			return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
		if (opt == 0)
			r.var = o.value;
		up = up || opt == 1;
		down = down || opt == 2;
	}
	if (r.var.p && env_isset(&x->env, r.var))
		r.text = env_get(&x->env, r.var);
	if (up || down) {
		r.from = down ? upper : lower; /* both: the latter, as GRUB has it */
		r.to = down ? lower : upper;
	}
	if (o.words.n > 3)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "too many parameters");
	take_words(&r, &o.words);
	if (!r.from || !r.text.p)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a set or the text is missing");
	if (strlen(r.from) != strlen(r.to))
		return exec_fail(x, STATUS_BAD_ARGUMENT,
		                 "the sets \"%s\" and \"%s\" differ in length", r.from, r.to);
	return translate(x, &r, err);
}
