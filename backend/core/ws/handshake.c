// SPDX-License-Identifier: MIT
#include "core/ws/ws_internal.h"

#include <ctype.h>
#include <strings.h>

#define KEY_LEN 24 /* base64 of 16 bytes */

/* Is token in this comma-separated list? Letters' case does not count. */
static bool list_has(const char *list, const char *token)
{
	size_t len = strlen(token);

	while (list && *list) {
		size_t skip = strspn(list, " \t,"), item = strcspn(list + skip, " \t,");

		if (item == len && !strncasecmp(list + skip, token, len))
			return true;
		list += skip + item;
	}
	return false;
}

static size_t count_fields(const struct http_head *head, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < head->field_count; i++)
		count += !strcmp(head->fields[i].name, name);
	return count;
}

/* A list may come in several fields. */
static bool header_has(const struct http_head *head, const char *name, const char *token)
{
	for (size_t i = 0; i < head->field_count; i++) {
		if (!strcmp(head->fields[i].name, name) && list_has(head->fields[i].value, token))
			return true;
	}
	return false;
}

/* Sixteen bytes in base64 are 22 characters and two '='. */
static bool key_valid(const char *key)
{
	if (strlen(key) != KEY_LEN || strcmp(key + KEY_LEN - 2, "==") != 0)
		return false;
	for (size_t i = 0; i < KEY_LEN - 2; i++) {
		if (!isalnum((unsigned char)key[i]) && key[i] != '+' && key[i] != '/')
			return false;
	}
	return true;
}

static void reply_upgrade_required(struct http_request *req, const char *detail)
{
	http_add_header(req, "Connection", "Upgrade"); /* RFC 9110 section 7.8 */
	http_add_header(req, "Upgrade", "websocket");
	http_add_header(req, "Sec-WebSocket-Version", "13");
	http_reply_problem(req, 426, "websocket-required", "%s", detail);
}

/* True, or answered. */
static bool check_handshake(struct http_request *req)
{
	const struct http_head *head = http_request_head(req);
	const char *version = http_header(req, "sec-websocket-version");
	const char *key = http_header(req, "sec-websocket-key");
	const char *fault = NULL;

	if (head->method != HTTP_GET) {
		fault = "a WebSocket is opened with GET";
	} else if (!header_has(head, "upgrade", "websocket")) {
		reply_upgrade_required(
			req, "this address is a WebSocket: connect with ws:// or wss://");
		return false;
	} else if (head->minor < 1) {
		fault = "a WebSocket needs HTTP/1.1";
	} else if (!header_has(head, "connection", "upgrade")) {
		fault = "the Connection header does not say Upgrade; a proxy in between may have "
			"removed it";
	} else if (!version || strcmp(version, "13") != 0) {
		reply_upgrade_required(
			req, "only version 13 of the WebSocket protocol is spoken here");
		return false;
	} else if (count_fields(head, "sec-websocket-version") > 1) {
		fault = "Sec-WebSocket-Version was sent twice";
	} else if (!key || !key_valid(key)) {
		fault = "Sec-WebSocket-Key must be the base64 of 16 bytes";
	} else if (count_fields(head, "sec-websocket-key") > 1) {
		fault = "Sec-WebSocket-Key was sent twice";
	}
	if (fault)
		http_reply_problem(req, 400, "bad-handshake", "%s", fault);
	return !fault;
}

struct ws_conn *ws_accept(
	struct http_request *req, struct loop *loop, const struct ws_handlers *handlers, void *data)
{
	struct strbuf early = STRBUF_INIT, answer = STRBUF_INIT;
	struct ws_conn *c = NULL;
	char accept[29], peer[46];
	uv_tcp_t *stream;

	if (!check_handshake(req))
		return NULL;
	/* The request ends with the upgrade: what is needed of it is taken before. */
	ws_accept_key(http_header(req, "sec-websocket-key"), accept);
	memset(peer, 0, sizeof(peer));
	strncpy(peer, http_peer(req), sizeof(peer) - 1);
	stream = http_upgrade(req, &early);
	if (stream) {
		c = ws_conn_create(stream, loop, &early, peer, handlers, data);
		strbuf_addf(&answer,
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
			"Upgrade\r\n"
			"Sec-WebSocket-Accept: %s\r\n\r\n",
			accept);
		ws_conn_raw(c, answer.buf, answer.len);
	}
	strbuf_finish(&answer);
	strbuf_finish(&early);
	return c;
}

void ws_refuse(struct http_request *req, struct loop *loop, uint16_t code, const char *reason)
{
	static const struct ws_handlers nobody = {0};
	struct ws_conn *c = ws_accept(req, loop, &nobody, NULL);

	if (c)
		ws_close(c, code, reason);
}
