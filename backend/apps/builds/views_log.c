// SPDX-License-Identifier: MIT
/*
 * GET /api/queue/{id}/log: raw, or as JSON a window of lines or what a search finds. The JSON forms read as much of the log as
 * they must, and so they wait for their turn and give it away after each step, sometimes with all that they found.
 */
#include <fcntl.h>
#include <unistd.h>
#include "apps/builds/logs.h"
#include "apps/builds/views.h"

#define SEARCH_MAX 200 /* bytes of ?q= */
#define WINDOW_LINES 1000

struct log_unit {
	struct http_request *req;
	struct app *app;
	int64_t id;
	bool final;
	struct strbuf path;
	/* raw */
	int fd;
	int64_t size;
	/* as JSON */
	struct log_read read;
	int64_t from_line, limit;
	const char *query; /* NULL: a window */
	bool takes_long; /* more than one turn */
	struct log_search *search; /* NULL: not begun, as the next */
	struct log_window *window;
	struct strbuf text;
};

/* ---- the item */

static int take_log(const struct queue_item *item, void *arg)
{
	struct log_unit *u = arg;

	log_path(&u->path, u->app, item->job_id, item->package);
	u->final = queue_status_final(item->status);
	return 0;
}

static int find_log(struct tx *tx, struct log_unit *u)
{
	int r = queue_item_get(tx, u->id, take_log, u);

	return r ? r : -ENOENT;
}

/* What was read; it may begin anew. */
static void drop_reading(struct log_unit *u)
{
	log_search_close(u->search);
	log_window_close(u->window);
	u->search = NULL;
	u->window = NULL;
	strbuf_finish(&u->text);
}

static void unit_finish(struct log_unit *u)
{
	drop_reading(u);
	strbuf_finish(&u->path);
}

static void fail(struct log_unit *u, int status)
{
	unit_finish(u);
	if (status == -ENOENT)
		answer_no_such(u->req, "queue item");
	else
		answer_error(u->req, status);
}

/* ---- raw */

static int open_log(struct tx *tx, void *arg)
{
	struct log_unit *u = arg;
	int r = find_log(tx, u);

	if (r < 0)
		return r;
	u->fd = open(u->path.buf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	u->size = u->fd < 0 ? 0 : lseek(u->fd, 0, SEEK_END);
	if (u->size < 0)
		close(u->fd);
	if ((u->fd < 0 && errno != ENOENT) || u->size < 0)
		return -EIO;
	return 0;
}

static void log_opened(void *arg, int status)
{
	struct log_unit *u = arg;

	if (status < 0) {
		fail(u, status);
		return;
	}
	unit_finish(u);
	/* Nothing was logged yet. */
	if (u->fd < 0)
		http_reply(u->req, 200, "text/plain; charset=utf-8", "", 0);
	else
		http_reply_file(u->req, u->fd, u->size, "text/plain; charset=utf-8");
}

/* ---- as JSON: one step */

/* What there is to say of a log that does not exist yet. */
static void put_empty(struct log_unit *u)
{
	struct json_writer w = JSON_WRITER(&u->text);

	json_begin_object(&w, NULL);
	if (u->query) {
		json_put_string(&w, "q", u->query);
		json_put_raw(&w, "matches", "[]");
		json_put_bool(&w, "truncated", false);
	} else {
		json_put_int(&w, "from_line", u->from_line);
		json_put_raw(&w, "lines", "[]");
		json_put_int(&w, "total_lines", 0);
		json_put_int(&w, "size", 0);
		json_put_bool(&w, "final", u->final);
	}
	json_end_object(&w);
}

static int search_step(struct log_unit *u, char *buf)
{
	int r = u->search ? 0 : log_search_open(u->path.buf, u->query, &u->text, &u->search);

	return r < 0 ? r : log_search_step(u->search, buf);
}

static int window_step(struct log_unit *u, char *buf)
{
	int r = u->window ? 0
			  : log_window_open(
				    u->path.buf, u->from_line, u->limit, &u->text, &u->window);

	return r < 0 ? r : log_window_step(u->window, buf, u->final);
}

static int step(struct log_read *read, char *buf)
{
	struct log_unit *u = container_of(read, struct log_unit, read);
	int r = u->query ? search_step(u, buf) : window_step(u, buf);

	u->takes_long |= r > 0;
	return r;
}

static void forget(struct log_read *read)
{
	drop_reading(container_of(read, struct log_unit, read));
}

/* To who has gone nothing is said; that he closed his side is no fault of the server. */
static void answer_given_up(struct log_unit *u)
{
	unit_finish(u);
	if (u->app->draining)
		http_reply_problem(
			u->req, 503, "given-up", "the server is going away: ask again later");
	else
		http_reply_problem(u->req, 400, "given-up",
			"the connection was closed: keep it open until the answer is there");
}

static void answer(struct log_read *read, int outcome)
{
	struct log_unit *u = container_of(read, struct log_unit, read);
	struct strbuf text;

	if (outcome == -ENOENT) {
		strbuf_reset(&u->text);
		put_empty(u);
	} else if (outcome == -ECANCELED) {
		answer_given_up(u);
		return;
	} else if (outcome < 0) {
		fail(u, outcome);
		return;
	}
	text = u->text;
	strbuf_init(&u->text);
	unit_finish(u);
	answer_json(u->req, 200, &text);
}

/* Who has gone waits for nothing, and who stops the server does not wait for searches. One who has only closed his side may still
 * listen, but mostly he has gone, too: what he asked for is not gone on with once it takes long. */
static bool given_up(struct log_read *read)
{
	struct log_unit *u = container_of(read, struct log_unit, read);

	return u->app->draining || http_peer_gone(u->req) ||
	       (u->takes_long && http_peer_ended(u->req));
}

static int log_found_run(struct tx *tx, void *arg)
{
	return find_log(tx, arg);
}

static void log_found(void *arg, int status)
{
	struct log_unit *u = arg;

	if (status < 0)
		fail(u, status);
	else
		log_read_start(&u->read);
}

void queue_log(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct log_unit *u;
	int64_t id;

	if (!id_param(req, "id", "queue item", &id))
		return;
	u = http_request_memory(req, sizeof(*u));
	*u = (struct log_unit){
		.req = req,
		.app = app,
		.id = id,
		.fd = -1,
		.read = {.app = app,
			.step = step,
			.forget = forget,
			.given_up = given_up,
			.done = answer},
		.limit = WINDOW_LINES,
		.query = http_query(req, "q"),
	};
	strbuf_init(&u->path);
	strbuf_init(&u->text);
	if (u->query && (!*u->query || strlen(u->query) > SEARCH_MAX)) {
		http_reply_problem(req, 400, "bad-query", "?q= must be 1 to %d bytes", SEARCH_MAX);
		return;
	}
	if (!int_query(req, "from_line", 1, ID_MAX, &u->from_line) ||
		!int_query(req, "limit", 1, LOG_WINDOW_LINES_MAX, &u->limit))
		return;
	if (u->query || u->from_line)
		store_read(app->store, log_found_run, log_found, u);
	else
		store_read(app->store, open_log, log_opened, u);
}
