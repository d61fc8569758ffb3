/* SPDX-License-Identifier: MIT */
/*
 * An SSH server's private key, as ssh-keygen writes it.
 *
 *     file    = "-----BEGIN OPENSSH PRIVATE KEY-----" base64 "-----END …-----"
 *     base64  = "openssh-key-v1" NUL  cipher kdf options  count(1)  public  private
 *     public  = type ...                  every text with its length, 32 bits, first
 *     private = check check  public's parts, the secret, a comment, padding
 */
#ifndef NIXOS_SSH_KEY_H
#define NIXOS_SSH_KEY_H

#include "base/err.h"
#include "base/str.h"

#define SSH_KEY_FILE_MAX 65536u

struct ssh_key {
	const char *type; /* "ed25519", "rsa", "ecdsa": static */
	char *line;       /* the public key, "ssh-ed25519 AAAA…" without a newline; owned */
};

/*
 * Read one. It must be of a type that sshd serves with, and without a passphrase.
 * -ERR_FORMAT: none; -ERR_UNSUPPORTED: one that cannot be used, and why.
 */
int ssh_key_parse(struct str text, struct ssh_key *out, struct err *err);
void ssh_key_fini(struct ssh_key *k);

/* Whether a line of a .pub file is for this key, whatever its comment. */
bool ssh_key_matches(const struct ssh_key *k, struct str line);

#endif
