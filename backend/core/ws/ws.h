/* SPDX-License-Identifier: MIT
 *
 * WebSocket (RFC 6455): a pure codec for both roles, and the server's side of a connection on the loop's thread.
 *
 * Frames are encoded once and shared: a struct ws_frame is immutable and refcounted (loop thread only). A connection
 * keeps no queue of messages: ws_send() writes what the socket takes now and at most the rest of one frame that
 * was begun; its owner offers the next frames when on_writable says so. So no memory grows with a slow peer.
 */
#ifndef REQPM_WS_H
#define REQPM_WS_H

#include "core/base/base.h"
#include "core/base/loop.h"
#include "core/http/http.h"

#define WS_MESSAGE_MAX 65536 /* bytes of one message from a peer, fragments together: 1009 */
#define WS_FRAGMENTS_MAX 1024 /* frames of one message: 1008 */
#define WS_PING_MS 25000 /* with a random phase per connection */
#define WS_PONG_MS                                                                                 \
	10000 /* after a ping, or again after that: nothing from the peer and nothing taken: closed */
#define WS_CLOSE_MS 5000 /* the peer's half of the closing handshake, once it has read ours */
#define WS_STALL_MS 10000 /* bytes wait and the peer takes none: see on_stalled */
#define WS_SEND_MAX 64 /* frames gathered into one write */
#define WS_UNSENT_MAX                                                                              \
	(128 << 10) /* bytes that the kernel takes before the peer does, and a segment of 64 KiB */
#define WS_CONTROLS_MAX                                                                            \
	16 /* answers to pings that may wait behind a slow socket; beyond: newest wins */

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10
};
enum ws_close {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_NO_STATUS = 1005, /* never sent */
	WS_CLOSE_ABNORMAL = 1006, /* never sent */
	WS_CLOSE_BAD_DATA = 1007,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_INTERNAL = 1011,
	WS_CLOSE_RESTART = 1012,
	WS_CLOSE_TRY_LATER = 1013,
	WS_CLOSE_NOT_SIGNED_IN = 4401,
	WS_CLOSE_NOT_FOUND = 4404,
};

/* ---- codec (codec.c): pure; what is fuzzed */
struct ws_frame { /* finished bytes of one unmasked frame */
	unsigned refs;
	uint32_t head_len; /* bytes before the payload */
	size_t len;
	uint8_t bytes[];
};
struct ws_frame *ws_frame_create(
	enum ws_opcode opcode, const void *payload, size_t len); /* refs 1 */
struct ws_frame *ws_frame_ref(struct ws_frame *f);
void ws_frame_unref(struct ws_frame *f); /* NULL is fine */
/* Appends one masked frame: the client's side. */
void ws_frame_masked(struct strbuf *out, enum ws_opcode opcode, const void *payload, size_t len);
/* Appends code and reason as a close payload. */
void ws_close_payload(struct strbuf *out, uint16_t code, const char *reason);
/* base64(SHA-1(key + GUID)), RFC 6455 section 4.2.2. buf: 29 bytes. */
void ws_accept_key(const char *key, char buf[29]);

/* A whole message or control frame. data is NUL-terminated, borrowed until the callback returns. */
typedef void ws_message_fn(void *arg, enum ws_opcode opcode, const char *data, size_t len);
struct ws_parser { /* caller's memory; fields are the codec's */
	bool expect_masked; /* the server's side expects masked frames, the client's unmasked */
	bool fin, in_payload; /* of the frame at hand */
	uint8_t opcode; /* of the frame at hand */
	uint8_t message_opcode; /* 0: no message begun */
	uint8_t head_len; /* bytes of head so far */
	uint8_t head[14]; /* header of the frame at hand */
	uint8_t mask[4];
	uint16_t failed; /* the close code that ended it */
	unsigned fragments; /* frames of the message at hand */
	uint32_t utf8_state; /* 0: between characters */
	size_t message_max; /* WS_MESSAGE_MAX for a server; a client takes bigger snapshots */
	uint64_t remaining; /* payload bytes of the frame at hand still to come */
	uint64_t payload_at; /* of the frame at hand, for the mask */
	struct strbuf message; /* payload of the message so far; freed after each */
	struct strbuf control; /* payload of the control frame so far */
};
void ws_parser_init(struct ws_parser *p, bool expect_masked, size_t message_max);
void ws_parser_finish(struct ws_parser *p);
/* Feeds bytes; calls back for each whole message, ping, pong and close (payload checked: code valid, reason UTF-8, else
 * 1002/1007). Returns 0, or the close code to fail the connection with, then and ever after; *ret_why is then a static sentence.
 * Text that is not UTF-8 fails at the first bad byte, a message that is too big before its payload is read. The
 * callback must not finish the parser. */
