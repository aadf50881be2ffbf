// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/cli.h"
#include "cli/client.h"

/* ---- addresses */

static void expect_base(const char *url, const char *base, const char *host, const char *prefix)
{
	struct strbuf err = STRBUF_INIT;
	struct client c;

	assert_int_equal(client_init(&c, url, "/nonexistent", &err), 0);
	assert_string_equal(c.base, base);
	assert_string_equal(c.host, host);
	assert_string_equal(c.prefix, prefix);
	client_finish(&c);
}

static void an_address_is_a_host_a_port_and_a_path(void **state)
{
	(void)state;
	expect_base("http://127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1:8000", "");
	expect_base("http://127.0.0.1:8000/", "http://127.0.0.1:8000", "127.0.0.1:8000", "");
	expect_base("https://build.example.org/reqpm/", "https://build.example.org/reqpm",
		"build.example.org", "/reqpm");
	expect_base("http://[::1]:8000", "http://[::1]:8000", "[::1]:8000", "");
}

static void refuse(const char *url, const char *sentence)
{
	struct strbuf err = STRBUF_INIT;
	struct client c;

	assert_int_equal(client_init(&c, url, "/nonexistent", &err), -EINVAL);
	assert_string_equal(err.buf, sentence);
	strbuf_finish(&err);
	client_finish(&c);
}

static void other_addresses_are_refused_with_a_sentence(void **state)
{
#define LIKE "; it looks like http://127.0.0.1:8000"

	(void)state;
	refuse("", "the server's address \"\" is none" LIKE);
	refuse("127.0.0.1:8000", "the server's address \"127.0.0.1:8000\" is none" LIKE);
	refuse("http://", "the server's address \"http://\" is none" LIKE);
	refuse("http://h:99999", "the server's address \"http://h:99999\" is none" LIKE);
	refuse("ftp://h", "the server's address \"ftp://h\" is not of http or https" LIKE);
	refuse("file:///etc/passwd",
		"the server's address \"file:///etc/passwd\" is not of http or https" LIKE);
	refuse("http://u:p@h", "the server's address \"http://u:p@h\" has more than a host, a port "
			       "and a path" LIKE);
	refuse("http://h/?x=1", "the server's address \"http://h/?x=1\" has more than a host, a "
				"port and a path" LIKE);
	refuse("http://h\n.x", "the server's address \"http://h .x\" is none" LIKE);
}

static void only_loopback_goes_past_a_proxy(void **state)
{
	static const struct {
		const char *url;
		bool loopback;
	} cases[] = {
		{"http://127.0.0.1:8000", true},
		{"http://localhost", true},
		{"http://a.localhost", true},
		{"http://[::1]:8000", true},
		{"http://10.0.0.1", false},
		{"http://localhost.example.org", false},
	};
	struct strbuf err = STRBUF_INIT;
	struct client c;

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		assert_int_equal(client_init(&c, cases[i].url, "/nonexistent", &err), 0);
		assert_int_equal(c.loopback, cases[i].loopback);
		client_finish(&c);
	}
}

/* ---- tokens */

static void the_token_comes_from_the_environment_or_the_data_folder(void **state)
{
	char dir[] = "/tmp/reqpm-client-XXXXXX";
	struct strbuf err = STRBUF_INIT;
	struct client c;
	char *path;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/token", dir);
	unsetenv("REQPM_TOKEN");
	assert_int_equal(client_init(&c, "http://127.0.0.1", dir, &err), 0);
	assert_null(c.token);
	assert_non_null(strstr(c.token_from, "no token: REQPM_TOKEN is not set, and cannot read"));
	client_finish(&c);
	assert_int_equal(file_write_atomic(path, "filed\n", 6, 0600, &err), 0);
	assert_int_equal(client_init(&c, "http://127.0.0.1", dir, &err), 0);
	assert_string_equal(c.token, "filed");
	client_finish(&c);
	/* Not for somebody else's server, unless the folder is named. */
	assert_int_equal(client_init(&c, "http://h", dir, &err), 0);
	assert_null(c.token);
	assert_non_null(strstr(c.token_from, "is for this machine's server"));
	client_finish(&c);
	setenv("REQPM_DATA_DIR", dir, 1);
	assert_int_equal(client_init(&c, "http://h", dir, &err), 0);
	assert_string_equal(c.token, "filed");
	client_finish(&c);
	unsetenv("REQPM_DATA_DIR");
	setenv("REQPM_TOKEN", "set", 1);
	assert_int_equal(client_init(&c, "http://127.0.0.1", dir, &err), 0);
	assert_string_equal(c.token, "set");
	assert_string_equal(c.token_from, "the token in REQPM_TOKEN");
	client_finish(&c);
	/* It goes into a header line, so a second line must not come with it. */
	setenv("REQPM_TOKEN", "set\r\nX-Evil: 1", 1);
	assert_int_equal(client_init(&c, "http://127.0.0.1", dir, &err), 0);
	assert_null(c.token);
	client_finish(&c);
	unsetenv("REQPM_TOKEN");
	free(path);
	assert_int_equal(tree_remove(dir), 0);
}

