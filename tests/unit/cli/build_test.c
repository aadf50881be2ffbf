// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_server.h"
#include "run_cli.h"

#define DONE                                                                                       \
	"{\"type\":\"build_update\",\"seq\":1,\"epoch\":\"e\",\"snapshot\":true,\"data\":{"        \
	"\"id\":7,\"name\":\"in\",\"status\":\"completed\",\"total_packages\":1,"                  \
	"\"completed_packages\":1,\"queue_items\":[]}}"

/* What the server was sent. */
struct received {
	struct strbuf files; /* "path=size,", as they came */
	struct strbuf submission;
	bool token;
	int refuse_puts; /* that many are answered 503 */
	int uploads;
	const char *problem; /* for the submission */
	int kill_at; /* send SIGINT instead of answering this PUT; 0: never */
	bool lie; /* about digests */
	struct strbuf big; /* the last file */
};

static void take_file(struct fake_request *rq, struct received *r)
{
	const char *path = rq->head.buf + strlen("PUT /api/uploads/3/files/");
	struct digest *d = digest_create();
	char hex[SHA256_HEX_MAX], *answer;

	digest_add(d, rq->body.buf, rq->body.len);
	digest_hex(d, hex);
	digest_destroy(d);
	if (r->lie)
		hex[0] = hex[0] == '0' ? '1' : '0';
	strbuf_addf(&r->files, "%.*s=%zu,", (int)strcspn(path, " "), path, rq->body.len);
	strbuf_reset(&r->big);
	strbuf_add(&r->big, rq->body.buf, rq->body.len);
	answer = xasprintf("{\"path\":\"x\",\"size\":%zu,\"sha256\":\"%s\"}", rq->body.len, hex);
	fake_json(rq, "201 Created", answer);
	free(answer);
}

static void put_file(struct fake_request *rq, struct received *r)
{
	if (r->kill_at && !--r->kill_at) {
		kill(getpid(), SIGINT);
		fake_wait_gone(rq);
	} else if (r->refuse_puts) {
		r->refuse_puts--;
		fake_problem(rq, "503 Service Unavailable", "restarting");
	} else {
		take_file(rq, r);
	}
}

static void server(struct fake_request *rq)
{
	struct received *r = rq->arg;

	if (fake_is(rq, "POST /api/uploads")) {
		r->uploads++;
		r->token = fake_has(rq, "Authorization: Bearer secret\r\n");
		fake_json(rq, "201 Created", "{\"id\":3,\"files\":[]}");
	} else if (fake_has(rq, "PUT /api/uploads/3/files/")) {
		put_file(rq, r);
	} else if (fake_is(rq, "POST /api/builds")) {
		strbuf_add(&r->submission, rq->body.buf, rq->body.len);
		if (r->problem)
			fake_problem(rq, "422 Unprocessable Content", r->problem);
		else
			fake_json(rq, "201 Created", "{\"id\":7,\"status\":\"pending\"}");
	} else if (fake_is(rq, "POST /api/builds/6/retry")) {
		fake_json(rq, "201 Created", "{\"id\":7,\"retry_of\":6}");
	} else if (fake_is(rq, "POST /api/builds/5/retry")) {
		fake_problem(rq, "409 Conflict", "build 5 is running");
	} else if (fake_is(rq, "GET /ws/builds/7/")) {
		fake_upgrade(rq);
		fake_text(rq, DONE);
		fake_close(rq, 1000, "");
	} else {
		fake_problem(rq, "404 Not Found", "there is no such build");
	}
}

struct outcome {
	int code;
	struct printed printed;
	struct received received;
};

static int enter(void **state)
{
	char template[] = "/tmp/reqpm-build-XXXXXX";
	struct outcome *o = xcalloc(1, sizeof(*o));

	assert_non_null(mkdtemp(template));
	assert_int_equal(chdir(template), 0);
	mkdir("in", 0755);
	strbuf_init(&o->received.files);
	strbuf_init(&o->received.submission);
	strbuf_init(&o->received.big);
	setenv("REQPM_TOKEN", "secret", 1);
	*state = o;
	return 0;
}

static int leave(void **state)
{
	struct outcome *o = *state;
	char *dir = getcwd(NULL, 0);

	assert_int_equal(chdir("/"), 0);
	assert_int_equal(tree_remove(dir), 0);
	free(dir);
	printed_finish(&o->printed);
	strbuf_finish(&o->received.files);
	strbuf_finish(&o->received.submission);
	strbuf_finish(&o->received.big);
	free(o);
	unsetenv("REQPM_TOKEN");
	return 0;
}

static void put(const char *path, size_t size)
{
	char *content = xcalloc(1, size + 1);
	struct strbuf err = STRBUF_INIT;

	memset(content, 'x', size);
	assert_int_equal(file_write_atomic(path, content, size, 0644, &err), 0);
	free(content);
}

