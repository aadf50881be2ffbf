// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "apps/builds/logs.h"
#include "core/base/json.h"

#define ITEM 7

struct fixture {
	char dir[64], path[96];
	struct loop loop;
	struct logs *logs;
	struct log_writer *writer;
	int ready_status;
	struct log_totals totals;
	char *tail;
	bool drained, ended, going_away;
	int broken; /* with what */
	int64_t grown;
	struct log_follower follower;
	struct strbuf out;
};
static struct fixture *the;

static int set_up(void **state)
{
	(void)state;
	the = xcalloc(1, sizeof(*the));
	snprintf(the->dir, sizeof(the->dir), "/tmp/reqpm-logs-XXXXXX");
	assert_non_null(mkdtemp(the->dir));
	snprintf(the->path, sizeof(the->path), "%s/logs/zlib.log", the->dir);
	strbuf_init(&the->out);
	loop_init(&the->loop);
	the->logs = logs_create(&the->loop, LOG_SIZE_MAX, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	logs_destroy(the->logs);
	loop_finish(&the->loop);
	tree_remove(the->dir);
	strbuf_finish(&the->out);
	free(the->tail);
	free(the);
	return 0;
}

/* ---- one writer, from open to close */

static void on_ready(void *arg, int status)
{
	(void)arg;
	the->ready_status = status;
	loop_stop(&the->loop);
}

static void open_writer(void)
{
	the->writer = log_writer_open(the->logs, ITEM, the->path, on_ready, NULL);
	loop_run(&the->loop);
}

static void on_done(void *arg, const struct log_totals *totals)
{
	(void)arg;
	the->totals = *totals;
	free(the->tail);
	the->tail = xstrdup(totals->tail);
	loop_stop(&the->loop);
}

static void close_writer(void)
{
	log_writer_close(the->writer, on_done, NULL);
	loop_run(&the->loop);
}

static void write_log(const char *text, size_t len)
{
	open_writer();
	assert_int_equal(the->ready_status, 0);
	log_writer_add(the->writer, text, len);
	close_writer();
	assert_int_equal(the->totals.error, 0);
}

static void expect_digest(const char *text, size_t len)
{
	struct digest *d = digest_create();
	char hex[SHA256_HEX_MAX];

	digest_add(d, text, len);
	digest_hex(d, hex);
	digest_destroy(d);
	assert_string_equal(the->totals.sha256, hex);
}

static void what_is_added_is_in_the_file_and_in_the_totals(void **state)
{
	static const char text[] = "one\ntwo\nthree";

	(void)state;
	open_writer();
	assert_int_equal(the->ready_status, 0);
	for (size_t i = 0; i < strlen(text); i++)
		assert_true(log_writer_add(the->writer, text + i, 1));
	close_writer();
	assert_int_equal(file_read(the->path, 4096, &the->out, NULL), 0);
	assert_string_equal(the->out.buf, text);
	assert_int_equal(the->totals.size, strlen(text));
	assert_int_equal(the->totals.lines, 3);
	assert_string_equal(the->tail, text);
	expect_digest(text, strlen(text));
}

static void a_further_attempt_goes_on_in_the_same_file(void **state)
{
	static const char all[] = "first try\nit was cut\nsecond try\n";

	(void)state;
	write_log("first try\nit was cut", 20);
	open_writer();
	/* A line of its own. */
	assert_int_equal(log_writer_size(the->writer), 21);
	assert_int_equal(log_writer_lines(the->writer), 2);
	log_writer_add(the->writer, "second try\n", 11);
	close_writer();
	assert_int_equal(file_read(the->path, 4096, &the->out, NULL), 0);
	assert_string_equal(the->out.buf, all);
	assert_int_equal(the->totals.lines, 3);
	expect_digest(all, strlen(all));
}

static void the_tail_is_the_last_bytes_made_harmless(void **state)
{
	struct strbuf text = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 2000; i++)
		strbuf_addstr(&text, "\xc3\xa9"); /* the tail begins in the midst of one, or not */
	strbuf_addstr(&text, "x\x1b[2J\x1b[31mred\n");
	write_log(text.buf, text.len);
	assert_true(strlen(the->tail) <= LOG_TAIL_MAX + 8);
	assert_memory_equal(the->tail, "\xc3\xa9", 2);
	assert_non_null(strstr(the->tail, "x\xe2\x90\x9b[2J\x1b[31mred\n"));
	strbuf_finish(&text);
}

