/* SPDX-License-Identifier: MIT
 *
 * HTTP/1.1 server (RFC 9110, RFC 9112): strict, bounded, on the loop's thread alone. The head of a
 * request is read whole before anything looks at it; bodies have a Content-Length; what is odd is
 * refused and the connection closed. Connections persist; the next request waits for its turn.
 *
 * One request is one struct http_request. A handler answers exactly once, at once or later; the
 * request lives until it is answered even when the peer has gone, so that a completion never finds
 * it freed. Then it is the server's again.
 */
#ifndef REQPM_HTTP_H
#define REQPM_HTTP_H

#include "core/base/base.h"
#include "core/base/loop.h"

struct sockaddr;
struct http_server;
struct http_request;

/* ---- limits, each with a test */
#define HTTP_REQUEST_LINE_MAX 8192 /* bytes without CRLF; beyond: 414 */
#define HTTP_HEADERS_MAX_BYTES 32768 /* all fields with their CRLFs; beyond: 431 */
#define HTTP_HEADERS_MAX 100 /* fields; beyond: 431 */
#define HTTP_HEAD_TIMEOUT_MS 10000 /* first byte to blank line: 408; accept to first byte: closed */
#define HTTP_BODY_STALL_MS 30000 /* without a byte of the body: 408 */
#define HTTP_BODY_TIMEOUT_MS 120000 /* for a whole buffered body: 408 */
#define HTTP_PIPELINED_MAX 65536 /* bytes of later requests that are read before their turn */
#define HTTP_IDLE_MS 60000 /* between requests: closed */
/* In this time the peer must take so much of its answer, or the rest when that is less: else reset. Slower lines than 4 kbit/s
 * are none. */
#define HTTP_WRITE_STALL_MS 30000
#define HTTP_WRITE_LEAST 16384
#define HTTP_UNSENT_MAX (128 << 10) /* bytes that the kernel takes before the peer does */
#define HTTP_DRAIN_MS 5000 /* answers under way when the server is drained; then closed */
#define HTTP_LINGER_MS 5000 /* after a closing answer the peer may still read it: then closed */
#define HTTP_LINGER_BYTES 8388608 /* what is thrown away meanwhile; beyond: closed */
/* Upgraded ones count too. An IPv6 /64 is one address. Beyond: closed. */
#define HTTP_CONNECTIONS_PER_ADDRESS_MAX 4096
/* Upgraded ones count too; also so few that each may have a file open besides and 64 of RLIMIT_NOFILE are left. Beyond: not
 * accepted yet. */
#define HTTP_CONNECTIONS_MAX 16000
#define HTTP_JSON_BODY_MAX (1 << 20) /* default for buffered bodies: 413 */
/* Answers, files apart, that slow peers have not taken yet, all together. A GET that would go beyond gets 503 unless its answer is
 * small; what a change has done is told, since only those who may change anything can make it tell much. */
#define HTTP_QUEUED_MAX (256 << 20)
#define HTTP_QUEUED_SMALL 65536
#define HTTP_PARAMS_MAX 8 /* of a pattern */

/* clang-format off */
enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS,
	HTTP_METHOD_COUNT };
/* clang-format on */
const char *http_method_name(enum http_method m);

/* ---- parsing (parser.c): pure, no I/O; also what is fuzzed */
struct http_field {
	const char *name; /* lower case */
	const char *value; /* trimmed, NUL-terminated, no control bytes but tab */
};
struct http_head {
	enum http_method method;
	char *target; /* as sent */
	char *path; /* percent-decoded, begins with '/', no dot segments, no NUL, valid UTF-8 */
	char *query; /* raw, without '?'; "" when none */
	int minor; /* HTTP/1.minor */
	struct http_field fields[HTTP_HEADERS_MAX];
	size_t field_count;
	int64_t content_length; /* bytes; -1: no body */
	bool keep_alive;
	bool expect_continue;
	char *storage; /* owns all of the above */
};
/* data: what was read so far. Returns the bytes of a whole head (with its blank line), 0 when more
 * is needed, or a negative HTTP status to answer and close with (-400, -411, -414, -417, -431,
 * -501, -505); *ret_why is then a static sentence. */
ssize_t http_head_parse(
	const char *data, size_t len, struct http_head *ret_head, const char **ret_why);
void http_head_finish(struct http_head *head);

