// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "fake_server.h"
#include "run_cli.h"

#define BUILD                                                                                      \
	"{\"id\":7,\"name\":\"st\\u001back\",\"status\":\"failed\",\"total_packages\":2,"          \
	"\"completed_packages\":1,\"failed_packages\":1,\"seq\":9,\"epoch\":\"e\","                \
	"\"queue_items\":[{\"id\":31,\"status\":\"completed\",\"package\":{\"name\":\"zlib\"}},"   \
	"{\"id\":32,\"status\":\"failed\",\"package\":{\"name\":\"curl\"},\"why\":\"no disk\"}]}"
#define LIST                                                                                       \
	"{\"items\":[{\"id\":7,\"name\":\"stack\",\"status\":\"failed\",\"total_packages\":2,"     \
	"\"completed_packages\":1,\"failed_packages\":1,"                                          \
	"\"created_at\":\"2026-02-11T08:00:00.999Z\"},"                                            \
	"{\"id\":6,\"name\":\"\u6f22\u5b57\",\"status\":\"completed\",\"total_packages\":10,"      \
	"\"completed_packages\":10,\"failed_packages\":0,"                                         \
	"\"created_at\":\"2026-02-11T08:00:00Z\"}],\"next\":null}"
#define LINK "{\"url\":\"http://127.0.0.1:8000/login#c0de\"}"
#define STATUS                                                                                     \
	"{\"healthy\":true,\"server\":{\"version\":\"0.1.0\",\"uptime_ms\":252000,\"free_bytes\":" \
	"4200000},"                                                                                \
	"\"protections\":[\"user namespaces\",\"seccomp\"],\"workers\":[{\"name\":\"w\"}],"        \
	"\"disk\":null,\"lists\":[]}"

struct outcome {
	int code;
	struct printed printed;
};

static void run(struct outcome *ret, fake_fn *fn, void *arg, const char *line)
{
	struct fake_server *f = fake_start(fn, arg);

	ret->code = run_cli(&ret->printed, fake_url(f), line);
	fake_stop(f);
}

