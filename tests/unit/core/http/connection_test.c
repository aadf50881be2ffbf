// SPDX-License-Identifier: MIT
#include "fixture.h"
#include "malformed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>

#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

/* What the routes below share with the tests. */
struct app {
	sem_t arrived;
	struct http_request *held; /* by /held, until answer_held() */
	bool held_gone, held_ended;
};

static void hello(struct http_request *req, void *app)
{
	(void)app;
	http_reply(req, 200, "text/plain", "hello", 5);
}

static void echo(struct http_request *req, void *app)
{
	(void)app;
	http_reply(req, 200, "text/plain", http_body(req)->buf, http_body(req)->len);
}

static void held(struct http_request *req, void *arg)
{
	struct app *app = arg;

	app->held = req;
	sem_post(&app->arrived);
}

static void answer_held(void *arg)
{
	struct app *app = arg;

	app->held_gone = http_peer_gone(app->held);
	app->held_ended = http_peer_ended(app->held);
	http_reply(app->held, 200, "text/plain", "at last", 7);
}

static void fail_held(void *arg)
{
	struct app *app = arg;

	http_reply_problem(app->held, 503, "gone", "nobody hears of it");
}

static void big(struct http_request *req, void *app)
{
	struct strbuf body = STRBUF_INIT;

	(void)app;
	strbuf_grow(&body, 32 << 20);
	memset(body.buf, 'x', 32 << 20);
	body.len = 32 << 20;
	body.buf[body.len] = '\0';
	http_reply_json(req, 200, &body);
}

static const struct http_route routes[] = {
	{.method = HTTP_GET, .pattern = "/", .handler = hello},
	{.method = HTTP_POST, .pattern = "/", .handler = echo, .body = HTTP_BODY_BUFFER},
	{.method = HTTP_GET, .pattern = "/held", .handler = held},
	{.method = HTTP_GET, .pattern = "/big", .handler = big},
};

static struct fixture f;
static struct app app;

/* Limits may be changed before fixture_run(). */
static int start(void **state)
{
	struct http_config config = {.routes = routes, .route_count = countof(routes), .app = &app};

	(void)state;
	app = (struct app){0};
	sem_init(&app.arrived, 0, 0);
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

static int run_and_connect(void)
{
	fixture_run(&f);
	return client_open(&f);
}

/* The tests below make them small. */
static void a_server_begins_with_the_limits_of_its_header(void **state)
{
	const struct http_limits *limits;

	(void)state;
	limits = http_server_limits(f.server);
	assert_int_equal(limits->head_ms, HTTP_HEAD_TIMEOUT_MS);
	assert_int_equal(limits->body_stall_ms, HTTP_BODY_STALL_MS);
	assert_int_equal(limits->body_ms, HTTP_BODY_TIMEOUT_MS);
	assert_int_equal(limits->idle_ms, HTTP_IDLE_MS);
	assert_int_equal(limits->write_stall_ms, HTTP_WRITE_STALL_MS);
	assert_int_equal(limits->linger_ms, HTTP_LINGER_MS);
	assert_int_equal(limits->drain_ms, HTTP_DRAIN_MS);
	assert_int_equal(limits->write_least, HTTP_WRITE_LEAST);
	assert_int_equal(limits->queued_max, HTTP_QUEUED_MAX);
	assert_int_equal(limits->linger_bytes, HTTP_LINGER_BYTES);
	assert_int_equal(limits->per_address, HTTP_CONNECTIONS_PER_ADDRESS_MAX);
	assert_in_range(limits->connections, 1, HTTP_CONNECTIONS_MAX);
	fixture_run(&f);
}

/* ---- requests and connections */

static void a_connection_serves_request_after_request(void **state)
{
	int fd;

	(void)state;
	fd = run_and_connect();
	for (int i = 0; i < 20; i++) {
		expect_status(fd, 200, GET("/"));
		expect_status(fd, 404, GET("/nothing"));
		expect_status(fd, 200, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
	}
	assert_int_equal(fixture_stats(&f).connections_total, 1);
	assert_int_equal(fixture_stats(&f).requests, 60);
	assert_int_equal(fixture_stats(&f).by_status[2], 40);
	assert_int_equal(fixture_stats(&f).by_status[4], 20);
	close(fd);
}

static void a_request_may_be_cut_at_every_byte(void **state)
{
	static const char text[] =
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\nhello world";
	int fd;

	(void)state;
	fd = run_and_connect();
	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		struct answer a;
		client_send(fd, text, cut);
		fixture_sync(&f);
		client_send(fd, text + cut, sizeof(text) - 1 - cut);
		client_answer(fd, &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body.buf, "hello world");
		answer_finish(&a);
	}
	close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct strbuf all = STRBUF_INIT;
	int fd;

	(void)state;
	fd = run_and_connect();
	for (int i = 0; i < 3000; i++)
		strbuf_addf(&all, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n%04d", i);
	client_send(fd, all.buf, all.len);
	for (int i = 0; i < 3000; i++) {
		struct answer a;
		client_answer(fd, &a);
		assert_int_equal(atoi(a.body.buf), i);
		answer_finish(&a);
	}
	strbuf_finish(&all);
	close(fd);
}

static void what_follows_a_request_waits_for_its_answer(void **state)
{
	struct answer a;
	int fd;

	(void)state;
	fd = run_and_connect();
	client_say(fd, GET("/held") GET("/") GET("/nothing"));
	sem_wait(&app.arrived);
	fixture_sync(&f);
	assert_int_equal(fixture_stats(&f).requests, 1);
	fixture_call(&f, answer_held, &app);
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "at last");
	answer_finish(&a);
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "hello");
	answer_finish(&a);
	client_answer(fd, &a);
	assert_int_equal(a.status, 404);
	answer_finish(&a);
	close(fd);
}

