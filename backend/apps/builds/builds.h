/* SPDX-License-Identifier: MIT
 *
 * What reqpm is about: build jobs, their queue of packages, and the updates that every change publishes.
 *
 *   views.c, consumers.c, tasks.c   decide (loop thread) and run units on the store
 *   models.c                        the rows; every writer here publishes exactly its updates on commit
 *   scheduler.c                     pure: what one event does to the rows
 *   websocket_utils.c               send_queue_item_update(), send_build_job_update()
 *   serializers.c                   rows to JSON, one shape for HTTP and WebSocket
 *
 * Functions that take a struct tx run inside a unit on a store thread; all others on the loop.
 */
#ifndef REQPM_BUILDS_H
#define REQPM_BUILDS_H

#include "core/base/base.h"
#include "core/base/json.h"
#include "core/store/store.h"

/* ---- vocabularies: one enum and one name table each, used by SQL, JSON and the front end (statuses.c) */
enum build_status {
	BUILD_PENDING,
	BUILD_PREPARING,
	BUILD_RUNNING,
	BUILD_COMPLETED,
	BUILD_FAILED,
	BUILD_CANCELLED,
	BUILD_STATUS_COUNT
};
enum queue_status {
	QUEUE_PENDING,
	QUEUE_QUEUED,
	QUEUE_BUILDING,
	QUEUE_COMPLETED,
	QUEUE_FAILED,
	QUEUE_BLOCKED,
	QUEUE_CANCELLED,
	QUEUE_STATUS_COUNT
};
/* Why an item is what it is; the words for a reader are made from it by the serializer. */
enum queue_reason {
	REASON_NONE,
	REASON_BUILD,
	REASON_TIMEOUT,
	REASON_MEMORY,
	REASON_DISK,
	REASON_LOST,
	REASON_INFRASTRUCTURE,
	REASON_BLOCKED,
	REASON_CANCELLED,
	REASON_FAIL_FAST,
	REASON_ARCHITECTURE, /* its spec does not build on this host's */
	REASON_COUNT
};
extern const char *const build_status_name[BUILD_STATUS_COUNT];
extern const char *const queue_status_name[QUEUE_STATUS_COUNT];
extern const char *const queue_reason_name[REASON_COUNT];
int build_status_parse(const char *name); /* -EINVAL: no such */
int queue_status_parse(const char *name);
int queue_reason_parse(const char *name); /* NULL: REASON_NONE */
static inline bool build_status_final(enum build_status s)
{
	return s == BUILD_COMPLETED || s == BUILD_FAILED || s == BUILD_CANCELLED;
}
static inline bool queue_status_final(enum queue_status s)
{
	return s >= QUEUE_COMPLETED;
}

/* ---- limits */
#define BUILD_NAME_MAX 200 /* bytes */
#define SENTENCE_MAX                                                                               \
	2048 /* bytes of a `why` or an `error.detail`: those of all come to every viewer */
#define ERROR_EDGES_MAX 50 /* of a build that was refused */
#define ATTEMPTS_MAX 5 /* that ended while their worker lived, for infrastructure causes */
#define LOST_MAX 20 /* attempts in a row whose worker or server died */
#define PREPARE_LOST_MAX 3 /* preparations of a job that the server did not survive */
#define BACKOFF_MS 2000 /* before the second attempt; twice as long before each further one */
#define BACKOFF_MAX_MS ((int64_t)BACKOFF_MS << (ATTEMPTS_MAX - 2)) /* before the last one */
#define LOG_TAIL_MAX 4096 /* bytes of the log in the message that ends an item */
#define ITEM_TIMEOUT_MS (5LL * 3600 * 1000)
#define UPLOAD_FILES_MAX 100000
#define UPLOAD_PATH_MAX 1024 /* bytes */
#define UPLOAD_TTL_MS (24LL * 3600 * 1000) /* an upload that nobody seals */
#define DRY_RUN_TTL_MS (3600 * 1000)
#define EXPIRE_AT_ONCE 10 /* jobs in one transaction: others want to write, too */
#define LIST_LIMIT 50 /* default and the list room's newest */
#define LIST_LIMIT_MAX 200

