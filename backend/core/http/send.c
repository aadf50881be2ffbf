// SPDX-License-Identifier: MIT
/* Writing: one answer at a time, straight into the socket and queued only as far as the socket is
 * full. */
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include "core/http/http_internal.h"

struct out {
	uv_write_t write;
	struct http_server *server;
	struct http_conn *conn; /* NULL: an interim answer, nothing follows it */
	struct strbuf head, body;
};

static void conn_sent(struct http_conn *c)
{
	if (c->file)
		http_file_next(c->file);
	else
		http_conn_answered(c);
}

static void out_free(struct out *out)
{
	out->server->queued -= out->head.len + out->body.len;
	strbuf_finish(&out->head);
	strbuf_finish(&out->body);
	free(out);
}

/* The connection is there still: it is freed in its stream's close callback, which comes after this
 * one. */
static void on_written(uv_write_t *write, int status)
{
	struct out *out = container_of(write, struct out, write);
	struct http_conn *c = out->conn;

	out_free(out);
	if (!c || c->state == HTTP_CONN_CLOSED)
		return;
	if (status < 0)
		http_conn_close(c);
	else
		conn_sent(c);
}

static void strbuf_move(struct strbuf *to, struct strbuf *from)
{
	*to = *from;
	strbuf_init(from);
}

/* What try_write left over; 0 or negative. */
static int queue_rest(struct http_conn *c, size_t done, bool interim, struct strbuf *take_head,
	struct strbuf *take_body)
{
	struct out *out = xcalloc(1, sizeof(*out));
	size_t from_body = done > take_head->len ? done - take_head->len : 0;
	size_t from_head = done - from_body;
	uv_buf_t bufs[2];
	int r;

	out->server = c->server;
	out->conn = interim ? NULL : c;
	strbuf_move(&out->head, take_head);
	strbuf_move(&out->body, take_body);
	out->server->queued += out->head.len + out->body.len;
	bufs[0] = uv_buf_init(out->head.buf + from_head, (unsigned)(out->head.len - from_head));
	bufs[1] = uv_buf_init(out->body.buf + from_body, (unsigned)(out->body.len - from_body));
	r = uv_write(&out->write, (uv_stream_t *)&c->stream->tcp, bufs, 2, on_written);
	if (r < 0)
		out_free(out);
	return r;
}

/* 1: all is in the socket, 0: a callback will follow, negative: the connection is lost. */
static int send_or_queue(
	struct http_conn *c, bool interim, struct strbuf *take_head, struct strbuf *take_body)
{
	uv_buf_t bufs[2] = {uv_buf_init(take_head->buf, (unsigned)take_head->len),
		uv_buf_init(take_body->buf, (unsigned)take_body->len)};
	unsigned count = take_body->len > 0 ? 2 : 1;
	int r = uv_try_write((uv_stream_t *)&c->stream->tcp, bufs, count);

	if (r < 0 && r != UV_EAGAIN)
		return r;
	if (r >= 0 && (size_t)r == take_head->len + take_body->len)
		return 1;
	return queue_rest(c, r > 0 ? (size_t)r : 0, interim, take_head, take_body);
}

void http_conn_send(struct http_conn *c, struct strbuf *take_head, struct strbuf *take_body)
{
	int r = send_or_queue(c, false, take_head, take_body);

	strbuf_finish(take_head);
	strbuf_finish(take_body);
	if (r < 0)
		http_conn_close(c);
	else if (r > 0)
		conn_sent(c);
}

void http_conn_send_continue(struct http_conn *c)
{
	struct strbuf head = STRBUF_INIT, none = STRBUF_INIT;
	int r;

	strbuf_addstr(&head, "HTTP/1.1 100 Continue\r\n\r\n");
	r = send_or_queue(c, true, &head, &none);
	strbuf_finish(&head);
	if (r < 0)
		http_conn_close(c);
}

void http_conn_answer(struct http_conn *c, bool close_after)
{
	c->state = HTTP_CONN_ANSWERING;
	c->close_after = close_after;
	c->deadline = clock_monotonic_ms() + c->server->limits.write_stall_ms;
	c->body_deadline = INT64_MAX;
	c->unsent = INT64_MAX;
}

bool http_queue_full(const struct http_server *s, size_t len)
{
	return len > HTTP_QUEUED_SMALL && s->queued + len > s->limits.queued_max;
}

static int unacked_bytes(const struct http_conn *c)
{
	uv_os_fd_t fd;
	int bytes = 0;

	if (uv_fileno((uv_handle_t *)&c->stream->tcp, &fd) || ioctl(fd, SIOCOUTQ, &bytes))
		return 0;
	return bytes;
}

/* The peer's time begins again when it has taken enough. One byte now and then is not enough: what waits for it is memory or a
 * descriptor. While the disk is read the peer is not to blame. */
void http_conn_watch_progress(struct http_conn *c, int64_t now)
{
	size_t queue = uv_stream_get_write_queue_size((uv_stream_t *)&c->stream->tcp);
	int64_t unsent = (int64_t)queue + unacked_bytes(c);

	if (c->file)
		unsent += http_file_left(c->file);
	if (queue > 0 && c->unsent - unsent < (int64_t)c->server->limits.write_least)
		return;
	c->unsent = unsent;
	c->deadline = now + c->server->limits.write_stall_ms;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
	(void)status;
	free(shutdown);
}

/* Closing while the peer still sends would make the kernel reset the connection and throw the
 * answer away unread. */
static void conn_linger(struct http_conn *c)
{
	uv_shutdown_t *shutdown = xmalloc(sizeof(*shutdown));

	c->state = HTTP_CONN_LINGERING;
	c->deadline = clock_monotonic_ms() + c->server->limits.linger_ms;
	if (uv_shutdown(shutdown, (uv_stream_t *)&c->stream->tcp, on_shutdown) < 0) {
		free(shutdown);
		http_conn_close(c);
	}
}

void http_conn_answered(struct http_conn *c)
{
	if (c->close_after || c->server->draining) {
		conn_linger(c);
	} else {
		c->state = HTTP_CONN_IDLE;
		c->deadline = clock_monotonic_ms() + c->server->limits.idle_ms;
	}
	http_conn_continue(c);
}

/* The last part of a problem's URI: its title in lower case with dashes. */
static void slug_add(struct strbuf *out, const char *title)
{
	for (; *title; title++)
		strbuf_addch(out, *title == ' ' ? '-' : (char)(*title | 0x20));
}

void http_conn_refuse(struct http_conn *c, int status, const char *why)
{
	struct strbuf head = STRBUF_INIT, body = STRBUF_INIT, type = STRBUF_INIT;

	c->server->stats.refused++;
	c->server->stats.by_status[status / 100]++;
	slug_add(&type, http_status_title(status));
	http_problem_format(&body, status, type.buf, why, NULL);
	http_head_format(
		c->server, &head, status, "application/problem+json", (int64_t)body.len, "", true);
	strbuf_finish(&type);
	http_conn_answer(c, true);
	http_conn_send(c, &head, &body);
}
