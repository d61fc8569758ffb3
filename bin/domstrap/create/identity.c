/* SPDX-License-Identifier: MIT */
/*
 * Who a guest is: UUIDs, the MAC, the disk's identifier.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "create/create.h"
#include "create/identity.h"
#include "nix/hash.h"

/*
 * Bytes that depend on the guest's name and one thing more alone: the same
 * guest made again is the same, and two guests of one system share nothing.
 */
static void derive(const char *name, const char *what, const char *more,
                   uint8_t out[HASH_SHA256_LEN])
{
	struct buf b = BUF_INIT;
	const char *parts[] = {"domstrap", what, name, more};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_put(&b, parts[i], strlen(parts[i]) + 1);
	sha256_of(b.p, b.n, out);
	buf_fini(&b);
}

/* RFC 9562, section 5.8: version 8 has bits of the application's choice. */
static void uuid_of(const uint8_t hash[HASH_SHA256_LEN], uint8_t out[16])
{
	memcpy(out, hash, 16);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x80);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

void guest_derive_uuid(const struct guest *g, const char *what, uint8_t out[16])
{
	uint8_t hash[HASH_SHA256_LEN];

	derive(g->opt.name, what, g->system.toplevel, hash);
	uuid_of(hash, out);
}

void guest_uuid_text(const uint8_t uuid[16], char out[static 37])
{
	char *at = out;

	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		at += sprintf(at, "%02x", uuid[i]);
	}
}

bool guest_uuid_parse(struct str s, uint8_t out[16])
{
	if (s.n != 36)
		return false;
	for (unsigned i = 0, at = 0; i < 16; i++, at += 2) {
		uint64_t v;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && s.p[at++] != '-')
			return false;
		if (!str_u64((struct str){s.p + at, 2}, 16, 255, &v))
			return false;
		out[i] = (uint8_t)v;
	}
	return true;
}

/* The domain's UUID and MAC address stay the same if the guest is created again. */
void guest_derive_domain(const char *name, char uuid[static 37], char mac[static 18])
{
	uint8_t hash[HASH_SHA256_LEN], raw[16];

	derive(name, "domain", "", hash);
	uuid_of(hash, raw);
	guest_uuid_text(raw, uuid);
	derive(name, "mac", "", hash);
	/* 00:16:3e is Xen's own prefix. */
	snprintf(mac, 18, "00:16:3e:%02x:%02x:%02x", hash[0] & 0x7f, hash[1], hash[2]);
}

void guest_derive(struct guest *g)
{
	uint8_t hash[HASH_SHA256_LEN];

	guest_derive_domain(g->opt.name, g->domain_uuid, g->mac);
	derive(g->opt.name, "disk", g->system.toplevel, hash);
	g->disk_id = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 |
	             (hash[3] | 1);
}
