// SPDX-License-Identifier: MIT
#include <stdio.h>
#include "apps/builds/builds.h"
#include "apps/packages/packages.h"

static void put_id(struct json_writer *w, const char *key, int64_t id)
{
	if (id > 0)
		json_put_int(w, key, id);
	else
		json_put_null(w, key);
}

/* The specified message always has it. */
static void put_moment(struct json_writer *w, const char *key, int64_t wall_ms)
{
	if (wall_ms)
		json_put_time(w, key, wall_ms);
	else
		json_put_raw(w, key, "null");
}

static void put_raw(struct json_writer *w, const char *key, const char *json)
{
	if (json)
		json_put_raw(w, key, json);
	else
		json_put_null(w, key);
}

void build_job_changes(struct json_writer *w, const struct build_job *job)
{
	const int64_t *n = job->counts;

	json_put_int(w, "id", job->id);
	json_put_string(w, "status", build_status_name[job->status]);
	json_put_int(w, "total_packages", job->total);
	json_put_int(w, "completed_packages", n[QUEUE_COMPLETED]);
	json_put_int(w, "failed_packages", n[QUEUE_FAILED]);
	json_put_int(w, "building_packages", n[QUEUE_BUILDING]);
	json_put_int(w, "blocked_packages", n[QUEUE_BLOCKED]);
	json_put_int(w, "waiting_packages", n[QUEUE_PENDING] + n[QUEUE_QUEUED]);
	json_put_int(w, "cancelled_packages", n[QUEUE_CANCELLED]);
	json_put_tenths(w, "progress", build_job_progress(job));
	if (job->status == BUILD_PREPARING && job->specs_total) {
		json_put_int(w, "specs_read", job->specs_read);
		json_put_int(w, "specs_total", job->specs_total);
	}
	/* Never false again, never another moment: a running job's viewers have these from before. */
	if (job->cancel_requested)
		json_put_bool(w, "cancel_requested", true);
	if (job->error)
		json_put_raw(w, "error", job->error);
	if (job->started_at && job->status != BUILD_RUNNING)
		json_put_time(w, "started_at", job->started_at);
	if (job->completed_at)
		json_put_time(w, "completed_at", job->completed_at);
}

void build_job_fields(struct json_writer *w, const struct build_job *job)
{
	build_job_changes(w, job);
	json_put_string(w, "name", job->name);
	json_put_string(w, "builder", job->builder);
	json_put_bool(w, "fail_fast", job->fail_fast);
	json_put_bool(w, "dry_run", job->dry_run);
	put_id(w, "retry_of", job->retry_of);
	if (!job->error)
		json_put_null(w, "error");
	json_put_time(w, "created_at", job->created_at);
	if (!job->cancel_requested)
		json_put_bool(w, "cancel_requested", false);
	if (job->status == BUILD_RUNNING || !job->started_at)
		json_put_time(w, "started_at", job->started_at);
	if (!job->completed_at)
		json_put_null(w, "completed_at");
}

/* ---- items */

#define LACKS_LISTED 3

static void put_lacks(struct strbuf *why, const char *lacks)
{
	size_t more = 0;

	strbuf_addstr(why, "waits for ");
	for (size_t i = 0; *lacks; i++) {
		size_t len = strcspn(lacks, "\n");

		if (i < LACKS_LISTED) {
			strbuf_addstr(why, i ? ", " : "");
			text_shorten(why, lacks, len, SAID_NAME_MAX);
		} else {
			more++;
		}
		lacks += len + (lacks[len] == '\n');
	}
	if (more)
		strbuf_addf(why, " and %zu more", more);
	strbuf_addstr(why, ", which no spec of the set names: an RPM that is still to be built may "
			   "provide it");
}

