/* SPDX-License-Identifier: MIT
 *
 * The embedded worker's parts; private to tasks.c, prepare.c and plan.c. All on the loop.
 */
#ifndef REQPM_TASKS_H
#define REQPM_TASKS_H

#include "apps/builds/app.h"
#include "apps/builds/logs.h"

#define WORKER_HEARTBEAT_MS 10000
#define END_AGAIN_MS 2000 /* before the end of an attempt is written again that the database refused */

/* ---- prepare.c: pending -> preparing -> running, or refused */
struct prepare_job { /* copied */
	int64_t id, upload_id, retry_of;
	char *builder;
};
/* done(arg) once, when the job runs, was refused, or was cancelled meanwhile. */
void prepare_start(struct app *app, const struct prepare_job *job, loop_fn *done, void *arg);

/* ---- plan.c: blocking, in store units: from what was submitted to rows */
struct plan_draft {
	struct plan plan;      /* its strings and arrays are owned by the draft */
	struct strbuf json;    /* what plan.json points to */
	struct strbuf refusal; /* JSON {detail, package, edges}; len 0: the plan is good */
	struct list strings;   /* owned, plan.c's */
};
void plan_draft_init(struct plan_draft *d);
void plan_draft_finish(struct plan_draft *d);
void plan_refuse(struct plan_draft *d, const char *package, const char *detail);
/* From the packages.json in dir. -EIO: the file cannot be read now. */
int plan_from_json(struct tx *tx, const char *dir, struct plan_draft *d);
struct read_package; /* apps/packages/reader.h */
int plan_from_specs(struct tx *tx, const struct read_package *packages, size_t count, struct plan_draft *d);
/* From the items of an ended job: those that completed are taken over. */
int plan_from_job(struct tx *tx, int64_t job_id, struct plan_draft *d);

/* ---- takeover.c: what a retry takes from the build before it; blocking */
struct takeover_paths { /* host paths of RPMs */
	char **paths;
	size_t count;
};
/* Hard-links one package's results and log from one job's folder to another's. */
int takeover_link(const char *from_job_dir, const char *to_job_dir, const char *package);
/* Appends the package's binary RPMs. */
int takeover_rpms(const char *job_dir, const char *package, struct takeover_paths *paths);
void takeover_paths_finish(struct takeover_paths *paths);

#endif
