/* SPDX-License-Identifier: MIT */
/* xl gets arguments, never a command line; the guest is named by the number that xl gave it. */
#include "restart/restart_xl.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/show.h"
#include "host/subprocess.h"
#include "ui/ui.h"
#include "host/xl.h"
#include "nixos/host_files.h"

#define POLL_MS 500
#define XL_SECONDS 60      /* for a command that does not wait for the guest */
#define DESTROY_SECONDS 60 /* until a destroyed domain is gone */
#define WORDS_MAX 1024u    /* bytes of a list of addresses */
#define MAC_LEN 17

static char xl_name[] = "xl";

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* Run xl, for at most so many seconds. ^C does not reach it: who called decides what that ends. */
static int run(char *const argv[], unsigned seconds, struct tail *said, int *status,
               struct err *err)
{
	int64_t end = clock_ms() + (int64_t)seconds * 1000;
	struct subprocess s = SUBPROCESS_INIT;
	int rc = subprocess_start(&s, argv, false, err);

	while (rc == 0 && !subprocess_poll(&s, POLL_MS, said, status))
		if (clock_ms() >= end) {
			subprocess_kill(&s);
			rc = err_set(err, ERR_LIMIT, "\"xl %s\" has not ended within %u s", argv[1],
			             seconds);
		}
	return rc;
}

/* The same for a command that changes something. */
static int xl_do(char *const argv[], unsigned seconds, struct err *err)
{
	_free_ struct tail *said = xcalloc(1, sizeof *said);
	char shown[SHOW_SIZE];
	int status = 0, rc = run(argv, seconds, said, &status, err);

	if (rc < 0 || !status)
		return rc;
	return err_set(err, ERR_IO, "\"xl %s\" failed (status %d): %s", argv[1], status,
	               show_str(tail_lines(said, 1), shown));
}

static int xl_do_id(const char *command, int id, unsigned seconds, struct err *err)
{
	_free_ char *what = xstrdup(command);
	char number[16];
	char *argv[] = {xl_name, what, number, NULL};

	snprintf(number, sizeof number, "%d", id);
	return xl_do(argv, seconds, err);
}

/* ---- which domain --------------------------------------------------------- */

static bool uses_disk(const json_t *domain, const struct arguments *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (xl_domain_has(domain, a->v[i].path))
			return true;
	return false;
}

/* Whether this domain is the guest, or keeps the guest from running. */
static int judge(struct running *r, const struct arguments *a, const json_t *domain,
                 struct err *err)
{
	const char *name = xl_domain_name(domain);
	bool same = strcmp(name, r->name) == 0, disk = uses_disk(domain, a);
	int id = xl_domain_id(domain);
	char shown[SHOW_SIZE];

	if (same && disk && id > 0) {
		r->id = id;
		return 0;
	}
	if (disk)
		return err_set(err, ERR_BUSY, "%s: domain %d, %s, uses a disk of this guest",
		               r->config, id, show_str(str_from(name), shown));
	if (same)
		return err_set(err, ERR_BUSY,
		               "%s: domain %d, %s, has the name of this guest, but other disks",
		               r->config, id, show_str(str_from(name), shown));
	return 0;
}

int running_find(struct running *r, const struct arguments *a, struct err *err)
{
	json_t *domains = NULL;
	int rc = xl_domains(&domains, err);

	if (rc > 0)
		return err_set(err, ERR_UNSUPPORTED,
		               "restart: xl or Xen not found; run it on the Xen host of the guest");
	r->id = 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(domains); i++)
		rc = judge(r, a, json_array_get(domains, i), err);
	json_decref(domains);
	return rc;
}

/* "xl domid NAME" takes a name, even of digits, for nothing else. */
int running_id(const struct running *r)
{
	_free_ char *name = xstrdup(r->name);
	char domid[] = "domid";
	char *argv[] = {xl_name, domid, name, NULL};
	_free_ struct tail *said = xcalloc(1, sizeof *said);
	struct err err = ERR_INIT;
	uint64_t id = 0;
	int status = 0;

	if (run(argv, XL_SECONDS, said, &status, &err) < 0) {
		ui_detail("%s", err.text);
		return -1;
	}
	return !status && str_u64(tail_lines(said, 1), 10, INT32_MAX, &id) ? (int)id : 0;
}

/* ---- start and stop ------------------------------------------------------- */

int running_start(struct running *r, unsigned seconds, struct err *err)
{
	_free_ char *config = xstrdup(r->config);
	char create[] = "create";
	char *argv[] = {xl_name, create, config, NULL};
	struct err second = ERR_INIT;
	int rc = xl_do(argv, seconds, err);

	/* A domain that another has started meanwhile, which makes xl fail, is not ours. */
	r->id = rc == 0 || rc == -ERR_LIMIT ? MAX(running_id(r), 0) : 0;
	if (rc == 0 && !r->id)
		return err_set(err, ERR_CHILD, "%s: stopped right after its start", r->name);
	/* xl was killed, for example while the guest's boot menu waited. */
	if (rc == -ERR_LIMIT && r->id && running_destroy(r, &second) < 0)
		ui_warn("%s", second.text);
	return rc;
}