/* Stored words first; what the state alone explains is said here. */
static void put_why(struct json_writer *w, const struct queue_item *item)
{
	struct strbuf why = STRBUF_INIT;

	/* How many would be stale with the next completion, which tells of this item only when it becomes ready. */
	if (item->status == QUEUE_PENDING && item->lacks)
		put_lacks(&why, item->lacks);
	else if (item->status == QUEUE_PENDING)
		strbuf_addstr(&why, "waits for packages that it needs");
	else if (item->status == QUEUE_BLOCKED)
		strbuf_addf(&why, "needs %s, which failed",
			item->blocked_by_name ? item->blocked_by_name : "a package");
	else if (item->status == QUEUE_CANCELLED && item->reason == REASON_FAIL_FAST)
		strbuf_addstr(&why, "not started: another package failed and fail_fast is set");
	else if (item->status == QUEUE_CANCELLED)
		strbuf_addstr(&why, "cancelled");
	else if (item->status == QUEUE_FAILED && item->reason == REASON_LOST)
		strbuf_addf(&why, "lost %lld times in a row: its worker died each time",
			(long long)item->lost);
	else if (item->status == QUEUE_QUEUED && item->held && item->not_before && item->why)
		strbuf_addf(&why, "%s; the attempt before: %s", item->held, item->why);
	else if (item->status == QUEUE_QUEUED && item->held)
		strbuf_addstr(&why, item->held);
	else if (item->status == QUEUE_QUEUED && item->not_before && item->why)
		strbuf_addf(&why, "tried again after a pause: %s", item->why);
	else if (item->status == QUEUE_QUEUED)
		strbuf_addstr(&why, "waits for a free slot");
	else if (item->status == QUEUE_FAILED)
		strbuf_addstr(&why, item->why ? item->why : "reported as failed, without a reason");
	json_put_string(w, "why", why.len ? why.buf : NULL);
	strbuf_finish(&why);
}

static void put_blocked_by(struct json_writer *w, const struct queue_item *item)
{
	if (!item->blocked_by) {
		json_put_null(w, "blocked_by");
		return;
	}
	json_begin_object(w, "blocked_by");
	json_put_int(w, "id", item->blocked_by);
	json_put_string(w, "name", item->blocked_by_name);
	json_end_object(w);
}

static void put_changes(struct json_writer *w, const struct queue_item *item)
{
	json_put_int(w, "id", item->id);
	json_put_string(w, "status", queue_status_name[item->status]);
	json_begin_object(w, "package");
	json_put_int(w, "id", item->package_id);
	json_put_string(w, "name", item->package);
	json_put_string(w, "version", item->version);
	json_end_object(w);
	json_put_int(w, "attempt", item->attempts);
	json_put_string(w, "worker", item->worker);
	put_id(w, "slot", item->worker ? item->slot : 0);
	json_put_string(w, "phase", item->status == QUEUE_PENDING ? NULL : item->phase);
	put_why(w, item);
	json_put_string(w, "reason", queue_reason_name[item->reason]);
	put_blocked_by(w, item);
	put_id(w, "error_line", item->error_line);
	json_put_string(w, "error_text", item->error_text);
	if (item->log_size || !w->omit_nulls)
		json_put_int(w, "log_size", item->log_size);
	if (item->exit_code >= 0)
		json_put_int(w, "exit_code", item->exit_code);
	else
		json_put_null(w, "exit_code");
}

static void put_log(struct json_writer *w, const struct queue_item *item)
{
	bool final = queue_status_final(item->status);

	json_put_string(w, "build_log", final && item->log_tail ? item->log_tail : "");
}

void queue_item_changes(struct json_writer *w, const struct queue_item *item)
{
	put_changes(w, item);
	put_log(w, item);
	put_moment(w, "started_at", item->started_at);
	put_moment(w, "completed_at", item->completed_at);
}

static void put_times(struct json_writer *w, const struct queue_item *item)
{
	json_put_time(w, "started_at", item->started_at);
	json_put_time(w, "completed_at", item->completed_at);
}

/* What the plan decided; `needs` belongs to it. */
static void put_planned(struct json_writer *w, const struct queue_item *item)
{
	json_put_int(w, "level", item->level);
	json_put_int(w, "position", item->position);
	put_id(w, "last_duration_ms", item->last_duration_ms);
}

/* ---- a whole job */

struct needs { /* of one job, sorted as the items are */
	int64_t (*pairs)[2];
	size_t count, cap, at;
};

