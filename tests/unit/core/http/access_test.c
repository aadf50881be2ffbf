// SPDX-License-Identifier: MIT
#include "fixture.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

static struct fixture f;
static struct access *local, *public_only, *public_read, *bound;

/* The first segment of a path says which server it plays. */
static struct access *access_of(const struct http_request *req)
{
	if (strncmp(req->head.path, "/public-read", 12) == 0)
		return public_read;
	if (strncmp(req->head.path, "/bound", 6) == 0)
		return bound;
	return strncmp(req->head.path, "/public", 7) == 0 ? public_only : local;
}

/* The test connects from a loopback address: X-Peer stands for another one. */
static void play_peer(struct http_request *req)
{
	if (http_header(req, "x-peer"))
		snprintf(req->peer, sizeof(req->peer), "%s", http_header(req, "x-peer"));
}

static void answer(struct http_request *req, enum access_right right, bool websocket)
{
	struct access *a = access_of(req);
	const char *text;
	bool allowed;

	play_peer(req);
	if (!access_check(a, req, right, websocket))
		return;
	allowed = !websocket || access_may_read(a, req, true);
	text = allowed ? (access_signed_in(a, req) ? "signed in" : "allowed") : "not allowed";
	http_reply(req, 200, "text/plain", text, strlen(text));
}

static void page(struct http_request *req, void *arg)
{
	(void)arg;
	answer(req, ACCESS_PUBLIC, false);
}

static void reading(struct http_request *req, void *arg)
{
	(void)arg;
	answer(req, ACCESS_READ, false);
}

static void change(struct http_request *req, void *arg)
{
	(void)arg;
	answer(req, ACCESS_CHANGE, false);
}

static void websocket(struct http_request *req, void *arg)
{
	(void)arg;
	answer(req, ACCESS_READ, true);
}

static void login(struct http_request *req, void *arg)
{
	(void)arg;
	access_login(access_of(req), req);
}

static const struct http_route routes[] = {
	{.method = HTTP_GET, .pattern = "/:server/page", .handler = page},
	{.method = HTTP_GET, .pattern = "/:server/read", .handler = reading},
	{.method = HTTP_POST, .pattern = "/:server/change", .handler = change},
	{.method = HTTP_GET, .pattern = "/:server/ws", .handler = websocket},
	{.method = HTTP_POST,
		.pattern = "/:server/login",
		.handler = login,
		.body = HTTP_BODY_BUFFER},
};

static struct access *make(char **urls, size_t count, int port, bool read)
{
	struct access_config config = {.public_urls = urls,
		.public_url_count = count,
		.port = port,
		.public_read = read,
		.token = TOKEN};
	struct strbuf err = STRBUF_INIT;
	struct access *a = access_create(&config, &err);

	if (!a)
		fail_msg("%s", err.buf);
	return a;
}

static int start(void **state)
{
	static char build[] = "https://build.example.org", odd[] = "http://Other.Example.Org:8080/",
		    six[] = "http://[2001:db8::1]:8000";
	static char *urls[] = {build, odd, six};
	static char two[] = "127.0.0.2", far[] = "192.0.2.1", name[] = "127.example.org",
		    all[] = "::", one[] = "::1";
	static char *addresses[] = {two, far, name, all, one};
	struct access_config at_addresses = {.bound = addresses,
		.bound_count = countof(addresses),
		.port = 8000,
		.token = TOKEN};
	struct http_config config = {.routes = routes, .route_count = countof(routes)};
	struct strbuf err = STRBUF_INIT;

	(void)state;
	local = make(NULL, 0, 8000, false);
	public_only = make(urls, countof(urls), 8000, false);
	public_read = make(urls, countof(urls), 8000, true);
	bound = access_create(&at_addresses, &err);
	fixture_init(&f, &config);
	fixture_run(&f);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	fixture_finish(&f);
	access_destroy(local);
	access_destroy(public_only);
	access_destroy(public_read);
	access_destroy(bound);
	return 0;
}

