// SPDX-License-Identifier: MIT
#include "apps/builds/models.h"
#include "apps/builds/websocket_utils.h"

/* ---- uploads */

int upload_create(struct tx *tx, int64_t now, int64_t *ret_id)
{
	int r = tx_int(
		tx, ret_id, "INSERT INTO uploads (created_at) VALUES ($1) RETURNING id", "i", now);

	return r < 0 ? r : 0;
}

struct upload_row {
	enum upload_state state;
	int64_t job_id;
};

static int take_upload(const struct row *row, void *arg)
{
	struct upload_row *u = arg;

	u->job_id = row_int(row, 0);
	u->state = row_null(row, 0) ? UPLOAD_OPEN : UPLOAD_SEALED;
	return 0;
}

int upload_state(
	struct tx *tx, int64_t upload_id, enum upload_state *ret_state, int64_t *ret_job_id)
{
	struct upload_row u = {.state = UPLOAD_MISSING};
	int r = tx_each(
		tx, take_upload, &u, "SELECT build_id FROM uploads WHERE id = $1", "i", upload_id);

	if (r < 0)
		return r;
	*ret_state = u.state;
	*ret_job_id = u.job_id;
	return 0;
}

int upload_put_file(
	struct tx *tx, int64_t upload_id, const char *path, int64_t size, const char *sha256)
{
	enum upload_state state;
	int64_t job_id;
	int r = upload_state(tx, upload_id, &state, &job_id);

	if (r < 0)
		return r;
	if (state != UPLOAD_OPEN)
		return state == UPLOAD_MISSING ? -ENOENT : -EPERM;
	r = tx_exec(tx,
		"UPDATE upload_files SET size = $3, sha256 = $4 WHERE upload_id = $1 AND path = $2",
		"isis", upload_id, path, size, sha256);
	if (r)
		return r < 0 ? r : 0;
	/* Counted as they come: to count the rows each time would be quadratic. */
	r = tx_exec(tx,
		"UPDATE uploads SET file_count = file_count + 1 WHERE id = $1 AND file_count < $2",
		"ii", upload_id, (int64_t)UPLOAD_FILES_MAX);
	if (r <= 0)
		return r < 0 ? r : -E2BIG;
	r = tx_exec(tx,
		"INSERT INTO upload_files (upload_id, path, size, sha256) VALUES ($1, $2, $3, $4)",
		"isis", upload_id, path, size, sha256);
	return r < 0 ? r : 0;
}

/* ---- jobs */

static int insert_job(struct tx *tx, const struct build_job_new *n, int64_t now, int64_t *ret_id)
{
	int r = tx_int(tx, ret_id,
		"INSERT INTO build_jobs (name, builder, status, fail_fast, dry_run, retry_of, "
		"upload_id, timeout_ms, created_at)"
		" VALUES ($1, $2, 'pending', $3, $4, NULLIF($5, 0), NULLIF($6, 0), $7, $8) "
		"RETURNING id",
		"ssbbiiii", n->name, n->builder, n->fail_fast, n->dry_run, n->retry_of,
		n->upload_id, n->timeout_ms, now);

	return r < 0 ? r : send_build_job_update(*ret_id);
}

int upload_job(struct tx *tx, int64_t upload_id, bool dry_run, int64_t *ret_id)
{
	int r = tx_int(tx, ret_id,
		"SELECT id FROM build_jobs WHERE upload_id = $1 AND dry_run = $2 AND retry_of IS "
		"NULL",
		"ib", upload_id, dry_run);

	return r > 0 ? 1 : r;
}

int build_job_create(struct tx *tx, const struct build_job_new *n, int64_t now, int64_t *ret_id,
	bool *ret_existed)
{
	enum upload_state state;
	int64_t job_id;
	int r;

	*ret_existed = false;
	if (!n->upload_id)
		return insert_job(tx, n, now, ret_id);
	r = upload_state(tx, n->upload_id, &state, &job_id);
	if (r < 0)
		return r;
	if (state == UPLOAD_MISSING)
		return -ENOENT;
	if (state == UPLOAD_SEALED) {
		r = upload_job(tx, n->upload_id, n->dry_run, ret_id);
		*ret_existed = r > 0;
		if (r)
			return r < 0 ? r : 0;
	}
	r = insert_job(tx, n, now, ret_id);
	/* The build is what became of an upload, a dry run only until there is one. */
	if (r >= 0 && (state == UPLOAD_OPEN || !n->dry_run))
		r = tx_exec(tx, "UPDATE uploads SET build_id = $2 WHERE id = $1", "ii",
			n->upload_id, *ret_id);
	return r < 0 ? r : 0;
}