static int take_need(int64_t item_id, int64_t need_id, bool choice, void *arg)
{
	struct needs *n = arg;

	(void)choice;
	if (n->count == n->cap) {
		n->cap = n->cap ? n->cap * 2 : 64;
		n->pairs = xrealloc(n->pairs, n->cap * sizeof(*n->pairs));
	}
	n->pairs[n->count][0] = item_id;
	n->pairs[n->count++][1] = need_id;
	return 0;
}

struct document {
	struct tx *tx;
	struct json_writer w;
	struct needs needs;
	enum build_status status;
	int64_t seq;
};

static int put_item(const struct queue_item *item, void *arg)
{
	struct document *d = arg;
	struct needs *n = &d->needs;

	json_begin_object(&d->w, NULL);
	put_changes(&d->w, item);
	put_times(&d->w, item);
	put_planned(&d->w, item);
	json_begin_array(&d->w, "needs");
	for (; n->at < n->count && n->pairs[n->at][0] == item->id; n->at++)
		json_put_int(&d->w, NULL, n->pairs[n->at][1]);
	json_end_array(&d->w);
	json_end_object(&d->w);
	return 0;
}

static int put_items(struct document *d, int64_t id)
{
	int r = queue_needs_of(d->tx, id, 0, take_need, &d->needs);

	json_begin_array(&d->w, "queue_items");
	if (r >= 0)
		r = queue_items_of(d->tx, id, put_item, d);
	json_end_array(&d->w);
	free(d->needs.pairs);
	return r;
}

static int put_plan(const char *plan, void *arg)
{
	put_raw(arg, "plan", plan);
	return 0;
}

static int put_document(const struct build_job *job, void *arg)
{
	struct document *d = arg;
	int r;

	d->status = job->status;
	d->seq = job->seq;
	json_begin_object(&d->w, NULL);
	build_job_fields(&d->w, job);
	json_put_int(&d->w, "seq", job->seq);
	json_put_string(&d->w, "epoch", store_epoch(tx_store(d->tx)));
	r = build_job_plan_text(d->tx, job->id, put_plan, &d->w);
	if (!r)
		json_put_null(&d->w, "plan");
	if (r >= 0)
		r = put_items(d, job->id);
	json_end_object(&d->w);
	return r;
}

static int put_snapshot(const struct build_job *job, void *arg)
{
	struct document *d = arg;
	int r;

	d->status = job->status;
	d->seq = job->seq;
	json_begin_object(&d->w, NULL);
	json_put_string(&d->w, "type", "build_update");
	json_put_int(&d->w, "seq", job->seq);
	json_put_string(&d->w, "epoch", store_epoch(tx_store(d->tx)));
	json_put_bool(&d->w, "snapshot", true);
	json_begin_object(&d->w, "data");
	build_job_fields(&d->w, job);
	d->w.omit_nulls = true; /* for 5,000 items they are a megabyte */
	r = put_items(d, job->id);
	json_end_object(&d->w);
	json_end_object(&d->w);
	return r;
}

static int document(struct tx *tx, int64_t id, build_job_fn *put, struct strbuf *out,
	bool *ret_final, int64_t *ret_seq)
{
	struct document d = {.tx = tx, .w = JSON_WRITER(out)};
	int r = build_job_get(tx, id, put, &d);

	if (r > 0 && ret_final)
		*ret_final = build_status_final(d.status);
	if (r > 0 && ret_seq)
		*ret_seq = d.seq;
	return r;
}

int build_job_document(
	struct tx *tx, int64_t id, struct strbuf *out, bool *ret_final, int64_t *ret_seq)
{
	return document(tx, id, put_document, out, ret_final, ret_seq);
}

int build_job_snapshot(
	struct tx *tx, int64_t id, struct strbuf *out, bool *ret_final, int64_t *ret_seq)
{
	return document(tx, id, put_snapshot, out, ret_final, ret_seq);
}

/* ---- one item, whole */

struct item_document {
	struct tx *tx;
	struct json_writer w;
	int64_t *needs;
	size_t need_count, need_cap;
};

