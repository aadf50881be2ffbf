// SPDX-License-Identifier: MIT
/* Builds and their queue items: read, cancel, retry, delete, report. */
#include "apps/builds/logs.h"
#include "apps/builds/views.h"

#define QUERY_MAX 200 /* bytes of ?q= of the list */
#define REPORT_MAX 500 /* bytes of "why" in a report */

/* ---- one build */

struct build_unit {
	struct http_request *req;
	struct app *app;
	int64_t id, seq;
	bool conditional; /* a GET with If-None-Match */
	struct strbuf json;
};

static struct build_unit *build_unit(struct http_request *req, struct app *app)
{
	struct build_unit *u;
	int64_t id;

	if (!id_param(req, "id", "build", &id))
		return NULL;
	u = http_request_memory(req, sizeof(*u));
	*u = (struct build_unit){.req = req, .app = app, .id = id};
	strbuf_init(&u->json);
	return u;
}

/* The end of every unit: what the caller is answered. */
static int read_document(struct tx *tx, struct build_unit *u)
{
	int r = build_job_document(tx, u->id, &u->json, NULL, &u->seq);

	return r ? r : -ENOENT;
}

static void fail(struct build_unit *u, int status)
{
	strbuf_finish(&u->json);
	if (status == -ENOENT)
		answer_no_such(u->req, "build");
	else
		answer_error(u->req, status);
}

static int take_seq(int64_t id, int64_t seq, bool final, void *arg)
{
	struct build_unit *u = arg;

	(void)id;
	(void) final;
	u->seq = seq;
	return 0;
}

/* Who has the newest one already is told so without reading thousands of items. */
static int get_run(struct tx *tx, void *arg)
{
	struct build_unit *u = arg;
	struct strbuf tag = STRBUF_INIT;
	bool known = false;
	int r = u->conditional ? build_job_versions(tx, u->id, take_seq, u) : 0;

	if (r > 0) {
		build_etag(&tag, u->app, u->id, u->seq);
		known = http_etag_known(u->req, tag.buf);
		strbuf_finish(&tag);
	}
	return r < 0 || known ? r : read_document(tx, u);
}

static void get_done(void *arg, int status)
{
	struct build_unit *u = arg;

	if (status < 0)
		fail(u, status);
	else
		answer_build(u->req, u->app, 200, u->id, u->seq, &u->json);
}

void build_get(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct build_unit *u = build_unit(req, app);

	if (!u)
		return;
	u->conditional = http_header(req, "if-none-match");
	store_read(app->store, get_run, get_done, u);
}

/* ---- cancel */

static int cancel_run(struct tx *tx, void *arg)
{
	struct build_unit *u = arg;
	int r = build_job_cancel(tx, u->id, clock_wall_ms());

	return r < 0 ? r : read_document(tx, u);
}

static void cancel_done(void *arg, int status)
{
	struct build_unit *u = arg;
	struct app *app = u->app;
	int64_t id = u->id;

	if (status == -EALREADY) {
		strbuf_finish(&u->json);
		http_reply_problem(u->req, 409, "build-ended",
			"build %lld has ended: there is nothing to cancel", (long long)id);
		return;
	}
	if (status < 0) {
		fail(u, status);
		return;
	}
	answer_build(u->req, app, 202, id, u->seq, &u->json);
	tasks_cancel_job(app->tasks, id);
	tasks_wake(app->tasks);
}

void build_cancel(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct build_unit *u = build_unit(req, app);

	if (u)
		store_write(app->store, cancel_run, cancel_done, u);
}

/* ---- retry */

static int retry_run(struct tx *tx, void *arg)
{
	struct build_unit *u = arg;
	int64_t again = 0, now = clock_wall_ms();
	bool external = false;
	int r = check_disk(u->app, 0);

	if (r >= 0)
		r = build_job_retry(tx, u->id, now, &again);
	if (r >= 0)
		r = build_job_is_external(tx, again, &external);
	if (r >= 0 && external)
		r = external_plan_again(tx, u->id, again, now);
	if (r < 0)
		return r;
	u->id = again;
	return read_document(tx, u);
}

