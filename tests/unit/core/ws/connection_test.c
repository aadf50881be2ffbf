// SPDX-License-Identifier: MIT
#include "peer.h"

#include <setjmp.h>
#include <cmocka.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include "core/ws/ws_internal.h"

static struct stage stage;
static struct ws_tuning real;

/* ---- a server's end that writes down what it hears */
static struct {
	struct ws_conn *conn;
	struct strbuf heard; /* "text:hello " */
	int writable, stalled, stalled_begun, closed;
	uint16_t code;
	bool inside; /* a call of ours is under way: on_closed must not come */
	bool close_on_stall;
	size_t refill; /* bytes of the frames that follow whenever there is room, 0: none */
} end;

static int fill(size_t len);

static void on_message(struct ws_conn *c, enum ws_opcode opcode, const char *data, size_t len)
{
	assert_ptr_equal(c, end.conn);
	if (len > 100)
		strbuf_addf(&end.heard, "%d:%zu ", opcode, len);
	else
		strbuf_addf(&end.heard, "%d:%s ", opcode, data);
}

static void on_writable(struct ws_conn *c)
{
	assert_true(ws_writable(c));
	end.writable++;
	if (end.refill)
		fill(end.refill);
}

static void on_stalled(struct ws_conn *c, bool begun)
{
	struct ws_frame *last;

	end.stalled++;
	end.stalled_begun += begun;
	if (!end.close_on_stall)
		return;
	if (begun) {
		end.inside = true;
		ws_reset(c);
		end.inside = false;
		return;
	}
	last = ws_frame_create(WS_TEXT, "last", 4);
	ws_close_after(c, last, WS_CLOSE_TRY_LATER, "too slow");
	ws_frame_unref(last);
}

static void on_closed(struct ws_conn *c, uint16_t code)
{
	assert_ptr_equal(c, end.conn);
	assert_false(end.inside);
	end.closed++;
	end.code = code;
}

static const struct ws_handlers handlers = {
	.on_message = on_message,
	.on_writable = on_writable,
	.on_stalled = on_stalled,
	.on_closed = on_closed,
};

static void open_socket(struct http_request *req, void *app)
{
	(void)app;
	end.conn = ws_accept(req, &stage.loop, &handlers, &end);
}

static const struct http_route routes[] = {
	{.method = HTTP_GET, .pattern = "/ws", .handler = open_socket},
};

/* ---- a client's end likewise */
struct seen {
	struct strbuf text; /* "1:hello 10:pong " */
	size_t bytes;
	int messages, pings, pongs;
};

static void on_seen(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	struct seen *seen = arg;

	seen->bytes += len;
	seen->messages += opcode == WS_TEXT;
	seen->pings += opcode == WS_PING;
	seen->pongs += opcode == WS_PONG;
	if (len <= 100 && opcode != WS_CLOSE)
		strbuf_addf(&seen->text, "%d:%s ", opcode, data);
}

static struct peer p;
static struct seen seen;

static int open_stage(int sndbuf)
{
	real = ws_tuning;
	memset(&end, 0, sizeof(end));
	strbuf_init(&end.heard);
	memset(&seen, 0, sizeof(seen));
	strbuf_init(&seen.text);
	stage_open(&stage, routes, countof(routes), NULL, sndbuf);
	return 0;
}

/* A small buffer on each side, so that a stalled reader is soon felt. */
static int open_small_stage(void **state)
{
	(void)state;
	return open_stage(8192);
}

static int open_kernels_stage(void **state)
{
	(void)state;
	return open_stage(0);
}

static int close_stage(void **state)
{
	(void)state;
	peer_end(&p, true);
	if (end.conn)
		stage_until(&stage, &p, 1, end.closed);
	assert_true(end.closed == !!end.conn);
	stage_close(&stage);
	strbuf_finish(&end.heard);
	strbuf_finish(&seen.text);
	ws_tuning = real;
	return 0;
}

static void connect_peer(void)
{
	peer_connect(&p, stage.port, 4096, on_seen, &seen);
	peer_upgrade(&p, "/ws", NULL);
	stage_until(&stage, &p, 1, p.status == 101);
}

