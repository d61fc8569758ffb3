/* SPDX-License-Identifier: MIT */
#include <bsd/readpassphrase.h>
#include <crypt.h>
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "command.h"
#include "create/keys_file.h"
#include "nixos/guestconf.h"
#include "nixos/host_files.h"
#include "ui/rows.h"
#include "ui/text_list.h"
#include "ui/ui.h"

#define KEYS_MAX 64
#define DNS_MAX 8
#define PASSWORD_MAX 512
#define RELEASE "26.05"

struct init {
	struct guestconf conf;
	const char *dir;
	struct text_list key_files, dns;
	char *keys[KEYS_MAX];
	size_t n_keys;
	char *hostname, *user; /* owned, where the user gave none */
	char *hash;
	bool password_prompt, flake, force;
	enum ui_level level;
};

/* ---- options -------------------------------------------------------------- */

/* [bool]: the second word is true */
static int pick(const struct option_row *row, void *to, const char *text, struct err *err)
{
	bool second = strcmp(text, row->words[1]) == 0;

	if (!second && strcmp(text, row->words[0]) != 0)
		return err_set(err, ERR_USAGE, "--%s '%s': %s or %s", row->name, text,
		               row->words[0], row->words[1]);
	return second ? option_true(row, to, text, err) : option_false(row, to, text, err);
}

static int name_server(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct text_list *list = &((struct init *)to)->dns;

	if (list->n == DNS_MAX)
		return err_set(err, ERR_USAGE, "--%s: given more than %d times", row->name,
		               DNS_MAX);
	return text_list_add(row->name, list, text, err);
}

static const char *const layouts[] = {"single", "split", NULL};
static const char *const boots[] = {"domgrub", "pygrub", NULL};

#define AT(field) offsetof(struct init, field)
#define TRUE(name, text, field) ROW_TRUE(name, text, struct init, field)

static const struct option_row rows[] = {
        {.name = "hostname",
         0,
         "NAME",
         "(default: the directory's name)",
         option_text,
         AT(conf.hostname),
         .check = guestconf_hostname_check},
        {.name = "layout",
         0,
         "single|split",
         "as in create (default: single)",
         pick,
         AT(conf.split),
         .words = layouts},
        {.name = "boot",
         0,
         "domgrub|pygrub",
         "(default: domgrub)",
         pick,
         AT(conf.pygrub),
         .words = boots},
        {.name = "ip",
         0,
         "ADDRESS/BITS",
         "a fixed address (default: DHCP)",
         option_text,
         AT(conf.address)},
        {.name = "gateway",
         0,
         "ADDRESS",
         "with --ip: the default gateway",
         option_text,
         AT(conf.gateway)},
        {.name = "dns", 0, "ADDRESS", "with --ip: a name server; may repeat", name_server},
        ROW_TEXT("time-zone", "ZONE", "(default: UTC)", struct init, conf.time_zone),
        {.name = "user",
         0,
         "NAME",
         "a user who may log in and use sudo (default: you)",
         option_text,
         AT(conf.user),
         .check = guestconf_user_check},
        ROW_LIST("ssh-key", "FILE", "the user's public keys; may repeat (default: your own)",
                 struct init, key_files),
        TRUE("password-prompt", "ask for the user's password; only its hash is\nwritten",
             password_prompt),
        {.name = "release",
         0,
         "YY.MM",
         "of NixOS (default: " RELEASE ")",
         option_text,
         AT(conf.release),
         .check = guestconf_release_check},
        TRUE("shared", "for many guests: names and addresses are given to\ncreate", conf.shared),
        TRUE("try", "with a unit that confirms systems on trial\n(update --try)", conf.try),
        TRUE("flake", "write a flake.nix as well", flake),
        ROW_FORCE(struct init, force),
        ROW_QUIET(struct init, level),
        ROW_HELP,
};
static const struct option_group group = OPTION_GROUP(rows, 0);
static const struct option_set options = {
        .program = "domstrap init",
        .intro = "usage: domstrap init [DIR] [options]\n\n"
                 "Writes DIR/configuration.nix for a new guest. DIR is the current directory by\n"
                 "default, and is created if it does not exist.\n\n",
        .groups = &group,
        .n_groups = 1,
        .column = 26,
};

