// SPDX-License-Identifier: MIT
#include "apps/builds/models.h"

int64_t build_job_progress(const struct build_job *job)
{
	int64_t done = job->counts[QUEUE_COMPLETED] + job->counts[QUEUE_FAILED];

	return job->total ? (done * 1000 + job->total / 2) / job->total : 0;
}

/* ---- jobs */

struct job_walk {
	build_job_fn *fn;
	void *arg;
};

#define JOB_COLUMNS                                                                                \
	"id, name, builder, status, seq, total_packages, pending_packages, queued_packages, "      \
	"building_packages,"                                                                       \
	" completed_packages, failed_packages, blocked_packages, cancelled_packages, "             \
	"cancel_requested, fail_fast,"                                                             \
	" dry_run, retry_of, upload_id, timeout_ms, error, created_at, started_at, "               \
	"completed_at, list_seq, specs_read, specs_total, takes_from"

static int each_job(const struct row *row, void *arg)
{
	struct job_walk *walk = arg;
	int status = build_status_parse(row_text(row, 3));
	struct build_job job = {
		.id = row_int(row, 0),
		.name = row_text(row, 1),
		.builder = row_text(row, 2),
		.status = (enum build_status)status,
		.seq = row_int(row, 4),
		.total = row_int(row, 5),
		.cancel_requested = row_int(row, 13),
		.fail_fast = row_int(row, 14),
		.dry_run = row_int(row, 15),
		.retry_of = row_int(row, 16),
		.upload_id = row_int(row, 17),
		.timeout_ms = row_int(row, 18),
		.error = row_text(row, 19),
		.created_at = row_int(row, 20),
		.started_at = row_int(row, 21),
		.completed_at = row_int(row, 22),
		.list_seq = row_int(row, 23),
		.specs_read = row_int(row, 24),
		.specs_total = row_int(row, 25),
		.takes_from = row_int(row, 26),
	};

	if (status < 0)
		return -EIO;
	for (int i = 0; i < QUEUE_STATUS_COUNT; i++)
		job.counts[i] = row_int(row, 6 + i);
	return walk->fn(&job, walk->arg);
}

int build_job_get(struct tx *tx, int64_t id, build_job_fn *fn, void *arg)
{
	struct job_walk walk = {fn, arg};

	return tx_each(tx, each_job, &walk, "SELECT " JOB_COLUMNS " FROM build_jobs WHERE id = $1",
		"i", id);
}

static int is_external(const struct build_job *job, void *arg)
{
	*(bool *)arg = !strcmp(job->builder, "external");
	return 0;
}

int build_job_is_external(struct tx *tx, int64_t id, bool *ret_external)
{
	return build_job_get(tx, id, is_external, ret_external);
}

struct plan_walk {
	int (*fn)(const char *plan, void *arg);
	void *arg;
};

static int each_plan(const struct row *row, void *arg)
{
	struct plan_walk *walk = arg;

	return walk->fn(row_text(row, 0), walk->arg);
}

int build_job_plan_text(
	struct tx *tx, int64_t id, int (*fn)(const char *plan, void *arg), void *arg)
{
	struct plan_walk walk = {fn, arg};

	return tx_each(
		tx, each_plan, &walk, "SELECT plan FROM build_plans WHERE job_id = $1", "i", id);
}

int build_jobs_list(struct tx *tx, int64_t before, int status, const char *query, int64_t limit,
	build_job_fn *fn, void *arg)
{
	struct job_walk walk = {fn, arg};

	return tx_each(tx, each_job, &walk,
		"SELECT " JOB_COLUMNS " FROM build_jobs WHERE dry_run = 0 AND ($1 = 0 OR id < $1)"
		" AND ($2 IS NULL OR status = $2) AND ($3 IS NULL OR instr(lower(name), lower($3)) "
		"> 0)"
		" ORDER BY id DESC LIMIT $4",
		"issi", before, status < 0 ? NULL : build_status_name[status], query, limit);
}