static void expect(fake_fn *fn, const char *line, int code, const char *out, const char *err)
{
	struct outcome o;

	run(&o, fn, NULL, line);
	if (err)
		assert_string_equal(o.printed.err, err);
	assert_string_equal(o.printed.out, out);
	assert_int_equal(o.code, code);
	printed_finish(&o.printed);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* ---- what asks once */

static void server(struct fake_request *rq)
{
	if (fake_is(rq, "GET /api/builds/7"))
		fake_json(rq, "200 OK", BUILD);
	else if (fake_is(rq, "GET /api/builds/8"))
		fake_json(rq, "200 OK", "<html>");
	else if (fake_is(rq, "GET /api/builds/13"))
		fake_json(rq, "200 OK", "{\"id\":13}");
	else if (fake_is(rq, "GET /api/builds/9"))
		fake_reply(rq, "500 Internal Server Error", "text/html", "<h1>Oops</h1>");
	else if (fake_is(rq, "GET /api/builds/10"))
		fake_reply(rq, "404 Not Found", "text/html", "<h1>nginx</h1>");
	else if (fake_is(rq, "GET /api/builds/14"))
		fake_problem(rq, "507 Insufficient Storage", "make room");
	else if (fake_is(rq, "GET /api/builds/15"))
		fake_reply(rq, "507 Insufficient Storage", "text/html", "<h1>full</h1>");
	else if (fake_is(rq, "GET /api/builds/11"))
		fake_raw(rq, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
	else if (fake_has(rq, "GET /api/builds?limit=1&after=7&status=failed HTTP"))
		fake_json(rq, "200 OK", "{\"items\":[],\"next\":6}");
	else if (fake_has(rq, "GET /api/builds?limit=5&status=failed HTTP"))
		fake_json(rq, "200 OK", "{\"items\":[],\"next\":null}");
	else if (fake_is(rq, "GET /api/builds"))
		fake_json(rq, "200 OK", LIST);
	else if (fake_is(rq, "POST /api/builds/7/cancel"))
		fake_json(rq, "202 Accepted", "{\"id\":7}");
	else if (fake_is(rq, "POST /api/login/code"))
		fake_json(rq, "201 Created", LINK);
	else if (fake_is(rq, "POST /api/builds/6/cancel"))
		fake_problem(rq, "401 Unauthorized", "sign in");
	else if (fake_is(rq, "GET /api/status"))
		fake_json(rq, "200 OK", STATUS);
	else
		fake_problem(rq, "404 Not Found", "there is no build of that id");
}

static void a_list_is_a_table_or_the_answer_itself(void **state)
{
	(void)state;
	expect(server, "list", CLI_OK,
		"ID      STATUS     DONE  OF    FAILED CREATED              NAME\n"
		"7       failed     1     2     1      2026-02-11T08:00:00Z stack\n"
		"6       completed  10    10    0      2026-02-11T08:00:00Z ??\n",
		"");
	expect(server, "list --json", CLI_OK, LIST "\n", "");
	expect(server, "list --limit 5 --status failed", CLI_OK,
		"ID      STATUS     DONE  OF    FAILED CREATED              NAME\nno builds\n", "");
}

static void a_list_that_was_cut_says_how_to_go_on(void **state)
{
	struct outcome o;

	(void)state;
	run(&o, server, NULL, "list --limit 1 --before 7 --status failed");
	assert_int_equal(o.code, CLI_OK);
	assert_has(
		o.printed.out, "\nolder builds: reqpm list --status failed --limit 1 --before 6\n");
	printed_finish(&o.printed);
}

static void a_build_is_shown_with_its_packages_or_as_it_is(void **state)
{
	struct outcome o;

	(void)state;
	expect(server, "show 7 --json", CLI_OK, BUILD "\n", "");
	run(&o, server, NULL, "show 7");
	assert_int_equal(o.code, CLI_OK);
	assert_has(o.printed.out, "build 7 st?ack: failed, 1 of 2 done, 1 failed\n"
				  "  + zlib completed\n"
				  "  x curl failed: no disk\n"
				  "page: http://127.0.0.1:");
	printed_finish(&o.printed);
}

static void cancel_says_what_happens(void **state)
{
	struct outcome o;

	(void)state;
	expect(server, "cancel 7", CLI_OK, "build 7 is being cancelled\n", "");
	expect(server, "cancel 7 --json", CLI_OK, "{\"id\":7}\n", "");
	run(&o, server, NULL, "cancel 6");
	assert_int_equal(o.code, CLI_REFUSED);
	assert_has(o.printed.err,
		"reqpm: sign in (no token: REQPM_TOKEN is not set, and cannot read "
		"/nonexistent/token: No such file or directory)\n");
	printed_finish(&o.printed);
}

static void sick_server(struct fake_request *rq)
{
	fake_json(rq, "200 OK", "{\"healthy\":false}");
}

static void login_prints_a_link(void **state)
{
	(void)state;
	expect(server, "login", CLI_OK,
		"sign a browser in (once, within 10 minutes): http://127.0.0.1:8000/login#c0de\n",
		"");
	expect(server, "login --json", CLI_OK, LINK "\n", "");
	expect(sick_server, "login", CLI_LOST, "", NULL);
}

static void status_prints_whatever_the_server_says_of_itself(void **state)
{
	(void)state;
	expect(server, "status", CLI_OK,
		"healthy: yes\n"
		"server:\n"
		"  version: 0.1.0\n"
		"  uptime: 4m12s\n"
		"  free: 4.2 MB\n"
		"protections:\n"
		"  user namespaces\n"
		"  seccomp\n"
		"workers:\n"
		"  -:\n"
		"    name: w\n"
		"disk: -\n"
		"lists: none\n",
		"");
	expect(server, "status --json", CLI_OK, STATUS "\n", "");
}

static void status_of_a_server_that_is_not_healthy_is_1(void **state)
{
	(void)state;
	expect(sick_server, "status", CLI_UNHEALTHY, "healthy: no\n", "");
	expect(sick_server, "status --json", CLI_UNHEALTHY, "{\"healthy\":false}\n", "");
}

static void what_is_no_answer_of_a_reqpm_server_is_said_so(void **state)
{
	static const struct {
		const char *line, *sentence;
		int code;
	} cases[] = {
		{"show 8", "/api/builds/8 answered what is not valid JSON at line 1", CLI_LOST},
		{"show 9",
			" answered 500 with text/html, which is not how a reqpm server says what "
			"is wrong\n",
			CLI_LOST},
		{"show 10", " answered 404 with text/html, ", CLI_LOST},
		{"show 11", " was cut: ", CLI_LOST},
		{"show 13", "reqpm: what answers at http://127.0.0.1:", CLI_LOST},
		{"show 14", "reqpm: make room\n", CLI_REFUSED},
		{"show 15", " answered 507 with text/html, ", CLI_LOST},
		{"show 12", "reqpm: there is no build of that id\n", CLI_NO_SUCH_BUILD},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct outcome o;

		run(&o, server, NULL, cases[i].line);
		assert_int_equal(o.code, cases[i].code);
		assert_has(o.printed.err, cases[i].sentence);
		assert_string_equal(o.printed.out, "");
		printed_finish(&o.printed);
	}
}

/* ---- arguments */

static void a_wrong_command_line_is_one_sentence_and_2(void **state)
{
	static const struct {
		const char *line, *sentence;
	} cases[] = {
		{"watch", "too few operands: reqpm watch ID"},
		{"list 7", "\"7\" is one operand too many: reqpm list "},
		{"watch x", "\"x\" is not the id of a build: a number from 1 on"},
		{"watch 0", "\"0\" is not the id of a build: a number from 1 on"},
		{"show 07", "\"07\" is not the id of a build: a number from 1 on"},
		{"show 9007199254740992",
			"\"9007199254740992\" is not the id of a build: a number from 1 on"},
		{"list --before x", "--before needs a number between 1 and 9007199254740991, not "
				    "\"x\""},
		{"build . --package-timeout 169h", "--package-timeout can be 168h at most, a week"},
		{"list --limit 201", "--limit needs a number between 1 and 200, not \"201\""},
		{"watch 7 --color=red", "--color is not one of auto always never but \"red\""},
		{"watch 7 --progress=x",
			"--progress is not one of auto plain tty quiet json but \"x\""},
		{"build . --builder comand",
			"--builder is not one of rpmbuild command but \"comand\""},
		{"build . --name=", "--name needs 1 to 200 bytes of text without control "
				    "characters"},
		{"build . --name \x1b[2J", "--name needs 1 to 200 bytes of text without control "
					   "characters"},
		{"list --status complete",
			"--status is not one of pending preparing running completed failed "
			"cancelled but \"complete\""},
		{"watch 7 --progress=tty", "--progress=tty needs a terminal to write to"},
		{"watch 7 --json --progress=plain",
			"--json and --progress=plain exclude each other"},
		{"watch 7 --timeout soon",
			"--timeout needs a duration such as 90s, 45m or 2h, not \"soon\""},
		{"cancel 7 --xyzzyxyz", "unknown option --xyzzyxyz; --help lists them"},
		{"list --server nowhere", "the server's address \"nowhere\" is none; it looks like "
					  "http://127.0.0.1:8000"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		char *err = xasprintf("reqpm: %s\n", cases[i].sentence);
		struct printed p;

		assert_int_equal(run_cli(&p, "http://127.0.0.1:1", cases[i].line), CLI_REFUSED);
		assert_string_equal(p.err, err);
		assert_string_equal(p.out, "");
		printed_finish(&p);
		free(err);
	}
}

static void help_lists_what_a_command_takes(void **state)
{
	struct printed p;

	(void)state;
	assert_int_equal(run_cli(&p, "http://127.0.0.1:1", "log --help"), CLI_OK);
	assert_memory_equal(p.out, "usage: reqpm log [OPTION]... ID PACKAGE\n", 40);
	assert_has(p.out, "--follow");
	assert_has(p.out, "--server URL");
	assert_null(strstr(p.out, "--fail-fast"));
	printed_finish(&p);
	assert_true(cli_knows("retry"));
	assert_false(cli_knows("serve"));
}

/* ---- logs */

static const char binary[] = "gcc -c \xff\0x\n";

static void log_server(struct fake_request *rq)
{
	if (fake_is(rq, "GET /api/builds/7"))
		fake_json(rq, "200 OK", BUILD);
	else if (fake_is(rq, "GET /api/queue/32/log"))
		fake_bytes(rq, "200 OK", binary, sizeof(binary) - 1);
	else
		fake_problem(rq, "404 Not Found", "no");
}

static void a_log_is_printed_byte_for_byte(void **state)
{
	struct outcome o;

	(void)state;
	run(&o, log_server, NULL, "log 7 curl");
	assert_int_equal(o.code, CLI_OK);
	assert_memory_equal(o.printed.out, binary, sizeof(binary));
	printed_finish(&o.printed);
}

static void a_package_that_a_build_has_not_is_refused_with_those_that_are_near(void **state)
{
	(void)state;
	expect(log_server, "log 7 none", CLI_REFUSED, "",
		"reqpm: build 7 has no package \"none\"; \"reqpm show 7\" lists them\n");
	expect(log_server, "log 7 crul --follow", CLI_REFUSED, "",
		"reqpm: build 7 has no package \"crul\"; did you mean curl?\n");
}

/* The whole log is "one\ntwo\377\nthree\n". */
#define WHOLE "one\ntwo\xff\nthree\n"

static void send_end(struct fake_request *rq, const char *log, size_t size)
{
	struct digest *d = digest_create();
	char hex[SHA256_HEX_MAX], *json;

	digest_add(d, log, strlen(log));
	digest_hex(d, hex);
	digest_destroy(d);
	json = xasprintf("{\"type\":\"log_end\",\"size\":%zu,\"sha256\":\"%s\","
			 "\"status\":\"completed\"}",
		size, hex);
	fake_text(rq, json);
	free(json);
	fake_close(rq, 1000, "");
}

static void growing_log(struct fake_request *rq)
{
	if (fake_is(rq, "GET /api/builds/7")) {
		fake_json(rq, "200 OK", BUILD);
	} else if (fake_is(rq, "GET /ws/builds/queue/32/log/?offset=0")) {
		fake_upgrade(rq);
		fake_text(rq, "{\"type\":\"log\",\"offset\":0,\"next\":4,\"line\":1,"
			      "\"data\":\"one\\n\"}");
		/* and is cut */
	} else if (fake_is(rq, "GET /api/queue/32/log")) {
		assert_true(fake_has(rq, "Range: bytes=4-8\r\n"));
		fake_bytes(rq, "206 Partial Content", &WHOLE[4], 5);
	} else {
		assert_true(fake_is(rq, "GET /ws/builds/queue/32/log/?offset=4"));
		fake_upgrade(rq);
		/* Neither what is known already nor what is not text is taken from here. */
		fake_text(rq, "{\"type\":\"log\",\"offset\":0,\"next\":4,\"line\":1,"
			      "\"data\":\"ONE\\n\"}");
		fake_text(rq, "{\"type\":\"log\",\"offset\":4,\"next\":9,\"line\":2,"
			      "\"data\":\"two\xef\xbf\xbd\\n\"}");
		fake_text(rq, "{\"type\":\"log\",\"offset\":9,\"next\":15,\"line\":3,"
			      "\"data\":\"three\\n\"}");
		send_end(rq, rq->arg, 15);
	}
}

static void a_followed_log_is_whole_in_spite_of_a_cut_and_of_bytes_that_are_no_text(void **state)
{
	struct outcome o;
	char whole[] = WHOLE;

	(void)state;
	run(&o, growing_log, whole, "log 7 curl --follow");
	assert_string_equal(o.printed.out, WHOLE);
	assert_string_equal(o.printed.err,
		"reqpm: the connection to the server is lost, reconnecting\n"
		"reqpm: connected again\n");
	assert_int_equal(o.code, CLI_OK);
	printed_finish(&o.printed);
}

/* The server goes away in the middle, and a proxy says so for a while. */
static void log_over_a_restart(struct fake_request *rq)
{
	if (fake_is(rq, "GET /api/builds/7")) {
		fake_json(rq, "200 OK", BUILD);
	} else if (fake_is(rq, "GET /ws/builds/queue/32/log/?offset=0")) {
		fake_upgrade(rq);
		fake_text(rq, "{\"type\":\"log\",\"offset\":0,\"next\":4,\"line\":1,"
			      "\"data\":\"one\\n\"}");
	} else if (rq->number < 3) {
		fake_reply(rq, "503 Service Unavailable", "text/html", "");
	} else {
		fake_upgrade(rq);
		send_end(rq, "one\n", 4);
	}
}

static void a_log_that_came_whole_in_the_end_leaves_no_complaint(void **state)
{
	(void)state;
	expect(log_over_a_restart, "log 7 curl --follow", CLI_OK, "one\n",
		"reqpm: the connection to the server is lost, reconnecting\n"
		"reqpm: connected again\n");
}

/* Five lines, two to a page, and a sixth that comes meanwhile. */
static void log_in_pages(struct fake_request *rq)
{
	if (fake_is(rq, "GET /api/builds/7"))
		fake_json(rq, "200 OK", BUILD);
	else if (fake_has(rq, "log?from_line=1 HTTP"))
		fake_json(rq, "200 OK",
			"{\"from_line\":1,\"lines\":[\"a\",\"b\"],\"total_lines\":5}");
	else if (fake_has(rq, "log?from_line=3 HTTP"))
		fake_json(rq, "200 OK",
			"{\"from_line\":3,\"lines\":[\"c\",\"d\"],\"total_lines\":6}");
	else if (fake_has(rq, "log?from_line=5 HTTP"))
		fake_json(rq, "200 OK",
			"{\"from_line\":5,\"lines\":[\"e\",\"f\"],\"total_lines\":6}");
	else
		fake_problem(rq, "404 Not Found", "no");
}

static void a_log_as_json_has_all_its_pages(void **state)
{
	(void)state;
	expect(log_in_pages, "log 7 curl --json", CLI_OK,
		"{\"from_line\":1,\"lines\":[\"a\",\"b\"],\"total_lines\":5}\n"
		"{\"from_line\":3,\"lines\":[\"c\",\"d\"],\"total_lines\":6}\n"
		"{\"from_line\":5,\"lines\":[\"e\",\"f\"],\"total_lines\":6}\n",
		"");
}

static void a_log_of_another_digest_is_not_taken_for_whole(void **state)
{
	struct outcome o;
	char other[] = "another";

	(void)state;
	run(&o, growing_log, other, "log 7 curl --follow");
	assert_int_equal(o.code, CLI_LOST);
	assert_has(o.printed.err, "reqpm: the log is not what was written: its SHA-256 differs\n");
	printed_finish(&o.printed);
}

static void short_log(struct fake_request *rq)
{
	if (fake_is(rq, "GET /api/builds/7")) {
		fake_json(rq, "200 OK", BUILD);
		return;
	}
	fake_upgrade(rq);
	fake_text(rq, "{\"type\":\"log\",\"offset\":0,\"next\":4,\"line\":1,\"data\":\"one\\n\"}");
	if (rq->arg)
		send_end(rq, "one\n", 9);
	else
		fake_close(rq, 1000, "");
}

static void a_log_that_is_cut_is_said_to_be(void **state)
{
	struct outcome o;

	(void)state;
	run(&o, short_log, &o, "log 7 curl --follow");
	assert_int_equal(o.code, CLI_LOST);
	assert_string_equal(o.printed.out, "one\n");
	assert_string_equal(o.printed.err, "reqpm: the log is not whole: 4 of 9 bytes came\n");
	printed_finish(&o.printed);
	expect(short_log, "log 7 curl --follow", CLI_LOST, "one\n",
		"reqpm: the log ended without saying that it is whole\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_a_table_or_the_answer_itself),
		cmocka_unit_test(a_list_that_was_cut_says_how_to_go_on),
		cmocka_unit_test(a_build_is_shown_with_its_packages_or_as_it_is),
		cmocka_unit_test(cancel_says_what_happens),
		cmocka_unit_test(login_prints_a_link),
		cmocka_unit_test(status_prints_whatever_the_server_says_of_itself),
		cmocka_unit_test(status_of_a_server_that_is_not_healthy_is_1),
		cmocka_unit_test(what_is_no_answer_of_a_reqpm_server_is_said_so),
		cmocka_unit_test(a_wrong_command_line_is_one_sentence_and_2),
		cmocka_unit_test(help_lists_what_a_command_takes),
		cmocka_unit_test(a_log_is_printed_byte_for_byte),
		cmocka_unit_test(
			a_package_that_a_build_has_not_is_refused_with_those_that_are_near),
		cmocka_unit_test(
			a_followed_log_is_whole_in_spite_of_a_cut_and_of_bytes_that_are_no_text),
		cmocka_unit_test(a_log_that_came_whole_in_the_end_leaves_no_complaint),
		cmocka_unit_test(a_log_as_json_has_all_its_pages),
		cmocka_unit_test(a_log_of_another_digest_is_not_taken_for_whole),
		cmocka_unit_test(a_log_that_is_cut_is_said_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
