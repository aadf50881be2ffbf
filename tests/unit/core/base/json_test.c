// SPDX-License-Identifier: MIT
#include "core/base/json.h"

#include <setjmp.h>
#include <cmocka.h>

/* ---- writing */

static void an_object_is_written_with_commas_where_they_belong(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&out);

	(void)state;
	json_begin_object(&w, NULL);
	json_put_string(&w, "type", "build_update");
	json_put_int(&w, "seq", INT64_MIN);
	json_begin_object(&w, "data");
	json_end_object(&w);
	json_begin_array(&w, "list");
	json_put_bool(&w, NULL, true);
	json_begin_array(&w, NULL);
	json_end_array(&w);
	json_put_null(&w, NULL);
	json_end_array(&w);
	json_put_raw(&w, "raw", "{\"a\":[1]}");
	json_put_bool(&w, "no", false);
	json_end_object(&w);
	assert_string_equal(out.buf,
		"{\"type\":\"build_update\",\"seq\":-9223372036854775808,\"data\":{},"
		"\"list\":[true,[],null],\"raw\":{\"a\":[1]},\"no\":false}");
	strbuf_finish(&out);
}

static void tenths_times_and_missing_strings_have_their_own_form(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&out);

	(void)state;
	json_begin_array(&w, NULL);
	json_put_tenths(&w, NULL, 65);
	json_put_tenths(&w, NULL, 1000);
	json_put_tenths(&w, NULL, 0);
	json_put_tenths(&w, NULL, -5);
	json_put_time(&w, NULL, 0);
	json_put_time(&w, NULL, 1770796800000);
	json_put_string(&w, NULL, NULL);
	json_put_string(&w, NULL, "");
	json_end_array(&w);
	assert_string_equal(
		out.buf, "[6.5,100.0,0.0,-0.5,null,\"2026-02-11T08:00:00Z\",null,\"\"]");
	strbuf_finish(&out);
}

static void assert_text(const char *text, size_t len, const char *expected)
{
	struct strbuf out = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&out);

	json_put_text(&w, NULL, text, len);
	assert_string_equal(out.buf, expected);
	strbuf_finish(&out);
}

