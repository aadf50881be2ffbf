// SPDX-License-Identifier: MIT
/* Reading: heads and bodies, one request after the other. What is written is in send.c. */
#include "core/http/http_internal.h"

static void conn_feed(struct http_conn *c, const char *data, size_t len);
static void conn_read_update(struct http_conn *c);

/* ---- beginning and end */

void http_conn_open(struct http_server *s, struct http_stream *stream, const char *peer)
{
	struct http_conn *c = xcalloc(1, sizeof(*c));

	http_server_ref(s);
	c->server = s;
	c->stream = stream;
	stream->tcp.data = c;
	strbuf_init(&c->in);
	strcpy(c->peer, peer);
	c->state = HTTP_CONN_IDLE;
	c->deadline = clock_monotonic_ms() + s->limits.head_ms;
	c->body_deadline = INT64_MAX;
	list_append(&s->connections, &c->link);
	conn_read_update(c);
}

void http_conn_free(struct http_conn *c)
{
	struct http_server *s = c->server;

	if (c->running || s->walking)
		return;
	list_remove(&c->link);
	strbuf_finish(&c->in);
	free(c);
	http_server_one_less(s);
	http_server_unref(s);
}

static void on_closed(uv_handle_t *handle)
{
	struct http_conn *c = handle->data;

	http_stream_release(&c->stream->tcp);
	c->stream = NULL;
	http_conn_free(c);
}

/* Tells who waits for the body; a request that no handler has seen goes. */
static void request_cut(struct http_request *req, int status)
{
	req->conn = NULL;
	if (!req->handed)
		http_request_free(req);
	else if (req->body_wanted)
		req->on_end(req, status, req->body_arg);
}

static void conn_end(struct http_conn *c, bool reset)
{
	struct http_request *req = c->req;
	struct http_file *file = c->file;

	if (c->state == HTTP_CONN_CLOSED)
		return;
	c->state = HTTP_CONN_CLOSED;
	c->req = NULL;
	c->file = NULL;
	if (!reset || uv_tcp_close_reset(&c->stream->tcp, on_closed) < 0)
		uv_close((uv_handle_t *)&c->stream->tcp, on_closed);
	if (file)
		http_file_abandon(file);
	if (req)
		request_cut(req, -ECONNRESET);
}

void http_conn_close(struct http_conn *c)
{
	conn_end(c, false);
}

void http_conn_reset(struct http_conn *c)
{
	conn_end(c, true);
}

/* ---- reading */

static bool is_stream(const struct http_request *req)
{
	return req->route->body == HTTP_BODY_STREAM;
}

/* Can it go on only with more bytes? */
static bool needs_input(const struct http_conn *c)
{
	switch (c->state) {
	case HTTP_CONN_IDLE:
	case HTTP_CONN_HEAD:
	case HTTP_CONN_LINGERING:
		return true;
	case HTTP_CONN_BODY:
		return !is_stream(c->req) || (c->req->body_wanted && !c->req->body_paused);
	default:
		return false;
	}
}

/* While a request is handled or answered the later ones are read so far, because their end is where the peer's is seen. */
static size_t room_for_later(const struct http_conn *c)
{
	bool waits = c->state == HTTP_CONN_HANDLING || c->state == HTTP_CONN_ANSWERING;

	return waits && c->in.len < HTTP_PIPELINED_MAX ? HTTP_PIPELINED_MAX - c->in.len : 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct http_conn *c = handle->data;
	size_t room = room_for_later(c);

	(void)suggested;
	if (!room || room > HTTP_READ_SIZE)
		room = HTTP_READ_SIZE;
	*buf = uv_buf_init(c->server->read_buffer, (unsigned)room);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct http_conn *c = stream->data;

	if (count > 0) {
		conn_feed(c, buf->base, (size_t)count);
		return;
	}
	if (count == 0)
		return;
	c->peer_ended = true;
	c->reading = false;
	/* Half closed is no sign of being gone: who sends a request and then FIN may still read. */
	if (count != UV_EOF || needs_input(c))
		http_conn_close(c);
}

static void conn_read_update(struct http_conn *c)
{
	bool wanted = (needs_input(c) || room_for_later(c)) && !c->peer_ended;

	if (wanted == c->reading || c->state == HTTP_CONN_CLOSED)
		return;
	c->reading = wanted;
	if (!wanted)
		uv_read_stop((uv_stream_t *)&c->stream->tcp);
	else if (uv_read_start((uv_stream_t *)&c->stream->tcp, on_alloc, on_read) < 0)
		http_conn_close(c);
}

static void conn_consume(struct http_conn *c, size_t len)
{
	c->window += len;
	c->window_len -= len;
}

/* ---- one step of each state: did it get on? */

static bool head_step(struct http_conn *c)
{
	const char *why = "";
	struct http_head head;
	ssize_t len;

	if (c->window_len == 0)
		return false;
	if (c->state == HTTP_CONN_IDLE) {
		c->state = HTTP_CONN_HEAD;
		c->deadline = clock_monotonic_ms() + c->server->limits.head_ms;
	}
	len = http_head_parse(c->window, c->window_len, &head, &why);
	if (len == 0)
		return false;
	if (len < 0) {
		http_conn_refuse(c, (int)-len, why);
		return true;
	}
	conn_consume(c, (size_t)len);
	http_request_dispatch(c, http_request_create(c, &head));
	return true;
}

