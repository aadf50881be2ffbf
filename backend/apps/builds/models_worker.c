// SPDX-License-Identifier: MIT
#include "apps/builds/models.h"
#include "apps/builds/websocket_utils.h"

/* ---- the worker's life */

static int end_attempt(struct tx *tx, int64_t token, const char *outcome, int64_t now)
{
	return tx_exec(tx,
		"UPDATE attempts SET ended_at = $2, outcome = $3 WHERE id = $1 AND ended_at = 0",
		"iis", token, now, outcome);
}

static int requeue_lost(struct tx *tx, int64_t now)
{
	struct id_list lost = {0};
	int r = tx_each(tx, ids_take, &lost,
		"SELECT job_id, id FROM queue_items WHERE status = 'building' AND claimable = 1 "
		"ORDER BY id",
		"");

	for (size_t i = 0; r >= 0 && i < lost.count; i++) {
		/* The token goes first: whatever the dead worker still says is refused from here on. */
		r = tx_exec(tx,
			"UPDATE attempts SET ended_at = $2, outcome = 'lost'"
			" WHERE ended_at = 0 AND item_id = $1",
			"ii", lost.ids[i][1], now);
		if (r >= 0)
			r = tx_exec(tx,
				"UPDATE queue_items SET token = 0, phase = NULL WHERE id = $1", "i",
				lost.ids[i][1]);
		if (r >= 0)
			r = item_event(
				tx, lost.ids[i][0], lost.ids[i][1], SCHED_LOST, REASON_LOST, now);
	}
	free(lost.ids);
	return r;
}

static int refuse_deadly(struct tx *tx, int64_t id, int64_t now)
{
	struct strbuf error = STRBUF_INIT;
	int r;

	strbuf_addf(&error,
		"{\"detail\":\"the server died %d times while it prepared this build, perhaps for "
		"want of "
		"memory: see its log, submit fewer packages or simpler specs at once, or retry "
		"when "
		"the cause is gone\",\"package\":null,\"edges\":[]}",
		PREPARE_LOST_MAX);
	r = build_job_refuse(tx, id, error.buf, now);
	strbuf_finish(&error);
	return r;
}

/* Who stops puts back what he prepares: it died with this one. */
static int preparation_lost(struct tx *tx, int64_t id, int64_t now)
{
	int64_t lost = 0;
	int r = tx_int(tx, &lost,
		"UPDATE build_jobs SET preparations_lost = preparations_lost + 1 WHERE id = $1"
		" RETURNING preparations_lost",
		"i", id);

	if (r < 0)
		return r;
	if (lost >= PREPARE_LOST_MAX)
		return refuse_deadly(tx, id, now);
	r = build_job_put_back(tx, id);
	return r < 0 ? r : build_job_check(tx, id, now);
}

static int prepare_again(struct tx *tx, int64_t now)
{
	struct id_list jobs = {0};
	int r = tx_each(
		tx, ids_take, &jobs, "SELECT id, 0 FROM build_jobs WHERE status = 'preparing'", "");

	for (size_t i = 0; r >= 0 && i < jobs.count; i++)
		r = preparation_lost(tx, jobs.ids[i][0], now);
	free(jobs.ids);
	return r;
}

int worker_start(struct tx *tx, const struct worker_identity *w, int64_t now)
{
	int r = tx_exec(tx, "UPDATE workers SET current = 0 WHERE current = 1", "");

	if (r >= 0)
		r = tx_exec(tx, "DELETE FROM workers WHERE heartbeat_at < $1", "i",
			now - 7LL * 24 * 3600 * 1000);
	if (r >= 0)
		r = tx_exec(tx,
			"INSERT INTO workers (incarnation, name, slots, started_at, heartbeat_at, "
			"current)"
			" VALUES ($1, $2, $3, $4, $4, 1)",
			"ssii", w->incarnation, w->name, w->slots, now);
	if (r >= 0)
		r = requeue_lost(tx, now);
	if (r >= 0)
		r = prepare_again(tx, now);
	return r < 0 ? r : 0;
}

int worker_heartbeat(struct tx *tx, const struct worker_identity *w, int64_t now)
{
	int r = tx_exec(tx, "UPDATE workers SET heartbeat_at = $2 WHERE incarnation = $1", "si",
		w->incarnation, now);

	return r < 0 ? r : 0;
}

int worker_hold(struct tx *tx, const struct worker_identity *w, const char *why)
{
	struct id_list jobs = {0};
	int r = tx_exec(tx, "UPDATE workers SET held = $2 WHERE incarnation = $1", "ss",
		w->incarnation, why);

	if (r >= 0)
		r = tx_each(tx, ids_take, &jobs,
			"SELECT DISTINCT job_id, 0 FROM queue_items WHERE status = 'queued' AND "
			"claimable = 1",
			"");
	for (size_t i = 0; r >= 0 && i < jobs.count; i++)
		r = send_build_job_snapshot(jobs.ids[i][0]);
	free(jobs.ids);
	return r < 0 ? r : 0;
}