/* Sends a request with these fields and returns the answer's status; ret_answer may be NULL. */
static int ask(const char *line, const char *fields, const char *body, struct answer *ret_answer)
{
	struct answer a;
	int fd = client_open(&f), status;

	client_say(fd, "%s HTTP/1.1\r\n%sContent-Length: %zu\r\n\r\n%s", line, fields, strlen(body),
		body);
	client_answer(fd, &a);
	close(fd);
	status = a.status;
	if (ret_answer)
		*ret_answer = a;
	else
		answer_finish(&a);
	return status;
}

static int host_status(const char *server, const char *host)
{
	char line[100], fields[400];

	snprintf(line, sizeof(line), "GET /%s/read", server);
	snprintf(fields, sizeof(fields), "Host: %s\r\nAuthorization: Bearer " TOKEN "\r\n", host);
	return ask(line, fields, "", NULL);
}

static void only_listed_hosts_are_served(void **state)
{
	static const struct {
		const char *server, *host;
		int status;
	} cases[] = {
		{"local", "localhost:8000", 200},
		{"local", "LOCALHOST:8000", 200},
		{"local", "127.0.0.1:8000", 200},
		{"local", "[::1]:8000", 200},
		{"local", "[0:0:0:0:0:0:0:1]:8000", 200},
		{"local", "localhost", 421},
		{"local", "localhost:80", 421},
		{"local", "localhost:8001", 421},
		{"local", "127.0.0.1", 421},
		{"local", "localhost.:8000", 421},
		{"local", "localhost.evil.example:8000", 421},
		{"local", "evil.example:8000", 421},
		{"local", "evil.example", 421},
		{"local", "127.0.0.1.nip.io:8000", 421},
		{"local", "127.0.0.2:8000", 421},
		{"local", "127.1:8000", 421},
		{"local", "127.000.000.001:8000", 421},
		{"local", "2130706433:8000", 421},
		{"local", "0x7f000001:8000", 421},
		{"local", "0.0.0.0:8000", 421},
		{"local", "[::]:8000", 421},
		{"local", "[::ffff:127.0.0.1]:8000", 421},
		{"local", "192.168.1.2:8000", 421},
		{"local", "build.example.org", 421},
		{"public", "build.example.org", 200},
		{"public", "BUILD.example.org:443", 200},
		{"public", "build.example.org:80", 421},
		{"public", "build.example.org:8000", 421},
		{"public", "other.example.org:8080", 200},
		{"public", "other.example.org", 421},
		{"public", "[2001:db8:0::1]:8000", 200},
		{"public", "localhost:8000", 200},
		{"public", "xbuild.example.org", 421},
		{"public", "example.org", 421},
		{"bound", "127.0.0.2:8000", 200},
		{"bound", "127.0.0.1:8000", 200},
		{"bound", "[::1]:8000", 200},
		{"bound", "127.0.0.2", 421},
		{"bound", "127.0.0.3:8000", 421},
		{"bound", "192.0.2.1:8000", 421},
		{"bound", "127.example.org:8000", 421},
		{"bound", "[::]:8000", 421},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		int status = host_status(cases[i].server, cases[i].host);
		if (status != cases[i].status)
			fail_msg("%s as %s: %d", cases[i].host, cases[i].server, status);
	}
}

static void the_default_port_may_be_left_out(void **state)
{
	struct access *a = local;

	(void)state;
	local = make(NULL, 0, 80, false);
	assert_int_equal(host_status("local", "localhost"), 200);
	assert_int_equal(host_status("local", "[::1]"), 200);
	assert_int_equal(host_status("local", "localhost:80"), 200);
	assert_int_equal(host_status("local", "localhost:8000"), 421);
	access_destroy(local);
	local = a;
}

static int origin_status(const char *line, const char *host, const char *origin, bool token)
{
	char fields[600];

	snprintf(fields, sizeof(fields), "Host: %s\r\nOrigin: %s\r\n%s", host, origin,
		token ? "Authorization: Bearer " TOKEN "\r\n" : "");
	return ask(line, fields, "", NULL);
}

