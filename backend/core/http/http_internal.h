/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder and their tests share; nobody else includes it. All on the loop's
 * thread.
 *
 * Who owns what: a stream (the socket) belongs to its connection until http_upgrade() hands it over;
 * a connection belongs to the server's list and is freed in its stream's close callback, so that no
 * caller up the stack finds it gone; a request belongs to its handler until it is answered. Each of
 * them holds a reference to the server's memory.
 */
#ifndef REQPM_HTTP_INTERNAL_H
#define REQPM_HTTP_INTERNAL_H

#include <netinet/in.h>
#include "core/base/base.h"
#include "core/http/http.h"

#define HTTP_READ_SIZE 65536 /* one read; one buffer per server */
#define HTTP_FILE_PIECE 131072 /* bytes; one read of a file that is sent */

/* ---- host.c: "name[:port]" of Host, Origin and URLs */
struct http_host {
	char name[256]; /* lower case; IPv6 in brackets, in its shortest form */
	int port; /* -1: none */
};
bool http_host_parse(const char *text, size_t len, struct http_host *ret_host);
bool http_host_is_loopback(const char *name);

/* ---- target.c */
bool http_token_valid(const char *s, size_t len); /* RFC 9110 section 5.6.2 */
/* Bytes that may stand in a request target, and whole percent-encodings. 0 or -400. */
int http_target_check(const char *path, size_t path_len, const char *query, const char **ret_why);
/* Writes the decoded path and its NUL to out (at least len + 1 bytes). 0 or -400. */
int http_path_decode(const char *path, size_t len, char *out, const char **ret_why);
/* Decodes a part of a query in place ('+' is a space); its encodings were checked. */
void http_query_decode(char *text);

/* ---- server.c, listener.c */
struct http_limits { /* the limits of http.h; tests make them small */
	int64_t head_ms, body_stall_ms, body_ms, idle_ms, write_stall_ms, linger_ms, drain_ms,
		tick_ms;
	size_t write_least, queued_max, linger_bytes, per_address, connections;
};

struct http_address {
	size_t connections;
	char key[INET6_ADDRSTRLEN]; /* the address; of IPv6 its /64 */
};

struct http_stream {
	uv_tcp_t tcp; /* first: the stream that http_upgrade() returns */
	struct http_server *server;
	struct http_address *address;
};

struct http_listener {
	uv_poll_t poll;
	struct list link;
	struct http_server *server;
	int fd;
};

struct http_server {
	struct http_config config;
	struct http_limits limits;
	unsigned refs;
	struct list listeners;
	struct list connections; /* struct http_conn; upgraded ones are not here */
	struct map addresses; /* struct http_address */
	uv_timer_t timer; /* the only one: ticks while there is something to watch */
	bool ticking, walking, accept_paused, accept_failing, draining, destroyed;
	loop_fn *drained;
	void *drained_arg;
	int64_t drain_by; /* monotonic ms */
	size_t queued; /* bytes of answers that wait for their peers */
	size_t unanswered; /* requests, those whose peer has gone included */
	char *read_buffer;
	struct http_stats stats;
	uint64_t last_request;
	char request_prefix[9];
	char date[32];
	int64_t date_second;
};
void http_server_ref(struct http_server *s);
void http_server_unref(struct http_server *s);
void http_server_watch(struct http_server *s); /* starts the timer if it rests */
/* A connection or request has gone: maybe the last one that a drain waits for. */
void http_server_one_less(struct http_server *s);
const char *http_server_date(struct http_server *s);
struct http_limits *http_server_limits(struct http_server *s); /* for tests */
size_t http_server_held_bytes(const struct http_server *s); /* of unread input, for tests */
/* Takes the socket. */
void http_server_accepted(struct http_server *s, int fd, const struct sockaddr *peer);
void http_accept_pause(struct http_server *s);
void http_accept_resume(struct http_server *s);
void http_listeners_close(struct http_server *s);
void http_address_text(
	const struct sockaddr *sa, char peer[INET6_ADDRSTRLEN], char key[INET6_ADDRSTRLEN]);

/* ---- connection.c */
enum http_conn_state {
	HTTP_CONN_IDLE, /* no byte of the next request yet */
	HTTP_CONN_HEAD, /* reading a head */
	HTTP_CONN_BODY, /* reading the body of req */
	HTTP_CONN_HANDLING, /* the handler has req */
	HTTP_CONN_ANSWERING, /* an answer is being written */
	HTTP_CONN_LINGERING, /* our half is closed, what comes is thrown away */
	HTTP_CONN_CLOSED, /* gone, or upgraded; only its memory is left */
};

struct http_file;
struct http_conn {
	struct list link;
	struct http_server *server;
	struct http_stream *stream; /* NULL: handed over */
	struct http_request *req; /* NULL: none, or answered */
	struct http_file *file; /* that is being sent */
	struct strbuf in; /* read and not used yet; no memory while empty */
	const char *window; /* what is being used right now, only inside conn_run() */
	size_t window_len;
	enum http_conn_state state;
	bool reading, running, peer_ended, close_after;
	int64_t unsent; /* bytes of the answer that the peer had to take when its time began */
	size_t discarded;
	int64_t deadline; /* monotonic ms; INT64_MAX: none */
	int64_t body_deadline; /* of a buffered body */
	char peer[INET6_ADDRSTRLEN];
};
void http_conn_open(struct http_server *s, struct http_stream *stream, const char *peer);
void http_conn_tick(struct http_conn *c, int64_t now);
void http_conn_drain(struct http_conn *c);
void http_conn_close(struct http_conn *c); /* at once; its request learns of it */
void http_conn_reset(struct http_conn *c); /* the same with RST */
/* Only of a closed one whose stream is gone or handed over. While someone up the stack uses it,
 * that one frees it. */
