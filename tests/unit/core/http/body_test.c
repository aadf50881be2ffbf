// SPDX-License-Identifier: MIT
#include "fixture.h"

#define PUT(path, length) "PUT " path " HTTP/1.1\r\n" HOST "Content-Length: " length "\r\n"

/* What a streaming handler saw, read by the test after a wait for `ended` or `arrived`. */
struct app {
	struct http_request *req;
	struct strbuf got;
	size_t pieces;
	int status; /* of on_end */
	bool pause_each, answer_early;
	sem_t arrived, ended;
};

static void on_data(struct http_request *req, const char *data, size_t len, void *arg)
{
	struct app *app = arg;

	strbuf_add(&app->got, data, len);
	app->pieces++;
	if (app->pause_each)
		http_body_pause(req);
	if (app->answer_early)
		http_reply_problem(req, 507, "full", "no space is left");
}

static void on_end(struct http_request *req, int status, void *arg)
{
	struct app *app = arg;

	app->status = status;
	http_reply(req, 201, "text/plain", app->got.buf, status == 0 ? app->got.len : 0);
	sem_post(&app->ended);
}

static void stream(struct http_request *req, void *arg)
{
	struct app *app = arg;

	app->req = req;
	http_body_read(req, on_data, on_end, app);
	sem_post(&app->arrived);
}

/* Asks for the body later: body_ask(). */
static void later(struct http_request *req, void *arg)
{
	struct app *app = arg;

	app->req = req;
	sem_post(&app->arrived);
}

static void body_ask(void *arg)
{
	struct app *app = arg;

	http_body_read(app->req, on_data, on_end, app);
}

static void body_resume(void *arg)
{
	http_body_resume(((struct app *)arg)->req);
}

static void refuse_later(void *arg)
{
	http_reply_problem(((struct app *)arg)->req, 403, "no", "not you");
}

static void echo(struct http_request *req, void *app)
{
	(void)app;
	http_reply(req, 200, "text/plain", http_body(req)->buf, http_body(req)->len);
}

static bool guard(struct http_request *req, void *app)
{
	(void)app;
	if (!http_header(req, "x-refuse"))
		return false;
	http_reply_problem(req, 401, "not-signed-in", "sign in");
	return true;
}

static const struct http_route routes[] = {
	{.method = HTTP_PUT, .pattern = "/stream", .handler = stream, .body = HTTP_BODY_STREAM},
	{.method = HTTP_PUT, .pattern = "/later", .handler = later, .body = HTTP_BODY_STREAM},
	{.method = HTTP_PUT, .pattern = "/none", .handler = echo},
	{.method = HTTP_PUT, .pattern = "/default", .handler = echo, .body = HTTP_BODY_BUFFER},
	{.method = HTTP_PUT,
		.pattern = "/ten",
		.handler = echo,
		.body = HTTP_BODY_BUFFER,
		.body_max = 10},
};

static struct fixture f;
static struct app app;
static int fd;

/* Limits may be changed before run_and_connect(). */
static int start(void **state)
{
	struct http_config config = {
		.routes = routes, .route_count = countof(routes), .app = &app, .guard = guard};

	(void)state;
	memset(&app, 0, sizeof(app));
	strbuf_init(&app.got);
	sem_init(&app.arrived, 0, 0);
	sem_init(&app.ended, 0, 0);
	fixture_init(&f, &config);
	http_server_limits(f.server)->tick_ms = 5;
	return 0;
}

static int finish(void **state)
{
	(void)state;
	close(fd);
	fixture_finish(&f);
	strbuf_finish(&app.got);
	return 0;
}

static void run_and_connect(void)
{
	fixture_run(&f);
	fd = client_open(&f);
}

/* ---- limits of bodies */

static void a_route_without_a_body_takes_an_empty_one_only(void **state)
{
	(void)state;
	run_and_connect();
	expect_status(fd, 200, PUT("/none", "0") "\r\n");
	expect_status(fd, 200, "PUT /none HTTP/1.1\r\n" HOST "\r\n");
	expect_status(fd, 413, PUT("/none", "1") "\r\nx");
	assert_true(client_at_end(fd));
}

static void a_buffered_body_has_its_limit(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_say(fd, PUT("/ten", "10") "\r\n0123456789");
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "0123456789");
	answer_finish(&a);
	expect_status(fd, 413, PUT("/ten", "11") "\r\n");
	assert_true(client_at_end(fd));
}

