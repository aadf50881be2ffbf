// SPDX-License-Identifier: MIT
/*
 * The embedded worker: a free slot claims the ready item of highest priority, builds it, and writes how it ended. Each step is a
 * unit on the store whose commit publishes; what this process holds in memory is only what runs now. When it dies, the next one
 * finds the items `building` under an incarnation that is gone and puts them back into the queue.
 */
#include <stdio.h>
#include <unistd.h>
#include "apps/builds/tasks.h"
#include "apps/repositories/repositories.h"
#include "core/base/log.h"

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
	bool stop;	      /* cancel or drain was asked for */
	enum attempt_end end;
	enum queue_reason reason;
	char *why, *phase, *error_text;
	int64_t error_line, exit_code;
	struct artifact_row *artifacts;
	size_t artifact_count;
	uv_timer_t again;
};

struct tasks {
	struct app *app;
	struct worker_identity identity;
	char incarnation[17], host[256];
	struct build_task *slots[SLOTS_MAX + 1]; /* 1 … jobs */
	struct claim claim;			 /* of the claim in flight */
	int64_t claim_slot, due_at;
	bool claiming, wanted; /* wanted: something was queued while a claim was in flight */
	bool preparing, prepare_wanted;
	bool draining;
	int outcome; /* of the claim's unit */
	struct prepare_job next;
	uv_timer_t due, heartbeat;
	loop_fn *drained;
	void *drained_arg;
};

static void pull(struct tasks *t);
static void prepare_next(struct tasks *t);
static void drain_check(struct tasks *t);

/* ---- the life of one build, from its end backwards */

static void task_free(struct build_task *b)
{
	claim_finish(&b->claim);
	strbuf_finish(&b->results);
	strbuf_finish(&b->job_dir);
	strbuf_finish(&b->sources);
	free(b->totals.tail);
	free(b->why);
	free(b->phase);
	free(b->error_text);
	for (size_t i = 0; i < b->artifact_count; i++) {
		free((void *)b->artifacts[i].file);
		free((void *)b->artifacts[i].nevra);
		free((void *)b->artifacts[i].sha256);
	}
	free(b->artifacts);
	free(b);
}

static void again_closed(uv_handle_t *handle)
{
	task_free(handle->data);
}

static void task_over(struct build_task *b)
{
	struct tasks *t = b->tasks;

	t->slots[b->slot] = NULL;
	log_ended(t->app->logs, b->claim.item_id);
	uv_close((uv_handle_t *)&b->again, again_closed);
	pull(t);
	drain_check(t);
}

int check_build_job_completion(struct tx *tx, int64_t build_job_id)
{
	return build_job_check(tx, build_job_id, clock_wall_ms());
}

static int store_end(struct tx *tx, void *arg)
{
	struct build_task *b = arg;
	int r;
	struct attempt_result result = {
		.end = b->end,
		.reason = b->reason,
		.why = b->why,
		.phase = b->phase,
		.error_text = b->error_text,
		.error_line = b->error_line,
		.exit_code = b->exit_code,
		.log_size = b->totals.size,
		.log_lines = b->totals.lines,
		.log_sha256 = b->totals.sha256,
		.log_tail = b->totals.tail,
		.artifacts = b->artifacts,
		.artifact_count = b->artifact_count,
	};

	r = queue_item_end(tx, b->claim.item_id, b->claim.token, &result, clock_wall_ms());
	return r < 0 ? r : check_build_job_completion(tx, b->claim.job_id);
}

static void end_stored(void *arg, int status);

static void end_again(uv_timer_t *timer)
{
	struct build_task *b = timer->data;

	store_write(b->tasks->app->store, store_end, end_stored, b);
}

