// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_server.h"
#include "run_cli.h"

#define ITEM(id, status)                                                                           \
	"{\"id\":" #id ",\"status\":\"" status "\",\"package\":{\"id\":1,\"name\":\"p" #id         \
	"\",\"version\":\"1\"}}"
#define SNAPSHOT(seq, status, items)                                                               \
	"{\"type\":\"build_update\",\"seq\":" #seq ",\"epoch\":\"e1\",\"snapshot\":true,\"data\":" \
	"{\"id\":7,\"name\":\"stack\",\"status\":\"" status                                        \
	"\",\"total_packages\":2,\"completed_packages\":0,\"queue_items\":[" items "]}}"
#define JOB(seq, status, done)                                                                     \
	"{\"type\":\"build_update\",\"seq\":" #seq                                                 \
	",\"epoch\":\"e1\",\"data\":{\"id\":7,\"status\":\"" status                                \
	"\",\"completed_packages\":" #done "}}"
#define QUEUE(seq, id, status)                                                                     \
	"{\"type\":\"queue_update\",\"seq\":" #seq                                                 \
	",\"epoch\":\"e1\",\"data\":" ITEM(id, status) "}"
#define START SNAPSHOT(40, "running", ITEM(1, "queued") "," ITEM(2, "pending"))

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

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in \"%s\"", part, text);
}

/* ---- to the end */

static void builds(struct fake_request *rq)
{
	assert_true(fake_is(rq, "GET /ws/builds/7/"));
	fake_upgrade(rq);
	fake_text(rq, START);
	fake_text(rq, QUEUE(41, 1, "building"));
	fake_text(rq, QUEUE(42, 1, "completed"));
	fake_text(rq, JOB(43, "running", 1));
	fake_text(rq, QUEUE(44, 2, "queued"));
	fake_text(rq, QUEUE(45, 2, "completed"));
	fake_text(rq, JOB(46, "completed", 2));
	fake_close(rq, 1000, "");
}

static void a_build_is_watched_to_its_end_in_plain_lines(void **state)
{
	struct outcome o;
	char now[CLOCK_TEXT_MAX], year[5] = {0};

	(void)state;
	memcpy(year, clock_format(clock_wall_ms(), now), 4);
	run(&o, builds, NULL, "watch 7");
	assert_int_equal(o.code, CLI_OK);
	assert_memory_equal(o.printed.out, year, 4);
	assert_has(o.printed.out, "Z build 7 stack: running, 0 of 2 done\n");
	assert_has(o.printed.out, "Z > p1 1 building\n");
	assert_has(o.printed.out, "Z + p1 1 completed (1/2)\n");
	assert_has(o.printed.out, "Z + p2 1 completed (2/2)\n");
	assert_has(o.printed.out, "\nbuild 7 completed: 2 of 2 packages completed\n");
	assert_has(o.printed.out, "/builds/7\nrepository: http://127.0.0.1:");
	/* Becoming ready is no line. */
	assert_has_not(o.printed.out, "queued");
	assert_string_equal(o.printed.err, "");
	printed_finish(&o.printed);
}

static void json_is_the_messages_and_an_end_and_nothing_else(void **state)
{
	struct outcome o;

	(void)state;
	run(&o, builds, NULL, "watch 7 --json");
	assert_int_equal(o.code, CLI_OK);
	assert_string_equal(o.printed.out, START
		"\n" QUEUE(41, 1, "building") "\n" QUEUE(42, 1, "completed") "\n" JOB(43, "running",
			1) "\n" QUEUE(44, 2, "queued") "\n" QUEUE(45, 2, "completed") "\n" JOB(46,
			"completed", 2) "\n{\"type\":\"end\",\"status\":\"completed\"}\n");
	printed_finish(&o.printed);
}

static void quiet_says_only_how_it_ended(void **state)
{
	struct outcome o;

	(void)state;
	run(&o, builds, NULL, "watch 7 --progress=quiet");
	assert_int_equal(o.code, CLI_OK);
	assert_memory_equal(o.printed.out, "build 7 completed: ", 19);
	printed_finish(&o.printed);
}

static void ended(struct fake_request *rq)
{
	fake_upgrade(rq);
	fake_text(rq, rq->arg);
	fake_close(rq, 1000, "");
}