static struct ws_frame *text_frame(size_t len)
{
	char *text = xmalloc(len);
	struct ws_frame *f;

	memset(text, 'x', len);
	f = ws_frame_create(WS_TEXT, text, len);
	free(text);
	return f;
}

/* Sends frames of len bytes until the socket is full; how many it took. */
static int fill(size_t len)
{
	struct ws_frame *f = text_frame(len);
	int sent = 0;

	while (ws_send(end.conn, &f, 1))
		sent++;
	ws_frame_unref(f);
	return sent;
}

/* ---- messages */

static void messages_are_heard_and_pings_answered(void **state)
{
	(void)state;
	connect_peer();
	peer_send(&p, WS_TEXT, "hello", 5);
	peer_send(&p, WS_PING, "are you there", 13);
	peer_send(&p, WS_BINARY, "bytes", 5);
	peer_send(&p, WS_PONG, "unasked", 7);
	stage_until(&stage, &p, 1, seen.pongs && end.heard.len > 10);
	assert_string_equal(end.heard.buf, "1:hello 2:bytes ");
	assert_string_equal(seen.text.buf, "10:are you there ");
}

static void a_message_of_the_limit_passes_and_one_byte_more_is_1009(void **state)
{
	char *text = xcalloc(1, WS_MESSAGE_MAX + 1);

	(void)state;
	memset(text, 'a', WS_MESSAGE_MAX + 1);
	connect_peer();
	peer_send(&p, WS_TEXT, text, WS_MESSAGE_MAX);
	stage_until(&stage, &p, 1, end.heard.len);
	assert_string_equal(end.heard.buf, "1:65536 ");
	peer_send(&p, WS_TEXT, text, WS_MESSAGE_MAX + 1);
	stage_until(&stage, &p, 1, p.closed);
	assert_int_equal(p.closed, 1009);
	free(text);
}

static void what_comes_with_the_handshake_is_heard(void **state)
{
	struct strbuf all = STRBUF_INIT;

	(void)state;
	peer_connect(&p, stage.port, 0, on_seen, &seen);
	strbuf_addstr(&all,
		"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
		"Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	ws_frame_masked(&all, WS_TEXT, "early", 5);
	peer_write(&p, all.buf, all.len);
	stage_until(&stage, &p, 1, end.heard.len);
	assert_string_equal(end.heard.buf, "1:early ");
	strbuf_finish(&all);
}

static void protocol_errors_are_told_by_their_code(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint16_t code;
	} rows[] = {
		{"\x81\x01x", 3, 1002}, /* no mask */
		{"\xc1\x80\0\0\0\0", 6, 1002}, /* RSV1 */
		{"\x83\x80\0\0\0\0", 6, 1002}, /* reserved opcode */
		{"\x81\x81\0\0\0\0\xff", 7, 1007}, /* not UTF-8 */
		{"\x88\x82\0\0\0\0\x03\xed", 8, 1002}, /* 1005 must not travel */
		{"\x81\xff\0\0\0\0\0\x01\0\x01", 10, 1009}, /* 65537 bytes announced */
		{"\x81\xfe\0\x05", 4, 1002}, /* not the shortest length */
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		int before = end.closed;

		connect_peer();
		peer_write(&p, rows[i].bytes, rows[i].len);
		stage_until(&stage, &p, 1, p.gone);
		assert_int_equal(p.closed, rows[i].code);
		assert_int_equal(p.fault, 0);
		peer_end(&p, false);
		stage_until(&stage, &p, 1, end.closed == before + 1);
		assert_int_equal(end.code, 1006);
	}
	end.closed = 1;
}

/* ---- closing */

static void a_close_is_echoed_and_what_follows_is_ignored(void **state)
{
	(void)state;
	connect_peer();
	p.answers = false;
	peer_close_frame(&p, 3999);
	peer_close_frame(&p, 1000);
	peer_send(&p, WS_TEXT, "late", 4);
	peer_send(&p, WS_PING, "late", 4);
	stage_until(&stage, &p, 1, p.gone);
	assert_int_equal(p.closed, 3999);
	assert_string_equal(seen.text.buf, "");
	peer_end(&p, false);
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(end.code, 3999);
	assert_string_equal(end.heard.buf, "");
}

