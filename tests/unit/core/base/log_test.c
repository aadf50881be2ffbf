// SPDX-License-Identifier: MIT
#include "core/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/json.h"

static char path[] = "/tmp/reqpm-log-test.XXXXXX";
static struct log_file *lf;

static int open_log(void **state)
{
	int fd;

	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	lf = log_file_open(path, NULL);
	log_threshold(LOG_INFO);
	return lf ? 0 : -1;
}

static int close_log(void **state)
{
	(void)state;
	log_file_close(lf);
	return unlink(path);
}

/* The lines of a log, each of which must be an object; the caller frees the array. */
static json_t *read_lines(const char *name)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	json_t *lines = json_array();

	assert_int_equal(file_read(name, 16 << 20, &text, &err), 0);
	for (char *line = text.buf, *end; *line; line = end + 1) {
		json_t *json;

		end = strchr(line, '\n');
		assert_non_null(end);
		json = json_parse(line, (size_t)(end - line), &err);
		assert_true(json_is_object(json));
		json_array_append_new(lines, json);
	}
	strbuf_finish(&text);
	return lines;
}

static const char *field(json_t *lines, size_t i, const char *name)
{
	return json_string_value(json_object_get(json_array_get(lines, i), name));
}

static void a_line_is_an_object_with_time_level_and_message(void **state)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	json_t *lines;

	(void)state;
	log_to(lf, LOG_WARN, "layer: redis lost (%s), retrying in %u ms", "timeout", 500U);
	lines = read_lines(path);
	assert_int_equal(json_array_size(lines), 1);
	assert_int_equal(json_object_size(json_array_get(lines, 0)), 3);
	assert_string_equal(field(lines, 0, "level"), "warn");
	assert_string_equal(
		field(lines, 0, "message"), "layer: redis lost (timeout), retrying in 500 ms");
	assert_int_equal(field(lines, 0, "time")[10], 'T');
	json_decref(lines);
	assert_int_equal(file_read(path, 4096, &text, &err), 0);
	assert_int_equal(strncmp(text.buf, "{\"time\":\"20", 11), 0);
	strbuf_finish(&text);
}

static void a_message_cannot_make_a_second_line(void **state)
{
	json_t *lines;

	(void)state;
	log_to(lf, LOG_ERROR, "%s", "a\n{\"level\":\"info\"}\r\x1b[2J\xff");
	lines = read_lines(path);
	assert_int_equal(json_array_size(lines), 1);
	assert_string_equal(
		field(lines, 0, "message"), "a\n{\"level\":\"info\"}\r\x1b[2J\xef\xbf\xbd");
	json_decref(lines);
}

static void what_is_below_the_threshold_is_not_written(void **state)
{
	json_t *lines;

	(void)state;
	log_to(lf, LOG_DEBUG, "no");
	log_threshold(LOG_ERROR);
	log_to(lf, LOG_WARN, "no");
	log_to(lf, LOG_ERROR, "one");
	log_threshold(LOG_DEBUG);
	log_to(lf, LOG_DEBUG, "two");
	lines = read_lines(path);
	assert_int_equal(json_array_size(lines), 2);
	assert_string_equal(field(lines, 0, "message"), "one");
	assert_string_equal(field(lines, 1, "level"), "debug");
	json_decref(lines);
}

static void the_log_in_use_is_what_the_short_words_write_to(void **state)
{
	json_t *lines;

	(void)state;
	log_use(lf);
	log_info("started on port %d", 8000);
	log_use(NULL);
	lines = read_lines(path);
	assert_int_equal(json_array_size(lines), 1);
	assert_string_equal(field(lines, 0, "message"), "started on port 8000");
	json_decref(lines);
}

/* What a child that gives up its standard error writes there after the log in use is closed. */
static void a_closed_log_is_used_no_more(void **state)
{
	pid_t child;
	int status;
	json_t *lines;

	(void)state;
	child = fork();
	if (!child) {
		int fd = open(path, O_WRONLY | O_APPEND);
		struct log_file *other = log_file_open("/dev/null", NULL);

		dup2(fd, STDERR_FILENO);
		log_use(other);
		log_info("into the void");
		log_file_close(other);
		log_info("to standard error");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	lines = read_lines(path);
	assert_int_equal(json_array_size(lines), 1);
	assert_string_equal(field(lines, 0, "message"), "to standard error");
	json_decref(lines);
}

static void errno_survives_a_line(void **state)
{
	(void)state;
	errno = ENOSPC;
	log_to(lf, LOG_INFO, "x");
	assert_int_equal(errno, ENOSPC);
}

static void a_log_is_appended_to(void **state)
{
	struct log_file *second = log_file_open(path, NULL);
	json_t *lines;

	(void)state;
	log_to(lf, LOG_INFO, "one");
	log_to(second, LOG_INFO, "two");
	log_to(lf, LOG_INFO, "three");
	log_file_close(second);
	lines = read_lines(path);
	assert_int_equal(json_array_size(lines), 3);
	assert_string_equal(field(lines, 1, "message"), "two");
	json_decref(lines);
}

enum { WRITERS = 4, LINES = 500 };

static void *write_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_to(lf, LOG_INFO, "%s %d %0*d", (const char *)arg, i, i, 0);
	return NULL;
}