#define CURRENT_JOBS                                                                               \
	"SELECT id FROM build_jobs WHERE dry_run = 0 AND status IN ('pending', 'preparing', "      \
	"'running')"                                                                               \
	" UNION SELECT id FROM (SELECT id FROM build_jobs WHERE dry_run = 0 ORDER BY id DESC "     \
	"LIMIT $1)"

int build_jobs_current(struct tx *tx, int64_t newest, build_job_fn *fn, void *arg)
{
	struct job_walk walk = {fn, arg};

	return tx_each(tx, each_job, &walk,
		"SELECT " JOB_COLUMNS " FROM build_jobs WHERE id IN (" CURRENT_JOBS
		") ORDER BY id DESC",
		"i", newest);
}

int build_jobs_to_prepare(struct tx *tx, build_job_fn *fn, void *arg)
{
	struct job_walk walk = {fn, arg};

	return tx_each(tx, each_job, &walk,
		"SELECT " JOB_COLUMNS " FROM build_jobs WHERE status = 'pending' ORDER BY id", "");
}

struct version_walk {
	build_version_fn *fn;
	void *arg;
};

static int each_version(const struct row *row, void *arg)
{
	struct version_walk *walk = arg;
	int status = build_status_parse(row_text(row, 2));

	if (status < 0)
		return -EIO;
	return walk->fn(row_int(row, 0), row_int(row, 1),
		build_status_final((enum build_status)status), walk->arg);
}

int build_job_versions(struct tx *tx, int64_t id, build_version_fn *fn, void *arg)
{
	struct version_walk walk = {fn, arg};

	if (id > 0)
		return tx_each(tx, each_version, &walk,
			"SELECT id, seq, status FROM build_jobs WHERE id = $1", "i", id);
	return tx_each(tx, each_version, &walk,
		"SELECT id, list_seq, status FROM build_jobs WHERE id IN (" CURRENT_JOBS
		") ORDER BY id",
		"i", (int64_t)LIST_LIMIT);
}

/* ---- items */

struct item_walk {
	queue_item_fn *fn;
	void *arg;
};

/* tail: the log's tail is part of a single item, not of a list. */
#define ITEM_SELECT(tail)                                                                          \
	"SELECT q.id, q.job_id, q.package_id, p.name, p.version, q.status, q.reason, q.why, "      \
	"q.position, q.level,"                                                                     \
	" q.priority, q.needs_left, (SELECT count(*) FROM attempts a WHERE a.item_id = q.id), "    \
	"q.lost, q.token,"                                                                         \
	" q.not_before, q.worker, q.slot, q.phase, q.error_line, q.error_text, q.blocked_by,"      \
	" (SELECT bp.name FROM queue_items b JOIN packages bp ON bp.id = b.package_id WHERE b.id " \
	"= q.blocked_by),"                                                                         \
	" q.log_size, q.log_lines, q.log_sha256, " tail                                            \
	", q.exit_code, q.queued_at, q.started_at, q.completed_at,"                                \
	" q.last_duration_ms, q.payload, q.timeout_ms, q.lacks,"                                   \
	" CASE WHEN q.status = 'queued' AND q.claimable = 1 THEN"                                  \
	" (SELECT w.held FROM workers w WHERE w.current = 1) END"                                  \
	" FROM queue_items q JOIN packages p ON p.id = q.package_id "

