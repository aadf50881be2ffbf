/* SPDX-License-Identifier: MIT
 *
 * The way to a server: HTTP requests, the WebSocket, and the link that keeps a WebSocket going over cuts and
 * restarts. Blocking, one thread; all of them stop with -EINTR when the client's wake says so, and with -ETIMEDOUT at
 * its deadline.
 */
#ifndef REQPM_CLI_CLIENT_H
#define REQPM_CLI_CLIENT_H

#include <curl/curl.h>

#include "core/base/json.h"
#include "core/ws/ws.h"

#define CONNECT_TIMEOUT_MS 10000
#define STALL_TIMEOUT_S 60 /* a request in which no byte moves */
#define BODY_MAX (64 << 20) /* bytes of an answer or a message that are kept in memory */
#define SILENCE_MS                                                                                 \
	45000 /* a socket that says nothing for this long is dead: heartbeats come every 20 s */
#define RESTART_MS 2000 /* at least, after 1012 and 1013 */
#define RETRY_MAX_MS 60000 /* a server that asks for more is not heeded */
#define BACKOFF_FIRST_MS 500
#define BACKOFF_LAST_MS 30000
#define SERVER_TIMEOUT_MS (10LL * 60 * 1000) /* default of --server-timeout */

/* ---- where (client.c) */

struct client { /* caller's memory */
	char *base; /* "http://127.0.0.1:8000", no slash at the end */
	char *prefix; /* the path in it: "" or "/reqpm" */
	char *host; /* with the port where it is not the scheme's: the Host header */
	bool loopback;
	char *token; /* NULL: none */
	char *token_from; /* of which token, or why there is none: a part of a sentence */
	CURLM *multi;
	CURL *easy;
	int wake_fd; /* readable: woken() is called, true from it means to stop; -1: none */
	bool (*woken)(void *arg);
	void *wake_arg;
	int64_t server_timeout_ms; /* how long a server that was there may be away */
	int64_t deadline_ms; /* monotonic: nothing waits longer; 0: none */
};
/* -EINVAL: url is no http or https address. data_dir: where the token is when REQPM_TOKEN is not set. */
int client_init(struct client *c, const char *url, const char *data_dir, struct strbuf *err);
void client_finish(struct client *c);
/* What CURL needs to know for any connection to this server. */
void client_prepare(const struct client *c, CURL *easy, const char *path);
/* Waits for fd (-1: none) to be readable (or writable, events as in poll(2)), ms at most: 1 ready, 0 time is
 * up, -EINTR, -ETIMEDOUT. */
int client_wait(const struct client *c, int fd, short events, int64_t ms);
/* Waits for what libcurl waits for: 0, -EINTR, -ETIMEDOUT. */
int client_poll(const struct client *c, CURLM *multi);
/* The sentence for a server that cannot be reached, with the reason that the system or libcurl gives (why), and
 * -ECONNREFUSED. */
int client_unreachable(const struct client *c, CURL *easy, const char *why, struct strbuf *err);

/* ---- requests (http.c) */

struct request {
	const char *method;
	const char *path; /* from "/api" on, encoded */
	const char *json; /* body; NULL: none */
	int64_t upload_size; /* of a body that read() gives; -1: none */
	/* Up to max bytes: how many, 0 at the end, or negative. */
	ssize_t (*read)(void *arg, char *buf, size_t max);
	int (*rewind)(void *arg); /* before each attempt; NULL: nothing to do */
	/* Takes the body of a 2xx answer piece by piece; NULL: it is kept in the reply. Negative ends the request
	 * with that code. */
	int (*write)(void *arg, const char *data, size_t len);
	void *arg;
	int64_t range_from, range_len; /* bytes; len 0: the whole */
};
struct reply {
	long status;
	char *type; /* content type, "" when none */
	struct strbuf body;
};
void reply_finish(struct reply *r); /* of a zeroed one too */

/* 0: the server answered, whatever it said. -ECONNREFUSED: it cannot be reached. -EIO: the answer did not come or was
 * cut. -EINTR: stopped. Other codes are those of read, rewind and write, with their err. */