static void a_build_that_had_ended_gives_the_same_exit_code(void **state)
{
	static char completed[] = SNAPSHOT(9, "completed", ITEM(1, "completed"));
	static char failed[] = SNAPSHOT(9, "failed", ITEM(1, "failed"));
	static char cancelled[] = SNAPSHOT(9, "cancelled", "");
	struct outcome o;

	(void)state;
	run(&o, ended, completed, "watch 7");
	assert_int_equal(o.code, CLI_OK);
	printed_finish(&o.printed);
	run(&o, ended, cancelled, "watch 7");
	assert_int_equal(o.code, CLI_CANCELLED);
	printed_finish(&o.printed);
	run(&o, ended, failed, "watch 7");
	assert_int_equal(o.code, CLI_BUILD_FAILED);
	/* The summary alone: nothing happened while we looked. */
	assert_memory_equal(o.printed.out, "build 7 failed: ", 16);
	assert_has(o.printed.out, "  x p1 1 failed\n      reqpm log 7 p1\n");
	printed_finish(&o.printed);
}

static void a_build_refused_in_preparing_says_why_with_its_edges(void **state)
{
	static char refused[] =
		"{\"type\":\"build_update\",\"seq\":3,\"epoch\":\"e\",\"snapshot\":true,\"data\":{"
		"\"id\":7,\"status\":\"failed\",\"queue_items\":[],\"error\":{\"detail\":"
		"\"a cycle\\u001b[2J\",\"edges\":[{\"package\":\"a\",\"needs\":\"b\","
		"\"capability\":\"b-devel\"}]}}}";
	struct outcome o;

	(void)state;
	run(&o, ended, refused, "watch 7");
	assert_int_equal(o.code, CLI_REFUSED);
	assert_string_equal(o.printed.err, "reqpm: a cycle?[2J\n  a needs b (b-devel)\n");
	printed_finish(&o.printed);
}

/* ---- cuts */

static void cut_once(struct fake_request *rq)
{
	fake_upgrade(rq);
	if (!rq->number) {
		fake_text(rq, START);
		fake_text(rq, QUEUE(41, 1, "building"));
		return; /* hangs up without a word */
	}
	*(bool *)rq->arg = fake_is(rq, "GET /ws/builds/7/?since=41&epoch=e1");
	fake_text(rq, "{\"type\":\"heartbeat\",\"seq\":43,\"epoch\":\"e1\"}");
	fake_text(rq, QUEUE(42, 1, "completed"));
	fake_text(rq, JOB(43, "completed", 1));
	fake_close(rq, 1000, "");
}

static void after_a_cut_it_goes_on_where_it_was(void **state)
{
	struct outcome o;
	bool resumed = false;

	(void)state;
	run(&o, cut_once, &resumed, "watch 7");
	assert_int_equal(o.code, CLI_OK);
	assert_true(resumed);
	assert_has(o.printed.out, "the connection to the server is lost, reconnecting\n");
	assert_has(o.printed.out, "connected again\n");
	assert_has(o.printed.out, "+ p1 1 completed");
	printed_finish(&o.printed);
}

static void leaves_a_gap(struct fake_request *rq)
{
	fake_upgrade(rq);
	if (!rq->number) {
		fake_text(rq, START);
		fake_text(rq, QUEUE(42, 1, "completed"));
		fake_wait_gone(rq);
		return;
	}
	*(bool *)rq->arg = fake_is(rq, "GET /ws/builds/7/?since=40&epoch=e1");
	fake_text(rq, SNAPSHOT(50, "completed", ITEM(1, "completed")));
	fake_close(rq, 1000, "");
}

static void a_gap_makes_it_connect_again(void **state)
{
	struct outcome o;
	bool resumed = false;

	(void)state;
	run(&o, leaves_a_gap, &resumed, "watch 7");
	assert_int_equal(o.code, CLI_OK);
	assert_true(resumed);
	printed_finish(&o.printed);
}

static void talks_nonsense_first(struct fake_request *rq)
{
	static const char *const nonsense[] = {"hello", "[]", "{\"type\":\"queue_update\"}"};

	fake_upgrade(rq);
	if (rq->number < (int)countof(nonsense)) {
		fake_text(rq, nonsense[rq->number]);
		fake_wait_gone(rq);
	} else if (rq->number == (int)countof(nonsense)) {
		fake_raw(rq, "\x85\x80garbage");
		fake_wait_gone(rq);
	} else {
		fake_text(rq, SNAPSHOT(50, "completed", ""));
		fake_close(rq, 1000, "");
	}
}

static void nonsense_is_not_applied_but_asked_for_again(void **state)
{
	struct outcome o;

	(void)state;
	run(&o, talks_nonsense_first, NULL, "watch 7");
	assert_int_equal(o.code, CLI_OK);
	printed_finish(&o.printed);
}

