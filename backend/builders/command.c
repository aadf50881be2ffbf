// SPDX-License-Identifier: MIT
#include "builders/builder.h"
#include "builders/capture.h"
#include "builders/diagnose.h"
#include "builders/run.h"

#include <unistd.h>

/*
 * The builder for anything that runs: a command in an empty folder /build, the upload's files under /sources, and what it leaves
 * in /build/results is the package. One run, then the copy; then its launcher may remove what the run left.
 */
#define RESULTS "results"

struct build {
	struct sandbox *sb;
	struct build_handlers handlers;
	void *arg;
	struct run *run; /* NULL when it has ended */
	int held; /* descriptor of run_hold(); -1 */
	char *work, *results_from, *results_to;
	struct diagnosis diagnosis;
	struct build_result result;
	struct artifact *artifacts; /* what result.artifacts points to; their strings are owned */
	struct strbuf why;
};

static void command_free(struct build *b)
{
	if (b->held >= 0)
		close(b->held);
	free(b->work);
	free(b->results_from);
	free(b->results_to);
	for (size_t i = 0; i < b->result.artifact_count; i++) {
		free((void *)b->artifacts[i].file);
		free((void *)b->artifacts[i].sha256);
	}
	free(b->artifacts);
	strbuf_finish(&b->why);
	free(b);
}

static void command_end(struct build *b)
{
	b->result.why = b->why.buf;
	b->handlers.on_end(b, &b->result, b->arg);
	command_free(b);
}

/* The capture's are gone when it has called back. */
static void keep_artifacts(struct build *b, const struct capture_result *result)
{
	b->artifacts = xcalloc(result->artifact_count + 1, sizeof(*b->artifacts));
	for (size_t i = 0; i < result->artifact_count; i++) {
		b->artifacts[i] = result->artifacts[i];
		b->artifacts[i].file = xstrdup(result->artifacts[i].file);
		b->artifacts[i].sha256 = xstrdup(result->artifacts[i].sha256);
	}
	b->result.artifacts = b->artifacts;
	b->result.artifact_count = result->artifact_count;
}

static void captured(const struct capture_result *result, void *arg)
{
	struct build *b = arg;

	if (result->code) {
		b->result.ok = false;
		b->result.infrastructure = result->code != -EINVAL && result->code != -E2BIG &&
					   result->code != -EFBIG && result->code != -EEXIST;
		strbuf_addstr(&b->why, result->why);
	} else {
		keep_artifacts(b, result);
	}
	command_end(b);
}

static void command_capture(struct build *b)
{
	const char *from[] = {b->results_from, NULL};
	struct capture_spec spec = {.from = from, .to = b->results_to, .describe = true};

	capture_start(b->sb->loop, &spec, captured, b);
}

static void explain(struct build *b, const struct run_result *result)
{
	struct build_result *r = &b->result;

	r->exit_code = result->code;
	r->end = result->end;
	r->ok = result->end == RUN_EXITED && !result->code;
	r->cancelled = result->end == RUN_CANCELLED;
	r->infrastructure = result->end == RUN_BROKEN;
	if (r->ok)
		return;
	if (result->end == RUN_EXITED)
		strbuf_addf(&b->why, "the command ended with exit status %d", result->code);
	else if (result->end == RUN_BROKEN)
		strbuf_addf(&b->why, "the sandbox failed: %s", result->why);
	else
		strbuf_addf(&b->why, "the command failed: %s", result->why);
	if (result->end != RUN_EXITED && result->end != RUN_SIGNALED)
		return;
	r->error_line = b->diagnosis.best_line;
	r->error_text = b->diagnosis.best_text;
}

static void command_ran(struct run *run, const struct run_result *result, void *arg)
{
	struct build *b = arg;

	b->run = NULL;
	b->held = run_hold(run);
	diagnosis_end(&b->diagnosis);
	explain(b, result);
	if (b->result.ok)
		command_capture(b);
	else
		command_end(b);
}

static void command_output(struct run *run, const char *data, size_t len, void *arg)
{
	struct build *b = arg;

	(void)run;
	diagnosis_add(&b->diagnosis, data, len, NULL, NULL);
	b->handlers.on_log(b, data, len, b->arg);
}

static int command_start(const struct build_request *req, const struct build_handlers *h, void *arg,
	struct build **ret_build, struct strbuf *err)
{
	static const struct run_handlers handlers = {
		.on_output = command_output, .on_end = command_ran};
	static const char *const collect[] = {RESULTS};
	const struct run_bind sources = {req->sources_dir, "/sources", false};
	struct build *b = xcalloc(1, sizeof(*b));
	char *package = xasprintf("REQPM_PACKAGE=%s", req->package);
	char *version = xasprintf("REQPM_VERSION=%s", req->version ? req->version : "");
	const char *env[] = {package, version, NULL};
	struct run_spec spec = {
		.slot = req->slot,
		.name = req->attempt_name,
		.argv = req->command,
		.env = env,
		.binds = &sources,
		.bind_count = req->sources_dir ? 1 : 0,
		.collect = collect,
		.collect_count = countof(collect),
		.timeout_ms = req->timeout_ms,
		.hold = true,
	};

	*b = (struct build){.sb = req->sandbox, .handlers = *h, .arg = arg, .held = -1};
	b->result.phase = "command";
	b->result.error_text = "";
	strbuf_init(&b->why);
	diagnosis_init(&b->diagnosis);
	b->work = xasprintf("%s/%s", sandbox_slot_dir(req->sandbox, req->slot), req->attempt_name);
	b->results_from = xasprintf("%s/" RESULTS, b->work);
	b->results_to = xstrdup(req->results_dir);
	spec.work = b->work;
	b->run = run_start(req->sandbox, &spec, &handlers, b, err);
	free(package);
	free(version);
	if (!b->run) {
		command_free(b);
		return -EIO;
	}
	*ret_build = b;
	return 0;
}

/* Once the command has ended there is nothing to stop: what remains is copying what it made. */
static void command_cancel(struct build *b)
{
	if (b->run)
		run_cancel(b->run);
}

static void command_pause(struct build *b)
{
	if (b->run)
		run_pause(b->run);
}

static void command_resume(struct build *b)
{
	if (b->run)
		run_resume(b->run);
}

const struct builder_ops builder_command = {
	.name = "command",
	.start = command_start,
	.cancel = command_cancel,
	.pause = command_pause,
	.resume = command_resume,
};
