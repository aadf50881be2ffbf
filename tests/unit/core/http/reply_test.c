// SPDX-License-Identifier: MIT
#include "fixture.h"

#include <strings.h>
#include "core/base/json.h"

#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

struct app {
	char route[64]; /* what the last request was matched with */
};

static void named(struct http_request *req, void *arg)
{
	struct app *app = arg;

	snprintf(app->route, sizeof(app->route), "%s", http_request_route(req)->pattern);
	http_reply(req, 200, "text/plain", "ok", 2);
}

/* Answers what it was sent, in one line. */
static void mirror(struct http_request *req, void *arg)
{
	struct strbuf body = STRBUF_INIT;
	const char *id = http_param(req, "id"), *rest = http_param(req, "rest");
	const char *q = http_query(req, "q"), *cookie = http_cookie(req, "sid");

	(void)arg;
	strbuf_addf(&body, "id=%s rest=%s q=%s cookie=%s agent=%s", id ? id : "-",
		rest ? rest : "-", q ? q : "-", cookie ? cookie : "-",
		http_header(req, "user-agent") ? http_header(req, "user-agent") : "-");
	http_reply(req, 200, "text/plain", body.buf, body.len);
	strbuf_finish(&body);
}

static void json(struct http_request *req, void *arg)
{
	struct strbuf body = STRBUF_INIT;

	(void)arg;
	strbuf_addstr(&body, "{\"a\":1}");
	http_reply_json(req, 200, &body);
}

static void headed(struct http_request *req, void *arg)
{
	(void)arg;
	http_add_header(req, "Cache-Control", "max-age=60");
	http_add_header(req, "content-security-policy", "sandbox");
	http_add_header(req, "X-Odd", "a\r\nSet-Cookie: stolen=1\x7f");
	http_reply(req, 200, "text/plain", "x", 1);
}

static void tagged(struct http_request *req, void *arg)
{
	(void)arg;
	if (!http_reply_condition(req, "W/\"k3Jd-1-40\""))
		http_reply(req, 200, "text/plain", "fresh", 5);
}

static void broken(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_problem(req, 503, "store-gone", "the \"store\" is <gone>: %d", 7);
}

static void page(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply(req, 200, "text/html", http_request_route(req) ? "routed" : "page", 4);
}

static void empty(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply(req, 204, NULL, "", 0);
}

static bool guard(struct http_request *req, void *arg)
{
	(void)arg;
	if (!http_header(req, "x-foreign"))
		return false;
	http_reply_problem(req, 421, "unknown-host", "not here");
	return true;
}

static const struct http_route routes[] = {
	{.method = HTTP_GET, .pattern = "/", .handler = named},
	{.method = HTTP_GET, .pattern = "/api/builds", .handler = named},
	{.method = HTTP_POST, .pattern = "/api/builds", .handler = named, .body = HTTP_BODY_BUFFER},
	{.method = HTTP_GET, .pattern = "/api/builds/:id", .handler = named},
	{.method = HTTP_GET, .pattern = "/api/builds/newest", .handler = named},
	{.method = HTTP_DELETE, .pattern = "/api/builds/:id", .handler = named},
	{.method = HTTP_GET, .pattern = "/api/builds/:id/repo/*rest", .handler = mirror},
	{.method = HTTP_GET, .pattern = "/api/builds/:id/repo/repodata/*rest", .handler = named},
	{.method = HTTP_GET, .pattern = "/ws/builds/:id/", .handler = named},
	{.method = HTTP_GET, .pattern = "/mirror", .handler = mirror},
	{.method = HTTP_GET, .pattern = "/json", .handler = json},
	{.method = HTTP_GET, .pattern = "/headed", .handler = headed},
	{.method = HTTP_GET, .pattern = "/tagged", .handler = tagged},
	{.method = HTTP_GET, .pattern = "/broken", .handler = broken},
	{.method = HTTP_GET, .pattern = "/empty", .handler = empty},
};

static struct fixture f;
static struct app app;

static int start(void **state)
{
	struct http_config config = {
		.routes = routes, .route_count = countof(routes), .app = &app, .guard = guard};

	(void)state;
	fixture_init(&f, &config);
	fixture_run(&f);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	fixture_finish(&f);
	return 0;
}

static void ask(const char *text, struct answer *ret_answer)
{
	int fd = client_open(&f);

	client_say(fd, "%s", text);
	client_answer(fd, ret_answer);
	close(fd);
}

static void assert_header(const struct answer *a, const char *name, const char *value)
{
	char text[512];

	if (!answer_header(a, name, text))
		fail_msg("%s is missing in <%s>", name, a->head.buf);
	assert_string_equal(text, value);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strcasestr(text, part)); text++)
		count++;
	return count;
}