static void a_buffered_body_has_a_mebibyte_by_default(void **state)
{
	struct answer a;
	char *body = malloc(HTTP_JSON_BODY_MAX);

	(void)state;
	memset(body, 'b', HTTP_JSON_BODY_MAX);
	run_and_connect();
	client_say(fd, "PUT /default HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
		HTTP_JSON_BODY_MAX);
	client_send(fd, body, HTTP_JSON_BODY_MAX);
	client_answer(fd, &a);
	assert_int_equal(a.body.len, HTTP_JSON_BODY_MAX);
	assert_memory_equal(a.body.buf, body, HTTP_JSON_BODY_MAX);
	answer_finish(&a);
	expect_status(fd, 413, "PUT /default HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
		HTTP_JSON_BODY_MAX + 1);
	free(body);
}

static void a_refused_request_never_sends_its_body(void **state)
{
	(void)state;
	run_and_connect();
	expect_status(
		fd, 401, PUT("/stream", "999999999") "X-Refuse: 1\r\nExpect: 100-continue\r\n\r\n");
	assert_true(client_at_end(fd));
}

/* ---- streams */

static void a_stream_needs_its_length(void **state)
{
	(void)state;
	run_and_connect();
	expect_status(fd, 411, "PUT /stream HTTP/1.1\r\n" HOST "\r\n");
	expect_status(fd, 201, PUT("/stream", "0") "\r\n");
}

static void a_stream_arrives_whole_wherever_it_is_cut(void **state)
{
	static const char text[] = PUT("/stream", "11") "\r\nhello world";

	(void)state;
	run_and_connect();
	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		struct answer a;
		app.got.len = 0;
		client_send(fd, text, cut);
		fixture_sync(&f);
		client_send(fd, text + cut, sizeof(text) - 1 - cut);
		client_answer(fd, &a);
		assert_int_equal(a.status, 201);
		assert_string_equal(a.body.buf, "hello world");
		answer_finish(&a);
	}
}

static void a_request_after_a_stream_in_the_same_write_is_served(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_say(fd, PUT("/stream", "5") "\r\nfirst" PUT("/ten", "6") "\r\nsecond");
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "first");
	answer_finish(&a);
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "second");
	answer_finish(&a);
}

/* Sends until the socket takes no more; returns how many of len bytes went. */
static size_t send_while_taken(const char *data, size_t len)
{
	size_t sent = 0;
	ssize_t n;

	for (int quiet = 0; quiet < 3; fixture_sync(&f)) {
		n = send(fd, data + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		quiet = n > 0 ? 0 : quiet + 1;
		sent += n > 0 ? (size_t)n : 0;
	}
	return sent;
}

static void a_paused_stream_holds_the_peer_back(void **state)
{
	size_t len = 64 << 20, sent;
	char *body = malloc(len);

	(void)state;
	for (size_t i = 0; i < len; i++)
		body[i] = (char)(i * 7 + (i >> 16));
	app.pause_each = true;
	run_and_connect();
	client_say(fd, "PUT /stream HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", len);
	sem_wait(&app.arrived);
	sent = send_while_taken(body, len);
	assert_true(sent < len / 2);
	assert_int_equal(app.pieces, 1);
	assert_true(app.got.len <= HTTP_READ_SIZE);
	fixture_call(&f, body_resume, &app);
	fixture_sync(&f);
	assert_int_equal(app.pieces, 2);
	app.pause_each = false;
	fixture_call(&f, body_resume, &app);
	client_send(fd, body + sent, len - sent);
	sem_wait(&app.ended);
	assert_int_equal(app.status, 0);
	assert_int_equal(app.got.len, len);
	assert_memory_equal(app.got.buf, body, len);
	free(body);
}

static void the_end_of_a_paused_stream_waits_for_resume(void **state)
{
	struct answer a;

	(void)state;
	app.pause_each = true;
	http_server_limits(f.server)->body_stall_ms = 1; /* which a pause suspends */
	run_and_connect();
	client_say(fd, PUT("/stream", "3") "\r\nabc");
	sem_wait(&app.arrived);
	fixture_sync(&f);
	assert_int_equal(sem_trywait(&app.ended), -1);
	fixture_call(&f, body_resume, &app);
	client_answer(fd, &a);
	assert_int_equal(a.status, 201);
	assert_string_equal(a.body.buf, "abc");
	answer_finish(&a);
}

static void a_body_that_came_before_it_was_asked_for_is_kept(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_say(fd, PUT("/later", "6") "\r\nabc");
	sem_wait(&app.arrived);
	client_say(fd, "def");
	fixture_sync(&f);
	assert_int_equal(app.pieces, 0);
	fixture_call(&f, body_ask, &app);
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "abcdef");
	answer_finish(&a);
}

