// SPDX-License-Identifier: MIT
#include "glyph.h"

/* How long a sequence that starts so is; 0 for what starts none. */
static size_t sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

size_t glyph_decode(const char *text, size_t len, uint32_t *ret_point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	const unsigned char *p = (const unsigned char *)text;
	size_t need = len > 0 ? sequence_length(*p) : 0;
	uint32_t point;

	if (need == 0 || need > len)
		return 0;
	point = *p & mask[need];
	for (size_t i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < smallest[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return need;
}

size_t glyph_encode(uint32_t point, char ret_text[4])
{
	static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t need = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	for (size_t i = need - 1; i > 0; i--) {
		ret_text[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	ret_text[0] = (char)(mark[need] | point);
	return need;
}

size_t glyph_valid(const char *text, size_t len)
{
	size_t at = 0, n;
	uint32_t point;

	while ((n = glyph_decode(text + at, len - at, &point)) > 0)
		at += n;
	return at;
}
