/* SPDX-License-Identifier: MIT */
#include "nixos/host_files.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "base/str.h"
#include "nixos/extra_files.h"

#define MACHINE_ID_LEN 32u
#define NETWORK_DIR "systemd/network"
/* Networks are read in order of name, and the first that matches counts. */
#define NETWORK_FILE "05-domstrap.network"
#define NETWORKD "systemd/system/systemd-networkd.service"

/* ---- what is valid ---------------------------------------------------------- */

int host_machine_id_check(const char *text, struct err *err)
{
	char shown[SHOW_SIZE];

	if (strlen(text) == MACHINE_ID_LEN && strspn(text, "0123456789abcdef") == MACHINE_ID_LEN &&
	    strspn(text, "0") < MACHINE_ID_LEN)
		return 0;
	return err_set(err, ERR_USAGE,
	               "--machine-id '%s': expected 32 lower-case hexadecimal digits, not all 0",
	               show_str(str_from(text), shown));
}

int host_address_family(struct str text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char word[INET6_ADDRSTRLEN];

	if (text.n >= sizeof word)
		return 0;
	memcpy(word, text.p, text.n);
	word[text.n] = '\0';
	return strlen(word) != text.n                  ? 0
	       : inet_pton(AF_INET, word, bytes) == 1  ? AF_INET
	       : inet_pton(AF_INET6, word, bytes) == 1 ? AF_INET6
	                                               : 0;
}

/* The family of "ADDRESS/LENGTH", or 0. */
static int network_family(const char *text)
{
	struct str length = str_from(text), address = str_cut(&length, '/');
	int family = host_address_family(address);
	uint64_t bits;

	return family && length.p && str_u64(length, 10, family == AF_INET ? 32 : 128, &bits) &&
	                       bits
	               ? family
	               : 0;
}

static int check_address(const char *option, const char *text, int family, const char *example,
                         struct err *err)
{
	char shown[SHOW_SIZE];

	return family ? 0
	              : err_set(err, ERR_USAGE, "--%s '%s': expected %s", option,
	                        show_str(str_from(text), shown), example);
}

static bool has_family(const struct host_list *addresses, int family)
{
	for (size_t i = 0; i < addresses->n; i++)
		if (network_family(addresses->v[i]) == family)
			return true;
	return false;
}

int host_lists_check(const struct host_files *h, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < h->addresses.n && rc == 0; i++)
		rc = check_address("ip", h->addresses.v[i], network_family(h->addresses.v[i]),
		                   "an address and the length of its network, such as "
		                   "192.0.2.7/24 or 2001:db8::7/64",
		                   err);
	for (size_t i = 0; i < h->gateways.n && rc == 0; i++) {
		int family = host_address_family(str_from(h->gateways.v[i]));

		rc = check_address("gateway", h->gateways.v[i], family,
		                   "an address such as 192.0.2.1", err);
		if (rc == 0 && !has_family(&h->addresses, family))
			rc = err_set(err, ERR_USAGE,
			             "--gateway %s requires --ip with an IPv%c address",
			             h->gateways.v[i], family == AF_INET ? '4' : '6');
	}
	for (size_t i = 0; i < h->dns.n && rc == 0; i++)
		rc = check_address("dns", h->dns.v[i], host_address_family(str_from(h->dns.v[i])),
		                   "an address such as 192.0.2.53", err);
	if (rc == 0 && h->dns.n && !h->addresses.n)
		rc = err_set(err, ERR_USAGE, "--dns requires --ip");
	return rc;
}

/* ---- what the system reads -------------------------------------------------- */

/* 1: there is none. */
static int has_file(struct store_files *files, const char *toplevel, const char *name,
                    struct err *err)
{
	_free_ char *path = xasprintf("%s/etc/%s", toplevel, name), *real = NULL;

	return err_absent(store_files_find(files, path, &real, err));
}

static int check_unset(struct store_files *files, const char *toplevel, const char *name,
                       const char *how, struct err *err)
{
	int rc = has_file(files, toplevel, name, err);

	if (rc)
		return rc < 0 ? rc : 0;
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: its configuration has its own /etc/%s, which would replace this one; "
	               "build it with %s",
	               toplevel, name, how);
}

int host_files_check_system(const struct host_files *h, struct store_files *files,
                            const char *toplevel, struct err *err)
{
	int rc = 0;

	if (h->hostname)
		rc = check_unset(files, toplevel, "hostname", "networking.hostName = \"\"", err);
	if (rc == 0 && h->machine_id)
		rc = check_unset(files, toplevel, "machine-id", "no environment.etc.\"machine-id\"",
		                 err);
	if (rc == 0 && h->addresses.n)
		rc = has_file(files, toplevel, NETWORKD, err);
	if (rc == 1)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: --ip is for systems with systemd-networkd; build it with "
		               "networking.useNetworkd = true",
		               toplevel);
	return rc;
}

/* ---- the files -------------------------------------------------------------- */

static void put_list(struct buf *out, const char *key, const struct host_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		buf_putf(out, "%s=%s\n", key, list->v[i]);
}

void host_files_make(struct host_files *h)
{
	if (h->hostname)
		buf_putf(&h->hostname_text, "%s\n", h->hostname);
	if (h->machine_id)
		buf_putf(&h->machine_id_text, "%s\n", h->machine_id);
	if (!h->addresses.n)
		return;
	buf_puts(&h->network_text, "[Match]\n");
	if (h->mac)
		buf_putf(&h->network_text, "MACAddress=%s\n", h->mac);
	else
		buf_puts(&h->network_text, "Type=ether\n");
	buf_puts(&h->network_text, "\n[Network]\nDHCP=no\n");
	put_list(&h->network_text, "Address", &h->addresses);
	put_list(&h->network_text, "Gateway", &h->gateways);
	put_list(&h->network_text, "DNS", &h->dns);
}

static int put(struct tree *root, const char *etc, const char *name, const struct buf *text,
               uint32_t mode, struct err *err)
{
	_free_ char *path = xasprintf("%s/%s", etc, name);

	return text->n ? extra_files_put_file(root, path, mode, text->p, text->n, err) : 0;
}

/* One of the user's keeps its mode and owner. */
static int put_dir(struct tree *root, const char *etc, const char *name, struct err *err)
{
	_free_ char *path = xasprintf("%s/%s", etc, name);
	enum walk_kind there;

	if (tree_find(root, path, &there) && there == WALK_DIR)
		return 0;
	return extra_files_put_dir(root, path, 0755, err);
}

int host_files_put(const struct host_files *h, struct tree *root, const char *etc, struct err *err)
{
	int rc = put(root, etc, "hostname", &h->hostname_text, 0644, err);

	if (rc == 0)
		rc = put(root, etc, "machine-id", &h->machine_id_text, 0444, err);
	if (rc == 0 && h->network_text.n)
		rc = put_dir(root, etc, "systemd", err);
	if (rc == 0 && h->network_text.n)
		rc = put_dir(root, etc, NETWORK_DIR, err);
	return rc < 0 ? rc
	              : put(root, etc, NETWORK_DIR "/" NETWORK_FILE, &h->network_text, 0644, err);
}

void host_files_fini(struct host_files *h)
{
	buf_fini(&h->hostname_text);
	buf_fini(&h->machine_id_text);
	buf_fini(&h->network_text);
}
