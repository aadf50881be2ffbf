// SPDX-License-Identifier: MIT
#include "apps/builds/models.h"
#include "apps/builds/websocket_utils.h"

int ids_take(const struct row *row, void *arg)
{
	struct id_list *l = arg;

	if (l->count == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->ids = xrealloc(l->ids, l->cap * sizeof(*l->ids));
	}
	l->ids[l->count][0] = row_int(row, 0);
	l->ids[l->count++][1] = row_int(row, 1);
	return 0;
}

const char *sentence_cut(const char *text, struct strbuf *room)
{
	if (!text || strlen(text) <= SENTENCE_MAX)
		return text;
	strbuf_reset(room);
	text_shorten(room, text, strlen(text), SENTENCE_MAX);
	return room->buf;
}

/* ---- jobs */

int build_job_next_seq(struct tx *tx, int64_t id)
{
	return tx_exec(tx, "UPDATE build_jobs SET seq = seq + 1, list_seq = seq + 1 WHERE id = $1",
		"i", id);
}

int build_job_next_seq_of_item(struct tx *tx, int64_t item_id, int64_t *ret_seq)
{
	return tx_int(tx, ret_seq,
		"UPDATE build_jobs SET seq = seq + 1 WHERE id = (SELECT job_id FROM queue_items "
		"WHERE id = $1) RETURNING seq",
		"i", item_id);
}

static int take_job(const struct row *row, void *arg)
{
	struct job_state *s = arg;
	int status = build_status_parse(row_text(row, 0));

	if (status < 0)
		return -EIO;
	s->was = s->job.status = (enum build_status)status;
	s->job.cancel_requested = row_int(row, 1);
	s->job.fail_fast = row_int(row, 2);
	s->dry_run = row_int(row, 3);
	s->job.total = row_int(row, 4);
	for (int i = 0; i < QUEUE_STATUS_COUNT; i++)
		s->job.counts[i] = row_int(row, 5 + i);
	return 0;
}

int job_lock(struct tx *tx, int64_t id, struct job_state *ret_state)
{
	*ret_state = (struct job_state){.id = id};
	return tx_each(tx, take_job, ret_state,
		"UPDATE build_jobs SET changes = changes + 1 WHERE id = $1 RETURNING status, "
		"cancel_requested, fail_fast,"
		" dry_run, total_packages, pending_packages, queued_packages, building_packages, "
		"completed_packages,"
		" failed_packages, blocked_packages, cancelled_packages",
		"i", id);
}

int job_settle(struct tx *tx, struct job_state *s, int64_t now)
{
	const int64_t *n = s->job.counts;
	bool starts = s->was == BUILD_PENDING && s->job.status != BUILD_PENDING;
	bool ends = build_status_final(s->job.status) && !build_status_final(s->was);
	int r = tx_exec(tx,
		"UPDATE build_jobs SET status = $2, cancel_requested = $3, total_packages = $4, "
		"pending_packages = $5,"
		" queued_packages = $6, building_packages = $7, completed_packages = $8, "
		"failed_packages = $9,"
		" blocked_packages = $10, cancelled_packages = $11,"
		" started_at = CASE WHEN $12 AND started_at = 0 THEN $14 ELSE started_at END,"
		" completed_at = CASE WHEN $13 THEN $14 ELSE completed_at END WHERE id = $1",
		"isbiiiiiiiibbi", s->id, build_status_name[s->job.status], s->job.cancel_requested,
		s->job.total, n[QUEUE_PENDING], n[QUEUE_QUEUED], n[QUEUE_BUILDING],
		n[QUEUE_COMPLETED], n[QUEUE_FAILED], n[QUEUE_BLOCKED], n[QUEUE_CANCELLED], starts,
		ends, now);

	if (r < 0)
		return r;
	return s->many ? send_build_job_snapshot(s->id) : send_build_job_update(s->id);
}

/* ---- rows of items */

void rows_finish(struct item_rows *rows)
{
	free(rows->rows);
	*rows = (struct item_rows){0};
}