/* ---- claiming */

void claim_finish(struct claim *c)
{
	free(c->package);
	free(c->version);
	free(c->payload);
	free(c->builder);
	*c = (struct claim){0};
}

static int take_claim(const struct row *row, void *arg)
{
	struct claim *c = arg;

	c->item_id = row_int(row, 0);
	c->job_id = row_int(row, 1);
	c->package = xstrdup(row_text(row, 2));
	c->version = xstrdup(row_text(row, 3));
	c->payload = xstrdup(row_text(row, 4));
	c->builder = xstrdup(row_text(row, 5));
	c->attempt = row_int(row, 6) + 1;
	c->timeout_ms = row_int(row, 7);
	c->upload_id = row_int(row, 8);
	return 0;
}

static int read_claim(struct tx *tx, int64_t now, struct claim *c)
{
	return tx_each(tx, take_claim, c,
		"SELECT q.id, q.job_id, p.name, p.version, q.payload, j.builder,"
		" (SELECT count(*) FROM attempts a WHERE a.item_id = q.id),"
		" CASE WHEN q.timeout_ms > 0 THEN q.timeout_ms ELSE j.timeout_ms END, j.upload_id"
		" FROM queue_items q JOIN packages p ON p.id = q.package_id JOIN build_jobs j ON "
		"j.id = q.job_id"
		" WHERE q.id = (SELECT id FROM queue_items WHERE status = 'queued' AND claimable = "
		"1 AND (not_before <= $1 OR not_before > $2)"
		"  ORDER BY priority DESC, id LIMIT 1)",
		"ii", now, now + BACKOFF_MAX_MS);
}

static int start_attempt(
	struct tx *tx, const struct worker_identity *w, int64_t slot, int64_t now, struct claim *c)
{
	int r = tx_int(tx, &c->token,
		"INSERT INTO attempts (item_id, number, worker, incarnation, slot, started_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
		"iissii", c->item_id, c->attempt, w->name, w->incarnation, slot, now);

	if (r >= 0)
		r = tx_exec(tx,
			"UPDATE queue_items SET token = $2, worker = $3, slot = $4, phase = NULL, "
			"why = NULL, reason = NULL,"
			" seen = (SELECT completed_packages FROM build_jobs j WHERE j.id = "
			"job_id),"
			" started_at = $5 WHERE id = $1",
			"iisii", c->item_id, c->token, w->name, slot, now);
	if (r >= 0)
		r = item_event(tx, c->job_id, c->item_id, SCHED_CLAIMED, REASON_NONE, now);
	return r;
}

int queue_item_claim(struct tx *tx, const struct worker_identity *w, int64_t slot, int64_t now,
	struct claim *ret_claim, int64_t *ret_due_at)
{
	struct claim c = {0};
	int r = read_claim(tx, now, &c);

	*ret_due_at = 0;
	if (r == 0) {
		r = tx_int(tx, ret_due_at,
			"SELECT not_before FROM queue_items WHERE status = 'queued' AND claimable "
			"= 1"
			" ORDER BY not_before LIMIT 1",
			"");
		return r < 0 ? r : 0;
	}
	if (r > 0)
		r = start_attempt(tx, w, slot, now, &c);
	if (r < 0) {
		claim_finish(&c);
		return r;
	}
	*ret_claim = c;
	return 1;
}

/* ---- what an attempt writes, each fenced by its token */

int queue_item_set_phase(
	struct tx *tx, int64_t item_id, int64_t token, const char *phase, int64_t log_size)
{
	int r = tx_exec(tx,
		"UPDATE queue_items SET phase = $3, log_size = $4 WHERE id = $1 AND token = $2 AND "
		"status = 'building'",
		"iisi", item_id, token, phase, log_size);

	if (r <= 0)
		return r < 0 ? r : -ESTALE;
	return send_queue_item_update(item_id);
}

static enum sched_event event_of(enum attempt_end end)
{
	switch (end) {
	case ATTEMPT_COMPLETED:
		return SCHED_COMPLETED;
	case ATTEMPT_FAILED:
		return SCHED_FAILED;
	case ATTEMPT_INFRASTRUCTURE:
		return SCHED_INFRASTRUCTURE;
	case ATTEMPT_LACKING:
		return SCHED_LACKING;
	case ATTEMPT_STOPPED:
		break;
	}
	return SCHED_STOPPED;
}

static const char *outcome_of(enum attempt_end end)
{
	static const char *const names[] = {
		"completed", "failed", "infrastructure", "stopped", "lacking"};

	return names[end];
}

static int store_artifacts(struct tx *tx, int64_t item_id, const struct attempt_result *result)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < result->artifact_count; i++) {
		const struct artifact_row *a = &result->artifacts[i];

		r = tx_exec(tx,
			"INSERT INTO artifacts (item_id, file, kind, size, sha256, nevra, "
			"provides)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7)"
			" ON CONFLICT (item_id, file) DO UPDATE SET size = excluded.size, sha256 = "
			"excluded.sha256, provides = excluded.provides",
			"ississs", item_id, a->file, a->kind, a->size, a->sha256, a->nevra,
			a->provides);
	}
	return r;
}