static void only_listed_origins_are_served(void **state)
{
	static const struct {
		const char *origin;
		int status;
	} cases[] = {
		{"http://localhost:8000", 200},
		{"http://127.0.0.1:8000", 200},
		{"http://[::1]:8000", 200},
		{"https://build.example.org", 200},
		{"http://other.example.org:8080", 200},
		{"http://[2001:db8::1]:8000", 200},
		{"null", 403},
		{"", 403},
		{"*", 403},
		{"file://", 403},
		{"undefined", 403},
		{"localhost:8000", 403},
		{"//localhost:8000", 403},
		{"http://localhost", 403},
		{"http://localhost:80", 403},
		{"http://localhost:8001", 403},
		{"http://localhost:3000", 403},
		{"http://localhost:80000", 403},
		{"http://localhost:8000/", 403},
		{"http://localhost:8000/path", 403},
		{"http://localhost:8000 http://evil.example", 403},
		{"http://evil.example http://localhost:8000", 403},
		{"http://localhost:8000,http://evil.example", 403},
		{"https://localhost:8000", 403},
		{"HTTP://LOCALHOST:8000", 403},
		{"ws://localhost:8000", 403},
		{"http://user@localhost:8000", 403},
		{"http://localhost.:8000", 403},
		{"http://localhost:8000.evil.example", 403},
		{"http://localhost.evil.example:8000", 403},
		{"http://evil.example:8000", 403},
		{"http://evil.example", 403},
		{"http://127.0.0.1.nip.io:8000", 403},
		{"http://127.0.0.1", 403},
		{"http://127.0.0.2:8000", 403},
		{"http://127.1:8000", 403},
		{"http://192.168.1.2:8000", 403},
		{"http://10.0.0.1", 403},
		{"http://[::]:8000", 403},
		{"http://[::ffff:127.0.0.1]:8000", 403},
		{"http://[0:0:0:0:0:0:0:1]:8000", 403},
		{"http://build.example.org", 403},
		{"https://build.example.org:443", 403},
		{"https://build.example.org:8443", 403},
		{"https://build.example.org.evil.example", 403},
		{"https://xbuild.example.org", 403},
		{"https://evil.example/build.example.org", 403},
		{"https://build.example.org%00", 403},
		{"http://other.example.org", 403},
		{"http://Other.Example.Org:8080", 403},
		{"chrome-extension://abcdef", 403},
		{"moz-extension://abcdef", 403},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		static const char *const lines[] = {"GET /public/read", "POST /public/change",
			"GET /public/ws", "GET /public/page"};
		for (size_t k = 0; k < countof(lines); k++) {
			int status =
				origin_status(lines[k], "localhost:8000", cases[i].origin, true);
			if (status != cases[i].status)
				fail_msg("%s from %s: %d", lines[k], cases[i].origin, status);
		}
	}
}

static void an_origin_that_agrees_with_a_foreign_host_is_no_pass(void **state)
{
	(void)state;
	assert_int_equal(origin_status("GET /local/read", "evil.example:8000",
				 "http://evil.example:8000", true),
		421);
	assert_int_equal(origin_status("POST /local/change", "evil.example:8000",
				 "http://evil.example:8000", true),
		421);
	assert_int_equal(origin_status("GET /local/ws", "evil.example:8000",
				 "http://evil.example:8000", true),
		421);
}

/* ---- rights */

#define LOCAL "Host: localhost:8000\r\n"
#define PUBLIC "Host: build.example.org\r\n"
#define BEARER "Authorization: Bearer " TOKEN "\r\n"
#define FAR "X-Peer: 192.0.2.7\r\n"
#define NEAR_ORIGIN "Origin: http://localhost:8000\r\n"
#define PUBLIC_ORIGIN "Origin: https://build.example.org\r\n"