static void retry_done(void *arg, int status)
{
	struct build_unit *u = arg;
	struct app *app = u->app;

	if (status == -EBUSY) {
		strbuf_finish(&u->json);
		http_reply_problem(u->req, 409, "build-active",
			"build %lld has not ended: cancel it first, or wait", (long long)u->id);
	} else if (status == -EALREADY) {
		strbuf_finish(&u->json);
		http_reply_problem(u->req, 409, "nothing-to-retry",
			"all of build %lld completed: nothing is left to do", (long long)u->id);
	} else if (status < 0) {
		fail(u, status);
	} else {
		answer_build(u->req, app, 201, u->id, u->seq, &u->json);
		tasks_wake(app->tasks);
	}
}

void build_retry(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct build_unit *u = build_unit(req, app);

	if (u)
		store_write(app->store, retry_run, retry_done, u);
}

/* ---- delete */

static int delete_run(struct tx *tx, void *arg)
{
	struct build_unit *u = arg;

	return build_job_delete(tx, u->id, builds_hide_folder, u->app);
}

static void delete_done(void *arg, int status)
{
	struct build_unit *u = arg;
	struct app *app = u->app;

	if (status == -EBUSY) {
		http_reply_problem(u->req, 409, "build-active",
			"build %lld has not ended: cancel it first, or wait", (long long)u->id);
	} else if (status == -EAGAIN) {
		http_reply_problem(u->req, 409, "build-needed",
			"a retry of build %lld is taking over its results: try again when that "
			"runs",
			(long long)u->id);
	} else if (status < 0) {
		fail(u, status);
	} else {
		http_reply(u->req, 204, NULL, NULL, 0);
		builds_expire_start(app);
	}
}

void build_delete(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct build_unit *u = build_unit(req, app);

	if (u)
		store_write(app->store, delete_run, delete_done, u);
}

/* ---- the list */

struct list_unit {
	struct http_request *req;
	const char *epoch;
	int64_t after, limit, count, last;
	int status; /* -1: any */
	const char *query;
	struct strbuf json;
	struct json_writer w;
};

/* One more than asked for is read, which says whether there is more. */
static int put_listed(const struct build_job *job, void *arg)
{
	struct list_unit *u = arg;

	if (u->count++ == u->limit)
		return 0;
	u->last = job->id;
	json_begin_object(&u->w, NULL);
	build_job_fields(&u->w, job);
	json_put_int(&u->w, "seq", job->seq);
	json_end_object(&u->w);
	return 0;
}

static int list_run(struct tx *tx, void *arg)
{
	struct list_unit *u = arg;
	int r;

	json_begin_object(&u->w, NULL);
	json_begin_array(&u->w, "items");
	r = build_jobs_list(tx, u->after, u->status, u->query, u->limit + 1, put_listed, u);
	json_end_array(&u->w);
	if (u->count > u->limit)
		json_put_int(&u->w, "next", u->last);
	else
		json_put_null(&u->w, "next");
	json_put_string(&u->w, "epoch", u->epoch);
	json_end_object(&u->w);
	return r;
}

static void list_done(void *arg, int status)
{
	struct list_unit *u = arg;

	if (status >= 0) {
		answer_json(u->req, 200, &u->json);
		return;
	}
	strbuf_finish(&u->json);
	answer_error(u->req, status);
}

/* False: answered. */
static bool list_filters(struct http_request *req, struct list_unit *u)
{
	const char *status = http_query(req, "status");

	u->query = http_query(req, "q");
	if (u->query && !*u->query)
		u->query = NULL;
	u->status = status && *status ? build_status_parse(status) : -1;
	if (status && *status && u->status < 0)
		http_reply_problem(req, 400, "bad-query",
			"?status= must be pending, preparing, running, completed, failed or "
			"cancelled");
	else if (u->query && strlen(u->query) > QUERY_MAX)
		http_reply_problem(
			req, 400, "bad-query", "?q= must be at most %d bytes", QUERY_MAX);
	else
		return int_query(req, "limit", 1, LIST_LIMIT_MAX, &u->limit) &&
		       int_query(req, "after", 1, ID_MAX, &u->after);
	return false;
}

