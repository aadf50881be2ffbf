// SPDX-License-Identifier: MIT
#include "core/ws/ws_internal.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define READ_BUFFER 65536
#define PING_BYTES 2 /* of a ping's frame: their way to the peer's kernel is no sign of life */
#define LOOKS 4 /* at a slow peer, in the time that it has: so it gets a quarter more at most */

struct ws_tuning ws_tuning = {
	.ping_ms = WS_PING_MS,
	.pong_ms = WS_PONG_MS,
	.close_ms = WS_CLOSE_MS,
	.stall_ms = WS_STALL_MS,
	.tick_ms = 500,
};
struct ws_stats ws_totals;

void ws_stats(struct ws_stats *ret_stats)
{
	*ret_stats = ws_totals;
}

static uint64_t now_ms(const struct ws_conn *c)
{
	return uv_now(&c->loop->uv);
}

static uv_stream_t *stream_of(const struct ws_conn *c)
{
	return (uv_stream_t *)c->stream;
}

/* ---- the end */

static void conn_free(struct ws_conn *c)
{
	if (c->handlers->on_closed)
		c->handlers->on_closed(c, c->code);
	ws_parser_finish(&c->parser);
	strbuf_finish(&c->tail);
	strbuf_finish(&c->early);
	free(c);
}

static void on_stream_closed(uv_handle_t *handle)
{
	struct ws_conn *c = handle->data;

	wheel_remove(c);
	ws_totals.open--;
	http_stream_release(c->stream);
	conn_free(c);
}

static void conn_drop(struct ws_conn *c, bool reset)
{
	if (c->state == WS_GONE)
		return;
	c->state = WS_GONE;
	if (reset && uv_tcp_close_reset(c->stream, on_stream_closed) == 0)
		return;
	uv_close((uv_handle_t *)c->stream, on_stream_closed);
}

void ws_reset(struct ws_conn *c)
{
	conn_drop(c, true);
}

/* ---- writing: at most one write is queued; control frames wait behind it in tail */

static void rest_free(struct ws_rest *rest)
{
	ws_frame_unref(rest->frame);
	strbuf_finish(&rest->bytes);
	free(rest);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	(void)status;
	free(req);
}

/* Everything is out and both sides have closed: FIN, and what the peer still sends is read and dropped until its own, because
 * closing over unread bytes would reset the connection and could take our close frame with it. */
static void finish_sending(struct ws_conn *c)
{
	uv_shutdown_t *req = xmalloc(sizeof(*req));

	if (uv_shutdown(req, stream_of(c), on_shutdown)) {
		free(req);
		conn_drop(c, false);
	}
}

static int unacked_bytes(const struct ws_conn *c)
{
	uv_os_fd_t fd;
	int bytes = 0;

	if (uv_fileno((uv_handle_t *)c->stream, &fd) || ioctl(fd, SIOCOUTQ, &bytes))
		return 0;
	return bytes;
}

/* Bytes that the peer's kernel has acknowledged, which alone only grows: what waits here and in our kernel goes up and down with
 * what the owner adds, and our kernel takes 64 KiB at a time (TCP_NOTSENT_LOWAT). */
static int64_t acked_bytes(const struct ws_conn *c)
{
	size_t queued = uv_stream_get_write_queue_size(stream_of(c));

	return c->handed - (int64_t)queued - unacked_bytes(c);
}

static void flush_tail(struct ws_conn *c);

static uint64_t sooner(uint64_t at, uint64_t other)
{
	return other && other < at ? other : at;
}

static uint64_t next_look(const struct ws_conn *c)
{
	if (c->early.len)
		return now_ms(c);
	if (c->state != WS_OPEN)
		return c->watch_at;
	return sooner(sooner(c->ping_at, c->pong_by), c->watch_at);
}

/* How long the peer may take nothing of what is queued. When nothing is, our half of the closing handshake is in the kernel: from
 * there it has its time to read and answer it. */
static uint64_t patience(const struct ws_conn *c)
{
	return c->rest ? ws_tuning.stall_ms : ws_tuning.close_ms;
}

static void watch(struct ws_conn *c)
{
	c->acked = acked_bytes(c);
	c->moved_at = now_ms(c);
	c->watch_at = c->moved_at + patience(c) / LOOKS;
	wheel_move(c, next_look(c));
}

