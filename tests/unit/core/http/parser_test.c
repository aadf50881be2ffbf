// SPDX-License-Identifier: MIT
#include "core/http/http_internal.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include "malformed.h"

#define COUNT_MIN 150

static ssize_t parse(const char *text, struct http_head *ret_head)
{
	const char *why = NULL;

	return http_head_parse(text, strlen(text), ret_head, &why);
}

static void each_malformed_request_is_refused_with_its_status(void **state)
{
	(void)state;
	assert_true(countof(malformed) >= COUNT_MIN);
	for (size_t i = 0; i < countof(malformed); i++) {
		const struct malformed *m = &malformed[i];
		const char *why = NULL;
		struct http_head head;
		/* no byte to spare, so that a sanitizer sees a read beyond */
		char *data = malloc(m->len);
		memcpy(data, m->data, m->len);
		ssize_t r = http_head_parse(data, m->len, &head, &why);
		free(data);
		if (r != -m->status)
			fail_msg("no. %zu: %zd for <%s>", i, r, m->data);
		assert_non_null(why);
	}
}

static void a_malformed_request_is_refused_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(malformed); i++) {
		for (size_t len = 1; len <= malformed[i].len; len++) {
			struct http_head head;
			const char *why = NULL;
			ssize_t r = http_head_parse(malformed[i].data, len, &head, &why);
			if (r > 0)
				fail_msg("no. %zu is taken for whole after %zu bytes", i, len);
			if (r < 0)
				break;
		}
	}
}

static void a_wrong_byte_is_refused_before_its_line_ends(void **state)
{
	static const struct malformed begun[] = {M(400, LINE "A: b\rc"), M(400, LINE "A: b\0"),
		M(400, "G\rE"), M(400, LINE HOST "\rA")};

	(void)state;
	for (size_t i = 0; i < countof(begun); i++) {
		struct http_head head;
		const char *why = NULL;
		assert_int_equal(http_head_parse(begun[i].data, begun[i].len, &head, &why), -400);
	}
}

static void a_folded_field_is_named_as_one(void **state)
{
	struct http_head head;
	const char *why = NULL;

	(void)state;
	assert_int_equal(
		http_head_parse(FIELD("A: b\r\n c"), sizeof(FIELD("A: b\r\n c")) - 1, &head, &why),
		-400);
	assert_non_null(strstr(why, "folded"));
}

static void a_whole_head_gives_its_parts(void **state)
{
	static const char text[] =
		"PUT /api/uploads/7/files/a%20b/%C3%A4.spec?x=1&y=%2F HTTP/1.1\r\n"
		"Host: localhost:8000\r\nX-Empty:\r\nAccept:\t a , b \t\r\n"
		"content-LENGTH: 12\r\nExpect: 100-Continue\r\n\r\nbody";
	struct http_head head;

	(void)state;
	assert_int_equal(parse(text, &head), sizeof(text) - 1 - strlen("body"));
	assert_int_equal(head.method, HTTP_PUT);
	assert_string_equal(head.target, "/api/uploads/7/files/a%20b/%C3%A4.spec?x=1&y=%2F");
	assert_string_equal(head.path, "/api/uploads/7/files/a b/\xc3\xa4.spec");
	assert_string_equal(head.query, "x=1&y=%2F");
	assert_int_equal(head.minor, 1);
	assert_int_equal(head.content_length, 12);
	assert_true(head.keep_alive);
	assert_true(head.expect_continue);
	assert_int_equal(head.field_count, 5);
	assert_string_equal(head.fields[0].name, "host");
	assert_string_equal(head.fields[0].value, "localhost:8000");
	assert_string_equal(head.fields[1].name, "x-empty");
	assert_string_equal(head.fields[1].value, "");
	assert_string_equal(head.fields[2].name, "accept");
	assert_string_equal(head.fields[2].value, "a , b");
	assert_string_equal(head.fields[3].name, "content-length");
	http_head_finish(&head);
}

static void every_proper_prefix_of_a_head_needs_more(void **state)
{
	static const char text[] =
		"POST http://localhost:8000/a?b HTTP/1.1\r\nHost: localhost:8000\r\n"
		"Content-Length: 3\r\nCookie: a=b\r\n\r\n";
	struct http_head head;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		const char *why = NULL;
		char *data = malloc(len + 1);
		memcpy(data, text, len);
		assert_int_equal(http_head_parse(data, len, &head, &why), 0);
		free(data);
	}
	assert_int_equal(parse(text, &head), sizeof(text) - 1);
	assert_string_equal(head.path, "/a");
	assert_string_equal(head.query, "b");
	http_head_finish(&head);
}

