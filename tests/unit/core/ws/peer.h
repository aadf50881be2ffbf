/* SPDX-License-Identifier: MIT
 *
 * Test's own: a real HTTP server on a loop, and plain socket clients that are driven on the same thread, so that a test
 * decides what happens when. Nothing here waits: a test turns the loop until what it wants has come.
 */
#ifndef REQPM_TEST_PEER_H
#define REQPM_TEST_PEER_H

#include "core/ws/ws.h"

struct stage { /* the server's side */
	struct loop loop;
	struct http_server *server;
	int port;
};
/* sndbuf: of the server's sockets, 0: the kernel's choice. */
void stage_open(
	struct stage *s, const struct http_route *routes, size_t count, void *app, int sndbuf);
void stage_close(struct stage *s); /* everything that uses the loop is closed already, or closing */
void stage_turn(struct stage *s);

struct peer { /* a client */
	int fd;
	int status; /* of the HTTP answer, 0 before it */
	bool gone; /* EOF or error */
	bool stalled; /* does not read */
	uint16_t closed; /* code of the server's close frame, 0: none came */
	bool answers; /* pings and closes; true by default */
	int fault; /* what our parser says of the server's frames */
	struct strbuf answer;
	struct ws_parser parser;
	ws_message_fn *on_message;
	void *arg;
};
void peer_connect(struct peer *p, int port, int rcvbuf, ws_message_fn *on_message, void *arg);
/* Asks for an upgrade; headers may be NULL or whole lines with \r\n. */
void peer_upgrade(struct peer *p, const char *path, const char *headers);
void peer_write(struct peer *p, const void *data, size_t len);
void peer_send(struct peer *p, enum ws_opcode opcode, const void *payload, size_t len);
void peer_close_frame(struct peer *p, uint16_t code);
size_t peer_read(struct peer *p, size_t max); /* what is there, at most max bytes; how many */
void peer_end(struct peer *p, bool reset);

/* Turns the loop and reads all peers until condition holds; fails the test after some seconds. */
#define stage_until(stage, peers, count, condition)                                                \
	do {                                                                                       \
		int64_t give_up = clock_monotonic_ms() + 20000;                                    \
		while (!(condition)) {                                                             \
			stage_turn(stage);                                                         \
			for (size_t peer_i = 0; peer_i < (count); peer_i++)                        \
				peer_read(&(peers)[peer_i], SIZE_MAX);                             \
			if (clock_monotonic_ms() > give_up)                                        \
				fail_msg("never came: %s", #condition);                            \
		}                                                                                  \
	} while (0)

#endif
