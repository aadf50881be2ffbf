// SPDX-License-Identifier: MIT
#include <stdio.h>
#include "core/http/http_internal.h"

struct http_request *http_request_create(struct http_conn *c, const struct http_head *take_head)
{
	struct http_request *req = xcalloc(1, sizeof(*req));

	http_server_ref(c->server);
	c->server->unanswered++;
	req->server = c->server;
	req->conn = c;
	req->head = *take_head;
	req->body_left = take_head->content_length > 0 ? take_head->content_length : 0;
	strbuf_init(&req->body);
	strbuf_init(&req->headers);
	snprintf(req->id, sizeof(req->id), "%s-%llu", c->server->request_prefix,
		(unsigned long long)++c->server->last_request);
	memcpy(req->peer, c->peer, sizeof(req->peer));
	return req;
}

void http_request_free(struct http_request *req)
{
	struct http_memory *m, *next;

	if (!req)
		return;
	for (m = req->memory; m; m = next) {
		next = m->next;
		free(m);
	}
	http_head_finish(&req->head);
	strbuf_finish(&req->body);
	strbuf_finish(&req->headers);
	req->server->unanswered--;
	http_server_one_less(req->server);
	http_server_unref(req->server);
	free(req);
}

const struct http_head *http_request_head(const struct http_request *req)
{
	return &req->head;
}

const struct http_route *http_request_route(const struct http_request *req)
{
	return req->route;
}

const char *http_header(const struct http_request *req, const char *lower_name)
{
	for (size_t i = 0; i < req->head.field_count; i++)
		if (strcmp(req->head.fields[i].name, lower_name) == 0)
			return req->head.fields[i].value;
	return NULL;
}

const char *http_param(const struct http_request *req, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < req->param_count; i++)
		if (req->params[i].name_len == len && memcmp(req->params[i].name, name, len) == 0)
			return req->params[i].value;
	return NULL;
}

void *http_request_memory(struct http_request *req, size_t size)
{
	struct http_memory *m = xcalloc(1, sizeof(*m) + size);

	m->next = req->memory;
	req->memory = m;
	return m->data;
}

static char *request_strndup(struct http_request *req, const char *s, size_t len)
{
	char *copy = http_request_memory(req, len + 1);

	memcpy(copy, s, len);
	return copy;
}

const char *http_query(struct http_request *req, const char *name)
{
	const char *part = req->head.query;

	while (*part) {
		size_t len = strcspn(part, "&");
		char *key = request_strndup(req, part, len);
		char *equals = strchr(key, '=');
		if (equals)
			*equals = '\0';
		http_query_decode(key);
		if (strcmp(key, name) == 0) {
			char *value = equals ? equals + 1 : key + strlen(key);
			http_query_decode(value);
			return value;
		}
		part += len + (part[len] == '&');
	}
	return NULL;
}

/* The value of one pair of a Cookie field, or NULL. */
static const char *cookie_find(struct http_request *req, const char *field, const char *name)
{
	size_t name_len = strlen(name);

	for (; *field; field += strcspn(field, ";")) {
		field += strspn(field, "; \t");
		size_t len = strcspn(field, ";");
		if (len > name_len && strncmp(field, name, name_len) == 0 && field[name_len] == '=')
			return request_strndup(req, field + name_len + 1, len - name_len - 1);
	}
	return NULL;
}

const char *http_cookie(struct http_request *req, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < req->head.field_count && !value; i++)
		if (strcmp(req->head.fields[i].name, "cookie") == 0)
			value = cookie_find(req, req->head.fields[i].value, name);
	return value;
}

const struct strbuf *http_body(const struct http_request *req)
{
	return &req->body;
}

const char *http_peer(const struct http_request *req)
{
	return req->peer;
}

bool http_peer_gone(const struct http_request *req)
{
	return !req->conn;
}

bool http_peer_ended(const struct http_request *req)
{
	return !req->conn || req->conn->peer_ended;
}

void http_body_read(struct http_request *req, http_data_fn *data, http_end_fn *end, void *arg)
{
	if (!req->conn) {
		end(req, -ECONNRESET, arg);
		return;
	}
	req->on_data = data;
	req->on_end = end;
	req->body_arg = arg;
	req->body_wanted = true;
	http_conn_body_changed(req->conn);
}

void http_body_pause(struct http_request *req)
{
	req->body_paused = true;
	if (req->conn)
		http_conn_body_changed(req->conn);
}

void http_body_resume(struct http_request *req)
{
	req->body_paused = false;
	if (req->conn)
		http_conn_body_changed(req->conn);
}

uv_tcp_t *http_upgrade(struct http_request *req, struct strbuf *ret_early)
{
	struct http_conn *c = req->conn;
	struct http_stream *stream;

	if (c)
		req->server->stats.by_status[1]++;
	req->conn = NULL;
	http_request_free(req);
	if (!c)
		return NULL;
	stream = c->stream;
	uv_read_stop((uv_stream_t *)&stream->tcp);
	if (c->running)
		strbuf_add(ret_early, c->window, c->window_len);
	else
		strbuf_add(ret_early, c->in.buf, c->in.len);
	stream->tcp.data = NULL;
	c->stream = NULL;
	c->req = NULL;
	c->state = HTTP_CONN_CLOSED;
	http_conn_free(c);
	return &stream->tcp;
}