/* ---- the server (server.c, connection.c) */
typedef void http_handler_fn(struct http_request *req, void *app);
/* Sees every request before its route does: true when it has answered, and it goes no further. */
typedef bool http_guard_fn(struct http_request *req, void *app);

enum http_body {
	HTTP_BODY_NONE, /* a body is refused with 413 (Content-Length: 0 is fine) */
	HTTP_BODY_BUFFER, /* read whole before the handler runs, up to body_max */
	HTTP_BODY_STREAM, /* the handler runs after the head: http_body_read(); no length: 411 */
};
struct http_route {
	enum http_method method;
	/* "/api/builds/:id": ":name" is one segment, a last "*name" the rest, slashes included. */
	const char *pattern;
	http_handler_fn *handler;
	enum http_body body;
	size_t body_max; /* BUFFER: 0 means HTTP_JSON_BODY_MAX */
	bool change; /* is it a change? For the guard: http_request_route() */
};

struct http_config {
	struct loop *loop;
	/* Static. HEAD is served by GET routes; the longest literal match wins. */
	const struct http_route *routes;
	size_t route_count;
	http_guard_fn *guard; /* may be NULL */
	/* GET and HEAD of paths that no route has (the page's); NULL: 404. */
	http_handler_fn *fallback;
	void *app; /* for all handlers */
};
struct http_server *http_server_create(const struct http_config *config);
/* host: a literal address or "localhost" (both loopback addresses; one may be missing). port 0:
 * any, see http_server_port(). May be called again. The error sentence says which address and what
 * to do. */
int http_server_listen(struct http_server *s, const char *host, int port, struct strbuf *err);
/* A listening socket that was bound elsewhere (before privileges were dropped); takes fd. */
int http_server_listen_fd(struct http_server *s, int fd, struct strbuf *err);
int http_server_port(const struct http_server *s);
/* Stops accepting; idle connections close, requests under way are answered, and who is still connected after HTTP_DRAIN_MS is closed.
 * done(arg) on the loop when all are gone and every request is answered: no handler is at work then.
 * Upgraded connections are not the server's any more and not waited for. */
void http_server_drain(struct http_server *s, loop_fn *done, void *arg);
void http_server_destroy(struct http_server *s);

struct http_stats {
	uint64_t requests, refused, connections_total;
	size_t connections;
	uint64_t by_status[6]; /* by first digit */
};
void http_server_stats(const struct http_server *s, struct http_stats *ret_stats);

/* ---- what a handler reads. Pointers live as long as the request; NULL: not sent. */
const struct http_head *http_request_head(const struct http_request *req);
/* NULL in the fallback, and in the guard when no route fits. */
const struct http_route *http_request_route(const struct http_request *req);
const char *http_header(const struct http_request *req, const char *lower_name);
const char *http_param(const struct http_request *req, const char *name); /* decoded */
const char *http_query(struct http_request *req, const char *name); /* decoded */
const char *http_cookie(struct http_request *req, const char *name);
const struct strbuf *http_body(const struct http_request *req); /* BUFFER */
const char *http_peer(const struct http_request *req); /* "127.0.0.1" */
/* Zeroed, freed with the request. */
void *http_request_memory(struct http_request *req, size_t size);
bool http_peer_gone(const struct http_request *req);
/* It sends nothing more: it has gone, or is one of the few that close their side and wait for the answer. */
bool http_peer_ended(const struct http_request *req);

/* STREAM: sends 100 Continue if it was asked for, then data() for each piece and end() once: 0 when
 * the body is complete, negative errno when the peer went away or stalled (then answering is
 * harmless, and still due). Between http_body_pause() and _resume() data() is not called and
 * nothing is read. May call back before it returns. Answering ends the callbacks. data is
 * borrowed. */
typedef void http_data_fn(struct http_request *req, const char *data, size_t len, void *arg);
typedef void http_end_fn(struct http_request *req, int status, void *arg);
void http_body_read(struct http_request *req, http_data_fn *data, http_end_fn *end, void *arg);
void http_body_pause(struct http_request *req);
void http_body_resume(struct http_request *req);

/* ---- what a handler answers; exactly one of these, once; the request is gone when it returns. A
 * body that was not read to its end closes the connection afterwards. Every answer has Date and the
 * security headers, and Cache-Control: no-cache; a header added here replaces its default. Control
 * bytes in value are sent as '_'. */
void http_add_header(struct http_request *req, const char *name, const char *value);
void http_reply(struct http_request *req, int status, const char *content_type, const void *body,
	size_t len);
