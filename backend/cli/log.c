// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "cli/session.h"
#include "core/base/near.h"

#define U_FFFD "\xef\xbf\xbd"

/* ---- where the bytes go: as they are, or made harmless for a terminal */

struct log_output {
	struct session *session;
	struct strbuf rest; /* bytes of a sequence that is not whole yet */
	int64_t bytes; /* taken so far */
	struct digest *digest;
};

static int print_safe(struct log_output *o, bool last)
{
	struct strbuf out = STRBUF_INIT;
	size_t used = text_log(&out, &o->session->style, o->rest.buf, o->rest.len, last);
	int r;

	strbuf_remove(&o->rest, 0, used);
	if (last && o->session->style.color)
		strbuf_addstr(&out, "\033[0m");
	r = put(o->session, stdout, out.buf, out.len);
	strbuf_finish(&out);
	return r;
}

static int log_write(void *arg, const char *data, size_t len)
{
	struct log_output *o = arg;

	o->bytes += (int64_t)len;
	digest_add(o->digest, data, len);
	if (o->session->args.json)
		return 0;
	if (!o->session->tty)
		return put(o->session, stdout, data, len);
	strbuf_add(&o->rest, data, len);
	return print_safe(o, false);
}

static void log_output_init(struct log_output *o, struct session *s)
{
	*o = (struct log_output){.session = s, .rest = STRBUF_INIT, .digest = digest_create()};
}

static void log_output_finish(struct log_output *o)
{
	if (o->session->tty && !o->session->args.json)
		print_safe(o, true);
	strbuf_finish(&o->rest);
	digest_destroy(o->digest);
}

/* ---- all that there is now */

static int fetch(struct log_output *o, int64_t item, int64_t from, int64_t len, struct strbuf *err)
{
	struct client *c = &o->session->client;
	char *path = xasprintf("/api/queue/%" PRId64 "/log", item);
	struct request rq = {.method = "GET",
		.path = path,
		.write = log_write,
		.arg = o,
		.range_from = from,
		.range_len = len};
	struct reply reply = {0};
	int r = client_request(c, &rq, &reply, err), code;

	code = r ? client_exit_code(r) : reply_exit_code(c, &reply, err);
	reply_finish(&reply);
	free(path);
	return code;
}

/* ---- as it grows */

struct follow {
	struct log_output out;
	int64_t item;
	struct strbuf *err;
	int code; /* what the messages led to */
	bool ended; /* the log was said to be whole, or not */
};

static void follow_path(void *arg, struct strbuf *out)
{
	struct follow *f = arg;

	strbuf_addf(
		out, "/ws/builds/queue/%" PRId64 "/log/?offset=%" PRId64, f->item, f->out.bytes);
}

/* In a message what is not text was replaced; such a piece is fetched as it is. */
static enum link_verdict take_piece(struct follow *f, const json_t *message)
{
	const json_t *data = json_object_get(message, "data");
	int64_t offset = json_integer_value(json_object_get(message, "offset"));
	int64_t next = json_integer_value(json_object_get(message, "next"));
	const char *text = json_string_value(data);
	size_t len = json_string_length(data);
	bool exact = text && (int64_t)len == next - offset && !strstr(text, U_FFFD);

	if (!text || next < offset)
		return LINK_GARBAGE;
	if (offset != f->out.bytes)
		return next <= f->out.bytes ? LINK_GO_ON : LINK_AGAIN;
	if (next == offset)
		return LINK_GO_ON;
	if (exact)
		f->code = log_write(&f->out, text, len) ? CLI_LOST : CLI_OK;
	else
		f->code = fetch(&f->out, f->item, offset, next - offset, f->err);
	/* Cut in the middle of a piece: goes on with what is missing. */
	if (f->code == CLI_LOST && !ferror(stdout))
		return LINK_AGAIN;
	return f->code ? LINK_DONE : LINK_GO_ON;
}

static enum link_verdict take_end(struct follow *f, const json_t *message)
{
	const char *theirs = json_string_value(json_object_get(message, "sha256"));
	int64_t size = json_integer_value(json_object_get(message, "size"));
	char ours[SHA256_HEX_MAX];

	digest_hex(f->out.digest, ours);
	f->ended = true;
	if (size != f->out.bytes)
		f->code = err_set(f->err, CLI_LOST,
			"the log is not whole: %" PRId64 " of %" PRId64 " bytes came", f->out.bytes,
			size);
	else if (theirs && strcmp(theirs, ours) != 0)
		f->code = err_set(
			f->err, CLI_LOST, "the log is not what was written: its SHA-256 differs");
	return LINK_DONE;
}

static enum link_verdict follow_message(
	void *arg, const json_t *message, const char *text, size_t len)
{
	struct follow *f = arg;
	const char *type = json_string_value(json_object_get(message, "type"));

	if (f->out.session->args.json)
		put_message(f->out.session, text, len);
	if (!type)
		return LINK_GARBAGE;
	if (!strcmp(type, "log"))
		return take_piece(f, message);
	return strcmp(type, "log_end") ? LINK_GO_ON : take_end(f, message);
}

static void follow_state(void *arg, bool connected)
{
	(void)arg;
	fprintf(stderr, "reqpm: %s\n",
		connected ? "connected again"
			  : "the connection to the server is lost, reconnecting");
}

static int follow_log(struct session *s, int64_t item, struct strbuf *err)
{
	struct follow f = {.item = item, .err = err};
	struct link l = {.client = &s->client,
		.path = follow_path,
		.message = follow_message,
		.state = follow_state,
		.known_good = true,
		.arg = &f};
	int code;

	log_output_init(&f.out, s);
	code = link_run(&l, err);
	if (!code)
		code = f.code;
	if (!code && !f.ended)
		code = err_set(err, CLI_LOST, "the log ended without saying that it is whole");
	log_output_finish(&f.out);
	return code;
}

