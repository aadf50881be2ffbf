// SPDX-License-Identifier: MIT
#include "fixture.h"

#include <fcntl.h>
#include <sys/mman.h>

#define FILE_SIZE (5 * HTTP_FILE_PIECE + 4321)

static char content[FILE_SIZE];

struct app {
	int64_t promised; /* the size that the handler states */
	int last_fd;
};

static int file_make(void)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	if (write(fd, content, sizeof(content)) != (ssize_t)sizeof(content))
		abort();
	return fd;
}

static void file(struct http_request *req, void *arg)
{
	struct app *app = arg;

	app->last_fd = file_make();
	http_reply_file(req, app->last_fd, app->promised, "application/x-rpm");
}

static void tagged(struct http_request *req, void *arg)
{
	struct app *app = arg;

	app->last_fd = file_make();
	if (http_reply_condition(req, "\"one\""))
		close(app->last_fd);
	else
		http_reply_file(req, app->last_fd, app->promised, "application/x-rpm");
}

static void small(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply(req, 200, "text/plain", "small", 5);
}

static const struct http_route routes[] = {
	{.method = HTTP_GET, .pattern = "/file", .handler = file},
	{.method = HTTP_GET, .pattern = "/tagged", .handler = tagged},
	{.method = HTTP_GET, .pattern = "/small", .handler = small},
};

static void start(struct fixture *f, struct app *app, int64_t promised)
{
	struct http_config config = {.routes = routes, .route_count = countof(routes), .app = app};

	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (char)(i * 31 + (i >> 12));
	app->promised = promised;
	app->last_fd = -1;
	fixture_init(f, &config);
	http_server_limits(f->server)->tick_ms = 5;
	fixture_run(f);
}