static void each_malformed_request_gets_a_problem_and_the_connection_ends(void **state)
{
	(void)state;
	fixture_run(&f);
	for (size_t i = 0; i < countof(malformed); i++) {
		struct answer a;
		char text[512];
		int fd = client_open(&f);
		client_send(fd, malformed[i].data, malformed[i].len);
		client_answer(fd, &a);
		assert_int_equal(a.status, malformed[i].status);
		assert_string_equal(
			answer_header(&a, "Content-Type", text), "application/problem+json");
		assert_string_equal(answer_header(&a, "Connection", text), "close");
		assert_non_null(strstr(a.body.buf, "\"type\":\"/problems/"));
		assert_true(client_at_end(fd));
		answer_finish(&a);
		close(fd);
	}
	assert_int_equal(fixture_stats(&f).requests, 0);
	assert_int_equal(fixture_stats(&f).refused, countof(malformed));
}

static void who_asks_for_close_and_http_1_0_are_closed(void **state)
{
	int fd;

	(void)state;
	fd = run_and_connect();
	expect_status(fd, 200, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	assert_true(client_at_end(fd));
	close(fd);
	fd = client_open(&f);
	expect_status(fd, 200, "GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n");
	assert_true(client_at_end(fd));
	close(fd);
}

struct held_bytes {
	struct http_server *server;
	size_t bytes;
};

static void count_held(void *arg)
{
	struct held_bytes *h = arg;

	h->bytes = http_server_held_bytes(h->server);
}

static size_t held_bytes(void)
{
	struct held_bytes h = {.server = f.server};

	fixture_call(&f, count_held, &h);
	return h.bytes;
}

static void an_idle_connection_holds_no_buffer(void **state)
{
	int fd;

	(void)state;
	fd = run_and_connect();
	client_say(fd, "POST / HTTP/1.1\r\n" HOST "Content");
	fixture_sync(&f);
	assert_true(held_bytes() > 0);
	expect_status(fd, 200, "-Length: 3\r\n\r\nabc");
	assert_int_equal(held_bytes(), 0);
	close(fd);
}

static void later_requests_are_read_so_far_and_no_further(void **state)
{
	static const char later[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 200000\r\n\r\n";
	struct answer a;
	char *body = xcalloc(1, 200001);
	int fd;

	(void)state;
	memset(body, 'b', 200000);
	fd = run_and_connect();
	client_say(fd, GET("/held"));
	sem_wait(&app.arrived);
	/* The first bytes wait already: more comes to them. */
	client_send(fd, later, sizeof(later) - 1);
	fixture_sync(&f);
	client_send(fd, body, 200000);
	while (held_bytes() < HTTP_PIPELINED_MAX)
		;
	fixture_sync(&f);
	assert_in_range(held_bytes(), HTTP_PIPELINED_MAX, 2 * HTTP_PIPELINED_MAX);
	fixture_call(&f, answer_held, &app);
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "at last");
	answer_finish(&a);
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, body);
	answer_finish(&a);
	free(body);
	close(fd);
}