static void on_drained(void *arg)
{
	(void)arg;
	the->drained = true;
	loop_stop(&the->loop);
}

static void a_full_buffer_says_so_and_tells_when_there_is_room(void **state)
{
	char *block = xcalloc(1, LOG_BUFFER_MAX);
	bool room = true;
	int added = 0;

	(void)state;
	memset(block, 'x', LOG_BUFFER_MAX);
	open_writer();
	log_writer_on_drained(the->writer, on_drained, NULL);
	while (room && added++ < 10)
		room = log_writer_add(the->writer, block, LOG_BUFFER_MAX);
	assert_false(room);
	assert_false(the->drained);
	loop_run(&the->loop);
	assert_true(the->drained);
	assert_true(log_writer_add(the->writer, "y", 1));
	close_writer();
	assert_int_equal(the->totals.size, (int64_t)added * LOG_BUFFER_MAX + 1);
	free(block);
}

static void a_log_that_cannot_be_opened_says_why_and_can_be_closed(void **state)
{
	(void)state;
	snprintf(the->path, sizeof(the->path), "%s/logs", the->dir);
	assert_int_equal(file_write_atomic(the->path, "x", 1, 0600, NULL), 0);
	snprintf(the->path, sizeof(the->path), "%s/logs/zlib.log", the->dir);
	open_writer();
	assert_int_equal(the->ready_status, -ENOTDIR);
	log_writer_add(the->writer, "lost", 4);
	close_writer();
	assert_int_equal(the->totals.error, -ENOTDIR);
	assert_int_equal(the->totals.size, 0);
}

static void a_log_that_is_a_link_is_refused(void **state)
{
	(void)state;
	write_log("x", 1);
	unlink(the->path);
	assert_int_equal(symlink("/etc/passwd", the->path), 0);
	open_writer();
	assert_int_equal(the->ready_status, -ELOOP);
	close_writer();
}

/* ---- what a log may not take */

static void on_broken(void *arg, int status)
{
	(void)arg;
	assert_int_equal(the->broken, 0);
	the->broken = status;
	loop_stop(&the->loop);
}

static void open_limited(int64_t size_max, int64_t disk_reserve)
{
	logs_destroy(the->logs);
	the->logs = logs_create(&the->loop, size_max, disk_reserve);
	open_writer();
	log_writer_on_broken(the->writer, on_broken, NULL);
}

static void a_log_ends_at_its_limit_and_says_so_at_once(void **state)
{
	(void)state;
	open_limited(10, 0);
	assert_true(log_writer_add(the->writer, "0123456789", 10));
	close_writer();
	assert_int_equal(the->totals.error, 0);
	assert_int_equal(the->broken, 0);
	unlink(the->path);

	open_limited(10, 0);
	log_writer_add(the->writer, "01234567\nabc", 12);
	loop_run(&the->loop);
	assert_int_equal(the->broken, -EFBIG);
	close_writer();
	assert_int_equal(the->totals.error, -EFBIG);
	assert_int_equal(the->totals.size, 10);
	expect_digest("01234567\na", 10);
	assert_int_equal(file_read(the->path, 4096, &the->out, NULL), 0);
	assert_string_equal(the->out.buf, "01234567\na");

	/* Nor does it take anything of a further attempt. */
	open_limited(10, 0);
	assert_int_equal(the->ready_status, -EFBIG);
	close_writer();
	assert_int_equal(the->totals.size, 10);
}

/* Whoever makes it is not kept waiting, for he is to end now. */
static void what_comes_after_the_limit_is_dropped(void **state)
{
	char *block = xcalloc(1, LOG_BUFFER_MAX);

	(void)state;
	open_limited(10, 0);
	log_writer_on_drained(the->writer, on_drained, NULL);
	while (log_writer_add(the->writer, block, LOG_BUFFER_MAX))
		;
	loop_run(&the->loop);
	assert_true(the->drained);
	for (int i = 0; i < 10; i++)
		assert_true(log_writer_add(the->writer, block, LOG_BUFFER_MAX));
	close_writer();
	assert_int_equal(the->totals.size, 10);
	free(block);
}