/* ---- rows. Text is borrowed from the running statement where a callback gets the row, else owned: see each function. */
struct build_job {
	int64_t id;
	const char *name, *builder;
	enum build_status status;
	int64_t seq; /* of its newest message */
	int64_t list_seq; /* of its newest build_update */
	int64_t counts[QUEUE_STATUS_COUNT], total;
	bool cancel_requested, fail_fast, dry_run;
	int64_t specs_read, specs_total; /* while it is preparing */
	int64_t retry_of; /* 0: none */
	int64_t takes_from; /* the job whose results it takes over; 0: none */
	int64_t upload_id;
	int64_t timeout_ms;
	const char *error; /* JSON {detail, package, edges} or NULL */
	int64_t created_at, started_at, completed_at; /* wall ms; 0: not yet */
};
struct queue_item {
	int64_t id, job_id;
	int64_t package_id;
	const char *package, *version;
	enum queue_status status;
	enum queue_reason reason;
	const char *why; /* a sentence or NULL */
	const char *
		lacks; /* pending: what its build root lacks and an RPM of the job may bring, one per line; else NULL */
	const char *held; /* queued: why the worker claims nothing for now; NULL: it does */
	int64_t position, level, priority, needs_left;
	int64_t attempts, lost, token, not_before;
	const char *worker; /* name; NULL while none */
	int64_t slot;
	const char *phase; /* "%build" or NULL */
	int64_t error_line;
	const char *error_text;
	int64_t blocked_by; /* item; 0: none */
	const char *blocked_by_name;
	int64_t log_size, log_lines;
	const char *log_sha256, *log_tail;
	int64_t exit_code;
	int64_t queued_at, started_at, completed_at;
	int64_t last_duration_ms; /* of the newest earlier success of this name; 0: unknown */
	const char *payload; /* JSON for the builder: {"command":[…]} or {"spec":"x.spec"} */
	int64_t timeout_ms;
};

/* progress in tenths of a percent: (completed + failed) / total, rounded; 0 for an empty job. */
int64_t build_job_progress(const struct build_job *job);

/* ---- writers (models.c): inside a write unit; 0 or a negative code; each publishes on commit */
struct build_job_new {
	const char *name, *builder;
	bool fail_fast, dry_run;
	int64_t upload_id, retry_of, timeout_ms;
};
int upload_create(struct tx *tx, int64_t now, int64_t *ret_id);
/* -ENOENT: no such upload. -EPERM: sealed. -E2BIG: UPLOAD_FILES_MAX. Repeatable: the newest wins. */
int upload_put_file(
	struct tx *tx, int64_t upload_id, const char *path, int64_t size, const char *sha256);
/* Seals the upload, of which there is one dry run and one build: the same again gives the same job and *ret_existed. -ENOENT: no such upload. */
int build_job_create(struct tx *tx, const struct build_job_new *new_job, int64_t now,
	int64_t *ret_id, bool *ret_existed);
/* A new job that takes over the completed results of an ended one, or what that one was to take over when it ended before it had a plan.
 * -ENOENT, -EBUSY: it has not ended; -EALREADY: all of it completed. */
int build_job_retry(struct tx *tx, int64_t id, int64_t now, int64_t *ret_id);
int build_job_prepare(struct tx *tx, int64_t id,
	int64_t now); /* pending -> preparing; -ESTALE: it is not pending */
/* preparing -> pending, because whoever prepares it stops; -ESTALE: it is not preparing any more. */
int build_job_put_back(struct tx *tx, int64_t id);
/* How far the reading of specs has come; -ESTALE: it is not preparing any more. */
int build_job_reading(struct tx *tx, int64_t id, int64_t read, int64_t total);
struct plan_item {
	const char *package, *version, *payload;
	int64_t level, priority, timeout_ms;
	const int *needs; /* positions in the plan */
	size_t need_count;
	const bool *choices; /* of each need: another package would do as well; NULL: of none */
	int64_t taken_over; /* id of the completed item whose results were taken over; 0: to be built */
	const char
		*excluded; /* why it cannot be built here: it ends failed at once; NULL: it can */
	enum queue_reason excluded_reason;
};
struct plan {
	const struct plan_item *items;
	size_t count;
	const char *json; /* the order as shown to people */
};
/* preparing -> running (or straight to an end: a dry run, cancelled meanwhile, nothing left to build). */
int build_job_plan(struct tx *tx, int64_t id, const struct plan *plan, int64_t now);
/* A fault found in preparing: the job ends failed, no item started. error: JSON {detail, package, edges}. */
int build_job_refuse(struct tx *tx, int64_t id, const char *error, int64_t now);
/* -ENOENT; -EALREADY: it has ended. Items that wait are cancelled at once, those that build by their worker. */
int build_job_cancel(struct tx *tx, int64_t id, int64_t now);

