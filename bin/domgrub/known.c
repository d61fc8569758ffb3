/* SPDX-License-Identifier: MIT */
#include "known.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "base/str.h"

#define HEX BASE16_ENCODE_LENGTH(KNOWN_SUM)
#define FILE_MAX (KNOWN_MAX * (HEX + 1)) /* bytes */

static bool sum_parse(struct str line, uint8_t out[static KNOWN_SUM])
{
	struct base16_decode_ctx ctx;
	size_t n = KNOWN_SUM;

	base16_decode_init(&ctx);
	return line.n == HEX && base16_decode_update(&ctx, &n, out, line.n, line.p) &&
	       n == KNOWN_SUM && base16_decode_final(&ctx);
}

static bool parse(struct str text, struct known *out)
{
	while (text.n) {
		if (out->n == KNOWN_MAX || !sum_parse(str_cut(&text, '\n'), out->sum[out->n]))
			return false;
		out->n++;
	}
	return true;
}

void known_read(const char *path, struct known *out)
{
	struct err unused = ERR_INIT;
	struct buf b = BUF_INIT;

	out->n = 0;
	if (io_read_file(AT_FDCWD, path, FILE_MAX, &b, &unused) < 0 || !parse(buf_str(&b), out))
		out->n = 0;
	buf_fini(&b);
}

bool known_has(const struct known *k, const uint8_t sum[static KNOWN_SUM])
{
	for (size_t i = 0; i < k->n; i++)
		if (memcmp(k->sum[i], sum, KNOWN_SUM) == 0)
			return true;
	return false;
}

static void sum_put(struct buf *out, const uint8_t sum[static KNOWN_SUM])
{
	char hex[HEX + 1];

	base16_encode_update(hex, KNOWN_SUM, sum);
	hex[HEX] = '\0';
	buf_putf(out, "%s\n", hex);
}

static int file_replace(const char *dir, const char *name, struct str text, struct err *err)
{
	_cleanup_(outfile_fini) struct outfile o = OUTFILE_INIT;
	int rc;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "%s", dir);
	rc = outfile_open(&o, dir, name, 0600, err);
	if (rc == 0)
		rc = io_write(o.fd, o.path, text.p, text.n, err);
	return rc < 0 ? rc : outfile_publish(&o, true, err);
}

int known_add(const char *path, const uint8_t sum[static KNOWN_SUM], struct err *err)
{
	const char *slash = strrchr(path, '/');
	_free_ char *dir = xstrndup(path, (size_t)(slash - path));
	struct buf b = BUF_INIT;
	struct known k;
	int rc;

	known_read(path, &k);
	if (known_has(&k, sum))
		return 0;
	sum_put(&b, sum);
	for (size_t i = 0; i < MIN(k.n, KNOWN_MAX - 1); i++)
		sum_put(&b, k.sum[i]);
	rc = file_replace(*dir ? dir : "/", slash + 1, buf_str(&b), err);
	buf_fini(&b);
	return rc;
}
