/* SPDX-License-Identifier: MIT */
#include "jail/role.h"

#include "base/mem.h"

#define USE(what) (1u << JAIL_##what)

/* Where a program's libraries are, on Debian and elsewhere. Links at the top
 * are kept as links. */
static const char *const program_view[] = {
        "/lib",       "/lib64",           "/usr/lib",         "/usr/lib64", "/nix/store",
        "/gnu/store", "/etc/ld.so.cache", "/etc/e2fsck.conf", NULL,
};

/* Files that resolver and TLS read: names and addresses, certificates; no private keys. */
static const char *const network_view[] = {
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/nsswitch.conf",
        "/etc/services",
        "/etc/protocols",
        "/etc/ssl/openssl.cnf",
        "/etc/ssl/certs",
        "/etc/pki/tls/certs",
        "/etc/pki/ca-trust/extracted",
        "/etc/ca-certificates/extracted",
        "/etc/static/ssl/certs",
        "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
        "/nix/store",
        "/run/systemd/resolve",
        "/run/nscd",
        NULL,
};

const struct jail_role jail_roles[JAIL_ROLES] = {
        [JAIL_READER] = {.name = "reader", .uses = USE(LINE) | USE(OUTPUT) | USE(INPUT)},
        [JAIL_CHECKER] = {.name = "checker", .uses = USE(LINE) | USE(INPUT)},
        [JAIL_RENAMER] = {.name = "renamer", .uses = USE(LINE) | USE(DISK)},
        [JAIL_INSPECTOR] = {.name = "inspector", .uses = USE(LINE) | USE(INPUT)},
        [JAIL_HASHER] = {.name = "hasher", .uses = USE(LINE) | USE(INPUT)},
        [JAIL_EDITOR] = {.name = "editor",
                         .uses = USE(LINE) | USE(OUTPUT) | USE(INPUT) | USE(DISK) | USE(SPOOL),
                         .threads = true},
        [JAIL_UNPACKER] = {.name = "unpacker", .uses = USE(LINE), .threads = true},
        [JAIL_WRITER] = {.name = "writer",
                         .uses = USE(LINE) | USE(INPUT) | USE(DISK) | USE(SPOOL),
                         .threads = true},
        [JAIL_FETCHER] = {.name = "fetcher",
                          .uses = USE(LINE),
                          .threads = true,
                          .network = true,
                          .view = network_view},
        [JAIL_FSCK] = {.name = "fsck",
                       .uses = USE(LINE) | USE(OUTPUT) | USE(INPUT),
                       .threads = true, /* e2fsck reads bitmaps with several threads */
                       .runs = true,
                       .view = program_view},
};

const char *jail_use_name(enum jail_use use)
{
	static const char *const names[JAIL_USES] = {
	        [JAIL_LINE] = "line", [JAIL_OUTPUT] = "output", [JAIL_INPUT] = "input",
	        [JAIL_DISK] = "disk", [JAIL_SPOOL] = "spool",
	};

	return names[use];
}

void jail_role_row(const struct jail_role *r, struct buf *out)
{
	const char *between = " ";

	buf_putf(out, "| %s |", r->name);
	for (unsigned use = 0; use < JAIL_USES; use++) {
		if (!(r->uses & 1u << use))
			continue;
		buf_putf(out, "%s%s", between, jail_use_name(use));
		between = ", ";
	}
	buf_putf(out, " | %s | %s | %s | %s |", r->threads ? "yes" : "no",
	         r->network ? "yes" : "no",
	         r->view == network_view   ? "resolver, certificates"
	         : r->view == program_view ? "libraries"
	                                   : "none",
	         r->runs ? "one" : "none");
}