static void an_empty_close_is_echoed_empty(void **state)
{
	(void)state;
	connect_peer();
	peer_send(&p, WS_CLOSE, "", 0);
	stage_until(&stage, &p, 1, p.gone);
	assert_int_equal(p.closed, WS_CLOSE_NO_STATUS);
	peer_end(&p, false);
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(end.code, WS_CLOSE_NO_STATUS);
}

static void our_close_waits_for_the_peers(void **state)
{
	struct ws_frame *f = ws_frame_create(WS_TEXT, "x", 1);

	(void)state;
	connect_peer();
	end.inside = true;
	ws_close(end.conn, WS_CLOSE_GOING_AWAY, "bye");
	ws_close(end.conn, WS_CLOSE_NORMAL, "again");
	assert_int_equal(ws_send(end.conn, &f, 1), 0);
	end.inside = false;
	ws_frame_unref(f);
	stage_until(&stage, &p, 1, p.gone);
	assert_int_equal(p.closed, 1001);
	peer_end(&p, false);
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(end.code, 1001);
}

static void a_peer_that_does_not_close_is_cut(void **state)
{
	(void)state;
	ws_tuning.close_ms = 20;
	ws_tuning.tick_ms = 1;
	connect_peer();
	p.answers = false;
	ws_close(end.conn, WS_CLOSE_NORMAL, NULL);
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(p.closed, 1000);
	assert_int_equal(end.code, 1006);
}

static void a_reset_is_told_later_and_once(void **state)
{
	(void)state;
	connect_peer();
	end.inside = true;
	ws_reset(end.conn);
	ws_reset(end.conn);
	ws_close(end.conn, 1000, NULL);
	end.inside = false;
	assert_int_equal(end.closed, 0);
	stage_until(&stage, &p, 1, end.closed && p.gone);
	assert_int_equal(end.code, 1006);
}

static void a_cut_line_is_1006(void **state)
{
	(void)state;
	connect_peer();
	peer_end(&p, true);
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(end.code, 1006);
}

/* ---- writing */

static void frames_go_in_one_write_and_in_order(void **state)
{
	struct ws_frame *frames[WS_SEND_MAX + 6];
	char digits[24];

	(void)state;
	connect_peer();
	for (size_t i = 0; i < countof(frames); i++) {
		snprintf(digits, sizeof(digits), "%02zu", i);
		frames[i] = ws_frame_create(WS_TEXT, digits, 2);
	}
	assert_int_equal(ws_send(end.conn, frames, countof(frames)), WS_SEND_MAX);
	assert_true(ws_writable(end.conn));
	assert_int_equal(ws_send(end.conn, frames + WS_SEND_MAX, 6), 6);
	stage_until(&stage, &p, 1, seen.messages == (int)countof(frames));
	for (size_t i = 0; i < countof(frames); i++) {
		assert_int_equal(atoi(seen.text.buf + i * 5 + 2), i);
		assert_int_equal(frames[i]->refs, 1);
		ws_frame_unref(frames[i]);
	}
}

static void only_the_frame_that_was_begun_is_held(void **state)
{
	struct ws_frame *frames[8];
	size_t taken, held = 0;
	uint64_t sent_before;

	(void)state;
	connect_peer();
	sent_before = ws_totals.bytes_sent;
	p.stalled = true;
	for (size_t i = 0; i < countof(frames); i++)
		frames[i] = text_frame(50000);
	taken = ws_send(end.conn, frames, countof(frames));
	assert_in_range(taken, 1, countof(frames) - 1);
	assert_false(ws_writable(end.conn));
	assert_int_equal(ws_send(end.conn, frames + taken, 1), 0);
	for (size_t i = 0; i < countof(frames); i++)
		held += frames[i]->refs > 1;
	assert_int_equal(held, 1);
	assert_int_equal(frames[taken - 1]->refs, 2);
	assert_int_equal(end.writable, 0);
	p.stalled = false;
	stage_until(&stage, &p, 1, end.writable);
	assert_int_equal(frames[taken - 1]->refs, 1);
	stage_until(&stage, &p, 1, seen.messages == (int)taken);
	assert_int_equal(p.fault, 0);
	assert_int_equal(ws_totals.bytes_sent - sent_before, taken * frames[0]->len);
	for (size_t i = 0; i < countof(frames); i++)
		ws_frame_unref(frames[i]);
}