static int take_row(const struct row *row, void *arg)
{
	struct item_rows *rows = arg;
	int status = queue_status_parse(row_text(row, 1));
	int reason = queue_reason_parse(row_text(row, 6));

	if (status < 0 || reason < 0)
		return -EIO;
	if (rows->count == rows->cap) {
		rows->cap = rows->cap ? rows->cap * 2 : 16;
		rows->rows = xrealloc(rows->rows, rows->cap * sizeof(*rows->rows));
	}
	rows->rows[rows->count++] = (struct sched_row){
		.id = row_int(row, 0),
		.status = (enum queue_status)status,
		.needs_left = row_int(row, 2),
		.attempts = row_int(row, 3),
		.lost = row_int(row, 4),
		.not_before = row_int(row, 5),
		.reason = (enum queue_reason)reason,
		.blocked_by = row_int(row, 7),
		.lacking = row_int(row, 8),
		.downstream = row_int(row, 9),
	};
	return 0;
}

#define ROW_COLUMNS                                                                                \
	"id, status, needs_left, attempts, lost, not_before, reason, blocked_by, lacks IS NOT "    \
	"NULL"

int rows_load_item(struct tx *tx, struct item_rows *rows, int64_t item_id)
{
	return tx_each(tx, take_row, rows,
		"SELECT " ROW_COLUMNS ", 0 FROM queue_items WHERE id = $1", "i", item_id);
}

int rows_load_dependents(struct tx *tx, struct item_rows *rows, int64_t item_id)
{
	return tx_each(tx, take_row, rows,
		"SELECT " ROW_COLUMNS ", 1 FROM queue_items"
		" WHERE id IN (SELECT item_id FROM queue_needs WHERE need_id = $1) ORDER BY "
		"position",
		"i", item_id);
}

/* Whatever cannot be built without it. */
#define CONE(item)                                                                                 \
	"WITH RECURSIVE cone (id) AS (SELECT item_id FROM queue_needs WHERE choice = 0 AND "       \
	"need_id = " item " UNION SELECT n.item_id FROM queue_needs n JOIN cone c ON n.need_id = " \
	"c.id WHERE n.choice = 0)"

static int rows_load_downstream(struct tx *tx, struct item_rows *rows, int64_t item_id)
{
	return tx_each(tx, take_row, rows,
		CONE("$1") " SELECT " ROW_COLUMNS
			   ", 1 FROM queue_items WHERE id IN (SELECT id FROM cone)"
			   " AND status IN ('pending', 'queued') ORDER BY position",
		"i", item_id);
}

static int take_chooser(const struct row *row, void *arg)
{
	struct item_rows *rows = arg;
	int r = take_row(row, rows);

	if (r >= 0)
		rows->rows[rows->count - 1].given_up = row_int(row, 10);
	return r;
}

/* Who could do with another item than those that end now, and how many of these it waits for. */
static int rows_load_choosers(struct tx *tx, struct item_rows *rows, int64_t item_id)
{
	return tx_each(tx, take_chooser, rows,
		CONE("$1") ", ending (id) AS (SELECT $1 UNION SELECT q.id FROM cone c JOIN "
			   "queue_items q ON q.id = c.id WHERE q.status IN ('pending', 'queued')),"
			   " given_up (id, n) AS (SELECT n.item_id, count(*) FROM ending e JOIN "
			   "queue_needs n ON n.need_id = e.id WHERE n.choice = 1 GROUP BY "
			   "n.item_id)"
			   " SELECT " ROW_COLUMNS
			   ", 0, (SELECT n FROM given_up g WHERE g.id = queue_items.id)"
			   " FROM queue_items WHERE id IN (SELECT id FROM given_up)"
			   " AND status = 'pending' AND id NOT IN (SELECT id FROM ending)"
			   " ORDER BY position",
		"i", item_id);
}

