// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#define HIGH_BITS 0x8080808080808080 /* set in a byte that is not ASCII, eight at once */

/* What a first byte asks for: how many bytes in all, and the range of the second (RFC 3629,
 * table of section 4). */
static size_t utf8_lead(unsigned char lead, unsigned char *ret_low, unsigned char *ret_high)
{
	*ret_low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*ret_high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

size_t utf8_prefix(const char *s, size_t len, size_t *ret_need)
{
	unsigned char low, high;
	size_t have = 1;

	*ret_need = len ? utf8_lead((unsigned char)s[0], &low, &high) : 0;
	if (!*ret_need)
		return 0;
	while (have < *ret_need && have < len) {
		unsigned char c = (unsigned char)s[have];

		if (c < low || c > high)
			break;
		low = 0x80;
		high = 0xbf;
		have++;
	}
	return have;
}

size_t utf8_sequence(const char *s, size_t len)
{
	size_t need, have = utf8_prefix(s, len, &need);

	return have == need ? need : 0;
}

bool utf8_valid(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		uint64_t word = HIGH_BITS;
		size_t step;

		if (len - i >= sizeof(word))
			memcpy(&word, s + i, sizeof(word));
		step = word & HIGH_BITS ? utf8_sequence(s + i, len - i) : sizeof(word);
		if (!step)
			return false;
		i += step;
	}
	return true;
}

bool text_has_control(const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)s[0], next = (unsigned char)s[1];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next <= 0x9f))
			return true;
	}
	return false;
}

void text_shorten(struct strbuf *out, const char *s, size_t len, size_t max)
{
	static const char rest[] = "…";
	size_t keep = max - strlen(rest);

	if (len <= max) {
		strbuf_add(out, s, len);
		return;
	}
	/* What is no UTF-8 may have more of these in a row than a character has. */
	for (int i = 0; i < 3 && keep && ((unsigned char)s[keep] & 0xc0) == 0x80; i++)
		keep--;
	strbuf_add(out, s, keep);
	strbuf_addstr(out, rest);
}

/* Reads the digits at s: 0 and where they end, or -EINVAL (none, a leading zero, above
 * INT64_MAX). */
static int parse_digits(const char *s, int64_t *ret_value, const char **ret_end)
{
	const char *start = s;
	int64_t value = 0;

	for (; *s >= '0' && *s <= '9'; s++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *s - '0', &value))
			return -EINVAL;
	}
	if (s == start || (*start == '0' && s - start > 1))
		return -EINVAL;
	*ret_value = value;
	*ret_end = s;
	return 0;
}

int parse_id(const char *s, int64_t *ret_id)
{
	const char *end;
	int64_t id;

	if (parse_digits(s, &id, &end) || *end || id < 1)
		return -EINVAL;
	*ret_id = id;
	return 0;
}

struct unit {
	char name; /* NUL: no unit */
	int64_t factor;
};

/* A number and one of the units after it, or none. */
static int parse_with_unit(
	const char *s, const struct unit *units, size_t count, int64_t *ret_value)
{
	const char *end;
	int64_t value;

	if (parse_digits(s, &value, &end) || (end[0] && end[1]))
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (units[i].name != *end)
			continue;
		if (__builtin_mul_overflow(value, units[i].factor, &value))
			return -EINVAL;
		*ret_value = value;
		return 0;
	}
	return -EINVAL;
}

int parse_size(const char *s, int64_t *ret_bytes)
{
	static const struct unit units[] = {
		{'\0', 1}, {'K', 1 << 10}, {'M', 1 << 20}, {'G', 1 << 30}, {'T', (int64_t)1 << 40}};

	return parse_with_unit(s, units, countof(units), ret_bytes);
}

int parse_duration(const char *s, int64_t *ret_ms)
{
	static const struct unit units[] = {
		{'\0', 1000}, {'s', 1000}, {'m', 60 * 1000}, {'h', 3600 * 1000}};

	return parse_with_unit(s, units, countof(units), ret_ms);
}
