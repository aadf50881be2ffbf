// SPDX-License-Identifier: MIT
/*
 * One package's build, from the claim to the commit that ends it. Each step is a unit on the store whose commit publishes; what this
 * process holds in memory is only what runs now. When it dies, the next one finds the items `building` under an incarnation
 * that is gone and puts them back into the queue.
 */
#include <stdio.h>
#include "apps/builds/tasks.h"
#include "apps/repositories/repositories.h"
#include "core/base/log.h"

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
	free(b->lacks);
	for (size_t i = 0; i < b->artifact_count; i++) {
		free((void *)b->artifacts[i].file);
		free((void *)b->artifacts[i].nevra);
		free((void *)b->artifacts[i].sha256);
		free((void *)b->artifacts[i].provides);
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
	worker_slot_free(t, b->slot, &b->next);
}

int check_build_job_completion(struct tx *tx, int64_t build_job_id)
{
	return build_job_check(tx, build_job_id, clock_wall_ms());
}

/* One commit, one build_update for the end of one package and the start of the next. A back-off has the worker's timer. */
static int claim_next(struct tx *tx, struct build_task *b)
{
	int64_t due_at;
	int r;

	if (b->last || check_disk(b->tasks->app, 0) < 0)
		return 0;
	r = queue_item_claim(tx, &b->tasks->identity, b->slot, clock_wall_ms(), &b->next, &due_at);
	return r < 0 ? r : 0;
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
		.lacks = b->lacks,
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

	claim_finish(&b->next); /* of a try that was rolled back */
	r = queue_item_end(tx, b->claim.item_id, b->claim.token, &result, clock_wall_ms());
	if (r >= 0)
		r = check_build_job_completion(tx, b->claim.job_id);
	return r < 0 ? r : claim_next(tx, b);
}

static void end_stored(void *arg, int status);

static void write_end(struct build_task *b)
{
	b->last = b->tasks->draining;
	store_write(b->tasks->app->store, store_end, end_stored, b);
}

static void end_again(uv_timer_t *timer)
{
	write_end(timer->data);
}

/* The result of hours of work is not given up because the disk is full for a moment: it is written until it is. */
static void end_stored(void *arg, int status)
{
	struct build_task *b = arg;

	if (status < 0 && status != -ESTALE && !b->tasks->draining) {
		log_error("build %lld: the end of %s cannot be stored (%s), again in %d ms",
			(long long)b->claim.job_id, b->claim.package, strerror(-status),
			END_AGAIN_MS);
		uv_timer_start(&b->again, end_again, END_AGAIN_MS, 0);
		return;
	}
	if (status < 0)
		claim_finish(&b->next);
	if (status == -ESTALE)
		log_warn("build %lld: the end of %s came too late and was refused",
			(long long)b->claim.job_id, b->claim.package);
	worker_log(b->tasks->app, "build %lld: %s %s", (long long)b->claim.job_id, b->claim.package,
		b->end == ATTEMPT_COMPLETED ? "completed" : (b->why ? b->why : "stopped"));
	task_over(b);
}

static void end_with(
	struct build_task *b, enum attempt_end end, enum queue_reason reason, const char *why)
{
	struct strbuf sentence = STRBUF_INIT;

	if (why)
		text_shorten(&sentence, why, strlen(why), SENTENCE_MAX);
	b->end = end;
	b->reason = reason;
	free(b->why);
	b->why = why ? strbuf_detach(&sentence, NULL) : NULL;
}

static void withdraw_again(uv_timer_t *timer);

/* Until it is out, the item stays `building`; a server that stops leaves both to the next one. */
static void withdrawn(int status, const char *why, void *arg)
{
	struct build_task *b = arg;

	if (!status) {
		write_end(b);
		return;
	}
	log_error("build %lld: what %s published cannot be taken back: %s",
		(long long)b->claim.job_id, b->claim.package, why);
	if (b->tasks->draining)
		task_over(b);
	else
		uv_timer_start(&b->again, withdraw_again, END_AGAIN_MS, 0);
}

static void withdraw(struct build_task *b)
{
	repository_withdraw(
		b->tasks->app->repositories, b->job_dir.buf, b->results.buf, withdrawn, b);
}

static void withdraw_again(uv_timer_t *timer)
{
	withdraw(timer->data);
}

static void published(int status, const char *why, void *arg)
{
	struct build_task *b = arg;
	char *text;

	if (status < 0) {
		text = xasprintf("the repository could not be made: %s", why);
		end_with(b, ATTEMPT_INFRASTRUCTURE, REASON_INFRASTRUCTURE, text);
		free(text);
		withdraw(b); /* part of it may stand there */
	} else {
		write_end(b);
	}
}