static void who_may_read_and_change(void **state)
{
	static const struct {
		const char *line, *fields;
		int status;
		const char *body; /* NULL: any */
	} cases[] = {
		/* reading is open here, and nowhere else */
		{"GET /local/read", LOCAL, 200, "allowed"},
		{"GET /local/read", "Host: [::1]:8000\r\n", 200, "allowed"},
		{"GET /bound/read", "Host: 127.0.0.2:8000\r\n", 200, "allowed"},
		{"GET /bound/read", "Host: 127.0.0.2:8000\r\n" FAR, 401, NULL},
		{"POST /bound/change", "Host: 127.0.0.2:8000\r\n", 401, NULL},
		{"GET /local/read", LOCAL NEAR_ORIGIN, 200, "allowed"},
		{"GET /local/read", LOCAL BEARER, 200, "signed in"},
		{"GET /local/read", LOCAL "Authorization: Bearer wrong\r\n", 200, "allowed"},
		{"GET /local/read", LOCAL FAR, 401, NULL},
		/* a proxy here speaks for others, and nobody gains by what it says of them */
		{"GET /local/read", LOCAL "X-Forwarded-For: 192.0.2.7\r\n", 401, NULL},
		{"GET /local/read", LOCAL "X-Forwarded-For: 127.0.0.1\r\n", 401, NULL},
		{"GET /local/read", LOCAL "Forwarded: for=192.0.2.7\r\n", 401, NULL},
		{"GET /local/read", LOCAL "X-Real-IP: 192.0.2.7\r\n", 401, NULL},
		{"GET /local/read", LOCAL "X-Forwarded-Host: localhost:8000\r\n", 401, NULL},
		{"GET /local/read", LOCAL "X-Forwarded-Proto: https\r\n", 401, NULL},
		{"GET /local/read", LOCAL "X-Forwarded-Server: proxy\r\n", 401, NULL},
		{"GET /local/read", LOCAL "Via: 1.1 proxy\r\n", 401, NULL},
		{"GET /local/read", LOCAL "Via: 1.1 proxy\r\n" BEARER, 200, "signed in"},
		{"GET /local/ws", LOCAL "X-Forwarded-For: 127.0.0.1\r\n", 200, "not allowed"},
		{"GET /public/read", PUBLIC "X-Forwarded-For: 127.0.0.1\r\n", 401, NULL},
		{"GET /public/read", PUBLIC "X-Forwarded-Host: localhost:8000\r\n", 401, NULL},
		{"GET /local/read", LOCAL FAR BEARER, 200, "signed in"},
		{"GET /local/read", LOCAL "X-Peer: 127.0.0.9\r\n", 200, "allowed"},
		{"GET /local/read", LOCAL "X-Peer: ::1\r\n", 200, "allowed"},
		{"GET /local/read", LOCAL FAR "X-Forwarded-For: 127.0.0.1\r\n", 401, NULL},
		{"GET /local/read", "Host: evil.example\r\nX-Forwarded-Host: localhost:8000\r\n",
			421, NULL},
		{"GET /public/read", PUBLIC, 401, NULL},
		{"GET /public/read", PUBLIC PUBLIC_ORIGIN, 401, NULL},
		{"GET /public/read", PUBLIC FAR, 401, NULL},
		{"GET /public/read", PUBLIC BEARER, 200, "signed in"},
		{"GET /public/read", LOCAL, 200, "allowed"},
		{"GET /public-read/read", PUBLIC, 200, "allowed"},
		{"GET /public-read/read", PUBLIC FAR, 200, "allowed"},
		{"GET /public-read/read", LOCAL FAR, 200, "allowed"},
		/* the page's files need a listed Host alone */
		{"GET /public/page", PUBLIC FAR, 200, "allowed"},
		{"GET /public/page", "Host: evil.example\r\n", 421, NULL},
		/* changes need more */
		{"POST /local/change", LOCAL, 401, NULL},
		{"POST /local/change", LOCAL NEAR_ORIGIN, 401, NULL},
		{"POST /local/change", LOCAL BEARER, 200, "signed in"},
		{"POST /local/change", LOCAL NEAR_ORIGIN BEARER, 200, "signed in"},
		{"POST /public-read/change", PUBLIC PUBLIC_ORIGIN, 401, NULL},
		{"POST /public/change", PUBLIC FAR BEARER, 200, "signed in"},
		{"POST /local/change", LOCAL "Authorization: bearer  " TOKEN "\r\n", 200,
			"signed in"},
		{"POST /local/change", LOCAL "Authorization: Bearer " TOKEN "0\r\n", 401, NULL},
		{"POST /local/change", LOCAL "Authorization: Bearer 0123456789abcdef\r\n", 401,
			NULL},
		{"POST /local/change", LOCAL "Authorization: Bearer \r\n", 401, NULL},
		{"POST /local/change", LOCAL "Authorization: " TOKEN "\r\n", 401, NULL},
		{"POST /local/change", LOCAL "Authorization: Basic " TOKEN "\r\n", 401, NULL},
		{"POST /local/change", LOCAL NEAR_ORIGIN "Cookie: reqpm_8000=" TOKEN "\r\n", 401,
			NULL},
		/* a socket is told by a close code */
		{"GET /local/ws", LOCAL, 200, "allowed"},
		{"GET /local/ws", LOCAL NEAR_ORIGIN, 200, "allowed"},
		{"GET /local/ws", LOCAL FAR, 200, "not allowed"},
		{"GET /public/ws", PUBLIC PUBLIC_ORIGIN, 200, "not allowed"},
		{"GET /public/ws", PUBLIC BEARER, 200, "signed in"},
		{"GET /public-read/ws", PUBLIC FAR PUBLIC_ORIGIN, 200, "allowed"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct answer a;
		int status = ask(cases[i].line, cases[i].fields, "", &a);
		char text[512];
		if (status != cases[i].status ||
			(cases[i].body && strcmp(a.body.buf, cases[i].body) != 0))
			fail_msg("%s with %s: %d %s", cases[i].line, cases[i].fields, status,
				a.body.buf);
		if (status == 401)
			assert_string_equal(answer_header(&a, "WWW-Authenticate", text), "Bearer");
		answer_finish(&a);
	}
}

static void a_server_without_a_token_lets_nobody_change(void **state)
{
	struct access_config config = {.port = 8000, .token = ""};
	struct access *a = local;

	(void)state;
	local = access_create(&config, NULL);
	assert_int_equal(
		ask("POST /local/change", LOCAL "Authorization: Bearer \r\n", "", NULL), 401);
	assert_int_equal(
		ask("POST /local/change", LOCAL "Authorization: Bearer\r\n", "", NULL), 401);
	access_destroy(local);
	local = a;
}

static void public_urls_are_checked(void **state)
{
	static const char *const bad[] = {"", "build.example.org", "ftp://build.example.org",
		"https://", "https://build.example.org/reqpm", "https://build.example.org?x",
		"https://user@build.example.org", "https://build.example.org:99999",
		"https://build example.org"};

	(void)state;
	for (size_t i = 0; i < countof(bad); i++) {
		struct strbuf err = STRBUF_INIT;
		char *url = xstrdup(bad[i]);
		struct access_config config = {
			.public_urls = &url, .public_url_count = 1, .port = 8000, .token = TOKEN};
		assert_null(access_create(&config, &err));
		assert_non_null(strstr(err.buf, bad[i]));
		strbuf_finish(&err);
		free(url);
	}
}

/* ---- signing in */

struct code_call {
	struct access *access;
	char code[ACCESS_CODE_MAX];
};

static void make_code(void *arg)
{
	struct code_call *call = arg;

	access_code_new(call->access, call->code);
}

/* Signs in with code; returns the status and, when it is 204, the pair to send as a cookie. */
static int sign_in(const char *server, const char *fields, const char *code, char ret_cookie[128],
	char ret_set[512])
{
	char line[64], body[128], text[512] = "";
	struct answer a;
	int status;

	snprintf(line, sizeof(line), "POST /%s/login", server);
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	status = ask(line, fields, body, &a);
	if (answer_header(&a, "Set-Cookie", text) && ret_cookie)
		snprintf(ret_cookie, 128, "Cookie: %.*s\r\n", (int)strcspn(text, ";"), text);
	if (ret_set)
		snprintf(ret_set, 512, "%s", text);
	answer_finish(&a);
	return status;
}

static void a_code_signs_in_once(void **state)
{
	struct code_call call = {.access = local};
	char cookie[128], set[512], fields[512];

	(void)state;
	fixture_call(&f, make_code, &call);
	assert_int_equal(strlen(call.code), 32);
	assert_int_equal(sign_in("local", LOCAL NEAR_ORIGIN, call.code, cookie, set), 204);
	assert_int_equal(strncmp(set, "reqpm_8000=", 11), 0);
	assert_string_equal(strchr(set, ';'), "; Path=/; HttpOnly; SameSite=Strict");
	assert_null(strstr(set, call.code));
	assert_int_equal(sign_in("local", LOCAL NEAR_ORIGIN, call.code, NULL, set), 401);
	assert_string_equal(set, "");
	snprintf(fields, sizeof(fields), LOCAL NEAR_ORIGIN "%s", cookie);
	assert_int_equal(ask("POST /local/change", fields, "", NULL), 200);
	snprintf(fields, sizeof(fields), LOCAL "%s", cookie);
	assert_int_equal(ask("POST /local/change", fields, "", NULL), 401);
	snprintf(fields, sizeof(fields), LOCAL "Origin: null\r\n%s", cookie);
	assert_int_equal(ask("POST /local/change", fields, "", NULL), 403);
}

static void a_session_reads_from_afar(void **state)
{
	static const struct {
		const char *line, *fields, *body; /* NULL: 401 */
	} cases[] = {
		{"GET /public/read", PUBLIC PUBLIC_ORIGIN, "signed in"},
		{"GET /public/read", PUBLIC, "signed in"},
		{"GET /public/read", PUBLIC "Sec-Fetch-Site: same-origin\r\n", "signed in"},
		{"GET /public/read", PUBLIC "Sec-Fetch-Site: none\r\n", "signed in"},
		{"GET /public/read", PUBLIC "Sec-Fetch-Site: same-site\r\n", NULL},
		{"GET /public/read", PUBLIC "Sec-Fetch-Site: cross-site\r\n", NULL},
		{"GET /public/ws", PUBLIC PUBLIC_ORIGIN, "signed in"},
		{"GET /public/ws", PUBLIC, "not allowed"},
		{"POST /public/change", PUBLIC PUBLIC_ORIGIN, "signed in"},
		{"POST /public/change", PUBLIC, NULL},
		{"GET /local/read", LOCAL FAR, NULL}, /* a session of another server */
	};
	struct code_call call = {.access = public_only};
	char cookie[128], set[512];

	(void)state;
	fixture_call(&f, make_code, &call);
	assert_int_equal(sign_in("public", PUBLIC FAR PUBLIC_ORIGIN, call.code, cookie, set), 204);
	assert_non_null(strstr(set, "; Secure"));
	for (size_t i = 0; i < countof(cases); i++) {
		char fields[512];
		struct answer a;
		snprintf(fields, sizeof(fields), "%s%s", cases[i].fields, cookie);
		int status = ask(cases[i].line, fields, "", &a);
		if (status != (cases[i].body ? 200 : 401) ||
			(cases[i].body && strcmp(a.body.buf, cases[i].body) != 0))
			fail_msg("%s with %s: %d %s", cases[i].line, fields, status, a.body.buf);
		answer_finish(&a);
	}
}

static void sign_in_needs_a_listed_host_and_origin(void **state)
{
	struct code_call call = {.access = local};

	(void)state;
	fixture_call(&f, make_code, &call);
	assert_int_equal(sign_in("local", LOCAL, call.code, NULL, NULL), 403);
	assert_int_equal(
		sign_in("local", LOCAL "Origin: http://evil.example\r\n", call.code, NULL, NULL),
		403);
	assert_int_equal(sign_in("local", "Host: evil.example\r\nOrigin: http://evil.example\r\n",
				 call.code, NULL, NULL),
		421);
	assert_int_equal(sign_in("local", LOCAL NEAR_ORIGIN, call.code, NULL, NULL), 204);
}

static void a_login_that_is_no_login_is_refused(void **state)
{
	static const char *const bodies[] = {"", "{}", "[]", "{\"code\":1}", "{\"code\":null}",
		"code", "{\"code\":\"a\"", "\"code\""};

	(void)state;
	for (size_t i = 0; i < countof(bodies); i++)
		assert_int_equal(ask("POST /local/login", LOCAL NEAR_ORIGIN, bodies[i], NULL), 400);
	assert_int_equal(ask("POST /local/login", LOCAL NEAR_ORIGIN, "{\"code\":\"\"}", NULL), 401);
	assert_int_equal(
		ask("POST /local/login", LOCAL NEAR_ORIGIN, "{\"code\":\"" TOKEN "\"}", NULL), 401);
}

static void advance_to_the_last_moment(void *arg)
{
	access_clock_advance(arg, ACCESS_CODE_TTL_MS - 60000);
}

static void advance_past_it(void *arg)
{
	access_clock_advance(arg, 60001);
}

static void a_code_ends_after_ten_minutes(void **state)
{
	struct code_call first = {.access = local}, second = {.access = local};

	(void)state;
	fixture_call(&f, make_code, &first);
	fixture_call(&f, make_code, &second);
	fixture_call(&f, advance_to_the_last_moment, local);
	assert_int_equal(sign_in("local", LOCAL NEAR_ORIGIN, first.code, NULL, NULL), 204);
	fixture_call(&f, advance_past_it, local);
	assert_int_equal(sign_in("local", LOCAL NEAR_ORIGIN, second.code, NULL, NULL), 401);
}

static void of_too_many_codes_and_sessions_the_oldest_goes(void **state)
{
	struct access_sessions *s = access_sessions_create();
	char codes[ACCESS_CODES_MAX + 1][ACCESS_CODE_MAX];
	static char sessions[ACCESS_SESSIONS_MAX + 1][ACCESS_CODE_MAX];
	char code[ACCESS_CODE_MAX], session[ACCESS_CODE_MAX];

	(void)state;
	for (size_t i = 0; i < countof(codes); i++)
		access_sessions_code(s, 0, codes[i]);
	assert_false(access_sessions_open(s, codes[0], 0, session));
	assert_true(access_sessions_open(s, codes[1], 0, session));
	assert_true(access_sessions_open(s, codes[ACCESS_CODES_MAX], 0, session));
	for (size_t i = 0; i < countof(sessions); i++) {
		access_sessions_code(s, 0, code);
		assert_true(access_sessions_open(s, code, 0, sessions[i]));
	}
	assert_false(access_sessions_has(s, sessions[0]));
	assert_true(access_sessions_has(s, sessions[1]));
	assert_true(access_sessions_has(s, sessions[ACCESS_SESSIONS_MAX]));
	access_sessions_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_listed_hosts_are_served),
		cmocka_unit_test(the_default_port_may_be_left_out),
		cmocka_unit_test(only_listed_origins_are_served),
		cmocka_unit_test(an_origin_that_agrees_with_a_foreign_host_is_no_pass),
		cmocka_unit_test(who_may_read_and_change),
		cmocka_unit_test(a_server_without_a_token_lets_nobody_change),
		cmocka_unit_test(public_urls_are_checked),
		cmocka_unit_test(a_code_signs_in_once),
		cmocka_unit_test(a_session_reads_from_afar),
		cmocka_unit_test(sign_in_needs_a_listed_host_and_origin),
		cmocka_unit_test(a_login_that_is_no_login_is_refused),
		cmocka_unit_test(a_code_ends_after_ten_minutes),
		cmocka_unit_test(of_too_many_codes_and_sessions_the_oldest_goes),
	};

	return cmocka_run_group_tests(tests, start, finish);
}
