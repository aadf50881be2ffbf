/* SPDX-License-Identifier: MIT
 *
 * The running application: what views, consumers and tasks share. Made once by serve.c; all on the loop's thread.
 */
#ifndef REQPM_APP_H
#define REQPM_APP_H

#include "apps/builds/builds.h"
#include "builders/builder.h"
#include "builders/rpm.h"
#include "core/channels/channels.h"
#include "core/base/log.h"
#include "core/http/http.h"

struct tasks;
struct logs;
struct log_reads { /* log_reads.c's */
	struct list waiting; /* for a turn; first in, first out */
	struct list forgotten; /* for another one to end; first in, first out */
	int running, kept;
};
struct app {
	struct loop *loop;
	struct store *store;
	struct layer *layer;
	struct rooms *rooms;
	struct sandbox *sandbox;
	struct rpm_env *rpm;
	struct repositories *repositories;
	struct access *access;
	struct http_server *http;
	struct static_dir *static_dir; /* --static-dir; NULL: what is embedded */
	struct tasks *tasks;
	struct logs *logs;
	struct log_reads log_reads;
	struct log_file *worker_log; /* NULL: with the server's */
	const char *data_dir;
	const char *address; /* "http://127.0.0.1:8000", for status and .repo files */
	int64_t max_upload_bytes; /* one file */
	int64_t disk_floor_bytes; /* below it uploads and submissions are refused with 507, and nothing is begun */
	int64_t max_log_bytes; /* of one item */
	int64_t jobs; /* build slots */
	int64_t started_at; /* wall ms */
	bool draining;
	int64_t keep_ms; /* ended builds are deleted after this time; 0: never */
	bool expiring; /* expire.c: a round is under way */
	bool expire_again; /* and another one follows it */
};

/* ---- views.c, uploads.c: HTTP handlers; routing.c: the table of all routes */
extern const struct http_route builds_routes[];
extern const size_t builds_route_count;
bool builds_guard(
	struct http_request *req, void *app); /* Host, Origin, rights; for http_config.guard */
void builds_fallback(
	struct http_request *req, void *app); /* the page, or a plain one that says there is none */

/* ---- consumers.c: WebSocket handlers and the rooms' source */
void build_job_consumer(struct http_request *req, void *app); /* /ws/builds/:id/ */
void build_list_consumer(struct http_request *req, void *app); /* /ws/builds/ */
void build_log_consumer(struct http_request *req, void *app); /* /ws/builds/queue/:id/log/ */
struct room_source builds_room_source(struct app *app);

/* ---- worker.c, tasks.c: the embedded worker */
/* Registers the worker and starts pulling. The store is open, the rooms exist. */
struct tasks *tasks_start(struct app *app, struct strbuf *err);
/* There may be something to prepare or to claim: called after commits that submit, cancel or retry, and when a deletion has made
 * room. */
void tasks_wake(struct tasks *t);
/* Ends the attempts of a job that was asked to stop. */
void tasks_cancel_job(struct tasks *t, int64_t job_id);
/* Stops running builds, which go back to the queue; done(arg) when every process is gone. */
void tasks_drain(struct tasks *t, loop_fn *done, void *arg);
void tasks_destroy(struct tasks *t);
/* The specified names: one package's build from claim to end, on the loop; and, in the transaction of that end, whether
 * its job has ended with it. */
void build_package_task(struct tasks *t, struct claim *take_claim, int64_t slot);
int check_build_job_completion(struct tx *tx, int64_t build_job_id);

/* What the workers did, into logs/worker.log. */
#define worker_log(app, ...) log_to((app)->worker_log, LOG_INFO, __VA_ARGS__)

/* ---- folders */
void upload_dir(
	struct strbuf *out, const struct app *app, int64_t upload_id); /* DATA/uploads/<id> */
void build_dir(struct strbuf *out, const struct app *app, int64_t job_id); /* DATA/builds/<id> */
/* Blocking. -ENOSPC when less than the floor would be left after `more` bytes. */
int check_disk(const struct app *app, int64_t more);
/* Blocking. Opens what is at path beneath the folder dir, following no link: an fd or a negative code. */
int open_beneath(int dir, const char *path, int flags);
/* Blocking. The same for reading a regular file; -ENOENT: there is none. */
int file_open_beneath(const char *root, const char *path, int *ret_fd, int64_t *ret_size);

/* ---- expire.c */
/* Forgets uploads that nobody sealed, old dry runs and builds past keep_ms, then removes their folders, what was deleted on demand and
 * what an earlier round could not. At the start, now and then, and after a deletion, from the loop. */
void builds_expire_start(struct app *app);
/* An expire_fn with the app: nobody finds the folder from here on. In the unit that deletes. */
void builds_hide_folder(void *app, const char *kind, int64_t id);

#endif