/* The result of hours of work is not given up because the disk is full for a moment: it is written until it is. */
static void end_stored(void *arg, int status)
{
	struct build_task *b = arg;

	if (status < 0 && status != -ESTALE && !b->tasks->draining) {
		log_error("build %lld: the end of %s cannot be stored (%s), again in %d ms", (long long)b->claim.job_id,
			b->claim.package, strerror(-status), END_AGAIN_MS);
		uv_timer_start(&b->again, end_again, END_AGAIN_MS, 0);
		return;
	}
	if (status == -ESTALE)
		log_warn("build %lld: the end of %s came too late and was refused", (long long)b->claim.job_id,
			b->claim.package);
	worker_log(b->tasks->app, "build %lld: %s %s", (long long)b->claim.job_id, b->claim.package,
		b->end == ATTEMPT_COMPLETED ? "completed" : (b->why ? b->why : "stopped"));
	task_over(b);
}

static void log_closed(void *arg, const struct log_totals *totals)
{
	struct build_task *b = arg;

	b->totals = *totals;
	b->totals.tail = xstrdup(totals->tail);
	if (totals->error < 0 && b->end == ATTEMPT_COMPLETED) {
		/* A result whose log is cut off is no result. */
		b->end = ATTEMPT_INFRASTRUCTURE;
		b->reason = REASON_INFRASTRUCTURE;
		free(b->why);
		b->why = xasprintf("its log could not be written: %s", strerror(-totals->error));
	}
	store_write(b->tasks->app->store, store_end, end_stored, b);
}

static void close_log(struct build_task *b)
{
	log_writer_close(b->log, log_closed, b);
	b->log = NULL;
}

static void end_with(struct build_task *b, enum attempt_end end, enum queue_reason reason, const char *why)
{
	b->end = end;
	b->reason = reason;
	free(b->why);
	b->why = xstrdup(why);
}

static void published(int status, const char *why, void *arg)
{
	struct build_task *b = arg;
	char *text;

	if (status < 0) {
		text = xasprintf("the repository could not be made: %s", why);
		end_with(b, ATTEMPT_INFRASTRUCTURE, REASON_INFRASTRUCTURE, text);
		free(text);
	}
	close_log(b);
}

static void publish(struct build_task *b)
{
	struct takeover_paths rpms = {0};

	rpms.paths = xcalloc(b->artifact_count + 1, sizeof(*rpms.paths));
	for (size_t i = 0; i < b->artifact_count; i++)
		if (!strcmp(b->artifacts[i].kind, "rpm"))
			rpms.paths[rpms.count++] = xasprintf("%s/%s", b->results.buf, b->artifacts[i].file);
	repository_publish(b->tasks->app->repositories, b->job_dir.buf, (const char *const *)rpms.paths, rpms.count, published,
		b);
	takeover_paths_finish(&rpms);
}

/* What was built stands in the repository before the commit that lets its dependents start. */
static void conclude(struct build_task *b)
{
	if (b->end == ATTEMPT_COMPLETED && !strcmp(b->claim.builder, "rpmbuild"))
		publish(b);
	else
		close_log(b);
}

static enum queue_reason reason_of(enum run_end end)
{
	switch (end) {
	case RUN_TIMED_OUT:
		return REASON_TIMEOUT;
	case RUN_OUT_OF_MEMORY:
		return REASON_MEMORY;
	case RUN_DISK_FULL:
		return REASON_DISK;
	default:
		return REASON_BUILD;
	}
}

static void take_artifacts(struct build_task *b, const struct build_result *result)
{
	b->artifacts = xcalloc(result->artifact_count + 1, sizeof(*b->artifacts));
	for (size_t i = 0; i < result->artifact_count; i++)
		b->artifacts[i] = (struct artifact_row){
			.file = xstrdup(result->artifacts[i].file),
			.kind = result->artifacts[i].kind,
			.nevra = xstrdup(result->artifacts[i].nevra),
			.sha256 = xstrdup(result->artifacts[i].sha256),
			.size = result->artifacts[i].size,
		};
	b->artifact_count = result->artifact_count;
}