/* ---- peers that go */

static void a_request_outlives_its_peer(void **state)
{
	struct linger hard = {.l_onoff = 1};
	int fd;

	(void)state;
	fd = run_and_connect();
	client_say(fd, GET("/held"));
	sem_wait(&app.arrived);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd); /* a reset */
	fixture_sync(&f);
	assert_int_equal(fixture_stats(&f).connections, 0);
	fixture_call(&f, answer_held, &app);
	assert_true(app.held_gone && app.held_ended);
}

static void a_peer_that_closed_its_half_still_gets_the_answer(void **state)
{
	struct answer a;
	int fd;

	(void)state;
	http_server_limits(f.server)->linger_ms = INT64_MAX / 2;
	fd = run_and_connect();
	client_say(fd, GET("/held"));
	shutdown(fd, SHUT_WR);
	sem_wait(&app.arrived);
	fixture_sync(&f);
	fixture_call(&f, answer_held, &app);
	assert_true(!app.held_gone && app.held_ended);
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "at last");
	assert_true(client_at_end(fd));
	while (fixture_stats(&f).connections > 0) /* there is nothing to linger for */
		;
	answer_finish(&a);
	close(fd);
}

static void a_peer_that_sent_more_and_left_is_seen_to_go(void **state)
{
	struct linger hard = {.l_onoff = 1};

	(void)state;
	fixture_run(&f);
	for (int i = 0; i < 2; i++) {
		int fd = client_open(&f);

		client_say(fd, GET("/held") GET("/"));
		sem_wait(&app.arrived);
		if (i)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fd);
		fixture_sync(&f);
		fixture_call(&f, answer_held, &app);
		assert_true(app.held_ended);
		assert_true(app.held_gone == i);
	}
}

static void what_was_sent_before_the_end_is_answered_before_it(void **state)
{
	static const char *const rests[] = {
		"", "GET / HT", "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc"};
	struct answer a;
	char text[512];

	(void)state;
	fixture_run(&f);
	for (size_t i = 0; i < countof(rests); i++) {
		int fd = client_open(&f);

		client_say(fd, GET("/held") GET("/") GET("/nothing") "%s", rests[i]);
		shutdown(fd, SHUT_WR);
		sem_wait(&app.arrived);
		fixture_sync(&f);
		fixture_call(&f, answer_held, &app);
		assert_true(app.held_ended && !app.held_gone);
		client_answer(fd, &a);
		assert_string_equal(a.body.buf, "at last");
		assert_null(answer_header(&a, "Connection", text));
		answer_finish(&a);
		client_answer(fd, &a);
		assert_string_equal(a.body.buf, "hello");
		answer_finish(&a);
		client_answer(fd, &a);
		assert_int_equal(a.status, 404);
		if (!*rests[i])
			assert_string_equal(answer_header(&a, "Connection", text), "close");
		answer_finish(&a);
		assert_true(client_at_end(fd));
		close(fd);
	}
}