static void on_written(uv_write_t *req, int status)
{
	struct ws_rest *rest = container_of(req, struct ws_rest, req);
	struct ws_conn *c = rest->c;

	c->rest = NULL;
	c->watch_at = 0;
	if (status >= 0)
		ws_totals.bytes_sent += rest->len;
	rest_free(rest);
	if (c->state == WS_GONE)
		return;
	if (status < 0) {
		conn_drop(c, false);
		return;
	}
	flush_tail(c);
	if (c->state != WS_OPEN && c->state != WS_GONE && !c->rest)
		watch(c);
	if (ws_writable(c) && c->handlers->on_writable)
		c->handlers->on_writable(c);
}

static void queue_rest(struct ws_conn *c, struct ws_rest *rest, char *data)
{
	uv_buf_t buf = uv_buf_init(data, (unsigned)rest->len);

	rest->c = c;
	c->handed += (int64_t)rest->len;
	if (uv_write(&rest->req, stream_of(c), &buf, 1, on_written)) {
		rest_free(rest);
		conn_drop(c, false);
		return;
	}
	c->rest = rest;
	watch(c);
}

static void queue_frame(struct ws_conn *c, struct ws_frame *f, size_t sent)
{
	struct ws_rest *rest = xcalloc(1, sizeof(*rest));

	rest->frame = ws_frame_ref(f);
	strbuf_init(&rest->bytes);
	rest->len = f->len - sent;
	rest->begun = sent > 0;
	queue_rest(c, rest, (char *)f->bytes + sent);
}

static void queue_bytes(struct ws_conn *c, const char *data, size_t len, bool begun)
{
	struct ws_rest *rest = xcalloc(1, sizeof(*rest));

	strbuf_init(&rest->bytes);
	strbuf_add(&rest->bytes, data, len);
	rest->len = len;
	rest->begun = begun;
	queue_rest(c, rest, rest->bytes.buf);
}

/* Bytes that the socket took, or -1 when it is broken and the connection is going. */
static ssize_t try_write(struct ws_conn *c, const uv_buf_t *bufs, unsigned count)
{
	int r = uv_try_write(stream_of(c), bufs, count);

	if (r == UV_EAGAIN)
		return 0;
	if (r < 0) {
		conn_drop(c, false);
		return -1;
	}
	c->handed += r;
	ws_totals.bytes_sent += (uint64_t)r;
	return r;
}

void ws_conn_raw(struct ws_conn *c, const char *bytes, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
	ssize_t sent = try_write(c, &buf, 1);

	if (sent >= 0 && (size_t)sent < len)
		queue_bytes(c, bytes + sent, len - (size_t)sent, sent > 0);
}

static void flush_tail(struct ws_conn *c)
{
	struct strbuf tail = c->tail;

	if (c->rest || c->state == WS_GONE)
		return;
	strbuf_init(&c->tail);
	c->tail_count = 0;
	if (tail.len)
		ws_conn_raw(c, tail.buf, tail.len);
	strbuf_finish(&tail);
	if (!c->rest && c->state == WS_CLOSE_DONE)
		finish_sending(c);
}

/* Drops the oldest control frame that waits: a pong answers the newest ping best. */
static void send_control(struct ws_conn *c, enum ws_opcode opcode, const void *payload, size_t len)
{
	struct ws_frame *f = ws_frame_create(opcode, payload, len);

	if (c->tail_count == WS_CONTROLS_MAX) {
		strbuf_remove(&c->tail, 0, 2 + (size_t)(uint8_t)c->tail.buf[1]);
		c->tail_count--;
	}
	strbuf_add(&c->tail, f->bytes, f->len);
	c->tail_count++;
	ws_frame_unref(f);
	flush_tail(c);
}

bool ws_writable(const struct ws_conn *c)
{
	return c->state == WS_OPEN && !c->rest;
}

/* The socket is full at the border of two frames. A pong that nobody asked for is queued as the writable event, so that no message is
 * bound to go before the owner knows better. */
static void await_writable(struct ws_conn *c)
{
	static const char pong[2] = {(char)(0x80 | WS_PONG), 0};

	queue_bytes(c, pong, sizeof(pong), false);
}

static size_t account(struct ws_conn *c, struct ws_frame *const *frames, size_t count, size_t sent)
{
	size_t taken = 0;

	while (taken < count && sent >= frames[taken]->len)
		sent -= frames[taken++]->len;
	if (taken < count && sent)
		queue_frame(c, frames[taken++], sent);
	else if (taken < count)
		await_writable(c);
	ws_totals.frames_sent += taken;
	return taken;
}

