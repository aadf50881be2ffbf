/* SPDX-License-Identifier: MIT */
#ifndef GLYPH_H
#define GLYPH_H

/*
 * glyph: UTF-8 and what a terminal makes of it. A code point is a Unicode scalar value:
 * 0 to 0x10ffff without the surrogates.
 */
#include <stddef.h>
#include <stdint.h>

#define GLYPH_REPLACEMENT UINT32_C(0xfffd)

/* Bytes read, 1 to 4; 0 when what stands there is malformed or cut off, or len is 0. */
size_t glyph_decode(const char *text, size_t len, uint32_t *ret_point);

/* Bytes written, 1 to 4; 0 when it is no code point. */
size_t glyph_encode(uint32_t point, char ret_text[4]);

/* How many bytes from the start are well-formed: len when all of them are. */
size_t glyph_valid(const char *text, size_t len);

/* Columns on a terminal: 0 (combining), 1 or 2 (wide); -1 for what has no width. */
int glyph_width(uint32_t point);

/* Columns of a whole text; malformed bytes and control characters count as one. */
size_t glyph_columns(const char *text, size_t len);

uint32_t glyph_upper(uint32_t point);
uint32_t glyph_lower(uint32_t point);

#endif
