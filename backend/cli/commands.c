// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "cli/session.h"

/* The commands that ask once and print. */

static void print_body(const struct strbuf *body)
{
	fwrite(body->buf, 1, body->len, stdout);
	if (!body->len || body->buf[body->len - 1] != '\n')
		putchar('\n');
}

/* Returns the exit code that the answer stands for; prints only without --json. */
typedef int print_fn(struct session *s, const json_t *answer);

/* GET, and the answer printed: as it is with --json. */
static int get_and_print(struct session *s, const char *path, print_fn *print)
{
	struct strbuf body = STRBUF_INIT, err = STRBUF_INIT;
	json_t *answer = NULL;
	int code = client_get(&s->client, path, &answer, &body, &err);

	if (code)
		complain(s, code, &err);
	else if (s->args.json)
		print_body(&body);
	if (!code)
		code = print(s, answer);
	json_decref(answer);
	strbuf_finish(&body);
	strbuf_finish(&err);
	return code;
}

/* Appends a value as text: strings cleaned, null as a dash. */
static void put_value(struct strbuf *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		text_clean(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		strbuf_addf(out, "%" PRId64, (int64_t)json_integer_value(value));
		break;
	case JSON_REAL:
		strbuf_addf(out, "%.1f", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		strbuf_addstr(out, json_is_true(value) ? "yes" : "no");
		break;
	default:
		strbuf_addch(out, '-');
	}
}

/* ---- list */

static void put_field(struct strbuf *out, const json_t *object, const char *key, size_t width)
{
	const json_t *value = json_object_get(object, key);
	size_t from = out->len, columns;

	if (value)
		put_value(out, value);
	for (columns = text_columns(out->buf + from); columns < width; columns++)
		strbuf_addch(out, ' ');
	strbuf_addch(out, ' ');
}

/* To the second: more is wider than the column, and than what people want to know. */
static void put_created(struct strbuf *out, const json_t *build)
{
	int64_t ms = text_time(json_string_value(json_object_get(build, "created_at")));
	char text[CLOCK_TEXT_MAX];

	strbuf_addf(out, "%-20s ", ms > 0 ? clock_format(ms - ms % 1000, text) : "-");
}

/* How to go on where the list was cut. */
static void put_older(struct strbuf *out, const struct session *s, int64_t before)
{
	struct strbuf verb = STRBUF_INIT;

	strbuf_addstr(&verb, "list");
	if (s->args.status)
		strbuf_addf(&verb, " --status %s", s->args.status);
	if (s->args.limit)
		strbuf_addf(&verb, " --limit %" PRId64, s->args.limit);
	strbuf_addstr(&verb, " --before");
	strbuf_addstr(out, "older builds: ");
	render_hint(out, &s->style, verb.buf, before, NULL);
	strbuf_addch(out, '\n');
	strbuf_finish(&verb);
}

static int print_builds(struct session *s, const json_t *answer)
{
	const json_t *items = json_object_get(answer, "items"), *build;
	int64_t next = json_integer_value(json_object_get(answer, "next"));
	struct strbuf out = STRBUF_INIT;
	size_t i;

	if (s->args.json)
		return CLI_OK;
	strbuf_addstr(&out, "ID      STATUS     DONE  OF    FAILED CREATED              NAME\n");
	json_array_foreach(items, i, build)
	{
		put_field(&out, build, "id", 7);
		put_field(&out, build, "status", 10);
		put_field(&out, build, "completed_packages", 5);
		put_field(&out, build, "total_packages", 5);
		put_field(&out, build, "failed_packages", 6);
		put_created(&out, build);
		put_field(&out, build, "name", 0);
		strbuf_setlen(&out, out.len - 1);
		strbuf_addch(&out, '\n');
	}
	if (!json_array_size(items))
		strbuf_addstr(&out, "no builds\n");
	if (next)
		put_older(&out, s, next);
	say(s, out.buf, out.len);
	strbuf_finish(&out);
	return CLI_OK;
}

int command_list(struct session *s)
{
	struct strbuf path = STRBUF_INIT;
	int code;

	strbuf_addstr(&path, "/api/builds?");
	if (s->args.limit)
		strbuf_addf(&path, "limit=%" PRId64 "&", s->args.limit);
	if (s->args.before)
		strbuf_addf(&path, "after=%" PRId64 "&", s->args.before);
	if (s->args.status)
		strbuf_addf(&path, "status=%s&", s->args.status); /* one of the known words */
	strbuf_setlen(&path, path.len - 1);
	code = get_and_print(s, path.buf, print_builds);
	strbuf_finish(&path);
	return code;
}

/* ---- show */

static int print_build(struct session *s, const json_t *answer)
{
	struct strbuf out = STRBUF_INIT;
	int64_t now = clock_wall_ms();
	struct model m;

	if (s->args.json)
		return CLI_OK;
	model_init(&m);
	if (model_apply_document(&m, answer) != MODEL_CHANGED) {
		fprintf(stderr, "reqpm: what answers at %s is no reqpm server\n", s->client.base);
		model_finish(&m);
		return CLI_LOST;
	}
	strbuf_addf(&out, "build %" PRId64 " %s: ", m.id, m.name);
	render_progress(&out, &m, now);
	strbuf_addch(&out, '\n');
	if (m.error)
		render_refusal(&out, m.error);
	for (size_t i = 0; i < m.item_count; i++) {
		strbuf_addstr(&out, "  ");
		render_item(&out, &s->style, &m, &m.items[i], now);
		strbuf_addch(&out, '\n');
	}
	if (m.dry_run && json_is_object(json_object_get(answer, "plan")))
		render_plan(&out, json_object_get(answer, "plan"));
	strbuf_addf(&out, "page: %s/builds/%" PRId64 "\n", s->client.base, m.id);
	say(s, out.buf, out.len);
	model_finish(&m);
	strbuf_finish(&out);
	return CLI_OK;
}

int command_show(struct session *s)
{
	char *path;
	int64_t id;
	int code;

	if (operand_id(s, 0, &id))
		return CLI_REFUSED;
	path = xasprintf("/api/builds/%" PRId64, id);
	code = get_and_print(s, path, print_build);
	free(path);
	return code;
}

/* ---- cancel */

static int post(struct session *s, const char *path, struct reply *ret, struct strbuf *err)
{
	struct request rq = {.method = "POST", .path = path};
	int r = client_request(&s->client, &rq, ret, err);

	return r ? client_exit_code(r) : reply_exit_code(&s->client, ret, err);
}

int command_cancel(struct session *s)
{
	struct strbuf err = STRBUF_INIT;
	struct reply reply = {0};
	char *path;
	int64_t id;
	int code;

	if (operand_id(s, 0, &id))
		return CLI_REFUSED;
	path = xasprintf("/api/builds/%" PRId64 "/cancel", id);
	code = post(s, path, &reply, &err);
	if (code)
		complain(s, code, &err);
	else if (s->args.json)
		print_body(&reply.body);
	else
		say_line(s, "build %" PRId64 " is being cancelled", id);
	reply_finish(&reply);
	free(path);
	strbuf_finish(&err);
	return code;
}

/* ---- login */

static void say_url(struct session *s, const char *url)
{
	struct strbuf shown = STRBUF_INIT;

	text_clean(&shown, url, strlen(url));
	say_line(s, "sign a browser in (once, within 10 minutes): %s", shown.buf);
	strbuf_finish(&shown);
}

int offer_sign_in(struct session *s, struct strbuf *err)
{
	struct reply reply = {0};
	int code = post(s, "/api/login/code", &reply, err);
	json_t *answer = NULL;
	const char *url;

	if (!code) {
		answer = json_parse(reply.body.buf, reply.body.len, NULL);
		url = json_string_value(json_object_get(answer, "url"));
		if (!url)
			code = err_set(err, CLI_LOST, "what answers at %s is no reqpm server",
				s->client.base);
		else if (s->args.json)
			print_body(&reply.body);
		else
			say_url(s, url);
	}
	json_decref(answer);
	reply_finish(&reply);
	return code;
}

int command_login(struct session *s)
{
	struct strbuf err = STRBUF_INIT;
	int code = offer_sign_in(s, &err);

	complain(s, code, &err);
	strbuf_finish(&err);
	return code;
}

/* ---- status: whatever the server says of itself, one line for each part */

static void put_tree(struct strbuf *out, const char *key, const json_t *value, int depth);

static void put_array(struct strbuf *out, const json_t *array, int depth)
{
	const json_t *part;
	size_t i;

	json_array_foreach(array, i, part)
	{
		if (json_is_object(part)) {
			put_tree(out, "-", part, depth);
			continue;
		}
		strbuf_addf(out, "%*s", 2 * depth, "");
		put_value(out, part);
		strbuf_addch(out, '\n');
	}
}

static void put_object(struct strbuf *out, json_t *object, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) put_tree(out, key, value, depth);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && !strcmp(text + len - end_len, end);
}