static int each_item(const struct row *row, void *arg)
{
	struct item_walk *walk = arg;
	int status = queue_status_parse(row_text(row, 5));
	int reason = queue_reason_parse(row_text(row, 6));
	struct queue_item item = {
		.id = row_int(row, 0),
		.job_id = row_int(row, 1),
		.package_id = row_int(row, 2),
		.package = row_text(row, 3),
		.version = row_text(row, 4),
		.status = (enum queue_status)status,
		.reason = (enum queue_reason)reason,
		.why = row_text(row, 7),
		.position = row_int(row, 8),
		.level = row_int(row, 9),
		.priority = row_int(row, 10),
		.needs_left = row_int(row, 11),
		.attempts = row_int(row, 12),
		.lost = row_int(row, 13),
		.token = row_int(row, 14),
		.not_before = row_int(row, 15),
		.worker = row_text(row, 16),
		.slot = row_int(row, 17),
		.phase = row_text(row, 18),
		.error_line = row_int(row, 19),
		.error_text = row_text(row, 20),
		.blocked_by = row_int(row, 21),
		.blocked_by_name = row_text(row, 22),
		.log_size = row_int(row, 23),
		.log_lines = row_int(row, 24),
		.log_sha256 = row_text(row, 25),
		.log_tail = row_text(row, 26),
		.exit_code = row_null(row, 27) ? -1 : row_int(row, 27),
		.queued_at = row_int(row, 28),
		.started_at = row_int(row, 29),
		.completed_at = row_int(row, 30),
		.last_duration_ms = row_int(row, 31),
		.payload = row_text(row, 32),
		.timeout_ms = row_int(row, 33),
		.lacks = row_text(row, 34),
		.held = row_text(row, 35),
	};

	if (status < 0 || reason < 0)
		return -EIO;
	return walk->fn(&item, walk->arg);
}

int queue_item_get(struct tx *tx, int64_t id, queue_item_fn *fn, void *arg)
{
	struct item_walk walk = {fn, arg};

	return tx_each(tx, each_item, &walk, ITEM_SELECT("q.log_tail") "WHERE q.id = $1", "i", id);
}

int queue_items_of(struct tx *tx, int64_t job_id, queue_item_fn *fn, void *arg)
{
	struct item_walk walk = {fn, arg};

	return tx_each(tx, each_item, &walk,
		ITEM_SELECT("NULL") "WHERE q.job_id = $1 ORDER BY q.position", "i", job_id);
}

int queue_items_building(struct tx *tx, int64_t job_id, queue_item_fn *fn, void *arg)
{
	struct item_walk walk = {fn, arg};

	return tx_each(tx, each_item, &walk,
		ITEM_SELECT("NULL") "WHERE q.status = 'building' AND ($1 = 0 OR q.job_id = $1) "
				    "ORDER BY q.slot, q.id",
		"i", job_id);
}

struct need_walk {
	queue_need_fn *fn;
	void *arg;
};

static int each_need(const struct row *row, void *arg)
{
	struct need_walk *walk = arg;

	return walk->fn(row_int(row, 0), row_int(row, 1), row_int(row, 2), walk->arg);
}

int queue_needs_of(struct tx *tx, int64_t job_id, int64_t item_id, queue_need_fn *fn, void *arg)
{
	struct need_walk walk = {fn, arg};

	if (item_id)
		return tx_each(tx, each_need, &walk,
			"SELECT item_id, need_id, choice FROM queue_needs WHERE item_id = $1 ORDER "
			"BY "
			"need_id",
			"i", item_id);
	return tx_each(tx, each_need, &walk,
		"SELECT n.item_id, n.need_id, n.choice FROM queue_items q JOIN queue_needs n ON "
		"n.item_id = "
		"q.id WHERE q.job_id = $1"
		" ORDER BY q.position, n.need_id",
		"i", job_id);
}

/* ---- what belongs to an item */

struct artifact_walk {
	artifact_fn *fn;
	void *arg;
};

static int each_artifact(const struct row *row, void *arg)
{
	struct artifact_walk *walk = arg;
	struct artifact_row a = {
		.file = row_text(row, 1),
		.kind = row_text(row, 2),
		.size = row_int(row, 3),
		.sha256 = row_text(row, 4),
		.nevra = row_text(row, 5),
	};

	return walk->fn(row_int(row, 0), &a, walk->arg);
}

int artifacts_of(struct tx *tx, int64_t job_id, int64_t item_id, artifact_fn *fn, void *arg)
{
	struct artifact_walk walk = {fn, arg};

	return tx_each(tx, each_artifact, &walk,
		"SELECT a.item_id, a.file, a.kind, a.size, a.sha256, a.nevra FROM queue_items q"
		" JOIN artifacts a ON a.item_id = q.id WHERE q.job_id = $1 AND ($2 = 0 OR q.id = "
		"$2)"
		" ORDER BY q.position, a.file",
		"ii", job_id, item_id);
}