/* The same rules as for create's options. */
static int check_addresses(const struct init *in, struct err *err)
{
	const char *const address = in->conf.address, *const gateway = in->conf.gateway;
	const struct host_files h = {.addresses = {&address, address != NULL},
	                             .gateways = {&gateway, gateway != NULL},
	                             .dns = {in->dns.items, in->dns.n}};

	return host_lists_check(&h, err);
}

/* 1: --help was given. */
static int parse(int argc, char **argv, struct init *in, struct err *err)
{
	int rc = options_read(&options, argc, argv, in, err);

	if (rc)
		return rc;
	in->conf.n_dns = in->dns.n;
	if (optind < argc)
		in->dir = argv[optind++];
	if (optind < argc)
		return err_set(err, ERR_USAGE, "unexpected argument \"%s\": one DIR is expected",
		               argv[optind]);
	if (in->conf.try && in->conf.pygrub)
		return err_set(err, ERR_USAGE,
		               "--try and --boot pygrub are mutually exclusive: pygrub ignores "
		               "GRUB's next_entry");
	if (in->conf.shared && in->conf.address)
		return err_set(err, ERR_USAGE,
		               "--shared and --ip are mutually exclusive: give each guest its "
		               "address with \"domstrap create --ip\"");
	return check_addresses(in, err);
}

/* ---- what was not said ---------------------------------------------------- */

static int guess_names(struct init *in, struct err *err)
{
	const struct passwd *pw = getpwuid(getuid());
	struct err ignored = ERR_INIT;
	_free_ char *real = realpath(in->dir, NULL);

	if (!real)
		return err_sys(err, errno, "%s", in->dir);
	if (!in->conf.hostname) {
		const char *base = str_base(real);
		bool good = guestconf_hostname_check(base, &ignored) == 0;

		in->conf.hostname = in->hostname = xstrdup(good ? base : "nixos");
	}
	if (!in->conf.user) {
		bool good =
		        pw && pw->pw_uid != 0 && guestconf_user_check(pw->pw_name, &ignored) == 0;

		in->conf.user = in->user = xstrdup(good ? pw->pw_name : "admin");
	}
	return 0;
}

static int take_key(void *ctx, struct str line, struct err *err)
{
	struct init *in = ctx;

	if (in->n_keys == KEYS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d keys", KEYS_MAX);
	in->keys[in->n_keys++] = xstrndup(line.p, line.n);
	return 0;
}

static int read_keys(struct init *in, const char *path, struct err *err)
{
	return keys_file_read(path, take_key, in, err);
}

static int find_keys(struct init *in, struct err *err)
{
	static const char *const usual[] = {"id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"};
	const char *home = getenv("HOME");
	int rc = 0;

	for (size_t i = 0; i < in->key_files.n && rc == 0; i++)
		rc = read_keys(in, in->key_files.items[i], err);
	if (rc < 0 || in->key_files.n || !home)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(usual) && !in->n_keys; i++) {
		_free_ char *path = xasprintf("%s/.ssh/%s", home, usual[i]);

		if (access(path, R_OK) == 0 && (rc = read_keys(in, path, err)) < 0)
			return rc;
	}
	return 0;
}

/* Read a line from the terminal without echo. A signal restores the terminal first. */
static int ask(const char *prompt, char out[static PASSWORD_MAX], struct err *err)
{
	if (!readpassphrase(prompt, out, PASSWORD_MAX, RPP_REQUIRE_TTY)) {
		if (ui_signal())
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (errno == ENOTTY || errno == ENXIO || errno == ENOENT)
			return err_set(err, ERR_USAGE,
			               "--password-prompt: standard input is not a terminal");
		return err_sys(err, errno, "/dev/tty");
	}
	if (!*out)
		return err_set(err, ERR_USAGE, "--password-prompt: empty password");
	if (strlen(out) == PASSWORD_MAX - 1)
		return err_set(err, ERR_LIMIT, "--password-prompt: at most %d bytes are allowed",
		               PASSWORD_MAX - 2);
	return 0;
}

