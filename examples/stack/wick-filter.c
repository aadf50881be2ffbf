// SPDX-License-Identifier: MIT
#include <glyph.h>
#include <string.h>

#include "wick-impl.h"

static void each_point(const char *value, uint32_t (*change)(uint32_t), struct grain_buf *out)
{
	const char *end = value + strlen(value);

	while (value < end) {
		uint32_t point;
		size_t n = glyph_decode(value, (size_t)(end - value), &point);
		char text[4];

		if (n > 0)
			grain_buf_add(out, text, glyph_encode(change(point), text));
		else
			grain_buf_addc(out, *value);
		value += n ? n : 1;
	}
}

static void upper(const char *value, struct grain_buf *out)
{
	each_point(value, glyph_upper, out);
}

static void lower(const char *value, struct grain_buf *out)
{
	each_point(value, glyph_lower, out);
}

static void html(const char *value, struct grain_buf *out)
{
	for (; *value; value++) {
		switch (*value) {
		case '&':
			grain_buf_addstr(out, "&amp;");
			break;
		case '<':
			grain_buf_addstr(out, "&lt;");
			break;
		case '>':
			grain_buf_addstr(out, "&gt;");
			break;
		case '"':
			grain_buf_addstr(out, "&quot;");
			break;
		default:
			grain_buf_addc(out, *value);
		}
	}
}

static const struct filter {
	const char *name;
	void (*apply)(const char *value, struct grain_buf *out);
} filters[] = {
	{"upper", upper},
	{"lower", lower},
	{"html", html},
};

bool filter_apply(const char *name, const char *value, struct grain_buf *out)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		if (strcmp(filters[i].name, name) == 0) {
			filters[i].apply(value, out);
			return true;
		}
	}
	return false;
}
