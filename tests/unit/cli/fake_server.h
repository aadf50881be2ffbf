/* SPDX-License-Identifier: MIT
 *
 * A server in threads of the test, one for each connection, that says what the test wants it to say. A connection has one
 * request.
 */
#ifndef REQPM_FAKE_SERVER_H
#define REQPM_FAKE_SERVER_H

#include "core/base/base.h"

struct fake_request {
	int fd;
	int number; /* of the connection, from 0 on */
	struct strbuf head; /* "GET /api/builds HTTP/1.1\r\n…" */
	struct strbuf body;
	void *arg;
};
typedef void fake_fn(struct fake_request *rq);

struct fake_server;
struct fake_server *fake_start(fake_fn *fn, void *arg);
void fake_stop(struct fake_server *f);
const char *fake_url(const struct fake_server *f); /* "http://127.0.0.1:40001" */

/* Does the request begin like this: "GET /api/builds"? What follows must be a space or a '?'. */
bool fake_is(const struct fake_request *rq, const char *start);
/* Is this line in the head? */
bool fake_has(const struct fake_request *rq, const char *text);
void fake_reply(struct fake_request *rq, const char *status, const char *type, const char *body);
void fake_json(struct fake_request *rq, const char *status, const char *body);
void fake_problem(struct fake_request *rq, const char *status, const char *detail);
void fake_bytes(struct fake_request *rq, const char *status, const void *data, size_t len);
void fake_raw(struct fake_request *rq, const char *text);

void fake_upgrade(struct fake_request *rq); /* answers 101 */
void fake_text(struct fake_request *rq, const char *json);
void fake_close(struct fake_request *rq, int code, const char *reason); /* and waits for the peer */
void fake_wait_gone(struct fake_request *rq); /* reads until the peer hangs up */

#endif