static void build_ended(struct build *build, const struct build_result *result, void *arg)
{
	struct build_task *b = arg;

	(void)build;
	b->build = NULL;
	if (result->ok)
		b->end = ATTEMPT_COMPLETED;
	else if (result->cancelled)
		end_with(b, ATTEMPT_STOPPED, REASON_CANCELLED, NULL);
	else if (result->infrastructure)
		end_with(b, ATTEMPT_INFRASTRUCTURE, REASON_INFRASTRUCTURE, result->why);
	else
		end_with(b, ATTEMPT_FAILED, reason_of(result->end), result->why);
	b->exit_code = result->exit_code;
	b->phase = result->phase && *result->phase ? xstrdup(result->phase) : NULL;
	if (!result->ok && result->error_line > 0) {
		struct strbuf text = STRBUF_INIT;

		json_log_text(&text, result->error_text, strlen(result->error_text), true);
		b->error_line = b->lines_before + result->error_line;
		free(b->error_text);
		b->error_text = strbuf_detach(&text, NULL);
	}
	take_artifacts(b, result);
	conclude(b);
}

/* ---- while it runs */

static void log_drained(void *arg)
{
	struct build_task *b = arg;

	if (b->build)
		b->builder->resume(b->build);
}

static void build_log(struct build *build, const char *data, size_t len, void *arg)
{
	struct build_task *b = arg;

	if (!log_writer_add(b->log, data, len))
		b->builder->pause(build);
}

struct phase_unit {
	int64_t item_id, token, log_size;
	char phase[64];
};

static int store_phase(struct tx *tx, void *arg)
{
	struct phase_unit *u = arg;

	return queue_item_set_phase(tx, u->item_id, u->token, u->phase, u->log_size);
}

static void phase_stored(void *arg, int status)
{
	(void)status; /* advice; a stale one is not worth a word */
	free(arg);
}

static void build_phase(struct build *build, const char *phase, void *arg)
{
	struct build_task *b = arg;
	struct phase_unit *u = xcalloc(1, sizeof(*u));

	(void)build;
	u->item_id = b->claim.item_id;
	u->token = b->claim.token;
	u->log_size = log_writer_size(b->log);
	snprintf(u->phase, sizeof(u->phase), "%s", phase);
	store_write(b->tasks->app->store, store_phase, phase_stored, u);
}

/* ---- its start */

static const struct build_handlers handlers = {
	.on_log = build_log,
	.on_phase = build_phase,
	.on_end = build_ended,
};

/* argv of the `command` builder, pointing into payload. */
static const char **command_of(json_t *payload)
{
	json_t *command = json_object_get(payload, "command"), *arg;
	const char **argv = xcalloc(json_array_size(command) + 1, sizeof(*argv));
	size_t i;

	json_array_foreach(command, i, arg)
		argv[i] = json_string_value(arg);
	return argv;
}

static void start_build(struct build_task *b)
{
	struct strbuf err = STRBUF_INIT;
	json_t *payload = json_parse(b->claim.payload, strlen(b->claim.payload), &err);
	const char **command = command_of(payload);
	char *name = xasprintf("job%lld-item%lld-%lld", (long long)b->claim.job_id, (long long)b->claim.item_id,
		(long long)b->claim.token);
	struct build_request request = {
		.sandbox = b->tasks->app->sandbox,
		.slot = (int)b->slot,
		.attempt_name = name,
		.package = b->claim.package,
		.version = b->claim.version,
		.sources_dir = b->sources.buf,
		.spec_file = json_string_value(json_object_get(payload, "spec")),
		.skip_check = json_is_true(json_object_get(payload, "skip_check")),
		.rpm = b->tasks->app->rpm,
		.command = command,
		.job_dir = b->job_dir.buf,
		.results_dir = b->results.buf,
		.timeout_ms = b->claim.timeout_ms > 0 ? b->claim.timeout_ms : ITEM_TIMEOUT_MS,
	};

	b->builder = builder_find(b->claim.builder);
	if (!b->builder)
		err_set(&err, -ENOTSUP, "this server has no builder named %s", b->claim.builder);
	if (!b->builder || b->builder->start(&request, &handlers, b, &b->build, &err) < 0) {
		end_with(b, ATTEMPT_INFRASTRUCTURE, REASON_INFRASTRUCTURE, err.buf);
		conclude(b);
	}
	json_decref(payload);
	free(command);
	free(name);
	strbuf_finish(&err);
}