static void controls_wait_for_the_frame_that_was_begun_and_the_newest_stay(void **state)
{
	char number[16];
	int sent;

	(void)state;
	connect_peer();
	p.stalled = true;
	sent = fill(50000);
	for (int i = 0; i < WS_CONTROLS_MAX + 5; i++) {
		snprintf(number, sizeof(number), "%02d", i);
		peer_send(&p, WS_PING, number, 2);
	}
	peer_send(&p, WS_TEXT, "end", 3);
	stage_until(&stage, &p, 1, end.heard.len);
	p.stalled = false;
	stage_until(&stage, &p, 1, seen.pongs == WS_CONTROLS_MAX && seen.messages == sent);
	assert_int_equal(p.fault, 0);
	assert_non_null(strstr(seen.text.buf, "10:05 10:06 "));
	assert_null(strstr(seen.text.buf, "10:04 "));
	assert_non_null(strstr(seen.text.buf, "10:20 "));
	stage_until(&stage, &p, 1, ws_writable(end.conn));
}

static void a_close_goes_behind_the_frame_that_was_begun(void **state)
{
	struct ws_frame *last = ws_frame_create(WS_TEXT, "last words", 10);
	int sent;

	(void)state;
	connect_peer();
	p.stalled = true;
	sent = fill(50000);
	ws_close_after(end.conn, last, WS_CLOSE_RESTART, "restarting");
	ws_frame_unref(last);
	p.stalled = false;
	stage_until(&stage, &p, 1, p.gone);
	assert_int_equal(seen.messages, sent + 1);
	assert_string_equal(seen.text.buf, "1:last words ");
	assert_int_equal(p.closed, 1012);
	assert_int_equal(p.fault, 0);
}

/* Reads at most so many bytes every two milliseconds, until it has them or the line has ended. */
static size_t read_slowly(size_t total, size_t step)
{
	size_t read = 0;

	while (read < total && !p.gone) {
		int64_t turn_end = clock_monotonic_ms() + 2;

		while (clock_monotonic_ms() < turn_end)
			stage_turn(&stage);
		read += peer_read(&p, step);
	}
	return read;
}

static void a_close_waits_for_who_reads_slowly(void **state)
{
	int sent;

	(void)state;
	ws_tuning.close_ms = 50;
	ws_tuning.stall_ms = 50;
	ws_tuning.tick_ms = 1;
	connect_peer();
	p.stalled = true;
	sent = fill(50000);
	ws_close(end.conn, WS_CLOSE_NORMAL, "finished");
	p.stalled = false;
	read_slowly(SIZE_MAX, 512);
	assert_int_equal(seen.messages, sent);
	assert_int_equal(p.closed, 1000);
	assert_int_equal(p.fault, 0);
	peer_end(&p, false);
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(end.code, 1000);
}

static void a_close_behind_what_the_kernel_has_waits_as_well(void **state)
{
	struct ws_frame *f = text_frame(40000);

	(void)state;
	ws_tuning.close_ms = 50;
	ws_tuning.tick_ms = 1;
	connect_peer();
	p.stalled = true;
	assert_int_equal(ws_send(end.conn, &f, 1), 1);
	ws_frame_unref(f);
	assert_true(ws_writable(end.conn));
	ws_close(end.conn, WS_CLOSE_NORMAL, "finished");
	assert_null(end.conn->rest);
	p.stalled = false;
	read_slowly(SIZE_MAX, 256);
	assert_int_equal(seen.messages, 1);
	assert_int_equal(p.closed, 1000);
}