static void body_complete(struct http_conn *c, struct http_request *req)
{
	c->state = HTTP_CONN_HANDLING;
	c->deadline = c->body_deadline = INT64_MAX;
	req->body_wanted = false;
	if (is_stream(req))
		req->on_end(req, 0, req->body_arg);
	else
		http_request_hand(req);
}

static bool body_step(struct http_conn *c)
{
	struct http_request *req = c->req;
	const char *data = c->window;
	size_t len = c->window_len;

	if (is_stream(req) && (!req->body_wanted || req->body_paused))
		return false;
	if (req->body_left == 0) {
		body_complete(c, req);
		return true;
	}
	if (req->head.expect_continue && !req->continue_sent) {
		req->continue_sent = true;
		if (len == 0)
			http_conn_send_continue(c);
	}
	if (len == 0)
		return false;
	if ((int64_t)len > req->body_left)
		len = (size_t)req->body_left;
	conn_consume(c, len);
	req->body_left -= (int64_t)len;
	c->deadline = clock_monotonic_ms() + c->server->limits.body_stall_ms;
	if (is_stream(req))
		req->on_data(req, data, len, req->body_arg); /* may answer: req may be gone now */
	else
		strbuf_add(&req->body, data, len);
	return true;
}

static bool linger_step(struct http_conn *c)
{
	size_t len = c->window_len;

	conn_consume(c, len);
	c->discarded += len;
	if (c->discarded > c->server->limits.linger_bytes)
		http_conn_close(c);
	return false;
}

/* Did it get on? Then there may be more to do with what is left. */
static bool conn_step(struct http_conn *c)
{
	switch (c->state) {
	case HTTP_CONN_IDLE:
	case HTTP_CONN_HEAD:
		return head_step(c);
	case HTTP_CONN_BODY:
		return body_step(c);
	case HTTP_CONN_LINGERING:
		return linger_step(c);
	default:
		return false;
	}
}

/* Uses what was held back, then data, as far as the state allows; holds the rest back. What
 * handlers do meanwhile (answer, pause, upgrade) only changes the state that this loop looks at, so
 * that pipelined requests cost no stack. */
static void conn_feed(struct http_conn *c, const char *data, size_t len)
{
	bool held = c->in.len > 0;

	if (held)
		strbuf_add(&c->in, data, len);
	c->window = held ? c->in.buf : data;
	c->window_len = held ? c->in.len : len;
	c->running = true;
	while (conn_step(c))
		;
	c->running = false;
	if (c->state == HTTP_CONN_CLOSED) {
		if (!c->stream)
			http_conn_free(c);
		return;
	}
	if (held)
		strbuf_remove(&c->in, 0, c->in.len - c->window_len);
	else
		strbuf_add(&c->in, c->window, c->window_len);
	if (c->in.len == 0)
		strbuf_finish(&c->in);
	c->window = NULL;
	c->window_len = 0;
	if (c->peer_ended && needs_input(c))
		http_conn_close(c);
	else
		conn_read_update(c);
}

bool http_conn_holds_more(const struct http_conn *c)
{
	return c->running ? c->window_len > 0 : c->in.len > 0;
}

void http_conn_continue(struct http_conn *c)
{
	if (!c->running && c->state != HTTP_CONN_CLOSED)
		conn_feed(c, "", 0);
}

void http_conn_body_changed(struct http_conn *c)
{
	bool waits = c->req->body_wanted && !c->req->body_paused;

	c->deadline = waits ? clock_monotonic_ms() + c->server->limits.body_stall_ms : INT64_MAX;
	http_conn_continue(c);
}

/* ---- time */

static void body_stalled(struct http_conn *c)
{
	struct http_request *req = c->req;

	c->req = NULL;
	http_conn_refuse(c, 408, "the body of the request did not arrive in time");
	request_cut(req, -ETIMEDOUT);
}

void http_conn_tick(struct http_conn *c, int64_t now)
{
	if (c->state == HTTP_CONN_ANSWERING)
		http_conn_watch_progress(c, now);
	if (now < c->deadline && now < c->body_deadline)
		return;
	switch (c->state) {
	case HTTP_CONN_HEAD:
		http_conn_refuse(c, 408, "the head of the request did not arrive in time");
		break;
	case HTTP_CONN_BODY:
		body_stalled(c);
		break;
	case HTTP_CONN_ANSWERING:
		http_conn_reset(c);
		break;
	case HTTP_CONN_IDLE:
	case HTTP_CONN_LINGERING:
		http_conn_close(c);
		break;
	case HTTP_CONN_HANDLING:
	case HTTP_CONN_CLOSED:
		break;
	}
}

void http_conn_drain(struct http_conn *c)
{
	if (c->state == HTTP_CONN_IDLE || c->state == HTTP_CONN_LINGERING)
		http_conn_close(c);
}