static void finishes_early(struct fake_request *rq)
{
	if (fake_is(rq, "GET /api/builds/7")) {
		fake_json(rq, "200 OK", rq->arg);
		return;
	}
	fake_upgrade(rq);
	fake_text(rq, START);
	fake_close(rq, 1000, "");
}

static void a_server_that_closes_before_the_end_is_asked_how_it_ended(void **state)
{
	static char done[] = "{\"id\":7,\"status\":\"completed\",\"queue_items\":[]}";
	static char open[] = "{\"id\":7,\"status\":\"running\",\"queue_items\":[]}";
	struct outcome o;

	(void)state;
	run(&o, finishes_early, done, "watch 7");
	assert_int_equal(o.code, CLI_OK);
	printed_finish(&o.printed);
	run(&o, finishes_early, open, "watch 7");
	assert_int_equal(o.code, CLI_LOST);
	assert_has(o.printed.err, "ended the connection before the build\n");
	printed_finish(&o.printed);
}

static void goes_away(struct fake_request *rq)
{
	if (rq->number)
		return;
	fake_upgrade(rq);
	fake_text(rq, START);
}

static void a_server_that_stays_away_is_given_up(void **state)
{
	struct outcome o;

	(void)state;
	run(&o, goes_away, NULL, "watch 7 --server-timeout 1s");
	assert_int_equal(o.code, CLI_LOST);
	assert_has(o.printed.err, "reqpm: gave up after 1s without a word from http://127.0.0.1:");
	printed_finish(&o.printed);
}

/* ---- refusals */

static void closes(struct fake_request *rq)
{
	fake_upgrade(rq);
	fake_close(rq, *(int *)rq->arg, "because");
}

static void close_codes_end_it_as_they_should(void **state)
{
	static const struct {
		int code, exit;
		const char *sentence;
	} cases[] = {
		{4404, CLI_NO_SUCH_BUILD, " knows no such build\n"},
		{4401, CLI_REFUSED,
			" lets only those read who have its token (no token: REQPM_TOKEN is not "
			"set, and cannot read /nonexistent/token: No such file or directory)\n"},
		{1008, CLI_REFUSED, " does not allow this (1008 because)\n"},
		{1002, CLI_LOST, " says that this client breaks the protocol (1002 because)\n"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct outcome o;
		int code = cases[i].code;

		run(&o, closes, &code, "watch 7");
		assert_int_equal(o.code, cases[i].exit);
		assert_has(o.printed.err, cases[i].sentence);
		assert_string_equal(o.printed.out, "");
		printed_finish(&o.printed);
	}
}

static void answers(struct fake_request *rq)
{
	fake_raw(rq, rq->arg);
}

static void a_first_connection_that_fails_ends_it_at_once(void **state)
{
	static const struct {
		const char *answer, *sentence;
		int exit;
	} cases[] = {
		{"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\n\r\n<h1>", " answered 500\n",
			CLI_LOST},
		{"HTTP/1.1 404 Not Found\r\n\r\n", " has no live updates: it is no reqpm server\n",
			CLI_LOST},
		{"HTTP/1.1 401 Unauthorized\r\n\r\n", " refuses (401; no token: ", CLI_REFUSED},
		{"HTTP/1.1 200 OK\r\n\r\n",
			" answered 200 where it should have opened a WebSocket\n", CLI_LOST},
		{"SSH-2.0-OpenSSH\r\n\r\n", " speaks no HTTP\n", CLI_LOST},
		{"", " hung up\n", CLI_LOST},
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
			" is not right\n", CLI_LOST},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		char *answer = xstrdup(cases[i].answer);
		struct outcome o;

		run(&o, answers, answer, "watch 7");
		assert_int_equal(o.code, cases[i].exit);
		assert_has(o.printed.err, cases[i].sentence);
		printed_finish(&o.printed);
		free(answer);
	}
}

static void where_nobody_listens_the_sentence_says_how_to_start_a_server(void **state)
{
	struct printed p;

	(void)state;
	/* Port 1 of the last loopback address. */
	assert_int_equal(run_cli(&p, "http://127.255.255.254:1", "watch 7"), CLI_LOST);
	assert_string_equal(p.err,
		"reqpm: no reqpm server can be reached at http://127.255.255.254:1 (Connection "
		"refused); start one with \"./reqpm.sh start\" or \"reqpm serve\", or name another "
		"one with --server URL\n");
	printed_finish(&p);
	assert_int_equal(run_cli(&p, "http://127.255.255.254:1", "watch 7 --json"), CLI_LOST);
	assert_string_equal(p.out, "{\"type\":\"end\",\"status\":\"lost\"}\n");
	printed_finish(&p);
}

/* ---- leaving */