/* What a key's last word says of its value is for programs: people get the value in units that they can read. */
static void put_measure(struct strbuf *out, const char *key, const json_t *value)
{
	if (json_is_integer(value) && ends_with(key, "_bytes"))
		text_size(out, json_integer_value(value));
	else if (json_is_integer(value) && ends_with(key, "_ms"))
		text_duration(out, json_integer_value(value));
	else
		put_value(out, value);
}

static void put_key(struct strbuf *out, const char *key)
{
	size_t len = strlen(key), from = out->len;

	if (ends_with(key, "_bytes"))
		len -= strlen("_bytes");
	else if (ends_with(key, "_ms"))
		len -= strlen("_ms");
	text_clean(out, key, len);
	for (size_t i = from; i < out->len; i++)
		if (out->buf[i] == '_')
			out->buf[i] = ' ';
}

static void put_tree(struct strbuf *out, const char *key, const json_t *value, int depth)
{
	strbuf_addf(out, "%*s", 2 * depth, "");
	put_key(out, key);
	if (json_is_object(value)) {
		strbuf_addstr(out, ":\n");
		put_object(out, (json_t *)value, depth + 1);
	} else if (json_is_array(value)) {
		strbuf_addstr(out, json_array_size(value) ? ":\n" : ": none\n");
		put_array(out, value, depth + 1);
	} else {
		strbuf_addstr(out, ": ");
		put_measure(out, key, value);
		strbuf_addch(out, '\n');
	}
}

static int print_status(struct session *s, const json_t *answer)
{
	struct strbuf out = STRBUF_INIT;

	put_object(&out, (json_t *)answer, 0);
	if (!s->args.json)
		say(s, out.buf, out.len);
	strbuf_finish(&out);
	return json_is_false(json_object_get(answer, "healthy")) ? CLI_UNHEALTHY : CLI_OK;
}

int command_status(struct session *s)
{
	return get_and_print(s, "/api/status", print_status);
}