static void a_close_does_not_wait_for_who_reads_nothing(void **state)
{
	(void)state;
	ws_tuning.close_ms = 1000000;
	ws_tuning.stall_ms = 50;
	ws_tuning.tick_ms = 1;
	connect_peer();
	p.stalled = true;
	fill(50000);
	ws_close(end.conn, WS_CLOSE_NORMAL, "finished");
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(end.code, 1006);
	assert_int_equal(end.stalled, 0);
}

/* ---- time */

static void a_stalled_peer_is_told_with_its_frame_begun(void **state)
{
	(void)state;
	ws_tuning.stall_ms = 20;
	ws_tuning.tick_ms = 1;
	connect_peer();
	end.close_on_stall = true;
	p.stalled = true;
	fill(50000);
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(end.stalled, 1);
	assert_int_equal(end.stalled_begun, 1);
	assert_int_equal(end.code, 1006);
}

static void a_peer_that_takes_a_little_is_not_stalled(void **state)
{
	size_t all;

	(void)state;
	ws_tuning.stall_ms = 50;
	ws_tuning.tick_ms = 1;
	connect_peer();
	all = 50000 * (size_t)fill(50000);
	read_slowly(all - 8192, 2048);
	assert_int_equal(end.stalled, 0);
}

/* What its kernel took in the first moment is progress, and gives no second time. */
static void a_stall_is_told_soon_after_its_time(void **state)
{
	int64_t began;

	(void)state;
	ws_tuning.stall_ms = 1000;
	ws_tuning.tick_ms = 10;
	connect_peer();
	p.stalled = true;
	began = clock_monotonic_ms();
	fill(50000);
	stage_until(&stage, &p, 1, end.stalled);
	assert_in_range(clock_monotonic_ms() - began, 1000, 1800);
}

/* Of what the kernel holds, it takes the next when half has gone. */
static void a_peer_slower_than_the_kernels_steps_is_not_stalled(void **state)
{
	(void)state;
	ws_tuning.stall_ms = 50;
	ws_tuning.tick_ms = 1;
	connect_peer();
	fill(50000);
	read_slowly(100000, 512);
	assert_int_equal(end.stalled, 0);
	p.stalled = true;
	fill(50000);
	stage_until(&stage, &p, 1, end.stalled);
}

/* True while frames of two bytes find room, which are nothing but borders. */
static bool fill_to_a_border(void)
{
	struct ws_frame *f = ws_frame_create(WS_TEXT, "", 0);

	while (ws_send(end.conn, &f, 1))
		assert_int_equal(f->refs, 1);
	ws_frame_unref(f);
	return true;
}

static void a_stall_between_frames_can_still_be_told(void **state)
{
	(void)state;
	ws_tuning.stall_ms = 20;
	ws_tuning.tick_ms = 1;
	connect_peer();
	end.close_on_stall = true;
	p.stalled = true;
	p.answers = false;
	/* The kernel takes a little more for a while. */
	stage_until(&stage, &p, 1, fill_to_a_border() && end.stalled);
	assert_int_equal(end.stalled_begun, 0);
	p.stalled = false;
	stage_until(&stage, &p, 1, p.gone);
	assert_string_equal(seen.text.buf + seen.text.len - 7, "1:last ");
	assert_int_equal(p.closed, 1013);
	assert_int_equal(p.fault, 0);
}

/* The tests make them small. */
static void the_times_are_those_of_the_header(void **state)
{
	(void)state;
	assert_int_equal(ws_tuning.ping_ms, WS_PING_MS);
	assert_int_equal(ws_tuning.pong_ms, WS_PONG_MS);
	assert_int_equal(ws_tuning.close_ms, WS_CLOSE_MS);
	assert_int_equal(ws_tuning.stall_ms, WS_STALL_MS);
}