static void run(struct outcome *o, const char *line)
{
	struct fake_server *f = fake_start(server, &o->received);

	printed_finish(&o->printed);
	o->code = run_cli(&o->printed, fake_url(f), line);
	fake_stop(f);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* ---- */

static void a_folder_is_uploaded_submitted_and_watched(void **state)
{
	struct outcome *o = *state;

	put("in/a b.spec", 12);
	put("in/empty", 0);
	mkdir("in/sub", 0755);
	put("in/sub/ö", 3);
	run(o, "build in");
	assert_string_equal(o->printed.err, "");
	assert_int_equal(o->code, CLI_OK);
	assert_true(o->received.token);
	assert_string_equal(o->received.files.buf, "a%20b.spec=12,empty=0,sub/%C3%B6=3,");
	assert_string_equal(o->received.submission.buf,
		"{\"upload\":3,\"name\":\"in\",\"fail_fast\":false,\"dry_run\":false}");
	assert_has(o->printed.out, "uploaded 3 files, 15 B\nbuild 7: http://127.0.0.1:");
	assert_has(o->printed.out, "\nbuild 7 completed: 1 of 1 package completed\npage: http");
}

static void options_go_into_the_submission(void **state)
{
	struct outcome *o = *state;

	put("in/a.spec", 1);
	run(o, "build in --name x\"y --builder command --fail-fast --package-timeout 2m --detach");
	assert_int_equal(o->code, CLI_OK);
	assert_string_equal(o->received.submission.buf,
		"{\"upload\":3,\"name\":\"x\\\"y\",\"builder\":\"command\",\"fail_fast\":true,"
		"\"dry_run\":false,\"timeout_ms\":120000}");
	assert_null(strstr(o->printed.out, "completed"));
}

static void a_large_file_arrives_whole(void **state)
{
	struct outcome *o = *state;

	put("in/a.spec", 5 << 20);
	run(o, "build in --detach");
	assert_int_equal(o->code, CLI_OK);
	assert_string_equal(o->received.files.buf, "a.spec=5242880,");
}

static void a_server_that_restarts_gets_the_file_again(void **state)
{
	struct outcome *o = *state;

	put("in/a.spec", 100);
	o->received.refuse_puts = 2;
	run(o, "build in --detach");
	assert_int_equal(o->code, CLI_OK);
	assert_int_equal(o->received.uploads, 1);
	assert_string_equal(o->received.files.buf, "a.spec=100,");
	assert_int_equal(o->received.big.len, 100);
}

static void a_file_that_arrives_changed_is_noticed(void **state)
{
	struct outcome *o = *state;

	put("in/a.spec", 100);
	o->received.lie = true;
	run(o, "build in");
	assert_int_equal(o->code, CLI_LOST);
	assert_string_equal(o->printed.err, "reqpm: in/a.spec did not arrive as it was sent: the "
					    "server has another SHA-256\n");
	assert_int_equal(o->received.submission.len, 0);
}

static void nothing_is_sent_when_there_is_nothing_to_build(void **state)
{
	struct outcome *o = *state;

	run(o, "build in");
	assert_int_equal(o->code, CLI_REFUSED);
	assert_string_equal(o->printed.err, "reqpm: in is empty: there is nothing to build\n");
	assert_int_equal(o->received.uploads, 0);
}

static void the_servers_reason_is_the_sentence(void **state)
{
	struct outcome *o = *state;

	put("in/packages.json", 10);
	o->received.problem = "packages.json: \\\"a\\\" has an empty command";
	run(o, "build in");
	assert_int_equal(o->code, CLI_REFUSED);
	assert_string_equal(o->printed.err, "reqpm: packages.json: \"a\" has an empty command\n");
}

static void an_interrupted_upload_leaves_no_build(void **state)
{
	struct outcome *o = *state;

	put("in/a.spec", 10);
	o->received.kill_at = 1;
	run(o, "build in");
	assert_int_equal(o->code, CLI_INTERRUPTED);
	assert_string_equal(o->printed.err, "reqpm: interrupted before the build was submitted\n");
}

static void json_holds_messages_alone_and_words_go_to_stderr(void **state)
{
	struct outcome *o = *state;

	put("in/a.spec", 1);
	run(o, "build in --json");
	assert_int_equal(o->code, CLI_OK);
	assert_string_equal(o->printed.out, DONE "\n{\"type\":\"end\",\"status\":\"completed\"}\n");
	assert_has(o->printed.err, "uploaded 1 file, 1 B\nbuild 7: http");
	run(o, "build in --json --detach");
	assert_string_equal(o->printed.out, "{\"id\":7,\"status\":\"pending\"}\n");
}

static void a_retry_is_watched_as_the_new_build(void **state)
{
	struct outcome *o = *state;

	run(o, "retry 6");
	assert_int_equal(o->code, CLI_OK);
	assert_has(o->printed.out, "build 7: http");
	assert_has(o->printed.out, "build 7 completed");
	run(o, "retry 5");
	assert_int_equal(o->code, CLI_REFUSED);
	assert_string_equal(o->printed.err, "reqpm: build 5 is running\n");
	run(o, "retry 4");
	assert_int_equal(o->code, CLI_NO_SUCH_BUILD);
	assert_string_equal(o->printed.err, "reqpm: there is no such build\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(a_folder_is_uploaded_submitted_and_watched),
		TEST(options_go_into_the_submission),
		TEST(a_large_file_arrives_whole),
		TEST(a_server_that_restarts_gets_the_file_again),
		TEST(a_file_that_arrives_changed_is_noticed),
		TEST(nothing_is_sent_when_there_is_nothing_to_build),
		TEST(the_servers_reason_is_the_sentence),
		TEST(an_interrupted_upload_leaves_no_build),
		TEST(json_holds_messages_alone_and_words_go_to_stderr),
		TEST(a_retry_is_watched_as_the_new_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