int rows_load_waiting(struct tx *tx, struct item_rows *rows, int64_t job_id)
{
	int64_t item_id = rows->count ? rows->rows[0].id : 0;

	return tx_each(tx, take_row, rows,
		CONE("$2") " SELECT " ROW_COLUMNS
			   ", 0 FROM queue_items WHERE job_id = $1 AND status IN ('pending', "
			   "'queued') AND id <> $2 AND id NOT IN (SELECT id FROM cone) ORDER BY "
			   "position",
		"ii", job_id, item_id);
}

int rows_load_failing(struct tx *tx, struct item_rows *rows, const struct job_state *s)
{
	int64_t item_id = rows->rows[0].id;
	int r = rows_load_downstream(tx, rows, item_id);

	if (r < 0)
		return r;
	return s->job.fail_fast ? rows_load_waiting(tx, rows, s->id)
				: rows_load_choosers(tx, rows, item_id);
}

static int row_store(struct tx *tx, const struct sched_row *row, enum queue_status was, int64_t now)
{
	bool queued = row->status == QUEUE_QUEUED && was != QUEUE_QUEUED;
	bool waits = queued || (row->status == QUEUE_PENDING && was != QUEUE_PENDING);
	bool ended = queue_status_final(row->status) && !queue_status_final(was);

	return tx_exec(tx,
		"UPDATE queue_items SET status = $2, needs_left = $3, attempts = $4, lost = $5, "
		"not_before = $6, reason = $7,"
		" blocked_by = $8, queued_at = CASE WHEN $9 THEN $11 ELSE queued_at END,"
		" worker = CASE WHEN $12 THEN NULL ELSE worker END, slot = CASE WHEN $12 THEN "
		"NULL ELSE slot END,"
		" started_at = CASE WHEN $12 THEN 0 ELSE started_at END, exit_code = CASE WHEN $12 "
		"THEN NULL ELSE exit_code END,"
		" lacks = CASE WHEN $13 THEN lacks ELSE NULL END,"
		" completed_at = CASE WHEN $10 THEN $11 ELSE completed_at END WHERE id = $1",
		"isiiiisibbibb", row->id, queue_status_name[row->status], row->needs_left,
		row->attempts, row->lost, row->not_before, queue_reason_name[row->reason],
		row->blocked_by, queued, ended, now, waits, row->lacking);
}

int rows_store(
	struct tx *tx, const struct item_rows *rows, const enum queue_status *was, int64_t now)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < rows->count; i++) {
		if (rows->rows[i].changed)
			r = row_store(tx, &rows->rows[i], was[i], now);
		if (r >= 0 && rows->rows[i].status != was[i])
			r = send_queue_item_update(rows->rows[i].id);
	}
	return r;
}

int rows_store_quietly(struct tx *tx, const struct item_rows *rows, int64_t now)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < rows->count; i++)
		if (rows->rows[i].changed)
			r = row_store(tx, &rows->rows[i], QUEUE_PENDING, now);
	return r;
}

/* ---- events */

static int load_concerned(struct tx *tx, struct item_rows *rows, struct job_state *s,
	int64_t item_id, enum sched_event event)
{
	int r;

	if (event == SCHED_CANCEL)
		return rows_load_waiting(tx, rows, s->id);
	if (event == SCHED_CHECK)
		return 0;
	r = rows_load_item(tx, rows, item_id);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (event == SCHED_CLAIMED)
		return 0;
	if (event == SCHED_COMPLETED) {
		r = rows_load_dependents(tx, rows, item_id);
		return r < 0 ? r : rows_load_supplied(tx, rows, s->id, item_id);
	}
	if (event == SCHED_LACKING)
		r = rows_mark_supplied(tx, rows, s);
	return r < 0 ? r : rows_load_failing(tx, rows, s);
}

static int apply(struct tx *tx, struct job_state *s, struct item_rows *rows, enum sched_event event,
	enum queue_reason reason, int64_t now)
{
	enum queue_status *was = xcalloc(rows->count + 1, sizeof(*was));
	int r;

	for (size_t i = 0; i < rows->count; i++)
		was[i] = rows->rows[i].status;
	scheduler_apply(event, &s->job, rows->rows, rows->count, reason, now);
	r = rows_store(tx, rows, was, now);
	free(was);
	return r;
}