/* How long it took, and, when it made RPMs, that these are the newest of that name. A wall clock may have been set back meanwhile: then
 * what it took the time before still holds. */
static int store_history(struct tx *tx, int64_t item_id, int64_t now)
{
	return tx_exec(tx,
		"INSERT INTO package_history (name, duration_ms, finished_at, item_id)"
		" SELECT p.name, CASE WHEN $2 > q.started_at THEN $2 - q.started_at ELSE 0 END, $2,"
		" (SELECT min(a.item_id) FROM artifacts a"
		" WHERE a.item_id = q.id AND a.provides IS NOT NULL)"
		" FROM queue_items q JOIN packages p ON p.id = q.package_id WHERE q.id = $1"
		" ON CONFLICT (name) DO UPDATE SET duration_ms = CASE WHEN excluded.duration_ms > 0"
		" THEN excluded.duration_ms ELSE duration_ms END, finished_at "
		"= excluded.finished_at, item_id = COALESCE(excluded.item_id, item_id)",
		"ii", item_id, now);
}

static int store_result(struct tx *tx, int64_t item_id, int64_t token,
	const struct attempt_result *result, int64_t now)
{
	struct strbuf room = STRBUF_INIT;
	int r = tx_exec(tx,
		"UPDATE queue_items SET token = 0, why = $3, error_line = $4, error_text = $5,"
		" exit_code = CASE WHEN $6 < 0 THEN NULL ELSE $6 END, log_size = $7,"
		" log_lines = $8, log_sha256 = $9, log_tail = $10, phase = $11, lacks = $12"
		" WHERE id = $1 AND token = $2 AND status = 'building'",
		"iisisiiissss", item_id, token, sentence_cut(result->why, &room),
		result->error_line, result->error_text, result->exit_code, result->log_size,
		result->log_lines, result->log_sha256, result->log_tail,
		result->end == ATTEMPT_COMPLETED ? NULL : result->phase,
		result->end == ATTEMPT_LACKING ? result->lacks : NULL);

	strbuf_finish(&room);
	if (r <= 0)
		return r < 0 ? r : -ESTALE;
	r = end_attempt(tx, token, outcome_of(result->end), now);
	if (r >= 0 && result->end == ATTEMPT_COMPLETED)
		r = store_artifacts(tx, item_id, result);
	if (r >= 0 && result->end == ATTEMPT_COMPLETED)
		r = store_history(tx, item_id, now);
	return r;
}

int queue_item_end(struct tx *tx, int64_t item_id, int64_t token,
	const struct attempt_result *result, int64_t now)
{
	int64_t job_id = 0;
	int r = store_result(tx, item_id, token, result, now);

	if (r >= 0)
		r = tx_int(
			tx, &job_id, "SELECT job_id FROM queue_items WHERE id = $1", "i", item_id);
	if (r < 0)
		return r;
	return item_event(tx, job_id, item_id, event_of(result->end), result->reason, now);
}

/* ---- builds that somebody else does */

static int report_start(struct tx *tx, int64_t item_id, int64_t now)
{
	return tx_exec(
		tx, "UPDATE queue_items SET started_at = $2 WHERE id = $1", "ii", item_id, now);
}

struct reported {
	int64_t job_id;
	enum queue_status status;
	bool external;
};

static int take_reported(const struct row *row, void *arg)
{
	struct reported *rep = arg;
	int status = queue_status_parse(row_text(row, 1));

	if (status < 0)
		return -EIO;
	rep->job_id = row_int(row, 0);
	rep->status = (enum queue_status)status;
	rep->external = !row_int(row, 2);
	return 0;
}

int queue_item_report(
	struct tx *tx, int64_t item_id, enum queue_status status, const char *why, int64_t now)
{
	struct reported rep;
	bool starts = status == QUEUE_BUILDING;
	int r = tx_each(tx, take_reported, &rep,
		"SELECT job_id, status, claimable FROM queue_items WHERE id = $1", "i", item_id);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (!rep.external)
		return -EPERM;
	if (rep.status != (starts ? QUEUE_QUEUED : QUEUE_BUILDING) ||
		(!starts && status != QUEUE_COMPLETED && status != QUEUE_FAILED))
		return -EINVAL;
	r = starts ? report_start(tx, item_id, now)
		   : tx_exec(tx, "UPDATE queue_items SET why = $2 WHERE id = $1", "is", item_id,
			     why);
	if (r < 0)
		return r;
	return item_event(tx, rep.job_id, item_id,
		starts ? SCHED_CLAIMED
		       : (status == QUEUE_COMPLETED ? SCHED_COMPLETED : SCHED_FAILED),
		REASON_BUILD, now);
}
