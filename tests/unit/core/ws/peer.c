// SPDX-License-Identifier: MIT
#include "peer.h"

#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the server's side */

static int listen_on_loopback(int sndbuf, int *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	/* Accepted sockets inherit it. */
	if (sndbuf)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1000), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

void stage_open(
	struct stage *s, const struct http_route *routes, size_t count, void *app, int sndbuf)
{
	struct http_config config = {
		.loop = &s->loop, .routes = routes, .route_count = count, .app = app};
	struct strbuf err = STRBUF_INIT;
	int fd = listen_on_loopback(sndbuf, &s->port);

	signal(SIGPIPE, SIG_IGN); /* as the server does */
	loop_init(&s->loop);
	s->server = http_server_create(&config);
	if (http_server_listen_fd(s->server, fd, &err))
		fail_msg("%s", err.buf);
	strbuf_finish(&err);
}

void stage_close(struct stage *s)
{
	http_server_destroy(s->server);
	ws_reset_all();
	loop_finish(&s->loop);
}

void stage_turn(struct stage *s)
{
	uv_run(&s->loop.uv, UV_RUN_NOWAIT);
}

/* ---- a client */

static void on_frame(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	struct peer *p = arg;

	if (opcode == WS_CLOSE) {
		p->closed = len ? (uint16_t)((uint8_t)data[0] << 8 | (uint8_t)data[1])
				: WS_CLOSE_NO_STATUS;
		if (p->answers)
			peer_send(p, WS_CLOSE, data, len ? 2 : 0);
	} else if (opcode == WS_PING && p->answers) {
		peer_send(p, WS_PONG, data, len);
	}
	if (p->on_message)
		p->on_message(p->arg, opcode, data, len);
}

void peer_connect(struct peer *p, int port, int rcvbuf, ws_message_fn *on_message, void *arg)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)},
		.sin_port = htons((uint16_t)port),
	};

	*p = (struct peer){
		.answers = true, .on_message = on_message, .arg = arg, .answer = STRBUF_INIT};
	ws_parser_init(&p->parser, false, 64u << 20);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	if (rcvbuf)
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	assert_int_equal(connect(p->fd, (struct sockaddr *)&at, sizeof(at)), 0);
}

void peer_write(struct peer *p, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = send(p->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		/* The server has gone, or does not read any more: as with any network, nobody tells. */
		if (n < 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

void peer_upgrade(struct peer *p, const char *path, const char *headers)
{
	char *request = xasprintf("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
		headers ? headers
			: "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
			  "13\r\n"
			  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");

	peer_write(p, request, strlen(request));
	free(request);
}

void peer_send(struct peer *p, enum ws_opcode opcode, const void *payload, size_t len)
{
	struct strbuf frame = STRBUF_INIT;

	ws_frame_masked(&frame, opcode, payload, len);
	peer_write(p, frame.buf, frame.len);
	strbuf_finish(&frame);
}

void peer_close_frame(struct peer *p, uint16_t code)
{
	struct strbuf payload = STRBUF_INIT;

	ws_close_payload(&payload, code, NULL);
	peer_send(p, WS_CLOSE, payload.buf, payload.len);
	strbuf_finish(&payload);
}

static void feed(struct peer *p, const char *data, size_t len)
{
	const char *why;
	int r = ws_parser_feed(&p->parser, (const uint8_t *)data, len, on_frame, p, &why);

	if (r && !p->fault)
		p->fault = r;
}

/* Until the blank line it is HTTP. */
static void take(struct peer *p, const char *data, size_t len)
{
	const char *end;
	size_t head;

	if (p->status == 101) {
		feed(p, data, len);
		return;
	}
	strbuf_add(&p->answer, data, len);
	end = strstr(p->answer.buf, "\r\n\r\n");
	if (!end)
		return;
	p->status = atoi(p->answer.buf + strlen("HTTP/1.1 "));
	if (p->status != 101)
		return;
	head = (size_t)(end + 4 - p->answer.buf);
	feed(p, p->answer.buf + head, p->answer.len - head);
	strbuf_setlen(&p->answer, head);
}

size_t peer_read(struct peer *p, size_t max)
{
	char buf[16384];
	size_t total = 0;

	while (!p->stalled && !p->gone && total < max) {
		size_t want = max - total < sizeof(buf) ? max - total : sizeof(buf);
		ssize_t n = recv(p->fd, buf, want, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			p->gone = true;
			break;
		}
		total += (size_t)n;
		take(p, buf, (size_t)n);
	}
	return total;
}

void peer_end(struct peer *p, bool reset)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (p->fd < 0)
		return;
	if (reset)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(p->fd);
	p->fd = -1;
	p->gone = true;
	ws_parser_finish(&p->parser);
	strbuf_finish(&p->answer);
}