static int load_and_apply(struct tx *tx, struct job_state *s, int64_t item_id,
	enum sched_event event, enum queue_reason reason, int64_t now)
{
	struct item_rows rows = {0};
	int r = load_concerned(tx, &rows, s, item_id, event);

	if (r >= 0)
		r = apply(tx, s, &rows, event, reason, now);
	rows_finish(&rows);
	return r;
}

/* One after the other: each blocks what needs it, which may lack something, too. */
static int end_lacking(struct tx *tx, struct job_state *s, int64_t now)
{
	int r = 1;

	while (r > 0 && scheduler_stalled(&s->job)) {
		int64_t item_id;

		r = job_first_lacking(tx, s->id, &item_id);
		if (r > 0 && (r = load_and_apply(
				      tx, s, item_id, SCHED_IMPOSSIBLE, REASON_BUILD, now)) >= 0)
			r = 1;
	}
	return r;
}

int item_event(struct tx *tx, int64_t job_id, int64_t item_id, enum sched_event event,
	enum queue_reason reason, int64_t now)
{
	struct job_state s;
	int r = job_lock(tx, job_id, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = load_and_apply(tx, &s, item_id, event, reason, now);
	if (r >= 0)
		r = end_lacking(tx, &s, now);
	if (r >= 0)
		r = job_settle(tx, &s, now);
	return r < 0 ? r : 0;
}

int build_job_prepare(struct tx *tx, int64_t id, int64_t now)
{
	struct job_state s;
	int r = job_lock(tx, id, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (s.job.status != BUILD_PENDING)
		return -ESTALE;
	s.job.status = BUILD_PREPARING;
	r = tx_exec(
		tx, "UPDATE build_jobs SET specs_read = 0, specs_total = 0 WHERE id = $1", "i", id);
	return r < 0 ? r : job_settle(tx, &s, now);
}

int build_job_put_back(struct tx *tx, int64_t id)
{
	int r = tx_exec(tx,
		"UPDATE build_jobs SET status = 'pending', changes = changes + 1"
		" WHERE id = $1 AND status = 'preparing'",
		"i", id);

	if (r <= 0)
		return r < 0 ? r : -ESTALE;
	return send_build_job_update(id);
}

int build_job_reading(struct tx *tx, int64_t id, int64_t read, int64_t total)
{
	int r = tx_exec(tx,
		"UPDATE build_jobs SET specs_read = $2, specs_total = $3"
		" WHERE id = $1 AND status = 'preparing' AND cancel_requested = 0",
		"iii", id, read, total);

	if (r <= 0)
		return r < 0 ? r : -ESTALE;
	return send_build_job_update(id);
}

int build_job_refuse(struct tx *tx, int64_t id, const char *error, int64_t now)
{
	struct job_state s;
	int r = job_lock(tx, id, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (s.job.status != BUILD_PREPARING)
		return -ESTALE;
	r = tx_exec(tx, "UPDATE build_jobs SET error = $2 WHERE id = $1", "is", id, error);
	s.job.status = s.job.cancel_requested ? BUILD_CANCELLED : BUILD_FAILED;
	return r < 0 ? r : job_settle(tx, &s, now);
}

/* The scheduler ends a job that was not planned yet; whoever prepares it then finds it stale. */
int build_job_cancel(struct tx *tx, int64_t id, int64_t now)
{
	struct job_state s;
	int r = job_lock(tx, id, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (build_status_final(s.job.status))
		return -EALREADY;
	return item_event(tx, id, 0, SCHED_CANCEL, REASON_CANCELLED, now);
}

int build_job_check(struct tx *tx, int64_t id, int64_t now)
{
	struct job_state s;
	int r = job_lock(tx, id, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	scheduler_apply(SCHED_CHECK, &s.job, NULL, 0, REASON_NONE, now);
	return s.job.status == s.was ? 0 : job_settle(tx, &s, now);
}