static void a_disk_with_little_left_takes_no_log(void **state)
{
	(void)state;
	open_limited(LOG_SIZE_MAX, INT64_MAX);
	assert_int_equal(the->ready_status, 0);
	log_writer_add(the->writer, "x", 1);
	loop_run(&the->loop);
	assert_int_equal(the->broken, -ENOSPC);
	close_writer();
	assert_int_equal(the->totals.error, -ENOSPC);
	assert_int_equal(the->totals.size, 0);
	/* The last words of what has ended are few. */
	the->writer = log_writer_open(the->logs, ITEM, the->path, on_ready, NULL);
	log_writer_add(the->writer, "x", 1);
	close_writer();
	assert_int_equal(the->totals.error, 0);
	assert_int_equal(the->totals.size, 1);
}

/* ---- followers */

static void on_grew(struct log_follower *f, int64_t size)
{
	(void)f;
	the->grown = size;
}

static void on_ended(struct log_follower *f)
{
	(void)f;
	the->ended = true;
}

static void on_going_away(struct log_follower *f)
{
	(void)f;
	the->going_away = true;
}

static void follow(int64_t item_id)
{
	the->follower = (struct log_follower){
		.item_id = item_id,
		.grew = on_grew,
		.ended = on_ended,
		.going_away = on_going_away,
	};
	log_follow(the->logs, &the->follower);
}

static void a_follower_is_told_of_its_item_alone(void **state)
{
	(void)state;
	follow(ITEM + 1);
	write_log("abc", 3);
	log_ended(the->logs, ITEM);
	assert_int_equal(the->grown, 0);
	assert_false(the->ended);
	log_unfollow(&the->follower);
	follow(ITEM);
	open_writer();
	log_writer_add(the->writer, "def", 3);
	close_writer();
	assert_int_equal(the->grown, 7);
	log_ended(the->logs, ITEM);
	assert_true(the->ended);
	logs_drain(the->logs);
	assert_true(the->going_away);
	log_unfollow(&the->follower);
}

/* ---- reading */

static void write_numbered(int lines)
{
	struct strbuf text = STRBUF_INIT;

	for (int i = 1; i <= lines; i++)
		strbuf_addf(&text, "line %d\n", i);
	write_log(text.buf, text.len);
	strbuf_finish(&text);
}

static char turn_buffer[LOG_READ_BUFFER];
static int window_turns; /* how many the last window took */

static json_t *window(int64_t from, int64_t limit)
{
	struct log_window *win;
	json_t *json;
	int r;

	strbuf_reset(&the->out);
	window_turns = 1;
	assert_int_equal(log_window_open(the->path, from, limit, &the->out, &win), 0);
	while ((r = log_window_step(win, turn_buffer, true)) > 0)
		window_turns++;
	assert_int_equal(r, 0);
	log_window_close(win);
	json = json_parse(the->out.buf, the->out.len, NULL);
	assert_non_null(json);
	return json;
}

static const char *line_of(json_t *window_json, size_t at)
{
	return json_string_value(json_array_get(json_object_get(window_json, "lines"), at));
}

static void expect_window_in_the_midst(void)
{
	json_t *json = window(3000, 2);

	assert_int_equal(json_integer_value(json_object_get(json, "from_line")), 3000);
	assert_int_equal(json_integer_value(json_object_get(json, "total_lines")), 5000);
	assert_int_equal(json_array_size(json_object_get(json, "lines")), 2);
	assert_string_equal(line_of(json, 0), "line 3000");
	assert_string_equal(line_of(json, 1), "line 3001");
	assert_true(json_is_true(json_object_get(json, "final")));
	json_decref(json);
}

static void a_window_is_found_with_the_index_and_without(void **state)
{
	struct strbuf index = STRBUF_INIT;

	(void)state;
	write_numbered(5000);
	log_index_path(&index, the->path);
	assert_int_equal(file_read(index.buf, 4096, &the->out, NULL), 0);
	assert_int_equal(the->out.len, 5000 / LOG_INDEX_EVERY * sizeof(int64_t));
	expect_window_in_the_midst();
	assert_int_equal(truncate(index.buf, sizeof(int64_t)), 0);
	expect_window_in_the_midst();
	unlink(index.buf);
	expect_window_in_the_midst();
	strbuf_finish(&index);
}