static void a_stream_whose_peer_goes_ends_with_an_error(void **state)
{
	(void)state;
	run_and_connect();
	client_say(fd, PUT("/stream", "6") "\r\nabc");
	shutdown(fd, SHUT_WR);
	sem_wait(&app.ended);
	assert_int_equal(app.status, -ECONNRESET);
	assert_string_equal(app.got.buf, "abc");
}

static void asking_for_a_body_when_the_peer_has_gone_ends_at_once(void **state)
{
	(void)state;
	run_and_connect();
	client_say(fd, PUT("/later", "6") "\r\n");
	sem_wait(&app.arrived);
	fixture_call(&f, (loop_fn *)http_conn_close, app.req->conn);
	fixture_call(&f, body_ask, &app);
	assert_int_equal(app.status, -ECONNRESET);
}

static void a_stream_that_stalls_is_answered_408_and_ends_with_an_error(void **state)
{
	(void)state;
	http_server_limits(f.server)->body_stall_ms = 20;
	run_and_connect();
	expect_status(fd, 408, PUT("/stream", "6") "\r\nabc");
	sem_wait(&app.ended);
	assert_int_equal(app.status, -ETIMEDOUT);
	assert_true(client_at_end(fd));
}

static void answering_early_ends_the_stream_and_the_connection(void **state)
{
	(void)state;
	app.answer_early = true;
	run_and_connect();
	expect_status(fd, 507, PUT("/stream", "1000000") "\r\nabc");
	client_say(fd, "more that nobody wants");
	assert_true(client_at_end(fd));
	assert_int_equal(app.pieces, 1);
	assert_int_equal(sem_trywait(&app.ended), -1);
}

/* ---- Expect: 100-continue */

static void continue_is_sent_when_the_body_is_wanted(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_say(fd, PUT("/later", "3") "Expect: 100-continue\r\n\r\n");
	sem_wait(&app.arrived);
	fixture_call(&f, body_ask, &app);
	client_answer_head(fd, &a);
	assert_string_equal(a.head.buf, "HTTP/1.1 100 Continue\r\n\r\n");
	answer_finish(&a);
	client_say(fd, "abc");
	client_answer(fd, &a);
	assert_int_equal(a.status, 201);
	answer_finish(&a);
	client_say(fd, PUT("/ten", "3") "Expect: 100-continue\r\n\r\n");
	client_answer_head(fd, &a);
	assert_int_equal(a.status, 100);
	answer_finish(&a);
	expect_status(fd, 200, "abc");
}

static void continue_is_not_sent_for_what_is_refused_or_has_come(void **state)
{
	(void)state;
	run_and_connect();
	expect_status(fd, 200, PUT("/ten", "3") "Expect: 100-continue\r\n\r\nabc");
	client_say(fd, PUT("/later", "3") "Expect: 100-continue\r\n\r\n");
	sem_wait(&app.arrived);
	fixture_call(&f, refuse_later, &app);
	expect_status(fd, 403, "%s", "");
	assert_true(client_at_end(fd));
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(a_route_without_a_body_takes_an_empty_one_only),
		scenario(a_buffered_body_has_its_limit),
		scenario(a_buffered_body_has_a_mebibyte_by_default),
		scenario(a_refused_request_never_sends_its_body),
		scenario(a_stream_needs_its_length),
		scenario(a_stream_arrives_whole_wherever_it_is_cut),
		scenario(a_request_after_a_stream_in_the_same_write_is_served),
		scenario(a_paused_stream_holds_the_peer_back),
		scenario(the_end_of_a_paused_stream_waits_for_resume),
		scenario(a_body_that_came_before_it_was_asked_for_is_kept),
		scenario(a_stream_whose_peer_goes_ends_with_an_error),
		scenario(asking_for_a_body_when_the_peer_has_gone_ends_at_once),
		scenario(a_stream_that_stalls_is_answered_408_and_ends_with_an_error),
		scenario(answering_early_ends_the_stream_and_the_connection),
		scenario(continue_is_sent_when_the_body_is_wanted),
		scenario(continue_is_not_sent_for_what_is_refused_or_has_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
