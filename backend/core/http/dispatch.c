// SPDX-License-Identifier: MIT
/* From a whole head to its handler: guard, route, limits of the body. */
#include "core/http/http_internal.h"

static void no_route(struct http_request *req, const struct strbuf *allow)
{
	const struct http_config *config = &req->server->config;

	if (allow->len > 0) {
		http_add_header(req, "Allow", allow->buf);
		http_reply_problem(req, 405, "method-not-allowed", "%s takes %s, not %s",
			req->head.path, allow->buf, http_method_name(req->head.method));
	} else if (!config->fallback || !http_request_reads(req)) {
		http_reply_problem(req, 404, "not-found", "nothing is at %s", req->head.path);
	} else if (req->body_left > 0) {
		http_reply_problem(req, 413, "content-too-large", "this request takes no body");
	} else {
		req->handed = true;
		config->fallback(req, config->app);
	}
}

void http_request_hand(struct http_request *req)
{
	req->handed = true;
	req->route->handler(req, req->server->config.app);
}

static void body_begin(struct http_conn *c, struct http_request *req)
{
	size_t max = req->route->body_max > 0 ? req->route->body_max : HTTP_JSON_BODY_MAX;
	int64_t now = clock_monotonic_ms();

	if (req->route->body == HTTP_BODY_NONE && req->body_left > 0) {
		http_reply_problem(req, 413, "content-too-large", "this request takes no body");
	} else if (req->route->body == HTTP_BODY_BUFFER && req->body_left > (int64_t)max) {
		http_reply_problem(req, 413, "content-too-large",
			"the body has %lld bytes; this request takes at most %zu",
			(long long)req->body_left, max);
	} else if (req->route->body == HTTP_BODY_STREAM && req->head.content_length < 0) {
		http_reply_problem(
			req, 411, "length-required", "send the body with Content-Length");
	} else if (req->route->body == HTTP_BODY_STREAM) {
		c->state = HTTP_CONN_BODY;
		c->deadline = INT64_MAX;
		http_request_hand(req);
	} else if (req->body_left > 0) {
		c->state = HTTP_CONN_BODY;
		c->deadline = now + c->server->limits.body_stall_ms;
		c->body_deadline = now + c->server->limits.body_ms;
	} else {
		http_request_hand(req);
	}
}

void http_request_dispatch(struct http_conn *c, struct http_request *req)
{
	const struct http_config *config = &c->server->config;
	struct strbuf allow = STRBUF_INIT;

	c->server->stats.requests++;
	c->req = req;
	c->state = HTTP_CONN_HANDLING;
	c->deadline = INT64_MAX;
	http_route_find(req, &allow);
	req->handed = true;
	if (!config->guard || !config->guard(req, config->app)) {
		req->handed = false;
		if (req->route && !http_request_reads(req) && http_match_fails(req))
			http_reply_match_failed(req);
		else if (req->route)
			body_begin(c, req);
		else
			no_route(req, &allow);
	}
	strbuf_finish(&allow);
}