static void every_answer_has_the_security_headers(void **state)
{
	static const char *const requests[] = {GET("/"), GET("/json"), GET("/nothing"),
		GET("/broken"), GET("/empty"), "DELETE / HTTP/1.1\r\n" HOST "\r\n", "nonsense\r\n",
		"GET / HTTP/1.1\r\n" HOST "X-Foreign: 1\r\n\r\n",
		"GET /tagged HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < countof(requests); i++) {
		struct answer a;
		char text[512];
		ask(requests[i], &a);
		assert_header(&a, "X-Content-Type-Options", "nosniff");
		assert_header(&a, "Referrer-Policy", "no-referrer");
		assert_header(&a, "Cross-Origin-Opener-Policy", "same-origin");
		assert_header(&a, "Cross-Origin-Resource-Policy", "same-origin");
		assert_header(&a, "Content-Security-Policy",
			"default-src 'self'; script-src 'self'; object-src 'none'; base-uri "
			"'none'; "
			"frame-ancestors 'none'");
		assert_header(&a, "Cache-Control", "no-cache");
		assert_non_null(answer_header(&a, "Date", text));
		assert_null(answer_header(&a, "Access-Control-Allow-Origin", text));
		assert_int_equal(strlen(text), strlen("Sun, 06 Nov 1994 08:49:37 GMT"));
		assert_string_equal(text + 25, " GMT");
		answer_finish(&a);
	}
}

static void a_header_of_the_handler_replaces_the_default(void **state)
{
	struct answer a;

	(void)state;
	ask(GET("/headed"), &a);
	assert_header(&a, "Cache-Control", "max-age=60");
	assert_header(&a, "Content-Security-Policy", "sandbox");
	assert_int_equal(count_of(a.head.buf, "\r\ncache-control:"), 1);
	assert_int_equal(count_of(a.head.buf, "\r\ncontent-security-policy:"), 1);
	answer_finish(&a);
}

static void a_header_value_cannot_end_its_line(void **state)
{
	struct answer a;

	(void)state;
	ask(GET("/headed"), &a);
	assert_header(&a, "X-Odd", "a__Set-Cookie: stolen=1_");
	answer_finish(&a);
}

static void a_problem_says_what_and_where(void **state)
{
	struct answer a;
	json_t *problem;

	(void)state;
	ask(GET("/broken"), &a);
	assert_int_equal(a.status, 503);
	assert_header(&a, "Content-Type", "application/problem+json");
	problem = json_loads(a.body.buf, 0, NULL);
	assert_string_equal(
		json_string_value(json_object_get(problem, "type")), "/problems/store-gone");
	assert_string_equal(
		json_string_value(json_object_get(problem, "title")), "Service Unavailable");
	assert_int_equal(json_integer_value(json_object_get(problem, "status")), 503);
	assert_string_equal(json_string_value(json_object_get(problem, "detail")),
		"the \"store\" is <gone>: 7");
	assert_int_equal(
		strncmp(json_string_value(json_object_get(problem, "instance")), "/requests/", 10),
		0);
	json_decref(problem);
	answer_finish(&a);
}

static void head_answers_as_get_without_the_body(void **state)
{
	struct answer a;
	int fd = client_open(&f);

	(void)state;
	client_say(fd, "HEAD /json HTTP/1.1\r\n" HOST "\r\n");
	client_answer_head(fd, &a);
	assert_int_equal(a.status, 200);
	assert_header(&a, "Content-Length", "7");
	assert_header(&a, "Content-Type", "application/json");
	answer_finish(&a);
	expect_status(fd, 200, GET("/"));
	client_say(fd, "HEAD /nothing HTTP/1.1\r\n" HOST "\r\n");
	client_answer_head(fd, &a);
	assert_int_equal(a.status, 404);
	answer_finish(&a);
	expect_status(fd, 200, GET("/"));
	close(fd);
}

static void no_content_has_neither_length_nor_type(void **state)
{
	struct answer a;
	char text[512];

	(void)state;
	ask(GET("/empty"), &a);
	assert_int_equal(a.status, 204);
	assert_null(answer_header(&a, "Content-Length", text));
	assert_null(answer_header(&a, "Content-Type", text));
	answer_finish(&a);
}

/* ---- routes */