struct attempt_walk {
	attempt_fn *fn;
	void *arg;
};

static int each_attempt(const struct row *row, void *arg)
{
	struct attempt_walk *walk = arg;

	return walk->fn(row_int(row, 0), row_text(row, 1), row_int(row, 2), row_int(row, 3),
		row_int(row, 4), row_text(row, 5), walk->arg);
}

int attempts_of(struct tx *tx, int64_t item_id, attempt_fn *fn, void *arg)
{
	struct attempt_walk walk = {fn, arg};

	return tx_each(tx, each_attempt, &walk,
		"SELECT number, worker, slot, started_at, ended_at, outcome FROM attempts WHERE "
		"item_id = $1 ORDER BY id",
		"i", item_id);
}

struct file_walk {
	upload_file_fn *fn;
	void *arg;
};

static int each_file(const struct row *row, void *arg)
{
	struct file_walk *walk = arg;

	return walk->fn(row_text(row, 0), row_int(row, 1), row_text(row, 2), walk->arg);
}

int upload_files(struct tx *tx, int64_t upload_id, upload_file_fn *fn, void *arg)
{
	struct file_walk walk = {fn, arg};

	return tx_each(tx, each_file, &walk,
		"SELECT path, size, sha256 FROM upload_files WHERE upload_id = $1 ORDER BY path",
		"i", upload_id);
}

/* ---- the whole */

struct worker_walk {
	worker_fn *fn;
	void *arg;
};

static int each_worker(const struct row *row, void *arg)
{
	struct worker_walk *walk = arg;
	struct worker_identity w = {
		.incarnation = row_text(row, 0),
		.name = row_text(row, 1),
		.slots = row_int(row, 2),
	};

	return walk->fn(&w, row_int(row, 3), row_int(row, 4), row_int(row, 5), walk->arg);
}

int workers_list(struct tx *tx, worker_fn *fn, void *arg)
{
	struct worker_walk walk = {fn, arg};

	return tx_each(tx, each_worker, &walk,
		"SELECT incarnation, name, slots, heartbeat_at, started_at, current FROM workers "
		"WHERE current = 1"
		" ORDER BY name, started_at",
		"");
}

int package_last_duration(struct tx *tx, const char *name, int64_t *ret_ms)
{
	return tx_int(tx, ret_ms,
		"SELECT duration_ms FROM package_history WHERE name = $1 AND duration_ms > 0", "s",
		name);
}

struct tally {
	int64_t *counts;
	int (*parse)(const char *name);
};

static int each_tally(const struct row *row, void *arg)
{
	struct tally *t = arg;
	int at = t->parse(row_text(row, 0));

	if (at < 0)
		return -EIO;
	t->counts[at] = row_int(row, 1);
	return 0;
}

int queue_depths(struct tx *tx, int64_t ret_counts[QUEUE_STATUS_COUNT])
{
	struct tally t = {ret_counts, queue_status_parse};
	int r;

	memset(ret_counts, 0, QUEUE_STATUS_COUNT * sizeof(*ret_counts));
	r = tx_each(tx, each_tally, &t,
		"SELECT q.status, count(*) FROM build_jobs j JOIN queue_items q ON q.job_id = j.id"
		" WHERE j.status IN ('pending', 'preparing', 'running') GROUP BY q.status",
		"");
	return r < 0 ? r : 0;
}

int build_totals(struct tx *tx, int64_t ret_counts[BUILD_STATUS_COUNT])
{
	struct tally t = {ret_counts, build_status_parse};
	int r;

	memset(ret_counts, 0, BUILD_STATUS_COUNT * sizeof(*ret_counts));
	r = tx_each(tx, each_tally, &t,
		"SELECT status, count(*) FROM build_jobs WHERE dry_run = 0 GROUP BY status", "");
	return r < 0 ? r : 0;
}