static void text_is_escaped_so_that_nothing_can_break_out(void **state)
{
	(void)state;
	assert_text("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
	assert_text("\n\t\r\b\x01\x1f", 6, "\"\\n\\t\\u000d\\u0008\\u0001\\u001f\"");
	assert_text("a\0b", 3, "\"a\\u0000b\"");
	assert_text("\x7f", 1, "\"\\u007f\"");
	assert_text("\xc2\x9b|\xc2\xa0", 5, "\"\\u009b|\xc2\xa0\"");
	assert_text("\xf0\x9f\x93\xa6 \xc5\x99", 7, "\"\xf0\x9f\x93\xa6 \xc5\x99\"");
}

static void bytes_that_are_not_utf8_become_u_fffd(void **state)
{
	(void)state;
	assert_text("a\xff"
		    "b",
		3,
		"\"a\xef\xbf\xbd"
		"b\"");
	assert_text("\xe2\x82", 2, "\"\xef\xbf\xbd\"");
	assert_text("\xe2\x82-", 3, "\"\xef\xbf\xbd-\"");
	assert_text("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_text("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* The fast way looks at eight bytes at once: each byte value at each place of the eight is
 * tried. */
static void every_byte_is_treated_alike_at_every_place(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < 24; at++) {
			struct strbuf out = STRBUF_INIT;
			struct json_writer w = JSON_WRITER(&out);
			char text[24];
			bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
			json_t *json;

			memset(text, 'z', sizeof(text));
			text[at] = (char)c;
			json_put_text(&w, NULL, text, sizeof(text));
			assert_int_equal(plain, out.len == sizeof(text) + 2);
			if (plain)
				assert_memory_equal(out.buf + 1, text, sizeof(text));
			if (c) {
				json = json_parse(out.buf, out.len, NULL);
				assert_non_null(json);
				assert_int_equal(json_string_length(json), c < 0x80 ? 24 : 26);
				if (c < 0x80)
					assert_memory_equal(json_string_value(json), text, 24);
				json_decref(json);
			}
			strbuf_finish(&out);
		}
	}
}

/* ---- build logs */

static void assert_log_piece(
	const char *data, size_t len, bool last, const char *expected, size_t used)
{
	struct strbuf out = STRBUF_INIT;

	assert_int_equal(json_log_text(&out, data, len, last), used);
	assert_string_equal(out.buf, expected);
	strbuf_finish(&out);
}

static void assert_log(const char *data, const char *expected)
{
	assert_log_piece(data, strlen(data), true, expected, strlen(data));
}

static void a_log_keeps_its_lines_and_colours(void **state)
{
	(void)state;
	assert_log("+ make\n\tcc -O2 \"a b\"\\\n", "+ make\\n\\tcc -O2 \\\"a b\\\"\\\\\\n");
	assert_log("\x1b[31merror\x1b[0m", "\\u001b[31merror\\u001b[0m");
	assert_log("\x1b[m", "\\u001b[m");
	assert_log("\x1b[1;38;2;255;128;0;48;2;0;0;0m", "\\u001b[1;38;2;255;128;0;48;2;0;0;0m");
}

static void a_log_cannot_drive_a_terminal(void **state)
{
	(void)state;
	assert_log("\x1b[2J", "\xe2\x90\x9b[2J");
	assert_log("\x1b]0;title\a", "\xe2\x90\x9b]0;title\xe2\x90\x87");
	assert_log("\x1b[31", "\xe2\x90\x9b[31");
	assert_log("\x1b", "\xe2\x90\x9b");
	assert_log("\x1b\x1b[1m", "\xe2\x90\x9b\\u001b[1m");
	assert_log("50%\r\b\x7f", "50%\xe2\x90\x8d\xe2\x90\x88\xe2\x90\xa1");
	assert_log("\xc2\x9b"
		   "2J",
		"\xef\xbf\xbd"
		"2J");
	assert_log("\x9b"
		   "2J",
		"\xef\xbf\xbd"
		"2J");
	assert_log_piece("a\0b", 3, true,
		"a\xe2\x90\x80"
		"b",
		3);
}

static void a_colour_sequence_has_an_end(void **state)
{
	struct strbuf data = STRBUF_INIT, out = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&data, "\x1b[");
	while (data.len < 63)
		strbuf_addch(&data, '1');
	assert_int_equal(json_log_text(&out, data.buf, data.len, false), 0);
	strbuf_addch(&data, 'm');
	assert_int_equal(json_log_text(&out, data.buf, data.len, false), 64);
	assert_int_equal(memcmp(out.buf, "\\u001b[", 7), 0);
	strbuf_setlen(&data, 63);
	strbuf_addstr(&data, "1m");
	strbuf_reset(&out);
	assert_int_equal(json_log_text(&out, data.buf, data.len, false), 65);
	assert_int_equal(memcmp(out.buf, "\xe2\x90\x9b[", 4), 0);
	strbuf_finish(&data);
	strbuf_finish(&out);
}

static void what_a_piece_cuts_is_left_for_the_next(void **state)
{
	(void)state;
	assert_log_piece("ab\xf0\x9f\x93", 5, false, "ab", 2);
	assert_log_piece("ab\xf0\x9f\x93", 5, true, "ab\xef\xbf\xbd", 5);
	assert_log_piece("ab\xf0\x9f-", 5, false, "ab\xef\xbf\xbd-", 5);
	assert_log_piece("ab\x1b", 3, false, "ab", 2);
	assert_log_piece("ab\x1b[3", 5, false, "ab", 2);
	assert_log_piece("ab\x1bM", 4, false, "ab\xe2\x90\x9bM", 4);
	assert_log_piece("", 0, false, "", 0);
	assert_log_piece("", 0, true, "", 0);
}