static int print_log(struct session *s, int64_t item, struct strbuf *err)
{
	struct log_output out;
	int code;

	log_output_init(&out, s);
	code = fetch(&out, item, 0, 0, err);
	log_output_finish(&out);
	return code;
}

/* One page from this line on; *ret_lines: how many the page has, *ret_total: the log when it was read. */
static int print_page(struct session *s, int64_t item, int64_t from_line, int64_t *ret_lines,
	int64_t *ret_total, struct strbuf *err)
{
	char *path = xasprintf("/api/queue/%" PRId64 "/log?from_line=%" PRId64, item, from_line);
	struct strbuf body = STRBUF_INIT;
	json_t *page = NULL;
	int code = client_get(&s->client, path, &page, &body, err);

	if (!code) {
		put_message(s, body.buf, body.len);
		*ret_lines = (int64_t)json_array_size(json_object_get(page, "lines"));
		*ret_total = json_integer_value(json_object_get(page, "total_lines"));
	}
	json_decref(page);
	strbuf_finish(&body);
	free(path);
	return code;
}

/* With --json: as the API has it, lines by number, a page in each line. What a log that grows gets meanwhile is
 * --follow's. */
static int print_lines(struct session *s, int64_t item, struct strbuf *err)
{
	int64_t from = 1, lines = 0, total = 0, first_total = 0;
	int code;

	do {
		code = print_page(s, item, from, &lines, &total, err);
		if (from == 1)
			first_total = total;
		from += lines;
	} while (!code && lines && from <= first_total && !ferror(stdout));
	return code;
}

/* ---- the command */

static const struct model_item *find_package(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->item_count; i++)
		if (!strcmp(m->items[i].name, name))
			return &m->items[i];
	return NULL;
}

static int no_such_package(
	const struct session *s, const struct model *m, int64_t id, struct strbuf *err)
{
	const char *name = s->operands[1];
	struct strbuf otherwise = STRBUF_INIT;
	struct near near;

	strbuf_addch(&otherwise, '"');
	render_hint(&otherwise, &s->style, "show", id, NULL);
	strbuf_addstr(&otherwise, "\" lists them");
	near_init(&near, name, strlen(name));
	for (size_t i = 0; i < m->item_count; i++)
		near_offer(&near, m->items[i].name);
	strbuf_addf(err, "build %" PRId64 " has no package \"", id);
	text_clean(err, name, strlen(name));
	strbuf_addch(err, '"');
	near_add(&near, err, otherwise.buf);
	strbuf_finish(&otherwise);
	return CLI_REFUSED;
}

/* ---- a build that was just submitted has no packages yet */

static bool is_planned(const struct model *m)
{
	return m->state != JOB_PENDING && m->state != JOB_PREPARING;
}

static void plan_path(void *arg, struct strbuf *out)
{
	const struct model *m = arg;

	strbuf_addf(out, "/ws/builds/%" PRId64 "/", m->id);
}

static enum link_verdict plan_message(
	void *arg, const json_t *message, const char *text, size_t len)
{
	struct model *m = arg;

	(void)text;
	(void)len;
	switch (model_apply(m, message, clock_wall_ms())) {
	case MODEL_GAP:
		return LINK_AGAIN;
	case MODEL_STRANGE:
		return LINK_GARBAGE;
	default:
		return is_planned(m) ? LINK_DONE : LINK_GO_ON;
	}
}

static int await_plan(struct session *s, struct model *m, struct strbuf *err)
{
	struct link l = {.client = &s->client,
		.path = plan_path,
		.message = plan_message,
		.state = follow_state,
		.known_good = true,
		.arg = m};

	return link_run(&l, err);
}

static int not_planned(const struct model *m, struct strbuf *err)
{
	return err_set(err, CLI_REFUSED,
		"build %" PRId64 " is still being prepared, so its packages are not known yet; "
		"--follow waits for them",
		m->id);
}

/* The queue item of the package that was asked for. */
static int find_item(struct session *s, int64_t id, int64_t *ret_item, struct strbuf *err)
{
	char *path = xasprintf("/api/builds/%" PRId64, id);
	const struct model_item *item = NULL;
	struct model m;
	json_t *build = NULL;
	int code = client_get(&s->client, path, &build, NULL, err);

	model_init(&m);
	if (!code && model_apply_document(&m, build) != MODEL_CHANGED)
		code = err_set(
			err, CLI_LOST, "what answers at %s is no reqpm server", s->client.base);
	if (!code && !is_planned(&m))
		code = s->args.follow ? await_plan(s, &m, err) : not_planned(&m, err);
	if (!code)
		item = find_package(&m, s->operands[1]);
	if (!code && !item)
		code = no_such_package(s, &m, id, err);
	if (item)
		*ret_item = item->id;
	model_finish(&m);
	json_decref(build);
	free(path);
	return code;
}

int command_log(struct session *s)
{
	struct strbuf err = STRBUF_INIT;
	int64_t id, item = 0;
	int code;

	if (operand_id(s, 0, &id))
		return CLI_REFUSED;
	if (s->args.follow)
		signals_take(&s->signals, &s->client);
	code = find_item(s, id, &item, &err);
	if (!code && s->args.follow)
		code = follow_log(s, item, &err);
	else if (!code && s->args.json)
		code = print_lines(s, item, &err);
	else if (!code)
		code = print_log(s, item, &err);
	complain(s, code, &err);
	strbuf_finish(&err);
	return code;
}