static void log_ready(void *arg, int status)
{
	struct build_task *b = arg;
	char *why;

	b->lines_before = log_writer_lines(b->log);
	log_writer_on_drained(b->log, log_drained, b);
	if (status < 0) {
		why = xasprintf("its log cannot be opened: %s", strerror(-status));
		end_with(b, ATTEMPT_INFRASTRUCTURE, REASON_INFRASTRUCTURE, why);
		free(why);
		conclude(b);
	} else if (b->stop) {
		end_with(b, ATTEMPT_STOPPED, REASON_CANCELLED, NULL);
		conclude(b);
	} else {
		start_build(b);
	}
}

void build_package_task(struct tasks *t, struct claim *take_claim, int64_t slot)
{
	struct build_task *b = xcalloc(1, sizeof(*b));
	struct strbuf path = STRBUF_INIT;

	b->tasks = t;
	b->claim = *take_claim;
	*take_claim = (struct claim){0};
	b->slot = slot;
	b->exit_code = -1;
	strbuf_init(&b->results);
	strbuf_init(&b->job_dir);
	strbuf_init(&b->sources);
	build_dir(&b->job_dir, t->app, b->claim.job_id);
	strbuf_addf(&b->results, "%s/results/%s", b->job_dir.buf, b->claim.package);
	upload_dir(&b->sources, t->app, b->claim.upload_id);
	strbuf_addstr(&b->sources, "/files");
	uv_timer_init(&t->app->loop->uv, &b->again);
	b->again.data = b;
	t->slots[slot] = b;
	worker_log(t->app, "build %lld: %s starts in slot %lld, attempt %lld", (long long)b->claim.job_id,
		b->claim.package, (long long)slot, (long long)b->claim.attempt);
	log_path(&path, t->app, b->claim.job_id, b->claim.package);
	b->log = log_writer_open(t->app->logs, b->claim.item_id, path.buf, log_ready, b);
	strbuf_finish(&path);
}

/* ---- claiming */

static int64_t free_slot(const struct tasks *t)
{
	for (int64_t i = 1; i <= t->app->jobs; i++)
		if (!t->slots[i])
			return i;
	return 0;
}

static int claim_run(struct tx *tx, void *arg)
{
	struct tasks *t = arg;

	t->outcome = queue_item_claim(tx, &t->identity, t->claim_slot, clock_wall_ms(), &t->claim, &t->due_at);
	return t->outcome;
}

static void due_fired(uv_timer_t *timer)
{
	pull(timer->data);
}

static void claimed(void *arg, int status)
{
	struct tasks *t = arg;
	int64_t wait;

	t->claiming = false;
	if (status < 0) {
		log_error("worker: nothing can be claimed: %s", strerror(-status));
		claim_finish(&t->claim);
		t->wanted = false;
		uv_timer_start(&t->due, due_fired, END_AGAIN_MS, 0);
	} else if (t->outcome > 0) {
		t->wanted = true;
		build_package_task(t, &t->claim, t->claim_slot);
		if (t->draining)
			t->slots[t->claim_slot]->stop = true;
	} else if (t->due_at > 0) {
		wait = t->due_at - clock_wall_ms();
		uv_timer_start(&t->due, due_fired, wait > 0 ? (uint64_t)wait + 1 : 1, 0);
	}
	if (t->wanted)
		pull(t);
	drain_check(t);
}

static void pull(struct tasks *t)
{
	if (t->claiming) {
		t->wanted = true;
		return;
	}
	t->wanted = false;
	t->claim_slot = free_slot(t);
	if (t->draining || !t->claim_slot)
		return;
	t->claiming = true;
	store_write(t->app->store, claim_run, claimed, t);
}

/* ---- preparing, one job at a time */

static int take_next(const struct build_job *job, void *arg)
{
	struct tasks *t = arg;

	if (t->next.id || !strcmp(job->builder, "external"))
		return 0;
	t->next = (struct prepare_job){
		.id = job->id,
		.upload_id = job->upload_id,
		.retry_of = job->retry_of,
		.builder = xstrdup(job->builder),
	};
	return 0;
}

static int find_next(struct tx *tx, void *arg)
{
	return build_jobs_to_prepare(tx, take_next, arg);
}

