// SPDX-License-Identifier: MIT
#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <strings.h>

#define PATIENCE_S 30 /* a test that waits longer than this has failed */

static void *run(void *arg)
{
	struct fixture *f = arg;

	loop_run(&f->loop);
	return NULL;
}

void fixture_init(struct fixture *f, const struct http_config *config)
{
	struct http_config with_loop = *config;

	signal(SIGPIPE, SIG_IGN); /* as the server does */
	memset(f, 0, sizeof(*f));
	sem_init(&f->ready, 0, 0);
	loop_init(&f->loop);
	with_loop.loop = &f->loop;
	f->server = http_server_create(&with_loop);
}

void fixture_run(struct fixture *f)
{
	struct strbuf err = STRBUF_INIT;

	if (http_server_listen(f->server, "127.0.0.1", 0, &err) < 0)
		fail_msg("%s", err.buf);
	f->port = http_server_port(f->server);
	pthread_create(&f->thread, NULL, run, f);
}

static void stop(void *arg)
{
	struct fixture *f = arg;

	http_server_destroy(f->server); /* NULL when the test did */
	loop_stop(&f->loop);
}

void fixture_finish(struct fixture *f)
{
	loop_post(&f->loop, stop, f);
	pthread_join(f->thread, NULL);
	loop_finish(&f->loop);
	sem_destroy(&f->ready);
}

struct call {
	struct fixture *f;
	loop_fn *fn;
	void *arg;
};

static void on_call(void *arg)
{
	struct call *call = arg;

	call->fn(call->arg);
	sem_post(&call->f->ready);
}

void fixture_call(struct fixture *f, loop_fn *fn, void *arg)
{
	struct call call = {f, fn, arg};

	loop_post(&f->loop, on_call, &call);
	sem_wait(&f->ready);
}

static void nothing(void *arg)
{
	(void)arg;
}

/* What is in a socket's buffer is seen by the same poll as the first wake-up, at the latest. */
void fixture_sync(struct fixture *f)
{
	fixture_call(f, nothing, NULL);
	fixture_call(f, nothing, NULL);
}

struct stats_call {
	struct http_server *server;
	struct http_stats stats;
};

static void on_stats(void *arg)
{
	struct stats_call *call = arg;

	http_server_stats(call->server, &call->stats);
}

struct http_stats fixture_stats(struct fixture *f)
{
	struct stats_call call = {.server = f->server};

	fixture_call(f, on_stats, &call);
	return call.stats;
}

int client_open_from(struct fixture *f, const char *address)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	inet_pton(AF_INET, address, &from.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons((uint16_t)f->port);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

int client_open(struct fixture *f)
{
	return client_open_from(f, "127.0.0.1");
}

void client_send(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
		if (sent < 0)
			fail_msg("send: %s", strerror(errno));
		at += sent;
		len -= (size_t)sent;
	}
}

void client_say(int fd, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	client_send(fd, text.buf, text.len);
	strbuf_finish(&text);
}

bool client_at_end(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, 0);

	if (got < 0 && errno == EAGAIN)
		fail_msg("nothing happened");
	return got == 0 || (got < 0 && (errno == ECONNRESET || errno == EPIPE));
}

void client_answer_head(int fd, struct answer *ret_answer)
{
	struct answer a = {.head = STRBUF_INIT, .body = STRBUF_INIT};
	char byte;

	while (!strstr(a.head.buf, "\r\n\r\n")) {
		ssize_t got = recv(fd, &byte, 1, 0);
		if (got != 1)
			fail_msg("no answer (%s) after <%s>", got < 0 ? strerror(errno) : "end",
				a.head.buf);
		strbuf_addch(&a.head, byte);
	}
	if (sscanf(a.head.buf, "HTTP/1.1 %d ", &a.status) != 1)
		fail_msg("no status in <%s>", a.head.buf);
	*ret_answer = a;
}

void client_answer(int fd, struct answer *ret_answer)
{
	char text[512], piece[65536];
	size_t left;

	client_answer_head(fd, ret_answer);
	left = answer_header(ret_answer, "Content-Length", text) ? strtoul(text, NULL, 10) : 0;
	if (ret_answer->status == 304)
		left = 0;
	while (left > 0) {
		ssize_t got = recv(fd, piece, left < sizeof(piece) ? left : sizeof(piece), 0);
		if (got <= 0)
			fail_msg("the body ends %zu bytes early", left);
		strbuf_add(&ret_answer->body, piece, (size_t)got);
		left -= (size_t)got;
	}
}

const char *answer_header(const struct answer *a, const char *name, char buf[512])
{
	size_t len = strlen(name);
	const char *line = strstr(a->head.buf, "\r\n");

	for (; line; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, len) != 0 || strncmp(line + 2 + len, ": ", 2) != 0)
			continue;
		line += 2 + len + 2;
		snprintf(buf, 512, "%.*s", (int)strcspn(line, "\r"), line);
		return buf;
	}
	return NULL;
}

void answer_finish(struct answer *a)
{
	strbuf_finish(&a->head);
	strbuf_finish(&a->body);
}

void expect_status(int fd, int status, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	struct answer a;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	client_send(fd, text.buf, text.len);
	client_answer(fd, &a);
	if (a.status != status)
		fail_msg("%d instead of %d for <%s>: %s", a.status, status, text.buf, a.body.buf);
	answer_finish(&a);
	strbuf_finish(&text);
}
