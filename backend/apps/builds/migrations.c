// SPDX-License-Identifier: MIT
#include "apps/builds/builds.h"

/*
 * Counters of a job are columns, kept by the transaction that moves an item: an update costs the same for 5 packages and
 * for 5,000. The ids of uploads and jobs name folders, so none is given out twice. `changes` is bumped first by every transaction on a job, which serializes them on any database.
 */
static const char schema_1[] =
	"CREATE TABLE uploads ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, build_id INTEGER, created_at INTEGER NOT NULL);"
	"CREATE TABLE upload_files ("
	" upload_id INTEGER NOT NULL REFERENCES uploads ON DELETE CASCADE, path TEXT NOT NULL,"
	" size INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (upload_id, path));"
	"CREATE TABLE build_jobs ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, builder TEXT NOT NULL, status "
	"TEXT NOT NULL,"
	" seq INTEGER NOT NULL DEFAULT 0, list_seq INTEGER NOT NULL DEFAULT 0, changes INTEGER NOT "
	"NULL DEFAULT 0,"
	" total_packages INTEGER NOT NULL DEFAULT 0, pending_packages INTEGER NOT NULL DEFAULT 0,"
	" queued_packages INTEGER NOT NULL DEFAULT 0, building_packages INTEGER NOT NULL DEFAULT 0,"
	" completed_packages INTEGER NOT NULL DEFAULT 0, failed_packages INTEGER NOT NULL DEFAULT "
	"0,"
	" blocked_packages INTEGER NOT NULL DEFAULT 0, cancelled_packages INTEGER NOT NULL DEFAULT "
	"0,"
	" cancel_requested INTEGER NOT NULL DEFAULT 0, fail_fast INTEGER NOT NULL DEFAULT 0,"
	" dry_run INTEGER NOT NULL DEFAULT 0, retry_of INTEGER, upload_id INTEGER, timeout_ms "
	"INTEGER NOT NULL DEFAULT 0,"
	" error TEXT, plan TEXT,"
	" created_at INTEGER NOT NULL, started_at INTEGER NOT NULL DEFAULT 0, completed_at INTEGER "
	"NOT NULL DEFAULT 0);"
	"CREATE INDEX build_jobs_active ON build_jobs (id) WHERE status IN ('pending', "
	"'preparing', 'running');"
	"CREATE TABLE packages ("
	" id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, UNIQUE (name, "
	"version));"
	"CREATE TABLE package_history ("
	" name TEXT PRIMARY KEY, duration_ms INTEGER NOT NULL, finished_at INTEGER NOT NULL);"
	"CREATE TABLE queue_items ("
	" id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL REFERENCES build_jobs ON DELETE CASCADE,"
	" package_id INTEGER NOT NULL REFERENCES packages, position INTEGER NOT NULL, level "
	"INTEGER NOT NULL,"
	" status TEXT NOT NULL, reason TEXT, why TEXT, priority INTEGER NOT NULL, needs_left "
	"INTEGER NOT NULL,"
	" claimable INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL "
	"DEFAULT 0,"
	" token INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0, worker TEXT, "
	"slot INTEGER,"
	" phase TEXT, error_line INTEGER NOT NULL DEFAULT 0, error_text TEXT, blocked_by INTEGER,"
	" log_size INTEGER NOT NULL DEFAULT 0, log_lines INTEGER NOT NULL DEFAULT 0, log_sha256 "
	"TEXT, log_tail TEXT,"
	" exit_code INTEGER, queued_at INTEGER NOT NULL DEFAULT 0, started_at INTEGER NOT NULL "
	"DEFAULT 0,"
	" completed_at INTEGER NOT NULL DEFAULT 0, payload TEXT NOT NULL, timeout_ms INTEGER NOT "
	"NULL DEFAULT 0);"
	"CREATE UNIQUE INDEX queue_items_job ON queue_items (job_id, position);"
	"CREATE INDEX queue_items_ready ON queue_items (priority DESC, id) WHERE status = 'queued' "
	"AND claimable = 1;"
	"CREATE INDEX queue_items_building ON queue_items (job_id) WHERE status = 'building';"
	"CREATE TABLE queue_needs ("
	" item_id INTEGER NOT NULL REFERENCES queue_items ON DELETE CASCADE,"
	" need_id INTEGER NOT NULL REFERENCES queue_items ON DELETE CASCADE, PRIMARY KEY (item_id, "
	"need_id));"
	"CREATE INDEX queue_needs_need ON queue_needs (need_id);"
	"CREATE TABLE attempts ("
	" id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL REFERENCES queue_items ON DELETE "
	"CASCADE,"
	" number INTEGER NOT NULL, worker TEXT NOT NULL, incarnation TEXT NOT NULL, slot INTEGER "
	"NOT NULL,"
	" started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0, outcome TEXT);"
	"CREATE INDEX attempts_item ON attempts (item_id);"
	"CREATE TABLE artifacts ("
	" item_id INTEGER NOT NULL REFERENCES queue_items ON DELETE CASCADE, file TEXT NOT NULL, "
	"kind TEXT NOT NULL,"
	" size INTEGER NOT NULL, sha256 TEXT NOT NULL, nevra TEXT, PRIMARY KEY (item_id, file));"
	"CREATE TABLE workers ("
	" incarnation TEXT PRIMARY KEY, name TEXT NOT NULL, slots INTEGER NOT NULL, started_at "
	"INTEGER NOT NULL,"
	" heartbeat_at INTEGER NOT NULL, current INTEGER NOT NULL);";

