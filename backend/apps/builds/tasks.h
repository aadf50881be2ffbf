/* SPDX-License-Identifier: MIT
 *
 * The embedded worker's parts; private to worker.c, tasks.c, prepare.c and plan.c. All on the loop.
 */
#ifndef REQPM_TASKS_H
#define REQPM_TASKS_H

#include "apps/builds/app.h"
#include "apps/builds/logs.h"

#define WORKER_HEARTBEAT_MS 10000
#define END_AGAIN_MS                                                                               \
	2000 /* before what the database refused is written again, and before specs are read again */
#define DISK_LOOK_MS 10000 /* how often a disk that was below its floor is looked at */
#define READING_TOLD_MS 1000 /* how often viewers are told how many specs have been read */
#define READ_TRIES_MAX 3 /* of a set's specs, when this machine was at fault */
#define PREPARE_TRIES_MAX 10 /* of the other steps: who waits behind waits as long */

struct prepare;
struct prepare_job { /* copied */
	int64_t id, upload_id, takes_from;
	char *builder;
};

/* ---- one build (tasks.c) and the worker that runs it (worker.c) */
struct build_task {
	struct tasks *tasks;
	struct claim claim;
	int64_t slot;
	const struct builder_ops *builder;
	struct build *build;
	struct log_writer *log;
	struct log_totals totals;
	struct strbuf results, job_dir, sources;
	int64_t lines_before; /* of earlier attempts in the same log */
	bool stop; /* cancel or drain was asked for */
	bool last; /* drain: nothing is claimed after it */
	enum attempt_end end;
	enum queue_reason reason;
	char *why, *phase, *error_text, *lacks;
	int64_t error_line, exit_code;
	struct artifact_row *artifacts;
	size_t artifact_count;
	struct claim
		next; /* claimed for the slot by the transaction that ended this one; item_id 0: none */
	uv_timer_t again;
};

/* ---- lost.c: what the attempts of a dead server had published is taken out of the repositories again */
struct lost {
	struct lost_item {
		int64_t job_id;
		char *package;
	} * items;
	size_t count;
	loop_fn *done;
	void *arg;
};
int lost_find(struct tx *tx, void *arg); /* arg: struct lost, all 0 before */
/* done(arg) on the loop, never from within, when nothing is left that can be taken out. count is not 0; consumes the items. */
void lost_withdraw(struct lost *l, struct app *app, loop_fn *done, void *arg);

/* Reading specs may take hours: who needs none does not wait for that. */
enum lane { LANE_READING, LANE_OTHER, LANE_COUNT };
struct preparing { /* one job at a time of one lane */
	struct tasks *tasks;
	bool busy, wanted; /* wanted: something was submitted while the next one was looked for */
	struct prepare_job next;
	struct prepare *prepare; /* of the job in preparation */
	int64_t job_id;
};

struct tasks {
	struct app *app;
	struct worker_identity identity;
	char incarnation[17], host[256];
	struct build_task *slots[SLOTS_MAX + 1]; /* 1 … jobs */
	struct claim claim; /* of the claim in flight */
	int64_t claim_slot, due_at;
	bool claiming, wanted; /* wanted: something was queued while a claim was in flight */
	struct preparing lanes[LANE_COUNT];
	bool held; /* for want of room on the disk nothing begins */
	bool looking, telling; /* at the disk; viewers */
	bool tells, told; /* the `held` that they are being told, and were */
	bool ready; /* registered; what was lost is in the queue again */
	bool recovering; /* on the way there */
	struct lost lost;
	bool draining;
	int outcome; /* of the claim's unit */
	uv_timer_t due, look, heartbeat;
	int open_timers;
	loop_fn *drained;
	void *drained_arg;
};

void task_stop(struct build_task *b); /* cancel or drain: it ends as stopped */
/* A build is over; `next`, if it has an item, was claimed for its slot. Takes next's strings. */
void worker_slot_free(struct tasks *t, int64_t slot, struct claim *next);

/* ---- prepare.c: pending -> preparing -> running, or refused */
/* done(arg) once, when the job runs, was refused, or was cancelled meanwhile. */
struct prepare *prepare_start(
	struct app *app, const struct prepare_job *job, loop_fn *done, void *arg);
/* The step in hand ends, at once where it may take long, and no other begins but the storing of a plan that is made; the job is pending
 * again unless it was cancelled. done follows. */
void prepare_cancel(struct prepare *p);

/* ---- plan.c: blocking, in store units: from what was submitted to rows */
struct host_provides; /* apps/packages/packages.h */
struct plan_draft {
	struct plan plan; /* its strings and arrays are owned by the draft */
	struct strbuf json; /* what plan.json points to */
	struct strbuf refusal; /* JSON {detail, package, edges}; len 0: the plan is good */
	struct list strings; /* owned, plan.c's */
	/* What nothing provides ends its item at once; NULL: not known, then the build root shows it. Borrowed. */
	const struct host_provides *host;
};
void plan_draft_init(struct plan_draft *d);
void plan_draft_finish(struct plan_draft *d);
void plan_refuse(struct plan_draft *d, const char *package, const char *detail);
/* From the packages.json in dir. -EIO: the file cannot be read now. */
int plan_from_json(struct tx *tx, const char *dir, struct plan_draft *d);
struct read_package; /* apps/packages/reader.h */
int plan_from_specs(
	struct tx *tx, const struct read_package *packages, size_t count, struct plan_draft *d);
/* From the items of an ended job: those that completed are taken over. */
int plan_from_job(struct tx *tx, int64_t job_id, struct plan_draft *d);

/* ---- takeover.c: what a retry takes from the build before it; blocking */
struct takeover_paths { /* host paths of RPMs */
	char **paths;
	size_t count;
};
/* Hard-links one package's results and log from one job's folder to another's. */
int takeover_link(const char *from_job_dir, const char *to_job_dir, const char *package);
/* Once for all that was linked, before a commit says that it completed: after a power cut it is there, too. */
int takeover_sync(const char *to_job_dir);
/* Appends the package's binary RPMs. */
int takeover_rpms(const char *job_dir, const char *package, struct takeover_paths *paths);
void takeover_paths_finish(struct takeover_paths *paths);

#endif
