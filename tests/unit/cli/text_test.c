// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/text.h"

static const struct style plain = {.utf8 = true}, colored = {.color = true, .utf8 = true};

static void expect_clean(const char *s, size_t len, const char *wanted)
{
	struct strbuf out = STRBUF_INIT;

	text_clean(&out, s, len);
	assert_string_equal(out.buf, wanted);
	strbuf_finish(&out);
}

static void control_bytes_become_question_marks(void **state)
{
	(void)state;
	expect_clean("\033[2Jx\a\x7f", 7, "?[2Jx??");
	expect_clean("a\nb\tc\rd", 7, "a b c?d");
	expect_clean("\xc2\x9b"
		     "31m",
		5, "?31m");
	expect_clean("\xff\xc3", 2, "??");
	expect_clean("a\0b", 3, "a?b");
	expect_clean("größe ✓", 11, "größe ✓");
}

static void what_is_not_ascii_can_be_replaced(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&sb, "✓ größe");
	text_to_ascii(&sb);
	assert_string_equal(sb.buf, "? gr??e");
	strbuf_finish(&sb);
}

static void expect_word(const char *text, const char *wanted)
{
	struct strbuf sb = STRBUF_INIT;

	text_word(&sb, text);
	assert_string_equal(sb.buf, wanted);
	strbuf_finish(&sb);
}

static void what_a_shell_would_take_apart_is_quoted(void **state)
{
	(void)state;
	expect_word("libstdc++-devel", "libstdc++-devel");
	expect_word("http://127.0.0.1:8000/r", "http://127.0.0.1:8000/r");
	expect_word("http://[::1]:8000", "'http://[::1]:8000'");
	expect_word("my reqpm.sh", "'my reqpm.sh'");
	expect_word("it's", "'it'\\''s'");
	expect_word("", "''");
}

static size_t log_piece(struct strbuf *out, const struct style *style, const char *s, bool last)
{
	strbuf_reset(out);
	return text_log(out, style, s, strlen(s), last);
}

static void a_log_keeps_lines_and_colours_and_nothing_else_that_drives_a_terminal(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	log_piece(&out, &colored, "a\tb\n\033[31mred\033[0m\033[2J\033]0;x\a\r\n", true);
	assert_string_equal(out.buf, "a\tb\n\033[31mred\033[0m?[2J?]0;x?\n");
	log_piece(&out, &plain, "\033[31mred\033[0m", true);
	assert_string_equal(out.buf, "red");
	log_piece(&out, &(struct style){0}, "ö\n", true);
	assert_string_equal(out.buf, "?\n");
	strbuf_finish(&out);
}

static void a_sequence_that_is_cut_waits_for_its_rest(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	assert_int_equal(log_piece(&out, &colored, "ab\033[3", false), 2);
	assert_string_equal(out.buf, "ab");
	assert_int_equal(log_piece(&out, &colored, "ab\xc3", false), 2);
	assert_int_equal(log_piece(&out, &colored, "ab\r", false), 2);
	assert_int_equal(log_piece(&out, &colored, "ab\033[3", true), 5);
	assert_string_equal(out.buf, "ab?[3");
	/* Without end it is no colour. */
	assert_int_equal(log_piece(&out, &colored,
				 "\033[111111111111111111111111111111111111111111111111111111111111"
				 "1111111",
				 false),
		69);
	strbuf_finish(&out);
}

static void a_line_is_cut_to_columns_without_counting_colours(void **state)
{
	struct strbuf line = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&line, "kept|\033[31mabc\033[0mdef");
	text_cut(&line, 5, 6);
	assert_string_equal(line.buf, "kept|\033[31mabc\033[0mdef");
	text_cut(&line, 5, 2);
	assert_string_equal(line.buf, "kept|\033[31mab\033[0m");
	strbuf_reset(&line);
	strbuf_addstr(&line, "öäü");
	text_cut(&line, 0, 2);
	assert_string_equal(line.buf, "öä");
	assert_int_equal(text_columns("\033[1mab\033[0mc"), 3);
	strbuf_finish(&line);
}

static void expect_duration(int64_t ms, const char *wanted)
{
	struct strbuf out = STRBUF_INIT;

	text_duration(&out, ms);
	assert_string_equal(out.buf, wanted);
	strbuf_finish(&out);
}

static void durations_are_short(void **state)
{
	(void)state;
	expect_duration(-5, "0s");
	expect_duration(59999, "59s");
	expect_duration(60000, "1m00s");
	expect_duration(192000, "3m12s");
	expect_duration(7500000, "2h05m");
}

static void expect_size(int64_t bytes, const char *wanted)
{
	struct strbuf out = STRBUF_INIT;

	text_size(&out, bytes);
	assert_string_equal(out.buf, wanted);
	strbuf_finish(&out);
}

static void sizes_are_short(void **state)
{
	(void)state;
	expect_size(812, "812 B");
	expect_size(1000, "1.0 kB");
	expect_size(999960, "1.0 MB");
	expect_size(4200000, "4.2 MB");
	expect_size(7000000000000000, "7000.0 TB");
}

static void times_are_read_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(text_time("1970-01-01T00:00:01Z"), 1000);
	assert_int_equal(text_time("2026-02-11T08:00:00.250Z"), 1770796800250);
	assert_int_equal(text_time(NULL), 0);
	assert_int_equal(text_time(""), 0);
	assert_int_equal(text_time("2026-02-11T08:00:00"), 0);
	assert_int_equal(text_time("2026-02-11T08:00:00+01:00"), 0);
	assert_int_equal(text_time("yesterday"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_bytes_become_question_marks),
		cmocka_unit_test(what_is_not_ascii_can_be_replaced),
		cmocka_unit_test(what_a_shell_would_take_apart_is_quoted),
		cmocka_unit_test(
			a_log_keeps_lines_and_colours_and_nothing_else_that_drives_a_terminal),
		cmocka_unit_test(a_sequence_that_is_cut_waits_for_its_rest),
		cmocka_unit_test(a_line_is_cut_to_columns_without_counting_colours),
		cmocka_unit_test(durations_are_short),
		cmocka_unit_test(sizes_are_short),
		cmocka_unit_test(times_are_read_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