void builds_get(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct list_unit *u = http_request_memory(req, sizeof(*u));

	*u = (struct list_unit){.req = req, .epoch = store_epoch(app->store), .limit = LIST_LIMIT};
	strbuf_init(&u->json);
	u->w.out = &u->json;
	if (list_filters(req, u))
		store_read(app->store, list_run, list_done, u);
}

/* ---- queue items */

struct item_unit {
	struct http_request *req;
	struct app *app;
	int64_t id;
	enum queue_status status; /* reported */
	const char *why;
	json_t *body; /* owns why */
	struct strbuf json;
};

static struct item_unit *item_unit(struct http_request *req, struct app *app)
{
	struct item_unit *u;
	int64_t id;

	if (!id_param(req, "id", "queue item", &id))
		return NULL;
	u = http_request_memory(req, sizeof(*u));
	*u = (struct item_unit){.req = req, .app = app, .id = id};
	strbuf_init(&u->json);
	return u;
}

static int item_run(struct tx *tx, void *arg)
{
	struct item_unit *u = arg;
	int r = queue_item_document(tx, u->id, &u->json);

	return r ? r : -ENOENT;
}

static void item_done(void *arg, int status)
{
	struct item_unit *u = arg;

	if (status >= 0) {
		answer_json(u->req, 200, &u->json);
		return;
	}
	strbuf_finish(&u->json);
	if (status == -ENOENT)
		answer_no_such(u->req, "queue item");
	else
		answer_error(u->req, status);
}

void queue_get(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct item_unit *u = item_unit(req, app);

	if (u)
		store_read(app->store, item_run, item_done, u);
}

/* ---- reports, of builds that somebody else does */

static int report_run(struct tx *tx, void *arg)
{
	struct item_unit *u = arg;
	int r = queue_item_report(tx, u->id, u->status, u->why, clock_wall_ms());

	return r < 0 ? r : item_run(tx, u);
}

static void report_done(void *arg, int status)
{
	struct item_unit *u = arg;
	struct app *app = u->app;
	int64_t id = u->id;

	json_decref(u->body);
	if (status == -EPERM) {
		strbuf_finish(&u->json);
		http_reply_problem(u->req, 409, "not-external",
			"this item is built by the server: only items of `external` builds are "
			"reported");
		return;
	}
	if (status == -EINVAL) {
		strbuf_finish(&u->json);
		http_reply_problem(u->req, 409, "illegal-step",
			"this item cannot become %s now: queued, building, then completed or "
			"failed",
			queue_status_name[u->status]);
		return;
	}
	item_done(u, status);
	if (status >= 0)
		log_ended(app->logs, id);
}

/* False: answered. */
static bool report_fields(struct http_request *req, struct item_unit *u)
{
	const char *status = NULL;
	const struct field fields[] = {
		{"status", FIELD_STRING, &status},
		{"why", FIELD_STRING, &u->why},
	};
	json_t *body = body_fields(req, fields, countof(fields));
	int parsed;

	/* Answered: u has gone with the request. */
	if (!body)
		return false;
	parsed = status ? queue_status_parse(status) : -1;
	if (parsed != QUEUE_BUILDING && parsed != QUEUE_COMPLETED && parsed != QUEUE_FAILED) {
		json_decref(body);
		http_reply_problem(
			req, 400, "bad-body", "\"status\" must be building, completed or failed");
		return false;
	}
	if (u->why && (strlen(u->why) > REPORT_MAX || text_has_control(u->why))) {
		json_decref(body);
		http_reply_problem(req, 400, "bad-body",
			"\"why\" must be one line of at most %d bytes without control characters",
			REPORT_MAX);
		return false;
	}
	u->body = body;
	u->status = (enum queue_status)parsed;
	return true;
}

void queue_patch(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct item_unit *u = item_unit(req, app);

	if (u && report_fields(req, u))
		store_write(app->store, report_run, report_done, u);
}