static int wait_gone(struct running *r, unsigned seconds, const char *what, struct err *err)
{
	int64_t end = clock_ms() + (int64_t)seconds * 1000;
	int id;

	while ((id = running_id(r)) == r->id || id < 0) {
		if (clock_ms() >= end)
			return err_set(err, ERR_LIMIT,
			               "%s: domain %d (%s) still there %u s after \"xl %s\"",
			               r->name, r->id, xl_domain_state(r->id), seconds, what);
		pause_ms(POLL_MS);
	}
	r->id = id;
	if (id)
		return err_set(err, ERR_CHILD, "%s: was started again by another, as domain %d",
		               r->name, id);
	return 0;
}

int running_stop(struct running *r, unsigned seconds, struct err *err)
{
	int rc = xl_do_id("shutdown", r->id, XL_SECONDS, err);

	/* It may have been gone already. */
	if (rc < 0 && running_id(r) == r->id)
		return rc;
	return wait_gone(r, seconds, "shutdown", err);
}

int running_destroy(struct running *r, struct err *err)
{
	int rc;

	if (!r->id || running_id(r) != r->id)
		return 0;
	rc = xl_do_id("destroy", r->id, DESTROY_SECONDS, err);
	return rc < 0 && running_id(r) == r->id ? rc
	                                        : wait_gone(r, DESTROY_SECONDS, "destroy", err);
}

/* ---- what is known -------------------------------------------------------- */

static void add_word(struct buf *list, struct str word)
{
	if (list->n + word.n + 1 > WORDS_MAX)
		return;
	if (list->n)
		buf_puts(list, " ");
	buf_put(list, word.p, word.n);
}

static void add_address(struct buf *list, struct str text)
{
	if (host_address_family(text))
		add_word(list, text);
}

static bool is_mac(const char *s)
{
	return strlen(s) == MAC_LEN && strspn(s, "0123456789abcdefABCDEF:") == MAC_LEN;
}

/* The network cards of the config, as xl keeps them: the guest cannot write there. */
static void find_cards(const struct running *r, struct buf *macs, struct buf *addresses)
{
	struct err err = ERR_INIT;
	json_t *domains = NULL;

	if (xl_domains(&domains, &err) != 0) {
		ui_detail("%s", err.text);
		return;
	}
	for (size_t d = 0; d < json_array_size(domains); d++) {
		const json_t *domain = json_array_get(domains, d);
		const json_t *nics = json_object_get(json_object_get(domain, "config"), "nics");

		for (size_t i = 0; xl_domain_id(domain) == r->id && i < json_array_size(nics);
		     i++) {
			const json_t *nic = json_array_get(nics, i);
			const char *mac = json_string_value(json_object_get(nic, "mac"));
			const char *ip = json_string_value(json_object_get(nic, "ip"));
			struct str words = str_from(ip ? ip : "");

			if (mac && is_mac(mac))
				add_word(macs, str_from(mac));
			while (words.p)
				add_address(addresses, str_cut(&words, ' '));
		}
	}
	json_decref(domains);
}

/* What agents in the guest report: any text that the guest likes, of which only addresses count. */
static void find_reported(const struct running *r, struct buf *addresses)
{
	char program[] = "xenstore-ls", path[64];
	char *argv[] = {program, path, NULL};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct str rest;
	int status = 0;

	snprintf(path, sizeof path, "/local/domain/%d/attr", r->id);
	/* Without xenstore-ls, or such a directory, nothing is reported. */
	if (xl_run(argv, &text, &status, &err) < 0)
		ui_detail("%s", err.text);
	/* KEY = "VALUE" */
	for (rest = buf_str(&text); rest.p;) {
		struct str line = str_cut(&rest, '\n');

		(void)str_cut(&line, '"');
		if (line.p)
			add_address(addresses, str_cut(&line, '"'));
	}
}

void running_tell(const struct running *r)
{
	_cleanup_(buf_fini) struct buf macs = BUF_INIT, addresses = BUF_INIT;
	char id[16];

	snprintf(id, sizeof id, "%d", r->id);
	find_cards(r, &macs, &addresses);
	find_reported(r, &addresses);
	setenv("DOMSTRAP_NAME", r->name, 1);
	setenv("DOMSTRAP_DOMID", id, 1);
	setenv("DOMSTRAP_MAC", macs.n ? macs.p : "", 1);
	setenv("DOMSTRAP_ADDRESSES", addresses.n ? addresses.p : "", 1);
}