size_t ws_send(struct ws_conn *c, struct ws_frame *const *frames, size_t count)
{
	uv_buf_t bufs[WS_SEND_MAX];
	ssize_t sent;

	if (count > WS_SEND_MAX)
		count = WS_SEND_MAX;
	if (!count || !ws_writable(c))
		return 0;
	for (size_t i = 0; i < count; i++)
		bufs[i] = uv_buf_init((char *)frames[i]->bytes, (unsigned)frames[i]->len);
	sent = try_write(c, bufs, (unsigned)count);
	return sent < 0 ? 0 : account(c, frames, count, (size_t)sent);
}

/* ---- closing */

static void send_close(struct ws_conn *c, struct ws_frame *last, const void *payload, size_t len,
	enum ws_state next)
{
	struct ws_frame *f = ws_frame_create(WS_CLOSE, payload, len);

	/* Pings and pongs that wait are not needed any more. */
	strbuf_reset(&c->tail);
	c->tail_count = 0;
	if (last)
		strbuf_add(&c->tail, last->bytes, last->len);
	strbuf_add(&c->tail, f->bytes, f->len);
	ws_frame_unref(f);
	c->state = (uint8_t)next;
	flush_tail(c);
	if (c->state != WS_GONE && !c->rest)
		watch(c);
}

void ws_close_after(struct ws_conn *c, struct ws_frame *last, uint16_t code, const char *reason)
{
	struct strbuf payload = STRBUF_INIT;

	if (c->state != WS_OPEN)
		return;
	ws_close_payload(&payload, code, reason);
	send_close(c, last, payload.buf, payload.len, WS_CLOSE_SENT);
	strbuf_finish(&payload);
}

void ws_close(struct ws_conn *c, uint16_t code, const char *reason)
{
	ws_close_after(c, NULL, code, reason);
}

static void fail_connection(struct ws_conn *c, uint16_t code, const char *why)
{
	struct strbuf payload = STRBUF_INIT;

	ws_totals.protocol_errors++;
	if (c->state == WS_CLOSE_SENT) {
		conn_drop(c, false);
		return;
	}
	ws_close_payload(&payload, code, why);
	send_close(c, NULL, payload.buf, payload.len, WS_CLOSE_DONE);
	strbuf_finish(&payload);
}

static void take_close(struct ws_conn *c, const char *payload, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)payload;

	c->code = len ? (uint16_t)(bytes[0] << 8 | bytes[1]) : WS_CLOSE_NO_STATUS;
	if (c->state == WS_OPEN) {
		send_close(c, NULL, payload, len ? 2 : 0, WS_CLOSE_DONE);
		return;
	}
	c->state = WS_CLOSE_DONE;
	flush_tail(c);
}

/* ---- reading */

static void on_message(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	struct ws_conn *c = arg;

	if (opcode == WS_CLOSE && c->state < WS_CLOSE_DONE)
		take_close(c, data, len);
	if (c->state != WS_OPEN)
		return;
	if (opcode == WS_PING)
		send_control(c, WS_PONG, data, len);
	else if (opcode < WS_CLOSE && c->handlers->on_message)
		c->handlers->on_message(c, opcode, data, len);
}

static void feed(struct ws_conn *c, const char *data, size_t len)
{
	const char *why;
	int code;

	c->pong_by = 0;
	if (c->state >= WS_CLOSE_DONE)
		return;
	code = ws_parser_feed(&c->parser, (const uint8_t *)data, len, on_message, c, &why);
	if (code && c->state < WS_CLOSE_DONE)
		fail_connection(c, (uint16_t)code, why);
}

/* One buffer for all: a read is used up before the next one begins. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	static char shared[READ_BUFFER];

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(shared, sizeof(shared));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct ws_conn *c = stream->data;

	if (n < 0)
		conn_drop(c, false);
	else if (n > 0)
		feed(c, buf->base, (size_t)n);
}

static void start_reading(struct ws_conn *c)
{
	if (uv_read_start(stream_of(c), on_alloc, on_read))
		conn_drop(c, false);
}

/* A client has to wait for the 101 before it sends. What came before it is fed at the first look of the wheel, so that the owner
 * hears nothing before it has the connection. */