struct worker_identity {
	const char *name; /* host name */
	const char *incarnation; /* new at each start */
	int64_t slots;
};
/* Registers this incarnation; the items of workers that are gone (every other incarnation on one machine) are requeued, the
 * jobs that were preparing are pending again, or refused after PREPARE_LOST_MAX. */
int worker_start(struct tx *tx, const struct worker_identity *worker, int64_t now);
int worker_heartbeat(struct tx *tx, const struct worker_identity *worker, int64_t now);
/* Why it claims nothing from now on; NULL: it does again. Every job of which anything is ready is told by a snapshot. */
int worker_hold(struct tx *tx, const struct worker_identity *worker, const char *why);
struct claim { /* owned text: claim_finish() */
	int64_t item_id, job_id, token, attempt, timeout_ms, upload_id;
	char *package, *version, *payload, *builder;
};
void claim_finish(struct claim *c);
/* The queued item of highest priority that is due becomes building under a new token; one that would be so later than any back-off
 * lasts is due, since the clock was set back. 1: claimed; 0: none is ready, *ret_due_at is then when the next one is (0: none known). */
int queue_item_claim(struct tx *tx, const struct worker_identity *worker, int64_t slot, int64_t now,
	struct claim *ret_claim, int64_t *ret_due_at);
/* -ESTALE from here on: the token is not the item's current one, nothing was written. */
int queue_item_set_phase(
	struct tx *tx, int64_t item_id, int64_t token, const char *phase, int64_t log_size);
enum attempt_end {
	ATTEMPT_COMPLETED,
	ATTEMPT_FAILED,
	ATTEMPT_INFRASTRUCTURE,
	ATTEMPT_STOPPED, /* cancel or drain */
	ATTEMPT_LACKING /* nothing provides what its build root needs: waits while something else may bring it */
};
struct artifact_row {
	const char *file, *kind, *sha256, *nevra; /* kind: rpm, srpm, file */
	const char *
		provides; /* of binary RPMs: a JSON array of capabilities; NULL. Not read back with the row */
	int64_t size;
};
struct attempt_result {
	enum attempt_end end;
	enum queue_reason reason;
	const char *why, *phase, *error_text;
	const char *lacks; /* of ATTEMPT_LACKING: capabilities, one per line */
	int64_t error_line, exit_code;
	int64_t log_size, log_lines;
	const char *log_sha256, *log_tail;
	const struct artifact_row *artifacts;
	size_t artifact_count;
};
int queue_item_end(struct tx *tx, int64_t item_id, int64_t token,
	const struct attempt_result *result, int64_t now);
/* For builds of the `external` builder: pending|queued -> building -> completed|failed. -EPERM: another builder;
 * -EINVAL: an illegal step. */
int queue_item_report(
	struct tx *tx, int64_t item_id, enum queue_status status, const char *why, int64_t now);
/* Ends the job when all its items have ended; idempotent. Part of every event already; for start-up. */
int build_job_check(struct tx *tx, int64_t id, int64_t now);

/* ---- writers of what is not kept (models_expire.c). fn is called for each folder that may go, "uploads" or "builds" and an id, before its row does. */
typedef void expire_fn(void *arg, const char *kind, int64_t id);
/* An upload that was not sealed. -ENOENT; -EPERM: it was. */
int upload_delete(struct tx *tx, int64_t id, expire_fn *fn, void *arg);
/* An ended job, and its upload when no other was made of it; the list's room is told. -ENOENT; -EBUSY: it has not ended; -EAGAIN: a
 * retry is taking over its results. */
int build_job_delete(struct tx *tx, int64_t id, expire_fn *fn, void *arg);
/* Uploads never sealed, old dry runs and, when keep_ms is not 0, the jobs that ended longer ago. 1: there is more to forget. */
int builds_expire(struct tx *tx, int64_t now, int64_t keep_ms, expire_fn *fn, void *arg);

/* ---- readers (models_read.c): inside any unit. Row text is borrowed until fn returns. 1: found, 0: not, or negative. */
typedef int build_job_fn(const struct build_job *job, void *arg);
typedef int queue_item_fn(const struct queue_item *item, void *arg);
int build_job_get(struct tx *tx, int64_t id, build_job_fn *fn, void *arg);
/* Does somebody else build its packages and report them? */
int build_job_is_external(struct tx *tx, int64_t id, bool *ret_external);
/* The order as it was planned, JSON; 0: it was not planned yet. */
int build_job_plan_text(
	struct tx *tx, int64_t id, int (*fn)(const char *plan, void *arg), void *arg);