static void lines_of_many_threads_do_not_mix(void **state)
{
	static char names[WRITERS][2] = {"a", "b", "c", "d"};
	pthread_t threads[WRITERS];
	json_t *lines;

	(void)state;
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, write_lines, names[i]);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	lines = read_lines(path);
	assert_int_equal(json_array_size(lines), WRITERS * LINES);
	json_decref(lines);
}

static void a_log_that_cannot_be_opened_says_why(void **state)
{
	struct strbuf err = STRBUF_INIT;

	(void)state;
	assert_null(log_file_open("/nonexistent/server.log", &err));
	assert_string_equal(
		err.buf, "cannot open the log /nonexistent/server.log: No such file or directory");
	strbuf_finish(&err);
	log_file_close(NULL);
}

static void tracing_is_on_for_the_subsystems_named(void **state)
{
	(void)state;
	unsetenv("REQPM_TRACE");
	assert_false(trace_enabled("db"));
	setenv("REQPM_TRACE", "layer,db", 1);
	assert_true(trace_enabled("layer"));
	assert_true(trace_enabled("db"));
	assert_false(trace_enabled("lay"));
	assert_false(trace_enabled("layers"));
	assert_false(trace_enabled(""));
	unsetenv("REQPM_TRACE");
}

/* ---- the environment, which counts once per process: this program again, in the role of the
 * logger */

/* Lines that a process with this REQPM_LOG_LEVEL writes to standard error for one call per
 * level. */
static json_t *log_with_level(const char *level)
{
	pid_t child = fork();
	int status;

	if (!child) {
		int fd = open(path, O_WRONLY | O_APPEND);

		dup2(fd, STDERR_FILENO);
		setenv("REQPM_LOG_LEVEL", level, 1);
		execl("/proc/self/exe", "log_test", "logger", NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return read_lines(path);
}

static void the_environment_sets_the_threshold(void **state)
{
	json_t *lines = log_with_level("debug");

	(void)state;
	assert_int_equal(json_array_size(lines), 4);
	json_decref(lines);
	lines = log_with_level("error");
	assert_int_equal(json_array_size(lines), 4 + 1);
	json_decref(lines);
	lines = log_with_level("");
	assert_int_equal(json_array_size(lines), 4 + 1 + 3);
	json_decref(lines);
}

static void an_unknown_threshold_is_complained_about(void **state)
{
	json_t *lines = log_with_level("loud");

	(void)state;
	assert_int_equal(json_array_size(lines), 4);
	assert_string_equal(field(lines, 0, "message"),
		"REQPM_LOG_LEVEL is none of debug, info, warn, error: using info");
	assert_string_equal(field(lines, 1, "level"), "info");
	json_decref(lines);
}

static int be_logger(void)
{
	log_debug("d");
	log_info("i");
	log_warn("w");
	log_error("e");
	return 0;
}

#define log_test(f) cmocka_unit_test_setup_teardown(f, open_log, close_log)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		log_test(a_line_is_an_object_with_time_level_and_message),
		log_test(a_message_cannot_make_a_second_line),
		log_test(what_is_below_the_threshold_is_not_written),
		log_test(the_log_in_use_is_what_the_short_words_write_to),
		log_test(a_closed_log_is_used_no_more),
		log_test(errno_survives_a_line),
		log_test(a_log_is_appended_to),
		log_test(lines_of_many_threads_do_not_mix),
		cmocka_unit_test(a_log_that_cannot_be_opened_says_why),
		cmocka_unit_test(tracing_is_on_for_the_subsystems_named),
		log_test(the_environment_sets_the_threshold),
		log_test(an_unknown_threshold_is_complained_about),
	};

	if (argc == 2 && !strcmp(argv[1], "logger"))
		return be_logger();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