static void feed_early(struct ws_conn *c)
{
	struct strbuf early = c->early;

	strbuf_init(&c->early);
	feed(c, early.buf, early.len);
	strbuf_finish(&early);
	if (c->state != WS_GONE)
		start_reading(c);
}

/* ---- time */

/* No byte came since the ping. Life is also what the peer's kernel acknowledges besides the ping: behind all that a slow line
 * carries a pong cannot be here in time. */
static void check_pong(struct ws_conn *c, uint64_t now)
{
	int64_t acked = acked_bytes(c);

	if (acked > c->acked_by_ping) {
		c->acked_by_ping = acked;
		c->pong_by = now + ws_tuning.pong_ms;
		return;
	}
	ws_totals.closed_no_pong++;
	conn_drop(c, true);
}

static void stalled(struct ws_conn *c)
{
	size_t queued = uv_stream_get_write_queue_size(stream_of(c));
	bool begun = c->rest->begun || queued < c->rest->len;

	ws_totals.closed_slow++;
	if (c->state == WS_OPEN && c->handlers->on_stalled)
		c->handlers->on_stalled(c, begun);
	else
		conn_drop(c, true);
}

static void check_moving(struct ws_conn *c, uint64_t now)
{
	int64_t acked = acked_bytes(c);
	bool moves = acked > c->acked, late = now >= c->moved_at + patience(c);

	c->acked = acked;
	c->watch_at = now + patience(c) / LOOKS;
	if (moves || late)
		c->moved_at = now;
	if (moves || !late)
		return;
	if (c->rest)
		stalled(c);
	else
		conn_drop(c, false);
}

/* While one is awaited another one would ask nothing new. */
static void send_ping(struct ws_conn *c, uint64_t now)
{
	c->ping_at = now + ws_tuning.ping_ms;
	if (c->pong_by)
		return;
	c->pong_by = now + ws_tuning.pong_ms;
	c->acked_by_ping = acked_bytes(c) + PING_BYTES;
	send_control(c, WS_PING, NULL, 0);
}

uint64_t ws_conn_check(struct ws_conn *c, uint64_t now)
{
	if (c->early.len && c->state != WS_GONE)
		feed_early(c);
	if (c->state != WS_GONE && c->watch_at && now >= c->watch_at)
		check_moving(c, now);
	if (c->state == WS_OPEN && c->pong_by && now >= c->pong_by)
		check_pong(c, now);
	if (c->state == WS_OPEN && now >= c->ping_at)
		send_ping(c, now);
	if (c->state == WS_GONE)
		return now + ws_tuning.close_ms;
	return next_look(c);
}

/* ---- the beginning */

/* Left to itself the kernel takes 4 MB for a peer that reads nothing. What is under way to one who does read is not bounded, as
 * SO_SNDBUF would: a long fast line needs it. */
static void bound_unsent(const struct ws_conn *c)
{
	int max = WS_UNSENT_MAX;
	uv_os_fd_t fd;

	if (!uv_fileno((uv_handle_t *)c->stream, &fd))
		setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &max, sizeof(max));
}

struct ws_conn *ws_conn_create(uv_tcp_t *stream, struct loop *loop, struct strbuf *take_early,
	const char *peer, const struct ws_handlers *handlers, void *data)
{
	struct ws_conn *c = xcalloc(1, sizeof(*c));

	c->stream = stream;
	c->loop = loop;
	c->handlers = handlers;
	c->data = data;
	c->code = WS_CLOSE_ABNORMAL;
	strbuf_init(&c->tail);
	ws_parser_init(&c->parser, true, WS_MESSAGE_MAX);
	strncpy(c->peer, peer, sizeof(c->peer) - 1);
	stream->data = c;
	uv_tcp_nodelay(stream, 1);
	bound_unsent(c);
	c->early = *take_early;
	strbuf_init(take_early);
	list_init(&c->due);
	c->ping_at = now_ms(c) + random_u64() % ws_tuning.ping_ms;
	wheel_add(c, next_look(c));
	ws_totals.open++;
	ws_totals.opened_total++;
	if (!c->early.len)
		start_reading(c);
	return c;
}

void *ws_data(const struct ws_conn *c)
{
	return c->data;
}

const char *ws_peer(const struct ws_conn *c)
{
	return c->peer;
}
