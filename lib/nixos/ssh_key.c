/* SPDX-License-Identifier: MIT */
#include "nixos/ssh_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/mem.h"

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC "openssh-key-v1" /* with its NUL */
#define CONVERT "convert it with \"ssh-keygen -p -N '' -f FILE\""

static const struct {
	const char *name, *type;
} types[] = {
        {"ssh-ed25519", "ed25519"},       {"ssh-rsa", "rsa"},
        {"ecdsa-sha2-nistp256", "ecdsa"}, {"ecdsa-sha2-nistp384", "ecdsa"},
        {"ecdsa-sha2-nistp521", "ecdsa"},
};

/* A text with its length before it. */
static struct str text_of(struct bytes *b)
{
	uint32_t n = bytes_be32(b);
	const uint8_t *p = bytes_take(b, n);

	return p ? (struct str){(const char *)p, n} : (struct str){"", 0};
}

static char *base64(struct str s)
{
	char *out = xmalloc(s.n / 3 * 4 + 8);

	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)s.p, (int)s.n);
	return out;
}

/* The lines between head and foot, decoded into *out. */
static int decode(struct str text, struct buf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf joined = BUF_INIT;
	struct str rest = text, line = str_trim(str_cut(&rest, '\n'));
	int n, padding = 0;

	if (!str_is(line, BEGIN))
		return err_set(err, ERR_FORMAT, "not a private SSH key");
	while (rest.p) {
		line = str_trim(str_cut(&rest, '\n'));
		if (str_is(line, END))
			break;
		buf_put(&joined, line.p, line.n);
	}
	for (size_t i = joined.n; i && joined.p[i - 1] == '=' && padding < 2; i--)
		padding++;
	if (!str_is(line, END) || !joined.n || joined.n % 4 || joined.n > SSH_KEY_FILE_MAX)
		return err_set(err, ERR_FORMAT, "malformed or truncated private SSH key");
	n = EVP_DecodeBlock(buf_zeros(out, joined.n), (const unsigned char *)joined.p,
	                    (int)joined.n);
	explicit_bzero(joined.p, joined.n);
	if (n < padding)
		return err_set(err, ERR_FORMAT, "malformed private SSH key: invalid base64");
	out->n = (size_t)(n - padding);
	return 0;
}

static int find_type(struct str name, const char **type, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_is(name, types[i].name)) {
			*type = types[i].type;
			return 0;
		}
	return err_set(err, ERR_UNSUPPORTED,
	               "unsupported key type for an SSH server; expected ed25519, rsa or ecdsa");
}

/* The private part repeats the type, which reveals a foreign or damaged key. */
static bool private_agrees(struct str half, struct str name)
{
	struct bytes b = bytes_over(half.p, half.n);
	uint32_t first = bytes_be32(&b), second = bytes_be32(&b);

	return first == second && str_eq(text_of(&b), name) && bytes_ok(&b);
}

static int parse(struct str key, struct ssh_key *out, struct err *err)
{
	struct bytes b = bytes_over(key.p, key.n), in_public;
	const uint8_t *magic = bytes_take(&b, sizeof MAGIC);
	struct str cipher = text_of(&b), public, half, name;
	uint32_t count;
	_free_ char *encoded = NULL;
	int rc;

	text_of(&b); /* how the passphrase is turned into a key */
	text_of(&b);
	count = bytes_be32(&b);
	public = text_of(&b);
	half = text_of(&b);
	in_public = bytes_over(public.p, public.n);
	name = text_of(&in_public);
	if (!bytes_ok(&b) || !bytes_ok(&in_public) || memcmp(magic, MAGIC, sizeof MAGIC) != 0 ||
	    count != 1)
		return err_set(err, ERR_FORMAT, "malformed or truncated private SSH key");
	if (!str_is(cipher, "none"))
		return err_set(err, ERR_UNSUPPORTED,
		               "it has a passphrase, which sshd cannot enter; remove it with "
		               "\"ssh-keygen -p -N '' -f FILE\"");
	rc = find_type(name, &out->type, err);
	if (rc < 0)
		return rc;
	if (!private_agrees(half, name))
		return err_set(
		        err, ERR_FORMAT,
		        "malformed private SSH key: its private and public halves do not match");
	encoded = base64(public);
	out->line = xasprintf("%.*s %s", STR_ARG(name), encoded);
	return 0;
}

int ssh_key_parse(struct str text, struct ssh_key *out, struct err *err)
{
	struct buf raw = BUF_INIT;
	int rc;

	if (str_starts(text, "-----BEGIN ") && !str_starts(text, BEGIN))
		return err_set(err, ERR_UNSUPPORTED,
		               "not in OpenSSH's own format; if it is a private key, " CONVERT);
	if (str_starts(text, "ssh-") || str_starts(text, "ecdsa-"))
		return err_set(err, ERR_FORMAT,
		               "this is a public key; the private key is in the file without .pub");
	rc = text.n > SSH_KEY_FILE_MAX
	             ? err_set(err, ERR_LIMIT, "larger than %u bytes", SSH_KEY_FILE_MAX)
	             : decode(text, &raw, err);
	if (rc == 0)
		rc = parse(buf_str(&raw), out, err);
	if (raw.p)
		explicit_bzero(raw.p, raw.cap);
	buf_fini(&raw);
	return rc;
}

void ssh_key_fini(struct ssh_key *k)
{
	free(k->line);
	*k = (struct ssh_key){0};
}

bool ssh_key_matches(const struct ssh_key *k, struct str line)
{
	struct str rest = str_drop(line, strlen(k->line));

	return str_starts(line, k->line) && (!rest.n || rest.p[0] == ' ');
}