int build_job_retry(struct tx *tx, int64_t id, int64_t now, int64_t *ret_id)
{
	struct job_state s;
	int r = job_lock(tx, id, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (!build_status_final(s.job.status))
		return -EBUSY;
	if (s.job.status == BUILD_COMPLETED)
		return -EALREADY;
	r = tx_int(tx, ret_id,
		"INSERT INTO build_jobs (name, builder, status, fail_fast, dry_run, retry_of, "
		"upload_id, timeout_ms, created_at, takes_from)"
		" SELECT name, builder, 'pending', fail_fast, dry_run, id, upload_id, timeout_ms, "
		"$2, CASE WHEN EXISTS (SELECT 1 FROM queue_items WHERE job_id = j.id) THEN j.id"
		" WHEN EXISTS (SELECT 1 FROM queue_items WHERE job_id = j.takes_from)"
		" THEN j.takes_from END FROM build_jobs j WHERE id = $1 RETURNING id",
		"ii", id, now);
	return r < 0 ? r : send_build_job_update(*ret_id);
}

/* ---- the plan */

int64_t package_id(struct tx *tx, const char *name, const char *version)
{
	int64_t id;
	int r = tx_int(tx, &id, "SELECT id FROM packages WHERE name = $1 AND version = $2", "ss",
		name, version);

	if (!r)
		r = tx_int(tx, &id,
			"INSERT INTO packages (name, version) VALUES ($1, $2) RETURNING id", "ss",
			name, version);
	return r < 0 ? r : id;
}

static int copy_results(struct tx *tx, int64_t from, int64_t to)
{
	int r = tx_exec(tx,
		"UPDATE queue_items SET status = 'completed', attempts = o.attempts, worker = "
		"o.worker, slot = o.slot,"
		" log_size = o.log_size, log_lines = o.log_lines, log_sha256 = o.log_sha256, "
		"log_tail = o.log_tail,"
		" exit_code = o.exit_code, queued_at = o.queued_at, started_at = o.started_at, "
		"completed_at = o.completed_at"
		" FROM (SELECT * FROM queue_items WHERE id = $1) AS o WHERE queue_items.id = $2",
		"ii", from, to);

	if (r >= 0)
		r = tx_exec(tx,
			"INSERT INTO artifacts (item_id, file, kind, size, sha256, nevra, provides)"
			" SELECT $2, file, kind, size, sha256, nevra, provides FROM artifacts "
			"WHERE item_id = $1",
			"ii", from, to);
	return r;
}

static int insert_item(struct tx *tx, const struct plan *plan, size_t at, int64_t job_id,
	bool claimable, const int64_t *ids)
{
	const struct plan_item *item = &plan->items[at];
	int64_t package = package_id(tx, item->package, item->version), left = 0;
	struct strbuf room = STRBUF_INIT;
	int r;

	if (package < 0)
		return (int)package;
	for (size_t i = 0; i < item->need_count; i++)
		left += !plan->items[item->needs[i]].taken_over;
	r = tx_exec(tx,
		"INSERT INTO queue_items (job_id, package_id, position, level, status, priority, "
		"needs_left, claimable, payload,"
		" timeout_ms, why, id, last_duration_ms) VALUES ($1, $2, $3, $4, 'pending', $5, "
		"$6, $7, $8, $9, $10, $11,"
		" COALESCE((SELECT h.duration_ms FROM package_history h JOIN packages p ON p.name "
		"= h.name WHERE p.id = $2 AND h.duration_ms > 0), 0))",
		"iiiiiibsisi", job_id, package, (int64_t)at, item->level, item->priority, left,
		claimable, item->payload, item->timeout_ms, sentence_cut(item->excluded, &room),
		ids[at]);
	strbuf_finish(&room);
	if (r >= 0 && item->taken_over)
		r = copy_results(tx, item->taken_over, ids[at]);
	return r;
}

static int insert_needs(struct tx *tx, const struct plan *plan, const int64_t *ids)
{
	int r = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];

		for (size_t k = 0; r >= 0 && k < item->need_count; k++)
			r = tx_exec(tx,
				"INSERT OR IGNORE INTO queue_needs (item_id, need_id, choice) "
				"VALUES ($1, $2, $3)",
				"iib", ids[i], ids[item->needs[k]],
				item->choices && item->choices[k]);
	}
	return r;
}