static void who_has_gone_is_answered_nothing_and_nothing_is_counted(void **state)
{
	struct http_stats stats;

	(void)state;
	fixture_run(&f);
	client_say(client_open(&f), GET("/held"));
	sem_wait(&app.arrived);
	fixture_call(&f, (loop_fn *)http_conn_close, app.held->conn);
	fixture_call(&f, fail_held, &app);
	stats = fixture_stats(&f);
	for (size_t i = 0; i < countof(stats.by_status); i++)
		assert_int_equal(stats.by_status[i], 0);
}

static void a_peer_that_ends_amid_a_head_or_a_body_is_let_go(void **state)
{
	(void)state;
	fixture_run(&f);
	for (int i = 0; i < 2; i++) {
		int fd = client_open(&f);
		client_say(fd,
			i ? "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc" : "GET / HT");
		shutdown(fd, SHUT_WR);
		assert_true(client_at_end(fd));
		close(fd);
	}
}

/* ---- times */

static void a_head_that_takes_too_long_is_answered_408(void **state)
{
	int fd;

	(void)state;
	http_server_limits(f.server)->head_ms = 20;
	fd = run_and_connect();
	expect_status(fd, 408, "GET / HTTP/1.1\r\n" HOST);
	assert_true(client_at_end(fd));
	close(fd);
}

static void a_peer_that_says_nothing_is_closed_without_an_answer(void **state)
{
	int fd;

	(void)state;
	http_server_limits(f.server)->head_ms = 20;
	fd = run_and_connect();
	assert_true(client_at_end(fd));
	close(fd);
}

static void an_idle_connection_is_closed(void **state)
{
	int fd;

	(void)state;
	http_server_limits(f.server)->idle_ms = 20;
	fd = run_and_connect();
	expect_status(fd, 200, GET("/"));
	assert_true(client_at_end(fd));
	close(fd);
}

static void a_body_that_stalls_is_answered_408(void **state)
{
	int fd;

	(void)state;
	http_server_limits(f.server)->body_stall_ms = 20;
	fd = run_and_connect();
	expect_status(fd, 408, "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc");
	assert_true(client_at_end(fd));
	close(fd);
}

static void a_buffered_body_that_trickles_is_answered_408(void **state)
{
	struct answer a;
	struct timeval moment = {.tv_usec = 5000};
	int fd, sent = 0;
	char byte;

	(void)state;
	http_server_limits(f.server)->body_ms = 50;
	fd = run_and_connect();
	client_say(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment));
	while (recv(fd, &byte, 1, MSG_PEEK) != 1 && sent++ < 5000)
		client_send(fd, "x", 1);
	client_answer(fd, &a);
	assert_int_equal(a.status, 408);
	answer_finish(&a);
	close(fd);
}

static void an_answer_that_nobody_reads_is_reset(void **state)
{
	int fd;

	(void)state;
	http_server_limits(f.server)->write_stall_ms = 30;
	fd = run_and_connect();
	client_say(fd, GET("/big"));
	while (fixture_stats(&f).connections_total == 0 || fixture_stats(&f).connections > 0)
		;
	close(fd);
}

static void a_slow_reader_gets_the_whole_answer(void **state)
{
	struct answer a;
	int fd;

	(void)state;
	fd = run_and_connect();
	client_say(fd, GET("/big") GET("/"));
	fixture_sync(&f); /* the socket is full, the rest waits */
	client_answer(fd, &a);
	assert_int_equal(a.body.len, 32 << 20);
	answer_finish(&a);
	client_answer(fd, &a);
	assert_string_equal(a.body.buf, "hello");
	answer_finish(&a);
	close(fd);
}

/* ---- lingering */

