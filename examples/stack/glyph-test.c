// SPDX-License-Identifier: MIT
#include <locale.h>
#include <stdbool.h>
#include <wchar.h>
#include <wctype.h>

#include "glyph.h"
#include "plumb.h"

enum {
	POINTS = 0x110000,
	TRIPLES = 1 << 24,
	FOUR_BYTE_LEADS = 0xf0,
};

static bool is_tail(unsigned char byte)
{
	return byte >= 0x80 && byte <= 0xbf;
}

/* The well-formed sequences, row by row as the Unicode Standard lists them in its table 3-7. */
static size_t listed_length(const unsigned char *s, size_t len)
{
	if (s[0] <= 0x7f)
		return 1;
	if (len >= 2 && s[0] >= 0xc2 && s[0] <= 0xdf && is_tail(s[1]))
		return 2;
	if (len >= 3 && is_tail(s[2]) &&
		((s[0] == 0xe0 && s[1] >= 0xa0 && s[1] <= 0xbf) ||
			(s[0] >= 0xe1 && s[0] <= 0xec && is_tail(s[1])) ||
			(s[0] == 0xed && s[1] >= 0x80 && s[1] <= 0x9f) ||
			(s[0] >= 0xee && s[0] <= 0xef && is_tail(s[1]))))
		return 3;
	if (len >= 4 && is_tail(s[2]) && is_tail(s[3]) &&
		((s[0] == 0xf0 && s[1] >= 0x90 && s[1] <= 0xbf) ||
			(s[0] >= 0xf1 && s[0] <= 0xf3 && is_tail(s[1])) ||
			(s[0] == 0xf4 && s[1] >= 0x80 && s[1] <= 0x8f)))
		return 4;
	return 0;
}

static void decode_as_listed(const unsigned char *s, size_t len)
{
	uint32_t point;

	plumb_check(glyph_decode((const char *)s, len, &point) == listed_length(s, len));
}

static void points_survive_the_round_trip(void)
{
	for (uint32_t point = 0; point < POINTS; point++) {
		bool surrogate = point >= 0xd800 && point <= 0xdfff;
		char text[4];
		uint32_t back;
		size_t len = glyph_encode(point, text);

		plumb_check((len == 0) == surrogate);
		if (!surrogate) {
			plumb_check(glyph_decode(text, len, &back) == len && back == point);
			plumb_check(glyph_decode(text, len - 1, &back) == 0);
		}
		plumb_progress(point + 1, POINTS, "code points");
	}
	plumb_check(glyph_encode(POINTS, (char[4]){0}) == 0);
}

static void three_bytes_are_read_as_listed(void)
{
	for (uint32_t n = 0; n < TRIPLES; n++) {
		unsigned char s[] = {
			(unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n};

		decode_as_listed(s, 1);
		decode_as_listed(s, 2);
		decode_as_listed(s, 3);
		plumb_progress(n + 1, TRIPLES, "sequences of three bytes");
	}
}

static void four_bytes_are_read_as_listed(void)
{
	const uint64_t total = UINT64_C(1) << 28;

	for (uint64_t n = 0; n < total; n++) {
		unsigned char s[] = {(unsigned char)(FOUR_BYTE_LEADS | n >> 24),
			(unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n};

		decode_as_listed(s, 4);
		plumb_progress(n + 1, total, "sequences of four bytes");
	}
}

static void properties_are_those_of_the_c_library(void)
{
	plumb_check(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
	for (uint32_t point = 0; point < POINTS; point++) {
		plumb_check(glyph_width(point) == wcwidth((wchar_t)point));
		plumb_check(glyph_upper(point) == towupper(point));
		plumb_check(glyph_lower(point) == towlower(point));
		plumb_progress(point + 1, POINTS, "code points");
	}
	plumb_check(glyph_width(POINTS) == -1 && glyph_upper(POINTS) == POINTS);
}

static void columns_count_what_is_seen(void)
{
	plumb_check(glyph_columns("", 0) == 0);
	plumb_check(glyph_columns("plain", 5) == 5);
	plumb_check(glyph_columns("na\xc3\xafve", 6) == 5);
	plumb_check(glyph_columns("e\xcc\x81", 3) == 1);
	plumb_check(glyph_columns("\xe6\xbc\xa2\xe5\xad\x97", 6) == 4);
	plumb_check(glyph_columns("\xff\xc3", 2) == 2);
	plumb_check(glyph_valid("ok\xc3\xaf\xff", 5) == 4);
}

static const struct plumb_case cases[] = {
	{"every code point survives the round trip", points_survive_the_round_trip},
	{"all sequences of up to three bytes are read as listed", three_bytes_are_read_as_listed},
	{"all sequences of four bytes are read as listed", four_bytes_are_read_as_listed},
	{"widths and cases are those of the C library", properties_are_those_of_the_c_library},
	{"columns count what is seen", columns_count_what_is_seen},
};

PLUMB_MAIN("libglyph", cases)
