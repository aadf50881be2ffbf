/* SPDX-License-Identifier: MIT
 *
 * A real server on a loopback socket: its loop runs on a thread of its own, the test is the client
 * and uses plain blocking sockets. Handlers run on the loop's thread and must not assert.
 */
#ifndef REQPM_TEST_HTTP_FIXTURE_H
#define REQPM_TEST_HTTP_FIXTURE_H

#include "core/http/http_internal.h"

#include <setjmp.h>
#include <cmocka.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: localhost:8000\r\n"

struct fixture {
	struct loop loop;
	struct http_server *server;
	pthread_t thread;
	int port;
	sem_t ready;
};
/* config->loop is set here. Limits may be changed before fixture_run(). */
void fixture_init(struct fixture *f, const struct http_config *config);
void fixture_run(struct fixture *f);
void fixture_finish(struct fixture *f);
/* Runs fn(arg) on the loop and waits for it. */
void fixture_call(struct fixture *f, loop_fn *fn, void *arg);
/* Waits until the loop has read what was sent before. */
void fixture_sync(struct fixture *f);
struct http_stats fixture_stats(struct fixture *f);

int client_open(struct fixture *f);
int client_open_from(struct fixture *f, const char *address);
void client_send(int fd, const void *data, size_t len);
void client_say(int fd, const char *fmt, ...) PRINTF(2, 3);
/* Has the server closed its side, or reset the connection? Waits for something to happen. */
bool client_at_end(int fd);

struct answer {
	int status;
	struct strbuf head; /* with its blank line */
	struct strbuf body;
};
void client_answer(int fd, struct answer *ret_answer);
void client_answer_head(int fd, struct answer *ret_answer); /* no body is expected */
const char *answer_header(
	const struct answer *a, const char *name, char buf[512]); /* NULL: not there */
void answer_finish(struct answer *a);
/* Says what fmt makes, reads the answer, and checks its status. */
void expect_status(int fd, int status, const char *fmt, ...) PRINTF(3, 4);

#endif
