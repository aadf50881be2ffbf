// SPDX-License-Identifier: MIT
#include "fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/ws/ws.h"

#define CONNECTIONS_MAX 100 /* to one server */

struct fake_server {
	int fd;
	char url[64];
	pthread_t thread;
	fake_fn *fn;
	void *arg;
};

/* ---- requests */

static bool read_some(int fd, struct strbuf *out)
{
	char buf[65536];
	ssize_t got = recv(fd, buf, sizeof(buf), 0);

	if (got > 0)
		strbuf_add(out, buf, (size_t)got);
	return got > 0;
}

static size_t body_length(const struct strbuf *head)
{
	const char *line = strcasestr(head->buf, "\r\ncontent-length:");

	return line ? strtoul(line + 17, NULL, 10) : 0;
}

static bool read_request(struct fake_request *rq)
{
	char *end = NULL;
	size_t want;

	while (!end) {
		if (!read_some(rq->fd, &rq->head))
			return false;
		end = strstr(rq->head.buf, "\r\n\r\n");
	}
	want = (size_t)(end - rq->head.buf) + 4;
	strbuf_add(&rq->body, rq->head.buf + want, rq->head.len - want);
	strbuf_setlen(&rq->head, want);
	want = body_length(&rq->head);
	if (fake_has(rq, "Expect: 100-continue"))
		fake_raw(rq, "HTTP/1.1 100 Continue\r\n\r\n");
	while (rq->body.len < want)
		if (!read_some(rq->fd, &rq->body))
			return false;
	return true;
}

bool fake_is(const struct fake_request *rq, const char *start)
{
	size_t len = strlen(start);

	return !strncmp(rq->head.buf, start, len) && strchr(" ?", rq->head.buf[len]);
}

bool fake_has(const struct fake_request *rq, const char *text)
{
	return strcasestr(rq->head.buf, text) != NULL;
}

/* ---- answers */

static void send_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		at += sent;
		len -= (size_t)sent;
	}
}

static void reply(
	struct fake_request *rq, const char *status, const char *type, const void *body, size_t len)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
		"\r\n",
		status, type, len);
	strbuf_add(&out, body, len);
	send_all(rq->fd, out.buf, out.len);
	strbuf_finish(&out);
}

void fake_reply(struct fake_request *rq, const char *status, const char *type, const char *body)
{
	reply(rq, status, type, body, strlen(body));
}

void fake_json(struct fake_request *rq, const char *status, const char *body)
{
	fake_reply(rq, status, "application/json", body);
}

void fake_problem(struct fake_request *rq, const char *status, const char *detail)
{
	char *body = xasprintf("{\"type\":\"/problems/x\",\"detail\":\"%s\"}", detail);

	fake_reply(rq, status, "application/problem+json", body);
	free(body);
}

void fake_bytes(struct fake_request *rq, const char *status, const void *data, size_t len)
{
	reply(rq, status, "text/plain", data, len);
}

void fake_raw(struct fake_request *rq, const char *text)
{
	send_all(rq->fd, text, strlen(text));
}

/* ---- WebSocket */

void fake_upgrade(struct fake_request *rq)
{
	const char *line = strcasestr(rq->head.buf, "\r\nSec-WebSocket-Key: ");
	char accept[29], *key, *answer;

	if (!line)
		return;
	line += strlen("\r\nSec-WebSocket-Key: ");
	key = xstrndup(line, strcspn(line, "\r"));
	ws_accept_key(key, accept);
	answer = xasprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	fake_raw(rq, answer);
	free(answer);
	free(key);
}

static void send_frame(struct fake_request *rq, enum ws_opcode opcode, const char *data, size_t len)
{
	struct ws_frame *frame = ws_frame_create(opcode, data, len);

	send_all(rq->fd, frame->bytes, frame->len);
	ws_frame_unref(frame);
}

void fake_text(struct fake_request *rq, const char *json)
{
	send_frame(rq, WS_TEXT, json, strlen(json));
}

void fake_wait_gone(struct fake_request *rq)
{
	struct strbuf ignored = STRBUF_INIT;

	while (read_some(rq->fd, &ignored))
		strbuf_reset(&ignored);
	strbuf_finish(&ignored);
}

void fake_close(struct fake_request *rq, int code, const char *reason)
{
	struct strbuf payload = STRBUF_INIT;

	ws_close_payload(&payload, (uint16_t)code, reason);
	send_frame(rq, WS_CLOSE, payload.buf, payload.len);
	strbuf_finish(&payload);
	fake_wait_gone(rq);
}

/* ---- life */

struct connection {
	struct fake_server *server;
	struct fake_request rq;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct connection *c = arg;

	if (read_request(&c->rq))
		c->server->fn(&c->rq);
	shutdown(c->rq.fd, SHUT_WR);
	close(c->rq.fd);
	strbuf_finish(&c->rq.head);
	strbuf_finish(&c->rq.body);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct fake_server *f = arg;
	struct connection *c, connections[CONNECTIONS_MAX];
	int count = 0, fd;

	while ((fd = accept(f->fd, NULL, NULL)) >= 0) {
		if (count == CONNECTIONS_MAX)
			BUG("too many connections for one test");
		c = &connections[count];
		*c = (struct connection){.server = f,
			.rq = {.fd = fd,
				.number = count++,
				.head = STRBUF_INIT,
				.body = STRBUF_INIT,
				.arg = f->arg}};
		if (pthread_create(&c->thread, NULL, serve, c))
			BUG("no thread for a connection");
	}
	for (int i = 0; i < count; i++)
		pthread_join(connections[i].thread, NULL);
	return NULL;
}

struct fake_server *fake_start(fake_fn *fn, void *arg)
{
	struct fake_server *f = xcalloc(1, sizeof(*f));
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	sigset_t all, before;

	f->fn = fn;
	f->arg = arg;
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (f->fd < 0 || bind(f->fd, (struct sockaddr *)&address, len) || listen(f->fd, 16) ||
		getsockname(f->fd, (struct sockaddr *)&address, &len))
		BUG("no socket for the server: %s", strerror(errno));
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	/* Signals are for the thread that runs commands. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (pthread_create(&f->thread, NULL, accept_all, f))
		BUG("no thread for the server");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return f;
}

void fake_stop(struct fake_server *f)
{
	shutdown(f->fd, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(f->fd);
	free(f);
}

const char *fake_url(const struct fake_server *f)
{
	return f->url;
}
