// SPDX-License-Identifier: MIT
#include "apps/builds/models.h"
#include "apps/builds/websocket_utils.h"

/* ---- uploads */

static int forget_upload(struct tx *tx, int64_t id, expire_fn *fn, void *arg)
{
	fn(arg, "uploads", id);
	return tx_exec(tx, "DELETE FROM uploads WHERE id = $1", "i", id);
}

int upload_delete(struct tx *tx, int64_t id, expire_fn *fn, void *arg)
{
	enum upload_state state;
	int64_t job_id;
	int r = upload_state(tx, id, &state, &job_id);

	if (r < 0)
		return r;
	if (state != UPLOAD_OPEN)
		return state == UPLOAD_MISSING ? -ENOENT : -EPERM;
	r = forget_upload(tx, id, fn, arg);
	return r < 0 ? r : 0;
}

/* ---- jobs */

/* Its items, their artifacts and its plan go with the row. Retries build from the same upload. */
static int forget_job(struct tx *tx, int64_t id, expire_fn *fn, void *arg)
{
	int64_t upload_id = 0, users = 0;
	int r = tx_int(tx, &upload_id,
		"SELECT COALESCE(upload_id, 0) FROM build_jobs WHERE id = $1", "i", id);

	if (r >= 0)
		r = send_build_job_removed(id);
	if (r < 0)
		return r;
	fn(arg, "builds", id);
	r = tx_exec(tx, "DELETE FROM build_jobs WHERE id = $1", "i", id);
	if (r >= 0 && upload_id)
		r = tx_int(tx, &users, "SELECT count(*) FROM build_jobs WHERE upload_id = $1", "i",
			upload_id);
	return r < 0 || !upload_id || users ? r : forget_upload(tx, upload_id, fn, arg);
}

/* Results are taken over while a retry prepares; from then on it has them. */
#define TAKEN_OVER_FROM(id)                                                                        \
	"EXISTS (SELECT 1 FROM build_jobs r WHERE r.takes_from = " id                              \
	" AND r.status IN ('pending', 'preparing'))"

int build_job_delete(struct tx *tx, int64_t id, expire_fn *fn, void *arg)
{
	struct job_state s;
	int64_t needed = 0;
	int r = job_lock(tx, id, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (!build_status_final(s.job.status))
		return -EBUSY;
	r = tx_int(tx, &needed, "SELECT " TAKEN_OVER_FROM("$1"), "i", id);
	if (r >= 0)
		r = needed ? -EAGAIN : forget_job(tx, id, fn, arg);
	return r < 0 ? r : 0;
}

/* ---- by age */

static int expire_uploads(struct tx *tx, int64_t now, expire_fn *fn, void *arg)
{
	struct id_list uploads = {0};
	int r = tx_each(tx, ids_take, &uploads,
		"SELECT id, 0 FROM uploads WHERE build_id IS NULL AND created_at < $1", "i",
		now - UPLOAD_TTL_MS);

	for (size_t i = 0; r >= 0 && i < uploads.count; i++)
		r = forget_upload(tx, uploads.ids[i][0], fn, arg);
	free(uploads.ids);
	return r;
}

/* 1: as many as may go at once. */
static int expire_jobs(struct tx *tx, int64_t now, int64_t keep_ms, expire_fn *fn, void *arg)
{
	struct id_list jobs = {0};
	int r = tx_each(tx, ids_take, &jobs,
		"SELECT j.id, 0 FROM build_jobs j WHERE j.completed_at > 0 AND j.completed_at <"
		" CASE WHEN j.dry_run = 1 THEN $1 ELSE $2 END AND NOT " TAKEN_OVER_FROM(
			"j.id") " ORDER BY j.id LIMIT $3",
		"iii", now - DRY_RUN_TTL_MS, keep_ms ? now - keep_ms : 0, (int64_t)EXPIRE_AT_ONCE);

	for (size_t i = 0; r >= 0 && i < jobs.count; i++)
		r = forget_job(tx, jobs.ids[i][0], fn, arg);
	free(jobs.ids);
	return r < 0 ? r : jobs.count == EXPIRE_AT_ONCE;
}

int builds_expire(struct tx *tx, int64_t now, int64_t keep_ms, expire_fn *fn, void *arg)
{
	int r = expire_uploads(tx, now, fn, arg);

	return r < 0 ? r : expire_jobs(tx, now, keep_ms, fn, arg);
}