static void an_index_is_made_again_when_a_log_is_opened_again(void **state)
{
	struct strbuf index = STRBUF_INIT, before = STRBUF_INIT;

	(void)state;
	write_numbered(3 * LOG_INDEX_EVERY);
	log_index_path(&index, the->path);
	assert_int_equal(file_read(index.buf, 4096, &before, NULL), 0);
	unlink(index.buf);
	open_writer();
	close_writer();
	assert_int_equal(file_read(index.buf, 4096, &the->out, NULL), 0);
	assert_int_equal(before.len, 3 * sizeof(int64_t));
	assert_int_equal(before.len, the->out.len);
	assert_memory_equal(before.buf, the->out.buf, before.len);
	strbuf_finish(&index);
	strbuf_finish(&before);
}

static void a_window_beyond_the_end_is_empty(void **state)
{
	json_t *json;

	(void)state;
	write_log("a\nb", 3);
	json = window(3, 10);
	assert_int_equal(json_array_size(json_object_get(json, "lines")), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "total_lines")), 2);
	json_decref(json);
	json = window(2, 10);
	assert_string_equal(line_of(json, 0), "b");
	json_decref(json);
}

/* Of `len` bytes, the last line "end". */
static void write_long_line(size_t len)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < len; i++)
		strbuf_addch(&text, 'x');
	strbuf_addstr(&text, "Needle\nend\n");
	write_log(text.buf, text.len);
	strbuf_finish(&text);
}

static void a_long_line_is_cut_and_says_so(void **state)
{
	json_t *json;
	const char *line;

	(void)state;
	write_long_line(600000);
	json = window(1, 5);
	line = line_of(json, 0);
	assert_int_equal(line[LOG_LINE_SHOWN_MAX - 1], 'x');
	assert_string_equal(line + LOG_LINE_SHOWN_MAX, " … (583622 more bytes)");
	assert_string_equal(line_of(json, 1), "end");
	json_decref(json);
}

static void no_log_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(log_window_open(the->path, 1, 1, &the->out, NULL), -ENOENT);
	assert_int_equal(log_search_open(the->path, "x", &the->out, NULL), -ENOENT);
	assert_int_equal(log_place_open(the->path, LOG_TAIL, NULL), -ENOENT);
}

/* A line may be longer than what one turn reads, wherever it stands: counted, skipped or shown. */
static void a_window_gives_its_turn_away_after_each_step(void **state)
{
	json_t *json;

	(void)state;
	write_numbered(3);
	json = window(1, 3);
	assert_int_equal(window_turns, 1);
	json_decref(json);
	unlink(the->path);
	write_long_line(3 * LOG_READ_TURN);
	json = window(2, 5);
	assert_int_equal(json_integer_value(json_object_get(json, "total_lines")), 2);
	assert_string_equal(line_of(json, 0), "end");
	assert_int_equal(json_array_size(json_object_get(json, "lines")), 1);
	assert_in_range(window_turns, 6, 8); /* counted and skipped */
	json_decref(json);
	json = window(1, 5);
	assert_int_equal(json_array_size(json_object_get(json, "lines")), 2);
	assert_non_null(strstr(line_of(json, 0), "more bytes)"));
	assert_string_equal(line_of(json, 1), "end");
	json_decref(json);
}

/* ---- search */

static int steps; /* of the last search */

static json_t *search(const char *query)
{
	struct log_search *found = NULL;
	json_t *json;
	int r;

	strbuf_reset(&the->out);
	steps = 1;
	assert_int_equal(log_search_open(the->path, query, &the->out, &found), 0);
	while ((r = log_search_step(found, turn_buffer)) > 0)
		steps++;
	assert_int_equal(r, 0);
	log_search_close(found);
	json = json_parse(the->out.buf, the->out.len, NULL);
	assert_non_null(json);
	return json;
}

