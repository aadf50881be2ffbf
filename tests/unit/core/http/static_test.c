// SPDX-License-Identifier: MIT
#include "fixture.h"

#include <sys/stat.h>

static struct fixture f;
static struct static_dir *folder;
static char root[] = "/tmp/reqpm-static-XXXXXX";

static void serve(struct http_request *req, void *arg)
{
	(void)arg;
	static_dir_serve(folder, req);
}

static void put(const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static void folder_make(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(dir_create(path, 0755, NULL), 0);
}

static void link_make(const char *target, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(symlink(target, path), 0);
}

static int start(void **state)
{
	struct http_config config = {.fallback = serve};
	struct strbuf err = STRBUF_INIT;
	char dist[200];

	(void)state;
	assert_non_null(mkdtemp(root));
	folder_make("dist/assets");
	put("secret.txt", "secret");
	put("dist/index.html", "<!doctype html>");
	put("dist/assets/app-1a2b.js", "let a = 1");
	put("dist/assets/style.css", "a {}");
	put("dist/data", "bytes");
	link_make("../secret.txt", "dist/link.txt");
	link_make("..", "dist/up");
	snprintf(dist, sizeof(dist), "%s/dist/fifo.txt", root);
	assert_int_equal(mkfifo(dist, 0644), 0);
	snprintf(dist, sizeof(dist), "%s/dist", root);
	folder = static_dir_open(dist, &err);
	if (!folder)
		fail_msg("%s", err.buf);
	fixture_init(&f, &config);
	fixture_run(&f);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	static_dir_close(folder);
	fixture_finish(&f);
	return tree_remove(root);
}

static void files_are_served_with_their_type(void **state)
{
	static const struct {
		const char *path, *body, *type;
	} cases[] = {
		{"/index.html", "<!doctype html>", "text/html; charset=utf-8"},
		{"/", "<!doctype html>", "text/html; charset=utf-8"},
		{"/builds/7", "<!doctype html>", "text/html; charset=utf-8"},
		{"/assets", "<!doctype html>", "text/html; charset=utf-8"},
		{"/up", "<!doctype html>", "text/html; charset=utf-8"},
		{"/assets/app-1a2b.js", "let a = 1", "text/javascript; charset=utf-8"},
		{"/assets/style.css", "a {}", "text/css; charset=utf-8"},
		{"/data", "bytes", "application/octet-stream"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct answer a;
		char text[512];
		int fd = client_open(&f);
		client_say(fd, "GET %s HTTP/1.1\r\n" HOST "\r\n", cases[i].path);
		client_answer(fd, &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body.buf, cases[i].body);
		assert_string_equal(answer_header(&a, "Content-Type", text), cases[i].type);
		answer_finish(&a);
		close(fd);
	}
}

static void what_is_not_there_or_not_a_plain_file_is_not_found(void **state)
{
	static const char *const paths[] = {"/nothing.js", "/assets/nothing.css", "/link.txt",
		"/up/secret.txt", "/fifo.txt", "/index.html/x.js", "/assets/..%5c..%5csecret.txt",
		"//etc/hosts.txt"};

	(void)state;
	for (size_t i = 0; i < countof(paths); i++) {
		int fd = client_open(&f);
		expect_status(fd, 404, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
		close(fd);
	}
}

static void no_path_leaves_the_folder(void **state)
{
	static const char *const paths[] = {"/../secret.txt", "/%2e%2e/secret.txt",
		"/assets/../../secret.txt", "/..%2fsecret.txt"};

	(void)state;
	for (size_t i = 0; i < countof(paths); i++) {
		int fd = client_open(&f);
		expect_status(fd, 400, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
		close(fd);
	}
}

static void a_file_that_is_known_is_not_sent_again(void **state)
{
	struct answer a;
	char etag[512];
	int fd = client_open(&f);

	(void)state;
	client_say(fd, "GET /assets/style.css HTTP/1.1\r\n" HOST "\r\n");
	client_answer(fd, &a);
	assert_non_null(answer_header(&a, "ETag", etag));
	answer_finish(&a);
	expect_status(fd, 304,
		"GET /assets/style.css HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n", etag);
	put("dist/assets/style.css", "a { color: red }");
	expect_status(fd, 200,
		"GET /assets/style.css HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n", etag);
	close(fd);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct strbuf err = STRBUF_INIT;

	(void)state;
	assert_null(static_dir_open("/nowhere/dist", &err));
	assert_non_null(strstr(err.buf, "/nowhere/dist"));
	strbuf_finish(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_served_with_their_type),
		cmocka_unit_test(what_is_not_there_or_not_a_plain_file_is_not_found),
		cmocka_unit_test(no_path_leaves_the_folder),
		cmocka_unit_test(a_file_that_is_known_is_not_sent_again),
		cmocka_unit_test(a_folder_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, start, finish);
}