int client_request(
	struct client *c, const struct request *rq, struct reply *ret, struct strbuf *err);
/* The same for requests that may be sent twice: goes on trying while the server is away or answers 502, 503 or 504,
 * for server_timeout_ms. */
int client_insist(
	struct client *c, const struct request *rq, struct reply *ret, struct strbuf *err);
/* GET of a JSON document. 0; or the exit code that what happened means, and err. ret_body (may be NULL) gets the
 * text. */
int client_get(struct client *c, const char *path, json_t **ret_json, struct strbuf *ret_body,
	struct strbuf *err);
/* The exit code of a negative code from above, or of a reply's status: 0 for 2xx, else err is one sentence. */
/* -EPIPE: our own output takes no more. */
int client_exit_code(int code);
int reply_exit_code(const struct client *c, const struct reply *reply, struct strbuf *err);

/* Appends the bytes of one path segment percent-encoded. */
void path_encode(struct strbuf *out, const char *s, size_t len);

/* ---- the WebSocket (socket.c): RFC 6455 over a connection that libcurl makes */

typedef void socket_message_fn(void *arg, const char *text, size_t len);
struct socket;
/* Connects and shakes hands. -ECONNREFUSED, -EINTR, -EIO as above; -EACCES: 401 or 403; -ENOENT: 404; -EPROTO: what
 * answers speaks no WebSocket; -EBUSY: 5xx. */
int socket_open(struct client *c, const char *path, struct socket **ret, struct strbuf *err);
/* Waits up to ms and hands on what came. 0; -EINTR; -EPIPE: it is closed, socket_code() says how. */
int socket_pump(struct socket *s, int64_t ms, socket_message_fn *fn, void *arg);
int socket_code(const struct socket *s); /* 1006: cut */
const char *socket_reason(const struct socket *s); /* cleaned */
int64_t socket_heard_ms(const struct socket *s); /* monotonic: the last byte */
void socket_close(struct socket *s); /* says goodbye without waiting for an answer; NULL is fine */

/* ---- staying connected (link.c) */

enum close_action {
	CLOSE_FINISHED, /* nothing more will come */
	CLOSE_AGAIN, /* connect again after a back-off */
	CLOSE_LATER, /* connect again after retry_ms */
	CLOSE_OUR_FAULT, /* we broke the protocol */
	CLOSE_DENIED, /* not allowed */
	CLOSE_NOT_SIGNED_IN,
	CLOSE_NOT_FOUND,
};
enum close_action close_action(int code);

struct backoff {
	unsigned tries;
};
/* Full jitter: 0 to 500 ms at first, the bound doubles up to 30 s. random: any 64 bits. */
int64_t backoff_next(struct backoff *b, uint64_t random);
/* How long to wait when the server asked for retry_ms (0: it did not). */
int64_t restart_delay(int64_t retry_ms, uint64_t random);

enum link_verdict {
	LINK_GO_ON,
	LINK_DONE, /* all that was wanted is there */
	LINK_AGAIN, /* something is missing: connect again at once */
	LINK_GARBAGE, /* not what the protocol says: connect again after a back-off */
};
struct link {
	struct client *client;
	bool known_good; /* the server was there a moment ago: a first connection that fails is tried again */
	int64_t tick_ms; /* how often tick() is called at least; 0: never */
	void (*path)(void *arg, struct strbuf *out); /* where to (re)connect */
	/* text is the message as it came. */
	enum link_verdict (*message)(
		void *arg, const json_t *message, const char *text, size_t len);
	void (*state)(
		void *arg, bool connected); /* once per change; not for the first connection */
	void (*tick)(void *arg);
	void *arg;
};
/* Until the end: an exit code, CLI_OK when message() said LINK_DONE or the server closed 1000. err: one sentence when
 * the code is CLI_LOST, CLI_REFUSED or CLI_NO_SUCH_BUILD. */
int link_run(struct link *l, struct strbuf *err);

#endif
