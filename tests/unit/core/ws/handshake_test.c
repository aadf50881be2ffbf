// SPDX-License-Identifier: MIT
#include "peer.h"

#include <setjmp.h>
#include <cmocka.h>

static struct stage stage;
static int closed;
static uint16_t closed_code;

static void on_closed(struct ws_conn *c, uint16_t code)
{
	(void)c;
	closed++;
	closed_code = code;
}

static const struct ws_handlers handlers = {.on_closed = on_closed};

static void open_socket(struct http_request *req, void *app)
{
	(void)app;
	ws_accept(req, &stage.loop, &handlers, NULL);
}

static void refuse_socket(struct http_request *req, void *app)
{
	(void)app;
	ws_refuse(req, &stage.loop, WS_CLOSE_NOT_SIGNED_IN, "sign in first");
}

static const struct http_route routes[] = {
	{.method = HTTP_GET, .pattern = "/ws", .handler = open_socket},
	{.method = HTTP_GET, .pattern = "/refused", .handler = refuse_socket},
	{.method = HTTP_POST, .pattern = "/ws", .handler = open_socket},
};

#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const struct {
	const char *name, *headers;
	int status;
} rows[] = {
	{"plain", UPGRADE CONNECTION VERSION KEY, 101},
	{"letters' case", "UPGRADE: WebSocket\r\nCONNECTION: UPGRADE\r\n" VERSION KEY, 101},
	{"a list of tokens", UPGRADE "Connection: keep-alive, Upgrade\r\n" VERSION KEY, 101},
	{"a list in two fields", UPGRADE "Connection: keep-alive\r\n" CONNECTION VERSION KEY, 101},
	{"a list of protocols", "Upgrade: h2c,websocket\r\n" CONNECTION VERSION KEY, 101},
	{"an extension is declined",
		UPGRADE CONNECTION VERSION KEY "Sec-WebSocket-Extensions: permessage-deflate\r\n",
		101},
	{"a subprotocol is declined",
		UPGRADE CONNECTION VERSION KEY "Sec-WebSocket-Protocol: chat\r\n", 101},
	{"no upgrade", CONNECTION VERSION KEY, 426},
	{"nothing at all", "", 426},
	{"another protocol", "Upgrade: h2c\r\n" CONNECTION VERSION KEY, 426},
	{"a protocol that only begins so", "Upgrade: websocket2\r\n" CONNECTION VERSION KEY, 426},
	{"no connection token", UPGRADE VERSION KEY, 400},
	{"another connection token", UPGRADE "Connection: keep-alive\r\n" VERSION KEY, 400},
	{"no version", UPGRADE CONNECTION KEY, 426},
	{"version 8", UPGRADE CONNECTION "Sec-WebSocket-Version: 8\r\n" KEY, 426},
	{"version 013", UPGRADE CONNECTION "Sec-WebSocket-Version: 013\r\n" KEY, 426},
	{"two versions", UPGRADE CONNECTION VERSION VERSION KEY, 400},
	{"no key", UPGRADE CONNECTION VERSION, 400},
	{"an empty key", UPGRADE CONNECTION VERSION "Sec-WebSocket-Key:\r\n", 400},
	{"a key of 15 bytes",
		UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n", 400},
	{"a key of 17 bytes",
		UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU=\r\n", 400},
	{"a key of 18 bytes",
		UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWVl\r\n", 400},
	{"a key that is not base64",
		UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBs*SBub25jZQ==\r\n", 400},
	{"two keys", UPGRADE CONNECTION VERSION KEY KEY, 400},
};

static int open_stage(void **state)
{
	(void)state;
	closed = 0;
	stage_open(&stage, routes, countof(routes), NULL, 0);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	stage_close(&stage);
	return 0;
}

static void handshakes_are_checked_field_by_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct peer p;
		int expected = closed + (rows[i].status == 101);

		peer_connect(&p, stage.port, 0, NULL, NULL);
		peer_upgrade(&p, "/ws", rows[i].headers);
		stage_until(&stage, &p, 1, p.status);
		if (p.status != rows[i].status)
			fail_msg("%s: %d instead of %d", rows[i].name, p.status, rows[i].status);
		assert_null(strstr(p.answer.buf, "Sec-WebSocket-Extensions"));
		assert_null(strstr(p.answer.buf, "Sec-WebSocket-Protocol"));
		if (p.status == 101)
			assert_non_null(strstr(p.answer.buf,
				"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
		if (p.status == 426) {
			assert_non_null(strstr(p.answer.buf, "Sec-WebSocket-Version: 13\r\n"));
			assert_non_null(strstr(p.answer.buf, "\r\nUpgrade: websocket\r\n"));
			assert_non_null(strstr(p.answer.buf, "\r\nConnection: Upgrade\r\n"));
		}
		peer_end(&p, false);
		stage_until(&stage, &p, 1, closed == expected);
	}
}

static void a_socket_is_not_opened_with_post(void **state)
{
	static const char request[] =
		"POST /ws HTTP/1.1\r\nHost: localhost\r\n" UPGRADE CONNECTION VERSION KEY "\r\n";
	struct peer p;

	(void)state;
	peer_connect(&p, stage.port, 0, NULL, NULL);
	peer_write(&p, request, strlen(request));
	stage_until(&stage, &p, 1, p.status);
	assert_int_equal(p.status, 400);
	peer_end(&p, false);
}

static void a_socket_needs_http_1_1(void **state)
{
	static const char request[] =
		"GET /ws HTTP/1.0\r\nHost: localhost\r\n" UPGRADE CONNECTION VERSION KEY "\r\n";
	struct peer p;

	(void)state;
	peer_connect(&p, stage.port, 0, NULL, NULL);
	peer_write(&p, request, strlen(request));
	stage_until(&stage, &p, 1, p.status);
	assert_int_equal(p.status, 400);
	peer_end(&p, false);
}

static void a_refusal_is_a_close_code(void **state)
{
	struct ws_stats before, after;
	struct peer p;

	(void)state;
	ws_stats(&before);
	peer_connect(&p, stage.port, 0, NULL, NULL);
	peer_upgrade(&p, "/refused", NULL);
	stage_until(&stage, &p, 1, p.gone);
	assert_int_equal(p.status, 101);
	assert_int_equal(p.closed, 4401);
	peer_end(&p, false);
	stage_until(&stage, &p, 1, (ws_stats(&after), after.open == before.open));
	assert_int_equal(closed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			handshakes_are_checked_field_by_field, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(
			a_socket_is_not_opened_with_post, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(a_socket_needs_http_1_1, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(a_refusal_is_a_close_code, open_stage, close_stage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