static void every_method_has_its_name(void **state)
{
	(void)state;
	for (int m = 0; m < HTTP_METHOD_COUNT; m++) {
		struct http_head head;
		char text[100];
		snprintf(text, sizeof(text), "%s / HTTP/1.1\r\n" HOST "\r\n", http_method_name(m));
		assert_int_equal(parse(text, &head), strlen(text));
		assert_int_equal(head.method, m);
		assert_int_equal(head.content_length, -1);
		http_head_finish(&head);
	}
}

static void good_targets_give_path_and_query(void **state)
{
	static const struct {
		const char *target, *path, *query;
	} good[] = {
		{"/", "/", ""},
		{"/?", "/", ""},
		{"//", "//", ""},
		{"/a//b/", "/a//b/", ""},
		{"/...", "/...", ""},
		{"/..a/.b/c..", "/..a/.b/c..", ""},
		{"/%41%5c%25", "/A\\%", ""},
		{"/a%2fb", "/a/b", ""},
		{"/zlib-1.3~rc1^git2+x-1.rpm", "/zlib-1.3~rc1^git2+x-1.rpm", ""},
		{"/[a]{b}|`!$&'()*,;=:@", "/[a]{b}|`!$&'()*,;=:@", ""},
		{"/%f0%9f%93%a6", "/\xf0\x9f\x93\xa6", ""},
		{"/?a=../..&b=?/%0a\\", "/", "a=../..&b=?/%0a\\"},
		{"/?q=%c3%a4+b", "/", "q=%c3%a4+b"},
		{"http://localhost:8000", "/", ""},
		{"http://localhost:8000?a", "/", "a"},
		{"HTTP://LOCALHOST:8000/a?b", "/a", "b"},
	};

	(void)state;
	for (size_t i = 0; i < countof(good); i++) {
		struct http_head head;
		char text[200];
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", good[i].target);
		if (parse(text, &head) <= 0)
			fail_msg("%s is refused", good[i].target);
		assert_string_equal(head.target, good[i].target);
		assert_string_equal(head.path, good[i].path);
		assert_string_equal(head.query, good[i].query);
		http_head_finish(&head);
	}
}

static void good_hosts_are_taken(void **state)
{
	static const struct {
		const char *host, *name;
		int port;
	} good[] = {
		{"localhost", "localhost", -1},
		{"LocalHost:8000", "localhost", 8000},
		{"127.0.0.1:1", "127.0.0.1", 1},
		{"build.example.org:65535", "build.example.org", 65535},
		{"my_build-1.example.org", "my_build-1.example.org", -1},
		{"example.org.", "example.org.", -1},
		{"[::1]", "[::1]", -1},
		{"[::1]:8000", "[::1]", 8000},
		{"[0:0:0:0:0:0:0:1]:8000", "[::1]", 8000},
		{"[2001:DB8::0:1]", "[2001:db8::1]", -1},
	};

	(void)state;
	for (size_t i = 0; i < countof(good); i++) {
		struct http_head head;
		struct http_host host;
		char text[200];
		snprintf(text, sizeof(text), LINE "Host: %s\r\n\r\n", good[i].host);
		assert_int_equal(parse(text, &head), strlen(text));
		http_head_finish(&head);
		assert_true(http_host_parse(good[i].host, strlen(good[i].host), &host));
		assert_string_equal(host.name, good[i].name);
		assert_int_equal(host.port, good[i].port);
	}
}

static void a_host_has_at_most_253_characters(void **state)
{
	struct http_host host;
	char name[255];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(http_host_parse(name, 253, &host));
	assert_false(http_host_parse(name, 254, &host));
}

static void connection_and_version_decide_on_keep_alive(void **state)
{
	static const struct {
		const char *version, *connection;
		bool keep_alive;
	} cases[] = {
		{"1.1", "X: y", true},
		{"1.1", "Connection: keep-alive", true},
		{"1.1", "Connection: Upgrade", true},
		{"1.1", "Connection: closed, enclose", true},
		{"1.1", "Connection: close", false},
		{"1.1", "Connection: keep-alive , CLOSE", false},
		{"1.1", "Connection: ,,close,", false},
		{"1.1", "Connection: keep-alive\r\nConnection: close", false},
		{"1.0", "X: y", false},
		{"1.0", "Connection: keep-alive", false},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct http_head head;
		char text[200];
		snprintf(text, sizeof(text), "GET / HTTP/%s\r\n" HOST "%s\r\n\r\n",
			cases[i].version, cases[i].connection);
		assert_int_equal(parse(text, &head), strlen(text));
		assert_int_equal(head.keep_alive, cases[i].keep_alive);
		http_head_finish(&head);
	}
}