void http_reply_json(struct http_request *req, int status, struct strbuf *take_json);
/* RFC 9457: type is the last part of a stable URI ("no-such-build"); the status gives the title. */
void http_reply_problem(struct http_request *req, int status, const char *type,
	const char *detail_fmt, ...) PRINTF(4, 5);
/* GET and HEAD: If-Match answered 412 and If-None-Match 304 here: true when answered. etag with quotes, W/ allowed. Adds the ETag
 * header else. What has no ETag needs no call: it fits no If-Match but *, and a change neither: 412 before its handler. */
bool http_reply_condition(struct http_request *req, const char *etag);
/* Would it answer 304, as far as If-None-Match goes? On any thread. */
bool http_etag_known(const struct http_request *req, const char *etag);
/* Sends bytes [0, size) of a file through libuv's pool, with Range (one range, RFC 9110 section 14;
 * 416), If-Range (a strong ETag of http_reply_condition()) and HEAD; takes fd, which must be a regular file. size is fixed by the caller, so that a
 * file that grows is cut there; one that shrank resets the connection. */
void http_reply_file(struct http_request *req, int fd, int64_t size, const char *content_type);

/* ---- upgrades: hands the connection over; the caller (core/ws) writes its 101 to it. NULL when
 * the peer has gone. The returned stream is open and not reading; bytes the peer sent already are
 * appended to ret_early. The request is finished by this call, either way. stream->data is free for
 * the new owner; http_stream_release(stream) in uv_close's callback. It counts for the limits until
 * then, and may outlive http_server_destroy(). */
uv_tcp_t *http_upgrade(struct http_request *req, struct strbuf *ret_early);
void http_stream_release(uv_tcp_t *stream);

/* ---- access (access.c): who may do what, by Host, Origin, token and cookie; knows no app */
struct access_config { /* copied */
	char **public_urls; /* --public-url: "https://build.example.org", no path; may be empty */
	size_t public_url_count;
	char **bound; /* --bind: those that are loopback addresses are listed, as the usual ones always are */
	size_t bound_count;
	int port; /* that loopback names are listed with */
	bool public_read; /* reading is open for every listed Host */
	const char *token; /* the Bearer token */
};
struct access;
struct access *access_create(const struct access_config *config, struct strbuf *err);
void access_destroy(struct access *a);
enum access_right {
	ACCESS_PUBLIC, /* a listed Host and Origin are enough: the page's own files */
	/* A loopback Host from a loopback address that nobody forwarded, or public_read; else signed
	 * in */
	ACCESS_READ,
	ACCESS_CHANGE, /* the Bearer token, or the session cookie with a listed Origin */
};
/* Host is listed (else 421), Origin if sent is listed (else 403), and the right is there (else
 * 401): true, or the problem is answered and false. For upgrades (websocket true) only Host and
 * Origin are answered; a missing right is left to the caller, which accepts and closes 4401. A
 * session cookie counts with a listed Origin; for reading also without one (browsers send none
 * there), unless Sec-Fetch-Site says that another site asks. */
bool access_check(
	struct access *a, struct http_request *req, enum access_right right, bool websocket);
/* Whether the right to read is there, of a request that access_check() let in; answers nothing. */
bool access_may_read(struct access *a, struct http_request *req, bool websocket);
/* By token or session, as for a change: for the page, which shows what one may do. */
bool access_signed_in(struct access *a, struct http_request *req);
/* The one-time code of the URL that `build` and `start` print: valid once, 10 minutes. */
#define ACCESS_CODE_MAX 33
#define ACCESS_CODE_TTL_MS 600000
#define ACCESS_CODES_MAX 64 /* the oldest goes */
#define ACCESS_SESSIONS_MAX 1000 /* the oldest goes */
void access_code_new(struct access *a, char buf[ACCESS_CODE_MAX]);
/* POST of {"code"} (a BUFFER route that the guard lets pass): needs a listed Host and Origin, sets
 * the session cookie and answers 204, or 400, 401, 403, 421. */
void access_login(struct access *a, struct http_request *req);

/* ---- static files (static.c): a folder given with --static-dir (development), blocking work in
 * libuv's pool. Unknown paths without an extension get index.html; ETag; no path or link leaves
 * the folder. */
struct static_dir;
struct static_dir *static_dir_open(const char *path, struct strbuf *err);
void static_dir_close(struct static_dir *d);
void static_dir_serve(struct static_dir *d, struct http_request *req);

#endif