static void who_still_sends_can_read_the_refusal(void **state)
{
	struct answer a;
	char *body = calloc(1, 4 << 20);
	int fd;

	(void)state;
	fd = run_and_connect();
	client_say(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", 4 << 20);
	client_send(fd, body, 4 << 20);
	client_answer(fd, &a);
	assert_int_equal(a.status, 413);
	assert_true(client_at_end(fd));
	answer_finish(&a);
	free(body);
	close(fd);
}

static void lingering_ends_after_its_time(void **state)
{
	int fd;

	(void)state;
	http_server_limits(f.server)->linger_ms = 20;
	fd = run_and_connect();
	expect_status(fd, 400, "nonsense\r\n");
	while (fixture_stats(&f).connections > 0)
		;
	close(fd);
}

static void lingering_ends_after_so_many_bytes(void **state)
{
	char junk[4096] = {0};
	size_t sent = 0;
	int fd;

	(void)state;
	http_server_limits(f.server)->linger_bytes = 100000;
	http_server_limits(f.server)->linger_ms = INT64_MAX / 2;
	fd = run_and_connect();
	expect_status(fd, 400, "nonsense\r\n");
	while (send(fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0 && sent < 64 << 20)
		sent += sizeof(junk);
	assert_true(errno == EPIPE || errno == ECONNRESET);
	close(fd);
}

/* ---- how many */

static void one_address_has_so_many_connections(void **state)
{
	int fds[3], other, late;

	(void)state;
	http_server_limits(f.server)->per_address = 3;
	fixture_run(&f);
	for (int i = 0; i < 3; i++) {
		fds[i] = client_open(&f);
		expect_status(fds[i], 200, GET("/"));
	}
	late = client_open(&f);
	assert_true(client_at_end(late));
	close(late);
	other = client_open_from(&f, "127.0.0.2");
	expect_status(other, 200, GET("/"));
	close(other);
	close(fds[0]);
	while (fixture_stats(&f).connections > 2)
		;
	fds[0] = client_open(&f);
	expect_status(fds[0], 200, GET("/"));
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void beyond_the_last_connection_peers_wait_for_their_turn(void **state)
{
	struct answer a;
	int fds[2], waiting;

	(void)state;
	http_server_limits(f.server)->connections = 2;
	http_server_limits(f.server)->tick_ms = 3600000; /* no tick wakes them */
	fixture_run(&f);
	for (int i = 0; i < 2; i++) {
		fds[i] = client_open(&f);
		expect_status(fds[i], 200, GET("/"));
	}
	waiting = client_open(&f);
	client_say(waiting, GET("/"));
	fixture_sync(&f);
	assert_int_equal(fixture_stats(&f).connections_total, 2);
	close(fds[0]);
	client_answer(waiting, &a);
	assert_int_equal(a.status, 200);
	answer_finish(&a);
	close(waiting);
	close(fds[1]);
}

static int64_t cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* Takes descriptors until there are no more; returns how many. */
static size_t hoard(int *fds, size_t max)
{
	size_t count = 0;

	while (count < max && (fds[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		count++;
	return count;
}

static void without_descriptors_peers_wait_and_the_loop_rests(void **state)
{
	struct rlimit old, few;
	struct answer a;
	int fds[256], fd;
	struct timeval moment = {.tv_usec = 300000}, patience = {.tv_sec = 30};
	size_t count;
	char byte;
	int64_t cpu;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 128;
	http_server_limits(f.server)->tick_ms = 50;
	fixture_run(&f);
	fd = client_open(&f); /* connected by the kernel, accepted only if a descriptor is left */
	expect_status(fd, 200, GET("/"));
	close(fd);
	while (fixture_stats(&f).connections > 0)
		;
	setrlimit(RLIMIT_NOFILE, &few);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	count = hoard(fds, countof(fds));
	close(fd);
	fd = client_open(&f);
	client_say(fd, GET("/"));
	cpu = cpu_ms();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment));
	assert_int_equal(recv(fd, &byte, 1, MSG_PEEK), -1);
	assert_true(cpu_ms() - cpu < 150);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	client_answer(fd, &a);
	assert_int_equal(a.status, 200);
	answer_finish(&a);
	close(fd);
	setrlimit(RLIMIT_NOFILE, &old);
}

static void descriptors_for_the_rest_of_the_process_are_left_free(void **state)
{
	struct rlimit old, few;

	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 1000;
	setrlimit(RLIMIT_NOFILE, &few);
	start(state);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(http_server_limits(f.server)->connections, (1000 - 64) / 2);
	fixture_run(&f);
	finish(state);
}

/* ---- the end */

struct drain {
	struct fixture *f;
	sem_t done;
};

static void on_drained(void *arg)
{
	sem_post(&((struct drain *)arg)->done);
}

static void drain_start(void *arg)
{
	struct drain *d = arg;

	http_server_drain(d->f->server, on_drained, d);
}

static void draining_closes_the_idle_and_waits_for_answers(void **state)
{
	struct drain d;
	struct answer a;
	char text[512];
	int idle, busy;

	(void)state;
	fixture_run(&f);
	d.f = &f;
	sem_init(&d.done, 0, 0);
	idle = client_open(&f);
	expect_status(idle, 200, GET("/"));
	busy = client_open(&f);
	client_say(busy, GET("/held"));
	sem_wait(&app.arrived);
	fixture_call(&f, drain_start, &d);
	assert_true(client_at_end(idle));
	assert_int_equal(sem_trywait(&d.done), -1);
	fixture_call(&f, answer_held, &app);
	client_answer(busy, &a);
	assert_string_equal(a.body.buf, "at last");
	assert_string_equal(answer_header(&a, "Connection", text), "close");
	assert_true(client_at_end(busy));
	close(idle);
	close(busy);
	sem_wait(&d.done);
	assert_int_equal(fixture_stats(&f).connections, 0);
	answer_finish(&a);
}

static void draining_without_connections_is_done_at_once(void **state)
{
	struct drain d;

	(void)state;
	fixture_run(&f);
	d.f = &f;
	sem_init(&d.done, 0, 0);
	fixture_call(&f, drain_start, &d);
	sem_wait(&d.done);
}

static void a_server_may_be_destroyed_with_everything_under_way(void **state)
{
	int fds[4];

	(void)state;
	fixture_run(&f);
	for (size_t i = 0; i < countof(fds); i++)
		fds[i] = client_open(&f);
	client_say(fds[0], "GET / HT");
	client_say(fds[1], "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc");
	client_say(fds[2], GET("/big"));
	client_say(fds[3], GET("/held"));
	sem_wait(&app.arrived);
	fixture_sync(&f);
	loop_post(&f.loop, (loop_fn *)http_server_destroy, f.server);
	f.server = NULL;
	fixture_call(&f, answer_held, &app);
	assert_true(app.held_gone && app.held_ended);
	for (size_t i = 0; i < countof(fds); i++)
		close(fds[i]);
}

/* ---- listening */

static void a_port_in_use_is_named_with_what_to_do(void **state)
{
	struct strbuf err = STRBUF_INIT;

	(void)state;
	fixture_run(&f);
	assert_int_equal(http_server_listen(f.server, "127.0.0.1", f.port, &err), -EADDRINUSE);
	assert_non_null(strstr(err.buf, "is in use: stop the program"));
	assert_int_equal(http_server_listen(f.server, "localhost", f.port, &err), -EADDRINUSE);
	assert_int_equal(http_server_listen(f.server, "192.0.2.1", 0, &err), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.buf, "192.0.2.1 is no address of this machine"));
	assert_int_equal(http_server_listen(f.server, "example.org", 0, &err), -EINVAL);
	assert_non_null(strstr(err.buf, "example.org"));
	assert_int_equal(http_server_listen(f.server, "127.0.0.1", 65536, &err), -EINVAL);
	strbuf_finish(&err);
}

static void localhost_is_both_loopback_addresses_on_one_port(void **state)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd;

	(void)state;
	assert_int_equal(http_server_listen(f.server, "localhost", 0, NULL), 0);
	fd = run_and_connect(); /* to a third one: the port is that of the first */
	expect_status(fd, 200, GET("/"));
	close(fd);
	six.sin6_port = htons((uint16_t)f.port);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&six, sizeof(six)) == 0)
		expect_status(fd, 200, GET("/"));
	else if (fd >= 0)
		assert_true(errno == EADDRNOTAVAIL || errno == ENETUNREACH);
	close(fd);
}