static int ask_password(struct init *in, struct err *err)
{
	char first[PASSWORD_MAX], second[PASSWORD_MAX];
	struct crypt_data data = {0};
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash;
	int rc;

	_free_ char *prompt = xasprintf("Password of %s: ", in->conf.user);

	rc = ask(prompt, first, err);
	if (rc == 0)
		rc = ask("Retype the password: ", second, err);
	if (rc == 0 && strcmp(first, second) != 0)
		rc = err_set(err, ERR_USAGE, "--password-prompt: the two passwords differ");
	if (rc == 0) {
		/* The default method of libcrypt, with random bytes from the library. */
		hash = crypt_gensalt_rn(NULL, 0, NULL, 0, salt, sizeof salt)
		               ? crypt_r(first, salt, &data)
		               : NULL;
		if (!hash || hash[0] == '*')
			rc = err_set(err, ERR_IO, "crypt: cannot hash the password");
		else
			in->conf.password_hash = in->hash = xstrdup(hash);
	}
	explicit_bzero(first, sizeof first);
	explicit_bzero(second, sizeof second);
	explicit_bzero(&data, sizeof data);
	return rc;
}

/* ---- writing -------------------------------------------------------------- */

static int write_file(struct outfile *o, const struct buf *text, struct err *err)
{
	int rc = io_write(o->fd, o->path, text->p, text->n, err);

	return rc < 0 ? rc : io_sync(o->fd, o->path, err);
}

static int write_files(struct init *in, struct err *err)
{
	struct outfile conf = OUTFILE_INIT, flake = OUTFILE_INIT;
	struct buf text = BUF_INIT;
	/* The file has a password hash, so only its owner may read it. */
	mode_t mode = in->hash ? 0600 : 0644;
	int rc = outfile_check(in->dir, "configuration.nix", in->force, err);

	if (rc == 0 && in->flake)
		rc = outfile_check(in->dir, "flake.nix", in->force, err);
	if (rc == 0)
		rc = outfile_open(&conf, in->dir, "configuration.nix", mode, err);
	if (rc == 0) {
		guestconf_format(&in->conf, &text);
		rc = write_file(&conf, &text, err);
	}
	if (rc == 0 && in->flake) {
		buf_reset(&text);
		guestconf_flake(&in->conf, &text);
		rc = outfile_open(&flake, in->dir, "flake.nix", 0644, err);
		if (rc == 0)
			rc = write_file(&flake, &text, err);
		if (rc == 0)
			rc = outfile_publish(&flake, in->force, err);
	}
	if (rc == 0)
		rc = outfile_publish(&conf, in->force, err);
	buf_fini(&text);
	outfile_fini(&conf);
	outfile_fini(&flake);
	return rc;
}

static int init(struct init *in, struct err *err)
{
	bool made = mkdir(in->dir, 0777) == 0;
	int rc;

	if (!made && errno != EEXIST)
		return err_sys(err, errno, "%s", in->dir);
	rc = guess_names(in, err);
	if (rc == 0)
		rc = find_keys(in, err);
	if (rc == 0 && in->password_prompt)
		rc = ask_password(in, err);
	in->conf.dns = in->dns.items;
	in->conf.ssh_keys = (const char *const *)in->keys;
	in->conf.n_ssh_keys = in->n_keys;
	if (rc == 0)
		rc = write_files(in, err);
	if (rc < 0) {
		if (made)
			(void)rmdir(in->dir);
		return rc;
	}
	if (!in->n_keys && !in->hash)
		ui_warn("%s has neither key nor password and cannot log in; see --ssh-key and "
		        "--password-prompt",
		        in->conf.user);
	if (in->level >= UI_NORMAL)
		printf("wrote %s/configuration.nix%s; its first lines show the next commands\n",
		       in->dir, in->flake ? " and flake.nix" : "");
	return 0;
}

int cmd_init(int argc, char **argv)
{
	struct init in = {.dir = ".", .conf = {.time_zone = "UTC", .release = RELEASE}};
	struct err err = ERR_INIT;
	int rc;

	ui_init(UI_NORMAL);
	rc = parse(argc, argv, &in, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(in.level);
	ui_catch_signals();
	rc = init(&in, &err);
	for (size_t i = 0; i < in.n_keys; i++)
		free(in.keys[i]);
	free(in.hostname);
	free(in.user);
	free(in.hash);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