/* ---- paths */

static void a_path_segment_is_encoded(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	path_encode(&out, "a b/%ö+.spec", 13);
	assert_string_equal(out.buf, "a%20b%2F%25%C3%B6%2B.spec");
	strbuf_finish(&out);
}

/* ---- policy */

static void each_close_code_has_its_action(void **state)
{
	static const struct {
		int code;
		enum close_action action;
	} cases[] = {
		{1000, CLOSE_FINISHED},
		{1001, CLOSE_AGAIN},
		{1002, CLOSE_OUR_FAULT},
		{1005, CLOSE_AGAIN},
		{1006, CLOSE_AGAIN},
		{1007, CLOSE_OUR_FAULT},
		{1008, CLOSE_DENIED},
		{1009, CLOSE_OUR_FAULT},
		{1011, CLOSE_AGAIN},
		{1012, CLOSE_LATER},
		{1013, CLOSE_LATER},
		{4401, CLOSE_NOT_SIGNED_IN},
		{4404, CLOSE_NOT_FOUND},
		{4999, CLOSE_AGAIN},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++)
		assert_int_equal(close_action(cases[i].code), cases[i].action);
}

static void the_back_off_doubles_up_to_its_last_bound(void **state)
{
	static const int64_t bounds[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
	struct backoff b = {0}, least = {0};

	(void)state;
	for (size_t i = 0; i < countof(bounds); i++) {
		/* A random number just below a multiple gives the bound itself. */
		assert_int_equal(backoff_next(&b, (uint64_t)bounds[i]), bounds[i]);
		assert_int_equal(backoff_next(&least, (uint64_t)bounds[i] + 1), 0);
	}
	for (int i = 0; i < 1000; i++)
		assert_in_range(backoff_next(&b, random_u64()), 0, 30000);
}

static void a_restart_waits_as_long_as_the_server_asks_within_bounds(void **state)
{
	(void)state;
	assert_int_equal(restart_delay(0, 0), 2000);
	assert_int_equal(restart_delay(1999, 0), 2000);
	assert_int_equal(restart_delay(-5, 0), 2000);
	assert_int_equal(restart_delay(5000, 0), 5000);
	assert_int_equal(restart_delay(INT64_MAX, 0), 60000);
	for (int i = 0; i < 1000; i++)
		assert_in_range(restart_delay(5000, random_u64()), 5000, 5999);
}

static void codes_become_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(client_exit_code(-EINTR), CLI_INTERRUPTED);
	assert_int_equal(client_exit_code(-ETIMEDOUT), CLI_TIMEOUT);
	assert_int_equal(client_exit_code(-ECONNREFUSED), CLI_LOST);
	assert_int_equal(client_exit_code(-EIO), CLI_LOST);
	assert_int_equal(client_exit_code(-EINVAL), CLI_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_a_host_a_port_and_a_path),
		cmocka_unit_test(other_addresses_are_refused_with_a_sentence),
		cmocka_unit_test(only_loopback_goes_past_a_proxy),
		cmocka_unit_test(the_token_comes_from_the_environment_or_the_data_folder),
		cmocka_unit_test(a_path_segment_is_encoded),
		cmocka_unit_test(each_close_code_has_its_action),
		cmocka_unit_test(the_back_off_doubles_up_to_its_last_bound),
		cmocka_unit_test(a_restart_waits_as_long_as_the_server_asks_within_bounds),
		cmocka_unit_test(codes_become_exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