static void pings_are_sent_and_a_peer_that_answers_lives(void **state)
{
	(void)state;
	ws_tuning.ping_ms = 10;
	ws_tuning.pong_ms = 5000;
	ws_tuning.tick_ms = 1;
	connect_peer();
	stage_until(&stage, &p, 1, seen.pings >= 5);
	assert_int_equal(end.closed, 0);
}

/* Bytes that the peer's kernel has not acknowledged. */
static int unacked(void)
{
	uv_os_fd_t fd;
	int bytes = 0;

	assert_int_equal(uv_fileno((uv_handle_t *)end.conn->stream, &fd), 0);
	assert_int_equal(ioctl(fd, SIOCOUTQ, &bytes), 0);
	return bytes;
}

/* Its kernel has the ping, which says nothing of it. */
static void a_peer_without_a_pong_is_closed(void **state)
{
	uint64_t before = ws_totals.closed_no_pong, now;

	(void)state;
	ws_tuning.ping_ms = 1000000;
	connect_peer();
	p.answers = false;
	stage_until(&stage, &p, 1, !unacked());
	now = end.conn->ping_at;
	ws_conn_check(end.conn, now);
	stage_until(&stage, &p, 1, seen.pings && !unacked());
	ws_conn_check(end.conn, now + ws_tuning.pong_ms - 1);
	assert_int_equal(end.conn->state, WS_OPEN);
	ws_conn_check(end.conn, now + ws_tuning.pong_ms);
	stage_until(&stage, &p, 1, end.closed);
	assert_int_equal(end.code, 1006);
	assert_int_equal(ws_totals.closed_no_pong, before + 1);
}

static void who_answered_while_we_stood_still_lives(void **state)
{
	int64_t pause;

	(void)state;
	ws_tuning.ping_ms = 5;
	ws_tuning.pong_ms = 40;
	ws_tuning.tick_ms = 1;
	connect_peer();
	p.answers = false;
	while (!seen.pings) {
		stage_turn(&stage);
		peer_read(&p, SIZE_MAX);
	}
	ws_tuning.ping_ms = 1000000;
	peer_send(&p, WS_PONG, "", 0);
	for (pause = clock_monotonic_ms() + 60; clock_monotonic_ms() < pause;)
		;
	for (int i = 0; i < 5; i++)
		stage_turn(&stage);
	assert_int_equal(end.closed, 0);
	assert_int_equal(end.conn->state, WS_OPEN);
}