/* Listed jobs (no dry runs), newest first, id < before (0: no bound), status -1: any, name contains query (NULL: any). */
int build_jobs_list(struct tx *tx, int64_t before, int status, const char *query, int64_t limit,
	build_job_fn *fn, void *arg);
/* Every active job and the newest `newest`, newest first. */
int build_jobs_current(struct tx *tx, int64_t newest, build_job_fn *fn, void *arg);
int build_jobs_to_prepare(struct tx *tx, build_job_fn *fn, void *arg); /* pending, oldest first */
int queue_item_get(struct tx *tx, int64_t id, queue_item_fn *fn, void *arg);
int queue_items_of(struct tx *tx, int64_t job_id, queue_item_fn *fn, void *arg); /* by position */
int queue_items_building(
	struct tx *tx, int64_t job_id, queue_item_fn *fn, void *arg); /* job_id 0: of all jobs */
/* Needs of a job, or of one item of it, as pairs of item ids, sorted by the needing item. choice: another item would do as well. */
typedef int queue_need_fn(int64_t item_id, int64_t need_id, bool choice, void *arg);
int queue_needs_of(
	struct tx *tx, int64_t job_id, int64_t item_id /* 0: all */, queue_need_fn *fn, void *arg);
typedef int artifact_fn(int64_t item_id, const struct artifact_row *row, void *arg);
int artifacts_of(
	struct tx *tx, int64_t job_id, int64_t item_id /* 0: all */, artifact_fn *fn, void *arg);
typedef int attempt_fn(int64_t number, const char *worker, int64_t slot, int64_t started_at,
	int64_t ended_at, const char *outcome, void *arg);
int attempts_of(struct tx *tx, int64_t item_id, attempt_fn *fn, void *arg);
typedef int upload_file_fn(const char *path, int64_t size, const char *sha256, void *arg);
int upload_files(struct tx *tx, int64_t upload_id, upload_file_fn *fn, void *arg);
enum upload_state { UPLOAD_MISSING, UPLOAD_OPEN, UPLOAD_SEALED };
int upload_state(
	struct tx *tx, int64_t upload_id, enum upload_state *ret_state, int64_t *ret_job_id);
/* The dry run or the build that was made of an upload. 1 found, 0 not. */
int upload_job(struct tx *tx, int64_t upload_id, bool dry_run, int64_t *ret_id);
typedef int worker_fn(const struct worker_identity *w, int64_t heartbeat_at, int64_t started_at,
	bool current, void *arg);
int workers_list(struct tx *tx, worker_fn *fn, void *arg);
/* Of its newest success whose duration is known. */
int package_last_duration(struct tx *tx, const char *name, int64_t *ret_ms);
/* What the RPMs of the newest success of this name turned out to provide (models_provides.c). */
typedef int provides_fn(const char *nevra, const char *provides, void *arg);
int package_provides(struct tx *tx, const char *name, provides_fn *fn, void *arg);
/* Of one job (id > 0) its seq, or of the current ones, as build_jobs_current() lists them, their list_seq; and whether it has ended. */
typedef int build_version_fn(int64_t id, int64_t seq, bool final, void *arg);
int build_job_versions(struct tx *tx, int64_t id, build_version_fn *fn, void *arg);
int queue_depths(struct tx *tx, int64_t ret_counts[QUEUE_STATUS_COUNT]); /* of active jobs */
int build_totals(struct tx *tx, int64_t ret_counts[BUILD_STATUS_COUNT]);

/* ---- JSON (serializers.c) */
void build_job_fields(struct json_writer *w, const struct build_job *job);
/* Of these only what can change after the job was made: what a room's build_update carries, each time in full. */
void build_job_changes(struct json_writer *w, const struct build_job *job);
/* The fields of queue_update.data: what can change of an item after it was planned. */
void queue_item_changes(struct json_writer *w, const struct queue_item *item);
/* GET /api/builds/{id}: job, seq, epoch, queue_items with needs. 1 found, 0 not. */
int build_job_document(
	struct tx *tx, int64_t id, struct strbuf *out, bool *ret_final, int64_t *ret_seq);
/* The room's snapshot message around the same data. */
int build_job_snapshot(
	struct tx *tx, int64_t id, struct strbuf *out, bool *ret_final, int64_t *ret_seq);
int queue_item_document(
	struct tx *tx, int64_t id, struct strbuf *out); /* with needs, attempts, artifacts */

/* ---- migrations (migrations.c) */
extern const struct store_migration builds_migrations[];
extern const size_t builds_migration_count;

#endif
