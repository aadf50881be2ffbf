// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <strings.h>
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/http/http_internal.h"

static const struct {
	int status;
	const char *title;
} titles[] = {
	{100, "Continue"},
	{101, "Switching Protocols"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{206, "Partial Content"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"},
	{417, "Expectation Failed"},
	{421, "Misdirected Request"},
	{422, "Unprocessable Content"},
	{426, "Upgrade Required"},
	{428, "Precondition Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
	{507, "Insufficient Storage"},
};

static const struct {
	const char *name, *value;
} defaults[] = {
	{"Cache-Control", "no-cache"},
	{"Content-Security-Policy",
		"default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; "
		"frame-ancestors 'none'"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
};

const char *http_status_title(int status)
{
	for (size_t i = 0; i < countof(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Status";
}

/* Is there a field of this name among "Name: value\r\n" lines? */
static bool fields_have(const char *fields, const char *name)
{
	size_t len = strlen(name);

	for (; *fields; fields = strstr(fields, "\r\n") + 2)
		if (strncasecmp(fields, name, len) == 0 && fields[len] == ':')
			return true;
	return false;
}

void http_head_format(struct http_server *s, struct strbuf *out, int status,
	const char *content_type, int64_t body_len, const char *added, bool close_after)
{
	strbuf_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http_status_title(status),
		http_server_date(s));
	if (content_type)
		strbuf_addf(out, "Content-Type: %s\r\n", content_type);
	if (body_len >= 0)
		strbuf_addf(out, "Content-Length: %lld\r\n", (long long)body_len);
	for (size_t i = 0; i < countof(defaults); i++)
		if (!fields_have(added, defaults[i].name))
			strbuf_addf(out, "%s: %s\r\n", defaults[i].name, defaults[i].value);
	strbuf_addstr(out, added);
	if (close_after)
		strbuf_addstr(out, "Connection: close\r\n");
	strbuf_addstr(out, "\r\n");
}

void http_add_header(struct http_request *req, const char *name, const char *value)
{
	size_t at;

	if (!http_token_valid(name, strlen(name)))
		BUG("\"%s\" is no header name", name);
	strbuf_addf(&req->headers, "%s: ", name);
	at = req->headers.len;
	strbuf_addstr(&req->headers, value);
	for (char *c = req->headers.buf + at; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '_';
	strbuf_addstr(&req->headers, "\r\n");
}

static void tell_status(struct http_request *req, int status)
{
	req->server->stats.by_status[status / 100]++;
	if (status >= 500)
		log_warn("http: %s %s answered %d (request %s)", http_method_name(req->head.method),
			req->head.path, status, req->id);
}

struct http_conn *http_reply_begin(struct http_request *req, int status, const char *content_type,
	int64_t body_len, struct strbuf *ret_head)
{
	struct http_conn *c = req->conn;
	struct http_server *s = req->server;
	bool close_after = !req->head.keep_alive || req->body_left > 0 || s->draining ||
			   (c && c->peer_ended && !http_conn_holds_more(c));

	if (status < 200 || status > 599)
		BUG("%d is no final HTTP status", status);
	if (c) {
		tell_status(req, status);
		http_head_format(
			s, ret_head, status, content_type, body_len, req->headers.buf, close_after);
		c->req = NULL;
		http_conn_answer(c, close_after);
	}
	req->conn = NULL;
	http_request_free(req);
	return c;
}

static void reply(
	struct http_request *req, int status, const char *content_type, struct strbuf *take_body);

/* Slow peers hold all the memory there is for answers. */
static void reply_busy(struct http_request *req, struct strbuf *take_body)
{
	strbuf_finish(take_body);
	strbuf_reset(&req->headers);
	http_add_header(req, "Retry-After", "10");
	http_reply_problem(
		req, 503, "busy", "too many answers wait for slow clients: try again in a moment");
}

/* Everything but files. Takes body, whatever becomes of it. */
static void reply(
	struct http_request *req, int status, const char *content_type, struct strbuf *take_body)
{
	bool no_body = status == 204 || status == 304;
	bool skip_body = no_body || req->head.method == HTTP_HEAD;
	struct strbuf head = STRBUF_INIT;
	struct http_conn *c;

	if (status / 100 == 2 && http_request_reads(req) && http_match_fails(req)) {
		strbuf_finish(take_body);
		http_reply_match_failed(req);
		return;
	}
	if (req->head.method == HTTP_GET && http_queue_full(req->server, take_body->len)) {
		reply_busy(req, take_body);
		return;
	}
	c = http_reply_begin(req, status, no_body ? NULL : content_type,
		no_body ? -1 : (int64_t)take_body->len, &head);
	if (skip_body)
		strbuf_finish(take_body);
	if (c)
		http_conn_send(c, &head, take_body);
	strbuf_finish(take_body);
}

void http_reply(struct http_request *req, int status, const char *content_type, const void *body,
	size_t len)
{
	struct strbuf copy = STRBUF_INIT;

	strbuf_add(&copy, body, len);
	reply(req, status, content_type, &copy);
}

void http_reply_json(struct http_request *req, int status, struct strbuf *take_json)
{
	reply(req, status, "application/json", take_json);
}

void http_problem_format(
	struct strbuf *out, int status, const char *type, const char *detail, const char *id)
{
	struct json_writer w = JSON_WRITER(out);
	struct strbuf uri = STRBUF_INIT;

	strbuf_addf(&uri, "/problems/%s", type);
	json_begin_object(&w, NULL);
	json_put_string(&w, "type", uri.buf);
	json_put_string(&w, "title", http_status_title(status));
	json_put_int(&w, "status", status);
	json_put_text(&w, "detail", detail, strlen(detail));
	if (id)
		json_put_string(&w, "instance", id);
	json_end_object(&w);
	strbuf_finish(&uri);
}

void http_reply_problem(
	struct http_request *req, int status, const char *type, const char *detail_fmt, ...)
{
	struct strbuf detail = STRBUF_INIT, body = STRBUF_INIT, instance = STRBUF_INIT;
	va_list ap;

	va_start(ap, detail_fmt);
	strbuf_vaddf(&detail, detail_fmt, ap);
	va_end(ap);
	strbuf_addf(&instance, "/requests/%s", req->id);
	http_problem_format(&body, status, type, detail.buf, instance.buf);
	strbuf_finish(&detail);
	strbuf_finish(&instance);
	reply(req, status, "application/problem+json", &body);
}