static void a_length_is_a_plain_decimal(void **state)
{
	static const struct {
		const char *text;
		int64_t length;
	} cases[] = {{"0", 0}, {"7", 7}, {"100", 100}, {"999999999999999999", 999999999999999999}};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct http_head head;
		char text[200];
		snprintf(text, sizeof(text), POST "Content-Length: %s\r\n\r\n", cases[i].text);
		assert_int_equal(parse(text, &head), strlen(text));
		assert_int_equal(head.content_length, cases[i].length);
		http_head_finish(&head);
	}
}

/* ---- limits */

static void add_times(struct strbuf *sb, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		strbuf_addstr(sb, text);
}

static ssize_t parse_sb(const struct strbuf *sb)
{
	struct http_head head = {0};
	const char *why = NULL;
	ssize_t r = http_head_parse(sb->buf, sb->len, &head, &why);

	if (r > 0)
		http_head_finish(&head);
	return r;
}

static void a_request_line_has_at_most_8192_bytes(void **state)
{
	size_t room = HTTP_REQUEST_LINE_MAX - strlen("GET / HTTP/1.1");

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		struct strbuf sb = STRBUF_INIT;
		strbuf_addstr(&sb, "GET /");
		add_times(&sb, "a", room + extra);
		strbuf_addstr(&sb, " HTTP/1.1\r\n" HOST "\r\n");
		assert_int_equal(parse_sb(&sb), extra ? -414 : (ssize_t)sb.len);
		strbuf_finish(&sb);
	}
}

static void an_endless_request_line_is_refused_before_it_ends(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	add_times(&sb, "a", HTTP_REQUEST_LINE_MAX);
	assert_int_equal(parse_sb(&sb), 0);
	strbuf_addch(&sb, 'a');
	assert_int_equal(parse_sb(&sb), -414);
	strbuf_finish(&sb);
}

static void the_fields_have_at_most_32768_bytes(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		struct strbuf sb = STRBUF_INIT;
		strbuf_addstr(&sb, LINE HOST "A: ");
		add_times(&sb, "b", HTTP_HEADERS_MAX_BYTES - strlen(HOST "A: \r\n") + extra);
		strbuf_addstr(&sb, "\r\n\r\n");
		assert_int_equal(parse_sb(&sb), extra ? -431 : (ssize_t)sb.len);
		strbuf_finish(&sb);
	}
}

static void endless_fields_are_refused_before_they_end(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&sb, LINE HOST "A: ");
	add_times(&sb, "b", HTTP_HEADERS_MAX_BYTES);
	assert_int_equal(parse_sb(&sb), -431);
	strbuf_finish(&sb);
}

static void a_head_has_at_most_100_fields(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		struct strbuf sb = STRBUF_INIT;
		strbuf_addstr(&sb, LINE HOST);
		add_times(&sb, "A: b\r\n", HTTP_HEADERS_MAX - 1 + extra);
		strbuf_addstr(&sb, "\r\n");
		assert_int_equal(parse_sb(&sb), extra ? -431 : (ssize_t)sb.len);
		strbuf_finish(&sb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_malformed_request_is_refused_with_its_status),
		cmocka_unit_test(a_malformed_request_is_refused_however_it_is_cut),
		cmocka_unit_test(a_wrong_byte_is_refused_before_its_line_ends),
		cmocka_unit_test(a_folded_field_is_named_as_one),
		cmocka_unit_test(a_whole_head_gives_its_parts),
		cmocka_unit_test(every_proper_prefix_of_a_head_needs_more),
		cmocka_unit_test(every_method_has_its_name),
		cmocka_unit_test(good_targets_give_path_and_query),
		cmocka_unit_test(good_hosts_are_taken),
		cmocka_unit_test(a_host_has_at_most_253_characters),
		cmocka_unit_test(connection_and_version_decide_on_keep_alive),
		cmocka_unit_test(a_length_is_a_plain_decimal),
		cmocka_unit_test(a_request_line_has_at_most_8192_bytes),
		cmocka_unit_test(an_endless_request_line_is_refused_before_it_ends),
		cmocka_unit_test(the_fields_have_at_most_32768_bytes),
		cmocka_unit_test(endless_fields_are_refused_before_they_end),
		cmocka_unit_test(a_head_has_at_most_100_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