static void a_search_ignores_case_and_gives_each_line_once(void **state)
{
	json_t *json, *matches, *first;

	(void)state;
	write_log("abc\nError: ERROR\nnone\nan error", 30);
	json = search("eRRor");
	matches = json_object_get(json, "matches");
	assert_int_equal(json_array_size(matches), 2);
	first = json_array_get(matches, 0);
	assert_int_equal(json_integer_value(json_object_get(first, "line")), 2);
	assert_string_equal(json_string_value(json_object_get(first, "text")), "Error: ERROR");
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(matches, 1), "line")), 4);
	assert_false(json_is_true(json_object_get(json, "truncated")));
	json_decref(json);
}

/* Wherever the needle lies: also across two reads of the file. */
static void a_search_looks_through_a_line_of_any_length(void **state)
{
	static const size_t lengths[] = {100, 262140, 262143, 600000};

	(void)state;
	for (size_t i = 0; i < countof(lengths); i++) {
		json_t *json, *match;

		unlink(the->path);
		write_long_line(lengths[i]);
		json = search("needle");
		match = json_array_get(json_object_get(json, "matches"), 0);
		assert_int_equal(json_array_size(json_object_get(json, "matches")), 1);
		assert_int_equal(json_integer_value(json_object_get(match, "line")), 1);
		assert_non_null(
			strstr(json_string_value(json_object_get(match, "text")), "Needle"));
		json_decref(json);
		json = search("end");
		match = json_array_get(json_object_get(json, "matches"), 0);
		assert_int_equal(json_integer_value(json_object_get(match, "line")), 2);
		json_decref(json);
	}
}

static void a_search_gives_its_turn_away_after_each_step(void **state)
{
	json_t *json;

	(void)state;
	write_log("needle", 6);
	json = search("needle");
	assert_int_equal(steps, 1);
	json_decref(json);
	unlink(the->path);
	write_long_line(3 * LOG_READ_TURN);
	json = search("needle");
	assert_int_equal(json_array_size(json_object_get(json, "matches")), 1);
	assert_in_range(steps, 3, 4);
	json_decref(json);
}

/* Thousands of long lines are more than anybody wants in one piece; the next window goes on where it ended. */
static void an_answer_has_an_end_however_long_its_lines(void **state)
{
	struct strbuf text = STRBUF_INIT;
	json_t *json;
	size_t count;

	(void)state;
	for (int i = 0; i < 500; i++) {
		for (int k = 0; k < LOG_LINE_SHOWN_MAX; k++)
			strbuf_addch(&text, 'x');
		strbuf_addch(&text, '\n');
	}
	write_log(text.buf, text.len);
	strbuf_finish(&text);
	json = window(1, 500);
	count = json_array_size(json_object_get(json, "lines"));
	assert_in_range(count, LOG_ANSWER_MAX / LOG_LINE_SHOWN_MAX - 2,
		LOG_ANSWER_MAX / LOG_LINE_SHOWN_MAX + 1);
	assert_int_equal(json_integer_value(json_object_get(json, "total_lines")), 500);
	json_decref(json);
	json = window((int64_t)count + 1, 500);
	assert_int_equal(json_array_size(json_object_get(json, "lines")), 500 - count);
	json_decref(json);
	json = search("x");
	assert_true(json_is_true(json_object_get(json, "truncated")));
	assert_in_range(json_array_size(json_object_get(json, "matches")), 200, 260);
	json_decref(json);
}

static void a_search_stops_at_its_limit_and_says_so(void **state)
{
	json_t *json;

	(void)state;
	write_numbered(LOG_SEARCH_MATCHES_MAX);
	json = search("line");
	assert_int_equal(json_array_size(json_object_get(json, "matches")), LOG_SEARCH_MATCHES_MAX);
	assert_false(json_is_true(json_object_get(json, "truncated")));
	json_decref(json);
	unlink(the->path);
	write_numbered(LOG_SEARCH_MATCHES_MAX + 1);
	json = search("line");
	assert_int_equal(json_array_size(json_object_get(json, "matches")), LOG_SEARCH_MATCHES_MAX);
	assert_true(json_is_true(json_object_get(json, "truncated")));
	json_decref(json);
}

/* ---- places */

static struct {
	int64_t offset, line;
	int turns;
} place;