/* How many files an upload has, what RPMs turned out to provide, who lacks something, what a package took before this build, how many items were completed when an attempt began, and the newest
 * item of a name that made RPMs. */
static const char schema_2[] =
	"ALTER TABLE uploads ADD COLUMN file_count INTEGER NOT NULL DEFAULT 0;"
	"UPDATE uploads SET file_count ="
	" (SELECT count(*) FROM upload_files WHERE upload_id = uploads.id);"
	"ALTER TABLE artifacts ADD COLUMN provides TEXT;"
	"ALTER TABLE queue_items ADD COLUMN lacks TEXT;"
	"ALTER TABLE queue_items ADD COLUMN last_duration_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE queue_items ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE package_history ADD COLUMN item_id INTEGER;"
	"CREATE INDEX queue_items_lacking ON queue_items (job_id, position) WHERE lacks IS NOT "
	"NULL;";

/* The plan is megabytes for thousands of packages and never changes, while a job's row is written with each message. And how far the
 * reading of specs has come, which for thousands of them takes minutes. */
static const char schema_3[] =
	"CREATE TABLE build_plans ("
	" job_id INTEGER PRIMARY KEY REFERENCES build_jobs ON DELETE CASCADE, plan TEXT NOT NULL);"
	"INSERT INTO build_plans SELECT id, plan FROM build_jobs WHERE plan IS NOT NULL;"
	"ALTER TABLE build_jobs DROP COLUMN plan;"
	"ALTER TABLE build_jobs ADD COLUMN specs_read INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build_jobs ADD COLUMN specs_total INTEGER NOT NULL DEFAULT 0;";

/* The ids of items name logs, so that none is given out twice either, though builds are deleted. */
static const char schema_4[] =
	"CREATE TABLE queue_item_ids (next INTEGER NOT NULL);"
	"INSERT INTO queue_item_ids SELECT COALESCE(max(id), 0) + 1 FROM queue_items;"
	"CREATE INDEX build_jobs_retries ON build_jobs (retry_of) WHERE retry_of IS NOT NULL;";

/* What kills the server each time it is prepared is not prepared for ever. */
static const char schema_5[] =
	"ALTER TABLE build_jobs ADD COLUMN preparations_lost INTEGER NOT NULL DEFAULT 0;";

/* A worker that claims nothing for now says why. */
static const char schema_6[] = "ALTER TABLE workers ADD COLUMN held TEXT;";

/* Whose results a retry takes over: those of the job before it, or, when that one ended before it had a plan, those that it would have taken over. */
static const char schema_7[] =
	"ALTER TABLE build_jobs ADD COLUMN takes_from INTEGER;"
	"UPDATE build_jobs SET takes_from = ("
	" WITH RECURSIVE chain (id, before) AS ("
	"  SELECT id, retry_of FROM build_jobs j WHERE j.id = build_jobs.retry_of"
	"  UNION SELECT j.id, j.retry_of FROM chain c JOIN build_jobs j ON j.id = c.before"
	"  WHERE NOT EXISTS (SELECT 1 FROM queue_items WHERE job_id = c.id))"
	" SELECT id FROM chain WHERE EXISTS (SELECT 1 FROM queue_items WHERE job_id = chain.id))"
	" WHERE retry_of IS NOT NULL;"
	"DROP INDEX build_jobs_retries;"
	"CREATE INDEX build_jobs_takers ON build_jobs (takes_from) WHERE takes_from IS NOT NULL;";

/* A need that another item would meet as well. */
static const char schema_8[] =
	"ALTER TABLE queue_needs ADD COLUMN choice INTEGER NOT NULL DEFAULT 0;";

const struct store_migration builds_migrations[] = {
	{1, schema_1},
	{2, schema_2},
	{3, schema_3},
	{4, schema_4},
	{5, schema_5},
	{6, schema_6},
	{7, schema_7},
	{8, schema_8},
};
const size_t builds_migration_count = countof(builds_migrations);