/* What was built stands in the repository before the commit that lets its dependents start. */
static void publish(struct build_task *b)
{
	struct takeover_paths rpms = {0};

	rpms.paths = xcalloc(b->artifact_count + 1, sizeof(*rpms.paths));
	for (size_t i = 0; i < b->artifact_count; i++)
		if (rpm_is_binary(b->artifacts[i].file))
			rpms.paths[rpms.count++] =
				xasprintf("%s/%s", b->results.buf, b->artifacts[i].file);
	repository_publish(b->tasks->app->repositories, b->job_dir.buf,
		(const char *const *)rpms.paths, rpms.count, published, b);
	takeover_paths_finish(&rpms);
}

/* In the largest unit that it is a whole number of. */
static char *size_words(int64_t bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	for (; bytes && bytes % 1024 == 0 && unit + 1 < countof(units); unit++)
		bytes /= 1024;
	return xasprintf("%lld %s", (long long)bytes, units[unit]);
}

/* A result whose log is cut off is no result. Who writes more than anybody will read does so each time. */
static void judge_log(struct build_task *b, int error)
{
	char *size = size_words(b->tasks->app->max_log_bytes), *why;

	if (error == -EFBIG) {
		why = xasprintf("its log grew past %s", size);
		end_with(b, ATTEMPT_FAILED, REASON_DISK, why);
	} else {
		why = xasprintf("its log could not be written: %s", strerror(-error));
		if (b->end == ATTEMPT_COMPLETED || b->end == ATTEMPT_STOPPED)
			end_with(b, ATTEMPT_INFRASTRUCTURE, REASON_INFRASTRUCTURE, why);
	}
	free(size);
	free(why);
}

static void log_closed(void *arg, const struct log_totals *totals)
{
	struct build_task *b = arg;
	bool wanted = b->stop && b->end == ATTEMPT_STOPPED; /* by cancel or drain */

	b->totals = *totals;
	b->totals.tail = xstrdup(totals->tail);
	if (totals->error < 0 && !wanted)
		judge_log(b, totals->error);
	if (b->end == ATTEMPT_COMPLETED && !strcmp(b->claim.builder, "rpmbuild"))
		publish(b);
	else
		write_end(b);
}

static void conclude(struct build_task *b)
{
	log_writer_close(b->log, log_closed, b);
	b->log = NULL;
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
			.provides = xstrdup(result->artifacts[i].provides),
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
		end_with(b, result->lacks ? ATTEMPT_LACKING : ATTEMPT_FAILED,
			reason_of(result->end), result->why);
	b->lacks = result->lacks ? xstrdup(result->lacks) : NULL;
	b->exit_code = result->exit_code;
	b->phase = result->phase && *result->phase ? xstrdup(result->phase) : NULL;
	if (!result->ok && result->error_line > 0) {
		b->error_line = b->lines_before + result->error_line;
		free(b->error_text);
		b->error_text = log_plain_text(result->error_text, strlen(result->error_text));
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

/* Its log takes no more, and without one nothing is built: log_closed() says why it ended. */
static void log_broken(void *arg, int status)
{
	struct build_task *b = arg;

	log_warn("build %lld: the log of %s takes no more (%s): it is stopped",
		(long long)b->claim.job_id, b->claim.package, strerror(-status));
	if (b->build)
		b->builder->cancel(b->build);
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

	json_array_foreach(command, i, arg) argv[i] = json_string_value(arg);
	return argv;
}

static void start_build(struct build_task *b)
{
	struct strbuf err = STRBUF_INIT;
	json_t *payload = json_parse(b->claim.payload, strlen(b->claim.payload), &err);
	const char **command = command_of(payload);
	char *name = xasprintf("job%lld-item%lld-%lld", (long long)b->claim.job_id,
		(long long)b->claim.item_id, (long long)b->claim.token);
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
	log_writer_on_broken(b->log, log_broken, b);
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
	worker_log(t->app, "build %lld: %s starts in slot %lld, attempt %lld",
		(long long)b->claim.job_id, b->claim.package, (long long)slot,
		(long long)b->claim.attempt);
	log_path(&path, t->app, b->claim.job_id, b->claim.package);
	b->log = log_writer_open(t->app->logs, b->claim.item_id, path.buf, log_ready, b);
	strbuf_finish(&path);
}

/* ---- its early end */

void task_stop(struct build_task *b)
{
	b->stop = true;
	if (b->build)
		b->builder->cancel(b->build);
}