/* However a log is cut, the pieces together say what the whole says. */
static void pieces_of_a_log_make_the_whole(void **state)
{
	static const char data[] =
		"\x1b[1;31mP\xc5\x99"
		"eklad\x1b[0m \xf0\x9f\x93\xa6\n\x1b[2J\xff\xe2\x82\xed\xa0\x80\x1b"
		"\xc2\x9b\x00\x7f \x1b[38;5;9mok\x1b[m\xf4\x90\x80\x80 end \xe2\x82\xac";
	const size_t len = sizeof(data) - 1;
	struct strbuf whole = STRBUF_INIT, pieces = STRBUF_INIT;

	(void)state;
	assert_int_equal(json_log_text(&whole, data, len, true), len);
	for (size_t step = 1; step <= len; step++) {
		size_t used = 0, end = 0;

		strbuf_reset(&pieces);
		while (end < len) {
			end = end + step < len ? end + step : len;
			used += json_log_text(&pieces, data + used, end - used, end == len);
		}
		assert_int_equal(used, len);
		assert_string_equal(pieces.buf, whole.buf);
	}
	strbuf_finish(&whole);
	strbuf_finish(&pieces);
}

/* ---- reading */

static void assert_refused(const char *text, size_t len, const char *expected)
{
	struct strbuf err = STRBUF_INIT;

	assert_null(json_parse(text, len, &err));
	if (!strstr(err.buf, expected))
		fail_msg("\"%s\" says nothing of \"%s\"", err.buf, expected);
	assert_true(utf8_valid(err.buf, err.len));
	assert_false(text_has_control(err.buf));
	strbuf_finish(&err);
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
	(void)state;
	assert_refused("{\n  \"a\": x}", 11, "line 2, column 8");
	assert_refused("{\"a\":1,\"a\":2}", 13, "duplicate");
	assert_refused("", 0, "line 1");
	assert_refused("{} {}", 5, "end of file expected");
	assert_refused("[1,]", 4, "line 1");
	assert_refused("\"\xff\"", 3, "line 1");
	assert_refused("\"\xed\xa0\x80\"", 5, "line 1");
	assert_refused("\"a\nb\"", 5, "line");
	assert_refused("\x1b[2J", 4, "line 1");
	assert_refused("{\"a\\u0000\":1}", 13, "line 1");
	assert_refused("NaN", 3, "line 1");
}

static void nesting_too_deep_is_refused(void **state)
{
	static char deep[100000];

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_refused(deep, sizeof(deep), "depth");
}

static void any_single_value_is_json(void **state)
{
	struct strbuf err = STRBUF_INIT;
	json_t *json = json_parse("\"zlib\" ", 7, &err);

	(void)state;
	assert_string_equal(json_string_value(json), "zlib");
	json_decref(json);
	json = json_parse("[12]trailing", 4, &err);
	assert_int_equal(json_integer_value(json_array_get(json, 0)), 12);
	json_decref(json);
	assert_int_equal(err.len, 0);
	strbuf_finish(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_written_with_commas_where_they_belong),
		cmocka_unit_test(tenths_times_and_missing_strings_have_their_own_form),
		cmocka_unit_test(text_is_escaped_so_that_nothing_can_break_out),
		cmocka_unit_test(bytes_that_are_not_utf8_become_u_fffd),
		cmocka_unit_test(every_byte_is_treated_alike_at_every_place),
		cmocka_unit_test(a_log_keeps_its_lines_and_colours),
		cmocka_unit_test(a_log_cannot_drive_a_terminal),
		cmocka_unit_test(a_colour_sequence_has_an_end),
		cmocka_unit_test(what_a_piece_cuts_is_left_for_the_next),
		cmocka_unit_test(pieces_of_a_log_make_the_whole),
		cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
		cmocka_unit_test(nesting_too_deep_is_refused),
		cmocka_unit_test(any_single_value_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