static void the_longest_literal_match_wins(void **state)
{
	static const struct {
		const char *path, *pattern;
	} cases[] = {
		{"/", "/"},
		{"/api/builds", "/api/builds"},
		{"/api/builds/7", "/api/builds/:id"},
		{"/api/builds/newest", "/api/builds/newest"},
		{"/api/builds/newest1", "/api/builds/:id"},
		{"/ws/builds/7/", "/ws/builds/:id/"},
		{"/api/builds/7/repo/repodata/repomd.xml", "/api/builds/:id/repo/repodata/*rest"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		int fd = client_open(&f);
		expect_status(fd, 200, "GET %s HTTP/1.1\r\n" HOST "\r\n", cases[i].path);
		fixture_sync(&f);
		assert_string_equal(app.route, cases[i].pattern);
		close(fd);
	}
}

static void paths_that_no_pattern_has_are_not_found(void **state)
{
	static const char *const paths[] = {"/nothing", "/api", "/api/", "/api/builds/",
		"/api/builds/7/", "/api/builds//repo/x", "/api/builds/7/repo", "/ws/builds/7",
		"/ws/builds//", "//", "/API/builds", "/api/builds/7/8"};

	(void)state;
	for (size_t i = 0; i < countof(paths); i++) {
		int fd = client_open(&f);
		expect_status(fd, 404, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
		close(fd);
	}
}

static void another_method_is_told_which_there_are(void **state)
{
	static const struct {
		const char *request, *allow;
	} cases[] = {
		{"PUT /api/builds HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD, POST"},
		{"OPTIONS /api/builds HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD, POST"},
		{"POST /api/builds/7 HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD, DELETE"},
		{"PATCH / HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct answer a;
		ask(cases[i].request, &a);
		assert_int_equal(a.status, 405);
		assert_header(&a, "Allow", cases[i].allow);
		answer_finish(&a);
	}
}

static void the_guard_sees_even_what_no_route_has(void **state)
{
	static const char *const heads[] = {"GET / ", "GET /nothing ", "PUT / ", "HEAD / "};

	(void)state;
	for (size_t i = 0; i < countof(heads); i++) {
		struct answer a;
		int fd = client_open(&f);
		client_say(fd, "%sHTTP/1.1\r\n" HOST "X-Foreign: 1\r\n\r\n", heads[i]);
		client_answer_head(fd, &a);
		assert_int_equal(a.status, 421);
		answer_finish(&a);
		close(fd);
	}
}

static void the_fallback_reads_only(void **state)
{
	struct http_config config = {
		.routes = routes, .route_count = countof(routes), .app = &app, .fallback = page};
	struct fixture with_page;
	int fd;

	(void)state;
	fixture_init(&with_page, &config);
	fixture_run(&with_page);
	fd = client_open(&with_page);
	expect_status(fd, 200, GET("/builds/7"));
	expect_status(fd, 404, "POST /builds/7 HTTP/1.1\r\n" HOST "\r\n");
	expect_status(fd, 405, "PUT /api/builds HTTP/1.1\r\n" HOST "\r\n");
	expect_status(fd, 413, "GET /builds/7 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
	close(fd);
	fixture_finish(&with_page);
}

/* ---- what a handler reads */

static void a_handler_reads_params_query_and_cookies(void **state)
{
	static const struct {
		const char *target, *fields, *seen;
	} cases[] = {
		{"/mirror", "", "id=- rest=- q=- cookie=- agent=-"},
		{"/api/builds/7/repo/", "", "id=7 rest= q=- cookie=- agent=-"},
		{"/api/builds/a%20b/repo/x/%C3%A4.rpm", "",
			"id=a b rest=x/\xc3\xa4.rpm q=- cookie=- agent=-"},
		{"/mirror?q=a+b%2Bc", "", "id=- rest=- q=a b+c cookie=- agent=-"},
		{"/mirror?x=1&q=&q=2", "", "id=- rest=- q= cookie=- agent=-"},
		{"/mirror?qq=1&%71=2&", "", "id=- rest=- q=2 cookie=- agent=-"},
		{"/mirror?q", "", "id=- rest=- q= cookie=- agent=-"},
		{"/mirror?&&q=a=b&&", "", "id=- rest=- q=a=b cookie=- agent=-"},
		{"/mirror", "Cookie: sid=abc\r\n", "id=- rest=- q=- cookie=abc agent=-"},
		{"/mirror", "Cookie: asid=1; sid=2; sid=3\r\n", "id=- rest=- q=- cookie=2 agent=-"},
		{"/mirror", "Cookie: sid\r\n", "id=- rest=- q=- cookie=- agent=-"},
		{"/mirror", "Cookie: a=sid=9\r\nCookie: sid=\r\n",
			"id=- rest=- q=- cookie= agent=-"},
		{"/mirror", "USER-agent:  x  y \r\n", "id=- rest=- q=- cookie=- agent=x  y"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct strbuf text = STRBUF_INIT;
		struct answer a;
		strbuf_addf(&text, "GET %s HTTP/1.1\r\n" HOST "%s\r\n", cases[i].target,
			cases[i].fields);
		ask(text.buf, &a);
		assert_string_equal(a.body.buf, cases[i].seen);
		answer_finish(&a);
		strbuf_finish(&text);
	}
}

static void an_etag_that_is_known_is_answered_304(void **state)
{
	static const struct {
		const char *list;
		int status;
	} cases[] = {
		{"W/\"k3Jd-1-40\"", 304},
		{"\"k3Jd-1-40\"", 304},
		{"*", 304},
		{"\"a\", W/\"b\" , W/\"k3Jd-1-40\"", 304},
		{"\"a,b\",\"k3Jd-1-40\"", 304},
		{"\"a\"\r\nIf-None-Match: \"k3Jd-1-40\"", 304},
		{"\"k3Jd-1-40\"\r\nIf-None-Match: \"a\"", 304},
		{"\"a\"\r\nIf-None-Match: \"b\"", 200},
		{"W/*", 200},
		{"W/\"k3Jd-1-41\"", 200},
		{"\"k3Jd-1-4\"", 200},
		{"\"k3Jd-1-400\"", 200},
		{"k3Jd-1-40", 200},
		{"\"k3Jd-1-40", 200},
		{"", 200},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct strbuf text = STRBUF_INIT;
		struct answer a;
		strbuf_addf(&text, "GET /tagged HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n",
			cases[i].list);
		ask(text.buf, &a);
		assert_int_equal(a.status, cases[i].status);
		assert_string_equal(a.body.buf, cases[i].status == 304 ? "" : "fresh");
		assert_header(&a, "ETag", "W/\"k3Jd-1-40\"");
		answer_finish(&a);
		strbuf_finish(&text);
	}
}

static void only_what_if_match_names_is_sent_or_done(void **state)
{
	static const struct {
		const char *request, *fields;
		int status;
	} cases[] = {
		/* Its tag is a weak one: that the bytes are the same it does not say. */
		{"GET /tagged", "If-Match: *\r\n", 200},
		{"GET /tagged", "If-Match: \"k3Jd-1-40\"\r\n", 412},
		{"GET /tagged", "If-Match: W/\"k3Jd-1-40\"\r\n", 412},
		{"GET /tagged", "If-Match: \"a\"\r\nIf-None-Match: *\r\n", 412},
		{"GET /tagged", "If-Match: *\r\nIf-None-Match: *\r\n", 304},
		{"GET /json", "If-Match: *\r\n", 200},
		{"GET /json", "If-Match: \"\"\r\n", 412},
		{"GET /json", "If-Match:\r\n", 412},
		{"GET /json", "If-Match: \"a\"\r\nIf-Match: *\r\n", 200},
		{"GET /headed", "If-Match: \"a\"\r\n", 412},
		/* What would be no success is told as ever. */
		{"GET /nothing", "If-Match: \"a\"\r\n", 404},
		{"GET /broken", "If-Match: \"a\"\r\n", 503},
		{"DELETE /api/builds/7", "If-Match: *\r\n", 200},
		{"DELETE /api/builds/7", "If-Match: W/\"k3Jd-1-40\"\r\n", 412},
		{"POST /api/builds", "If-Match: \"a\"\r\nContent-Length: 1\r\n", 412},
		{"POST /api/builds", "If-Match: \"a\"\r\nX-Foreign: 1\r\n", 421},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct answer a;
		int fd = client_open(&f);

		strcpy(app.route, "none");
		client_say(fd, "%s HTTP/1.1\r\n" HOST "%s\r\n", cases[i].request, cases[i].fields);
		client_answer_head(fd, &a);
		if (a.status != cases[i].status)
			fail_msg("%s with %s: %d", cases[i].request, cases[i].fields, a.status);
		if (a.status == 412) {
			assert_header(&a, "Content-Type", "application/problem+json");
			assert_header(&a, "Cache-Control", "no-cache");
			assert_string_equal(app.route, "none");
		}
		answer_finish(&a);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_has_the_security_headers),
		cmocka_unit_test(a_header_of_the_handler_replaces_the_default),
		cmocka_unit_test(a_header_value_cannot_end_its_line),
		cmocka_unit_test(a_problem_says_what_and_where),
		cmocka_unit_test(head_answers_as_get_without_the_body),
		cmocka_unit_test(no_content_has_neither_length_nor_type),
		cmocka_unit_test(the_longest_literal_match_wins),
		cmocka_unit_test(paths_that_no_pattern_has_are_not_found),
		cmocka_unit_test(another_method_is_told_which_there_are),
		cmocka_unit_test(the_guard_sees_even_what_no_route_has),
		cmocka_unit_test(the_fallback_reads_only),
		cmocka_unit_test(a_handler_reads_params_query_and_cookies),
		cmocka_unit_test(an_etag_that_is_known_is_answered_304),
		cmocka_unit_test(only_what_if_match_names_is_sent_or_done),
	};

	return cmocka_run_group_tests(tests, start, finish);
}