static void prepared(void *arg)
{
	struct tasks *t = arg;

	t->preparing = false;
	prepare_next(t);
	pull(t);
	drain_check(t);
}

static void found_next(void *arg, int status)
{
	struct tasks *t = arg;
	struct prepare_job job = t->next;

	t->next = (struct prepare_job){0};
	if (status < 0)
		log_error("worker: the jobs to prepare cannot be read: %s", strerror(-status));
	if (status < 0 || !job.id || t->draining) {
		t->preparing = false;
		free(job.builder);
		if (t->prepare_wanted)
			prepare_next(t);
		drain_check(t);
		return;
	}
	worker_log(t->app, "build %lld: preparing", (long long)job.id);
	prepare_start(t->app, &job, prepared, t);
	free(job.builder);
}

static void prepare_next(struct tasks *t)
{
	if (t->preparing) {
		t->prepare_wanted = true;
		return;
	}
	t->prepare_wanted = false;
	if (t->draining)
		return;
	t->preparing = true;
	store_read(t->app->store, find_next, found_next, t);
}

void tasks_wake(struct tasks *t)
{
	prepare_next(t);
	pull(t);
}

/* ---- stopping */

static void stop(struct build_task *b)
{
	b->stop = true;
	if (b->build)
		b->builder->cancel(b->build);
}

void tasks_cancel_job(struct tasks *t, int64_t job_id)
{
	for (int64_t i = 1; i <= t->app->jobs; i++)
		if (t->slots[i] && t->slots[i]->claim.job_id == job_id)
			stop(t->slots[i]);
}

static void drain_check(struct tasks *t)
{
	loop_fn *drained = t->drained;

	if (!t->draining || !drained || t->claiming || t->preparing)
		return;
	for (int64_t i = 1; i <= t->app->jobs; i++)
		if (t->slots[i])
			return;
	t->drained = NULL;
	drained(t->drained_arg);
}

void tasks_drain(struct tasks *t, loop_fn *done, void *arg)
{
	t->draining = true;
	t->drained = done;
	t->drained_arg = arg;
	for (int64_t i = 1; i <= t->app->jobs; i++)
		if (t->slots[i])
			stop(t->slots[i]);
	drain_check(t);
}

/* ---- the worker's own life */

static int heartbeat_run(struct tx *tx, void *arg)
{
	struct tasks *t = arg;

	return worker_heartbeat(tx, &t->identity, clock_wall_ms());
}

static void heartbeat_fired(uv_timer_t *timer)
{
	struct tasks *t = timer->data;

	store_write(t->app->store, heartbeat_run, NULL, t);
}

static int register_run(struct tx *tx, void *arg)
{
	struct tasks *t = arg;

	return worker_start(tx, &t->identity, clock_wall_ms());
}

struct tasks *tasks_start(struct app *app, struct strbuf *err)
{
	struct tasks *t = xcalloc(1, sizeof(*t));
	int r;

	t->app = app;
	random_hex(t->incarnation, 8);
	if (gethostname(t->host, sizeof(t->host) - 1) < 0)
		snprintf(t->host, sizeof(t->host), "localhost");
	t->identity = (struct worker_identity){.name = t->host, .incarnation = t->incarnation, .slots = app->jobs};
	r = store_write_wait(app->store, register_run, t);
	if (r < 0) {
		err_set(err, r, "the worker cannot register in the database: %s", strerror(-r));
		free(t);
		return NULL;
	}
	uv_timer_init(&app->loop->uv, &t->due);
	uv_timer_init(&app->loop->uv, &t->heartbeat);
	t->due.data = t->heartbeat.data = t;
	uv_timer_start(&t->heartbeat, heartbeat_fired, WORKER_HEARTBEAT_MS, WORKER_HEARTBEAT_MS);
	worker_log(app, "worker %s (%s) starts with %lld slots", t->host, t->incarnation, (long long)app->jobs);
	tasks_wake(t);
	return t;
}

static void timers_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void tasks_destroy(struct tasks *t)
{
	if (!t)
		return;
	uv_close((uv_handle_t *)&t->due, NULL);
	uv_close((uv_handle_t *)&t->heartbeat, timers_closed);
}