/* What needs it is blocked with it; what two of these block, the first one blocks. */
static int exclude_item(
	struct tx *tx, struct job_state *s, int64_t item_id, enum queue_reason reason, int64_t now)
{
	struct item_rows rows = {0};
	int r = rows_load_item(tx, &rows, item_id);

	if (r > 0 && !queue_status_final(rows.rows[0].status)) {
		r = rows_load_failing(tx, &rows, s);
		if (r >= 0) {
			scheduler_apply(
				SCHED_IMPOSSIBLE, &s->job, rows.rows, rows.count, reason, now);
			r = rows_store_quietly(tx, &rows, now);
		}
	}
	rows_finish(&rows);
	return r;
}

static int exclude_items(struct tx *tx, struct job_state *s, const struct plan *plan,
	const int64_t *ids, int64_t now)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < plan->count; i++)
		if (plan->items[i].excluded)
			r = exclude_item(tx, s, ids[i], plan->items[i].excluded_reason, now);
	return r;
}

static int take_item_ids(struct tx *tx, int64_t *ids, size_t count)
{
	int64_t next;
	int r = tx_int(tx, &next, "UPDATE queue_item_ids SET next = next + $1 RETURNING next", "i",
		(int64_t)count);

	for (size_t i = 0; r > 0 && i < count; i++)
		ids[i] = next - (int64_t)(count - i);
	return r > 0 ? 0 : (r < 0 ? r : -EIO);
}

static int insert_items(
	struct tx *tx, struct job_state *s, const struct plan *plan, bool claimable, int64_t now)
{
	int64_t *ids = xcalloc(plan->count + 1, sizeof(*ids));
	int r = take_item_ids(tx, ids, plan->count);

	for (size_t i = 0; r >= 0 && i < plan->count; i++) {
		r = insert_item(tx, plan, i, s->id, claimable, ids);
		s->job.counts[plan->items[i].taken_over ? QUEUE_COMPLETED : QUEUE_PENDING]++;
	}
	if (r >= 0)
		r = insert_needs(tx, plan, ids);
	s->job.total = (int64_t)plan->count;
	s->many = plan->count > 0;
	if (r >= 0)
		r = exclude_items(tx, s, plan, ids, now);
	free(ids);
	return r;
}

/* All items are new: one snapshot tells of them, not a message each. */
static int start_items(struct tx *tx, struct job_state *s, int64_t now)
{
	struct item_rows rows = {0};
	int r = rows_load_waiting(tx, &rows, s->id);

	if (r >= 0) {
		scheduler_apply(SCHED_PLANNED, &s->job, rows.rows, rows.count, REASON_NONE, now);
		r = rows_store_quietly(tx, &rows, now);
	}
	rows_finish(&rows);
	return r;
}

int build_job_plan(struct tx *tx, int64_t id, const struct plan *plan, int64_t now)
{
	struct job_state s;
	bool external = false;
	int r = job_lock(tx, id, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (s.job.status != BUILD_PREPARING)
		return -ESTALE;
	r = tx_exec(
		tx, "INSERT INTO build_plans (job_id, plan) VALUES ($1, $2)", "is", id, plan->json);
	if (r >= 0)
		r = build_job_is_external(tx, id, &external);
	if (r >= 0 && s.dry_run) {
		s.job.status = BUILD_COMPLETED;
	} else if (r >= 0) {
		r = insert_items(tx, &s, plan, !external, now);
		if (r >= 0)
			r = start_items(tx, &s, now);
	}
	return r < 0 ? r : job_settle(tx, &s, now);
}
