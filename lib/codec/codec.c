/* SPDX-License-Identifier: MIT */
#include "codec/codec.h"

void codec_begin_big(struct codec_state *s)
{
	if (!s->big && s->memory->begin_big)
		s->memory->begin_big();
	s->big = true;
}

void codec_end_big(struct codec_state *s)
{
	if (s->big && s->memory->end_big)
		s->memory->end_big();
	s->big = false;
}