static void interrupts(struct fake_request *rq)
{
	fake_upgrade(rq);
	fake_text(rq, START);
	kill(getpid(), *(int *)rq->arg);
	fake_wait_gone(rq);
}

static void a_signal_leaves_the_build_alone_and_says_so(void **state)
{
	static int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	(void)state;
	for (size_t i = 0; i < countof(signals); i++) {
		struct outcome o;

		signal(signals[i], SIG_DFL); /* whoever started the tests may ignore it */
		run(&o, interrupts, &signals[i], "watch 7");
		assert_int_equal(o.code, CLI_INTERRUPTED);
		assert_string_equal(o.printed.err,
			"reqpm: interrupted; build 7 goes on: watch it with \"reqpm watch 7\", "
			"stop it with \"reqpm cancel 7\"\n");
		printed_finish(&o.printed);
	}
}

/* There for a moment, then a proxy that finds nobody. */
static void gone(struct fake_request *rq)
{
	if (!rq->number) {
		fake_upgrade(rq);
		fake_text(rq, START);
		return;
	}
	fake_reply(rq, "503 Service Unavailable", "text/html", "");
	kill(getpid(), SIGINT);
}

static void who_leaves_while_the_server_is_away_is_told_nothing_else(void **state)
{
	struct outcome o;

	(void)state;
	signal(SIGINT, SIG_DFL);
	run(&o, gone, NULL, "watch 7");
	assert_int_equal(o.code, CLI_INTERRUPTED);
	assert_string_equal(o.printed.err,
		"reqpm: interrupted; build 7 goes on: watch it with \"reqpm watch 7\", "
		"stop it with \"reqpm cancel 7\"\n");
	printed_finish(&o.printed);
}

static void fails(struct fake_request *rq)
{
	fake_upgrade(rq);
	fake_text(rq, SNAPSHOT(9, "failed", ITEM(1, "failed")));
	fake_close(rq, 1000, "");
}

static void a_hint_reaches_the_server_that_was_named(void **state)
{
	struct fake_server *f = fake_start(fails, NULL);
	char *line = xasprintf("watch 7 --server %s", fake_url(f));
	char *hint = xasprintf("\n      reqpm log 7 p1 --server %s\n", fake_url(f));
	struct printed p;

	(void)state;
	assert_int_equal(run_cli(&p, "http://127.0.0.1:1", line), CLI_BUILD_FAILED);
	assert_has(p.out, hint);
	printed_finish(&p);
	/* The next command would find it by itself. */
	assert_int_equal(run_cli(&p, fake_url(f), line), CLI_BUILD_FAILED);
	assert_has(p.out, "\n      reqpm log 7 p1\n");
	printed_finish(&p);
	fake_stop(f);
	free(line);
	free(hint);
}

static void says_nothing(struct fake_request *rq)
{
	fake_wait_gone(rq);
}

static void a_timeout_ends_even_a_handshake_without_answer(void **state)
{
	struct outcome o;

	(void)state;
	run(&o, says_nothing, NULL, "watch 7 --timeout 1s");
	assert_int_equal(o.code, CLI_TIMEOUT);
	assert_has(o.printed.err, "reqpm: --timeout is over; build 7 goes on");
	printed_finish(&o.printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_build_is_watched_to_its_end_in_plain_lines),
		cmocka_unit_test(json_is_the_messages_and_an_end_and_nothing_else),
		cmocka_unit_test(quiet_says_only_how_it_ended),
		cmocka_unit_test(a_build_that_had_ended_gives_the_same_exit_code),
		cmocka_unit_test(a_build_refused_in_preparing_says_why_with_its_edges),
		cmocka_unit_test(after_a_cut_it_goes_on_where_it_was),
		cmocka_unit_test(a_gap_makes_it_connect_again),
		cmocka_unit_test(nonsense_is_not_applied_but_asked_for_again),
		cmocka_unit_test(a_server_that_closes_before_the_end_is_asked_how_it_ended),
		cmocka_unit_test(a_server_that_stays_away_is_given_up),
		cmocka_unit_test(close_codes_end_it_as_they_should),
		cmocka_unit_test(a_first_connection_that_fails_ends_it_at_once),
		cmocka_unit_test(where_nobody_listens_the_sentence_says_how_to_start_a_server),
		cmocka_unit_test(a_signal_leaves_the_build_alone_and_says_so),
		cmocka_unit_test(who_leaves_while_the_server_is_away_is_told_nothing_else),
		cmocka_unit_test(a_hint_reaches_the_server_that_was_named),
		cmocka_unit_test(a_timeout_ends_even_a_handshake_without_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
