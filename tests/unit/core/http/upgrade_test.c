// SPDX-License-Identifier: MIT
#include "fixture.h"

#define UPGRADE "GET /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

struct app {
	struct http_request *req;
	uv_tcp_t *stream;
	struct strbuf early;
	bool none; /* http_upgrade() gave nothing */
	sem_t arrived, closed;
};

static void take(void *arg)
{
	struct app *app = arg;
	static char text[] = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
	uv_buf_t hello = uv_buf_init(text, sizeof(text) - 1);

	app->stream = http_upgrade(app->req, &app->early);
	app->none = !app->stream;
	if (app->stream)
		uv_try_write((uv_stream_t *)app->stream, &hello, 1);
}

static void now(struct http_request *req, void *arg)
{
	struct app *app = arg;

	app->req = req;
	take(app);
	sem_post(&app->arrived);
}

static void later(struct http_request *req, void *arg)
{
	struct app *app = arg;

	app->req = req;
	sem_post(&app->arrived);
}

static const struct http_route routes[] = {
	{.method = HTTP_GET, .pattern = "/ws", .handler = now},
	{.method = HTTP_GET, .pattern = "/later", .handler = later},
};

static struct fixture f;
static struct app app;
static int fd;

/* Limits may be changed before run_and_connect(). */
static int start(void **state)
{
	struct http_config config = {.routes = routes, .route_count = countof(routes), .app = &app};

	(void)state;
	memset(&app, 0, sizeof(app));
	strbuf_init(&app.early);
	sem_init(&app.arrived, 0, 0);
	sem_init(&app.closed, 0, 0);
	fixture_init(&f, &config);
	http_server_limits(f.server)->tick_ms = 5;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	http_stream_release((uv_tcp_t *)handle);
	sem_post(&app.closed);
}

static void release(void *arg)
{
	(void)arg;
	uv_close((uv_handle_t *)app.stream, on_closed);
}

static int finish(void **state)
{
	(void)state;
	if (app.stream) {
		fixture_call(&f, release, NULL);
		sem_wait(&app.closed);
	}
	close(fd);
	fixture_finish(&f);
	strbuf_finish(&app.early);
	return 0;
}

static void run_and_connect(void)
{
	fixture_run(&f);
	fd = client_open(&f);
}

static void an_upgrade_hands_over_the_stream_and_what_came_early(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_say(fd, UPGRADE "early bytes");
	client_answer_head(fd, &a);
	assert_int_equal(a.status, 101);
	sem_wait(&app.arrived);
	assert_string_equal(app.early.buf, "early bytes");
	assert_null(app.stream->data);
	assert_int_equal(fixture_stats(&f).by_status[1], 1);
	answer_finish(&a);
}

static void an_upgrade_after_a_head_in_pieces_has_its_early_bytes_once(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_send(fd, UPGRADE, 10);
	fixture_sync(&f);
	client_say(fd, "%sxyz", &UPGRADE[10]);
	client_answer_head(fd, &a);
	sem_wait(&app.arrived);
	assert_string_equal(app.early.buf, "xyz");
	answer_finish(&a);
}

static void an_upgrade_may_come_later(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\nearly");
	sem_wait(&app.arrived);
	client_say(fd, " and late");
	fixture_call(&f, take, &app);
	client_answer_head(fd, &a);
	assert_int_equal(a.status, 101);
	assert_int_equal(strncmp(app.early.buf, "early", 5), 0);
	answer_finish(&a);
}

static void an_upgrade_of_a_peer_that_has_gone_gives_nothing(void **state)
{
	(void)state;
	run_and_connect();
	client_say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	sem_wait(&app.arrived);
	fixture_call(&f, (loop_fn *)http_conn_close, app.req->conn);
	fixture_call(&f, take, &app);
	assert_true(app.none);
	assert_int_equal(fixture_stats(&f).by_status[1], 0);
}

static void an_upgraded_connection_counts_until_it_is_released(void **state)
{
	struct answer a;
	int late;

	(void)state;
	http_server_limits(f.server)->per_address = 1;
	run_and_connect();
	client_say(fd, UPGRADE);
	client_answer_head(fd, &a);
	assert_int_equal(fixture_stats(&f).connections, 1);
	late = client_open(&f);
	assert_true(client_at_end(late));
	close(late);
	fixture_call(&f, release, NULL);
	sem_wait(&app.closed);
	app.stream = NULL;
	assert_int_equal(fixture_stats(&f).connections, 0);
	late = client_open(&f);
	client_say(late, UPGRADE);
	answer_finish(&a);
	client_answer_head(late, &a);
	answer_finish(&a);
	close(late);
}

static void on_drained(void *arg)
{
	(void)arg;
	sem_post(&app.closed);
}

static void drain(void *arg)
{
	(void)arg;
	http_server_drain(f.server, on_drained, NULL);
}

static void draining_does_not_wait_for_upgraded_connections(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_say(fd, UPGRADE);
	client_answer_head(fd, &a);
	fixture_call(&f, drain, NULL);
	sem_wait(&app.closed);
	answer_finish(&a);
}

static void a_stream_may_outlive_its_server(void **state)
{
	struct answer a;

	(void)state;
	run_and_connect();
	client_say(fd, UPGRADE);
	client_answer_head(fd, &a);
	fixture_call(&f, (loop_fn *)http_server_destroy, f.server);
	f.server = NULL;
	fixture_sync(&f);
	answer_finish(&a);
}

static void an_upgraded_stream_is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct http_stream) <= 320);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(an_upgrade_hands_over_the_stream_and_what_came_early),
		scenario(an_upgrade_after_a_head_in_pieces_has_its_early_bytes_once),
		scenario(an_upgrade_may_come_later),
		scenario(an_upgrade_of_a_peer_that_has_gone_gives_nothing),
		scenario(an_upgraded_connection_counts_until_it_is_released),
		scenario(draining_does_not_wait_for_upgraded_connections),
		scenario(a_stream_may_outlive_its_server),
		cmocka_unit_test(an_upgraded_stream_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