static void find_place(int64_t offset)
{
	struct log_place *p;
	int r;

	place.turns = 0;
	assert_int_equal(log_place_open(the->path, offset, &p), 0);
	do {
		r = log_place_step(p, turn_buffer, &place.offset, &place.line);
		place.turns++;
	} while (r > 0);
	assert_int_equal(r, 0);
	log_place_close(p);
}

#define assert_place(from, at, in_line)                                                            \
	do {                                                                                       \
		find_place(from);                                                                  \
		assert_int_equal(place.offset, at);                                                \
		assert_int_equal(place.line, in_line);                                             \
	} while (0)

static void a_byte_is_in_its_line(void **state)
{
	/* 9 lines of 7, 90 of 8, 900 of 9, then 10 bytes each */
	const int64_t line_2000 = 63 + 720 + 8100 + 10 * 1000;

	(void)state;
	write_numbered(2500); /* "line 1\n" has 7 bytes */
	assert_place(0, 0, 1);
	assert_place(6, 6, 1);
	assert_place(7, 7, 2);
	assert_place(line_2000 - 1, line_2000 - 1, 1999);
	assert_place(line_2000, line_2000, 2000);
	assert_place(line_2000 + 3, line_2000 + 3, 2000);
	/* Beyond the end: the end. */
	assert_place(1 << 30, the->totals.size, 2501);
}

static void a_viewer_begins_with_a_whole_line_near_the_end(void **state)
{
	int64_t offset, line;

	(void)state;
	write_numbered(20000);
	find_place(LOG_TAIL);
	offset = place.offset;
	line = place.line;
	assert_in_range(
		offset, the->totals.size - LOG_TAIL_START, the->totals.size - LOG_TAIL_START + 11);
	assert_place(offset - 1, offset - 1, line - 1);
	assert_place(offset, offset, line);
	unlink(the->path);
	write_log("short\n", 6);
	assert_place(LOG_TAIL, 0, 1);
	unlink(the->path);
	write_long_line(2 * LOG_TAIL_START);
	assert_place(LOG_TAIL, the->totals.size - 4, 2);
	unlink(the->path);
	/* Else in the midst of the line that does not end. */
	write_long_line(10);
	assert_int_equal(truncate(the->path, 4 * LOG_TAIL_START), 0);
	assert_place(LOG_TAIL, 3 * LOG_TAIL_START, 3);
}

static void a_place_far_in_is_found_in_turns(void **state)
{
	(void)state;
	write_log("one\ntwo", 7);
	assert_place(6, 6, 2);
	assert_int_equal(place.turns, 1);
	assert_int_equal(truncate(the->path, 4 * (int64_t)LOG_READ_TURN), 0);
	assert_place(3 * (int64_t)LOG_READ_TURN, 3 * (int64_t)LOG_READ_TURN, 2);
	assert_in_range(place.turns, 3, 4);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(what_is_added_is_in_the_file_and_in_the_totals),
		scenario(a_further_attempt_goes_on_in_the_same_file),
		scenario(the_tail_is_the_last_bytes_made_harmless),
		scenario(a_full_buffer_says_so_and_tells_when_there_is_room),
		scenario(a_log_that_cannot_be_opened_says_why_and_can_be_closed),
		scenario(a_log_that_is_a_link_is_refused),
		scenario(a_log_ends_at_its_limit_and_says_so_at_once),
		scenario(what_comes_after_the_limit_is_dropped),
		scenario(a_disk_with_little_left_takes_no_log),
		scenario(a_follower_is_told_of_its_item_alone),
		scenario(a_window_is_found_with_the_index_and_without),
		scenario(an_index_is_made_again_when_a_log_is_opened_again),
		scenario(a_window_beyond_the_end_is_empty),
		scenario(a_long_line_is_cut_and_says_so),
		scenario(no_log_is_no_file),
		scenario(a_window_gives_its_turn_away_after_each_step),
		scenario(a_search_ignores_case_and_gives_each_line_once),
		scenario(a_search_looks_through_a_line_of_any_length),
		scenario(a_search_gives_its_turn_away_after_each_step),
		scenario(a_search_stops_at_its_limit_and_says_so),
		scenario(an_answer_has_an_end_however_long_its_lines),
		scenario(a_byte_is_in_its_line),
		scenario(a_viewer_begins_with_a_whole_line_near_the_end),
		scenario(a_place_far_in_is_found_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
