// SPDX-License-Identifier: MIT
//
// Peers that take their answers slowly, or not at all: what they may cost, and that the others notice nothing.
#include "fixture.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <time.h>

#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define BIG (32 << 20)

static struct fixture f;
static struct http_request *held;
static sem_t arrived;

static void small(struct http_request *req, void *app)
{
	(void)app;
	http_reply(req, 200, "text/plain", "hello", 5);
}

static void big(struct http_request *req, void *app)
{
	struct strbuf body = STRBUF_INIT;

	(void)app;
	strbuf_grow(&body, BIG);
	memset(body.buf, 'x', BIG);
	body.len = BIG;
	body.buf[body.len] = '\0';
	http_reply_json(req, 200, &body);
}

static void hold(struct http_request *req, void *app)
{
	(void)app;
	held = req;
	sem_post(&arrived);
}

static void answer_held(void *arg)
{
	(void)arg;
	http_reply(held, 200, "text/plain", "too late", 8);
}

static const struct http_route routes[] = {
	{.method = HTTP_GET, .pattern = "/", .handler = small},
	{.method = HTTP_GET, .pattern = "/big", .handler = big},
	{.method = HTTP_POST, .pattern = "/big", .handler = big, .body = HTTP_BODY_BUFFER},
	{.method = HTTP_GET, .pattern = "/held", .handler = hold},
	{.method = HTTP_PUT, .pattern = "/held", .handler = hold, .body = HTTP_BODY_STREAM},
};

/* Limits may be changed before fixture_run(). */
static int start(void **state)
{
	struct http_config config = {.routes = routes, .route_count = countof(routes)};

	(void)state;
	sem_init(&arrived, 0, 0);
	fixture_init(&f, &config);
	http_server_limits(f.server)->tick_ms = 5;
	return 0;
}

static int finish(void **state)
{
	(void)state;
	fixture_finish(&f);
	return 0;
}

/* A client whose kernel takes little for it: that has to be said before it connects. */
static int slow_client(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct timeval patience = {.tv_sec = 30};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), bytes = 4096;

	to.sin_port = htons((uint16_t)f.port);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Bytes that came until the end of the connection, so many each millisecond; at most max. */
static size_t read_slowly(int fd, size_t step, size_t max)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	char piece[65536];
	size_t total = 0;
	ssize_t got;

	while (total < max && (got = recv(fd, piece, step, 0)) > 0) {
		total += (size_t)got;
		nanosleep(&moment, NULL);
	}
	return total;
}

static void look_at_queue(void *arg)
{
	*(size_t *)arg = f.server->queued;
}

static size_t queued(void)
{
	size_t bytes;

	fixture_call(&f, look_at_queue, &bytes);
	return bytes;
}

static void a_little_now_and_then_is_not_enough(void **state)
{
	struct http_limits *limits = http_server_limits(f.server);
	int fd;

	(void)state;
	limits->write_stall_ms = 100;
	limits->write_least = 4 << 20;
	fixture_run(&f);
	fd = slow_client();
	client_say(fd, GET("/big"));
	assert_true(read_slowly(fd, 512, BIG) < BIG);
	close(fd);
}

static void who_takes_enough_goes_on(void **state)
{
	struct http_limits *limits = http_server_limits(f.server);
	int fd;

	(void)state;
	limits->write_stall_ms = 200;
	limits->write_least = 4096;
	fixture_run(&f);
	fd = slow_client();
	client_say(fd, GET("/big"));
	/* For some times the stall, always less than the kernel takes at once. */
	assert_int_equal(read_slowly(fd, 256, 256 << 10), 256 << 10);
	close(fd);
}

static void what_all_slow_peers_are_sent_is_bounded(void **state)
{
	struct answer a;
	char text[512];
	int slow, other;

	(void)state;
	http_server_limits(f.server)->queued_max = BIG + (BIG / 2);
	fixture_run(&f);
	slow = slow_client();
	client_say(slow, GET("/big"));
	while (queued() == 0)
		;
	other = client_open(&f);
	client_say(other, GET("/big"));
	client_answer(other, &a);
	assert_int_equal(a.status, 503);
	assert_non_null(answer_header(&a, "Retry-After", text));
	answer_finish(&a);
	expect_status(other, 200, GET("/"));
	expect_status(other, 200, "POST /big HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
	close(slow);
	while (queued() > 0)
		;
	expect_status(other, 200, GET("/big"));
	close(other);
}

static void look_at_kernel(void *arg)
{
	struct http_conn *c = list_first(&f.server->connections, struct http_conn, link);
	uv_os_fd_t fd;

	uv_fileno((uv_handle_t *)&c->stream->tcp, &fd);
	ioctl(fd, SIOCOUTQ, arg);
}

static void the_kernel_holds_little_for_them(void **state)
{
	int fd, bytes = 0;

	(void)state;
	fixture_run(&f);
	fd = slow_client();
	client_say(fd, GET("/big"));
	while (queued() == 0)
		;
	fixture_call(&f, look_at_kernel, &bytes);
	print_message("the kernel holds %d bytes\n", bytes);
	assert_in_range(bytes, 1, HTTP_UNSENT_MAX + 65536);
	close(fd);
}

static void on_drained(void *arg)
{
	sem_post(arg);
}

static void drain_start(void *arg)
{
	http_server_drain(f.server, on_drained, arg);
}

static void a_drain_does_not_wait_for_them(void **state)
{
	int reader, writer, asker;
	sem_t done;

	(void)state;
	http_server_limits(f.server)->drain_ms = 50;
	sem_init(&done, 0, 0);
	fixture_run(&f);
	reader = slow_client();
	client_say(reader, GET("/big"));
	while (queued() == 0)
		;
	writer = client_open(&f);
	client_say(writer, "PUT /held HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n01234");
	sem_wait(&arrived);
	fixture_call(&f, answer_held, NULL);
	asker = client_open(&f);
	client_say(asker, GET("/held"));
	sem_wait(&arrived);
	fixture_call(&f, drain_start, &done);
	while (fixture_stats(&f).connections > 0)
		;
	/* What the last one asked for is still being worked at. */
	assert_int_equal(sem_trywait(&done), -1);
	fixture_call(&f, answer_held, NULL);
	sem_wait(&done);
	close(reader);
	close(writer);
	close(asker);
}

/* Its handler may use whatever the one who waits will close. */
static void a_drain_waits_for_the_handler_of_who_has_gone(void **state)
{
	const struct linger now = {.l_onoff = 1};
	int asker;
	sem_t done;

	(void)state;
	sem_init(&done, 0, 0);
	fixture_run(&f);
	asker = client_open(&f);
	client_say(asker, GET("/held"));
	sem_wait(&arrived);
	setsockopt(asker, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(asker);
	while (fixture_stats(&f).connections > 0)
		;
	fixture_call(&f, drain_start, &done);
	fixture_sync(&f);
	assert_int_equal(sem_trywait(&done), -1);
	fixture_call(&f, answer_held, NULL);
	sem_wait(&done);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(a_little_now_and_then_is_not_enough),
		scenario(who_takes_enough_goes_on),
		scenario(what_all_slow_peers_are_sent_is_bounded),
		scenario(the_kernel_holds_little_for_them),
		scenario(a_drain_does_not_wait_for_them),
		scenario(a_drain_waits_for_the_handler_of_who_has_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
