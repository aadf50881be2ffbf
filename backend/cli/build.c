// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/session.h"
#include "cli/upload.h"

#define PROGRESS_MS 100

/* ---- the progress of an upload: a line that is written over, on a terminal only */

struct upload_line {
	struct session *session;
	const struct upload *upload;
	int64_t started_ms, drawn_ms; /* monotonic */
	bool drawn;
};

static void draw_upload(void *arg, size_t files, int64_t bytes)
{
	struct upload_line *l = arg;
	struct strbuf line = STRBUF_INIT;
	int64_t now = clock_monotonic_ms();
	int rows, columns;

	if (now - l->drawn_ms < PROGRESS_MS)
		return;
	l->drawn_ms = now;
	l->drawn = true;
	strbuf_addf(&line, "uploading %zu/%zu files, ", files, l->upload->count);
	text_size(&line, bytes);
	strbuf_addstr(&line, " of ");
	text_size(&line, l->upload->bytes);
	if (now > l->started_ms) {
		strbuf_addstr(&line, ", ");
		text_size(&line, bytes * 1000 / (now - l->started_ms));
		strbuf_addstr(&line, "/s");
	}
	/* What wraps would not be written over. */
	terminal_size(&rows, &columns);
	text_cut(&line, 0, columns > 1 ? (size_t)columns - 1 : 1);
	say(l->session, "\r\033[K", 4);
	say(l->session, line.buf, line.len);
	strbuf_finish(&line);
}

static int send_files(
	struct session *s, const struct upload *u, int64_t *ret_id, struct strbuf *err)
{
	int64_t now = clock_monotonic_ms();
	struct upload_line line = {.session = s, .upload = u, .started_ms = now, .drawn_ms = now};
	struct strbuf size = STRBUF_INIT;
	bool draws = s->progress == PROGRESS_TTY;
	int code = upload_send(u, &s->client, draws ? draw_upload : NULL, &line, ret_id, err);

	if (line.drawn)
		say(s, "\r\033[K", 4);
	if (!code && s->progress != PROGRESS_QUIET) {
		text_size(&size, u->bytes);
		say_line(s, "uploaded %zu %s, %s", u->count, u->count == 1 ? "file" : "files",
			size.buf);
	}
	strbuf_finish(&size);
	return code;
}

/* ---- submitting */

static void put_submission(
	struct strbuf *out, const struct arguments *args, const char *name, int64_t upload)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin_object(&w, NULL);
	json_put_int(&w, "upload", upload);
	json_put_string(&w, "name", args->name ? args->name : name);
	if (args->builder)
		json_put_string(&w, "builder", args->builder);
	json_put_bool(&w, "fail_fast", args->fail_fast);
	json_put_bool(&w, "dry_run", args->dry_run);
	if (args->package_timeout_ms)
		json_put_int(&w, "timeout_ms", args->package_timeout_ms);
	json_end_object(&w);
}

/* Takes the new build's id out of an answer; prints the object where JSON is all that is wanted. */
static int take_build(
	struct session *s, const struct reply *reply, int64_t *ret_id, struct strbuf *err)
{
	int code = reply_exit_code(&s->client, reply, err);
	json_t *build;

	if (code)
		return code;
	build = json_parse(reply->body.buf, reply->body.len, NULL);
	*ret_id = json_integer_value(json_object_get(build, "id"));
	json_decref(build);
	if (*ret_id < 1) {
		err_set(err, 0, "what answers at %s is no reqpm server", s->client.base);
		return CLI_LOST;
	}
	if (s->args.json && s->args.detach)
		printf("%s\n", reply->body.buf);
	say_line(s, "build %" PRId64 ": %s/builds/%" PRId64, *ret_id, s->client.base, *ret_id);
	return CLI_OK;
}

/* Sealing an upload twice gives the same build, so this may be sent again. */
static int submit(
	struct session *s, const char *name, int64_t upload, int64_t *ret_id, struct strbuf *err)
{
	struct strbuf json = STRBUF_INIT;
	struct request rq = {.method = "POST", .path = "/api/builds"};
	struct reply reply = {0};
	int r, code;

	put_submission(&json, &s->args, name, upload);
	rq.json = json.buf;
	r = client_insist(&s->client, &rq, &reply, err);
	code = r ? client_exit_code(r) : take_build(s, &reply, ret_id, err);
	reply_finish(&reply);
	strbuf_finish(&json);
	/* It is the upload that is not there any more. */
	return code == CLI_NO_SUCH_BUILD ? CLI_REFUSED : code;
}

/* Before the build is there, an end of the command leaves nothing behind. */
static int fail(struct session *s, int code, const struct strbuf *err)
{
	if (code == CLI_INTERRUPTED || code == CLI_TIMEOUT)
		fprintf(stderr, "reqpm: %s before the build was submitted\n",
			code == CLI_TIMEOUT ? "--timeout was over" : "interrupted");
	else
		complain(s, code, err);
	if (s->args.json && !s->args.detach)
		printf("{\"type\":\"end\",\"status\":\"not submitted\"}\n");
	return code;
}

/* What was refused is not sent again under this number: the server need not keep it for a day. */
static void drop_upload(struct session *s, int64_t id)
{
	struct strbuf err = STRBUF_INIT;
	char *path = xasprintf("/api/uploads/%" PRId64, id);

	delete_path(s, path, &err);
	free(path);
	strbuf_finish(&err);
}

static int upload_and_submit(struct session *s, int64_t *ret_id, struct strbuf *err)
{
	struct upload u = {0};
	int64_t upload = 0;
	int code = upload_collect(&u, s->operands, s->operand_count, err) ? CLI_REFUSED : CLI_OK;

	if (!code)
		code = send_files(s, &u, &upload, err);
	if (!code)
		code = submit(s, u.name, upload, ret_id, err);
	if (code == CLI_REFUSED && upload)
		drop_upload(s, upload);
	upload_finish(&u);
	return code;
}

int command_build(struct session *s)
{
	struct strbuf err = STRBUF_INIT;
	int64_t id = 0;
	int code;

	signals_take(&s->signals, &s->client);
	code = upload_and_submit(s, &id, &err);
	if (code) {
		fail(s, code, &err);
	} else if (!s->args.detach) {
		/* Where nobody looks at a screen, nobody is to find it in a log. */
		if (s->progress == PROGRESS_TTY)
			offer_sign_in(s, &err);
		code = watch_build(s, id, true);
	}
	strbuf_finish(&err);
	return code;
}

/* ---- once more */

int command_retry(struct session *s)
{
	struct strbuf err = STRBUF_INIT;
	struct reply reply = {0};
	struct request rq = {.method = "POST"};
	char *path;
	int64_t id;
	int r, code;

	if (operand_id(s, 0, &id))
		return CLI_REFUSED;
	signals_take(&s->signals, &s->client);
	rq.path = path = xasprintf("/api/builds/%" PRId64 "/retry", id);
	r = client_request(&s->client, &rq, &reply, &err);
	code = r ? client_exit_code(r) : take_build(s, &reply, &id, &err);
	if (code)
		fail(s, code, &err);
	else if (!s->args.detach)
		code = watch_build(s, id, true);
	reply_finish(&reply);
	free(path);
	strbuf_finish(&err);
	return code;
}