static void ranges_are_read_as_the_rfc_says(void **state)
{
	static const struct {
		const char *value;
		int64_t size;
		enum http_range range;
		int64_t first, last;
	} cases[] = {
		{"bytes=0-0", 10, HTTP_RANGE_PART, 0, 0},
		{"bytes=0-9", 10, HTTP_RANGE_PART, 0, 9},
		{"bytes=3-5", 10, HTTP_RANGE_PART, 3, 5},
		{"bytes=3-99", 10, HTTP_RANGE_PART, 3, 9},
		{"bytes=9-", 10, HTTP_RANGE_PART, 9, 9},
		{"bytes=0-", 10, HTTP_RANGE_PART, 0, 9},
		{"bytes=-1", 10, HTTP_RANGE_PART, 9, 9},
		{"bytes=-10", 10, HTTP_RANGE_PART, 0, 9},
		{"bytes=-99", 10, HTTP_RANGE_PART, 0, 9},
		{"bytes=10-", 10, HTTP_RANGE_NONE, 0, 0},
		{"bytes=10-20", 10, HTTP_RANGE_NONE, 0, 0},
		{"bytes=-0", 10, HTTP_RANGE_NONE, 0, 0},
		{"bytes=0-", 0, HTTP_RANGE_NONE, 0, 0},
		{"bytes=-5", 0, HTTP_RANGE_NONE, 0, 0},
		{"bytes=5-3", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=-", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=a-b", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=1", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=1-2,4-5", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=1-2x", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=1-x", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=+1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes= 1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=--5", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=0-9223372036854775808", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"bytes=9999999999999999999-", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"lines=1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
		{"", 10, HTTP_RANGE_WHOLE, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		int64_t first = 0, last = 0;
		enum http_range range =
			http_range_parse(cases[i].value, cases[i].size, &first, &last);
		if (range != cases[i].range || first != cases[i].first || last != cases[i].last)
			fail_msg("%s of %d", cases[i].value, (int)cases[i].size);
	}
}

static void a_file_is_sent_whole_and_the_connection_goes_on(void **state)
{
	struct fixture f;
	struct app app;
	int fd;

	(void)state;
	start(&f, &app, FILE_SIZE);
	fd = client_open(&f);
	for (int i = 0; i < 3; i++) {
		struct answer a;
		char text[512];
		client_say(fd, "GET /file HTTP/1.1\r\n" HOST "\r\n");
		client_answer(fd, &a);
		assert_int_equal(a.status, 200);
		assert_int_equal(a.body.len, FILE_SIZE);
		assert_memory_equal(a.body.buf, content, FILE_SIZE);
		assert_string_equal(answer_header(&a, "Accept-Ranges", text), "bytes");
		assert_string_equal(answer_header(&a, "Content-Type", text), "application/x-rpm");
		answer_finish(&a);
	}
	close(fd);
	fixture_finish(&f);
}

static void a_file_that_grew_is_cut_where_its_size_was_fixed(void **state)
{
	struct fixture f;
	struct app app;
	struct answer a;
	int fd;

	(void)state;
	start(&f, &app, 1000);
	fd = client_open(&f);
	client_say(fd, "GET /file HTTP/1.1\r\n" HOST "\r\n");
	client_answer(fd, &a);
	assert_int_equal(a.body.len, 1000);
	answer_finish(&a);
	expect_status(fd, 200, "GET /small HTTP/1.1\r\n" HOST "\r\n");
	close(fd);
	fixture_finish(&f);
}

static void an_empty_file_is_an_empty_answer(void **state)
{
	struct fixture f;
	struct app app;
	struct answer a;
	int fd;

	(void)state;
	start(&f, &app, 0);
	fd = client_open(&f);
	client_say(fd, "GET /file HTTP/1.1\r\n" HOST "\r\n");
	client_answer(fd, &a);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.body.len, 0);
	answer_finish(&a);
	expect_status(fd, 200, "GET /small HTTP/1.1\r\n" HOST "\r\n");
	close(fd);
	fixture_finish(&f);
}

static void a_range_is_sent_as_a_part(void **state)
{
	static const struct {
		const char *fields;
		int status;
		size_t first, len;
		const char *content_range;
	} cases[] = {
		{"Range: bytes=5-9\r\n", 206, 5, 5, "bytes 5-9/659681"},
		{"Range: bytes=131071-131072\r\n", 206, 131071, 2, "bytes 131071-131072/659681"},
		{"Range: bytes=659680-\r\n", 206, 659680, 1, "bytes 659680-659680/659681"},
		{"Range: bytes=100-\r\n", 206, 100, FILE_SIZE - 100, "bytes 100-659680/659681"},
		{"Range: bytes=-3\r\n", 206, FILE_SIZE - 3, 3, "bytes 659678-659680/659681"},
		{"Range: bytes=1-2,3-4\r\n", 200, 0, FILE_SIZE, NULL},
		{"Range: bytes=5-9\r\nIf-Range: \"a\"\r\n", 200, 0, FILE_SIZE, NULL},
	};
	struct fixture f;
	struct app app;
	int fd;

	(void)state;
	assert_int_equal(FILE_SIZE, 659681);
	start(&f, &app, FILE_SIZE);
	fd = client_open(&f);
	for (size_t i = 0; i < countof(cases); i++) {
		struct answer a;
		char text[512];
		client_say(fd, "GET /file HTTP/1.1\r\n" HOST "%s\r\n", cases[i].fields);
		client_answer(fd, &a);
		assert_int_equal(a.status, cases[i].status);
		assert_int_equal(a.body.len, cases[i].len);
		assert_memory_equal(a.body.buf, content + cases[i].first, cases[i].len);
		if (cases[i].content_range)
			assert_string_equal(
				answer_header(&a, "Content-Range", text), cases[i].content_range);
		else
			assert_null(answer_header(&a, "Content-Range", text));
		answer_finish(&a);
	}
	close(fd);
	fixture_finish(&f);
}

/* Otherwise the parts of two files would be put together. */
static void a_range_counts_only_for_the_very_file_that_if_range_names(void **state)
{
	static const struct {
		const char *fields;
		int status;
	} cases[] = {
		{"Range: bytes=5-9\r\nIf-Range: \"one\"\r\n", 206},
		{"Range: bytes=5-9\r\nIf-Range: \"other\"\r\n", 200},
		{"Range: bytes=5-9\r\nIf-Range: \"on\"\r\n", 200},
		{"Range: bytes=5-9\r\nIf-Range: W/\"one\"\r\n", 200},
		{"Range: bytes=5-9\r\nIf-Range: one\r\n", 200},
		{"Range: bytes=5-9\r\nIf-Range:\r\n", 200},
		{"Range: bytes=5-9\r\nIf-Range: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 200},
		{"Range: bytes=659681-\r\nIf-Range: \"one\"\r\n", 416},
		{"Range: bytes=659681-\r\nIf-Range: \"other\"\r\n", 200},
		{"Range: bytes=5-9\r\nIf-None-Match: \"one\"\r\n", 304},
		{"Range: bytes=5-9\r\nIf-None-Match: \"other\"\r\n", 206},
		{"Range: bytes=5-9\r\nIf-None-Match: \"other\"\r\nIf-None-Match: \"one\"\r\n", 304},
		{"Range: bytes=5-9\r\nIf-Match: \"one\"\r\n", 206},
		{"Range: bytes=5-9\r\nIf-Match: \"other\", \"one\"\r\n", 206},
		{"Range: bytes=5-9\r\nIf-Match: \"other\"\r\nIf-Match: \"one\"\r\n", 206},
		{"Range: bytes=5-9\r\nIf-Match: *\r\n", 206},
		{"Range: bytes=5-9\r\nIf-Match: \"other\"\r\n", 412},
		{"Range: bytes=5-9\r\nIf-Match: W/\"one\"\r\n", 412},
		{"Range: bytes=659681-\r\nIf-Match: \"other\"\r\n", 412},
		{"If-Match: \"other\"\r\nIf-None-Match: \"one\"\r\n", 412},
		{"If-Match: \"one\"\r\nIf-None-Match: \"one\"\r\n", 304},
	};
	struct fixture f;
	struct app app;
	char text[512];
	int fd;

	(void)state;
	start(&f, &app, FILE_SIZE);
	fd = client_open(&f);
	for (size_t i = 0; i < countof(cases); i++) {
		struct answer a;

		client_say(fd, "GET /tagged HTTP/1.1\r\n" HOST "%s\r\n", cases[i].fields);
		if (cases[i].status == 304)
			client_answer_head(fd, &a);
		else
			client_answer(fd, &a);
		if (a.status != cases[i].status)
			fail_msg("%s: %d", cases[i].fields, a.status);
		assert_string_equal(answer_header(&a, "ETag", text), "\"one\"");
		if (a.status == 206)
			assert_memory_equal(a.body.buf, content + 5, 5);
		answer_finish(&a);
	}
	close(fd);
	fixture_finish(&f);
	assert_int_equal(fcntl(app.last_fd, F_GETFD), -1);
}

static void what_has_no_tag_fits_no_if_match(void **state)
{
	struct fixture f;
	struct app app;
	int fd;

	(void)state;
	start(&f, &app, FILE_SIZE);
	fd = client_open(&f);
	expect_status(fd, 412,
		"GET /file HTTP/1.1\r\n" HOST "Range: bytes=0-3\r\nIf-Match: \"zz\"\r\n\r\n");
	expect_status(
		fd, 206, "GET /file HTTP/1.1\r\n" HOST "Range: bytes=0-3\r\nIf-Match: *\r\n\r\n");
	close(fd);
	fixture_finish(&f);
	assert_int_equal(fcntl(app.last_fd, F_GETFD), -1);
}

static void a_range_beyond_the_end_is_answered_416(void **state)
{
	struct fixture f;
	struct app app;
	struct answer a;
	char text[512];
	int fd;

	(void)state;
	start(&f, &app, FILE_SIZE);
	fd = client_open(&f);
	client_say(fd, "GET /file HTTP/1.1\r\n" HOST "Range: bytes=659681-\r\n\r\n");
	client_answer(fd, &a);
	assert_int_equal(a.status, 416);
	assert_string_equal(answer_header(&a, "Content-Range", text), "bytes */659681");
	assert_string_equal(answer_header(&a, "Content-Type", text), "application/problem+json");
	assert_int_equal(fcntl(app.last_fd, F_GETFD), -1);
	answer_finish(&a);
	close(fd);
	fixture_finish(&f);
}

static void head_of_a_file_tells_its_length_and_sends_nothing(void **state)
{
	struct fixture f;
	struct app app;
	struct answer a;
	char text[512];
	int fd;

	(void)state;
	start(&f, &app, FILE_SIZE);
	fd = client_open(&f);
	client_say(fd, "HEAD /file HTTP/1.1\r\n" HOST "Range: bytes=0-1\r\n\r\n");
	client_answer_head(fd, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_header(&a, "Content-Length", text), "659681");
	assert_int_equal(fcntl(app.last_fd, F_GETFD), -1);
	answer_finish(&a);
	expect_status(fd, 200, "GET /small HTTP/1.1\r\n" HOST "\r\n");
	close(fd);
	fixture_finish(&f);
}

static void a_file_that_shrank_ends_in_a_reset(void **state)
{
	struct fixture f;
	struct app app;
	struct answer a;
	char piece[65536];
	ssize_t got;
	int fd;

	(void)state;
	start(&f, &app, FILE_SIZE + 1);
	fd = client_open(&f);
	client_say(fd, "GET /file HTTP/1.1\r\n" HOST "\r\n");
	client_answer_head(fd, &a);
	while ((got = recv(fd, piece, sizeof(piece), 0)) > 0)
		;
	assert_int_equal(got, -1);
	assert_int_equal(errno, ECONNRESET);
	answer_finish(&a);
	close(fd);
	fixture_finish(&f);
}

static void a_reader_that_stops_is_reset_and_the_file_closed(void **state)
{
	struct http_config config = {.routes = routes, .route_count = countof(routes)};
	struct fixture f;
	struct app app = {.promised = FILE_SIZE, .last_fd = -1};
	int fd, size = 4096;

	(void)state;
	config.app = &app;
	fixture_init(&f, &config);
	http_server_limits(f.server)->tick_ms = 5;
	http_server_limits(f.server)->write_stall_ms = 30;
	fixture_run(&f);
	fd = client_open(&f);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (int i = 0; i < 60; i++) /* more than all socket buffers hold */
		client_say(fd, "GET /file HTTP/1.1\r\n" HOST "\r\n");
	while (fixture_stats(&f).connections_total == 0 || fixture_stats(&f).connections > 0)
		;
	close(fd);
	fixture_finish(&f);
	assert_int_equal(fcntl(app.last_fd, F_GETFD), -1);
}

static void a_peer_may_go_at_any_moment_of_a_file(void **state)
{
	struct linger hard = {.l_onoff = 1};
	struct fixture f;
	struct app app;

	(void)state;
	start(&f, &app, FILE_SIZE);
	for (int i = 0; i < 30;
		i++) { /* 20,000 bytes more each time; the file has more than 30 times that */
		char piece[20000];
		int fd = client_open(&f);
		client_say(fd, "GET /file HTTP/1.1\r\n" HOST "\r\n");
		for (int k = 0; k < i; k++)
			if (recv(fd, piece, sizeof(piece), 0) <= 0)
				break;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fd);
	}
	while (fixture_stats(&f).connections > 0)
		;
	fixture_finish(&f);
	assert_int_equal(fcntl(app.last_fd, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_read_as_the_rfc_says),
		cmocka_unit_test(a_file_is_sent_whole_and_the_connection_goes_on),
		cmocka_unit_test(a_file_that_grew_is_cut_where_its_size_was_fixed),
		cmocka_unit_test(an_empty_file_is_an_empty_answer),
		cmocka_unit_test(a_range_is_sent_as_a_part),
		cmocka_unit_test(a_range_counts_only_for_the_very_file_that_if_range_names),
		cmocka_unit_test(what_has_no_tag_fits_no_if_match),
		cmocka_unit_test(a_range_beyond_the_end_is_answered_416),
		cmocka_unit_test(head_of_a_file_tells_its_length_and_sends_nothing),
		cmocka_unit_test(a_file_that_shrank_ends_in_a_reset),
		cmocka_unit_test(a_reader_that_stops_is_reset_and_the_file_closed),
		cmocka_unit_test(a_peer_may_go_at_any_moment_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