static void an_ipv6_network_counts_as_one_address(void **state)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6};
	char peer[INET6_ADDRSTRLEN], key[INET6_ADDRSTRLEN];

	(void)state;
	inet_pton(AF_INET6, "2001:db8:1:2:3:4:5:6", &sa.sin6_addr);
	http_address_text((struct sockaddr *)&sa, peer, key);
	assert_string_equal(peer, "2001:db8:1:2:3:4:5:6");
	assert_string_equal(key, "2001:db8:1:2::");
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &sa.sin6_addr);
	http_address_text((struct sockaddr *)&sa, peer, key);
	assert_string_equal(peer, "192.0.2.1");
	assert_string_equal(key, "192.0.2.1");
	inet_pton(AF_INET6, "::1", &sa.sin6_addr);
	http_address_text((struct sockaddr *)&sa, peer, key);
	assert_string_equal(peer, "::1");
	assert_string_equal(key, "::1");
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(a_server_begins_with_the_limits_of_its_header),
		scenario(a_connection_serves_request_after_request),
		scenario(a_request_may_be_cut_at_every_byte),
		scenario(pipelined_requests_are_answered_in_order),
		scenario(what_follows_a_request_waits_for_its_answer),
		scenario(each_malformed_request_gets_a_problem_and_the_connection_ends),
		scenario(who_asks_for_close_and_http_1_0_are_closed),
		scenario(an_idle_connection_holds_no_buffer),
		scenario(later_requests_are_read_so_far_and_no_further),
		scenario(a_request_outlives_its_peer),
		scenario(a_peer_that_sent_more_and_left_is_seen_to_go),
		scenario(what_was_sent_before_the_end_is_answered_before_it),
		scenario(who_has_gone_is_answered_nothing_and_nothing_is_counted),
		scenario(a_peer_that_closed_its_half_still_gets_the_answer),
		scenario(a_peer_that_ends_amid_a_head_or_a_body_is_let_go),
		scenario(a_head_that_takes_too_long_is_answered_408),
		scenario(a_peer_that_says_nothing_is_closed_without_an_answer),
		scenario(an_idle_connection_is_closed),
		scenario(a_body_that_stalls_is_answered_408),
		scenario(a_buffered_body_that_trickles_is_answered_408),
		scenario(an_answer_that_nobody_reads_is_reset),
		scenario(a_slow_reader_gets_the_whole_answer),
		scenario(who_still_sends_can_read_the_refusal),
		scenario(lingering_ends_after_its_time),
		scenario(lingering_ends_after_so_many_bytes),
		scenario(one_address_has_so_many_connections),
		scenario(beyond_the_last_connection_peers_wait_for_their_turn),
		scenario(without_descriptors_peers_wait_and_the_loop_rests),
		cmocka_unit_test(descriptors_for_the_rest_of_the_process_are_left_free),
		scenario(draining_closes_the_idle_and_waits_for_answers),
		scenario(draining_without_connections_is_done_at_once),
		scenario(a_server_may_be_destroyed_with_everything_under_way),
		scenario(a_port_in_use_is_named_with_what_to_do),
		scenario(localhost_is_both_loopback_addresses_on_one_port),
		cmocka_unit_test(an_ipv6_network_counts_as_one_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
