/* SPDX-License-Identifier: MIT */
#include "nix/channel.h"

#include <ctype.h>
#include <stdio.h>

#define URL "https://channels.nixos.org/nixos-"

static bool digit(char c)
{
	return isdigit((unsigned char)c) != 0;
}

/* "25.11": two digits of a year, two of a month. */
static bool is_release(struct str s)
{
	if (s.n < 5 || !digit(s.p[0]) || !digit(s.p[1]) || s.p[2] != '.')
		return false;
	if (s.p[3] == '0')
		return s.p[4] >= '1' && s.p[4] <= '9';
	return s.p[3] == '1' && s.p[4] >= '0' && s.p[4] <= '2';
}

bool channel_url(struct str version, char out[static CHANNEL_URL_SIZE])
{
	struct str tail = str_drop(version, 5);

	if (!is_release(version))
		return false;
	/* "pre" marks the development branch, before a release. */
	if (str_starts(tail, "pre"))
		snprintf(out, CHANNEL_URL_SIZE, URL "unstable");
	else if (tail.n == 0 || tail.p[0] == '.' || str_starts(tail, "beta"))
		snprintf(out, CHANNEL_URL_SIZE, URL "%.5s", version.p);
	else
		return false;
	return true;
}