void http_conn_free(struct http_conn *c);
void http_conn_continue(struct http_conn *c); /* goes on with what was held back */
bool http_conn_holds_more(const struct http_conn *c); /* of later requests */
void http_conn_body_changed(struct http_conn *c); /* reading began, paused or resumed */

/* ---- dispatch.c */
void http_request_dispatch(struct http_conn *c, struct http_request *req); /* a head is there */
void http_request_hand(struct http_request *req); /* to its handler */

/* ---- send.c */
/* The answer begins, c->req is gone. */
void http_conn_answer(struct http_conn *c, bool close_after);
/* Writes both, then the pieces of c->file if there is one, then http_conn_answered(). */
void http_conn_send(struct http_conn *c, struct strbuf *take_head, struct strbuf *take_body);
void http_conn_send_continue(struct http_conn *c); /* 100 */
void http_conn_answered(struct http_conn *c);
/* Answers a problem without a request and closes. */
void http_conn_refuse(struct http_conn *c, int status, const char *why);
void http_conn_watch_progress(struct http_conn *c, int64_t now);
/* Would an answer with a body of this length go beyond what slow peers may make the server hold? */
bool http_queue_full(const struct http_server *s, size_t len);

/* ---- request.c */
struct http_memory {
	struct http_memory *next;
	max_align_t data[];
};
struct http_param {
	const char *name;
	size_t name_len;
	const char *value;
};
struct http_request {
	struct http_server *server;
	struct http_conn *conn; /* NULL: the peer has gone */
	struct http_head head;
	const struct http_route *route;
	struct http_param params[HTTP_PARAMS_MAX];
	size_t param_count;
	int64_t body_left; /* bytes that were not read yet */
	struct strbuf body;
	http_data_fn *on_data;
	http_end_fn *on_end;
	void *body_arg;
	bool body_wanted, body_paused, continue_sent;
	bool handed; /* its handler has seen it; else it is still the server's to free */
	struct strbuf headers; /* added by the handler, "Name: value\r\n" each */
	const char *etag; /* of what would be sent; NULL: none */
	struct http_memory *memory;
	char id[32];
	char peer[INET6_ADDRSTRLEN];
};
struct http_request *http_request_create(struct http_conn *c, const struct http_head *take_head);
void http_request_free(struct http_request *req);
static inline bool http_request_reads(const struct http_request *req)
{
	return req->head.method == HTTP_GET || req->head.method == HTTP_HEAD;
}

/* ---- router.c: sets req->route and its params; NULL: ret_allow holds the methods the path has, ""
 * for none */
void http_route_find(struct http_request *req, struct strbuf *ret_allow);

/* ---- reply.c */
const char *http_status_title(int status);
/* Appends a whole head. body_len -1: none is announced. added may be "". */
void http_head_format(struct http_server *s, struct strbuf *out, int status,
	const char *content_type, int64_t body_len, const char *added, bool close_after);
void http_problem_format(
	struct strbuf *out, int status, const char *type, const char *detail, const char *id);
/* Counts the answer, takes the request off its connection and frees it. Returns the connection to
 * write to, or NULL when the peer has gone: then nothing was answered, and nothing is counted or logged. ret_head holds the head. */
struct http_conn *http_reply_begin(struct http_request *req, int status, const char *content_type,
	int64_t body_len, struct strbuf *ret_head);

/* ---- conditions.c */
/* If-Match is there and names neither * nor the strong tag of what would be sent. Of a change nothing is sent, so only * is met. */
bool http_match_fails(const struct http_request *req);
void http_reply_match_failed(struct http_request *req); /* 412 */

/* ---- file.c */
enum http_range { HTTP_RANGE_WHOLE, HTTP_RANGE_PART, HTTP_RANGE_NONE };
/* One range of a Range field over size bytes: PART sets both (inclusive); WHOLE: to be ignored;
 * NONE: 416. */
enum http_range http_range_parse(
	const char *value, int64_t size, int64_t *ret_first, int64_t *ret_last);
void http_file_next(struct http_file *f);
void http_file_abandon(struct http_file *f); /* the connection is gone */
int64_t http_file_left(const struct http_file *f); /* bytes that were not read yet */

/* ---- access.c, sessions.c */
struct access_sessions;
struct access_sessions *access_sessions_create(void);
void access_sessions_destroy(struct access_sessions *s);
void access_sessions_code(struct access_sessions *s, int64_t now_ms, char buf[ACCESS_CODE_MAX]);
/* Uses the code up. buf receives a new session id when true. */
bool access_sessions_open(
	struct access_sessions *s, const char *code, int64_t now_ms, char buf[ACCESS_CODE_MAX]);
bool access_sessions_has(const struct access_sessions *s, const char *id);
void access_clock_advance(struct access *a, int64_t ms); /* for tests */

#endif
