// SPDX-License-Identifier: MIT
#include "glyph.h"

struct property {
	int8_t width;
	int32_t upper, lower; /* what to add */
};

#include "glyph-tables.h"

static const struct property *property(uint32_t point)
{
	return &properties[point > 0x10ffff
				   ? 0
				   : property_of[block_of[point / 128] * 128 + point % 128]];
}

int glyph_width(uint32_t point)
{
	return point > 0x10ffff ? -1 : property(point)->width;
}

uint32_t glyph_upper(uint32_t point)
{
	return point + (uint32_t)property(point)->upper;
}

uint32_t glyph_lower(uint32_t point)
{
	return point + (uint32_t)property(point)->lower;
}

size_t glyph_columns(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t at = 0; at < len;) {
		uint32_t point = GLYPH_REPLACEMENT;
		size_t n = glyph_decode(text + at, len - at, &point);
		int width = glyph_width(point);

		columns += width < 0 ? 1 : (size_t)width;
		at += n ? n : 1;
	}
	return columns;
}
