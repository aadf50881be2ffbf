// SPDX-License-Identifier: MIT
#include "fixture.h"

#include "core/http/embedded.h"

/* The page of this test, in place of the generated one. */
#define INDEX "<!doctype html>"
#define SCRIPT "let a = 1"
#define SCRIPT_GZIP "not really gzip"
const struct embedded_file embedded_files[] = {
	{"/index.html", "text/html; charset=utf-8", "\"i1\"", (const unsigned char *)INDEX,
		sizeof(INDEX) - 1, NULL, 0, false},
	{"/assets/app-1a2b.js", "text/javascript; charset=utf-8", "\"a1\"",
		(const unsigned char *)SCRIPT, sizeof(SCRIPT) - 1,
		(const unsigned char *)SCRIPT_GZIP, sizeof(SCRIPT_GZIP) - 1, true},
};
const size_t embedded_file_count = countof(embedded_files);

static struct fixture f;

static void serve(struct http_request *req, void *arg)
{
	(void)arg;
	if (!embedded_serve(req))
		http_reply_problem(req, 500, "no-page", "there is no page");
}

static int start(void **state)
{
	struct http_config config = {.fallback = serve};

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

static void get(const char *path, const char *headers, struct answer *ret)
{
	int fd = client_open(&f);

	client_say(fd, "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path, headers);
	client_answer(fd, ret);
	close(fd);
}

static void assert_header(const struct answer *a, const char *name, const char *value)
{
	char buf[512];
	const char *got = answer_header(a, name, buf);

	if (!value)
		assert_null(got);
	else
		assert_string_equal(got ? got : "(absent)", value);
}

static void a_page_address_gets_the_page(void **state)
{
	static const char *const paths[] = {"/", "/builds/7", "/index.html"};
	struct answer a;

	(void)state;
	for (size_t i = 0; i < countof(paths); i++) {
		get(paths[i], "", &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body.buf, INDEX);
		assert_header(&a, "Cache-Control", "no-cache");
		assert_header(&a, "ETag", "\"i1\"");
		answer_finish(&a);
	}
}

static void a_missing_asset_is_missing(void **state)
{
	struct answer a;

	(void)state;
	get("/assets/app-0000.js", "", &a);
	assert_int_equal(a.status, 404);
	answer_finish(&a);
}

static void who_takes_gzip_gets_it_under_an_etag_of_its_own(void **state)
{
	static const struct {
		const char *accept;
		bool gzip;
	} cases[] = {
		{"Accept-Encoding: gzip\r\n", true},
		{"Accept-Encoding: deflate, gzip;q=0.5, br\r\n", true},
		{"Accept-Encoding: gzip ;q=1\r\n", true},
		{"Accept-Encoding: gzip;q=0\r\n", false},
		{"Accept-Encoding: gzip;q=0.000\r\n", false},
		{"Accept-Encoding: xgzip\r\n", false},
		{"Accept-Encoding: gzipped\r\n", false},
		{"Accept-Encoding: br\r\n", false},
		{"", false},
	};
	struct answer a;

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		get("/assets/app-1a2b.js", cases[i].accept, &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body.buf, cases[i].gzip ? SCRIPT_GZIP : SCRIPT);
		assert_header(&a, "Content-Encoding", cases[i].gzip ? "gzip" : NULL);
		assert_header(&a, "ETag", cases[i].gzip ? "\"a1-gzip\"" : "\"a1\"");
		assert_header(&a, "Vary", "Accept-Encoding");
		assert_header(&a, "Cache-Control", "public, max-age=31536000, immutable");
		answer_finish(&a);
	}
}

static void what_the_browser_has_is_not_sent_again(void **state)
{
	struct answer a;

	(void)state;
	get("/assets/app-1a2b.js", "Accept-Encoding: gzip\r\nIf-None-Match: \"a1-gzip\"\r\n", &a);
	assert_int_equal(a.status, 304);
	answer_finish(&a);
	get("/assets/app-1a2b.js", "If-None-Match: \"a1-gzip\"\r\n", &a);
	assert_int_equal(a.status, 200);
	answer_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_address_gets_the_page),
		cmocka_unit_test(a_missing_asset_is_missing),
		cmocka_unit_test(who_takes_gzip_gets_it_under_an_etag_of_its_own),
		cmocka_unit_test(what_the_browser_has_is_not_sent_again),
	};

	return cmocka_run_group_tests(tests, start, finish);
}