static void a_pong_behind_data_that_moves_is_waited_for(void **state)
{
	int bytes = 1 << 20;
	uv_os_fd_t fd;
	size_t all, read = 0;

	(void)state;
	ws_tuning.ping_ms = 40;
	ws_tuning.pong_ms = 40;
	ws_tuning.tick_ms = 1;
	connect_peer();
	assert_int_equal(uv_fileno((uv_handle_t *)end.conn->stream, &fd), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	p.answers = false;
	all = 10000 * (size_t)fill(10000);
	while (read < all / 2) {
		int64_t turn_end = clock_monotonic_ms() + 2;

		while (clock_monotonic_ms() < turn_end)
			stage_turn(&stage);
		read += peer_read(&p, 8192);
	}
	assert_int_equal(end.closed, 0);
	/* It stops. */
	p.stalled = true;
	stage_until(&stage, &p, 1, end.closed);
}

static void read_bytes(size_t count)
{
	size_t read = 0;

	for (; read < count && !p.gone; stage_turn(&stage))
		read += peer_read(&p, count - read);
}

/* Its owner keeps the socket full, so that how much waits says nothing of what goes; and a ping is always behind that. The clock is
 * the test's: between two looks more goes than the peer's kernel keeps. */
static void who_takes_a_little_all_the_time_is_waited_for(void **state)
{
	uint64_t now, before = ws_totals.closed_no_pong;

	(void)state;
	ws_tuning.ping_ms = 1000000;
	ws_tuning.pong_ms = 100000;
	ws_tuning.stall_ms = 1000000000;
	connect_peer();
	now = end.conn->ping_at;
	p.answers = false;
	end.refill = 10000;
	fill(end.refill);
	for (int i = 0; i < 30; i++, now += ws_tuning.pong_ms) {
		ws_conn_check(end.conn, now);
		assert_int_equal(end.conn->state, WS_OPEN);
		assert_true(end.conn->pong_by);
		read_bytes(65536);
	}
	/* It stops; what its kernel has room for yet goes. */
	for (; end.conn->state == WS_OPEN; now += ws_tuning.pong_ms) {
		stage_turn(&stage);
		ws_conn_check(end.conn, now);
	}
	assert_int_equal(ws_totals.closed_no_pong, before + 1);
}

/* ---- memory */

static void a_peer_that_reads_nothing_holds_little_of_the_kernels_memory(void **state)
{
	(void)state;
	connect_peer();
	p.stalled = true;
	assert_true(fill(50000) > 0);
	print_message("the kernel holds %d bytes\n", unacked());
	assert_in_range(unacked(), 1, WS_UNSENT_MAX + 65536);
	p.stalled = false;
	stage_until(&stage, &p, 1, end.writable);
}

static void an_idle_connection_fits_its_bound(void **state)
{
	size_t conn, stream;

	(void)state;
	connect_peer();
	peer_send(&p, WS_TEXT, "hello", 5);
	peer_send(&p, WS_PING, "ping", 4);
	stage_until(&stage, &p, 1, seen.pongs);
	conn = malloc_usable_size(end.conn);
	stream = malloc_usable_size(end.conn->stream);
	print_message("connection %zu + stream %zu bytes\n", conn, stream);
	assert_int_equal(end.conn->tail.cap + end.conn->early.cap, 0);
	assert_int_equal(end.conn->parser.message.cap + end.conn->parser.control.cap, 0);
	assert_true(conn + stream <= WS_CONNECTION_BYTES_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_small_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_are_heard_and_pings_answered),
		TEST(a_message_of_the_limit_passes_and_one_byte_more_is_1009),
		TEST(what_comes_with_the_handshake_is_heard),
		TEST(protocol_errors_are_told_by_their_code),
		TEST(a_close_is_echoed_and_what_follows_is_ignored),
		TEST(an_empty_close_is_echoed_empty),
		TEST(our_close_waits_for_the_peers),
		TEST(a_peer_that_does_not_close_is_cut),
		TEST(a_reset_is_told_later_and_once),
		TEST(a_cut_line_is_1006),
		TEST(frames_go_in_one_write_and_in_order),
		TEST(only_the_frame_that_was_begun_is_held),
		TEST(controls_wait_for_the_frame_that_was_begun_and_the_newest_stay),
		TEST(a_close_goes_behind_the_frame_that_was_begun),
		TEST(a_close_waits_for_who_reads_slowly),
		cmocka_unit_test_setup_teardown(a_close_behind_what_the_kernel_has_waits_as_well,
			open_kernels_stage, close_stage),
		TEST(a_close_does_not_wait_for_who_reads_nothing),
		TEST(a_stalled_peer_is_told_with_its_frame_begun),
		TEST(a_stall_is_told_soon_after_its_time),
		TEST(a_peer_that_takes_a_little_is_not_stalled),
		cmocka_unit_test_setup_teardown(a_peer_slower_than_the_kernels_steps_is_not_stalled,
			open_kernels_stage, close_stage),
		TEST(a_stall_between_frames_can_still_be_told),
		cmocka_unit_test(the_times_are_those_of_the_header),
		TEST(pings_are_sent_and_a_peer_that_answers_lives),
		TEST(a_peer_without_a_pong_is_closed),
		TEST(who_answered_while_we_stood_still_lives),
		TEST(a_pong_behind_data_that_moves_is_waited_for),
		TEST(who_takes_a_little_all_the_time_is_waited_for),
		cmocka_unit_test_setup_teardown(who_takes_a_little_all_the_time_is_waited_for,
			open_kernels_stage, close_stage),
		cmocka_unit_test_setup_teardown(
			a_peer_that_reads_nothing_holds_little_of_the_kernels_memory,
			open_kernels_stage, close_stage),
		TEST(an_idle_connection_fits_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
