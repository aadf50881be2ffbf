/* SPDX-License-Identifier: MIT
 *
 * What the files of core/ws share, and what its tests turn. Nobody else includes this.
 */
#ifndef REQPM_WS_INTERNAL_H
#define REQPM_WS_INTERNAL_H

#include "core/ws/ws.h"

/* The times of ws.h, so that a test need not wait for them. */
struct ws_tuning {
	uint64_t ping_ms, pong_ms, close_ms, stall_ms, tick_ms;
};
extern struct ws_tuning ws_tuning;

enum ws_state {
	WS_OPEN,
	WS_CLOSE_SENT, /* ours is out or queued, the peer's is awaited */
	WS_CLOSE_DONE, /* nothing more is read; what is queued goes, then FIN, then the peer's */
	WS_GONE, /* uv_close() was called */
};

/* What the socket did not take at once: the rest of a frame, or control frames. */
struct ws_rest {
	uv_write_t req;
	struct ws_conn *c;
	struct ws_frame *frame; /* NULL: bytes */
	struct strbuf bytes;
	size_t len; /* what was queued */
	bool begun; /* some of the frame had gone before */
};

struct ws_conn {
	struct list due; /* in a slot of the wheel */
	uv_tcp_t *stream;
	struct loop *loop;
	const struct ws_handlers *handlers;
	void *data;
	struct ws_rest *rest; /* NULL: nothing is queued */
	struct strbuf tail; /* finished control frames behind it */
	struct strbuf early; /* what came with the handshake, until it is fed */
	struct ws_parser parser;
	uint64_t ping_at, pong_by; /* uv_now(); pong_by: 0 while not awaited */
	/* Of what is queued, or of our close: the next look at it (0: there is none), the time of the last progress, and the bytes
	 * that the peer had by then. */
	uint64_t watch_at, moved_at;
	int64_t acked;
	int64_t handed; /* bytes written and queued in all */
	int64_t acked_by_ping; /* what the peer has with the ping, or had when the pong was last waited for */
	uint16_t code; /* for on_closed */
	uint8_t state; /* enum ws_state */
	uint8_t tail_count;
	char peer[46];
};

/* stream: open, not reading; taken. early: taken, may be empty. The 101 goes out first. */
struct ws_conn *ws_conn_create(uv_tcp_t *stream, struct loop *loop, struct strbuf *take_early,
	const char *peer, const struct ws_handlers *handlers, void *data);
/* Writes bytes of the handshake. */
void ws_conn_raw(struct ws_conn *c, const char *bytes, size_t len);
/* Looks at what is due; returns when to look again. */
uint64_t ws_conn_check(struct ws_conn *c, uint64_t now);

/* ---- wheel.c: the one timer of all connections. Each connection stands in the slot of its next look; one that is
 * too far away stands in the farthest slot and is looked at early. */
void wheel_add(struct ws_conn *c, uint64_t at);
void wheel_move(struct ws_conn *c, uint64_t at);
void wheel_remove(struct ws_conn *c); /* the last one closes the timer */

extern struct ws_stats ws_totals;

#endif