int ws_parser_feed(struct ws_parser *p, const uint8_t *data, size_t len, ws_message_fn *fn,
	void *arg, const char **ret_why);

/* ---- a server's connection (connection.c, handshake.c) */
struct ws_conn;
struct ws_handlers {
	/* Each may be NULL: messages are then ignored, a stalled connection is reset. Ping, pong and close are answered by the connection itself. */
	void (*on_message)(struct ws_conn *c, enum ws_opcode opcode, const char *data, size_t len);
	/* The rest that was queued has gone: offer more. */
	void (*on_writable)(struct ws_conn *c);
	/* WS_STALL_MS without progress while bytes waited. frame_begun: only a reset is left (ws_reset). Else the owner may close. */
	void (*on_stalled)(struct ws_conn *c, bool frame_begun);
	/* Exactly once, last: the owner forgets c. code as RFC 6455 section 7.1.5 defines it (1006: cut). */
	void (*on_closed)(struct ws_conn *c, uint16_t code);
};
/* Checks the opening handshake (section 4.2.1) and answers 101, or a problem (400, 426 with Sec-WebSocket-Version: 13) and NULL. Extensions and
 * subprotocols are declined. The request is finished either way. */
struct ws_conn *ws_accept(struct http_request *req, struct loop *loop,
	const struct ws_handlers *handlers, void *data);
/* Accepts and closes at once with code: how a browser learns of 4401 and 4404. */
void ws_refuse(struct http_request *req, struct loop *loop, uint16_t code, const char *reason);
void *ws_data(const struct ws_conn *c);
const char *ws_peer(const struct ws_conn *c); /* address, for logs */
bool ws_writable(const struct ws_conn *c); /* nothing is queued and it is not closing */
/* Writes frames in order with one gathered write (of at most WS_SEND_MAX) and returns how many it took (0..count). The last one
 * taken may be begun only: its rest is queued by reference. Fewer than offered of one write, or a begun one, means that
 * the socket is full: ws_writable() is false until on_writable. 0 while not writable. */
size_t ws_send(struct ws_conn *c, struct ws_frame *const *frames, size_t count);
/* Starts the closing handshake after what is begun; nothing may be sent afterwards. Idempotent. on_closed follows, never from inside. */
void ws_close(struct ws_conn *c, uint16_t code, const char *reason);
/* The same with a last frame before the close, also while ws_send() takes none. last is borrowed. */
void ws_close_after(struct ws_conn *c, struct ws_frame *last, uint16_t code, const char *reason);
void ws_reset(struct ws_conn *c); /* RST now; on_closed follows, never from inside this call */

/* All connections of the process: for drain, metrics, ping timers (one timer for all, no timer per connection). */
struct ws_stats {
	size_t open;
	uint64_t opened_total, closed_slow, closed_no_pong, frames_sent, bytes_sent,
		protocol_errors;
};
void ws_stats(struct ws_stats *ret_stats);
/* Their owners have closed them, or will: done(arg) on the loop when none is open; who is after WS_CLOSE_MS is reset. */
void ws_drain(struct loop *loop, loop_fn *done, void *arg);
/* Whatever is still open. The loop must turn once more before their owners and before loop_finish(). */
void ws_reset_all(void);
#define WS_CONNECTION_BYTES_MAX                                                                    \
	1024 /* user memory of an idle connection with its uv_tcp_t; checked by a benchmark */

#endif
