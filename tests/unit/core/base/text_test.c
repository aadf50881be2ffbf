// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <setjmp.h>
#include <cmocka.h>

/* What is valid, written down a second time and plainly: by the value that the bytes stand for. */
static bool stands_for_a_character(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t value = len == 1 ? s[0] : s[0] & (0x7f >> len);

	if (len == 1)
		return s[0] < 0x80;
	if ((s[0] & (0xff << (7 - len) & 0xff)) != (0xff << (8 - len) & 0xff))
		return false;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return false;
		value = value << 6 | (s[i] & 0x3f);
	}
	return value >= least[len] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

static size_t plain_sequence(const unsigned char *s, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++)
		if (stands_for_a_character(s, n))
			return n;
	return 0;
}

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
	/* Each boundary of the tables, so that 4 bytes of them are all cases that differ. */
	static const unsigned char edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
		0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5,
		0xf8, 0xff};
	const size_t n = countof(edges);

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		unsigned char s[4] = {
			edges[i % n], edges[i / n % n], edges[i / n / n % n], edges[i / n / n / n]};

		for (size_t len = 0; len <= 4; len++)
			if (utf8_sequence((char *)s, len) != plain_sequence(s, len))
				fail_msg("%02x %02x %02x %02x, %zu bytes", s[0], s[1], s[2], s[3],
					len);
	}
}

static void a_cut_sequence_is_told_from_a_broken_one(void **state)
{
	size_t need;

	(void)state;
	assert_int_equal(utf8_prefix("\xf0\x9f\x93", 3, &need), 3);
	assert_int_equal(need, 4);
	assert_int_equal(utf8_prefix("\xf0\x9f\x93-", 4, &need), 3);
	assert_int_equal(need, 4);
	assert_int_equal(utf8_prefix("\xed\xa0\x80", 3, &need), 1);
	assert_int_equal(utf8_prefix("\x80", 1, &need), 0);
	assert_int_equal(need, 0);
	assert_int_equal(utf8_prefix("", 0, &need), 0);
}

static void a_text_is_valid_when_every_character_is(void **state)
{
	char text[64];

	(void)state;
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("a\0b", 3));
	assert_true(utf8_valid("P\xc5\x99"
			       "eklad \xf0\x9f\x93\xa6 balíčku",
		21));
	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, 'a', sizeof(text));
		text[at] = '\xff';
		assert_false(utf8_valid(text, sizeof(text)));
		assert_true(utf8_valid(text, at));
	}
}

static void control_characters_are_found(void **state)
{
	(void)state;
	assert_false(text_has_control(""));
	assert_false(text_has_control("zlib 1.3 ~ \xc2\xa0 \xc3\x80 č"));
	assert_true(text_has_control("a\nb"));
	assert_true(text_has_control("\x1b[2J"));
	assert_true(text_has_control("\x7f"));
	assert_true(text_has_control("a\xc2\x9b"));
	assert_true(text_has_control("\xc2\x80"));
}

static void assert_shortened(const char *s, size_t max, const char *expected)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addstr(&out, "<");
	text_shorten(&out, s, strlen(s), max);
	assert_string_equal(out.buf + 1, expected);
	assert_true(out.len - 1 <= max);
	strbuf_finish(&out);
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
	(void)state;
	assert_shortened("", 8, "");
	assert_shortened("12345678", 8, "12345678");
	assert_shortened("123456789", 8, "12345…");
	assert_shortened("1234äöü", 8, "1234…");
	assert_shortened("1234€€", 8, "1234…");
	assert_shortened("12\xf0\x9f\x98\x80..", 7, "12…");
	/* No UTF-8: cut somewhere, and not to nothing. */
	assert_shortened("ab\x80\x80\x80\x80\x80\x80\x80", 8, "ab…");
	assert_shortened("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 9, "\x80\x80\x80…");
}

static void an_id_is_a_plain_positive_decimal(void **state)
{
	static const char *const refused[] = {"", "0", "-1", "+1", " 1", "1 ", "01", "1x", "x",
		"0x1", "1.0", "9223372036854775808", "18446744073709551617",
		"99999999999999999999"};
	int64_t id = 42;

	(void)state;
	for (size_t i = 0; i < countof(refused); i++)
		if (parse_id(refused[i], &id) != -EINVAL || id != 42)
			fail_msg("\"%s\" was taken for an id", refused[i]);
	assert_int_equal(parse_id("1", &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(parse_id("9223372036854775807", &id), 0);
	assert_true(id == INT64_MAX);
}

static void a_size_may_have_a_unit(void **state)
{
	static const char *const refused[] = {"", "M", "-1", "1MB", "1 M", "1m", "1.5G", "010",
		"9223372036854775808", "8388608T"};
	int64_t bytes = 42;

	(void)state;
	for (size_t i = 0; i < countof(refused); i++)
		if (parse_size(refused[i], &bytes) != -EINVAL || bytes != 42)
			fail_msg("\"%s\" was taken for a size", refused[i]);
	assert_int_equal(parse_size("0", &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(parse_size("100000", &bytes), 0);
	assert_int_equal(bytes, 100000);
	assert_int_equal(parse_size("3K", &bytes), 0);
	assert_int_equal(bytes, 3072);
	assert_int_equal(parse_size("512M", &bytes), 0);
	assert_int_equal(bytes, 536870912);
	assert_int_equal(parse_size("2G", &bytes), 0);
	assert_true(bytes == INT64_C(2147483648));
	assert_int_equal(parse_size("8388607T", &bytes), 0);
	assert_true(bytes == INT64_C(8388607) << 40);
}

static void a_duration_is_seconds_or_has_a_unit(void **state)
{
	static const char *const refused[] = {
		"", "s", "-1", "90S", "1h30m", "1.5h", "1d", "9223372036854775807"};
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < countof(refused); i++)
		if (parse_duration(refused[i], &ms) != -EINVAL || ms != 42)
			fail_msg("\"%s\" was taken for a duration", refused[i]);
	assert_int_equal(parse_duration("90", &ms), 0);
	assert_int_equal(ms, 90000);
	assert_int_equal(parse_duration("90s", &ms), 0);
	assert_int_equal(ms, 90000);
	assert_int_equal(parse_duration("45m", &ms), 0);
	assert_int_equal(ms, 2700000);
	assert_int_equal(parse_duration("2h", &ms), 0);
	assert_int_equal(ms, 7200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
		cmocka_unit_test(a_cut_sequence_is_told_from_a_broken_one),
		cmocka_unit_test(a_text_is_valid_when_every_character_is),
		cmocka_unit_test(control_characters_are_found),
		cmocka_unit_test(what_is_too_long_is_cut_between_characters),
		cmocka_unit_test(an_id_is_a_plain_positive_decimal),
		cmocka_unit_test(a_size_may_have_a_unit),
		cmocka_unit_test(a_duration_is_seconds_or_has_a_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