static int collect_need(int64_t item_id, int64_t need_id, bool choice, void *arg)
{
	struct item_document *d = arg;

	(void)item_id;
	(void)choice;
	if (d->need_count == d->need_cap) {
		d->need_cap = d->need_cap ? d->need_cap * 2 : 16;
		d->needs = xrealloc(d->needs, d->need_cap * sizeof(*d->needs));
	}
	d->needs[d->need_count++] = need_id;
	return 0;
}

static int put_need(const struct queue_item *item, void *arg)
{
	struct json_writer *w = arg;

	json_begin_object(w, NULL);
	json_put_int(w, "id", item->id);
	json_put_string(w, "name", item->package);
	json_put_string(w, "status", queue_status_name[item->status]);
	json_end_object(w);
	return 0;
}

static int put_attempt(int64_t number, const char *worker, int64_t slot, int64_t started_at,
	int64_t ended_at, const char *outcome, void *arg)
{
	struct json_writer *w = arg;

	json_begin_object(w, NULL);
	json_put_int(w, "number", number);
	json_put_string(w, "worker", worker);
	json_put_int(w, "slot", slot);
	json_put_time(w, "started_at", started_at);
	json_put_time(w, "ended_at", ended_at);
	json_put_string(w, "outcome", outcome);
	json_end_object(w);
	return 0;
}

static int put_artifact(int64_t item_id, const struct artifact_row *a, void *arg)
{
	struct json_writer *w = arg;

	(void)item_id;
	json_begin_object(w, NULL);
	json_put_string(w, "file", a->file);
	json_put_string(w, "kind", a->kind);
	json_put_int(w, "size", a->size);
	json_put_string(w, "sha256", a->sha256);
	json_put_string(w, "nevra", a->nevra);
	json_end_object(w);
	return 0;
}

static int put_item_fields(const struct queue_item *item, void *arg)
{
	struct item_document *d = arg;

	json_begin_object(&d->w, NULL);
	json_put_int(&d->w, "build", item->job_id);
	put_changes(&d->w, item);
	put_log(&d->w, item);
	put_times(&d->w, item);
	put_planned(&d->w, item);
	json_put_time(&d->w, "queued_at", item->queued_at);
	json_put_int(&d->w, "log_lines", item->log_lines);
	json_put_string(&d->w, "log_sha256", item->log_sha256);
	return 0;
}

/* Of the build: how new this answer is, among the messages of its room. */
static int put_version(int64_t job_id, int64_t seq, bool final, void *arg)
{
	struct item_document *d = arg;

	(void)job_id;
	(void) final;
	json_put_int(&d->w, "seq", seq);
	json_put_string(&d->w, "epoch", store_epoch(tx_store(d->tx)));
	return 0;
}

static int take_job_id(const struct queue_item *item, void *arg)
{
	*(int64_t *)arg = item->job_id;
	return 0;
}

int queue_item_document(struct tx *tx, int64_t id, struct strbuf *out)
{
	struct item_document d = {.tx = tx, .w = JSON_WRITER(out)};
	int64_t job_id = 0;
	int r = queue_item_get(tx, id, take_job_id, &job_id);

	if (r <= 0)
		return r;
	r = queue_item_get(tx, id, put_item_fields, &d);
	if (r >= 0)
		r = build_job_versions(tx, job_id, put_version, &d);
	if (r >= 0)
		r = queue_needs_of(tx, job_id, id, collect_need, &d);
	json_begin_array(&d.w, "needs");
	for (size_t i = 0; r >= 0 && i < d.need_count; i++)
		r = queue_item_get(tx, d.needs[i], put_need, &d.w);
	json_end_array(&d.w);
	json_begin_array(&d.w, "attempts");
	if (r >= 0)
		r = attempts_of(tx, id, put_attempt, &d.w);
	json_end_array(&d.w);
	json_begin_array(&d.w, "artifacts");
	if (r >= 0)
		r = artifacts_of(tx, job_id, id, put_artifact, &d.w);
	json_end_array(&d.w);
	json_end_object(&d.w);
	free(d.needs);
	return r < 0 ? r : 1;
}
